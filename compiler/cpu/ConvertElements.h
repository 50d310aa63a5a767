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

/// 32 numbers of bf16, i16 as memory holds them, as two vectors of f32, by one instruction of AVX512_VBMI each.
llvm::SmallVector<mlir::Value> spreadBfloats(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value words);

/// 64 values of f32, four vectors, as bytes that memory of `storage` holds, an 8-bit integer or an f8: what
/// `storeConvert` makes of each, by instructions of AVX512_VBMI.
mlir::Value roundToBytes(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::Value> values,
                         mlir::Type storage);

/// An f32 or a vector of them, rounded and saturated for an integer `storage` of at most 16 bits, which are the lower
/// ones of 32.
mlir::Value roundToInteger(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Type storage);

/// How an f32 is rounded to an f8.
struct ByteFloat {
  explicit ByteFloat(mlir::Type storage);
  int dropped;       // bits of the significand
  int leastExponent; // of a normal number
  double largest;
  double rounding; // times the power of 2 below a number, this leaves its significand in the low bits as it is added
};

} // namespace normc
#endif
