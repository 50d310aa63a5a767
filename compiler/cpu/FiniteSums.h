#ifndef NORMC_COMPILER_CPU_FINITESUMS_H
#define NORMC_COMPILER_CPU_FINITESUMS_H
#include "dialect/Norm.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace normc {

/// What follows where all sums of a sweep, of products without their guards, are finite: so is each number that they
/// were made of, and a guarded product of such numbers is 0 where its cotangent is, guard or no guard.
class FiniteSums {
public:
  explicit FiniteSums(norm::PassOp sweep);

  /// The guards of the sweep that its sums then do without. Empty where nothing is known.
  const llvm::DenseSet<mlir::Operation *> &ownGuards() const { return own; }
  /// Those of a later sweep of the same points.
  llvm::DenseSet<mlir::Operation *> guardsOf(norm::PassOp later);

private:
  norm::PassOp sweep;
  llvm::DenseSet<mlir::Operation *> own;
  llvm::SetVector<mlir::Value> finite;
};

} // namespace normc
#endif
