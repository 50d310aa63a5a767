// The second half of ValueFormatter: an op as an expression.
#include "compiler/StorageType.h"
#include "compiler/frontend/FormatValues.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
#include <limits>
using namespace mlir;
using namespace norm;

namespace normc {
namespace {
/// The function of the language that an op is; empty where it is none.
StringRef functionOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case<math::AbsFOp, math::AbsIOp>([](auto) { return "abs"; })
      .Case<math::SqrtOp>([](auto) { return "sqrt"; })
      .Case<math::RsqrtOp>([](auto) { return "rsqrt"; })
      .Case<math::ExpOp>([](auto) { return "exp"; })
      .Case<math::LogOp>([](auto) { return "log"; })
      .Case<math::TanhOp>([](auto) { return "tanh"; })
      .Case<math::ErfOp>([](auto) { return "erf"; })
      .Case<math::FloorOp>([](auto) { return "floor"; })
      .Case<math::RoundEvenOp>([](auto) { return "round"; })
      .Case<math::PowFOp>([](auto) { return "pow"; })
      .Case<arith::MinimumFOp, arith::MinSIOp>([](auto) { return "min"; })
      .Case<arith::MaximumFOp, arith::MaxSIOp>([](auto) { return "max"; })
      .Case<StopGradientOp>([](auto) { return "stop_gradient"; })
      .Default(StringRef());
}

std::optional<Expr::Op> operatorOf(Operation *op) {
  using Result = std::optional<Expr::Op>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return Expr::Op::add; })
      .Case<arith::SubFOp, arith::SubIOp>([](auto) { return Expr::Op::subtract; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return Expr::Op::multiply; })
      .Case<arith::DivFOp, arith::DivSIOp>([](auto) { return Expr::Op::divide; })
      .Case<arith::AndIOp>([](auto) { return Expr::Op::conjunction; })
      .Case<arith::OrIOp>([](auto) { return Expr::Op::disjunction; })
      .Default(Result());
}
} // namespace

std::string elementName(Type type) { return std::string(nameOf(*elementTypeOf(type))); }

TypedExpr ValueFormatter::reduction(std::string name, Idiom idiom, TypedExpr value) {
  norm::ReduceOp reduce = idiom.reduce;
  AxisSet over = 0;
  if (reduce) {
    assert(reduce.getInto().empty() && "chunks belong to later stages");
    over = setOf(reduce.getOver());
    value = ranging(std::move(value), over, setOf(reduce.getInput().getType()));
  }
  AxisSet kept = value.axes & ~over;
  bool isLogical = name == "any" || name == "all";
  TypedExpr call =
      callExpr(std::move(name), listExprs(std::move(value)), isLogical ? ValueKind::boolean : ValueKind::real);
  call.axes = kept;
  CallTail &tail = tailOf(call);
  if (reduce) tail.overSpot.emplace(), tail.over = axesIn(over);
  if (idiom.across) tail.across.emplace();
  return call;
}

