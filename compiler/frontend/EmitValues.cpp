#include "compiler/frontend/EmitValues.h"
#include "compiler/StorageType.h"
using namespace mlir;

namespace normc {
/// Names an op as a value, for the helpers that build one.
template <typename Op> static constexpr std::type_identity<Op> op;

Location locationOf(MLIRContext *context, Spot spot) {
  if (!spot.source) return UnknownLoc::get(context);
  return FileLineColLoc::get(StringAttr::get(context, spot.source->path), spot.line, spot.column);
}

ValueEmitter::ValueEmitter(OpBuilder &builder, const ResolvedKernel &kernel, ValueRange arguments)
    : builder(builder), kernel(kernel), graph(kernel.graph), arguments(arguments), location(builder.getUnknownLoc()),
      values(kernel.graph.size()) {}

void ValueEmitter::emit(const std::vector<NodeId> &roots) {
  std::vector<bool> needed(graph.size(), false);
  for (NodeId root : roots) needed[root] = true;
  for (const ResolvedKernel::Factor &factor : kernel.factors) needed[factor.size] = true;
  for (NodeId id = graph.size(); id-- > 0;) {
    // What is known needs no operands.
    if (!needed[id] || !std::holds_alternative<std::monostate>(graph[id].known)) continue;
    for (NodeId operand : graph[id].operands)
      if (operand != noNode) needed[operand] = true;
  }
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!needed[id]) continue;
    location = locationOf(builder.getContext(), graph[id].spot);
    if (auto name = kernel.names.find(id); name != kernel.names.end())
      location = NameLoc::get(builder.getStringAttr(name->second), location);
    values[id] = emitNode(graph[id]);
  }
}

Value ValueEmitter::store(NodeId node, Type memory) {
  location = locationOf(builder.getContext(), graph[node].spot);
  Value value = toAxes(values[node], memory);
  return value.getType() == memory ? value : norm::CastOp::create(builder, location, memory, value);
}

SmallVector<StringAttr> ValueEmitter::namesOf(AxisSet axes) const {
  SmallVector<StringAttr> names;
  for (unsigned leaf : kernel.table.leaves)
    if (axes >> kernel.table.axes[leaf].leaf & 1) names.push_back(builder.getStringAttr(kernel.table.axes[leaf].name));
  return names;
}

Type ValueEmitter::typeOf(ValueKind kind, AxisSet axes) const {
  assert(kind != ValueKind::unknown && "parameters are bound");
  Type element = kind == ValueKind::integer   ? Type(builder.getI64Type())
                 : kind == ValueKind::boolean ? Type(builder.getI1Type())
                 : graph.computesInDouble     ? Type(builder.getF64Type())
                                              : Type(builder.getF32Type());
  return norm::withAxes(element, namesOf(axes));
}

Value ValueEmitter::toAxes(Value value, Type type) {
  return norm::broadcastTo(builder, location, value, norm::axesOf(type));
}

Value ValueEmitter::constant(const Constant &value, Type type) {
  TypedAttr attribute;
  Type element = getElementTypeOrSelf(type);
  if (auto *integer = std::get_if<int64_t>(&value)) attribute = builder.getI64IntegerAttr(*integer);
  else if (auto *real = std::get_if<double>(&value)) attribute = builder.getFloatAttr(element, *real);
  else attribute = builder.getBoolAttr(std::get<bool>(value));
  return toAxes(arith::ConstantOp::create(builder, location, attribute), type);
}

Value ValueEmitter::input(const Node &node) {
  Value argument = arguments[node.payload];
  Type compute = typeOf(node.kind, 0);
  // A 0-d tensor becomes a scalar.
  Type loaded = norm::withAxes(compute, norm::axesOf(argument.getType()));
  Value value = argument.getType() == loaded ? argument : norm::CastOp::create(builder, location, loaded, argument);
  return toAxes(value, typeOf(node));
}

