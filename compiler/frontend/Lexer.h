#ifndef NORMC_COMPILER_FRONTEND_LEXER_H
#define NORMC_COMPILER_FRONTEND_LEXER_H
#include "compiler/Diagnostics.h"
#include "compiler/frontend/Ast.h"
#include <vector>

namespace normc {

struct Token {
  enum class Kind : uint8_t {
    name,
    integer,
    real,
    string,
    punctuation,
    newline,
    invalid, // has been reported
    end,
  };
  Kind kind = Kind::end;
  Spot spot;
  /// As written, without the quotes of a string. Points into the source.
  std::string_view text;
  /// The first on its line.
  bool first = false;

  bool is(std::string_view punctuation) const { return kind == Kind::punctuation && text == punctuation; }
  bool isName(std::string_view name) const { return kind == Kind::name && text == name; }
};

/// Splits a file into tokens; the last is `end`. Newlines that end no statement are left out: those inside ( ) and [ ],
/// after an operator, a comma or `=`, and before `->`, `{` and `where`. What cannot be read is reported.
std::vector<Token> lex(const SourceText &source, Diagnostics &diagnostics);

/// A declaration or statement starts here: a keyword at the start of a line, followed by what it introduces.
bool startsDeclaration(const Token &token, const Token &next);
bool startsStatement(const Token &token, const Token &next);

} // namespace normc
#endif
