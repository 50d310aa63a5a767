// What values are at compile time: enough to decide the `where`s and the factors that parameters decide.
#include "compiler/frontend/Graph.h"
#include <bit>
#include <cmath>
#include <limits>

namespace normc {
namespace {
uint64_t bits(int64_t value) { return static_cast<uint64_t>(value); }
int64_t wrapped(uint64_t value) { return static_cast<int64_t>(value); }

/// NaN where either is, and −0 below +0.
double lesser(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
double greater(double a, double b) { return -lesser(-a, -b); }

template <typename Number> Constant foldComparison(NodeOp op, Number a, Number b) {
  switch (op) {
  case NodeOp::less:
    return a < b;
  case NodeOp::lessEqual:
    return a <= b;
  case NodeOp::equal:
    return a == b;
  case NodeOp::notEqual:
    return a != b;
  default:
    return {};
  }
}

Constant foldIntegers(NodeOp op, int64_t a, int64_t b) {
  switch (op) {
  case NodeOp::add:
    return wrapped(bits(a) + bits(b));
  case NodeOp::subtract:
    return wrapped(bits(a) - bits(b));
  case NodeOp::multiply:
    return wrapped(bits(a) * bits(b));
  case NodeOp::exactDivide:
    if (b == 0 || (b == -1 && a == std::numeric_limits<int64_t>::min()) || a % b) return {};
    return a / b;
  case NodeOp::minimum:
    return std::min(a, b);
  case NodeOp::maximum:
    return std::max(a, b);
  default:
    return foldComparison(op, a, b);
  }
}

Constant foldReals(NodeOp op, double a, double b) {
  switch (op) {
  case NodeOp::add:
    return a + b;
  case NodeOp::subtract:
    return a - b;
  case NodeOp::multiply:
    return a * b;
  case NodeOp::divide:
    if (b == 0)
      return std::isnan(a) || a == 0 ? std::numeric_limits<double>::quiet_NaN()
                                     : std::copysign(std::numeric_limits<double>::infinity(),
                                                     std::signbit(a) == std::signbit(b) ? 1.0 : -1.0);
    return a / b;
  case NodeOp::minimum:
    return lesser(a, b);
  case NodeOp::maximum:
    return greater(a, b);
  default:
    return foldComparison(op, a, b);
  }
}

Constant foldReal(NodeOp op, double a) {
  switch (op) {
  case NodeOp::negate:
    return -a;
  case NodeOp::absolute:
    return std::fabs(a);
  case NodeOp::squareRoot:
    return std::sqrt(a);
  case NodeOp::floor:
    return std::floor(a);
  case NodeOp::round:
    return std::nearbyint(a);
  case NodeOp::toBoolean:
    return a != 0; // true of NaN
  default:
    return {};
  }
}

Constant foldInteger(NodeOp op, int64_t a) {
  switch (op) {
  case NodeOp::negate:
    return wrapped(-bits(a));
  case NodeOp::absolute:
    return a < 0 ? wrapped(-bits(a)) : a;
  case NodeOp::toBoolean:
    return a != 0;
  default:
    return {};
  }
}
} // namespace

Constant Graph::fold(const NodeKey &key) const {
  if (key.op == NodeOp::constant) {
    if (key.kind == ValueKind::integer) return key.payload;
    if (key.kind == ValueKind::real) return std::bit_cast<double>(key.payload);
    return key.payload != 0;
  }
  auto knownAt = [&](size_t i) { return key.operands[i] == noNode ? Constant() : nodes[key.operands[i]].known; };
  Constant a = knownAt(0), b = knownAt(1);
  if (key.op == NodeOp::broadcast) return a;

  if (key.op == NodeOp::conjunction || key.op == NodeOp::disjunction) {
    bool absorbing = key.op == NodeOp::disjunction;
    for (const Constant &side : {a, b})
      if (auto *value = std::get_if<bool>(&side); value && *value == absorbing) return absorbing;
    if (std::holds_alternative<bool>(a) && std::holds_alternative<bool>(b)) return !absorbing;
    return {};
  }
  if (auto *value = std::get_if<bool>(&a)) {
    if (key.op == NodeOp::inversion) return !*value;
    if (key.op == NodeOp::toInteger) return static_cast<int64_t>(*value);
    if (key.op == NodeOp::toReal) return *value ? 1.0 : 0.0;
    return {};
  }
  Constant result;
  auto *integerA = std::get_if<int64_t>(&a), *integerB = std::get_if<int64_t>(&b);
  auto *realA = std::get_if<double>(&a), *realB = std::get_if<double>(&b);
  if (integerA && key.op == NodeOp::toReal)
    return computesInDouble ? static_cast<double>(*integerA) : static_cast<double>(static_cast<float>(*integerA));
  if (integerA) result = integerB ? foldIntegers(key.op, *integerA, *integerB) : foldInteger(key.op, *integerA);
  else if (realA) result = realB ? foldReals(key.op, *realA, *realB) : foldReal(key.op, *realA);
  if (auto *real = std::get_if<double>(&result)) return rounded(*real);
  return result;
}

} // namespace normc
