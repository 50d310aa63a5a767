#ifndef NORMC_COMPILER_FRONTEND_EMITNORM_H
#define NORMC_COMPILER_FRONTEND_EMITNORM_H
#include "compiler/Selection.h"
#include "compiler/frontend/Imports.h"
#include "compiler/frontend/Resolve.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace normc {

/// The selected kernel in value form, its parameters and types bound: all inputs, all outputs, all updates. Of a
/// selected gradient, the kernel it derives, and a norm.gradient for each derivation, the selected one last. The whole
/// file is checked first. Null where there is an error, which has been reported. Loads the dialects it needs.
mlir::OwningOpRef<mlir::ModuleOp> emitNorm(mlir::MLIRContext &context, const File &file, const Selection &selection,
                                           Diagnostics &diagnostics);

} // namespace normc
#endif
