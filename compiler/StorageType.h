#ifndef NORMC_COMPILER_STORAGETYPE_H
#define NORMC_COMPILER_STORAGETYPE_H
#include "compiler/ElementType.h"
#include "mlir/IR/Types.h"

namespace normc {

/// The type of an element in memory: bool is i1, u8 is ui8.
mlir::Type storageType(mlir::MLIRContext *context, ElementType element);

/// What memory of a type holds, a tensor or a scalar; none for a type that is no element's.
std::optional<ElementType> elementTypeOf(mlir::Type type);

} // namespace normc
#endif
