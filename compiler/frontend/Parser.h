#ifndef NORMC_COMPILER_FRONTEND_PARSER_H
#define NORMC_COMPILER_FRONTEND_PARSER_H
#include "compiler/frontend/Lexer.h"

namespace normc {

/// Parses `unit.source` into `unit.declarations`. Reports every syntax error it can tell apart, taking up again at the
/// next statement or declaration; what did not parse is left out.
void parse(Unit &unit, Diagnostics &diagnostics);

/// A literal as `-D` or a default writes it: `32`, `-1e-5`, `inf`, `true`. Empty where the text is anything else.
std::optional<Literal> parseLiteral(std::string_view text);

/// A word that can name nothing: `and or not true false inf nan`.
bool isReserved(std::string_view word);

/// The parser's view of the tokens, shared by declarations and expressions.
class TokenStream {
public:
  TokenStream(std::vector<Token> tokens, Diagnostics &diagnostics)
      : tokens(std::move(tokens)), diagnostics(diagnostics) {}

  const Token &peek(size_t ahead = 0) const { return tokens[position(ahead)]; }
  Token take() {
    Token token = peek();
    at = std::min(position(0) + 1, tokens.size() - 1);
    return token;
  }
  /// Inside a parameter list newlines end nothing.
  bool ignoreNewlines = false;
  bool takeIf(std::string_view punctuation) {
    if (!peek().is(punctuation)) return false;
    take();
    return true;
  }
  bool takeName(std::string_view word) {
    if (!peek().isName(word)) return false;
    take();
    return true;
  }
  void skipNewlines() {
    while (peek().kind == Token::Kind::newline) take();
  }
  bool atEnd() const { return peek().kind == Token::Kind::end; }

  /// Reports "expected <what>, found <token>" here; returns false.
  bool expected(std::string_view what);
  bool error(Spot spot, std::string message);
  bool expect(std::string_view punctuation, std::string_view behind);
  /// A word that is not reserved.
  bool name(Name &into, std::string_view what);
  /// `c`, `s...` or, where `unnamed`, `1`.
  bool axis(AxisRef &into, bool unnamed);
  bool integer(const Token &token, bool negative, int64_t &into);
  bool real(const Token &token, double &into);
  bool literal(Literal &into);
  bool tooMany() const { return errors >= 50; }

private:
  size_t position(size_t ahead) const {
    size_t i = at;
    for (;; ++i) {
      while (ignoreNewlines && tokens[i].kind == Token::Kind::newline) ++i; // the last is no newline
      if (i + 1 == tokens.size() || !ahead--) return i;
    }
  }

  std::vector<Token> tokens;
  Diagnostics &diagnostics;
  size_t at = 0, errors = 0;
};

/// Parses one expression; false where it is malformed, which has been reported.
bool parseExpression(TokenStream &tokens, Expr &into);

} // namespace normc
#endif
