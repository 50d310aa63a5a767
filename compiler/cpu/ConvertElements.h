#ifndef NORMC_COMPILER_CPU_CONVERTELEMENTS_H
#define NORMC_COMPILER_CPU_CONVERTELEMENTS_H
#include "mlir/IR/Builders.h"

/// Between what memory holds and what kernels compute in. Storage is f64 f32 f16 bf16 f8E4M3FN f8E5M2 i8 ui8 i32 i64 or
/// i1 (bool); compute is f32, f64, i64 or i1. Values are scalars or vectors of any length; the code emitted calls
/// nothing, and a scalar and a lane of a vector give equal bits.
namespace normc {

/// The element type to load and store for `storage`: itself for f64, f32, f16, i32 and i64, i16 for bf16, and i8 for
/// all that is one byte.
mlir::Type memoryType(mlir::Type storage);

/// `stored`, of memoryType(storage), as `compute`. Exact, but for 64-bit integers as a floating type; a bool is 0 or 1.
mlir::Value loadConvert(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored, mlir::Type storage,
                        mlir::Type compute);

/// `value`, of a compute type, as memoryType(storage) for memory of `storage`. Rounds to nearest even, once. Integers
/// and f8 saturate; f16 and bf16 overflow to infinity. NaN stays NaN and is 0 in an integer; as a bool, all but 0 is 1.
mlir::Value storeConvert(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Type storage);

/// 64 numbers of an f8 `storage`, bytes as memory holds them, as four vectors of f32: what `loadConvert` makes of each,
/// by instructions of AVX512_VBMI.
llvm::SmallVector<mlir::Value> lookUpByteFloats(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value bytes,
                                                mlir::Type storage);

} // namespace normc
#endif
