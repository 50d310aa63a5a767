#ifndef NORMC_COMPILER_FRONTEND_AST_H
#define NORMC_COMPILER_FRONTEND_AST_H
#include "compiler/Diagnostics.h"
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace normc {

/// A file as it was read. Outlives everything that points at it.
struct SourceText {
  std::string path, text;
};

/// A place in a source; columns count bytes from 1.
struct Spot {
  const SourceText *source = nullptr;
  uint32_t line = 0, column = 0;
  Place place() const { return source ? Place{source->path, line, column} : Place{}; }
};

struct Name {
  std::string text;
  Spot spot;
};

/// `c`, `s...`, or the unnamed axis `1` (no name).
struct AxisRef {
  std::string name;
  bool pack = false;
  Spot spot;
  bool unnamed() const { return name.empty(); }
  std::string text() const { return unnamed() ? "1" : pack ? name + "..." : name; }
};

//===-- Expressions --------------------------------------------------------------------------------------------------//

struct CallTail;

struct Expr {
  enum class Kind : uint8_t {
    integer,
    real,
    boolean,
    name,
    negate,
    invert,
    chain,      // operands joined by operators of one precedence, from left to right: never deeper than its parentheses
    comparison, // two operands
    call,
  };
  enum class Op : uint8_t {
    add,
    subtract,
    multiply,
    divide,
    less,
    lessEqual,
    greater,
    greaterEqual,
    equal,
    notEqual,
    conjunction,
    disjunction,
  };

  Kind kind = Kind::integer;
  Spot spot;
  std::string text;  // of a literal as written, of a name, of what is called
  bool pack = false; // of a name: `s...`
  int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::vector<Expr> operands;
  std::vector<std::pair<Op, Spot>> operators; // one fewer than operands
  std::unique_ptr<CallTail> tail;             // of a call with more than operands
};

/// What stands behind the operands of a call: `over a, b across replicas, weights = w`.
struct CallTail {
  std::optional<Spot> overSpot;
  std::vector<AxisRef> over;
  std::optional<Spot> across;
  std::vector<std::pair<Name, Expr>> named;
};

std::string_view spellingOf(Expr::Op op);

//===-- Declarations -------------------------------------------------------------------------------------------------//

struct Literal {
  std::variant<int64_t, double, bool> value;
  std::string text; // as written
  Spot spot;
};

enum class ParameterKind : uint8_t { type, integer, real, boolean, method, function };
/// "type", "int", "real", "bool", "method", "fn"
std::string_view nameOf(ParameterKind kind);

struct Parameter {
  Name name;
  ParameterKind kind = ParameterKind::type;
  bool kindWritten = false;
  /// A literal for int, real and bool, a name for the others; none: it must be bound.
  std::variant<std::monostate, Literal, Name> byDefault;
};

struct TensorType {
  Name element; // an element type or a type parameter
  bool scalar = false;
  std::vector<AxisRef> dims;
};

struct Input {
  Name name;
  TensorType type;
  bool state = false;
  std::optional<Literal> byDefault;
};

struct Output {
  Name name;
  TensorType type;
};

struct Split {
  AxisRef whole, outer, inner;
  std::optional<AxisRef> fixed;
  std::optional<Expr> size;
};

struct Let {
  std::vector<Name> names;
  Expr value;
};

struct Assign {
  Name name;
  Expr value;
};

struct Statement {
  Spot spot;
  std::variant<Split, Let, Assign> what;
};

struct Unit;

struct Function {
  Name name;
  std::vector<Name> arguments;
  Expr body;
  const Unit *unit = nullptr;
  bool recursive = false; // or calls one that is: reported, and never to be expanded
};

struct Kernel {
  Name name;
  std::vector<Parameter> parameters;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  bool outputsInParentheses = false;
  std::vector<Statement> statements;
  const Unit *unit = nullptr;
};

struct Gradient {
  Name name, of;
  std::vector<Name> cotangents, wrt, given;
  const Unit *unit = nullptr;
};

struct Import {
  std::string path; // as written
  Spot spot;
  const Unit *unit = nullptr; // null where it was not found
};

using Declaration = std::variant<Import, std::unique_ptr<Function>, std::unique_ptr<Kernel>, std::unique_ptr<Gradient>>;

/// One parsed file, and what is visible in it: its own declarations and those of all it imports.
struct Unit {
  SourceText source;
  std::vector<Declaration> declarations; // in the order of the text
  bool wellFormed = true;                // it and its imports parsed without an error
  std::map<std::string, const Function *, std::less<>> functions;
  std::map<std::string, const Kernel *, std::less<>> kernels;
  std::map<std::string, const Gradient *, std::less<>> gradients;
};

/// A file with everything it imports.
struct File {
  const Unit *main = nullptr;
  std::vector<std::unique_ptr<Unit>> units; // imported ones before those that import them
  /// The installed activations.norm: where a parameter of kind fn is looked up last. Null where there is none.
  const Unit *activations = nullptr;
  /// Every path where an import or the activations were looked for, whether there is a file or not.
  std::vector<std::string> lookups;
};

/// The `ast` stage: the file's own declarations in canonical layout.
std::string printAst(const Unit &unit);
std::string toText(const Expr &expr);
std::string toText(const TensorType &type);

} // namespace normc
#endif
