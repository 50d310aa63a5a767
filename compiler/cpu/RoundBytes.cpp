// Numbers rounded to 8 bits, 64 at a time: AVX512_VBMI takes bytes out of two registers at once.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/RealBuilder.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
using namespace mlir;
using namespace normc;

/// The f8 of an f32 in its lowest byte, but for the sign and for NaN: the highest byte has the sign, and bit 5 for NaN
/// alone. What `storeConvert` does to the magnitude is done with the sign on.
static Value roundToByteFloat(const RealBuilder &r, Value value, const ByteFloat &to) {
  OpBuilder &b = r.getBuilder();
  Value bounded = r.atMost(r.atLeast(value, r.real(-to.largest)), r.real(to.largest));
  // The larger of the magnitudes, with the sign of the first.
  auto number = [&](unsigned width, int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, r.getLoc(), value, width);
  };
  Value atLeastNormal =
      LLVM::CallIntrinsicOp::create(
          b, r.getLoc(), r.getType(), b.getStringAttr("llvm.x86.avx512.mask.range.ps.512"),
          {bounded, r.power(to.leastExponent), number(32, 3), bounded, number(16, 0xffff), number(32, 4)})
          .getResult(0);
  Value power = r.andBits(r.toBits(atLeastNormal), r.bits(0xff800000));
  Value rounded = r.toBits(r.fma(r.toReal(power), r.real(to.rounding), bounded));
  // Added byte by byte, so that nothing is carried into the highest.
  auto bytes = VectorType::get(64, b.getI8Type());
  auto bytesOf = [&](Value words) { return vector::BitCastOp::create(b, r.getLoc(), bytes, words); };
  return arith::AddIOp::create(b, r.getLoc(), bytesOf(rounded), bytesOf(r.shiftRight(power, to.dropped)));
}

Value normc::roundToBytes(OpBuilder &builder, Location loc, ArrayRef<Value> values, Type storage) {
  ImplicitLocOpBuilder b(loc, builder);
  assert(values.size() == 4 && cast<VectorType>(values[0].getType()).getNumElements() == 16 && "registers of f32");
  bool isFloat = isa<FloatType>(storage);
  auto type = VectorType::get(64, b.getI8Type());
  auto splat = [&](int64_t byte) -> Value {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, APInt(8, byte, false, true)));
  };
  SmallVector<Value> words;
  for (Value value : values) {
    Value word = isFloat ? roundToByteFloat(RealBuilder(b, loc, value.getType()), value, ByteFloat(storage))
                         : roundToInteger(b, loc, value, storage);
    words.push_back(vector::BitCastOp::create(b, type, word));
  }
  // Of two vectors the lowest bytes, and in the upper half of the register the highest ones.
  SmallVector<int64_t> order;
  for (int64_t place : {0, isFloat ? 3 : 0})
    for (int64_t word = 0; word < 32; ++word) order.push_back(4 * word + place);
  Value low = vector::ShuffleOp::create(b, words[0], words[1], order);
  Value high = vector::ShuffleOp::create(b, words[2], words[3], order);
  auto halves = [&](int64_t lowFrom, int64_t highFrom) -> Value {
    SmallVector<int64_t> order;
    for (int64_t from : {lowFrom, 64 + highFrom})
      for (int64_t i = 0; i < 32; ++i) order.push_back(from + i);
    return vector::ShuffleOp::create(b, low, high, order);
  };
  if (!isFloat) return halves(0, 32);
  Value lowest = halves(0, 0), highest = halves(32, 32);
  Value signs = arith::AndIOp::create(b, highest, splat(0x80));
  Value numbers = arith::OrIOp::create(b, arith::AndIOp::create(b, lowest, splat(0x7f)), signs);
  Value nanBits = arith::AndIOp::create(b, highest, splat(0x20));
  Value isNan = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, nanBits, splat(0));
  return arith::SelectOp::create(b, isNan, arith::OrIOp::create(b, numbers, splat(0x7f)), numbers);
}