TypedExpr ValueFormatter::show(Operation &op, Idiom idiom) {
  if (idiom.kind == Idiom::Kind::count) {
    TypedExpr call = callExpr("count", {}, ValueKind::integer);
    CallTail &tail = tailOf(call);
    tail.overSpot.emplace(), tail.across.emplace();
    tail.over = axesIn(setOf(idiom.counted));
    return call;
  }
  std::vector<TypedExpr> operands = takeAll(idiom.operands);
  switch (idiom.kind) {
  case Idiom::Kind::mean:
    return reduction("mean", idiom, std::move(operands[0]));
  case Idiom::Kind::reduction:
  case Idiom::Kind::acrossOnly: {
    auto across = dyn_cast<AllReduceOp>(op);
    ReduceKind kind = across ? across.getKind() : idiom.reduce.getKind();
    return reduction(stringifyReduceKind(kind).str(), idiom, std::move(operands[0]));
  }
  case Idiom::Kind::sigmoid:
    return callExpr("sigmoid", std::move(operands), ValueKind::real);
  case Idiom::Kind::lowerClamp:
    operands.push_back(realExpr(std::numeric_limits<double>::infinity(), isDouble));
    return callExpr("clamp", std::move(operands), ValueKind::real);
  case Idiom::Kind::upperClamp:
    operands.insert(operands.begin() + 1, realExpr(-std::numeric_limits<double>::infinity(), isDouble));
    return callExpr("clamp", std::move(operands), ValueKind::real);
  case Idiom::Kind::clamp:
    if (isReal(op.getResult(0))) meetAsReals(operands[0], operands[1], isDouble);
    return callExpr("clamp", std::move(operands), kindOf(op.getResult(0).getType()));
  case Idiom::Kind::subtraction:
    meetAsReals(operands[0], operands[1], isDouble);
    return binaryExpr(Expr::Op::subtract, std::move(operands[0]), std::move(operands[1]), ValueKind::real);
  case Idiom::Kind::negation:
    return unaryExpr(Expr::Kind::negate, std::move(operands[0]), ValueKind::integer);
  case Idiom::Kind::inversion:
    return unaryExpr(Expr::Kind::invert, std::move(operands[0]), ValueKind::boolean);
  case Idiom::Kind::guarded:
    hasGuarded = true;
    meetAsReals(operands[0], operands[1], isDouble);
    return callExpr("times", std::move(operands), ValueKind::real);
  default:
    return showOp(op, std::move(operands));
  }
}

TypedExpr ValueFormatter::showOp(Operation &op, std::vector<TypedExpr> operands) {
  bool real = isReal(op.getResult(0));
  ValueKind kind = kindOf(op.getResult(0).getType());
  if (std::optional<Expr::Op> sign = operatorOf(&op)) {
    if (real && *sign != Expr::Op::divide) meetAsReals(operands[0], operands[1], isDouble);
    return binaryExpr(*sign, std::move(operands[0]), std::move(operands[1]), kind);
  }
  if (StringRef function = functionOf(&op); !function.empty()) {
    // Of an integer the language's abs, min and max are integers.
    bool isEither = isa<math::AbsFOp, StopGradientOp>(op);
    if (isEither) operands[0] = asReal(std::move(operands[0]), isDouble);
    if (isa<arith::MinimumFOp, arith::MaximumFOp>(op)) meetAsReals(operands[0], operands[1], isDouble);
    return callExpr(function.str(), std::move(operands), kind);
  }
  if (isa<arith::CmpFOp, arith::CmpIOp>(op)) return showComparison(op, std::move(operands));
  if (isa<arith::XOrIOp>(op))
    return binaryExpr(Expr::Op::notEqual, std::move(operands[0]), std::move(operands[1]), kind);
  if (isa<arith::NegFOp>(op)) return unaryExpr(Expr::Kind::negate, asReal(std::move(operands[0]), isDouble), kind);
  if (isa<arith::SelectOp>(op)) {
    if (real) meetAsReals(operands[1], operands[2], isDouble);
    return callExpr("where", std::move(operands), kind);
  }
  if (isa<arith::ExtUIOp>(op))
    return callExpr("where", listExprs(std::move(operands[0]), integerExpr(1), integerExpr(0)), kind);
  if (auto cast = dyn_cast<CastOp>(op)) return showCast(cast, std::move(operands[0]));
  if (auto at = dyn_cast<AtOp>(op)) return showAt(at, std::move(operands));
  auto index = cast<IndexOp>(op);
  return callExpr("index", listExprs(nameExpr(index.getAxis().str(), kind, sets.lookup(index.getAxis()))), kind);
}

TypedExpr ValueFormatter::showCast(CastOp op, TypedExpr operand) {
  Type element = getElementTypeOrSelf(op.getType());
  if (isReal(op.getInput()) && !isReal(op)) operand = asReal(std::move(operand), isDouble);
  TypedExpr type = nameExpr(elementName(element), ValueKind::real, 0);
  return callExpr("cast", listExprs(std::move(operand), std::move(type)), kindOf(element));
}

