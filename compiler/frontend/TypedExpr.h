#ifndef NORMC_COMPILER_FRONTEND_TYPEDEXPR_H
#define NORMC_COMPILER_FRONTEND_TYPEDEXPR_H
#include "compiler/frontend/Graph.h"

namespace normc {

/// An expression for a value, and what the language takes it for: broadcasts and conversions to a real are left to the
/// language, so it may range over fewer axes than the value, and be an integer or a bool where the value is a real.
struct TypedExpr {
  Expr expr;
  ValueKind kind = ValueKind::real;
  AxisSet axes = 0;

  TypedExpr() = default;
  TypedExpr(Expr expr, ValueKind kind, AxisSet axes) : expr(std::move(expr)), kind(kind), axes(axes) {}
  TypedExpr(const TypedExpr &other);
  TypedExpr(TypedExpr &&) = default;
  TypedExpr &operator=(TypedExpr &&) = default;
  TypedExpr &operator=(const TypedExpr &other) { return *this = TypedExpr(other); }

  /// A name or a number, or little more: nothing to give a name to.
  bool isShort() const;
  size_t width() const { return toText(expr).size(); }
};

TypedExpr nameExpr(const std::string &name, ValueKind kind, AxisSet axes);
TypedExpr integerExpr(int64_t value);
TypedExpr booleanExpr(bool value);
/// A whole number stands without a point, and is then an integer to the language. `isDouble`: of a kernel that computes
/// in f64, else in f32.
TypedExpr realExpr(double value, bool isDouble);

/// The same, such that the language takes it for a real.
TypedExpr asReal(TypedExpr typed, bool isDouble);
/// One of both becomes a real where neither is.
void meetAsReals(TypedExpr &a, TypedExpr &b, bool isDouble);

TypedExpr binaryExpr(Expr::Op op, TypedExpr a, TypedExpr b, ValueKind kind);
TypedExpr unaryExpr(Expr::Kind op, TypedExpr operand, ValueKind kind);
TypedExpr callExpr(std::string name, std::vector<TypedExpr> operands, ValueKind kind);
/// What stands behind the operands of a call.
CallTail &tailOf(TypedExpr &call);

template <typename... Exprs> std::vector<TypedExpr> listExprs(Exprs &&...exprs) {
  std::vector<TypedExpr> result;
  (result.push_back(std::forward<Exprs>(exprs)), ...);
  return result;
}

} // namespace normc
#endif
