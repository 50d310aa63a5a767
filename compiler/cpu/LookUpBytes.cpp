// Numbers of 8 bits, looked up: AVX512_VBMI has two registers of 64 bytes as one table, which 7 bits reach into.
#include "compiler/cpu/ConvertElements.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
using namespace mlir;
using namespace normc;

/// The upper half of the f32 of an f8 without a sign; NaN as it comes by way of f16.
static uint32_t upperHalf(FloatType storage, unsigned code) {
  APFloat value(storage.getFloatSemantics(), APInt(8, code));
  if (value.isNaN()) return isa<Float8E5M2Type>(storage) ? 0x7fc0 | (code & 1) << 5 : 0x7ff0;
  bool exact;
  value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &exact);
  return value.bitcastToAPInt().getZExtValue() >> 16;
}

SmallVector<Value> normc::lookUpByteFloats(OpBuilder &builder, Location loc, Value bytes, Type storage) {
  ImplicitLocOpBuilder b(loc, builder);
  auto type = cast<VectorType>(bytes.getType());
  assert(type.getNumElements() == 64 && "a register of bytes");
  auto words = VectorType::get(32, b.getI16Type()), doubles = VectorType::get(16, b.getI32Type());
  auto splat = [&](int64_t byte) -> Value {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, APInt(8, byte)));
  };
  // Unpacking takes the halves of each 16 bytes: four numbers of each of the four vectors are to stand there.
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < 16; ++i) order.push_back(i % 4 * 4 + i / 4);
  Value quads = vector::BitCastOp::create(b, doubles, bytes);
  Value indices = vector::BitCastOp::create(b, type, vector::ShuffleOp::create(b, quads, quads, order));
  auto lookUp = [&](unsigned shift) -> Value {
    Value tables[2];
    for (unsigned half : {0, 1}) {
      SmallVector<int8_t> table;
      for (unsigned i = 0; i < 64; ++i) table.push_back(upperHalf(cast<FloatType>(storage), 64 * half + i) >> shift);
      tables[half] = arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int8_t>(table)));
    }
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr("llvm.x86.avx512.vpermi2var.qi.512"),
                                         ValueRange{tables[0], indices, tables[1]})
        .getResult(0);
  };
  Value sign = arith::AndIOp::create(b, indices, splat(0x80));
  Value high = arith::OrIOp::create(b, lookUp(8), sign), low = lookUp(0);
  // Pairs of x and y, of the lower or upper half of each 16 bytes.
  auto unpack = [&](Value x, Value y, bool upper) -> Value {
    int64_t count = cast<VectorType>(x.getType()).getNumElements(), lane = count / 4;
    SmallVector<int64_t> pairs;
    for (int64_t i = 0; i < count; ++i) {
      int64_t from = i / lane * lane + i % lane / 2 + (upper ? lane / 2 : 0);
      pairs.push_back(i % 2 ? count + from : from);
    }
    return vector::ShuffleOp::create(b, x, y, pairs);
  };
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(words));
  SmallVector<Value> numbers;
  for (bool upper : {false, true}) {
    Value halves = vector::BitCastOp::create(b, words, unpack(low, high, upper));
    for (bool upperWords : {false, true})
      numbers.push_back(
          vector::BitCastOp::create(b, VectorType::get(16, b.getF32Type()), unpack(zero, halves, upperWords)));
  }
  return numbers;
}
