#include "compiler/cpu/MathFunctions.h"
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
    return narrow(
        LLVM::CallIntrinsicOp::create(builder, b.getLoc(), type, builder.getStringAttr(name), operands).getResult(0));
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
  /// Of a table of 32.
  Value lookUpPair(ArrayRef<float> table, Value bits) const {
    Value low = constant(table.take_front(width)), high = constant(table.drop_front(width));
    return call("llvm.x86.avx512.vpermi2var.ps.512", {low, widen(bits), high});
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

/// e^x as (c 2^n) e: n in 16ths, whose fraction is in the low bits of `index`, and c near 1/6.
struct SplitExp {
  Value n, index, e;
};
} // namespace

static SplitExp splitExp(const Lanes &lanes, Value x) {
  const RealBuilder &b = lanes.b;
  assert(b.hasLookups());
  auto negated = x.getDefiningOp<arith::NegFOp>(); // fusion takes in signs
  if (negated) x = negated.getOperand();
  double sign = negated ? -1 : 1;
  Value shifter = b.real(0x1.8p+19);
  Value shifted = b.fma(x, b.real(sign * 0x1.71547652b82fep+0), shifter);
  Value n = b.sub(shifted, shifter);
  // What is left of x, exact but for the last rounding, far below its own.
  Value r = b.fma(n, b.real(-sign * 0x1.62e43p-1), x);
  r = b.fma(n, b.real(sign * 0x1.05c61p-29), r);
  // Where x is so large that nothing sensible is left, n decides alone.
  r = lanes.nearerZero(r, b.power(-5));
  // e^r / c, monic, for |r| <= ln 2 / 32: 2^-29.4.
  auto signedOf = [&](Value y) { return negated ? b.neg(y) : y; };
  Value e = negated ? b.sub(b.real(0x1.806d4p+1), r) : b.add(r, b.real(0x1.806d4p+1));
  e = b.fma(signedOf(e), r, b.real(0x1.806918p+2));
  return {n, b.toBits(shifted), b.fma(signedOf(e), r, b.real(0x1.806916p+2))};
}

// c 2^(i/16). Of all c that serve, the one that makes these and the constant above most exact: they are within
// 0.26 * 2^-24, where that counts most.
static const float powers[] = {0x1.54f806p-3f, 0x1.641098p-3f, 0x1.73d444p-3f, 0x1.844a9cp-3f,
                               0x1.957b8ap-3f, 0x1.a76f5p-3f,  0x1.ba2e9p-3f,  0x1.cdc24ap-3f,
                               0x1.e233e8p-3f, 0x1.f78d3cp-3f, 0x1.06ec44p-2f, 0x1.129042p-2f,
                               0x1.1eb83p-2f,  0x1.2b69e4p-2f, 0x1.38ab78p-2f, 0x1.46834cp-2f};

ScaledExp normc::lookUpExp(const RealBuilder &b, Value x) {
  Lanes lanes{b};
  SplitExp split = splitExp(lanes, x);
  return {lanes.scale(lanes.lookUp(powers, split.index), split.n), split.e};
}

Value normc::emitLookedUpExp(const RealBuilder &b, Value x) {
  Lanes lanes{b};
  SplitExp split = splitExp(lanes, x);
  return lanes.scale(b.mul(lanes.lookUp(powers, split.index), split.e), split.n);
}

Value normc::emitLookedUpLogistic(const RealBuilder &b, Value x) {
  // k / (k + k e^x): where 1 + e^x is little more than a power of 2, which is where an ulp of the result is least, the
  // sum here is not, and rounds better. These are k c 2^(i/16), k and they chosen as above.
  static const float multiples[] = {0x1.f3c304p-3f, 0x1.04f1aep-2f, 0x1.107f3ep-2f, 0x1.1c8fcp-2f,
                                    0x1.2928fep-2f, 0x1.365108p-2f, 0x1.440e3p-2f,  0x1.52671p-2f,
                                    0x1.61628cp-2f, 0x1.7107d8p-2f, 0x1.815e78p-2f, 0x1.926e46p-2f,
                                    0x1.a43f76p-2f, 0x1.b6da96p-2f, 0x1.ca4898p-2f, 0x1.de92d2p-2f};
  Value k = b.real(0x1.7738d6p+0);
  Lanes lanes{b};
  SplitExp split = splitExp(lanes, x);
  Value scale = lanes.scale(lanes.lookUp(multiples, split.index), split.n);
  return b.div(k, b.fma(scale, split.e, k));
}

