// A product that is only added, or subtracted, becomes one fused operation.
#include "compiler/schedule/Passes.h"
#include "dialect/Norm.h"
#include "mlir/Dialect/Math/IR/Math.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_CONTRACTMULTIPLYADD
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
/// Whether only `user` reads a product.
bool isSole(GuardedProduct product, Operation *user) {
  auto isFor = [&](Operation *op) { return op->hasOneUse() && op->getBlock() == user->getBlock(); };
  return product.multiply && isFor(product.multiply) && (!product.where || isFor(product.where));
}

/// (u − rest) · r, where a mean in two parts is taken off, becomes u · r + (−rest · r) if the rest and r stay the same
/// along the sweep: u, the difference from the first part, is what must not lose digits.
void multiplyRestOutside(arith::MulFOp product) {
  auto pass = dyn_cast<PassOp>(product->getParentOp());
  if (!pass) return;
  auto isOutside = [&](Value value) { return !pass->isAncestor(value.getParentBlock()->getParentOp()); };
  for (unsigned side : {0, 1}) {
    auto difference = product.getOperand(side).getDefiningOp<arith::SubFOp>();
    Value factor = product.getOperand(1 - side);
    if (!difference || !difference->hasAttr(restAttribute) || !difference->hasOneUse()) continue;
    if (!isOutside(difference.getRhs()) || !isOutside(factor)) continue;
    OpBuilder b(pass);
    Location location = product.getLoc();
    Value rest = arith::NegFOp::create(b, location, difference.getRhs());
    Value shift = arith::MulFOp::create(b, location, rest, factor);
    b.setInsertionPoint(product);
    product.replaceAllUsesWith(math::FmaOp::create(b, location, difference.getLhs(), factor, shift).getResult());
    product.erase();
    difference.erase();
    return;
  }
}

struct ContractMultiplyAdd : normc::impl::ContractMultiplyAddBase<ContractMultiplyAdd> {
  void runOnOperation() override {
    getOperation().walk(multiplyRestOutside);
    getOperation().walk([](Operation *op) {
      if (!isa<arith::AddFOp, arith::SubFOp>(op)) return;
      OpBuilder b(op);
      Location location = op->getLoc();
      Value addend = op->getOperand(1);
      bool subtracts = isa<arith::SubFOp>(op);
      GuardedProduct product(op->getOperand(0));
      Value factor;
      if (isSole(product, op)) {
        if (subtracts) addend = arith::NegFOp::create(b, location, addend);
        factor = product.multiply.getLhs();
      } else {
        product = GuardedProduct(addend);
        if (!isSole(product, op)) return;
        addend = op->getOperand(0);
        factor = product.multiply.getLhs();
        if (subtracts) factor = arith::NegFOp::create(b, location, factor);
      }
      Value fused = math::FmaOp::create(b, location, factor, product.multiply.getRhs(), addend);
      if (product.where) fused = arith::SelectOp::create(b, location, product.where.getCondition(), fused, addend);
      op->getResult(0).replaceAllUsesWith(fused);
      op->erase();
      if (product.where) product.where->erase();
      product.multiply->erase();
    });
  }
};
} // namespace
