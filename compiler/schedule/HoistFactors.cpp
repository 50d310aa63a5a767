// Factors that are constant along a sum leave it: GroupNorm's gradients with respect to x and to gamma share sums then.
#include "compiler/schedule/Passes.h"
#include "dialect/Norm.h"
#include "mlir/IR/Matchers.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_HOISTFACTORS
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
bool isZero(Value value) {
  FloatAttr constant;
  return matchPattern(value, m_Constant(&constant)) && constant.getValue().isZero();
}

/// A sweep whose sums are rewritten.
struct Sweep {
  PassOp pass;

  bool isConstant(Value value) { return !pass->isAncestor(value.getParentBlock()->getParentOp()); }

  /// The value that a product under a select is guarded by: the select lets it count only where that is not 0.
  Value cotangentOf(GuardedProduct product) {
    if (!product.multiply || !product.where) return {};
    auto compare = product.where.getCondition().getDefiningOp<arith::CmpFOp>();
    if (!compare || compare.getPredicate() != arith::CmpFPredicate::UNE || !isZero(compare.getRhs())) return {};
    return compare.getLhs();
  }
  Value otherFactor(arith::MulFOp multiply, Value one) {
    if (multiply.getLhs() == one) return multiply.getRhs();
    return multiply.getRhs() == one ? multiply.getLhs() : Value();
  }

  /// `cotangent · derivative` where the cotangent is not 0: one that is there already, or a new one.
  Value guarded(OpBuilder &b, Location location, Value cotangent, Value derivative) {
    for (Operation *user : cotangent.getUsers())
      for (Operation *select : user->getUsers()) {
        if (!isa<arith::MulFOp>(user) || !isa<arith::SelectOp>(select) ||
            select->getBlock() != cotangent.getParentBlock())
          continue;
        GuardedProduct known(select->getResult(0));
        if (known.multiply && cotangentOf(known) == cotangent && otherFactor(known.multiply, cotangent) == derivative)
          return select->getResult(0);
      }
    Value zero = arith::ConstantOp::create(b, location, b.getZeroAttr(cotangent.getType()));
    Value test = arith::CmpFOp::create(b, location, arith::CmpFPredicate::UNE, cotangent, zero);
    Value product = arith::MulFOp::create(b, location, cotangent, derivative);
    auto select = arith::SelectOp::create(b, location, test, product, zero);
    select->setAttr(GuardedProduct::attribute, b.getUnitAttr());
    return select;
  }

  /// What is to be summed instead of a value, and the constant factor of that sum; null where nothing leaves.
  std::pair<Value, Value> split(OpBuilder &b, Value value) {
    GuardedProduct product(value);
    Value cotangent = cotangentOf(product);
    if (!cotangent || isConstant(cotangent)) return {};
    Value derivative = otherFactor(product.multiply, cotangent);
    if (!derivative) return {};
    if (isConstant(derivative)) return {cotangent, derivative}; // c · K
    GuardedProduct inner(cotangent);                            // (c · K) · d
    Value first = cotangentOf(inner);
    Value factor = first ? otherFactor(inner.multiply, first) : Value();
    if (!factor || isConstant(first) || !isConstant(factor)) return {};
    return {guarded(b, value.getLoc(), first, derivative), factor};
  }

  void run() {
    Operation *yield = pass.getBody().front().getTerminator();
    OpBuilder inside(yield), outside(pass->getBlock(), std::next(pass->getIterator()));
    SmallVector<Value> summed(yield->getOperands()), factors(summed.size());
    bool any = false;
    for (auto [number, kind] : llvm::enumerate(pass.getKinds())) {
      if (ReduceKind(kind) != ReduceKind::sum) continue;
      auto [value, factor] = split(inside, summed[number]);
      if (value) summed[number] = value, factors[number] = factor, any = true;
    }
    if (!any) return;
    // Equal sums are one.
    SmallVector<Value> yields;
    SmallVector<int32_t> kinds;
    SmallVector<unsigned> resultOf;
    for (auto [value, kind] : llvm::zip(summed, pass.getKinds())) {
      unsigned same = 0;
      while (same < yields.size() && (yields[same] != value || kinds[same] != kind)) ++same;
      if (same == yields.size()) yields.push_back(value), kinds.push_back(kind);
      resultOf.push_back(same);
    }
    OpBuilder b(pass);
    auto rewritten =
        PassOp::create(b, pass.getLoc(), TypeRange(ValueRange(yields)), pass.getAxes(), kinds, pass.getSampleAttr());
    yield->setOperands(yields);
    rewritten.getBody().takeBody(pass.getBody());
    for (auto [result, factor, number] : llvm::zip(pass.getResults(), factors, resultOf)) {
      Value sum = rewritten.getResult(number);
      result.replaceAllUsesWith(factor ? times(outside, sum, factor) : sum);
    }
    pass.erase();
  }

  /// Where a factor is 0, so was each cotangent under the sum.
  Value times(OpBuilder &b, Value sum, Value factor) {
    Location location = sum.getLoc();
    Value zero = arith::ConstantOp::create(b, location, b.getZeroAttr(sum.getType()));
    auto isNotZero = [&](Value value) {
      return arith::CmpFOp::create(b, location, arith::CmpFPredicate::UNE, value, zero);
    };
    Value both = arith::AndIOp::create(b, location, isNotZero(sum), isNotZero(factor));
    Value product = arith::MulFOp::create(b, location, sum, factor);
    auto select = arith::SelectOp::create(b, location, both, product, zero);
    select->setAttr(GuardedProduct::attribute, b.getUnitAttr());
    return select;
  }
};

struct HoistFactors : normc::impl::HoistFactorsBase<HoistFactors> {
  void runOnOperation() override {
    SmallVector<PassOp> passes;
    getOperation().walk([&](PassOp pass) {
      if (pass.getBody().getOps<PassOp>().empty()) passes.push_back(pass);
    });
    for (PassOp pass : passes) Sweep{pass}.run();
  }
};
} // namespace
