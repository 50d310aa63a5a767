// Ops that together are one thing in the language.
#include "compiler/frontend/Idiom.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
using namespace mlir;
using namespace norm;

namespace normc {
namespace {
using Kind = Idiom::Kind;

/// The op behind a value that nothing else reads, of one kind; null where there is none.
template <typename Op> Op soleSource(Value value) {
  while (value.hasOneUse()) {
    Operation *op = value.getDefiningOp();
    if (!op || !isImplicit(op)) return dyn_cast_or_null<Op>(op);
    value = op->getOperand(0);
  }
  return {};
}

bool isConstant(Value value, double wanted) {
  auto constant = dyn_cast_or_null<FloatAttr>(constantOf(shownOf(value)));
  return constant && constant.getValue().isExactlyValue(wanted);
}

/// The other operand of a commutative op that has this constant; null where it has not.
Value besides(Operation *op, llvm::function_ref<bool(Value)> isConstant) {
  if (isConstant(op->getOperand(1))) return op->getOperand(0);
  return isConstant(op->getOperand(0)) ? op->getOperand(1) : Value();
}

/// Of a sum over some axes, and what it is divided by where that is the number of their points.
Idiom meanOf(arith::DivFOp op) {
  Idiom idiom{Kind::mean};
  Value count = shownOf(op.getRhs());
  idiom.reduce = soleSource<norm::ReduceOp>(op.getLhs());
  if (auto total = soleSource<AllReduceOp>(op.getLhs())) {
    auto counts = count.getDefiningOp<AllReduceOp>();
    if (!counts || total.getKind() != ReduceKind::sum || counts.getKind() != ReduceKind::sum) return {};
    idiom.reduce = soleSource<norm::ReduceOp>(total.getInput());
    idiom.across = true;
    count = counts.getInput();
  }
  auto size = count.getDefiningOp<SizeOp>();
  if (!size || !idiom.reduce || idiom.reduce.getKind() != ReduceKind::sum) return {};
  if (size.getAxes() != idiom.reduce.getOver() || !isa<FloatType>(getElementTypeOrSelf(idiom.reduce.getType())))
    return {};
  idiom.operands = {idiom.reduce.getInput()};
  return idiom;
}

/// Its parts may be read elsewhere too: the language computes them once all the same.
Idiom sigmoidOf(arith::DivFOp op) {
  auto isOne = [](Value value) { return isConstant(value, 1); };
  auto sum = shownOf(op.getRhs()).getDefiningOp<arith::AddFOp>();
  if (!sum || !isOne(op.getLhs())) return {};
  Value term = besides(sum, isOne);
  auto power = term ? shownOf(term).getDefiningOp<math::ExpOp>() : math::ExpOp();
  auto exponent = power ? shownOf(power.getOperand()).getDefiningOp<arith::NegFOp>() : arith::NegFOp();
  if (!exponent) return {};
  return {Kind::sigmoid, {exponent.getOperand()}};
}

Idiom acrossOf(AllReduceOp op) {
  auto size = op.getInput().getDefiningOp<SizeOp>();
  if (size && op.getKind() == ReduceKind::sum) return {Kind::count, {}, {}, size.getAxes(), true};
  if (auto reduce = soleSource<norm::ReduceOp>(op.getInput()); reduce && reduce.getKind() == op.getKind())
    return {Kind::reduction, {reduce.getInput()}, reduce, {}, true};
  return {Kind::acrossOnly, {op.getInput()}, {}, {}, true};
}

/// Either half of a clamp may have folded away, or be read by others too. Of integers it is as good as a min or a max.
template <typename Minimum, typename Maximum> Idiom clampOf(Operation *op) {
  Value value = op->getOperand(0), bound = op->getOperand(1);
  auto inner = isa<Minimum>(op) ? soleSource<Maximum>(value) : Maximum();
  if (inner && inner->hasAttr("norm.clamp")) return {Kind::clamp, {inner.getLhs(), inner.getRhs(), bound}};
  if (!isa<FloatType>(getElementTypeOrSelf(value))) return {};
  return {isa<Minimum>(op) ? Kind::upperClamp : Kind::lowerClamp, {value, bound}};
}

Idiom subtractionOf(arith::AddFOp op) {
  auto negated = [](Value value) { return shownOf(value).getDefiningOp<arith::NegFOp>(); };
  if (auto right = negated(op.getRhs())) return {Kind::subtraction, {op.getLhs(), right.getOperand()}};
  if (auto left = negated(op.getLhs())) return {Kind::subtraction, {op.getRhs(), left.getOperand()}};
  return {};
}

/// A product that counts only where its first factor is not 0.
Idiom guardedOf(arith::SelectOp op) {
  auto test = shownOf(op.getCondition()).getDefiningOp<arith::CmpFOp>();
  auto product = soleSource<arith::MulFOp>(op.getTrueValue());
  if (!test || !product || test.getPredicate() != arith::CmpFPredicate::UNE) return {};
  bool isFirst = shownOf(test.getLhs()) == shownOf(product.getLhs());
  if (!isFirst || !isConstant(test.getRhs(), 0) || !isConstant(op.getFalseValue(), 0)) return {};
  return {Kind::guarded, {product.getLhs(), product.getRhs()}};
}

Idiom severalOf(Operation *op) {
  if (auto divide = dyn_cast<arith::DivFOp>(op)) {
    Idiom mean = meanOf(divide);
    return mean.reduce ? mean : sigmoidOf(divide);
  }
  if (auto across = dyn_cast<AllReduceOp>(op)) return acrossOf(across);
  if (auto reduce = dyn_cast<norm::ReduceOp>(op)) return {Kind::reduction, {reduce.getInput()}, reduce};
  if (op->hasAttr("norm.clamp"))
    return isa<arith::MinSIOp, arith::MaxSIOp>(op) ? clampOf<arith::MinSIOp, arith::MaxSIOp>(op)
                                                   : clampOf<arith::MinimumFOp, arith::MaximumFOp>(op);
  if (auto add = dyn_cast<arith::AddFOp>(op)) return subtractionOf(add);
  if (auto select = dyn_cast<arith::SelectOp>(op)) return guardedOf(select);
  if (auto subtract = dyn_cast<arith::SubIOp>(op); subtract && matchPattern(shownOf(subtract.getLhs()), m_Zero()))
    return {Kind::negation, {subtract.getRhs()}};
  if (auto exclusive = dyn_cast<arith::XOrIOp>(op))
    if (Value other = besides(op, [](Value value) { return matchPattern(shownOf(value), m_One()); }))
      return {Kind::inversion, {other}};
  return {};
}
} // namespace

ValueKind kindOf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return isa<FloatType>(element) ? ValueKind::real : element.isInteger(1) ? ValueKind::boolean : ValueKind::integer;
}

Idiom idiomOf(Operation *op) {
  Idiom idiom = severalOf(op);
  if (idiom.kind == Kind::op) idiom.operands.assign(op->operand_begin(), op->operand_end());
  return idiom;
}

bool isImplicit(Operation *op) {
  if (isa<BroadcastOp, arith::SIToFPOp, arith::UIToFPOp>(op)) return true;
  if (auto reduce = dyn_cast<norm::ReduceOp>(op)) return reduce.getOver().empty();
  if (!isa<CastOp>(op)) return false;
  Type from = getElementTypeOrSelf(op->getOperand(0)), to = getElementTypeOrSelf(op->getResult(0));
  return from == to || (kindOf(from) == kindOf(to) && from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth());
}

Value shownOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isImplicit(op)) break;
    value = op->getOperand(0);
  }
  return value;
}

} // namespace normc
