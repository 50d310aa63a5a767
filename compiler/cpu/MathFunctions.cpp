#include "compiler/cpu/MathFunctions.h"

using namespace mlir;
using namespace normc;

// The coefficients are minimax fits (Remez exchange or Lawson's iteration in 160-bit arithmetic), rounded to the type
// one at a time, lowest power first, the remaining ones fitted again after each. The error beside each table is the
// fit's own, of its function's result, without the rounding of its evaluation.

// ln 2 in two parts. The upper one has few bits, so that its product with an exponent is exact.
constexpr double ln2High[] = {0x1.62e4p-1, 0x1.62e42fefa38p-1};
constexpr double ln2Low[] = {0x1.7f7d1cp-20, 0x1.ef35793c7673p-45};
constexpr double log2E = 0x1.71547652b82fep+0;

namespace {
/// e^x as 2^n (1 + s), |s| < 0.42.
struct ReducedExp {
  /// An integer whose low bits, shifted left by the significand's width, are 2^n, biased as was asked for.
  Value exponent;
  Value s;
};
} // namespace

static ReducedExp reduceExp(const RealBuilder &b, Value x, int64_t bias) {
  // Adding 1.5 * 2^mantissa rounds to an integer and leaves it in the low bits.
  Value shifter = b.real(std::ldexp(1.5, b.mantissa()) + double(bias));
  Value shifted = b.fma(x, b.real(log2E), shifter);
  Value n = b.sub(shifted, shifter);
  Value r = b.fma(n, b.real(-ln2High[b.isDouble()]), x);
  r = b.fma(n, b.real(-ln2Low[b.isDouble()]), r);
  // (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2: 2^-28.2 and 2^-57.9.
  static const double single[] = {0x1.fffffcp-2, 0x1.555492p-3, 0x1.5558aep-5, 0x1.123982p-7, 0x1.6a4f28p-10};
  static const double dual[] = {
      0x1.000000000000ap-1,  0x1.5555555555508p-3,  0x1.55555555506ecp-5, 0x1.1111111124a4p-7,  0x1.6c16c1846a093p-10,
      0x1.a01a01398d8d6p-13, 0x1.a0199982cd615p-16, 0x1.71df05d1c0fp-19,  0x1.28addd12c2c8p-22, 0x1.adae6d79efcf8p-26};
  Value q = b.isDouble() ? b.polynomial(r, dual) : b.polynomial(r, single);
  return {b.toBits(shifted), b.fma(b.mul(r, r), q, r)};
}

Value normc::emitExp(const RealBuilder &b, Value x) {
  ReducedExp e = reduceExp(b, x, 0);
  // The exponent is added to the bits: 2^128 (1 + s), s < 0, is finite where 2^128 is not.
  Value scaled = b.toReal(b.addBits(b.toBits(b.add(b.real(1), e.s)), b.shiftLeft(e.exponent, b.mantissa())));
  // The largest x with a finite result, and the smallest with a normal one.
  Value largest = b.real(b.isDouble() ? 0x1.62e42fefa39efp+9 : 0x1.62e42ep+6);
  Value smallest = b.real(b.isDouble() ? -0x1.6232bdd7abcd2p+9 : -0x1.5d589ep+6);
  Value infinity = b.real(std::numeric_limits<double>::infinity());
  Value result = b.select(b.less(largest, x), infinity, scaled);
  result = b.select(b.less(x, smallest), b.real(0), result);
  return b.select(b.isNan(x), x, result);
}

Value normc::emitOnePlusExp(const RealBuilder &b, Value x) {
  // Beyond these bounds the result is 1 and infinity; within them half of 2^n is a normal number.
  x = b.atMost(b.atLeast(x, b.real(b.isDouble() ? -700 : -80)), b.real(b.isDouble() ? 710 : 89));
  ReducedExp e = reduceExp(b, x, b.bias() - 1);
  Value halfPower = b.toReal(b.shiftLeft(e.exponent, b.mantissa()));
  Value half = b.fma(halfPower, e.s, b.add(halfPower, b.real(0.5)));
  return b.add(half, half);
}

