// Reads a kernel's signature off its value form: the last stage that still has splits' factors and positions as values.
#include "compiler/emit/SignatureOf.h"
#include "compiler/StorageType.h"
#include "compiler/transforms/Specialize.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
using namespace mlir;
using namespace norm;

namespace normc {

namespace {
using Kind = IntegerExpression::Kind;

/// Turns the slice of a value into an expression. A slice is a DAG, an expression a tree: its size is bounded.
class Slice {
public:
  explicit Slice(KernelOp kernel) : kernel(kernel) {}
  bool readsElements = false;

  std::optional<IntegerExpression> read(Value value) {
    if (++size > 10000) return {};
    if (auto argument = dyn_cast<BlockArgument>(value)) return input(argument);
    Operation *op = value.getDefiningOp();
    if (auto at = dyn_cast<AtOp>(op)) return readAt(at);
    if (auto broadcast = dyn_cast<BroadcastOp>(op)) return read(broadcast.getInput());
    if (auto index = dyn_cast<IndexOp>(op)) return positionAlong(index.getAxisAttr());
    if (auto cast = dyn_cast<CastOp>(op)) return readCast(cast);
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto integer = dyn_cast<IntegerAttr>(constant.getValue());
      if (!integer) return {};
      return literal(integer.getType().isInteger(1) ? !integer.getValue().isZero() : integer.getValue().getSExtValue());
    }
    if (auto size = dyn_cast<SizeOp>(op)) {
      IntegerExpression product = literal(1);
      for (StringAttr axis : namesOf(size.getAxes())) {
        IntegerExpression extent{Kind::size, 0, axis.str(), {}};
        product = product.kind == Kind::literal ? extent : IntegerExpression{Kind::multiply, 0, "", {product, extent}};
      }
      return product;
    }
    if (auto compare = dyn_cast<arith::CmpIOp>(op)) return readCompare(compare);
    if (auto select = dyn_cast<arith::SelectOp>(op))
      return combine(Kind::select, {select.getCondition(), select.getTrueValue(), select.getFalseValue()});
    if (isa<arith::ExtUIOp>(op)) return read(op->getOperand(0));
    if (isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op) && getElementTypeOrSelf(value.getType()).isInteger(1))
      return readLogic(op);
    std::optional<Kind> kind = llvm::TypeSwitch<Operation *, std::optional<Kind>>(op)
                                   .Case<arith::AddIOp>([](auto) { return Kind::add; })
                                   .Case<arith::SubIOp>([](auto) { return Kind::subtract; })
                                   .Case<arith::MulIOp>([](auto) { return Kind::multiply; })
                                   .Case<arith::DivSIOp, arith::FloorDivSIOp>([](auto) { return Kind::exactDivide; })
                                   .Case<arith::MinSIOp>([](auto) { return Kind::minimum; })
                                   .Case<arith::MaxSIOp>([](auto) { return Kind::maximum; })
                                   .Case<math::AbsIOp>([](auto) { return Kind::absolute; })
                                   .Default([](auto) { return std::nullopt; });
    return kind ? combine(*kind, op->getOperands()) : std::nullopt;
  }

private:
  KernelOp kernel;
  unsigned size = 0;
  SmallVector<std::pair<StringAttr, IntegerExpression>> positions; // where what is read stands

