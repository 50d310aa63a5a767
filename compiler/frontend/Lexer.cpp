#include "compiler/frontend/Lexer.h"
#include <algorithm>
#include <array>

namespace normc {
namespace {
using Kind = Token::Kind;

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }

/// Bytes of the UTF-8 character at `at`; 0 where it is not one (overlong forms and surrogates are not).
size_t utf8Length(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  auto follows = [&](size_t i) { return (byte(i) >> 6) == 2; };
  unsigned a = byte(0);
  if (a < 0x80) return 1;
  if (a >= 0xc2 && a <= 0xdf) return follows(1) ? 2 : 0;
  if (a >= 0xe0 && a <= 0xef) {
    if (!follows(1) || !follows(2) || (a == 0xe0 && byte(1) < 0xa0) || (a == 0xed && byte(1) > 0x9f)) return 0;
    return 3;
  }
  if (a >= 0xf0 && a <= 0xf4) {
    if (!follows(1) || !follows(2) || !follows(3) || (a == 0xf0 && byte(1) < 0x90) || (a == 0xf4 && byte(1) > 0x8f))
      return 0;
    return 4;
  }
  return 0;
}

/// What to write in place of signs that mathematics and other languages use.
struct Foreign {
  std::string_view sign, instead;
};
constexpr std::array<Foreign, 16> foreignSigns = {{{"**", "`pow(a, b)`"},
                                                   {"^", "`pow(a, b)`"},
                                                   {"&&", "`and`"},
                                                   {"&", "`and`"},
                                                   {"||", "`or`"},
                                                   {"|", "`or`"},
                                                   {"!", "`not`"},
                                                   {";", "a new line"},
                                                   {"−", "`-`"},
                                                   {"×", "`*`"},
                                                   {"·", "`*`"},
                                                   {"÷", "`/`"},
                                                   {"≤", "`<=`"},
                                                   {"≥", "`>=`"},
                                                   {"≠", "`!=`"},
                                                   {"…", "`...`"}}};

/// A newline after one of these ends nothing.
bool continues(const Token &token) {
  if (token.kind == Kind::name) return token.text == "and" || token.text == "or" || token.text == "not";
  if (token.kind != Kind::punctuation) return false;
  constexpr std::array<std::string_view, 13> marks = {"+",  "-",  "*",  "/", "<", "<=", ">",
                                                      ">=", "==", "!=", ",", "=", "->"};
  return std::find(marks.begin(), marks.end(), token.text) != marks.end();
}

class Lexer {
public:
  Lexer(const SourceText &source, Diagnostics &diagnostics)
      : source(source), text(source.text), diagnostics(diagnostics) {}

  std::vector<Token> run() {
    if (text.substr(0, 3) == "\xef\xbb\xbf") at = 3;
    while (at < text.size()) next();
    push(Kind::end, at, 0);
    return dropNewlines();
  }

private:
  Spot spotAt(size_t offset) const { return {&source, line, static_cast<uint32_t>(offset - lineStart + 1)}; }

  void push(Kind kind, size_t begin, size_t length) {
    tokens.push_back({kind, spotAt(begin), text.substr(begin, length), first});
    first = false;
    at = begin + length;
  }

  void next() {
    char c = text[at];
    if (c == '\n') {
      push(Kind::newline, at, 1);
      ++line, lineStart = at, first = true;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
      ++at;
    } else if (text.substr(at, 2) == "//") {
      comment();
    } else if (isNameStart(c)) {
      size_t end = at;
      while (end < text.size() && isNamePart(text[end])) ++end;
      push(Kind::name, at, end - at);
    } else if (isDigit(c) || (c == '.' && at + 1 < text.size() && isDigit(text[at + 1]))) {
      number();
    } else if (c == '"') {
      string();
    } else {
      punctuation();
    }
  }

  void comment() {
    size_t end = std::min(text.find('\n', at), text.size());
    for (; at < end;) {
      size_t length = utf8Length(text, at);
      if (!length) invalidUtf8();
      at += std::max<size_t>(length, 1);
    }
  }

  void number() {
    size_t begin = at, end = at;
    bool real = false;
    auto digits = [&] {
      while (end < text.size() && isDigit(text[end])) ++end;
    };
    digits();
    // The dots of `1...` are not a decimal point.
    if (end < text.size() && text[end] == '.' && text.substr(end, 2) != "..") {
      real = true;
      ++end;
      digits();
    }
    if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
      if (exponent < text.size() && isDigit(text[exponent])) {
        real = true;
        end = exponent;
        digits();
      }
    }
    if (end < text.size() && isNamePart(text[end])) {
      while (end < text.size() && isNamePart(text[end])) ++end;
      std::string found(text.substr(begin, std::min<size_t>(end - begin, 40)));
      diagnostics.error(spotAt(begin).place(),
                        "malformed number `" + found + "`: expected digits such as 32, 0.5 or 1e-5");
    }
    push(real ? Kind::real : Kind::integer, begin, end - begin);
  }

