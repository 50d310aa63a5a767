#include "compiler/frontend/ResolveExpression.h"

namespace normc {
namespace {
/// Levels of expressions and calls of fns: a bound on the stack.
constexpr int deepest = 500;

std::string plural(size_t count, const std::string &what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}
} // namespace

NodeId ExpressionResolver::error(Spot spot, std::string message) {
  diagnostics.error(spot.place(), std::move(message));
  return poison;
}

std::string ExpressionResolver::hint(std::string_view name, const std::vector<std::string> &candidates) const {
  std::string near = nearestName(name, candidates);
  return near.empty() ? "" : ": did you mean `" + near + "`";
}

NodeId ExpressionResolver::value(const Expr &expr) {
  bool before = graph.overflowed();
  NodeId result = evaluate(expr);
  if (graph.overflowed() && !before)
    error(expr.spot, "the kernel has more than " + std::to_string(Graph::mostNodes) + " operations");
  return result;
}

NodeId ExpressionResolver::factorSize(const Expr &expr) {
  inFactor = true;
  NodeId size = value(expr);
  inFactor = false;
  if (size == poison) return poison;
  size = graph.toNumber(size, expr.spot);
  if (graph[size].kind != ValueKind::integer) return error(expr.spot, "a factor is an integer, found a real");
  return size;
}

void ExpressionResolver::checkFunction(const Function &function) {
  Arguments unknowns;
  for (size_t i = 0; i < function.arguments.size(); ++i) {
    NodeKey key;
    key.op = NodeOp::argument, key.payload = static_cast<int64_t>(i);
    unknowns[function.arguments[i].text] = graph.make(key, function.arguments[i].spot);
  }
  inside = &function;
  arguments = &unknowns;
  opaqueCalls = true; // what it calls is checked by itself
  value(function.body);
}

NodeId ExpressionResolver::evaluate(const Expr &expr) {
  if (depth >= deepest)
    return error(expr.spot, "expressions and calls nest more than " + std::to_string(deepest) + " levels deep");
  // What is over the limit has been reported, and must not take time; nor must a thousand errors.
  if (graph.overflowed() || diagnostics.count() > 1000) return poison;
  ++depth;
  NodeId result = poison;
  switch (expr.kind) {
  case Expr::Kind::integer:
    result = graph.constant(expr.integer, expr.spot);
    break;
  case Expr::Kind::real:
    result = inFactor ? error(expr.spot, "a factor is exact integer arithmetic, found the real `" + expr.text + "`")
                      : graph.constant(expr.real, expr.spot);
    break;
  case Expr::Kind::boolean:
    result = graph.constant(expr.boolean, expr.spot);
    break;
  case Expr::Kind::name:
    result = name(expr);
    break;
  case Expr::Kind::negate:
    result = graph.negate(evaluate(expr.operands[0]), expr.spot);
    break;
  case Expr::Kind::invert:
    result = graph.invert(evaluate(expr.operands[0]), expr.spot);
    break;
  case Expr::Kind::chain:
  case Expr::Kind::comparison:
    result = chain(expr);
    break;
  case Expr::Kind::call:
    result = call(expr);
    break;
  }
  --depth;
  return result;
}

NodeId ExpressionResolver::chain(const Expr &expr) {
  NodeId left = evaluate(expr.operands[0]);
  for (size_t i = 1; i < expr.operands.size(); ++i)
    left = binary(expr.operators[i - 1].first, left, evaluate(expr.operands[i]), expr.operators[i - 1].second);
  return left;
}

NodeId ExpressionResolver::binary(Expr::Op op, NodeId a, NodeId b, Spot spot) {
  using Op = Expr::Op;
  switch (op) {
  case Op::add:
    return graph.arithmetic(NodeOp::add, a, b, spot);
  case Op::subtract:
    return graph.arithmetic(NodeOp::subtract, a, b, spot);
  case Op::multiply:
    return graph.arithmetic(NodeOp::multiply, a, b, spot);
  case Op::divide: {
    if (!inFactor) return graph.arithmetic(NodeOp::divide, a, b, spot);
    NodeId quotient = graph.exactDivide(a, b, spot);
    auto *dividend = std::get_if<int64_t>(&graph[a].known), *divisor = std::get_if<int64_t>(&graph[b].known);
    if (dividend && divisor && std::holds_alternative<std::monostate>(graph[quotient].known))
      return error(spot, std::to_string(*dividend) + " / " + std::to_string(*divisor) +
                             " is not an integer: the division in a factor must be exact");
    return quotient;
  }
  case Op::less:
    return graph.compare(NodeOp::less, a, b, spot);
  case Op::lessEqual:
    return graph.compare(NodeOp::lessEqual, a, b, spot);
  case Op::greater:
    return graph.compare(NodeOp::less, b, a, spot);
  case Op::greaterEqual:
    return graph.compare(NodeOp::lessEqual, b, a, spot);
  case Op::equal:
    return graph.compare(NodeOp::equal, a, b, spot);
  case Op::notEqual:
    return graph.compare(NodeOp::notEqual, a, b, spot);
  case Op::conjunction:
    return graph.logical(NodeOp::conjunction, a, b, spot);
  case Op::disjunction:
    return graph.logical(NodeOp::disjunction, a, b, spot);
  }
  return poison;
}

NodeId ExpressionResolver::name(const Expr &expr) {
  if (expr.pack) return error(expr.spot, "`" + expr.text + "...` is a pack of axes, not a value");
  if (arguments) {
    auto found = arguments->find(expr.text);
    return found == arguments->end() ? unknownName(expr) : found->second;
  }
  auto found = scope->find(expr.text);
  if (found == scope->end()) return unknownName(expr);
  const Symbol &symbol = found->second;
  if (symbol.value == noNode) return error(expr.spot, "the output `" + expr.text + "` is read before it is assigned");
  if (inFactor && symbol.role != Symbol::Role::parameter)
    return error(expr.spot, "a factor is made of integers, int parameters and size(axis), found `" + expr.text + "`");
  return symbol.value;
}

NodeId ExpressionResolver::unknownName(const Expr &expr) {
  const std::string &text = expr.text;
  std::vector<std::string> candidates;
  if (arguments) {
    for (const auto &entry : *arguments) candidates.push_back(entry.first);
    return error(expr.spot,
                 "`" + text + "` is not an argument of the fn `" + inside->name.text + "`" + hint(text, candidates));
  }
  if (auto bound = bindings->find(text); bound != bindings->end())
    return error(expr.spot, "`" + text + "` is a parameter of kind " +
                                std::string(nameOf(bound->second.parameter->kind)) + ", not a value");
  if (table->find(text) >= 0)
    return error(expr.spot, "`" + text + "` is an axis, not a value: write size(" + text + ") or index(" + text + ")");
  if (builtinNamed(text) || unit.functions.count(text))
    return error(expr.spot, "`" + text + "` is a function: write " + text + "(...)");
  for (const auto &entry : *scope) candidates.push_back(entry.first);
  return error(expr.spot, "unknown value `" + text + "`" + hint(text, candidates));
}

NodeId ExpressionResolver::call(const Expr &expr) {
  if (!arguments && bindings)
    if (auto bound = bindings->find(expr.text);
        bound != bindings->end() && bound->second.parameter->kind == ParameterKind::function)
      return callParameter(bound->second, expr);
  if (const Builtin *builtin = builtinNamed(expr.text)) return callBuiltin(*builtin, expr);

  const Unit &visible = inside ? *inside->unit : unit;
  auto found = visible.functions.find(expr.text);
  if (found == visible.functions.end()) {
    if (!visible.wellFormed) return poison; // it may be one that did not parse
    std::vector<std::string> candidates = builtinNames();
    for (const auto &entry : visible.functions) candidates.push_back(entry.first);
    if (!arguments && bindings)
      for (const auto &[name, bound] : *bindings)
        if (bound.parameter->kind == ParameterKind::function) candidates.push_back(name);
    std::string help = hint(expr.text, candidates);
    if (file.activations && file.activations->functions.count(expr.text)) help = ": add `import \"activations.norm\"`";
    else if (scope && scope->count(expr.text)) help = ": it is a value";
    return error(expr.spot, "unknown function `" + expr.text + "`" + help);
  }
  const Function &function = *found->second;
  if (expr.tail) return error(expr.spot, "the fn `" + expr.text + "` takes plain arguments only");
  std::vector<NodeId> operands;
  for (const Expr &operand : expr.operands) operands.push_back(evaluate(operand));
  if (operands.size() != function.arguments.size())
    return error(expr.spot, "`" + expr.text + "` takes " + plural(function.arguments.size(), "argument") + ", found " +
                                std::to_string(operands.size()));
  return callFunction(function, operands, expr.spot);
}

NodeId ExpressionResolver::opaque(int64_t identity, const std::vector<NodeId> &operands, Spot spot) {
  NodeKey key;
  key.op = NodeOp::opaque, key.payload = identity;
  // Of more operands than a node has, the axes are all that is of interest.
  for (size_t i = 0; i < operands.size(); ++i) {
    key.axes |= graph[operands[i]].axes;
    if (i < key.operands.size()) key.operands[i] = operands[i];
  }
  return graph.make(key, spot);
}

NodeId ExpressionResolver::callFunction(const Function &function, const std::vector<NodeId> &operands, Spot spot) {
  if (function.recursive) return poison; // reported where it is declared
  for (NodeId operand : operands)
    if (operand == poison) return poison;
  if (inFactor) return error(spot, "a factor is exact integer arithmetic: it calls no fn");
  if (opaqueCalls) return opaque(reinterpret_cast<intptr_t>(&function), operands, spot);
  auto key = std::make_pair(&function, operands);
  if (auto known = results.find(key); known != results.end()) return known->second;
  Arguments frame;
  for (size_t i = 0; i < operands.size(); ++i) frame[function.arguments[i].text] = operands[i];
  const Function *outerFunction = std::exchange(inside, &function);
  const Arguments *outerArguments = std::exchange(arguments, &frame);
  NodeId result = evaluate(function.body);
  inside = outerFunction;
  arguments = outerArguments;
  if (depth < deepest) results.emplace(std::move(key), result);
  return result;
}

NodeId ExpressionResolver::callParameter(const Bound &bound, const Expr &expr) {
  if (expr.tail || expr.operands.size() != 1)
    return error(expr.spot, "`" + expr.text + "` is a parameter of kind fn: it takes 1 argument, found " +
                                std::to_string(expr.operands.size()));
  NodeId operand = evaluate(expr.operands[0]);
  if (operand == poison) return poison;
  if (inFactor) return error(expr.spot, "a factor is exact integer arithmetic: it calls no fn");
  if (auto *reference = std::get_if<FunctionReference>(&bound.value)) {
    if (reference->builtin) return elementwise(reference->builtin->kind, {operand}, expr.spot);
    if (reference->function) return callFunction(*reference->function, {operand}, expr.spot);
    return poison;
  }
  return opaque(reinterpret_cast<intptr_t>(bound.parameter), {operand}, expr.spot);
}

NodeId ExpressionResolver::callBuiltin(const Builtin &builtin, const Expr &expr) {
  using Kind = Builtin::Kind;
  if (inside && !builtin.elementwise)
    return error(expr.spot, "`" + expr.text + "` is not elementwise: a fn cannot use it");
  const std::optional<Spot> over = !expr.tail            ? std::nullopt
                                   : expr.tail->overSpot ? expr.tail->overSpot
                                                         : expr.tail->across;
  if (inFactor) {
    bool exact = builtin.kind == Kind::size || builtin.kind == Kind::count || builtin.kind == Kind::minimum ||
                 builtin.kind == Kind::maximum || builtin.kind == Kind::clamp || builtin.kind == Kind::absolute ||
                 builtin.kind == Kind::where;
    if (!exact || (over && builtin.kind != Kind::count))
      return error(expr.spot, "a factor is made of integers, int parameters and size(axis), found `" + expr.text + "`");
  }
  if (inside && over) return error(*over, "a reduction is not elementwise: a fn cannot use it");
  switch (builtin.kind) {
  case Kind::size:
    return size(expr);
  case Kind::index:
    return index(expr);
  case Kind::count:
    return count(expr);
  case Kind::at:
    return at(expr);
  case Kind::cast:
    return cast(expr);
  case Kind::moments:
    return error(expr.spot, "moments gives a mean and a variance: write `let mean, variance = moments(...)`");
  default:
    break;
  }
  if (builtin.reduction && (over || !builtin.elementwise)) return reduce(builtin, expr);
  if (over)
    return error(*over,
                 "`" + expr.text + "` is elementwise: it has no `" + (expr.tail->overSpot ? "over" : "across") + "`");
  if (expr.tail)
    return error(expr.tail->named.front().first.spot,
                 "`" + expr.text + "` has no argument called `" + expr.tail->named.front().first.text + "`");
  std::vector<NodeId> operands;
  bool good = true;
  for (const Expr &operand : expr.operands) {
    operands.push_back(evaluate(operand));
    good &= operands.back() != poison;
  }
  if (operands.size() != builtin.operands) {
    std::string message = "`" + expr.text + "` takes " + plural(builtin.operands, "argument") + ", found " +
                          std::to_string(operands.size());
    if (builtin.reduction && operands.size() == 1) message += ": to reduce, write `over` and the axes behind it";
    return error(expr.spot, message);
  }
  return good ? elementwise(builtin.kind, operands, expr.spot) : poison;
}

NodeId ExpressionResolver::elementwise(Builtin::Kind kind, const std::vector<NodeId> &operands, Spot spot) {
  using Kind = Builtin::Kind;
  NodeId a = operands[0], b = operands.size() > 1 ? operands[1] : noNode,
         c = operands.size() > 2 ? operands[2] : noNode;
  switch (kind) {
  case Kind::absolute:
    return graph.absolute(a, spot);
  case Kind::squareRoot:
    return graph.unaryReal(NodeOp::squareRoot, a, spot);
  case Kind::reciprocalRoot:
    return graph.unaryReal(NodeOp::reciprocalRoot, a, spot);
  case Kind::exponential:
    return graph.unaryReal(NodeOp::exponential, a, spot);
  case Kind::logarithm:
    return graph.unaryReal(NodeOp::logarithm, a, spot);
  case Kind::hyperbolicTangent:
    return graph.unaryReal(NodeOp::hyperbolicTangent, a, spot);
  case Kind::errorFunction:
    return graph.unaryReal(NodeOp::errorFunction, a, spot);
  case Kind::floor:
    return graph.unaryReal(NodeOp::floor, a, spot);
  case Kind::round:
    return graph.unaryReal(NodeOp::round, a, spot);
  case Kind::sigmoid: {
    NodeId one = graph.constant(1.0, spot);
    NodeId decay = graph.unaryReal(NodeOp::exponential, graph.negate(graph.toReal(a, spot), spot), spot);
    return graph.arithmetic(NodeOp::divide, one, graph.arithmetic(NodeOp::add, one, decay, spot), spot);
  }
  case Kind::power: {
    NodeId base = graph.toReal(a, spot), exponent = graph.toReal(b, spot);
    if (base == poison || exponent == poison) return poison;
    return graph.make(
        {NodeOp::power, ValueKind::real, graph[base].axes | graph[exponent].axes, 0, {base, exponent, noNode}, 0},
        spot);
  }
  case Kind::minimum:
    return graph.arithmetic(NodeOp::minimum, a, b, spot);
  case Kind::maximum:
    return graph.arithmetic(NodeOp::maximum, a, b, spot);
  case Kind::clamp:
    return graph.clamp(a, b, c, spot);
  case Kind::lerp: {
    NodeId from = graph.toReal(a, spot), to = graph.toReal(b, spot), t = graph.toReal(c, spot);
    NodeId step = graph.arithmetic(NodeOp::multiply, graph.arithmetic(NodeOp::subtract, to, from, spot), t, spot);
    return graph.arithmetic(NodeOp::add, from, step, spot);
  }
  case Kind::identity:
    return a;
  case Kind::where:
    return graph.select(a, b, c, spot);
  case Kind::stopGradient:
    if (a == poison || graph[a].kind == ValueKind::integer || graph[a].kind == ValueKind::boolean) return a;
    return graph.make({NodeOp::stopGradient, graph[a].kind, graph[a].axes, 0, {a, noNode, noNode}, 0}, spot);
  default:
    return poison;
  }
}

NodeId ExpressionResolver::cast(const Expr &expr) {
  if (expr.tail || expr.operands.size() != 2)
    return error(expr.spot, "`cast` takes 2 arguments, a value and an element type, found " +
                                std::to_string(expr.operands.size()));
  NodeId operand = evaluate(expr.operands[0]);
  const Expr &type = expr.operands[1];
  if (type.kind != Expr::Kind::name || type.pack)
    return error(type.spot, "the second argument of `cast` is an element type, such as bf16");
  std::optional<ElementType> element = elementTypeNamed(type.text);
  std::vector<std::string> candidates = elementTypeNames();
  if (!element && !inside) {
    auto bound = bindings->find(type.text);
    if (bound != bindings->end() && bound->second.parameter->kind == ParameterKind::type) {
      if (auto *value = std::get_if<ElementType>(&bound->second.value)) {
        element = *value;
      } else {
        if (operand == poison) return poison;
        NodeKey key;
        key.op = NodeOp::cast, key.axes = graph[operand].axes, key.operands[0] = operand, key.payload = -1;
        return graph.make(key, expr.spot);
      }
    }
    for (const auto &[name, other] : *bindings)
      if (other.parameter->kind == ParameterKind::type) candidates.push_back(name);
  }
  if (!element) return error(type.spot, "unknown element type `" + type.text + "`" + hint(type.text, candidates));
  return operand == poison ? poison : graph.cast(operand, *element, expr.spot);
}

} // namespace normc