  static IntegerExpression literal(int64_t value) { return {Kind::literal, value, "", {}}; }
  std::optional<IntegerExpression> combine(Kind kind, ValueRange operands) {
    IntegerExpression expression{kind, 0, "", {}};
    for (Value operand : operands) {
      auto part = read(operand);
      if (!part) return {};
      expression.operands.push_back(std::move(*part));
    }
    return expression;
  }
  std::optional<IntegerExpression> input(BlockArgument argument) {
    if (!isa<IntegerType>(getElementTypeOrSelf(argument.getType()))) return {};
    std::string name = kernel.argumentName(argument.getArgNumber()).str();
    if (axesOf(argument.getType()).empty()) return IntegerExpression{Kind::scalar, 0, name, {}};
    IntegerExpression place = literal(0), count = literal(1);
    for (StringAttr axis : axesOf(argument.getType())) {
      auto position = positionAlong(axis);
      if (!position) return {};
      IntegerExpression extent{Kind::size, 0, axis.str(), {}};
      place = {Kind::add, 0, "", {{Kind::multiply, 0, "", {place, extent}}, *position}};
      count = {Kind::multiply, 0, "", {count, extent}};
    }
    readsElements = true;
    return IntegerExpression{Kind::element, 0, name, {place, count}};
  }
  std::optional<IntegerExpression> positionAlong(StringAttr axis) {
    for (auto &[along, position] : llvm::reverse(positions))
      if (along == axis) return position;
    return {};
  }
  /// What is behind is read at the position; that itself stands where the op does.
  std::optional<IntegerExpression> readAt(AtOp op) {
    auto position = read(op.getPosition());
    if (!position) return {};
    positions.emplace_back(op.getAxisAttr(), std::move(*position));
    auto value = read(op.getInput());
    positions.pop_back();
    return value;
  }
  /// From storage it is exact; a bool from an integer is whether it is not 0.
  std::optional<IntegerExpression> readCast(CastOp cast) {
    Type from = getElementTypeOrSelf(cast.getInput()), to = getElementTypeOrSelf(cast.getType());
    if (!isa<IntegerType>(from)) return {};
    auto input = read(cast.getInput());
    if (!input) return {};
    if (to.isInteger(1) && !from.isInteger(1)) return IntegerExpression{Kind::notEqual, 0, "", {*input, literal(0)}};
    if (to.isInteger(64) || to.isInteger(1)) return input;
    return {};
  }
  std::optional<IntegerExpression> readCompare(arith::CmpIOp op) {
    switch (op.getPredicate()) {
    case arith::CmpIPredicate::eq:
      return combine(Kind::equal, {op.getLhs(), op.getRhs()});
    case arith::CmpIPredicate::ne:
      return combine(Kind::notEqual, {op.getLhs(), op.getRhs()});
    case arith::CmpIPredicate::slt:
      return combine(Kind::less, {op.getLhs(), op.getRhs()});
    case arith::CmpIPredicate::sle:
      return combine(Kind::lessEqual, {op.getLhs(), op.getRhs()});
    case arith::CmpIPredicate::sgt:
      return combine(Kind::less, {op.getRhs(), op.getLhs()});
    case arith::CmpIPredicate::sge:
      return combine(Kind::lessEqual, {op.getRhs(), op.getLhs()});
    default:
      return {};
    }
  }
  std::optional<IntegerExpression> readLogic(Operation *op) {
    auto both = combine(Kind::notEqual, op->getOperands()); // xor of truth values
    if (!both || isa<arith::XOrIOp>(op)) return both;
    const IntegerExpression &a = both->operands[0], &b = both->operands[1];
    if (isa<arith::AndIOp>(op)) return IntegerExpression{Kind::select, 0, "", {a, b, literal(0)}};
    return IntegerExpression{Kind::select, 0, "", {a, literal(1), b}};
  }
};

std::vector<Dimension> dimensionsOf(Attribute dims) {
  std::vector<Dimension> dimensions;
  if (auto list = dyn_cast_or_null<ArrayAttr>(dims))
    for (Attribute attribute : list) {
      StringRef name = cast<StringAttr>(attribute).getValue();
      bool pack = name.consume_back("...");
      dimensions.push_back({name == "1" ? "" : name.str(), pack});
    }
  return dimensions;
}