Value ValueEmitter::emitNode(const Node &node) {
  if (!std::holds_alternative<std::monostate>(node.known)) return constant(node.known, typeOf(node));
  switch (node.op) {
  case NodeOp::input:
    return input(node);
  case NodeOp::broadcast:
    return toAxes(values[node.operands[0]], typeOf(node));
  case NodeOp::cast: {
    Value value = values[node.operands[0]];
    Type stored = norm::withElement(value.getType(), storageType(builder.getContext(), ElementType(node.payload)));
    if (stored != value.getType()) value = norm::CastOp::create(builder, location, stored, value);
    return stored == typeOf(node) ? value : norm::CastOp::create(builder, location, typeOf(node), value);
  }
  case NodeOp::stopGradient:
    return norm::StopGradientOp::create(builder, location, values[node.operands[0]]);
  case NodeOp::size:
    return norm::SizeOp::create(builder, location,
                                node.payload ? builder.getStrArrayAttr({kernel.table.axes[node.payload - 1].name})
                                             : arrayOf(node.over));
  case NodeOp::index:
    return norm::IndexOp::create(builder, location, typeOf(node), namesOf(node.over).front());
  case NodeOp::at:
    return norm::AtOp::create(builder, location, typeOf(node), values[node.operands[0]],
                              builder.getStringAttr(kernel.table.axes[node.payload].name), values[node.operands[1]]);
  case NodeOp::reduce:
    return norm::ReduceOp::create(builder, location, norm::ReduceKind(node.payload), values[node.operands[0]],
                                  arrayOf(node.over), builder.getArrayAttr({}));
  case NodeOp::allReduce:
    return norm::AllReduceOp::create(builder, location, norm::ReduceKind(node.payload), values[node.operands[0]]);
  case NodeOp::moments: {
    Value value = values[node.operands[0]], weights;
    if (node.operands[1] != noNode) weights = toAxes(values[node.operands[1]], value.getType());
    auto across = node.payload % 2 ? builder.getUnitAttr() : UnitAttr();
    auto method = norm::MethodAttr::get(builder.getContext(), norm::Method(node.payload / 2));
    return norm::MomentsOp::create(builder, location, value, weights, arrayOf(node.over), builder.getArrayAttr({}),
                                   StringAttr(), method, across)
        .getMean();
  }
  case NodeOp::mean:
    return values[node.operands[0]];
  case NodeOp::variance:
    return values[node.operands[0]].getDefiningOp<norm::MomentsOp>().getVariance();
  default:
    return elementwise(node);
  }
}

Value ValueEmitter::compare(const Node &node) {
  // The operands agree in kind.
  Type element = getElementTypeOrSelf(values[node.operands[0]]);
  Type type = typeOf(node);
  Value a = toAxes(values[node.operands[0]], type), b = toAxes(values[node.operands[1]], type);
  if (isa<FloatType>(element)) {
    auto predicate = node.op == NodeOp::less        ? arith::CmpFPredicate::OLT
                     : node.op == NodeOp::lessEqual ? arith::CmpFPredicate::OLE
                     : node.op == NodeOp::equal     ? arith::CmpFPredicate::OEQ
                                                    : arith::CmpFPredicate::UNE;
    return arith::CmpFOp::create(builder, location, predicate, a, b);
  }
  auto predicate = node.op == NodeOp::less        ? arith::CmpIPredicate::slt
                   : node.op == NodeOp::lessEqual ? arith::CmpIPredicate::sle
                   : node.op == NodeOp::equal     ? arith::CmpIPredicate::eq
                                                  : arith::CmpIPredicate::ne;
  return arith::CmpIOp::create(builder, location, predicate, a, b);
}

