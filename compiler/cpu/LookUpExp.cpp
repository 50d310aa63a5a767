#include "compiler/cpu/RangeReduction.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <numeric>

using namespace mlir;
using namespace normc;

namespace {
/// Instructions of AVX-512 on the numbers of a builder: 16, or fewer among 16, or one.
struct Lanes {
  static constexpr int64_t width = 16;
  const RealBuilder &b;
  OpBuilder &builder = b.getBuilder();
  VectorType type = VectorType::get(width, builder.getF32Type());

  Value widen(Value value) const {
    auto vector = dyn_cast<VectorType>(value.getType());
    if (!vector)
      return vector::BroadcastOp::create(builder, b.getLoc(), VectorType::get(width, value.getType()), value);
    SmallVector<int64_t> order(width, 0);
    std::iota(order.begin(), order.begin() + vector.getNumElements(), 0);
    return vector.getNumElements() == width ? value
                                            : vector::ShuffleOp::create(builder, b.getLoc(), value, value, order);
  }
  Value narrow(Value value) const {
    auto vector = dyn_cast<VectorType>(b.getType());
    if (!vector) return vector::ExtractOp::create(builder, b.getLoc(), value, 0);
    auto order = llvm::to_vector(llvm::seq<int64_t>(0, vector.getNumElements()));
    return vector.getNumElements() == width ? value
                                            : vector::ShuffleOp::create(builder, b.getLoc(), value, value, order);
  }
  Value call(const char *name, ValueRange operands) const {
    return narrow(LLVM::CallIntrinsicOp::create(builder, b.getLoc(), type, builder.getStringAttr(name), operands)
                      .getResult(0));
  }
  Value integer(int64_t value, int bits) const {
    return arith::ConstantIntOp::create(builder, b.getLoc(), value, bits);
  }
  Value constant(ArrayRef<float> values) const {
    return arith::ConstantOp::create(builder, b.getLoc(), DenseElementsAttr::get(type, values));
  }

  /// Of a table of 16, by the low bits of a pattern.
  Value lookUp(ArrayRef<float> table, Value bits) const {
    return call("llvm.x86.avx512.permvar.sf.512", {constant(table), widen(bits)});
  }
  /// x 2^floor(n), infinity and 0 beyond the range, of any x that is a number.
  Value scale(Value x, Value n) const {
    return call("llvm.x86.avx512.mask.scalef.ps.512",
                {widen(x), widen(n), constant(0.0f), integer(-1, 16), integer(currentRounding, 32)});
  }
  /// The one of x and a positive bound that is nearer to 0, with x's sign; the bound for NaN.
  Value nearerZero(Value x, Value bound) const {
    return call("llvm.x86.avx512.mask.range.ps.512", {widen(x), widen(bound), integer(2, 32), constant(0.0f),
                                                      integer(-1, 16), integer(currentRounding, 32)});
  }

private:
  static constexpr int64_t currentRounding = 4;
};
} // namespace

ScaledExp normc::lookUpExp(const RealBuilder &b, Value x, bool negated) {
  assert(b.hasLookups());
  Lanes lanes{b};
  // x = n ln 2 + r for n in 16ths; n's fraction is in the low bits of `shifted`. Both steps of r are exact but for the
  // last rounding, far below r's own.
  double sign = negated ? -1 : 1;
  Value shifter = b.real(0x1.8p+19);
  Value shifted = b.fma(x, b.real(sign * 0x1.71547652b82fep+0), shifter);
  Value n = b.sub(shifted, shifter);
  Value r = b.fma(n, b.real(-sign * 0x1.62e43p-1), x);
  r = b.fma(n, b.real(sign * 0x1.05c61p-29), r);
  // Where x is so large that r is none, n decides alone.
  r = lanes.nearerZero(r, b.power(-5));
  // c 2^(i/16). c is near 1/6, and of all such numbers the one that makes these and the constant below most exact: they
  // are within 0.26 * 2^-24, where that counts most.
  static const float powers[] = {0x1.54f806p-3f, 0x1.641098p-3f, 0x1.73d444p-3f, 0x1.844a9cp-3f,
                                 0x1.957b8ap-3f, 0x1.a76f5p-3f,  0x1.ba2e9p-3f,  0x1.cdc24ap-3f,
                                 0x1.e233e8p-3f, 0x1.f78d3cp-3f, 0x1.06ec44p-2f, 0x1.129042p-2f,
                                 0x1.1eb83p-2f,  0x1.2b69e4p-2f, 0x1.38ab78p-2f, 0x1.46834cp-2f};
  Value scale = lanes.scale(lanes.lookUp(powers, b.toBits(shifted)), n);
  // e^r / c, monic, for |r| <= ln 2 / 32: 2^-29.4.
  auto signedOf = [&](Value y) { return negated ? b.neg(y) : y; };
  Value e = negated ? b.sub(b.real(0x1.806d4p+1), r) : b.add(r, b.real(0x1.806d4p+1));
  e = b.fma(signedOf(e), r, b.real(0x1.806918p+2));
  return {scale, b.fma(signedOf(e), r, b.real(0x1.806916p+2))};
}
