#include "compiler/cpu/RangeReduction.h"

using namespace mlir;
using namespace normc;

/// x as n ln 2 + r; the low bits of the first value are n + bias, the second value is r. `negated`: as -(n ln 2) + r.
static std::pair<Value, Value> reduceArgument(const RealBuilder &b, Value x, int64_t bias, bool negated = false) {
  double sign = negated ? -1 : 1;
  // Adding 1.5 * 2^mantissa rounds to an integer and leaves it in the low bits.
  Value shifter = b.real(std::ldexp(1.5, b.mantissa()) + double(bias));
  Value shifted = b.fma(x, b.real(sign * 0x1.71547652b82fep+0), shifter);
  Value n = b.sub(shifted, shifter);
  Value r = b.fma(n, b.real(-sign * ln2High[b.isDouble()]), x);
  return {shifted, b.fma(n, b.real(-sign * ln2Low[b.isDouble()]), r)};
}

ReducedExp normc::reduceExp(const RealBuilder &b, Value x, int64_t bias, Value low) {
  auto [shifted, r] = reduceArgument(b, x, bias);
  if (low) r = b.add(r, low);
  // (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2: 2^-28.2 and 2^-57.9.
  static const double single[] = {0x1.fffffcp-2, 0x1.555492p-3, 0x1.5558aep-5, 0x1.123982p-7, 0x1.6a4f28p-10};
  static const double dual[] = {
      0x1.000000000000ap-1,  0x1.5555555555508p-3,  0x1.55555555506ecp-5, 0x1.1111111124a4p-7,  0x1.6c16c1846a093p-10,
      0x1.a01a01398d8d6p-13, 0x1.a0199982cd615p-16, 0x1.71df05d1c0fp-19,  0x1.28addd12c2c8p-22, 0x1.adae6d79efcf8p-26};
  Value q = b.isDouble() ? b.polynomial(r, dual) : b.polynomial(r, single);
  return {b.shiftLeft(b.toBits(shifted), b.mantissa()), b.fma(b.mul(r, r), q, r)};
}

ScaledExp normc::reduceExpScaled(const RealBuilder &b, Value x, bool negated) {
  assert(!b.isDouble());
  auto [shifted, r] = reduceArgument(b, x, 0, negated);
  // e^r / c, monic: its upper part is a product of two quadratics, shorter by a step than Horner's rule, and one
  // multiplication of that is a sum. c is near 1/720, and its inverse a number: 2^-28.1. Fusion takes in signs.
  auto signedOf = [&](Value y) { return negated ? b.neg(y) : y; };
  Value inverse = b.real(0x1.6824e2p+9), root = b.real(negated ? -0x1.81d848p+2 : 0x1.81d848p+2);
  Value lower = b.fma(r, r, b.real(0x1.3e982cp+4));
  Value upper = b.fma(b.add(r, root), r, b.real(0x1.43373ep+3));
  Value e = b.fma(lower, upper, b.real(0x1.3e0bp+7));
  e = b.fma(signedOf(b.fma(signedOf(e), r, inverse)), r, inverse);
  Value scale = b.addBits(b.shiftLeft(b.toBits(shifted), b.mantissa()), b.toBits(b.real(0x1.6bf178p-10)));
  return {b.toReal(scale), e};
}

Value normc::emitExpOfSum(const RealBuilder &b, Value x, Value low) {
  return emitExpFrom(b, x, reduceExp(b, x, 0, low), low);
}

Value normc::emitExpFrom(const RealBuilder &b, Value x, const ReducedExp &e, Value low) {
  // The exponent is added to the bits: 2^128 (1 + s), s < 0, is finite where 2^128 is not.
  Value result = b.toReal(b.addBits(b.toBits(b.add(b.real(1), e.s)), e.power));
  // The largest x with a finite result, and the smallest with a normal one.
  Value largest = b.real(b.isDouble() ? 0x1.62e42fefa39efp+9 : 0x1.62e42ep+6);
  Value smallest = b.real(b.isDouble() ? -0x1.6232bdd7abcd2p+9 : -0x1.5d589ep+6);
  Value infinity = b.real(std::numeric_limits<double>::infinity());
  // At the bound itself `low` may carry the exponent over into the pattern of a NaN.
  if (low) result = b.select(b.isNan(result), infinity, result);
  // Infinity above the bound; a NaN is not below it either and stays one.
  result = b.select(b.lessOrEqual(x, largest), result, b.add(x, infinity));
  return b.select(b.less(x, smallest), b.real(0), result);
}

ReducedLog normc::reduceLog(const RealBuilder &b, Value x) {
  // Denormals are scaled up first.
  Value tiny = b.less(x, b.power(1 - b.bias()));
  int up = b.mantissa() + 1;
  Value bits = b.toBits(b.select(tiny, b.mul(x, b.power(up)), x));
  int64_t one = b.bias() << b.mantissa();
  int64_t rootHalf = b.isDouble() ? 0x3fe6a09e667f3bcd : 0x3f3504f3;
  Value offset = b.addBits(bits, b.bits(one - rootHalf));
  // The exponent, still biased, becomes a real number in the low bits of 1.5 * 2^mantissa.
  double shifter = std::ldexp(1.5, b.mantissa());
  int64_t shifterBits = ((b.bias() + b.mantissa()) << b.mantissa()) | (int64_t(1) << (b.mantissa() - 1));
  Value k = b.toReal(b.addBits(b.shiftRight(offset, b.mantissa()), b.bits(shifterBits)));
  k = b.sub(k, b.select(tiny, b.real(shifter + double(b.bias() + up)), b.real(shifter + double(b.bias()))));
  Value m = b.addBits(b.andBits(offset, b.bits((int64_t(1) << b.mantissa()) - 1)), b.bits(rootHalf));
  return {k, b.sub(b.toReal(m), b.real(1))};
}
