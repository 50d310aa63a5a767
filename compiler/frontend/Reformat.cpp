#include "compiler/frontend/Reformat.h"
#include "compiler/frontend/Parser.h"
#include <algorithm>
#include <utility>

namespace normc {
namespace {
using Kind = Token::Kind;

struct Comment {
  std::string_view text;
  unsigned lines; // that end between what stands before and it
};

/// A token with what stands before it.
struct Piece {
  Token token;
  std::string_view text; // with the quotes of a string
  std::vector<Comment> comments;
  unsigned lines = 0;     // that end between the last comment, or the token before, and it
  bool startsNew = false; // a statement or a declaration ended before it

  bool is(std::string_view punctuation) const { return token.is(punctuation); }
};

std::vector<Piece> piecesOf(const SourceText &source, Diagnostics &diagnostics) {
  std::string_view text = source.text;
  std::vector<Piece> pieces;
  size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  bool startsNew = false;
  for (const Token &token : lex(source, diagnostics)) {
    if (token.kind == Kind::newline) {
      startsNew = true;
      continue;
    }
    Piece piece{token, token.text, {}, 0, std::exchange(startsNew, false)};
    size_t begin = token.kind == Kind::end ? text.size() : static_cast<size_t>(token.text.data() - text.data());
    if (token.kind == Kind::string) piece.text = text.substr(--begin, token.text.size() + 2);
    while (at < begin) {
      if (text[at] == '/') {
        size_t end = std::min(text.find('\n', at), text.size());
        std::string_view comment = text.substr(at, end - at);
        while (comment.ends_with(' ') || comment.ends_with('\t') || comment.ends_with('\r') || comment.ends_with('\f'))
          comment.remove_suffix(1);
        piece.comments.push_back({comment, std::exchange(piece.lines, 0)});
        at = end;
      } else {
        piece.lines += text[at++] == '\n';
      }
    }
    at = begin + piece.text.size();
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

bool isWord(const Piece &piece) {
  return piece.token.isName("and") || piece.token.isName("or") || piece.token.isName("not");
}

/// Whether a value may end here: a `-` behind it subtracts.
bool endsValue(const Piece &piece) {
  if (piece.token.kind == Kind::name) return !isWord(piece);
  return piece.token.kind == Kind::integer || piece.token.kind == Kind::real || piece.is(")") || piece.is("]") ||
         piece.is("...");
}

/// Blank lines before something.
enum class Blank { never, keep, always };

class Formatter {
public:
  explicit Formatter(std::vector<Piece> pieces) : pieces(std::move(pieces)) {}

  std::string run() {
    std::string_view before;
    while (here().token.kind != Kind::end) {
      std::string_view keyword = here().text;
      bool packed = keyword == before && (keyword == "fn" || keyword == "import");
      Blank blank = before.empty() ? Blank::never : packed ? Blank::keep : Blank::always;
      before = keyword;
      begin(0, blank);
      if (keyword == "kernel") kernel();
      else if (keyword == "gradient") gradient();
      else tokens(4);
    }
    begin(0, before.empty() ? Blank::never : Blank::keep);
    return finish();
  }

private:
  static constexpr size_t longest = 120;

  struct Line {
    std::string code, comment; // the comment behind it
  };

  const Piece &here() const { return pieces[at]; }

  void newLine(size_t indent, bool blank) {
    if (started) lines.push_back(std::move(line));
    if (started && blank) lines.emplace_back();
    line = {std::string(indent, ' '), {}};
    started = true;
  }
  void add(std::string_view text) { line.code += text; }

  /// The next token on a line of its own, with its comments; those stand at `inner`.
  void begin(size_t indent, Blank blank, size_t inner) {
    bool first = true;
    auto wants = [&](unsigned gap) {
      Blank wanted = std::exchange(first, false) ? blank : Blank::keep;
      return wanted == Blank::always || (wanted == Blank::keep && gap > 1);
    };
    for (const Comment &comment : here().comments) {
      if (comment.lines == 0 && started && line.comment.empty()) {
        line.comment = comment.text;
        continue;
      }
      newLine(inner, wants(comment.lines));
      add(comment.text);
    }
    if (here().token.kind == Kind::end) return;
    bool closes = here().is("}") || here().is(")");
    newLine(indent, !closes && wants(here().lines));
    add(here().text);
    ++at;
  }
  void begin(size_t indent, Blank blank) { begin(indent, blank, indent); }

  /// The next token on the line at hand, or where the author or a comment breaks the line, at `column` of the next.
  void put(bool space, size_t column, bool joins = false) {
    bool breaks = here().lines > 0 && !joins;
    for (const Comment &comment : here().comments) {
      if (comment.lines == 0 && line.comment.empty()) {
        line.comment = comment.text;
      } else {
        newLine(column, false);
        add(comment.text);
      }
      breaks = true;
    }
    if (breaks) newLine(column, false);
    else if (space) add(" ");
    add(here().text);
    ++at;
  }

  /// Whether the next token stands apart from the one before it; `unary`: that is a sign.
  bool isApart(bool unary) const {
    const Piece &before = pieces[at - 1], &next = here();
    if (before.is("(") || before.is("[") || unary) return false;
    if (next.is(")") || next.is("]") || next.is(",") || next.is(":") || next.is("...") || next.is("[")) return false;
    if (next.is("(")) return before.token.kind != Kind::name || isWord(before);
    return true;
  }

  /// A comma before a closing bracket says nothing.
  void dropComma(std::string_view close) {
    if (!here().is(",") || !pieces[at + 1].is(close)) return;
    auto &comments = pieces[at + 1].comments;
    comments.insert(comments.begin(), here().comments.begin(), here().comments.end());
    ++at;
  }

  /// Tokens up to where a statement or declaration ends, or to one of these outside of brackets. Lines that go on
  /// begin behind the bracket that is open, else at `column`.
  template <typename... Marks> void tokens(size_t column, Marks... marks) {
    std::vector<size_t> brackets;
    auto dropCommas = [&] { dropComma(")"), dropComma("]"); };
    dropCommas();
    for (bool unary = false; here().token.kind != Kind::end;) {
      bool ends = here().startsNew || here().is("}") || (here().is(marks) || ...);
      if (brackets.empty() && ends) return;
      bool isSign = here().is("-") && !endsValue(pieces[at - 1]);
      bool opens = here().is("(") || here().is("[");
      if ((here().is(")") || here().is("]")) && !brackets.empty()) {
        put(isApart(unary), brackets.back());
        brackets.pop_back();
      } else {
        put(isApart(unary), brackets.empty() ? column : brackets.back());
      }
      unary = isSign;
      // What follows a bracket at the end of its line stands farther in than that.
      bool hangs = here().lines > 0 || !here().comments.empty();
      if (opens) brackets.push_back(hangs ? line.code.find_first_not_of(' ') + 4 : line.code.size());
      dropCommas();
    }
  }

  void kernel() {
    put(true, 4, true);
    if (here().is("<")) parameters();
    inputs();
    put(true, 4, true); // ->
    bool several = here().is("(");
    put(true, 4, true);
    size_t column = line.code.size();
    if (several) {
      tokens(column, ")");
      put(false, column);
    } else {
      tokens(4, "{");
    }
    put(true, 0, true); // {
    for (Blank blank = Blank::never; !here().is("}"); blank = Blank::keep) {
      begin(2, blank);
      tokens(6);
    }
    begin(0, Blank::never, 2);
  }

  void parameters() {
    put(false, 4, true);
    size_t column = line.code.size();
    for (bool apart = false; !here().is(">"); dropComma(">")) {
      put(apart && isApart(pieces[at - 1].is("-")), column, !apart);
      apart = true;
    }
    put(false, column, true);
  }

  /// One a line, where the author has several lines or one does not hold them.
  void inputs() {
    size_t close = at, width = 0, length = line.code.size();
    bool breaks = false;
    for (size_t depth = 0;; ++close) {
      const Piece &piece = pieces[close];
      depth += piece.is("(") || piece.is("[");
      depth -= piece.is(")") || piece.is("]");
      if (depth == 1 && piece.is(":")) width = std::max(width, pieces[close - 1].text.size());
      length += piece.text.size() + (piece.is(",") || piece.is(":")) + 2 * piece.is("=");
      breaks |= close > at && (piece.lines > 0 || !piece.comments.empty());
      if (depth == 0) break;
    }
    for (size_t i = close + 1; !pieces[i].is("{"); ++i) length += pieces[i].text.size() + 1;
    put(false, 4, true); // (
    if (!breaks && length <= longest) {
      tokens(4, ")");
      return put(false, 4);
    }
    for (Blank blank = Blank::never; !here().is(")"); blank = Blank::keep) {
      size_t name = here().text.size();
      begin(4, blank);
      put(false, 8, true); // :
      add(std::string(width - name, ' '));
      tokens(8, ",", ")");
      if (here().is(",")) put(false, 8, true);
    }
    begin(0, Blank::never, 4);
  }

  void gradient() {
    while (!here().is("{")) put(true, 4, true);
    put(true, 0, true);
    size_t width = 0;
    for (size_t i = at; !pieces[i].is("}"); ++i)
      if (isClause(i)) width = std::max(width, pieces[i].text.size());
    for (Blank blank = Blank::never; !here().is("}"); blank = Blank::keep) {
      size_t keyword = here().text.size();
      begin(2, blank);
      add(std::string(width - keyword, ' '));
      bool first = true;
      while (!here().is("}") && !isClause(at)) put(!here().is(","), 3 + width, std::exchange(first, false));
    }
    begin(0, Blank::never, 2);
  }

  /// Whether a gradient's `of`, `wrt` or `given` stands here: behind a whole list.
  bool isClause(size_t i) const {
    if (pieces[i - 1].is("{")) return true;
    return pieces[i].token.kind == Kind::name && pieces[i - 1].token.kind == Kind::name && !isClause(i - 1);
  }

  std::string finish() {
    if (started) lines.push_back(std::move(line));
    std::string text;
    for (size_t i = 0; i < lines.size();) {
      // Comments behind lines that follow each other stand below each other.
      size_t end = i, width = 0;
      for (; end < lines.size() && !lines[end].comment.empty(); ++end) width = std::max(width, lines[end].code.size());
      for (; i < end; ++i)
        text.append(lines[i].code).append(width - lines[i].code.size() + 1, ' ').append(lines[i].comment) += '\n';
      if (i < lines.size()) text.append(lines[i++].code) += '\n';
    }
    return text;
  }

  std::vector<Piece> pieces;
  size_t at = 0;
  std::vector<Line> lines;
  Line line;
  bool started = false;
};

bool read(Unit &unit, Diagnostics &diagnostics) {
  parse(unit, diagnostics);
  return !diagnostics.any();
}

} // namespace

std::optional<std::string> reformat(const std::string &path, const std::string &text, Diagnostics &diagnostics) {
  Unit before;
  before.source = {path, text};
  Diagnostics errors;
  if (!read(before, errors)) {
    diagnostics.append(errors);
    return std::nullopt;
  }
  Unit after;
  after.source = {path, Formatter(piecesOf(before.source, errors)).run()};
  if (!read(after, errors) || printAst(before) != printAst(after)) {
    diagnostics.error({path}, "internal error: its canonical layout would mean something else", Fault::system);
    return std::nullopt;
  }
  return std::move(after.source.text);
}

} // namespace normc
