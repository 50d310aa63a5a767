#include "compiler/frontend/Parser.h"
#include "compiler/ElementType.h"
#include "compiler/frontend/Builtins.h"
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace normc {
namespace {
using Kind = Token::Kind;

std::string spelled(const Token &token) {
  constexpr size_t most = 40;
  std::string text(token.text.substr(0, most));
  if (token.text.size() > most) text += "...";
  switch (token.kind) {
  case Kind::end:
    return "the end of the file";
  case Kind::newline:
    return "the end of the line";
  case Kind::string:
    return "the string \"" + text + "\"";
  default:
    return "`" + text + "`";
  }
}

bool parameterKindNamed(std::string_view name, ParameterKind &kind) {
  for (ParameterKind candidate : {ParameterKind::type, ParameterKind::integer, ParameterKind::real,
                                  ParameterKind::boolean, ParameterKind::method, ParameterKind::function})
    if (nameOf(candidate) == name) {
      kind = candidate;
      return true;
    }
  return false;
}

class Parser {
public:
  Parser(Unit &unit, Diagnostics &diagnostics) : unit(unit), tokens(lex(unit.source, diagnostics), diagnostics) {}

  void run() {
    for (tokens.skipNewlines(); !tokens.atEnd() && !tokens.tooMany(); tokens.skipNewlines())
      if (!declaration() || !lineEnds("the declaration")) recoverDeclaration();
  }

private:
  //===-- Recovery ---------------------------------------------------------------------------------------------------//

  bool atDeclaration() const { return startsDeclaration(tokens.peek(), tokens.peek(1)); }

  void recoverDeclaration() {
    while (!tokens.atEnd() && !atDeclaration()) tokens.take();
  }

  void recoverStatement() {
    while (!tokens.atEnd() && !atDeclaration() && tokens.peek().kind != Kind::newline && !tokens.peek().is("}"))
      tokens.take();
  }

  /// To the next item of a list or its end, over whatever brackets stand between.
  void recoverItem(std::string_view close) {
    for (size_t depth = 0; !tokens.atEnd() && !atDeclaration(); tokens.take()) {
      const Token &token = tokens.peek();
      if (token.is("{") || token.is("}")) return;
      if (!depth && (token.is(",") || token.is(close))) return;
      if (token.is("(") || token.is("[")) ++depth;
      if (token.is(")") || token.is("]")) depth -= depth > 0;
    }
  }

  bool lineEnds(std::string_view what) {
    const Token &token = tokens.peek();
    if (token.kind == Kind::newline || token.kind == Kind::end || token.is("}")) return true;
    return tokens.expected("a new line behind " + std::string(what));
  }

  /// Items up to `close`, which is taken. A malformed item does not end the list.
  template <typename Item> bool list(std::string_view close, std::string_view what, Item item) {
    bool good = true;
    for (tokens.skipNewlines(); !tokens.takeIf(close); tokens.skipNewlines()) {
      bool itemGood = item();
      if (!itemGood) recoverItem(close);
      good &= itemGood;
      tokens.skipNewlines();
      if (tokens.takeIf(",") || tokens.peek().is(close)) continue;
      if (good) tokens.expected("`,` or `" + std::string(close) + "` behind " + std::string(what));
      return false;
    }
    return good;
  }

  //===-- Declarations -----------------------------------------------------------------------------------------------//

  bool declaration() {
    const Token &token = tokens.peek();
    if (token.isName("import")) return import();
    if (token.isName("fn")) return function();
    if (token.isName("kernel")) return kernel();
    if (token.isName("gradient")) return gradient();
    if (token.kind == Kind::invalid) return false;
    std::string message = "expected `kernel`, `fn`, `gradient` or `import`, found " + spelled(token);
    if (token.kind == Kind::name)
      if (std::string near = nearestName(token.text, {"kernel", "fn", "gradient", "import"}); !near.empty())
        message += ": did you mean `" + near + "`";
    return tokens.error(token.spot, message);
  }

  bool import() {
    Import result;
    result.spot = tokens.take().spot;
    if (tokens.peek().kind != Kind::string) return tokens.expected("a file name in quotes behind `import`");
    result.spot = tokens.peek().spot;
    result.path = tokens.take().text;
    unit.declarations.emplace_back(std::move(result));
    return true;
  }

  bool function() {
    tokens.take();
    auto result = std::make_unique<Function>();
    result->unit = &unit;
    if (!tokens.name(result->name, "the name of the fn") || !tokens.expect("(", "the name of the fn")) return false;
    bool good = list(")", "an argument", [&] { return tokens.name(result->arguments.emplace_back(), "an argument"); });
    if (!good || !tokens.expect("=", "the arguments of the fn")) return false;
    tokens.skipNewlines();
    if (!parseExpression(tokens, result->body)) return false;
    unit.declarations.emplace_back(std::move(result));
    return true;
  }

  bool kernel() {
    tokens.take();
    auto result = std::make_unique<Kernel>();
    result->unit = &unit;
    if (!tokens.name(result->name, "the name of the kernel")) return false;
    tokens.skipNewlines();
    bool good = true;
    if (tokens.peek().is("<")) {
      tokens.ignoreNewlines = true;
      tokens.take();
      good &= list(">", "a parameter", [&] { return parameter(result->parameters.emplace_back()); });
      tokens.ignoreNewlines = false;
    }
    tokens.skipNewlines();
    if (!tokens.expect("(", "the name and the parameters of the kernel")) return false;
    good &= list(")", "an input", [&] { return input(result->inputs.emplace_back()); });
    tokens.skipNewlines();
    if (!tokens.expect("->", "the inputs")) return false;
    tokens.skipNewlines();
    if (tokens.takeIf("(")) {
      result->outputsInParentheses = true;
      good &= list(")", "an output", [&] { return output(result->outputs.emplace_back()); });
    } else if (!output(result->outputs.emplace_back())) {
      return false;
    }
    tokens.skipNewlines();
    if (!tokens.expect("{", "the outputs")) return false;
    good &= statements(*result);
    if (good) unit.declarations.emplace_back(std::move(result));
    return true;
  }

  bool statements(Kernel &kernel) {
    bool good = true;
    for (tokens.skipNewlines(); !tokens.takeIf("}"); tokens.skipNewlines()) {
      if (tokens.atEnd() || atDeclaration() || tokens.tooMany()) return tokens.expected("`}` at the end of the kernel");
      Statement &next = kernel.statements.emplace_back();
      if (statement(next) && lineEnds("the statement")) continue;
      good = false;
      recoverStatement();
    }
    return good;
  }

  bool parameter(Parameter &into) {
    if (!tokens.name(into.name, "a parameter")) return false;
    if (tokens.takeIf(":")) {
      Name kind;
      if (!tokens.name(kind, "the kind of the parameter")) return false;
      if (!parameterKindNamed(kind.text, into.kind)) {
        std::string message = "unknown kind `" + kind.text + "`: the kinds are type, int, real, bool, method and fn";
        return tokens.error(kind.spot, message);
      }
      into.kindWritten = true;
    } else if (!tokens.peek().is("=")) {
      return tokens.expected("`=` and a default, or `:` and a kind, behind the parameter `" + into.name.text + "`");
    }
    if (!tokens.takeIf("=")) return true;
    return parameterDefault(into);
  }

  bool parameterDefault(Parameter &into) {
    const Token token = tokens.peek();
    if (token.kind == Kind::name && !isReserved(token.text)) {
      Name name{std::string(tokens.take().text), token.spot};
      ParameterKind kind = elementTypeNamed(name.text) ? ParameterKind::type
                           : isMethodName(name.text)   ? ParameterKind::method
                                                       : ParameterKind::function;
      bool fits = !into.kindWritten || into.kind == kind;
      if (!fits) return wrongDefault(into, token.spot, "`" + name.text + "`");
      into.kind = kind;
      into.byDefault = std::move(name);
      return true;
    }
    Literal literal;
    if (!tokens.literal(literal)) return false;
    ParameterKind kind = std::holds_alternative<int64_t>(literal.value)  ? ParameterKind::integer
                         : std::holds_alternative<double>(literal.value) ? ParameterKind::real
                                                                         : ParameterKind::boolean;
    if (into.kindWritten && into.kind == ParameterKind::real && kind == ParameterKind::integer) {
      literal.value = static_cast<double>(std::get<int64_t>(literal.value));
      kind = ParameterKind::real;
    }
    if (into.kindWritten && into.kind != kind) return wrongDefault(into, literal.spot, "`" + literal.text + "`");
    into.kind = kind;
    into.byDefault = std::move(literal);
    return true;
  }

  bool wrongDefault(const Parameter &parameter, Spot spot, const std::string &found) {
    return tokens.error(spot, "the default of `" + parameter.name.text + "` is to be of kind " +
                                  std::string(nameOf(parameter.kind)) + ", found " + found);
  }

  bool input(Input &into) {
    if (!tokens.name(into.name, "an input") || !tokens.expect(":", "the input `" + into.name.text + "`")) return false;
    if (tokens.peek().isName("inout") && tokens.peek(1).kind == Kind::name) {
      tokens.take();
      into.state = true;
    }
    if (!type(into.type)) return false;
    if (!tokens.takeIf("=")) return true;
    return tokens.literal(into.byDefault.emplace());
  }

  bool output(Output &into) {
    return tokens.name(into.name, "an output") && tokens.expect(":", "the output `" + into.name.text + "`") &&
           type(into.type);
  }

  bool type(TensorType &into) {
    if (!tokens.name(into.element, "an element type")) return false;
    into.scalar = !tokens.takeIf("[");
    if (into.scalar) return true;
    return list("]", "an axis", [&] { return tokens.axis(into.dims.emplace_back(), true); });
  }

  bool gradient() {
    tokens.take();
    auto result = std::make_unique<Gradient>();
    result->unit = &unit;
    if (!tokens.name(result->name, "the name of the gradient")) return false;
    if (!tokens.takeName("of")) return tokens.expected("`of` and a kernel behind the name of the gradient");
    if (!tokens.name(result->of, "the kernel to derive")) return false;
    tokens.skipNewlines();
    if (!tokens.expect("{", "the kernel to derive")) return false;
    bool good = true;
    for (tokens.skipNewlines(); !tokens.takeIf("}"); tokens.skipNewlines()) {
      if (tokens.atEnd() || atDeclaration()) return tokens.expected("`}` at the end of the gradient");
      if (clause(*result)) continue;
      good = false;
      recoverStatement();
    }
    if (good) unit.declarations.emplace_back(std::move(result));
    return true;
  }

  bool clause(Gradient &gradient) {
    Token keyword = tokens.peek();
    std::vector<Name> *into = keyword.isName("of")      ? &gradient.cotangents
                              : keyword.isName("wrt")   ? &gradient.wrt
                              : keyword.isName("given") ? &gradient.given
                                                        : nullptr;
    if (!into) return tokens.expected("`of`, `wrt` or `given`");
    tokens.take();
    std::string word(keyword.text);
    if (!into->empty()) return tokens.error(keyword.spot, "a second `" + word + "` in one gradient");
    do {
      tokens.skipNewlines();
      if (!tokens.name(into->emplace_back(), "a name behind `" + word + "`")) return false;
    } while (tokens.takeIf(","));
    return true;
  }

  //===-- Statements -------------------------------------------------------------------------------------------------//

  bool statement(Statement &into) {
    const Token &token = tokens.peek();
    into.spot = token.spot;
    bool keyword = tokens.peek(1).kind == Kind::name;
    if (keyword && token.isName("split")) return split(into.what.emplace<Split>());
    if (keyword && token.isName("let")) return let(into.what.emplace<Let>());
    Assign &assign = into.what.emplace<Assign>();
    if (!tokens.name(assign.name, "a statement: `split`, `let` or the name of an output")) return false;
    return tokens.expect("=", "`" + assign.name.text + "`") && parseExpression(tokens, assign.value);
  }

  bool split(Split &into) {
    tokens.take();
    if (!tokens.axis(into.whole, false) || !tokens.expect("=", "the axis to split")) return false;
    if (!tokens.axis(into.outer, false) || !tokens.expect("*", "the outer factor")) return false;
    if (!tokens.axis(into.inner, false)) return false;
    if (!tokens.takeName("where")) return true;
    if (!tokens.axis(into.fixed.emplace(), false) || !tokens.expect("=", "the factor")) return false;
    return parseExpression(tokens, into.size.emplace());
  }

  bool let(Let &into) {
    tokens.take();
    do
      if (!tokens.name(into.names.emplace_back(), "a name behind `let`")) return false;
    while (tokens.takeIf(","));
    return tokens.expect("=", "the name") && parseExpression(tokens, into.value);
  }

  Unit &unit;
  TokenStream tokens;
};
} // namespace

bool isReserved(std::string_view word) {
  constexpr std::array<std::string_view, 7> words = {"and", "or", "not", "true", "false", "inf", "nan"};
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool TokenStream::error(Spot spot, std::string message) {
  diagnostics.error(spot.place(), std::move(message));
  ++errors;
  return false;
}

bool TokenStream::expected(std::string_view what) {
  if (peek().kind == Token::Kind::invalid) return false;
  return error(peek().spot, "expected " + std::string(what) + ", found " + spelled(peek()));
}

bool TokenStream::expect(std::string_view punctuation, std::string_view behind) {
  if (takeIf(punctuation)) return true;
  return expected("`" + std::string(punctuation) + "` behind " + std::string(behind));
}

bool TokenStream::name(Name &into, std::string_view what) {
  if (peek().kind != Token::Kind::name) return expected(what);
  if (isReserved(peek().text))
    return error(peek().spot, "`" + std::string(peek().text) + "` is reserved and names nothing");
  into = {std::string(peek().text), peek().spot};
  take();
  return true;
}

bool TokenStream::axis(AxisRef &into, bool unnamed) {
  into.spot = peek().spot;
  if (peek().kind == Token::Kind::integer && unnamed) {
    if (peek().text == "1") {
      take();
      return true;
    }
    return error(peek().spot, "an axis has a name: only `1` may stand for an unnamed axis, found `" +
                                  std::string(peek().text.substr(0, 40)) + "`");
  }
  Name word;
  if (!name(word, "an axis")) return false;
  into.name = std::move(word.text);
  into.pack = takeIf("...");
  return true;
}

bool TokenStream::integer(const Token &token, bool negative, int64_t &into) {
  uint64_t value = 0;
  auto [end, failure] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
  constexpr uint64_t most = std::numeric_limits<int64_t>::max();
  if (failure != std::errc() || value > most + negative)
    return error(token.spot, "the integer does not fit 64 bits: write a real, such as 1e20");
  into = static_cast<int64_t>(value);
  return true;
}

bool TokenStream::real(const Token &token, double &into) {
  into = token.text == "inf" ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  if (token.kind == Token::Kind::name) return true;
  auto [end, failure] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), into);
  if (failure == std::errc()) return true;
  // Too large, or too small: from_chars leaves the value alone and does not say which.
  into = std::strtod(std::string(token.text).c_str(), nullptr);
  return std::isfinite(into) || error(token.spot, "the number is beyond the range of f64: write `inf`");
}

