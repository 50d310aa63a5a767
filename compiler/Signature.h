#ifndef NORMC_COMPILER_SIGNATURE_H
#define NORMC_COMPILER_SIGNATURE_H
#include "compiler/ElementType.h"
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace normc {

/// Integer arithmetic on extents and integer inputs that is only known when a kernel is called: a split's factor, the
/// position of an `at`. Evaluated in 64 bits, wrapping.
struct IntegerExpression {
  enum class Kind {
    literal,
    size,
    scalar,
    element,
    add,
    subtract,
    multiply,
    exactDivide,
    minimum,
    maximum,
    absolute,
    select,
    equal,
    notEqual,
    less,
    lessEqual
  };
  Kind kind = Kind::literal;
  int64_t literal = 0;                     // literal
  std::string name;                        // size: an axis; scalar: an integer input without axes; element: one with
  std::vector<IntegerExpression> operands; // select: condition, then, else; element: its place in memory, their number
};

/// One dimension of a tensor as declared.
struct Dimension {
  std::string axis;  // empty for the unnamed axis `1`
  bool pack = false; // any number of dimensions, one axis of the kernel
};

struct Argument {
  enum class Role { input, scalar, state, output };
  std::string name;
  Role role = Role::input;
  ElementType type = ElementType::f32;
  std::vector<Dimension> dimensions; // in memory order; none for a scalar and a 0-d tensor
  bool written = false;              // an output, or a state whose update is compiled
  std::string place = {};            // file:line:col of an input's declaration, for messages; may be empty
};

/// An axis of the kernel's table: a leaf, or a product of two others.
struct AxisRow {
  std::string name;
  std::optional<int64_t> fixed; // a leaf's extent where the kernel is specialised for it
  std::string outer, inner;     // of a product
  std::string place;            // file:line:col of the split that made a product; may be empty
  bool isProduct() const { return !outer.empty(); }
};

/// `split whole = outer * inner where axis = size`: checked at every call.
struct FactorRule {
  std::string axis, whole;
  IntegerExpression size;
  std::string place; // file:line:col of the split, for messages
};

/// `at(e, axis = position)`: the position must lie in the axis.
struct PositionRule {
  std::string axis;
  IntegerExpression position;
  std::string place;
};

/// What a compiled kernel takes, as its caller sees it. The compiled code's `arguments` are pointers in the order of
/// `arguments` here (a scalar's points at its value); its `extents` are those of the leaves, in the order of `axes`,
/// and the number of replicas behind them where the kernel is `acrossReplicas`.
struct Signature {
  std::string kernel;
  std::vector<AxisRow> axes; // parts before products
  std::vector<Argument> arguments;
  std::vector<FactorRule> factors;
  std::vector<PositionRule> positions;
  bool readsElements = false;  // a position depends on elements of an input: not only on what `Extents` are known by
  bool acrossReplicas = false; // it reduces across the replicas of a job
  std::set<std::string> commonAxes;     // those of what it reduces so: of the same extent on all replicas
  std::map<std::string, int64_t> ranks; // --rank: the number of dimensions of a pack where no tensor may tell
};

} // namespace normc
#endif
