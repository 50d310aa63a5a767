#ifndef NORMC_COMPILER_FRONTEND_PHRASE_H
#define NORMC_COMPILER_FRONTEND_PHRASE_H
#include "compiler/frontend/Graph.h"

namespace normc {

/// An expression for a value, and what the language takes it for: broadcasts and conversions to a real are left to the
/// language, so it may range over fewer axes than the value, and be an integer or a bool where the value is a real.
struct Phrase {
  Expr expr;
  ValueKind kind = ValueKind::real;
  AxisSet axes = 0;

  Phrase() = default;
  Phrase(Expr expr, ValueKind kind, AxisSet axes) : expr(std::move(expr)), kind(kind), axes(axes) {}
  Phrase(const Phrase &other);
  Phrase(Phrase &&) = default;
  Phrase &operator=(Phrase &&) = default;
  Phrase &operator=(const Phrase &other) { return *this = Phrase(other); }

  /// A name or a number, or little more: nothing to give a name to.
  bool isShort() const;
  size_t width() const { return toText(expr).size(); }
};

Phrase namePhrase(const std::string &name, ValueKind kind, AxisSet axes);
Phrase integerPhrase(int64_t value);
Phrase booleanPhrase(bool value);
/// A whole number stands without a point, and is then an integer to the language. `isDouble`: of a kernel that computes
/// in f64, else in f32.
Phrase realPhrase(double value, bool isDouble);

/// The phrase, such that the language takes it for a real.
Phrase asReal(Phrase phrase, bool isDouble);
/// One of both becomes a real where neither is.
void meetAsReals(Phrase &a, Phrase &b, bool isDouble);

Phrase binaryPhrase(Expr::Op op, Phrase a, Phrase b, ValueKind kind);
Phrase unaryPhrase(Expr::Kind op, Phrase operand, ValueKind kind);
Phrase callPhrase(std::string name, std::vector<Phrase> operands, ValueKind kind);

} // namespace normc
#endif