Value normc::emitLookedUpLog1p(const RealBuilder &b, Value e) {
  // log(1 + e) = log(1 + r) - log c with 1 + r = (1 + e) c, where r is rounded once: c - 1 is exact. Each c is the one
  // near 1 / (1 + i/31) whose logarithm is most exact, within 0.01 ulp.
  static const float inverses[] = {
      0x1p+0f,        0x1.f0193ep-1f, 0x1.e0ccd4p-1f, 0x1.d2adc2p-1f, 0x1.c59196p-1f, 0x1.b8cfbp-1f,  0x1.acdd2ap-1f,
      0x1.a1d508p-1f, 0x1.96eb86p-1f, 0x1.8cd918p-1f, 0x1.833d1ep-1f, 0x1.7a059ep-1f, 0x1.71095cp-1f, 0x1.68dd8cp-1f,
      0x1.6090b6p-1f, 0x1.58fe2p-1f,  0x1.51ab7ap-1f, 0x1.4ac26cp-1f, 0x1.44092cp-1f, 0x1.3d6992p-1f, 0x1.375bfap-1f,
      0x1.311058p-1f, 0x1.2b85eep-1f, 0x1.25d716p-1f, 0x1.2090e2p-1f, 0x1.1b8eaep-1f, 0x1.1672d6p-1f, 0x1.11b5c4p-1f,
      0x1.0cd9c4p-1f, 0x1.0873e8p-1f, 0x1.040ca6p-1f, 0x1.fff7eap-2f};
  static const float logs[] = {0,
                               0x1.0274fcp-5f,
                               0x1.018722p-4f,
                               0x1.7ba1b8p-4f,
                               0x1.f0583ap-4f,
                               0x1.3299fep-3f,
                               0x1.6adff2p-3f,
                               0x1.a03ed2p-3f,
                               0x1.d67124p-3f,
                               0x1.04e2cp-2f,
                               0x1.1dfc6cp-2f,
                               0x1.36a74p-2f,
                               0x1.4f4986p-2f,
                               0x1.663718p-2f,
                               0x1.7e0bp-2f,
                               0x1.9446d4p-2f,
                               0x1.aa3f06p-2f,
                               0x1.bf6b6cp-2f,
                               0x1.d47328p-2f,
                               0x1.e99906p-2f,
                               0x1.fd506ep-2f,
                               0x1.091d8cp-1f,
                               0x1.128002p-1f,
                               0x1.1c4ecap-1f,
                               0x1.2594dp-1f,
                               0x1.2e8bcap-1f,
                               0x1.37dacep-1f,
                               0x1.40a48cp-1f,
                               0x1.49d078p-1f,
                               0x1.52424ap-1f,
                               0x1.5adb1ep-1f,
                               0x1.62ec46p-1f};
  Lanes lanes{b};
  Value index = b.toBits(b.fma(e, b.real(31), b.real(0x1.8p+23)));
  Value c = lanes.lookUpPair(inverses, index);
  Value r = b.fma(e, c, b.sub(c, b.real(1)));
  // (log(1 + r) - r) / r^2 for |r| <= 1/62: 2^-28.6.
  Value q = b.polynomial(r, {-0.5, 0x1.5560a8p-2, -0x1.00101cp-2});
  return b.add(lanes.lookUpPair(logs, index), b.fma(b.mul(r, r), q, r));
}