std::string textOf(Place place) {
  if (!place.line) return {};
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

void readArguments(KernelOp kernel, Signature &signature) {
  llvm::StringMap<unsigned> states;
  for (unsigned i = 0; i < kernel.getNumArguments(); ++i) {
    Type type = kernel.getArgumentTypes()[i];
    Argument argument;
    argument.name = kernel.argumentName(i).str();
    argument.role = kernel.getArgAttr(i, "norm.state") ? Argument::Role::state
                    : isMemory(type)                   ? Argument::Role::input
                                                       : Argument::Role::scalar;
    assert(elementTypeOf(type) && "an argument has a storage type");
    argument.type = *elementTypeOf(type);
    argument.dimensions = dimensionsOf(kernel.getArgAttr(i, "norm.dims"));
    argument.place = textOf(placeOf(kernel.getArgument(i).getLoc()));
    if (argument.role == Argument::Role::state) states[argument.name] = i;
    signature.arguments.push_back(std::move(argument));
  }
  for (unsigned i = 0; i < kernel.getNumResults(); ++i) {
    if (auto state = states.find(kernel.resultName(i)); state != states.end()) {
      signature.arguments[state->second].written = true;
      continue;
    }
    signature.arguments.push_back({kernel.resultName(i).str(), Argument::Role::output,
                                   *elementTypeOf(kernel.getResultTypes()[i]),
                                   dimensionsOf(kernel.getResultAttr(i, "norm.dims")), true});
  }
}

void readAxes(KernelOp kernel, Signature &signature) {
  auto places = kernel->getAttrOfType<DictionaryAttr>("norm.splits");
  for (Attribute attribute : kernel.getAxes()) {
    auto axis = cast<AxisAttr>(attribute);
    AxisRow row;
    row.name = axis.getName().str();
    if (axis.isFixed()) row.fixed = axis.getSize();
    if (axis.isProduct()) {
      row.outer = axis.getOuter().str();
      row.inner = axis.getInner().str();
      if (auto place = places ? places.getAs<StringAttr>(axis.getName()) : StringAttr()) row.place = place.str();
    }
    signature.axes.push_back(std::move(row));
  }
  if (auto ranks = kernel->getAttrOfType<DictionaryAttr>("norm.ranks"))
    for (NamedAttribute rank : ranks)
      signature.ranks[rank.getName().str()] = cast<IntegerAttr>(rank.getValue()).getInt();
}
} // namespace

std::optional<Signature> signatureOf(KernelOp kernel, Diagnostics &diagnostics) {
  Signature signature;
  signature.kernel = kernel.getSymName().str();
  readAxes(kernel, signature);
  readArguments(kernel, signature);
  bool failed = false;
  auto fail = [&](Location location, std::string what) {
    diagnostics.error(placeOf(location),
                      what +
                          " can only follow from extents, parameters and integer inputs, not from reals or reductions");
    failed = true;
  };
  for (Operation &op : kernel.getBody().front()) {
    std::string place = textOf(placeOf(op.getLoc()));
    if (auto factor = dyn_cast<FactorOp>(op)) {
      auto size = Slice(kernel).read(factor.getSize());
      if (!size) fail(op.getLoc(), "factor " + factor.getAxis().str() + " of " + factor.getWhole().str());
      else signature.factors.push_back({factor.getAxis().str(), factor.getWhole().str(), std::move(*size), place});
    }
    auto moments = dyn_cast<MomentsOp>(op);
    if (isa<AllReduceOp>(op) || (moments && moments.getAcross())) {
      signature.acrossReplicas = true;
      for (StringAttr axis : axesOf(op.getResult(0).getType())) signature.commonAxes.insert(axis.str());
    }
    if (auto at = dyn_cast<AtOp>(op)) {
      Slice slice(kernel);
      auto position = slice.read(at.getPosition());
      signature.readsElements |= slice.readsElements;
      if (!position) fail(op.getLoc(), "the position along " + at.getAxis().str());
      else signature.positions.push_back({at.getAxis().str(), std::move(*position), place});
    }
  }
  if (failed) return {};
  return signature;
}

} // namespace normc
