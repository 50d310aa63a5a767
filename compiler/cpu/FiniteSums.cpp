// Guards of cotangents that sums of a sweep show to be void.
#include "compiler/cpu/FiniteSums.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace {
using Guards = llvm::DenseSet<Operation *>;

bool isGuard(Operation *op) { return isa<arith::SelectOp>(op) && op->hasAttr(GuardedProduct::attribute); }

/// A value without the guards that do not count.
Value bare(Value value, const Guards &voided) {
  while (voided.contains(value.getDefiningOp())) value = value.getDefiningOp<arith::SelectOp>().getTrueValue();
  return value;
}

/// What a guard compares with 0; null where it asks for more.
Value cotangentOf(arith::SelectOp guard) {
  auto compare = guard.getCondition().getDefiningOp<arith::CmpFOp>();
  if (!compare || compare.getPredicate() != arith::CmpFPredicate::UNE) return {};
  return matchPattern(compare.getRhs(), m_AnyZeroFloat()) ? compare.getLhs() : Value();
}

/// Some guards of a later sweep, and which of the values of the first one its values are.
struct Later {
  const llvm::SetVector<Value> &finite;
  const Guards &voidedBefore;
  Block &before;
  Guards voided = {};
  DenseMap<Value, Value> twins = DenseMap<Value, Value>();

  Value twin(Value value) {
    value = bare(value, voided);
    Value known = twins.lookup(value);
    return known ? known : value;
  }
  bool isFinite(Value value) {
    value = bare(value, voided);
    if (auto negate = value.getDefiningOp<arith::NegFOp>()) return isFinite(negate.getOperand());
    return finite.contains(twin(value));
  }
  /// Whether a factor is 0 where the cotangent is: that itself, or a product of it with what is finite.
  bool isZeroWith(Value factor, Value cotangent) {
    while ((factor = bare(factor, voided)) != cotangent) {
      if (auto negate = factor.getDefiningOp<arith::NegFOp>()) {
        factor = negate.getOperand();
        continue;
      }
      auto multiply = factor.getDefiningOp<arith::MulFOp>();
      if (!multiply) return false;
      Value x = multiply.getLhs(), y = multiply.getRhs();
      if (bare(y, voided) != cotangent && isFinite(y)) factor = x;
      else if (isFinite(x)) factor = y;
      else return false;
    }
    return true;
  }
  void visit(Operation &op) {
    if (isGuard(&op)) visitGuard(cast<arith::SelectOp>(op));
    if (op.getNumResults() != 1 || voided.contains(&op)) return;
    for (Operation &other : before)
      if (other.getName() == op.getName() && other.getAttrs() == op.getAttrs() &&
          llvm::equal(other.getOperands(), op.getOperands(),
                      [&](Value x, Value y) { return bare(x, voidedBefore) == twin(y); })) {
        twins[op.getResult(0)] = bare(other.getResult(0), voidedBefore);
        return;
      }
  }
  void visitGuard(arith::SelectOp guard) {
    Value cotangent = cotangentOf(guard);
    Operation *product = guard.getTrueValue().getDefiningOp();
    if (!cotangent || !isa_and_nonnull<arith::MulFOp, math::FmaOp>(product)) return;
    cotangent = bare(cotangent, voided);
    Value x = product->getOperand(0), y = product->getOperand(1);
    if ((isZeroWith(x, cotangent) && isFinite(y)) || (isZeroWith(y, cotangent) && isFinite(x))) voided.insert(guard);
  }
};
} // namespace

FiniteSums::FiniteSums(PassOp sweep) : sweep(sweep) {
  auto isRealSum = [&](auto pair) {
    return ReduceKind(std::get<0>(pair)) == ReduceKind::sum && isa<FloatType>(std::get<1>(pair));
  };
  if (sweep.getKinds().empty() || sweep.getSample() || !sweep.getBody().getOps<PassOp>().empty() ||
      !llvm::all_of(llvm::zip(sweep.getKinds(), sweep.getResultTypes()), isRealSum))
    return;
  // What is stored keeps its guards: it is in memory before the sums are known.
  llvm::SetVector<Operation *> stored;
  for (StoreOp store : sweep.getBody().getOps<StoreOp>()) stored.insert(store);
  for (size_t i = 0; i < stored.size(); ++i)
    for (Value operand : stored[i]->getOperands())
      if (Operation *op = operand.getDefiningOp()) stored.insert(op);
  // What is finite, and so what that is made of: infinity and NaN lead to nothing else in these.
  auto yielded = sweep.getBody().front().getTerminator()->getOperands();
  finite.insert_range(yielded);
  for (size_t i = 0; i < finite.size(); ++i) {
    Operation *op = finite[i].getDefiningOp();
    if (!op || op->getParentOp() != sweep) continue;
    if (isGuard(op) && !stored.contains(op)) {
      own.insert(op);
      finite.insert(cast<arith::SelectOp>(op).getTrueValue());
    } else if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp, math::FmaOp>(op)) {
      finite.insert_range(op->getOperands());
    }
  }
}

Guards FiniteSums::guardsOf(PassOp later) {
  if (own.empty() || later.getAxes() != sweep.getAxes() || !later.getBody().getOps<PassOp>().empty()) return {};
  Later ops{finite, own, sweep.getBody().front()};
  for (Operation &op : later.getBody().front().without_terminator()) ops.visit(op);
  return ops.voided;
}
