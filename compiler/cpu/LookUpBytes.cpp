// What the byte shuffles of AVX512_VBMI widen. Numbers of 8 bits are looked up: two registers of 64 bytes are one
// table, which 7 bits reach into. Those of bf16 are taken apart.
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

SmallVector<Value> normc::spreadBfloats(OpBuilder &builder, Location loc, Value words) {
  ImplicitLocOpBuilder b(loc, builder);
  auto bytes = VectorType::get(64, b.getI8Type()), reals = VectorType::get(16, b.getF32Type());
  auto intrinsic = [&](const char *name, Type type, ValueRange operands) -> Value {
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(name), operands).getResult(0);
  };
  Value all = vector::BitCastOp::create(b, bytes, words), zero = arith::ConstantOp::create(b, b.getZeroAttr(bytes));
  SmallVector<Value> numbers;
  for (int half : {0, 1}) {
    // Where each byte comes from; a sign where it is to be 0.
    SmallVector<int8_t> order;
    for (int i = 0; i < 64; ++i) order.push_back(i % 4 < 2 ? -128 : 32 * half + i / 4 * 2 + i % 2);
    Value from = arith::ConstantOp::create(b, DenseElementsAttr::get(bytes, ArrayRef<int8_t>(order)));
    // A fence hides that it is constant: LLVM knows other shuffles that do the same, in two operations.
    from = intrinsic("llvm.arithmetic.fence", reals, {vector::BitCastOp::create(b, reals, from)});
    from = vector::BitCastOp::create(b, bytes, from);
    Value isTaken = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, from, zero);
    Value taken = intrinsic("llvm.x86.avx512.permvar.qi.512", bytes, {all, from});
    numbers.push_back(vector::BitCastOp::create(b, reals, arith::SelectOp::create(b, isTaken, taken, zero)));
  }
  return numbers;
}
