// Upstream's elementwise ops at one point: floats in double, integers in 64 bits that wrap.
#include "compiler/evaluate/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringMap.h"
#include <cmath>
using namespace mlir;

namespace normc {
namespace {
Cell real(double value) { return {.real = value}; }
Cell integer(uint64_t value) { return {.integer = int64_t(value)}; } // unsigned arithmetic wraps
Cell truth(bool value) { return {.integer = value}; }

/// The larger of two; NaN where either is, and +0 over −0.
double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return a + b;
  return a == b ? (std::signbit(a) ? b : a) : std::fmax(a, b);
}

#define NORMC_POINT(expression)                                                                                        \
  [](Cell a, Cell b, Cell c) {                                                                                         \
    (void)a, (void)b, (void)c;                                                                                         \
    return expression;                                                                                                 \
  }
const llvm::StringMap<PointFunction> &functions() {
  static const llvm::StringMap<PointFunction> table = {
      {"arith.addf", NORMC_POINT(real(a.real + b.real))},
      {"arith.subf", NORMC_POINT(real(a.real - b.real))},
      {"arith.mulf", NORMC_POINT(real(a.real * b.real))},
      {"arith.divf", NORMC_POINT(real(a.real / b.real))},
      {"arith.remf", NORMC_POINT(real(std::fmod(a.real, b.real)))},
      {"arith.negf", NORMC_POINT(real(-a.real))},
      {"arith.maximumf", NORMC_POINT(real(maximum(a.real, b.real)))},
      {"arith.minimumf", NORMC_POINT(real(-maximum(-a.real, -b.real)))},
      {"arith.maxnumf", NORMC_POINT(real(std::fmax(a.real, b.real)))},
      {"arith.minnumf", NORMC_POINT(real(std::fmin(a.real, b.real)))},
      {"arith.addi", NORMC_POINT(integer(uint64_t(a.integer) + uint64_t(b.integer)))},
      {"arith.subi", NORMC_POINT(integer(uint64_t(a.integer) - uint64_t(b.integer)))},
      {"arith.muli", NORMC_POINT(integer(uint64_t(a.integer) * uint64_t(b.integer)))},
      // Only factors of splits divide, by extents; a factor is checked before the kernel runs.
      {"arith.divsi", NORMC_POINT(integer(b.integer == 0 ? 0 : a.integer / b.integer))},
      {"arith.minsi", NORMC_POINT(integer(std::min(a.integer, b.integer)))},
      {"arith.maxsi", NORMC_POINT(integer(std::max(a.integer, b.integer)))},
      {"arith.andi", NORMC_POINT(integer(a.integer & b.integer))},
      {"arith.ori", NORMC_POINT(integer(a.integer | b.integer))},
      {"arith.xori", NORMC_POINT(integer(a.integer ^ b.integer))},
      {"arith.extui", NORMC_POINT(a)},
      {"arith.sitofp", NORMC_POINT(real(double(a.integer)))},
      {"arith.uitofp", NORMC_POINT(real(double(uint64_t(a.integer))))},
      {"arith.select", NORMC_POINT(a.integer ? b : c)},
      {"math.absf", NORMC_POINT(real(std::fabs(a.real)))},
      {"math.absi", NORMC_POINT(integer(a.integer < 0 ? -uint64_t(a.integer) : uint64_t(a.integer)))},
      {"math.ceil", NORMC_POINT(real(std::ceil(a.real)))},
      {"math.erf", NORMC_POINT(real(std::erf(a.real)))},
      {"math.exp", NORMC_POINT(real(std::exp(a.real)))},
      {"math.floor", NORMC_POINT(real(std::floor(a.real)))},
      {"math.fma", NORMC_POINT(real(std::fma(a.real, b.real, c.real)))},
      {"math.log", NORMC_POINT(real(std::log(a.real)))},
      {"math.powf", NORMC_POINT(real(std::pow(a.real, b.real)))},
      {"math.roundeven", NORMC_POINT(real(std::nearbyint(a.real)))},
      {"math.rsqrt", NORMC_POINT(real(1 / std::sqrt(a.real)))},
      {"math.sqrt", NORMC_POINT(real(std::sqrt(a.real)))},
      {"math.tanh", NORMC_POINT(real(std::tanh(a.real)))},
  };
  return table;
}

PointFunction compareReals(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::AlwaysFalse:
    return NORMC_POINT(truth(false));
  case P::OEQ:
    return NORMC_POINT(truth(a.real == b.real));
  case P::OGT:
    return NORMC_POINT(truth(a.real > b.real));
  case P::OGE:
    return NORMC_POINT(truth(a.real >= b.real));
  case P::OLT:
    return NORMC_POINT(truth(a.real < b.real));
  case P::OLE:
    return NORMC_POINT(truth(a.real <= b.real));
  case P::ONE:
    return NORMC_POINT(truth(a.real < b.real || a.real > b.real));
  case P::ORD:
    return NORMC_POINT(truth(!std::isunordered(a.real, b.real)));
  case P::UEQ:
    return NORMC_POINT(truth(!(a.real < b.real || a.real > b.real)));
  case P::UGT:
    return NORMC_POINT(truth(!(a.real <= b.real)));
  case P::UGE:
    return NORMC_POINT(truth(!(a.real < b.real)));
  case P::ULT:
    return NORMC_POINT(truth(!(a.real >= b.real)));
  case P::ULE:
    return NORMC_POINT(truth(!(a.real > b.real)));
  case P::UNE:
    return NORMC_POINT(truth(a.real != b.real));
  case P::UNO:
    return NORMC_POINT(truth(std::isunordered(a.real, b.real)));
  case P::AlwaysTrue:
    return NORMC_POINT(truth(true));
  }
  return nullptr;
}
PointFunction compareIntegers(arith::CmpIPredicate predicate) {
  using P = arith::CmpIPredicate;
  switch (predicate) {
  case P::eq:
    return NORMC_POINT(truth(a.integer == b.integer));
  case P::ne:
    return NORMC_POINT(truth(a.integer != b.integer));
  case P::slt:
    return NORMC_POINT(truth(a.integer < b.integer));
  case P::sle:
    return NORMC_POINT(truth(a.integer <= b.integer));
  case P::sgt:
    return NORMC_POINT(truth(a.integer > b.integer));
  case P::sge:
    return NORMC_POINT(truth(a.integer >= b.integer));
  case P::ult:
    return NORMC_POINT(truth(uint64_t(a.integer) < uint64_t(b.integer)));
  case P::ule:
    return NORMC_POINT(truth(uint64_t(a.integer) <= uint64_t(b.integer)));
  case P::ugt:
    return NORMC_POINT(truth(uint64_t(a.integer) > uint64_t(b.integer)));
  case P::uge:
    return NORMC_POINT(truth(uint64_t(a.integer) >= uint64_t(b.integer)));
  }
  return nullptr;
}
#undef NORMC_POINT
} // namespace

PointFunction pointFunctionOf(Operation *op) {
  if (auto compare = dyn_cast<arith::CmpFOp>(op)) return compareReals(compare.getPredicate());
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) return compareIntegers(compare.getPredicate());
  return functions().lookup(op->getName().getStringRef());
}

} // namespace normc
