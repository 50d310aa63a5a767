#ifndef NORMC_COMPILER_FRONTEND_RESOLVEEXPRESSION_H
#define NORMC_COMPILER_FRONTEND_RESOLVEEXPRESSION_H
#include "compiler/frontend/AxisTable.h"
#include "compiler/frontend/Bindings.h"

namespace normc {

/// A name that stands for a value in a kernel.
struct Symbol {
  enum class Role : uint8_t { parameter, input, state, output, let };
  Role role = Role::let;
  Spot spot;
  NodeId value = noNode; // of an output: what it was assigned
};
using Scope = std::map<std::string, Symbol, std::less<>>;

/// Turns expressions into nodes of a graph, and reports what is wrong with them. Erroneous ones are `poison`.
class ExpressionResolver {
public:
  /// A fn is checked by itself where `scope` is null.
  ExpressionResolver(const File &file, const Unit &unit, Graph &graph, const AxisTable *table, const Bindings *bindings,
                     const Scope *scope, Diagnostics &diagnostics)
      : file(file), unit(unit), graph(graph), table(table), bindings(bindings), scope(scope), diagnostics(diagnostics) {
  }

  /// The statement at hand: which axes it sees.
  size_t statement = 0;
  /// Calls of fns are left unexpanded: each gives a value of unknown kind over the axes of its arguments.
  bool opaqueCalls = false;

  NodeId value(const Expr &expr);
  /// The mean and the variance, where the expression is a call of `moments`; false where it is anything else.
  bool moments(const Expr &expr, NodeId &mean, NodeId &variance);
  /// The size of a factor: exact arithmetic on integers known before anything is computed.
  NodeId factorSize(const Expr &expr);
  /// The body of a fn, its arguments unknown.
  void checkFunction(const Function &function);

private:
  using Arguments = std::map<std::string, NodeId, std::less<>>;

  NodeId error(Spot spot, std::string message);
  std::string hint(std::string_view name, const std::vector<std::string> &candidates) const;
  NodeId evaluate(const Expr &expr);
  NodeId name(const Expr &expr);
  NodeId unknownName(const Expr &expr);
  NodeId chain(const Expr &expr);
  NodeId binary(Expr::Op op, NodeId a, NodeId b, Spot spot);
  NodeId call(const Expr &expr);
  NodeId opaque(int64_t identity, const std::vector<NodeId> &operands, Spot spot);
  NodeId callFunction(const Function &function, const std::vector<NodeId> &operands, Spot spot);
  NodeId callParameter(const Bound &bound, const Expr &expr);
  NodeId callBuiltin(const Builtin &builtin, const Expr &expr);
  NodeId elementwise(Builtin::Kind kind, const std::vector<NodeId> &operands, Spot spot);
  NodeId cast(const Expr &expr);

  // In ResolveReduction.cpp: what knows of axes.
  bool axis(const AxisRef &ref, unsigned &into);
  bool axisOperand(const Expr &call, unsigned &into);
  bool overSet(const Expr &call, AxisSet &over);
  NodeId size(const Expr &expr);
  NodeId index(const Expr &expr);
  NodeId indexOf(unsigned axis, Spot spot);
  NodeId at(const Expr &expr);
  NodeId count(const Expr &expr);
  NodeId reduce(const Builtin &builtin, const Expr &expr);
  bool rangesOver(NodeId value, AxisSet over, const Expr &call);
  bool method(const Expr &expr, unsigned &into);

  const File &file;
  const Unit &unit;
  Graph &graph;
  const AxisTable *table;
  const Bindings *bindings;
  const Scope *scope;
  Diagnostics &diagnostics;

  const Function *inside = nullptr;     // the fn whose body is evaluated
  const Arguments *arguments = nullptr; // its arguments
  bool inFactor = false;
  int depth = 0;
  std::map<std::pair<const Function *, std::vector<NodeId>>, NodeId> results; // of fns: shared, not copied
};

} // namespace normc
#endif