Value ValueEmitter::elementwise(const Node &node) {
  Type type = typeOf(node);
  auto operand = [&](size_t i) { return toAxes(values[node.operands[i]], type); };
  auto one = [&]<typename Op>(std::type_identity<Op>) -> Value { return Op::create(builder, location, operand(0)); };
  auto two = [&]<typename Op>(std::type_identity<Op>) -> Value {
    Value a = operand(0), b = operand(1);
    return Op::create(builder, location, a, b);
  };
  auto either = [&]<typename Real, typename Integer>(std::type_identity<Real> real,
                                                     std::type_identity<Integer> integer) {
    return node.kind == ValueKind::real ? two(real) : two(integer);
  };
  switch (node.op) {
  case NodeOp::toReal: {
    Value value = operand(0);
    if (getElementTypeOrSelf(value).isInteger(1)) return arith::UIToFPOp::create(builder, location, type, value);
    return arith::SIToFPOp::create(builder, location, type, value);
  }
  case NodeOp::toInteger: {
    Value condition = operand(0), yes = constant(int64_t(1), type), no = constant(int64_t(0), type);
    return arith::SelectOp::create(builder, location, condition, yes, no);
  }
  case NodeOp::toBoolean: {
    Value value = operand(0);
    if (isa<FloatType>(getElementTypeOrSelf(value)))
      return arith::CmpFOp::create(builder, location, arith::CmpFPredicate::UNE, value, constant(0.0, value.getType()));
    return arith::CmpIOp::create(builder, location, arith::CmpIPredicate::ne, value,
                                 constant(int64_t(0), value.getType()));
  }
  case NodeOp::add:
    return either(op<arith::AddFOp>, op<arith::AddIOp>);
  case NodeOp::subtract:
    return either(op<arith::SubFOp>, op<arith::SubIOp>);
  case NodeOp::multiply:
    return either(op<arith::MulFOp>, op<arith::MulIOp>);
  case NodeOp::minimum:
  case NodeOp::maximum: {
    Value value = node.op == NodeOp::minimum ? either(op<arith::MinimumFOp>, op<arith::MinSIOp>)
                                             : either(op<arith::MaximumFOp>, op<arith::MaxSIOp>);
    if (node.payload) value.getDefiningOp()->setAttr("norm.clamp", builder.getUnitAttr());
    return value;
  }
  case NodeOp::divide:
    return two(op<arith::DivFOp>);
  case NodeOp::exactDivide: {
    Value a = operand(0), b = operand(1);
    return arith::DivSIOp::create(builder, location, a, b, /*isExact=*/true);
  }
  case NodeOp::negate: {
    if (node.kind == ValueKind::real) return one(op<arith::NegFOp>);
    Value zero = constant(int64_t(0), type), value = operand(0);
    return arith::SubIOp::create(builder, location, zero, value);
  }
  case NodeOp::absolute:
    return node.kind == ValueKind::real ? one(op<math::AbsFOp>) : one(op<math::AbsIOp>);
  case NodeOp::less:
  case NodeOp::lessEqual:
  case NodeOp::equal:
  case NodeOp::notEqual:
    return compare(node);
  case NodeOp::conjunction:
    return two(op<arith::AndIOp>);
  case NodeOp::disjunction:
    return two(op<arith::OrIOp>);
  case NodeOp::inversion: {
    Value value = operand(0), yes = constant(true, type);
    return arith::XOrIOp::create(builder, location, value, yes);
  }
  case NodeOp::select: {
    Value condition = operand(0), a = operand(1), b = operand(2);
    return arith::SelectOp::create(builder, location, condition, a, b);
  }
  case NodeOp::squareRoot:
    return one(op<math::SqrtOp>);
  case NodeOp::reciprocalRoot:
    return one(op<math::RsqrtOp>);
  case NodeOp::exponential:
    return one(op<math::ExpOp>);
  case NodeOp::logarithm:
    return one(op<math::LogOp>);
  case NodeOp::hyperbolicTangent:
    return one(op<math::TanhOp>);
  case NodeOp::errorFunction:
    return one(op<math::ErfOp>);
  case NodeOp::floor:
    return one(op<math::FloorOp>);
  case NodeOp::round:
    return one(op<math::RoundEvenOp>);
  case NodeOp::power:
    return two(op<math::PowFOp>);
  default:
    llvm_unreachable("not an elementwise op of a bound kernel");
  }
}

} // namespace normc
