#include "compiler/cpu/MathFunctions.h"
#include "compiler/cpu/RangeReduction.h"

using namespace mlir;
using namespace normc;

namespace {
/// An unevaluated sum, |low| at most half a unit in the last place of high.
struct Pair {
  Value high, low;
};
} // namespace

static Pair product(const RealBuilder &b, Value x, Value y) {
  Value high = b.mul(x, y);
  return {high, b.fma(x, y, b.neg(high))};
}

/// x + y where |x| >= |y|, or x is 0.
static Pair orderedSum(const RealBuilder &b, Value x, Value y) {
  Value high = b.add(x, y);
  return {high, b.add(b.sub(x, high), y)};
}

/// log of x > 0 in f64, with a relative error of 2^-64; 0, infinity and NaN as log has them, in `high`.
static Pair emitLogPair(const RealBuilder &b, Value x) {
  auto [k, f] = reduceLog(b, x);
  // s = f / (2 + f), then log(1 + f) = 2 s (1 + z/3 + z^2 q(z)), z = s^2.
  Pair divisor = orderedSum(b, b.real(2), f);
  Value reciprocal = b.div(b.real(1), divisor.high);
  Value s = b.mul(f, reciprocal);
  Value rest = b.fma(b.neg(s), divisor.low, b.fma(b.neg(s), divisor.high, f));
  Value sLow = b.mul(rest, reciprocal);
  Pair z = product(b, s, s);
  z.low = b.fma(b.add(s, s), sLow, z.low);
  // 2^-73.4 of the logarithm.
  Value q =
      b.polynomial(z.high, {0x1.9999999999996p-3, 0x1.2492492492f51p-3, 0x1.c71c71c5968c5p-4, 0x1.745d182959e97p-4,
                            0x1.3b1364c7ed1cbp-4, 0x1.11206f71a0416p-4, 0x1.de3d63d150f7ep-5, 0x1.eac636f0c64ddp-5});
  Value third = b.real(0x1.5555555555555p-2), thirdLow = b.real(0x1.5555555555555p-56);
  Pair t = product(b, z.high, third);
  Value tLow = b.fma(z.low, third, b.fma(z.high, thirdLow, t.low));
  t = orderedSum(b, t.high, b.mul(b.mul(z.high, z.high), q));
  t.low = b.add(t.low, tLow);
  Pair p = product(b, s, t.high);
  p.low = b.fma(sLow, t.high, b.fma(s, t.low, p.low));
  Pair half = orderedSum(b, s, p.high);
  half.low = b.add(half.low, b.add(sLow, p.low));
  // log x = k ln 2 + 2 half.
  Pair sum = orderedSum(b, b.mul(k, b.real(ln2High[1])), b.add(half.high, half.high));
  Value low = b.fma(k, b.real(ln2Low[1]), b.add(half.low, half.low));
  sum = orderedSum(b, sum.high, b.add(sum.low, low));
  double infinity = std::numeric_limits<double>::infinity();
  Value high = b.select(b.less(x, b.real(infinity)), sum.high, x);
  return {b.select(b.equal(x, b.real(0)), b.real(-infinity), high), sum.low};
}

/// |x|^y in f64.
static Value emitPowDouble(const RealBuilder &b, Value magnitude, Value y) {
  Pair log = emitLogPair(b, magnitude);
  Pair exponent = product(b, y, log.high);
  exponent.low = b.fma(y, log.low, exponent.low);
  // Far beyond the range of exp the lower part may be NaN.
  Value inRange = b.less(b.abs(exponent.high), b.real(1000));
  return emitExpOfSum(b, exponent.high, b.select(inRange, exponent.low, b.real(0)));
}

/// |x|^y in f32, through f64: an error of 2^-44 before rounding.
static Value emitPowSingle(const RealBuilder &b, Value magnitude, Value y) {
  RealBuilder wide = b.like(b.getBuilder().getF64Type());
  auto extend = [&](Value value) -> Value {
    return arith::ExtFOp::create(b.getBuilder(), b.getLoc(), wide.getType(), value);
  };
  Value result = emitExp(wide, wide.mul(extend(y), emitLog(wide, extend(magnitude))));
  return arith::TruncFOp::create(b.getBuilder(), b.getLoc(), b.getType(), result);
}

Value normc::emitPow(const RealBuilder &b, Value x, Value y) {
  Value magnitude = b.abs(x);
  Value result = b.isDouble() ? emitPowDouble(b, magnitude, y) : emitPowSingle(b, magnitude, y);

  Value infinity = b.real(std::numeric_limits<double>::infinity());
  Value zero = b.real(0), one = b.real(1), halfY = b.mul(y, b.real(0.5));
  Value isInteger = b.equal(b.roundEven(y), y);
  Value isOdd = b.both(isInteger, b.differ(b.roundEven(halfY), halfY));
  Value undefined = b.both(b.less(x, zero), b.both(b.differ(b.roundEven(y), y), b.less(magnitude, infinity)));
  // Of two NaNs a scalar and a vector instruction may take either: it is always the same one here.
  Value isNan = b.either(b.isNan(x), b.isNan(y));
  result = b.select(b.either(undefined, isNan), b.real(std::nan("")), result);
  Value sign = b.andBits(b.toBits(x), b.toBits(b.real(-0.0)));
  result = b.select(isOdd, b.toReal(b.orBits(b.toBits(result), sign)), result);
  // 1 whatever the exponent, and with exponent 0 whatever the base; -1 to an infinite exponent.
  Value isOne = b.either(b.equal(x, one), b.equal(y, zero));
  isOne = b.either(isOne, b.both(b.equal(magnitude, one), b.equal(b.abs(y), infinity)));
  return b.select(isOne, one, result);
}
