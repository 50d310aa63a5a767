// The part of expressions that knows of axes: reductions, moments, sizes and positions.
#include "compiler/frontend/ResolveExpression.h"

namespace normc {

bool ExpressionResolver::axis(const AxisRef &ref, unsigned &into) {
  int found = table->find(ref.name);
  if (found < 0 || table->axes[found].since > statement) {
    std::string message = "unknown axis `" + ref.name + "`";
    if (found >= 0) message = "the axis `" + ref.name + "` is not known before it is split off";
    else message += hint(ref.name, table->names());
    error(ref.spot, message);
    return false;
  }
  const AxisTable::Axis &known = table->axes[found];
  if (known.pack != ref.pack) {
    error(ref.spot, known.pack ? "`" + ref.name + "` is a pack: write `" + ref.name + "...`"
                               : "`" + ref.name + "` is one axis, not a pack: write `" + ref.name + "`");
    return false;
  }
  into = static_cast<unsigned>(found);
  return true;
}

/// The axis that is the one operand of `size` and `index`; a pack may go without its dots.
bool ExpressionResolver::axisOperand(const Expr &call, unsigned &into) {
  if (call.tail || call.operands.size() != 1 || call.operands[0].kind != Expr::Kind::name) {
    error(call.spot, "`" + call.text + "` takes one argument, an axis");
    return false;
  }
  const Expr &operand = call.operands[0];
  AxisRef ref{operand.text, operand.pack, operand.spot};
  if (int found = table->find(ref.name); found >= 0 && table->axes[found].pack) ref.pack = true;
  return axis(ref, into);
}

NodeId ExpressionResolver::size(const Expr &expr) {
  unsigned axis;
  if (!axisOperand(expr, axis)) return poison;
  // The leaves of a split may depend on the factor that is being computed: its own extent is known from the tensors.
  if (inFactor && table->axes[axis].isSplit())
    return graph.make({NodeOp::size, ValueKind::integer, 0, 0, {noNode, noNode, noNode}, int64_t(axis) + 1}, expr.spot);
  return graph.sizeOf(table->setOf(axis), expr.spot);
}

NodeId ExpressionResolver::index(const Expr &expr) {
  unsigned axis;
  if (!axisOperand(expr, axis)) return poison;
  if (table->axes[axis].pack)
    return error(expr.operands[0].spot, "`" + expr.operands[0].text + "...` is a pack: it has no single index");
  return indexOf(axis, expr.spot);
}

NodeId ExpressionResolver::indexOf(unsigned axis, Spot spot) {
  NodeId result = noNode;
  for (unsigned leaf : table->leavesOf(axis)) {
    AxisSet set = AxisSet(1) << table->axes[leaf].leaf;
    NodeId own = graph.make({NodeOp::index, ValueKind::integer, set, set, {noNode, noNode, noNode}, 0}, spot);
    if (result == noNode) {
      result = own;
      continue;
    }
    NodeId outer = graph.arithmetic(NodeOp::multiply, result, graph.sizeOf(set, spot), spot);
    result = graph.arithmetic(NodeOp::add, outer, own, spot);
  }
  return result;
}

bool ExpressionResolver::overSet(const Expr &call, AxisSet &over) {
  over = 0;
  if (!call.tail || !call.tail->overSpot) {
    error(call.spot, "`" + call.text + "` reduces: write `over` and the axes behind the value");
    return false;
  }
  bool good = true;
  for (const AxisRef &ref : call.tail->over) {
    unsigned found;
    if (!axis(ref, found)) {
      good = false;
      continue;
    }
    AxisSet set = table->setOf(found);
    if (AxisSet twice = over & set) {
      error(ref.spot, "the axis " + table->namesOf(twice) + " stands twice behind `over`");
      good = false;
    }
    over |= set;
  }
  return good;
}

bool ExpressionResolver::rangesOver(NodeId value, AxisSet over, const Expr &call) {
  if (value == poison) return false;
  if (!(over & ~graph[value].axes)) return true;
  bool good = true;
  for (const AxisRef &ref : call.tail->over) {
    AxisSet set = table->setOf(table->find(ref.name));
    if (!(set & ~graph[value].axes)) continue;
    error(ref.spot, "the value does not range over " + ref.text() + ": multiply by size(" + ref.name + ") instead");
    good = false;
  }
  return good;
}

NodeId ExpressionResolver::count(const Expr &expr) {
  AxisSet over;
  if (!expr.operands.empty())
    return error(expr.operands[0].spot, "`count` counts points of axes and takes no value: write count(over a, b)");
  if (!overSet(expr, over)) return poison;
  if (!expr.tail->named.empty())
    return error(expr.tail->named.front().first.spot,
                 "`count` has no argument called `" + expr.tail->named.front().first.text + "`");
  if (inFactor && expr.tail->across) return error(*expr.tail->across, "a factor does not depend on other replicas");
  NodeId local = graph.sizeOf(over, expr.spot);
  if (inFactor || !expr.tail->across) return local;
  return graph.make(
      {NodeOp::allReduce, ValueKind::integer, 0, 0, {local, noNode, noNode}, static_cast<int64_t>(ReduceOp::sum)},
      expr.spot);
}

NodeId ExpressionResolver::reduce(const Builtin &builtin, const Expr &expr) {
  using Kind = Builtin::Kind;
  if (expr.operands.size() != 1)
    return error(expr.spot, "`" + expr.text + "` reduces one value, found " + std::to_string(expr.operands.size()));
  NodeId value = evaluate(expr.operands[0]);
  // Across replicas, a sum, maximum or minimum may leave all axes as they are.
  bool extremumOrSum = builtin.kind == Kind::sum || builtin.kind == Kind::maximum || builtin.kind == Kind::minimum;
  bool acrossOnly = extremumOrSum && expr.tail && expr.tail->across && !expr.tail->overSpot;
  AxisSet over = 0;
  if (!acrossOnly && !overSet(expr, over)) return poison;
  if (!expr.tail->named.empty())
    return error(expr.tail->named.front().first.spot,
                 "`" + expr.text + "` has no argument called `" + expr.tail->named.front().first.text + "`");
  if (!rangesOver(value, over, expr)) return poison;
  bool logical = builtin.kind == Kind::any || builtin.kind == Kind::all;
  if (logical && expr.tail->across)
    return error(*expr.tail->across,
                 "`" + expr.text + "` does not run across replicas: sum, mean, max, min, count and moments do");
  Spot spot = expr.spot;
  value = logical ? graph.toBoolean(value, spot) : graph.toReal(value, spot);
  if (value == poison) return poison;
  ReduceOp op = builtin.kind == Kind::maximum   ? ReduceOp::max
                : builtin.kind == Kind::minimum ? ReduceOp::min
                : builtin.kind == Kind::any     ? ReduceOp::any
                : builtin.kind == Kind::all     ? ReduceOp::all
                                                : ReduceOp::sum;
  AxisSet kept = graph[value].axes & ~over;
  auto across = [&](NodeId local, ReduceOp how) {
    if (!expr.tail->across || local == poison) return local;
    Node node = graph[local];
    return graph.make({NodeOp::allReduce, node.kind, node.axes, 0, {local, noNode, noNode}, static_cast<int64_t>(how)},
                      spot);
  };
  ValueKind kind = logical ? ValueKind::boolean : ValueKind::real;
  NodeId local = value;
  if (!acrossOnly)
    local = graph.make({NodeOp::reduce, kind, kept, over, {value, noNode, noNode}, static_cast<int64_t>(op)}, spot);
  NodeId result = across(local, op);
  if (builtin.kind != Kind::mean) return result;
  return graph.arithmetic(NodeOp::divide, result, across(graph.sizeOf(over, spot), ReduceOp::sum), spot);
}

bool ExpressionResolver::method(const Expr &expr, unsigned &into) {
  std::string text = expr.kind == Expr::Kind::name ? expr.text : "";
  if (auto bound = bindings->find(text);
      bound != bindings->end() && bound->second.parameter->kind == ParameterKind::method) {
    auto *value = std::get_if<std::string>(&bound->second.value);
    text = value ? *value : "auto";
  }
  for (unsigned i = 0; i < methodNames().size(); ++i)
    if (methodNames()[i] == text) {
      into = i;
      return true;
    }
  std::vector<std::string> candidates = methodNames();
  for (const auto &[name, bound] : *bindings)
    if (bound.parameter->kind == ParameterKind::method) candidates.push_back(name);
  error(expr.spot, "unknown method `" + toText(expr).substr(0, 40) +
                       "`: the methods are auto, two_pass, one_pass and welford" + hint(text, candidates));
  return false;
}

bool ExpressionResolver::moments(const Expr &expr, NodeId &mean, NodeId &variance) {
  if (expr.kind != Expr::Kind::call || expr.text != "moments") return false;
  mean = variance = poison;
  Spot spot = expr.spot;
  if (expr.operands.size() != 1)
    return error(spot, "`moments` takes one value, found " + std::to_string(expr.operands.size())), true;
  NodeId value = this->value(expr.operands[0]), weights = noNode;
  AxisSet over;
  if (!overSet(expr, over)) return true;
  unsigned how = 0;
  bool good = true;
  const Name *seenWeights = nullptr, *seenMethod = nullptr;
  for (const auto &[name, argument] : expr.tail->named) {
    const Name *&seen = name.text == "weights" ? seenWeights : seenMethod;
    if (name.text != "weights" && name.text != "method") {
      error(name.spot, "`moments` has no argument called `" + name.text + "`: it has weights and method" +
                           hint(name.text, {"weights", "method"}));
      good = false;
      continue;
    }
    if (seen) {
      error(name.spot, "`" + name.text + "` is given twice");
      good = false;
      continue;
    }
    seen = &name;
    if (name.text == "method") {
      good &= method(argument, how);
      continue;
    }
    weights = graph.toReal(this->value(argument), argument.spot);
    good &= weights != poison;
    if (value == poison || weights == poison) continue;
    if (AxisSet extra = graph[weights].axes & ~graph[value].axes) {
      error(argument.spot, "the weights range over " + table->namesOf(extra) + ", which the value does not");
      good = false;
    }
  }
  good &= rangesOver(value, over, expr);
  value = graph.toReal(value, spot);
  if (!good || value == poison) return true;
  AxisSet kept = graph[value].axes & ~over;
  int64_t payload = int64_t(how) * 2 + (expr.tail->across ? 1 : 0);
  NodeId node = graph.make({NodeOp::moments, ValueKind::real, kept, over, {value, weights, noNode}, payload}, spot);
  if (node == poison) return true;
  mean = graph.make({NodeOp::mean, ValueKind::real, kept, 0, {node, noNode, noNode}, 0}, spot);
  variance = graph.make({NodeOp::variance, ValueKind::real, kept, 0, {node, noNode, noNode}, 0}, spot);
  return true;
}

NodeId ExpressionResolver::at(const Expr &expr) {
  if (expr.operands.size() != 1 || !expr.tail || expr.tail->overSpot || expr.tail->across ||
      expr.tail->named.size() != 1)
    return error(expr.spot, "`at` takes a value and the position along one axis: write at(e, v = 0)");
  const auto &[axisName, positionExpr] = expr.tail->named.front();
  NodeId value = evaluate(expr.operands[0]), position = evaluate(positionExpr);
  int found = table->find(axisName.text);
  if (found >= 0 && table->axes[found].pack)
    return error(axisName.spot, "`" + axisName.text + "...` is a pack: `at` takes one axis");
  unsigned axis;
  if (!this->axis({axisName.text, false, axisName.spot}, axis)) return poison;
  if (value == poison || position == poison) return poison;
  AxisSet set = table->setOf(axis);
  if (set & ~graph[value].axes)
    return error(axisName.spot, "the value does not range over " + axisName.text + ": `at` is not needed");
  position = graph.toNumber(position, positionExpr.spot);
  if (position == poison) return poison;
  if (graph[position].kind == ValueKind::real)
    return error(positionExpr.spot, "a position is an integer, found a real");
  if (graph[position].axes)
    return error(positionExpr.spot,
                 "a position has no axes, found a value over " + table->namesOf(graph[position].axes));
  Node node = graph[value];
  return graph.make({NodeOp::at, node.kind, node.axes & ~set, 0, {value, position, noNode}, int64_t(axis)}, expr.spot);
}

} // namespace normc
