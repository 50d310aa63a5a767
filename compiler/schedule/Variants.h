#ifndef NORMC_COMPILER_SCHEDULE_VARIANTS_H
#define NORMC_COMPILER_SCHEDULE_VARIANTS_H
#include "dialect/Norm.h"
#include <optional>

namespace normc {

/// The points of all of some axes where the table fixes them.
std::optional<int64_t> fixedPoints(norm::KernelOp kernel, llvm::ArrayRef<mlir::StringAttr> axes);

/// The points of all of them up to which a guard lets the kernel run, where one does.
std::optional<int64_t> mostPoints(norm::KernelOp kernel, llvm::ArrayRef<mlir::StringAttr> axes);

/// The points over which a guard lets the kernel run, where one does.
std::optional<int64_t> pointsOver(norm::KernelOp kernel, llvm::ArrayRef<mlir::StringAttr> axes);

/// What the largest arguments of a kernel range over, and what they hold together of each point.
struct Footprint {
  llvm::SmallVector<mlir::StringAttr> leaves; // in the order of the table
  int64_t bytesOfPoint = 0;
};
/// None where these do not all range over the same leaves.
std::optional<Footprint> footprintOf(norm::KernelOp kernel);

/// The most bytes that these arguments take together, where the table or a guard says how many points they have.
std::optional<int64_t> mostBytes(norm::KernelOp kernel);

/// Which of two variants a copy is to be: the one for at most so many points, or for more.
enum class Applies { upTo, over };

/// A copy of a kernel beside it, named with a suffix. Which of the two runs depends on the points of some axes: both
/// get a guard (`norm.guards`) beside those they have, in place of a higher bound of the same, and the family of the
/// kernel.
norm::KernelOp addVariant(norm::KernelOp kernel, llvm::StringRef suffix, llvm::ArrayRef<mlir::StringAttr> axes,
                          int64_t points, Applies copy);

/// Up to so many points the ends of a slice's reductions cost more than what its blocks side by side lose: measured.
constexpr int64_t shortSlice = 256;

/// The one axis that the passes of a phase sweep, if its blocks, or the rows of its chunks, may run side by side
/// (`vectorized`); null if they may not: passes inside of those passes, sums across blocks but for those of a chunk's
/// columns, positions that are computed, or nothing to reduce.
mlir::StringAttr sweptAlone(norm::KernelOp kernel, norm::PhaseOp phase);
/// The same of a body, whether or not it reduces anything; `row` is the axis of a chunk's rows, else null.
mlir::StringAttr sweptAlone(norm::KernelOp kernel, mlir::Block &body, mlir::StringAttr row);

} // namespace normc
#endif
