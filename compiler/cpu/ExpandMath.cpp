#include "compiler/cpu/MathFunctions.h"
#include "compiler/cpu/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

namespace normc {
#define GEN_PASS_DEF_EXPANDMATH
#include "compiler/cpu/Passes.h.inc"
} // namespace normc

using namespace mlir;
using namespace normc;

static bool isNumber(Value value, double number) {
  if (auto splat = value.getDefiningOp<vector::BroadcastOp>()) value = splat.getSource();
  llvm::APFloat constant(0.0);
  return matchPattern(value, m_ConstantFloat(&constant)) && constant.convertToDouble() == number;
}
static bool isOne(Value value) { return isNumber(value, 1); }

/// The exp of `1 + exp(x)`, or null.
static math::ExpOp matchOnePlusExp(arith::AddFOp sum) {
  for (auto [one, other] : {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
    if (isOne(one))
      if (auto exp = other.getDefiningOp<math::ExpOp>()) return exp;
  return {};
}

/// `1 + exp(x)` as one function, or null; that exp with it where something else takes it.
static Value expandSum(const RealBuilder &b, arith::AddFOp sum) {
  math::ExpOp exp = matchOnePlusExp(sum);
  if (!exp || exp->hasOneUse()) return exp ? emitOnePlusExp(b, exp.getOperand()) : Value();
  OpBuilder builder(exp);
  auto [power, onePlus] = emitExpAndOnePlus(RealBuilder(builder, exp.getLoc(), exp.getType()), exp.getOperand());
  exp.getResult().replaceAllUsesWith(power);
  return onePlus;
}

/// The exp of `a / (1 + exp(x))` where nothing else takes that sum, or null.
static math::ExpOp matchOverSum(arith::DivFOp quotient) {
  auto sum = quotient.getRhs().getDefiningOp<arith::AddFOp>();
  return sum && sum->hasOneUse() ? matchOnePlusExp(sum) : math::ExpOp();
}

/// The x of `a / (1 + exp(x))` where nothing else takes that sum and that exp, or null.
static Value matchOverOnePlusExp(arith::DivFOp quotient) {
  math::ExpOp exp = matchOverSum(quotient);
  return exp && exp->hasOneUse() ? exp.getOperand() : Value();
}

/// `a / (1 + exp(x))` as one function, or null: a 1 over a sum that is computed goes by that sum.
static Value expandQuotient(const RealBuilder &b, arith::DivFOp quotient) {
  if (!isOne(quotient.getLhs())) {
    Value x = matchOverOnePlusExp(quotient);
    return x ? emitOverOnePlusExp(b, quotient.getLhs(), x) : Value();
  }
  math::ExpOp exp = b.hasLookups() ? matchOverSum(quotient) : math::ExpOp();
  return exp ? emitLookedUpLogistic(b, exp.getOperand()) : Value();
}

/// `a * (1 / (1 + exp(x)))` where nothing else takes that quotient, as one function; null for other products.
static Value expandProduct(const RealBuilder &b, arith::MulFOp product) {
  for (auto [a, other] : {std::pair(product.getLhs(), product.getRhs()), std::pair(product.getRhs(), product.getLhs())})
    if (auto quotient = other.getDefiningOp<arith::DivFOp>())
      if (quotient->hasOneUse() && isOne(quotient.getLhs()))
        if (Value x = matchOverOnePlusExp(quotient)) return emitOverOnePlusExp(b, a, x);
  return {};
}

/// `2 t / (1 - t)` with t = tanh(x): exp(2 x) - 1, or null.
static Value expandExpm1(const RealBuilder &b, arith::DivFOp quotient) {
  auto twice = quotient.getLhs().getDefiningOp<arith::MulFOp>();
  auto difference = quotient.getRhs().getDefiningOp<arith::SubFOp>();
  auto tanh = difference ? difference.getRhs().getDefiningOp<math::TanhOp>() : math::TanhOp();
  if (!twice || !tanh || !isOne(difference.getLhs())) return {};
  for (unsigned side : {0, 1})
    if (twice.getOperand(side) == tanh.getResult() && isNumber(twice.getOperand(1 - side), 2))
      return emitExpm1(b, b.add(tanh.getOperand(), tanh.getOperand()));
  return {};
}

/// `log(1 + e)` with what 1 + e rounds away put back, where e is an exp of no positive number: the select of
/// `u == 1 ? e : log(u) e / (u - 1)`; null for others.
static Value expandLog1p(const RealBuilder &b, arith::SelectOp select) {
  if (!b.hasLookups()) return {};
  auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>();
  auto exp = select.getTrueValue().getDefiningOp<math::ExpOp>();
  auto negation = exp ? exp.getOperand().getDefiningOp<arith::NegFOp>() : arith::NegFOp();
  auto quotient = select.getFalseValue().getDefiningOp<arith::DivFOp>();
  if (!compare || !negation || !negation.getOperand().getDefiningOp<math::AbsFOp>() || !quotient) return {};
  auto sum = compare.getLhs().getDefiningOp<arith::AddFOp>();
  auto rest = quotient.getRhs().getDefiningOp<arith::SubFOp>();
  auto product = quotient.getLhs().getDefiningOp<arith::MulFOp>();
  if (compare.getPredicate() != arith::CmpFPredicate::OEQ || !isOne(compare.getRhs()) || !sum || !rest || !product ||
      matchOnePlusExp(sum) != exp || rest.getLhs() != sum.getResult() || !isOne(rest.getRhs()))
    return {};
  for (unsigned side : {0, 1})
    if (auto log = product.getOperand(side).getDefiningOp<math::LogOp>())
      if (log.getOperand() == sum.getResult() && product.getOperand(1 - side) == exp.getResult())
        return emitLookedUpLog1p(b, exp.getResult());
  return {};
}

/// What `op` computes, emitted before it; null where a processor has it.
static Value expand(OpBuilder &builder, Operation *op, bool lookups) {
  if (op->getNumResults() != 1) return {};
  Type type = op->getResult(0).getType(), element = getElementTypeOrSelf(type);
  if (!element.isF32() && !element.isF64()) return {};
  auto vector = dyn_cast<VectorType>(type);
  RealBuilder b(builder, op->getLoc(), type, lookups && (!vector || vector.getNumElements() <= 16));
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp exp) { return emitExp(b, exp.getOperand()); })
      .Case([&](math::LogOp log) { return emitLog(b, log.getOperand()); })
      .Case([&](math::TanhOp tanh) { return emitTanh(b, tanh.getOperand()); })
      .Case([&](math::ErfOp erf) { return emitErf(b, erf.getOperand()); })
      .Case([&](math::RsqrtOp rsqrt) { return emitRsqrt(b, rsqrt.getOperand()); })
      .Case([&](math::PowFOp pow) { return emitPow(b, pow.getLhs(), pow.getRhs()); })
      .Case([&](arith::MulFOp product) { return expandProduct(b, product); })
      .Case([&](arith::SelectOp select) { return expandLog1p(b, select); })
      .Case([&](arith::DivFOp quotient) {
        Value expm1 = expandExpm1(b, quotient);
        return expm1 ? expm1 : expandQuotient(b, quotient);
      })
      .Case([&](arith::AddFOp sum) { return expandSum(b, sum); })
      .Case([&](arith::UIToFPOp convert) {
        // LLVM widens the bool to an integer and converts that; a select of constants is a mask.
        bool isTruth = getElementTypeOrSelf(convert.getIn()).isInteger(1);
        return isTruth ? b.select(convert.getIn(), b.real(1), b.real(0)) : Value();
      })
      .Default(Value());
}

namespace {
struct ExpandMath : normc::impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    // Users come before what they use, so that an exp of which only 1 + exp was asked is unused when its turn comes.
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : llvm::reverse(ops)) {
      if (op->getNumRegions() == 0 && isOpTriviallyDead(op)) { // what a loop holds is still to be visited
        op->erase();
        continue;
      }
      OpBuilder builder(op);
      Value value = expand(builder, op, lookups);
      if (!value) continue;
      op->getResult(0).replaceAllUsesWith(value);
      op->erase();
    }
  }
};
} // namespace
