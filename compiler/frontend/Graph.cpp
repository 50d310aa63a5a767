#include "compiler/frontend/Graph.h"
#include <bit>

namespace normc {
namespace {
using Kind = ValueKind;
} // namespace

ValueKind kindOf(ElementType type) {
  return isFloating(type) ? Kind::real : type == ElementType::boolean ? Kind::boolean : Kind::integer;
}

ValueKind joined(ValueKind a, ValueKind b) {
  if (a == Kind::real || b == Kind::real) return Kind::real;
  if (a == Kind::unknown || b == Kind::unknown) return Kind::unknown;
  return Kind::integer;
}

size_t Graph::Hash::operator()(const NodeKey &key) const {
  uint64_t hash = 0;
  auto mix = [&](uint64_t value) { hash = (std::rotl(hash, 23) ^ value) * 0x9e3779b97f4a7c15u; };
  mix(static_cast<uint64_t>(key.op) << 8 | static_cast<uint64_t>(key.kind));
  mix(key.axes);
  mix(key.over);
  for (NodeId operand : key.operands) mix(operand);
  mix(static_cast<uint64_t>(key.payload));
  return hash ^ hash >> 29;
}

Graph::Graph() { nodes.emplace_back(); }

NodeId Graph::make(NodeKey key, Spot spot) {
  if (auto found = known.find(key); found != known.end()) return found->second;
  if (nodes.size() > mostNodes) {
    tooMany = true;
    return poison;
  }
  Node node{key, {}, spot};
  node.known = fold(key);
  NodeId id = static_cast<NodeId>(nodes.size());
  nodes.push_back(node);
  known.emplace(key, id);
  return id;
}

NodeId Graph::constant(Constant value, Spot spot) {
  NodeKey key;
  key.op = NodeOp::constant;
  if (auto *integer = std::get_if<int64_t>(&value)) key.kind = Kind::integer, key.payload = *integer;
  else if (auto *real = std::get_if<double>(&value))
    key.kind = Kind::real, key.payload = std::bit_cast<int64_t>(rounded(*real));
  else if (auto *boolean = std::get_if<bool>(&value)) key.kind = Kind::boolean, key.payload = *boolean;
  return make(key, spot);
}

NodeId Graph::unary(NodeOp op, Kind kind, NodeId a, Spot spot) {
  if (bad(a)) return poison;
  return make({op, kind, nodes[a].axes, 0, {a, noNode, noNode}, 0}, spot);
}

NodeId Graph::binary(NodeOp op, Kind kind, NodeId a, NodeId b, Spot spot, int64_t payload) {
  if (bad(a) || bad(b)) return poison;
  return make({op, kind, nodes[a].axes | nodes[b].axes, 0, {a, b, noNode}, payload}, spot);
}

NodeId Graph::toReal(NodeId a, Spot spot) {
  return nodes[a].kind == Kind::real ? a : unary(NodeOp::toReal, Kind::real, a, spot);
}

NodeId Graph::toNumber(NodeId a, Spot spot) {
  return nodes[a].kind == Kind::boolean ? unary(NodeOp::toInteger, Kind::integer, a, spot) : a;
}

NodeId Graph::toBoolean(NodeId a, Spot spot) {
  return nodes[a].kind == Kind::boolean ? a : unary(NodeOp::toBoolean, Kind::boolean, a, spot);
}

NodeId Graph::unaryReal(NodeOp op, NodeId a, Spot spot) { return unary(op, Kind::real, toReal(a, spot), spot); }

NodeId Graph::negate(NodeId a, Spot spot) {
  NodeId number = toNumber(a, spot);
  return unary(NodeOp::negate, nodes[number].kind, number, spot);
}

NodeId Graph::absolute(NodeId a, Spot spot) {
  NodeId number = toNumber(a, spot);
  return unary(NodeOp::absolute, nodes[number].kind, number, spot);
}

NodeId Graph::arithmetic(NodeOp op, NodeId a, NodeId b, Spot spot, int64_t payload) {
  Kind kind = op == NodeOp::divide ? Kind::real : joined(nodes[a].kind, nodes[b].kind);
  auto converted = [&](NodeId operand) { return kind == Kind::real ? toReal(operand, spot) : toNumber(operand, spot); };
  NodeId left = converted(a), right = converted(b);
  return binary(op, kind, left, right, spot, payload);
}

NodeId Graph::clamp(NodeId a, NodeId low, NodeId high, Spot spot) {
  return arithmetic(NodeOp::minimum, arithmetic(NodeOp::maximum, a, low, spot, 1), high, spot, 1);
}

NodeId Graph::exactDivide(NodeId a, NodeId b, Spot spot) {
  return binary(NodeOp::exactDivide, Kind::integer, toNumber(a, spot), toNumber(b, spot), spot);
}

NodeId Graph::compare(NodeOp op, NodeId a, NodeId b, Spot spot) {
  Kind kind = joined(nodes[a].kind, nodes[b].kind);
  auto converted = [&](NodeId operand) { return kind == Kind::real ? toReal(operand, spot) : toNumber(operand, spot); };
  NodeId left = converted(a), right = converted(b);
  return binary(op, Kind::boolean, left, right, spot);
}

NodeId Graph::logical(NodeOp op, NodeId a, NodeId b, Spot spot) {
  return binary(op, Kind::boolean, toBoolean(a, spot), toBoolean(b, spot), spot);
}

NodeId Graph::invert(NodeId a, Spot spot) { return unary(NodeOp::inversion, Kind::boolean, toBoolean(a, spot), spot); }

NodeId Graph::select(NodeId condition, NodeId a, NodeId b, Spot spot) {
  condition = toBoolean(condition, spot);
  if (bad(condition) || bad(a) || bad(b)) return poison;
  Kind kind = nodes[a].kind == nodes[b].kind ? nodes[a].kind : joined(nodes[a].kind, nodes[b].kind);
  auto converted = [&](NodeId operand) {
    return kind == Kind::real ? toReal(operand, spot) : kind == Kind::boolean ? operand : toNumber(operand, spot);
  };
  NodeId left = converted(a), right = converted(b);
  if (bad(left) || bad(right)) return poison;
  AxisSet axes = nodes[condition].axes | nodes[left].axes | nodes[right].axes;
  // Only the branch that is taken exists; it ranges over what the whole would.
  if (auto *taken = std::get_if<bool>(&nodes[condition].known)) return broadcast(*taken ? left : right, axes, spot);
  return make({NodeOp::select, kind, axes, 0, {condition, left, right}, 0}, spot);
}

NodeId Graph::broadcast(NodeId a, AxisSet axes, Spot spot) {
  if (bad(a) || nodes[a].axes == axes) return a;
  return make({NodeOp::broadcast, nodes[a].kind, axes, 0, {a, noNode, noNode}, 0}, spot);
}

NodeId Graph::cast(NodeId a, ElementType type, Spot spot) {
  if (type == ElementType::boolean) return toBoolean(a, spot);
  NodeId from = isFloating(type) ? toReal(a, spot) : toNumber(a, spot);
  if (bad(from)) return poison;
  bool wide = type == ElementType::f64 || (type == ElementType::f32 && !computesInDouble) ||
              (type == ElementType::i64 && nodes[from].kind == Kind::integer);
  if (wide) return from;
  return make({NodeOp::cast, kindOf(type), nodes[from].axes, 0, {from, noNode, noNode}, static_cast<int64_t>(type)},
              spot);
}

NodeId Graph::sizeOf(AxisSet leaves, Spot spot) {
  return make({NodeOp::size, Kind::integer, 0, leaves, {noNode, noNode, noNode}, 0}, spot);
}

} // namespace normc
