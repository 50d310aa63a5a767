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
arith::MulFOp soleProduct(Value value, Operation *user) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  return product && product->hasOneUse() && product->getBlock() == user->getBlock() ? product : arith::MulFOp();
}

struct ContractMultiplyAdd : normc::impl::ContractMultiplyAddBase<ContractMultiplyAdd> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (!isa<arith::AddFOp, arith::SubFOp>(op)) return;
      OpBuilder b(op);
      Location location = op->getLoc();
      Value left = op->getOperand(0), right = op->getOperand(1), fused;
      bool subtracts = isa<arith::SubFOp>(op);
      arith::MulFOp product = soleProduct(left, op);
      if (product) {
        Value addend = subtracts ? arith::NegFOp::create(b, location, right) : right;
        fused = math::FmaOp::create(b, location, product.getLhs(), product.getRhs(), addend);
      } else if ((product = soleProduct(right, op))) {
        Value factor = product.getLhs();
        if (subtracts) factor = arith::NegFOp::create(b, location, factor);
        fused = math::FmaOp::create(b, location, factor, product.getRhs(), left);
      } else {
        return;
      }
      op->getResult(0).replaceAllUsesWith(fused);
      op->erase();
      product.erase();
    });
  }
};
} // namespace
