#ifndef NORMC_COMPILER_CPU_RANGEREDUCTION_H
#define NORMC_COMPILER_CPU_RANGEREDUCTION_H
#include "compiler/cpu/RealBuilder.h"

/// What exp, log and their kin have in common.
namespace normc {

// The coefficients here and where these are included are minimax fits (Remez exchange or Lawson's iteration in at least
// 120 bits), rounded to the type one at a time, the remaining ones fitted again after each. The error beside a table is
// the fit's own, relative to its function's result, without the rounding of its evaluation. Tables come in pairs: the
// first is of f32.

/// ln 2 in two parts. The upper one has few bits, so that its product with an exponent is exact.
inline constexpr double ln2High[] = {0x1.62e4p-1, 0x1.62e42fefa38p-1};
inline constexpr double ln2Low[] = {0x1.7f7d1cp-20, 0x1.ef35793c7673p-45};

/// e^x as 2^n (1 + s), |s| < 0.42.
struct ReducedExp {
  /// The bits of 2^(n - 127 + bias), 1023 for f64: a number where the exponent is in range.
  mlir::Value power;
  mlir::Value s;
};

/// Valid where n is within 4 times the exponents of the type; NaN gives a NaN s. A bias of 0 leaves `power` to be added
/// to the bits of another number. `low`, where given, is added to x.
ReducedExp reduceExp(const RealBuilder &b, mlir::Value x, int64_t bias, mlir::Value low = {});

/// e^x in f32, or e^-x, as a product of two numbers, the first 2^n / 720 or so: for n up to 136 it is finite.
struct ScaledExp {
  mlir::Value scale;
  mlir::Value e;
};
/// Valid for n from -116 on.
ScaledExp reduceExpScaled(const RealBuilder &b, mlir::Value x, bool negated);

/// e^x for any x, infinity and NaN included, where the target has lookups.
ScaledExp lookUpExp(const RealBuilder &b, mlir::Value x);

/// e^(x + low), |low| far below x: denormal results are zero.
mlir::Value emitExpOfSum(const RealBuilder &b, mlir::Value x, mlir::Value low);

/// The same, of x + low reduced with a bias of 0.
mlir::Value emitExpFrom(const RealBuilder &b, mlir::Value x, const ReducedExp &e, mlir::Value low = {});

/// A positive finite x as 2^k (1 + f), 1 + f in [sqrt(1/2), sqrt 2); k is a real number.
struct ReducedLog {
  mlir::Value k;
  mlir::Value f;
};
ReducedLog reduceLog(const RealBuilder &b, mlir::Value x);

} // namespace normc
#endif
