#ifndef NORMC_COMPILER_TRANSFORMS_SPECIALIZE_H
#define NORMC_COMPILER_TRANSFORMS_SPECIALIZE_H
#include "compiler/Diagnostics.h"
#include "compiler/Selection.h"
#include "dialect/Norm.h"

namespace normc {

/// Specializes a kernel in value form for a selection (the pass norm-specialize says what that is). Fails with errors
/// in `diagnostics`; the kernel is then of no further use.
mlir::LogicalResult specialize(norm::KernelOp kernel, const Selection &selection, Diagnostics &diagnostics);

/// Writes what is known of extents into the kernel's table of axes: `sizes` by name, factors of splits that are
/// constant, and what follows from them. Adds to `sizes` what it finds.
mlir::LogicalResult solveSizes(norm::KernelOp kernel, std::map<std::string, int64_t> &sizes, Diagnostics &diagnostics);

/// Says with a `norm.factor` what a table cannot: the size of a product whose factors only a call can tell.
void fixProducts(norm::KernelOp kernel, const std::map<std::string, int64_t> &sizes, Diagnostics &diagnostics);

/// Canonical forms, common subexpressions and dead code, to a fixed point; loads no dialect.
void simplify(norm::KernelOp kernel);

/// The line of a spec that an op came from; a place without a line where it came from none.
Place placeOf(mlir::Location location);

} // namespace normc
#endif