  void string() {
    size_t end = at + 1;
    while (end < text.size() && text[end] != '"' && text[end] != '\n') {
      size_t length = utf8Length(text, end);
      if (!length || text[end] == '\0') {
        diagnostics.error(spotAt(end).place(), "a string holds text in UTF-8 only");
        length = 1;
      }
      end += length;
    }
    bool closed = end < text.size() && text[end] == '"';
    if (!closed) diagnostics.error(spotAt(at).place(), "the string has no closing quote on its line");
    push(Kind::string, at, end - at);
    tokens.back().text.remove_prefix(1);
    at = end + closed;
  }

  void punctuation() {
    for (const Foreign &foreign : foreignSigns)
      if (text.substr(at, foreign.sign.size()) == foreign.sign && text.substr(at, 2) != "!=") {
        diagnostics.error(spotAt(at).place(),
                          "unexpected `" + std::string(foreign.sign) + "`: write " + std::string(foreign.instead));
        return push(Kind::invalid, at, foreign.sign.size());
      }
    // Longer ones first.
    constexpr std::array<std::string_view, 21> marks = {"...", "->", "<=", ">=", "==", "!=", "(", ")", "[", "]", "{",
                                                        "}",   "<",  ">",  "+",  "-",  "*",  "/", "=", ",", ":"};
    for (std::string_view mark : marks)
      if (text.substr(at, mark.size()) == mark) return push(Kind::punctuation, at, mark.size());
    unexpected();
  }

  void unexpected() {
    size_t length = utf8Length(text, at);
    if (!length) {
      invalidUtf8();
      size_t end = at;
      while (end < text.size() && !utf8Length(text, end)) ++end;
      return push(Kind::invalid, at, end - at);
    }
    std::string_view character = text.substr(at, length);
    unsigned char code = character[0];
    std::string message = "unexpected character `" + std::string(character) + "`";
    if (code < 0x20 || code == 0x7f) message = "unexpected control character " + std::to_string(code);
    diagnostics.error(spotAt(at).place(), message);
    // A run of the same character is one mistake.
    size_t end = at;
    while (text.substr(end, length) == character) end += length;
    push(Kind::invalid, at, end - at);
  }

  void invalidUtf8() {
    if (!utf8Reported) diagnostics.error(spotAt(at).place(), "invalid UTF-8: a .norm file is text in UTF-8");
    utf8Reported = true;
  }

  std::vector<Token> dropNewlines() {
    std::vector<Token> kept;
    kept.reserve(tokens.size());
    size_t depth = 0;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const Token &token = tokens[i];
      const Token &next = tokens[std::min(i + 1, tokens.size() - 1)];
      if (token.kind == Kind::newline) {
        // A bracket that is never closed must not swallow the rest of the file.
        size_t j = std::min(i + 2, tokens.size() - 1);
        if (startsDeclaration(next, tokens[j]) || startsStatement(next, tokens[j])) depth = 0;
        if (depth || kept.empty() || kept.back().kind == Kind::newline || continues(kept.back())) continue;
        if (next.kind == Kind::newline || next.is("->") || next.is("{") || next.isName("where")) continue;
      } else if (token.is("(") || token.is("[")) {
        ++depth;
      } else if (token.is(")") || token.is("]")) {
        depth -= depth > 0;
      } else if (token.is("{") || token.is("}")) {
        depth = 0;
      }
      kept.push_back(token);
    }
    return kept;
  }

  const SourceText &source;
  std::string_view text;
  Diagnostics &diagnostics;
  std::vector<Token> tokens;
  size_t at = 0, lineStart = 0;
  uint32_t line = 1;
  bool first = true, utf8Reported = false;
};
} // namespace

std::vector<Token> lex(const SourceText &source, Diagnostics &diagnostics) { return Lexer(source, diagnostics).run(); }

bool startsDeclaration(const Token &token, const Token &next) {
  if (!token.first || token.kind != Kind::name) return false;
  if (token.text == "import") return next.kind == Kind::string;
  return (token.text == "kernel" || token.text == "fn" || token.text == "gradient") && next.kind == Kind::name;
}

bool startsStatement(const Token &token, const Token &next) {
  return token.first && (token.isName("let") || token.isName("split")) && next.kind == Kind::name;
}

} // namespace normc
