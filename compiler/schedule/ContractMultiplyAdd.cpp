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
/// A product that only `user` reads, or one that counts only where a test holds, and is 0 otherwise.
struct Product {
  arith::MulFOp multiply;
  arith::SelectOp where;

  Product(Value value, Operation *user) {
    where = value.getDefiningOp<arith::SelectOp>();
    if (where && !where->hasAttr("norm.zero_cotangent")) where = {};
    multiply = (where ? where.getTrueValue() : value).getDefiningOp<arith::MulFOp>();
    bool isSole = multiply && multiply->hasOneUse() && multiply->getBlock() == user->getBlock();
    if (!isSole || (where && (!where->hasOneUse() || where->getBlock() != user->getBlock()))) multiply = {};
  }
};

struct ContractMultiplyAdd : normc::impl::ContractMultiplyAddBase<ContractMultiplyAdd> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (!isa<arith::AddFOp, arith::SubFOp>(op)) return;
      OpBuilder b(op);
      Location location = op->getLoc();
      Value addend = op->getOperand(1);
      bool subtracts = isa<arith::SubFOp>(op);
      Product product(op->getOperand(0), op);
      Value factor;
      if (product.multiply) {
        if (subtracts) addend = arith::NegFOp::create(b, location, addend);
        factor = product.multiply.getLhs();
      } else {
        product = Product(addend, op);
        if (!product.multiply) return;
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
