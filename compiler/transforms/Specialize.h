#ifndef NORMC_COMPILER_TRANSFORMS_SPECIALIZE_H
#define NORMC_COMPILER_TRANSFORMS_SPECIALIZE_H
#include "compiler/Diagnostics.h"
#include "compiler/Selection.h"
#include "dialect/Norm.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace normc {

/// Specializes a kernel in value form for a selection (the pass norm-specialize says what that is). Fails with errors
/// in `diagnostics`; the kernel is then of no further use.
mlir::LogicalResult specialize(norm::KernelOp kernel, const Selection &selection, Diagnostics &diagnostics);

/// Writes what is known of extents into the kernel's table of axes: `sizes` by name, factors of splits that are
/// constant, and what follows from them. Adds to `sizes` what it finds.
mlir::LogicalResult solveSizes(norm::KernelOp kernel, std::map<std::string, int64_t> &sizes, Diagnostics &diagnostics);

/// Says with a `norm.factor` what a table cannot: the size of a product whose factors only a call can tell.
void fixProducts(norm::KernelOp kernel, const std::map<std::string, int64_t> &sizes, Diagnostics &diagnostics);

/// Inputs that are not read are `dropped`: lets those stay that are passed where only they tell the extent of an axis
/// that is `needed`, or the rank or the shape of a pack.
void keepTellingInputs(norm::KernelOp kernel, const llvm::SmallPtrSet<mlir::Attribute, 8> &needed,
                       llvm::function_ref<bool(unsigned)> isPassed, llvm::BitVector &dropped);

/// The dimensions of an argument or result as declared: "n", "1", "s...".
llvm::SmallVector<std::string> dimensionsIn(mlir::Attribute dims);

/// Canonical forms, common subexpressions and dead code, to a fixed point; loads no dialect.
void simplify(norm::KernelOp kernel);

/// The line of a spec that an op came from; a place without a line where it came from none.
Place placeOf(mlir::Location location);

} // namespace normc
#endif
