#include "compiler/frontend/TypedExpr.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace normc {
namespace {
using Kind = Expr::Kind;
using Op = Expr::Op;

Expr copyOf(const Expr &expr) {
  Expr copy;
  copy.kind = expr.kind, copy.text = expr.text, copy.pack = expr.pack, copy.operators = expr.operators;
  for (const Expr &operand : expr.operands) copy.operands.push_back(copyOf(operand));
  if (expr.tail) {
    copy.tail = std::make_unique<CallTail>();
    copy.tail->overSpot = expr.tail->overSpot, copy.tail->over = expr.tail->over, copy.tail->across = expr.tail->across;
    for (const auto &[name, value] : expr.tail->named) copy.tail->named.emplace_back(name, copyOf(value));
  }
  return copy;
}

Expr literal(Kind kind, std::string text) {
  Expr expr;
  expr.kind = kind, expr.text = std::move(text);
  return expr;
}

template <typename Float> std::string shortest(Float value) {
  char buffer[64];
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  // 1e-05 as 1e-5, 1e+20 as 1e20
  if (size_t at = text.find('e'); at != std::string::npos) {
    size_t digits = at + 1 + (text[at + 1] == '-');
    if (text[at + 1] == '+') text.erase(at + 1, 1);
    while (digits + 1 < text.size() && text[digits] == '0') text.erase(digits, 1);
  } else if (text.find('.') == std::string::npos) {
    text += ".0";
  }
  return text;
}

bool isNumber(const Expr &expr) { return expr.kind == Kind::integer || expr.kind == Kind::real; }

/// Operators of one precedence from left to right are one node, however many they are.
bool continues(const Expr &chain, Op op) {
  if (chain.kind != Kind::chain) return false;
  auto isSum = [](Op op) { return op == Op::add || op == Op::subtract; };
  auto isProduct = [](Op op) { return op == Op::multiply || op == Op::divide; };
  Op first = chain.operators.front().first;
  return first == op || (isSum(first) && isSum(op)) || (isProduct(first) && isProduct(op));
}
} // namespace

TypedExpr::TypedExpr(const TypedExpr &other) : expr(copyOf(other.expr)), kind(other.kind), axes(other.axes) {}

bool TypedExpr::isShort() const {
  switch (expr.kind) {
  case Kind::chain:
    return false;
  case Kind::comparison:
    return expr.operands[0].kind == Kind::name && isNumber(expr.operands[1]);
  case Kind::negate:
  case Kind::invert:
    return expr.operands[0].kind == Kind::name;
  case Kind::call:
    return expr.text == "index" || expr.text == "size";
  default:
    return true;
  }
}

TypedExpr nameExpr(const std::string &name, ValueKind kind, AxisSet axes) {
  return {literal(Kind::name, name), kind, axes};
}

TypedExpr integerExpr(int64_t value) { return {literal(Kind::integer, std::to_string(value)), ValueKind::integer, 0}; }

TypedExpr booleanExpr(bool value) { return {literal(Kind::boolean, value ? "true" : "false"), ValueKind::boolean, 0}; }

TypedExpr realExpr(double value, bool isDouble) {
  constexpr double mostWhole = 1e6;
  if (std::isnan(value)) return {literal(Kind::real, "nan"), ValueKind::real, 0};
  if (std::isinf(value)) return {literal(Kind::real, value < 0 ? "-inf" : "inf"), ValueKind::real, 0};
  bool isNegativeZero = value == 0 && std::signbit(value);
  if (value == std::floor(value) && std::fabs(value) < mostWhole && !isNegativeZero)
    return integerExpr(static_cast<int64_t>(value));
  std::string text = shortest(value);
  // Fewer digits tell floats apart; the language reads them as a double, and rounds that.
  if (std::string narrow = shortest(static_cast<float>(value));
      !isDouble && static_cast<float>(std::strtod(narrow.c_str(), nullptr)) == static_cast<float>(value))
    text = narrow;
  return {literal(Kind::real, text), ValueKind::real, 0};
}

TypedExpr asReal(TypedExpr typed, bool isDouble) {
  if (typed.kind == ValueKind::real) return typed;
  constexpr size_t mostDigits = 7; // beyond, a real literal may not be the integer rounded once
  if (typed.expr.kind == Kind::integer && typed.expr.text.size() <= mostDigits)
    return {literal(Kind::real, typed.expr.text + ".0"), ValueKind::real, 0};
  std::vector<TypedExpr> operands;
  operands.push_back(std::move(typed));
  operands.push_back(nameExpr(isDouble ? "f64" : "f32", ValueKind::real, 0));
  return callExpr("cast", std::move(operands), ValueKind::real);
}

void meetAsReals(TypedExpr &a, TypedExpr &b, bool isDouble) {
  if (joined(a.kind, b.kind) == ValueKind::real) return;
  TypedExpr &one = b.expr.kind == Kind::integer ? b : a;
  one = asReal(std::move(one), isDouble);
}

TypedExpr binaryExpr(Op op, TypedExpr a, TypedExpr b, ValueKind kind) {
  AxisSet axes = a.axes | b.axes;
  // a + -2 as a - 2, unless there is no positive integer of that size
  if (op == Op::add && isNumber(b.expr) && b.expr.text[0] == '-' && b.expr.text != "-9223372036854775808" &&
      b.expr.text != "-inf")
    op = Op::subtract, b.expr.text.erase(0, 1);
  if (op == Op::multiply && isNumber(b.expr) && a.expr.kind != Kind::chain && !isNumber(a.expr)) std::swap(a, b);
  bool isComparison = op != Op::conjunction && op != Op::disjunction && op > Op::divide;
  TypedExpr result;
  if (continues(a.expr, op)) {
    result.expr = std::move(a.expr);
  } else {
    result.expr.kind = isComparison ? Kind::comparison : Kind::chain;
    result.expr.operands.push_back(std::move(a.expr));
  }
  result.expr.operators.emplace_back(op, Spot());
  result.expr.operands.push_back(std::move(b.expr));
  result.kind = kind, result.axes = axes;
  return result;
}

TypedExpr unaryExpr(Kind op, TypedExpr operand, ValueKind kind) {
  TypedExpr result;
  result.expr.kind = op, result.kind = kind, result.axes = operand.axes;
  result.expr.operands.push_back(std::move(operand.expr));
  return result;
}

TypedExpr callExpr(std::string name, std::vector<TypedExpr> operands, ValueKind kind) {
  TypedExpr result;
  result.expr.kind = Kind::call, result.expr.text = std::move(name), result.kind = kind;
  for (TypedExpr &operand : operands) {
    result.axes |= operand.axes;
    result.expr.operands.push_back(std::move(operand.expr));
  }
  return result;
}

CallTail &tailOf(TypedExpr &call) {
  call.expr.tail = std::make_unique<CallTail>();
  return *call.expr.tail;
}

} // namespace normc
