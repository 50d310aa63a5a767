#include "compiler/cpu/MathFunctions.h"
#include "compiler/cpu/RangeReduction.h"

using namespace mlir;
using namespace normc;

Value normc::emitExp(const RealBuilder &b, Value x) {
  return b.hasLookups() ? emitLookedUpExp(b, x) : emitExpOfSum(b, x, {});
}

/// x within bounds beyond which 1 + e^x, or 1 + e^-x, is 1 and infinity.
static Value clampExponent(const RealBuilder &b, Value x, bool negated = false) {
  double low = b.isDouble() ? -700 : -80, high = b.isDouble() ? 710 : 89;
  return b.atMost(b.atLeast(x, b.real(negated ? -high : low)), b.real(negated ? -low : high));
}

/// 1 + 2^n (1 + s), given 2^(n - 1).
static Value onePlus(const RealBuilder &b, Value halfPower, Value s) {
  // 1/2 + 2^n / 2 is exact unless one of them is far the larger; what it loses of the 1/2 is added to the small term.
  Value high = b.add(halfPower, b.real(0.5));
  Value low = b.sub(b.real(0.5), b.sub(high, halfPower));
  Value half = b.add(high, b.fma(halfPower, s, low));
  return b.add(half, half);
}

Value normc::emitOnePlusExp(const RealBuilder &b, Value x) {
  ReducedExp e = reduceExp(b, clampExponent(b, x), b.bias() - 1);
  return onePlus(b, b.toReal(e.power), e.s);
}

std::pair<Value, Value> normc::emitExpAndOnePlus(const RealBuilder &b, Value x) {
  ReducedExp e = reduceExp(b, x, 0);
  Value exp = emitExpFrom(b, x, e);
  Value halfPower = b.toReal(b.addBits(e.power, b.bits((b.bias() - 1) << b.mantissa())));
  // Beyond these bounds 2^(n - 1) may be none, and one term of the sum does not count.
  Value inRange = b.less(b.abs(x), b.real(b.isDouble() ? 700 : 80));
  return {exp, b.select(inRange, onePlus(b, halfPower, e.s), b.add(exp, b.real(1)))};
}

Value normc::emitOverOnePlusExp(const RealBuilder &b, Value a, Value x) {
  if (b.isDouble()) return b.div(a, emitOnePlusExp(b, x));
  // The sum rounds twice here. That leaves 1 / (1 + e^x) within 1.95 ulp before the quotient is rounded, once.
  ScaledExp e;
  if (b.hasLookups()) {
    e = lookUpExp(b, x);
  } else {
    auto negation = x.getDefiningOp<arith::NegFOp>();
    if (negation) x = negation.getOperand();
    e = reduceExpScaled(b, clampExponent(b, x, bool(negation)), bool(negation));
  }
  return b.div(a, b.fma(e.scale, e.e, b.real(1)));
}

Value normc::emitTanh(const RealBuilder &b, Value x) {
  // With u = e^(2|x|) - 1 this is u / (u + 2), which loses nothing near 0. Beyond the bound it is 1.
  Value magnitude = b.abs(x);
  Value twice = b.atMost(b.add(magnitude, magnitude), b.real(b.isDouble() ? 40 : 20));
  ReducedExp e = reduceExp(b, twice, b.bias());
  Value power = b.toReal(e.power);
  Value u = b.fma(power, e.s, b.sub(power, b.real(1)));
  return b.copySign(b.div(u, b.add(u, b.real(2))), x);
}

Value normc::emitExpm1(const RealBuilder &b, Value x) {
  // 2^n (1 + s) - 1, halved: 2^n alone may be infinite.
  double low = b.isDouble() ? -50 : -25, high = b.isDouble() ? 710 : 89;
  ReducedExp e = reduceExp(b, b.atMost(b.atLeast(x, b.real(low)), b.real(high)), b.bias() - 1);
  Value halfPower = b.toReal(e.power);
  Value half = b.fma(halfPower, e.s, b.sub(halfPower, b.real(0.5)));
  return b.add(half, half);
}