TypedExpr ValueFormatter::showAt(AtOp op, std::vector<TypedExpr> operands) {
  AxisSet removed = sets.lookup(op.getAxis());
  TypedExpr value = ranging(std::move(operands[0]), removed, setOf(op.getInput().getType()));
  AxisSet kept = value.axes & ~removed;
  ValueKind kind = value.kind;
  TypedExpr call = callExpr("at", listExprs(std::move(value)), kind);
  tailOf(call).named.emplace_back(Name{op.getAxis().str(), {}}, std::move(operands[1].expr));
  call.axes = kept;
  return call;
}

TypedExpr ValueFormatter::showComparison(Operation &op, std::vector<TypedExpr> operands) {
  using Sign = Expr::Op;
  TypedExpr &a = operands[0], &b = operands[1];
  auto is = [](Sign sign, TypedExpr a, TypedExpr b) {
    return binaryExpr(sign, std::move(a), std::move(b), ValueKind::boolean);
  };
  auto isNot = [&](Sign sign) {
    return unaryExpr(Expr::Kind::invert, is(sign, std::move(a), std::move(b)), ValueKind::boolean);
  };
  auto either = [&](Sign one, Sign other) { return is(Sign::disjunction, is(one, a, b), is(other, a, b)); };
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    using P = arith::CmpIPredicate;
    P predicate = compare.getPredicate();
    // In i1 true is −1; to the language it is 1.
    bool isSigned = predicate == P::slt || predicate == P::sle || predicate == P::sgt || predicate == P::sge;
    if (isSigned && getElementTypeOrSelf(compare.getLhs()).isInteger(1)) std::swap(a, b);
    Sign sign = predicate == P::eq                           ? Sign::equal
                : predicate == P::ne                         ? Sign::notEqual
                : predicate == P::slt || predicate == P::ult ? Sign::less
                : predicate == P::sle || predicate == P::ule ? Sign::lessEqual
                : predicate == P::sgt || predicate == P::ugt ? Sign::greater
                                                             : Sign::greaterEqual;
    return is(sign, std::move(a), std::move(b));
  }
  auto compare = cast<arith::CmpFOp>(op);
  meetAsReals(a, b, isDouble);
  using P = arith::CmpFPredicate;
  switch (compare.getPredicate()) {
  case P::OLT:
    return is(Sign::less, std::move(a), std::move(b));
  case P::OLE:
    return is(Sign::lessEqual, std::move(a), std::move(b));
  case P::OGT:
    return is(Sign::greater, std::move(a), std::move(b));
  case P::OGE:
    return is(Sign::greaterEqual, std::move(a), std::move(b));
  case P::OEQ:
    return is(Sign::equal, std::move(a), std::move(b));
  case P::UNE:
    return is(Sign::notEqual, std::move(a), std::move(b));
  case P::ULT:
    return isNot(Sign::greaterEqual);
  case P::ULE:
    return isNot(Sign::greater);
  case P::UGT:
    return isNot(Sign::lessEqual);
  case P::UGE:
    return isNot(Sign::less);
  case P::ONE:
    return either(Sign::less, Sign::greater);
  case P::UEQ:
    return unaryExpr(Expr::Kind::invert, either(Sign::less, Sign::greater), ValueKind::boolean);
  case P::ORD:
    return is(Sign::conjunction, is(Sign::equal, a, a), is(Sign::equal, b, b));
  case P::UNO:
    return is(Sign::disjunction, is(Sign::notEqual, a, a), is(Sign::notEqual, b, b));
  case P::AlwaysTrue:
    return booleanExpr(true);
  case P::AlwaysFalse:
    return booleanExpr(false);
  }
  llvm_unreachable("every predicate has been dealt with");
}

} // namespace normc
