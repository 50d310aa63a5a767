#include "compiler/frontend/Parser.h"
#include <array>

namespace normc {
namespace {
using Op = Expr::Op;
/// Parentheses, calls and unary operators may nest this deep: a bound on the stack of whatever walks the tree.
constexpr int deepest = 200;

struct Spelled {
  std::string_view text;
  Op op;
};

class ExpressionParser {
public:
  explicit ExpressionParser(TokenStream &tokens) : tokens(tokens) {}

  bool expression(Expr &into) {
    Nesting nesting(*this);
    return nesting.ok && disjunction(into);
  }

private:
  struct Nesting {
    explicit Nesting(ExpressionParser &parser) : parser(parser) {
      ok = ++parser.depth <= deepest ||
           parser.tokens.error(parser.tokens.peek().spot, "the expression nests more than " + std::to_string(deepest) +
                                                              " levels deep: name its parts with `let`");
    }
    ~Nesting() { --parser.depth; }
    ExpressionParser &parser;
    bool ok;
  };

  template <size_t N> bool operatorHere(const std::array<Spelled, N> &among, Op &op) {
    const Token &token = tokens.peek();
    if (token.kind != Token::Kind::punctuation && token.kind != Token::Kind::name) return false;
    for (const Spelled &candidate : among)
      if (candidate.text == token.text) {
        op = candidate.op;
        return true;
      }
    return false;
  }

  template <size_t N>
  bool chain(Expr &into, const std::array<Spelled, N> &among, bool (ExpressionParser::*operand)(Expr &)) {
    Expr first;
    if (!(this->*operand)(first)) return false;
    Op op;
    if (!operatorHere(among, op)) {
      into = std::move(first);
      return true;
    }
    into.kind = Expr::Kind::chain;
    into.spot = first.spot;
    into.operands.push_back(std::move(first));
    while (operatorHere(among, op)) {
      into.operators.emplace_back(op, tokens.take().spot);
      if (!(this->*operand)(into.operands.emplace_back())) return false;
    }
    return true;
  }

  bool disjunction(Expr &into) {
    constexpr std::array<Spelled, 1> ops = {{{"or", Op::disjunction}}};
    return chain(into, ops, &ExpressionParser::conjunction);
  }
  bool conjunction(Expr &into) {
    constexpr std::array<Spelled, 1> ops = {{{"and", Op::conjunction}}};
    return chain(into, ops, &ExpressionParser::inversion);
  }

  bool inversion(Expr &into) {
    if (!tokens.peek().isName("not")) return comparison(into);
    Nesting nesting(*this);
    into.kind = Expr::Kind::invert;
    into.spot = tokens.take().spot;
    return nesting.ok && inversion(into.operands.emplace_back());
  }

  bool comparison(Expr &into) {
    constexpr std::array<Spelled, 6> ops = {{{"<", Op::less},
                                             {"<=", Op::lessEqual},
                                             {">", Op::greater},
                                             {">=", Op::greaterEqual},
                                             {"==", Op::equal},
                                             {"!=", Op::notEqual}}};
    Expr left;
    if (!sum(left)) return false;
    Op op;
    if (!operatorHere(ops, op)) {
      into = std::move(left);
      if (tokens.peek().is("="))
        return tokens.error(tokens.peek().spot, "unexpected `=` in an expression: write `==` to compare");
      return true;
    }
    into.kind = Expr::Kind::comparison;
    into.spot = left.spot;
    into.operators.emplace_back(op, tokens.take().spot);
    into.operands.push_back(std::move(left));
    if (!sum(into.operands.emplace_back())) return false;
    if (!operatorHere(ops, op)) return true;
    return tokens.error(tokens.peek().spot, "comparisons do not chain: write `a < b and b < c`");
  }

  bool sum(Expr &into) {
    constexpr std::array<Spelled, 2> ops = {{{"+", Op::add}, {"-", Op::subtract}}};
    return chain(into, ops, &ExpressionParser::product);
  }
  bool product(Expr &into) {
    constexpr std::array<Spelled, 2> ops = {{{"*", Op::multiply}, {"/", Op::divide}}};
    return chain(into, ops, &ExpressionParser::negation);
  }