Value normc::emitLog(const RealBuilder &b, Value x) {
  auto [k, f] = reduceLog(b, x);
  // log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)) with s = f / (2 + f).
  Value s = b.div(f, b.add(f, b.real(2)));
  Value z = b.mul(s, s);
  // R(z) / z: 2^-35 and 2^-59.3.
  static const double single[] = {0x1.555556p-1, 0x1.9998b8p-2, 0x1.24a358p-2, 0x1.d40362p-3};
  static const double dual[] = {0x1.555555555557cp-1, 0x1.999999998574cp-2, 0x1.2492493ddfa22p-2, 0x1.c71c54e2c576dp-3,
                                0x1.7465b9f829298p-3, 0x1.39ade182b23d6p-3, 0x1.2e94aef807ecp-3};
  Value r = b.mul(z, b.isDouble() ? b.polynomial(z, dual) : b.polynomial(z, single));
  Value halfSquare = b.mul(b.mul(f, b.real(0.5)), f);
  Value low = b.fma(s, b.add(halfSquare, r), b.mul(k, b.real(ln2Low[b.isDouble()])));
  Value y = b.sub(f, b.sub(halfSquare, low));
  y = b.fma(k, b.real(ln2High[b.isDouble()]), y);

  double infinity = std::numeric_limits<double>::infinity();
  Value nonPositive = b.select(b.equal(x, b.real(0)), b.real(-infinity), b.real(std::nan("")));
  y = b.select(b.less(b.real(0), x), y, nonPositive);
  return b.select(b.less(x, b.real(infinity)), y, x);
}

/// c[0] + ... + c[5] z^5 in few roundings; w is z^2.
static Value quintic(const RealBuilder &b, Value z, Value w, ArrayRef<double> c) {
  Value high = b.fma(b.polynomial(z, c.slice(4)), w, b.polynomial(z, c.slice(2, 2)));
  return b.fma(high, w, b.polynomial(z, c.take_front(2)));
}

/// x P(x^2) / Q(x^2) up to where the result is 1: 2^-25.
static Value emitErfSingle(const RealBuilder &b, Value x) {
  Value z = b.atMost(b.mul(x, x), b.real(15.4));
  Value w = b.mul(z, z);
  Value p =
      quintic(b, z, w, {0x1.20ce1cp+0, 0x1.86a4e8p-3, 0x1.b05e76p-5, 0x1.ef4be8p-9, 0x1.2a955ap-12, 0x1.12014ep-19});
  Value q =
      quintic(b, z, w, {0x1.ffe4ccp-1, 0x1.012e4ap-1, 0x1.d3e6ep-4, 0x1.eb5598p-7, 0x1.3163f8p-10, 0x1.3ebc3ap-15});
  return b.atMost(b.atLeast(b.div(b.mul(x, p), q), b.real(-1)), b.real(1));
}

/// Up to 1, x P(x^2): 2^-56. From there to where the result is 1, 1 - e^(-x^2) P(x) / Q(x): 2^-58.
static Value emitErfDouble(const RealBuilder &b, Value x) {
  Value inner =
      b.mul(x, b.polynomial(b.mul(x, x), {0x1.20dd750429b6dp+0, -0x1.812746b0379a2p-2, 0x1.ce2f21a03feb2p-4,
                                          -0x1.b82ce311c81dbp-6, 0x1.565bccf3584bap-8, -0x1.c02daf71b694ap-11,
                                          0x1.f9a2a90966696p-14, -0x1.f4c95133f2ebbp-17, 0x1.b976b62dc81a4p-20,
                                          -0x1.5bd285b0d6a46p-23, 0x1.d5c24580fedbp-27, -0x1.a7dbb8c03d6p-31}));
  Value magnitude = b.abs(x), a = b.atMost(magnitude, b.real(6));
  ReducedExp e = reduceExp(b, b.neg(b.mul(a, a)), b.bias());
  Value power = b.toReal(e.power);
  Value p = b.polynomial(a, {0x1.fffffc3d41ffcp-1, 0x1.63f024ef12aep+0, 0x1.e607dfab87879p-1, 0x1.7e6ae1d4af392p-2,
                             0x1.594dd0ca900bfp-4, 0x1.24669232a49a8p-7});
  Value q = b.polynomial(a, {1, 0x1.4266c310541bfp+1, 0x1.654cab447a3fdp+1, 0x1.c1b644dcbc9a2p+0, 0x1.56fcfa00c2037p-1,
                             0x1.320278b9f4034p-3, 0x1.0322a6ce813b9p-6});
  Value outer = b.sub(b.real(1), b.div(b.mul(b.fma(power, e.s, power), p), q));
  return b.select(b.less(magnitude, b.real(1)), inner, b.copySign(outer, x));
}

Value normc::emitErf(const RealBuilder &b, Value x) { return b.isDouble() ? emitErfDouble(b, x) : emitErfSingle(b, x); }

/// 1 / sqrt(x), with what both steps round away taken back: statistics scale all that they normalize.
Value normc::emitRsqrt(const RealBuilder &b, Value x) {
  Value root = b.sqrt(x), y = b.div(b.real(1), root);
  Value ofRoot = b.fma(b.neg(root), root, x); // x = root^2 + ofRoot, exactly
  Value ofInverse = b.fma(b.neg(root), y, b.real(1));
  Value relative = b.fma(b.mul(ofRoot, b.mul(y, b.real(-0.5))), y, ofInverse);
  return b.select(b.isNan(relative), y, b.fma(y, relative, y)); // at 0, infinity and NaN
}
