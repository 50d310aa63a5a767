#ifndef NORMC_COMPILER_FRONTEND_AXISTABLE_H
#define NORMC_COMPILER_FRONTEND_AXISTABLE_H
#include "compiler/frontend/Graph.h"

namespace normc {

/// The axes of a kernel: those that inputs declare, and the parts of splits.
class AxisTable {
public:
  struct Axis {
    std::string name;
    bool pack = false, fromInput = false;
    Spot spot;                  // where it is declared
    int outer = -1, inner = -1; // the parts, where it is split
    Spot splitSpot;             // there
    size_t since = 0;           // the first statement that sees it
    int leaf = -1;              // its place in an AxisSet, where it is not split
    bool isSplit() const { return outer >= 0; }
  };
  std::vector<Axis> axes;
  std::vector<unsigned> leaves;  // the axes that are not split, in the order of an AxisSet
  std::vector<unsigned> ordered; // all axes, parts before the product

  /// -1 where there is none.
  int find(std::string_view name) const;
  /// The leaves of an axis, outermost first, as axes.
  std::vector<unsigned> leavesOf(unsigned axis) const;
  AxisSet setOf(unsigned axis) const;
  /// "g and k": names for messages; a split axis is named where all its leaves are there.
  std::string namesOf(AxisSet set) const;
  std::vector<std::string> names() const;
};

/// A tensor of the kernel: its axes as declared. Unnamed ones are -1 among `dims`.
struct TensorAxes {
  std::vector<int> dims;
  std::vector<unsigned> leaves; // outermost first, as axes
  AxisSet set = 0;
};

/// The table of a kernel, and the axes of its inputs and outputs. Reports what is wrong with them; false where the rest
/// of the kernel cannot be looked at. The extents of factors are the business of whoever reads the statements.
bool resolveAxes(const Kernel &kernel, AxisTable &table, std::vector<TensorAxes> &inputs,
                 std::vector<TensorAxes> &outputs, Diagnostics &diagnostics);

} // namespace normc
#endif