  bool negation(Expr &into) {
    if (!tokens.peek().is("-")) return primary(into, false);
    Nesting nesting(*this);
    into.kind = Expr::Kind::negate;
    into.spot = tokens.take().spot;
    if (!nesting.ok) return false;
    Expr &operand = into.operands.emplace_back();
    return tokens.peek().is("-") ? negation(operand) : primary(operand, true);
  }

  bool primary(Expr &into, bool negated) {
    const Token token = tokens.peek();
    into.spot = token.spot;
    into.text = token.text;
    switch (token.kind) {
    case Token::Kind::integer:
      into.kind = Expr::Kind::integer;
      return tokens.integer(tokens.take(), negated, into.integer);
    case Token::Kind::real:
      into.kind = Expr::Kind::real;
      return tokens.real(tokens.take(), into.real);
    case Token::Kind::name:
      return named(into, token);
    case Token::Kind::punctuation:
      if (!token.is("(")) break;
      tokens.take();
      return expression(into) && tokens.expect(")", "the expression");
    default:
      break;
    }
    return tokens.expected("an expression");
  }

  bool named(Expr &into, const Token &token) {
    if (token.text == "true" || token.text == "false") {
      into.kind = Expr::Kind::boolean;
      into.boolean = tokens.take().text == "true";
      return true;
    }
    if (token.text == "inf" || token.text == "nan") {
      into.kind = Expr::Kind::real;
      return tokens.real(tokens.take(), into.real);
    }
    if (token.text == "not")
      return tokens.error(token.spot, "`not` binds less than this operator: put it in parentheses");
    if (isReserved(token.text)) return tokens.expected("an expression");
    tokens.take();
    if (tokens.takeIf("(")) return call(into);
    into.kind = Expr::Kind::name;
    into.pack = tokens.takeIf("...");
    return true;
  }

  bool call(Expr &into) {
    into.kind = Expr::Kind::call;
    while (!tokens.takeIf(")")) {
      const Token &here = tokens.peek();
      if (startsOver()) {
        if (!over(into)) return false;
      } else if (here.kind == Token::Kind::name && tokens.peek(1).is("=")) {
        auto &named = tailOf(into).named.emplace_back();
        if (!tokens.name(named.first, "the name of an argument")) return false;
        tokens.take();
        if (!expression(named.second)) return false;
      } else {
        if (into.tail) return tokens.error(here.spot, "an argument stands before `over` and before named arguments");
        if (!expression(into.operands.emplace_back())) return false;
        if (tokens.peek().isName("over") && !over(into)) return false;
        if (tokens.peek().isName("across") && !across(into)) return false;
      }
      if (tokens.takeIf(",") || tokens.peek().is(")")) continue;
      return tokens.expected("`,` or `)` in the call of `" + into.text + "`");
    }
    return true;
  }

  /// At `over` and an axis, not at a value of that name: `over over k`, `over and k`.
  bool startsOver() const {
    if (!tokens.peek().isName("over") || tokens.peek(1).kind != Token::Kind::name) return false;
    if (isReserved(tokens.peek(1).text)) return false;
    return !tokens.peek(1).isName("over") || tokens.peek(2).kind != Token::Kind::name;
  }

  static CallTail &tailOf(Expr &call) {
    if (!call.tail) call.tail = std::make_unique<CallTail>();
    return *call.tail;
  }

  /// `over a, s..., b across replicas`, up to a named argument or the end of the call.
  bool over(Expr &into) {
    CallTail &tail = tailOf(into);
    Spot spot = tokens.take().spot;
    if (tail.overSpot) return tokens.error(spot, "a second `over` in one call");
    tail.overSpot = spot;
    do {
      if (!tokens.axis(tail.over.emplace_back(), false)) return false;
      bool more = tokens.peek().is(",") && tokens.peek(1).kind == Token::Kind::name && !tokens.peek(2).is("=");
      if (!more) break;
    } while (tokens.takeIf(","));
    return !tokens.peek().isName("across") || across(into);
  }

  bool across(Expr &into) {
    CallTail &tail = tailOf(into);
    Spot spot = tokens.take().spot;
    if (tail.across) return tokens.error(spot, "a second `across replicas` in one call");
    tail.across = spot;
    return tokens.takeName("replicas") || tokens.expected("`replicas` behind `across`");
  }

  TokenStream &tokens;
  int depth = 0;
};
} // namespace

bool parseExpression(TokenStream &tokens, Expr &into) { return ExpressionParser(tokens).expression(into); }

} // namespace normc
