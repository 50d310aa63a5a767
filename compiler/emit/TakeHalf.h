#ifndef NORMC_COMPILER_EMIT_TAKEHALF_H
#define NORMC_COMPILER_EMIT_TAKEHALF_H
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace normc {

/// Takes functions out of a module of vector code, into another, so that code generation takes about as long for
/// the one as for the other. No function of either calls one of the other. Null where that is not possible, or where
/// the whole does not take long.
mlir::OwningOpRef<mlir::ModuleOp> takeHalf(mlir::ModuleOp module);

} // namespace normc
#endif
