#ifndef NORMC_COMPILER_FRONTEND_GRAPH_H
#define NORMC_COMPILER_FRONTEND_GRAPH_H
#include "compiler/ElementType.h"
#include "compiler/frontend/Ast.h"
#include <array>
#include <unordered_map>

namespace normc {

/// What a value computes with: i64, the compute type, i1. `unknown` depends on a parameter that is not bound.
enum class ValueKind : uint8_t { integer, real, boolean, unknown };

/// The leaves of a kernel's axes a value ranges over, by their place in the kernel's table.
using AxisSet = uint64_t;
constexpr unsigned mostAxes = 64;

using NodeId = uint32_t;
constexpr NodeId noNode = ~NodeId(0);
/// The value of an erroneous expression; what uses it is erroneous too and not reported again.
constexpr NodeId poison = 0;

enum class NodeOp : uint8_t {
  poison,
  constant,
  input,    // payload: its index, in compute kind
  argument, // of a fn that is checked by itself; payload: its index
  opaque,   // what a fn gives that is not expanded; payload: which fn
  broadcast,
  toReal,
  toInteger,
  toBoolean,
  add,
  subtract,
  multiply,
  divide,
  exactDivide,
  negate,
  absolute,
  minimum, // payload: 1 where it is half of a clamp, whose derivative at a bound is its own
  maximum,
  less,
  lessEqual,
  equal,
  notEqual,
  conjunction,
  disjunction,
  inversion,
  select,
  squareRoot,
  reciprocalRoot,
  exponential,
  logarithm,
  hyperbolicTangent,
  errorFunction,
  floor,
  round,
  power,
  cast, // payload: the element type
  stopGradient,
  size,      // over: leaves, or payload: 1 + an axis that is a product, for the factor of a split
  index,     // over: one leaf
  at,        // payload: the axis
  reduce,    // payload: ReduceOp
  allReduce, // payload: ReduceOp
  moments,   // operands: value, weights or noNode; payload: method * 2 + across
  mean,      // of a moments node
  variance,
};

enum class ReduceOp : uint8_t { sum, max, min, any, all };

using Constant = std::variant<std::monostate, int64_t, double, bool>;

struct NodeKey {
  NodeOp op = NodeOp::poison;
  ValueKind kind = ValueKind::unknown;
  AxisSet axes = 0, over = 0;
  std::array<NodeId, 3> operands = {noNode, noNode, noNode};
  int64_t payload = 0; // also the bits of a constant
  bool operator==(const NodeKey &) const = default;
};

struct Node : NodeKey {
  Constant known; // what it is at compile time, on every point of its axes
  Spot spot;      // where it is first computed
};

/// Values of a kernel, each once: the same operation on the same operands is the same node. Operands precede their
/// users.
class Graph {
public:
  /// Operations after sharing that a kernel may have.
  static constexpr size_t mostNodes = 100000;

  Graph();
  /// f64 or f32: what constants of reals are rounded to.
  bool computesInDouble = false;

  NodeId make(NodeKey key, Spot spot);
  NodeId constant(Constant value, Spot spot);
  const Node &operator[](NodeId id) const { return nodes[id]; }
  size_t size() const { return nodes.size(); }
  /// More operations than a kernel may have were asked for; what came after is poison.
  bool overflowed() const { return tooMany; }

  //===-- Values, converted and broadcast as the language says; poison in, poison out --------------------------------//

  NodeId toReal(NodeId a, Spot spot);
  /// A bool becomes 0 or 1; numbers stay.
  NodeId toNumber(NodeId a, Spot spot);
  /// A number becomes `!= 0`.
  NodeId toBoolean(NodeId a, Spot spot);
  NodeId unaryReal(NodeOp op, NodeId a, Spot spot);
  NodeId negate(NodeId a, Spot spot);
  NodeId absolute(NodeId a, Spot spot);
  /// add, subtract, multiply, minimum, maximum: of integers where both are; divide: always of reals.
  NodeId arithmetic(NodeOp op, NodeId a, NodeId b, Spot spot, int64_t payload = 0);
  NodeId clamp(NodeId a, NodeId low, NodeId high, Spot spot);
  NodeId exactDivide(NodeId a, NodeId b, Spot spot);
  /// less, lessEqual, equal, notEqual
  NodeId compare(NodeOp op, NodeId a, NodeId b, Spot spot);
  NodeId logical(NodeOp op, NodeId a, NodeId b, Spot spot);
  NodeId invert(NodeId a, Spot spot);
  NodeId select(NodeId condition, NodeId a, NodeId b, Spot spot);
  NodeId broadcast(NodeId a, AxisSet axes, Spot spot);
  /// As a store to the type and a load from it would leave the value.
  NodeId cast(NodeId a, ElementType type, Spot spot);
  NodeId sizeOf(AxisSet leaves, Spot spot);

private:
  Constant fold(const NodeKey &key) const;
  double rounded(double value) const { return computesInDouble ? value : static_cast<float>(value); }
  NodeId unary(NodeOp op, ValueKind kind, NodeId a, Spot spot);
  NodeId binary(NodeOp op, ValueKind kind, NodeId a, NodeId b, Spot spot, int64_t payload = 0);
  bool bad(NodeId a) const { return a == poison; }

  struct Hash {
    size_t operator()(const NodeKey &key) const;
  };
  std::vector<Node> nodes;
  std::unordered_map<NodeKey, NodeId, Hash> known;
  bool tooMany = false;
};

ValueKind kindOf(ElementType type);
/// The kind both become where they meet in arithmetic; bools are integers there.
ValueKind joined(ValueKind a, ValueKind b);

} // namespace normc
#endif
