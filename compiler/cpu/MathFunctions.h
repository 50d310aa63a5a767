#ifndef NORMC_COMPILER_CPU_MATHFUNCTIONS_H
#define NORMC_COMPILER_CPU_MATHFUNCTIONS_H
#include "compiler/cpu/RealBuilder.h"

/// Elementary functions as straight-line arithmetic, for f32 and f64, whole range. Each returns a value of x's type.
namespace normc {

/// e^x. Denormal results are zero.
mlir::Value emitExp(const RealBuilder &b, mlir::Value x);
/// 1 + e^x, rounded once.
mlir::Value emitOnePlusExp(const RealBuilder &b, mlir::Value x);
/// Both, for less.
std::pair<mlir::Value, mlir::Value> emitExpAndOnePlus(const RealBuilder &b, mlir::Value x);
/// a * sigmoid(-x): the logistic function within 2 ulp, and one rounding.
mlir::Value emitOverOnePlusExp(const RealBuilder &b, mlir::Value a, mlir::Value x);
/// e^x and 1 / (1 + e^x), where the target has lookups. What they have in common is emitted alike.
mlir::Value emitLookedUpExp(const RealBuilder &b, mlir::Value x);
mlir::Value emitLookedUpLogistic(const RealBuilder &b, mlir::Value x);
/// log(1 + e) for e from 0 to 1, where the target has lookups.
mlir::Value emitLookedUpLog1p(const RealBuilder &b, mlir::Value e);
/// e^x - 1.
mlir::Value emitExpm1(const RealBuilder &b, mlir::Value x);
mlir::Value emitLog(const RealBuilder &b, mlir::Value x);
mlir::Value emitTanh(const RealBuilder &b, mlir::Value x);
mlir::Value emitErf(const RealBuilder &b, mlir::Value x);
mlir::Value emitRsqrt(const RealBuilder &b, mlir::Value x);
/// C's pow, special cases included.
mlir::Value emitPow(const RealBuilder &b, mlir::Value base, mlir::Value exponent);

} // namespace normc
#endif