bool TokenStream::literal(Literal &into) {
  into.spot = peek().spot;
  bool negative = takeIf("-");
  const Token token = peek();
  into.text = (negative ? "-" : "") + std::string(token.text);
  if (token.kind == Token::Kind::integer) {
    int64_t value = 0;
    take();
    if (!integer(token, negative, value)) return false;
    into.value = negative ? static_cast<int64_t>(-static_cast<uint64_t>(value)) : value;
    return true;
  }
  if (token.kind == Token::Kind::real || token.isName("inf") || token.isName("nan")) {
    double value = 0;
    take();
    if (!real(token, value)) return false;
    into.value = negative ? -value : value;
    return true;
  }
  if (!negative && (token.isName("true") || token.isName("false"))) {
    into.value = take().text == "true";
    return true;
  }
  return expected("a literal, such as 1, 1e-5, inf or true");
}

void parse(Unit &unit, Diagnostics &diagnostics) { Parser(unit, diagnostics).run(); }

std::optional<Literal> parseLiteral(std::string_view text) {
  SourceText source{"", std::string(text)};
  Diagnostics scratch;
  TokenStream tokens(lex(source, scratch), scratch);
  Literal literal;
  if (!tokens.literal(literal) || !tokens.atEnd() || scratch.any()) return std::nullopt;
  literal.spot = {};
  return literal;
}

} // namespace normc