Value normc::emitTanh(const RealBuilder &b, Value x) {
  // With u = e^(2|x|) - 1 this is u / (u + 2), which loses nothing near 0. Beyond the bound it is 1.
  Value magnitude = b.abs(x);
  Value twice = b.atMost(b.add(magnitude, magnitude), b.real(b.isDouble() ? 40 : 20));
  ReducedExp e = reduceExp(b, twice, b.bias());
  Value power = b.toReal(b.shiftLeft(e.exponent, b.mantissa()));
  Value u = b.fma(power, e.s, b.sub(power, b.real(1)));
  return b.copySign(b.div(u, b.add(u, b.real(2))), x);
}

Value normc::emitLog(const RealBuilder &b, Value x) {
  // x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt 2). Denormals are scaled up first.
  Value tiny = b.less(x, b.power(1 - b.bias()));
  int up = b.mantissa() + 1;
  Value bits = b.toBits(b.select(tiny, b.mul(x, b.power(up)), x));
  int64_t one = b.bias() << b.mantissa();
  int64_t rootHalf = b.isDouble() ? 0x3fe6a09e667f3bcd : 0x3f3504f3;
  Value offset = b.addBits(bits, b.bits(one - rootHalf));
  // The exponent, still biased, becomes a real number in the low bits of 1.5 * 2^mantissa.
  double shifter = std::ldexp(1.5, b.mantissa());
  int64_t shifterBits = (b.bias() + b.mantissa()) << b.mantissa() | int64_t(1) << (b.mantissa() - 1);
  Value k = b.toReal(b.addBits(b.shiftRight(offset, b.mantissa()), b.bits(shifterBits)));
  k = b.sub(k, b.select(tiny, b.real(shifter + double(b.bias() + up)), b.real(shifter + double(b.bias()))));
  Value m = b.addBits(b.andBits(offset, b.bits((int64_t(1) << b.mantissa()) - 1)), b.bits(rootHalf));
  Value f = b.sub(b.toReal(m), b.real(1));

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

/// x P(x^2) / Q(x^2) up to where the result is 1: 2^-23.9.
static Value emitErfSingle(const RealBuilder &b, Value x) {
  x = b.atMost(b.atLeast(x, b.real(-3.925)), b.real(3.925));
  Value z = b.mul(x, x);
  Value p =
      b.polynomial(z, {0x1.20dd74p+0, 0x1.8656aap-3, 0x1.b04998p-5, 0x1.ee7b9cp-9, 0x1.2aae86p-12, 0x1.129ccep-19});
  Value q = b.polynomial(z, {1, 0x1.012604p-1, 0x1.d3b1cep-4, 0x1.eaf918p-7, 0x1.311a1ap-10, 0x1.3f2b0ap-15});
  return b.div(b.mul(x, p), q);
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
  Value power = b.toReal(b.shiftLeft(e.exponent, b.mantissa()));
  Value p = b.polynomial(a, {0x1.fffffc3d41ffcp-1, 0x1.63f024ef12aep+0, 0x1.e607dfab87879p-1, 0x1.7e6ae1d4af392p-2,
                             0x1.594dd0ca900bfp-4, 0x1.24669232a49a8p-7});
  Value q = b.polynomial(a, {1, 0x1.4266c310541bfp+1, 0x1.654cab447a3fdp+1, 0x1.c1b644dcbc9a2p+0, 0x1.56fcfa00c2037p-1,
                             0x1.320278b9f4034p-3, 0x1.0322a6ce813b9p-6});
  Value outer = b.sub(b.real(1), b.div(b.mul(b.fma(power, e.s, power), p), q));
  return b.select(b.less(magnitude, b.real(1)), inner, b.copySign(outer, x));
}

Value normc::emitErf(const RealBuilder &b, Value x) { return b.isDouble() ? emitErfDouble(b, x) : emitErfSingle(b, x); }

Value normc::emitRsqrt(const RealBuilder &b, Value x) { return b.div(b.real(1), b.sqrt(x)); }
