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

/// A sweep, and what stays the same along it: what is defined outside, and what is loaded for the lanes but is the same
/// in all rows, which the lowering holds in registers.
struct Sweep {
  PassOp pass;

  bool isOutside(Value value) { return !pass->isAncestor(value.getParentBlock()->getParentOp()); }
  bool isConstant(Value value) {
    if (isOutside(value)) return true;
    Operation *op = value.getDefiningOp();
    auto axes = namesOf(pass.getAxes());
    if (!op || axes.size() < 2 || op->getParentOp() != pass || op->getNumRegions() != 0) return false;
    auto load = dyn_cast<LoadOp>(op);
    if (!load)
      return op->getNumOperands() > 0 &&
             llvm::all_of(op->getOperands(), [&](Value operand) { return isConstant(operand); });
    auto rows = pass->getParentOfType<KernelOp>().namesWithin(axes[axes.size() - 2]);
    return llvm::none_of(axesOf(load.getFrom().getType()),
                         [&](StringAttr axis) { return llvm::is_contained(rows, axis); });
  }
  /// Where to compute from such values: once before the sweep if that can be.
  Operation *placeFor(ArrayRef<Value> values, Operation *user) {
    return llvm::all_of(values, [&](Value value) { return isOutside(value); }) ? pass.getOperation() : user;
  }
};

/// v · a · b, with a and b the same along the sweep: v · (a · b).
void combineFactors(arith::MulFOp outer) {
  Sweep sweep{dyn_cast<PassOp>(outer->getParentOp())};
  if (!sweep.pass) return;
  for (unsigned side : {0, 1}) {
    auto inner = outer.getOperand(side).getDefiningOp<arith::MulFOp>();
    Value second = outer.getOperand(1 - side);
    if (!inner || !inner->hasOneUse() || inner->getBlock() != outer->getBlock() || !sweep.isConstant(second)) continue;
    for (unsigned innerSide : {0, 1}) {
      Value value = inner.getOperand(innerSide), first = inner.getOperand(1 - innerSide);
      if (sweep.isConstant(value) || !sweep.isConstant(first)) continue;
      OpBuilder b(sweep.placeFor({first, second}, outer));
      Value factor = arith::MulFOp::create(b, outer.getLoc(), first, second);
      outer->setOperands({value, factor});
      inner->erase();
      return;
    }
  }
}

/// (u − rest) · a + b, where a mean in two parts is taken off, becomes u · a + (b − rest · a) if the rest, a and b
/// (which may be missing) are the same along the sweep: u, the difference from the first part, is what must not lose
/// digits.
void takeRestOutside(Operation *op) {
  Sweep sweep{dyn_cast<PassOp>(op->getParentOp())};
  if (!sweep.pass || !isa<arith::MulFOp, math::FmaOp>(op)) return;
  for (unsigned side : {0, 1}) {
    auto difference = op->getOperand(side).getDefiningOp<arith::SubFOp>();
    if (!difference || !difference->hasAttr(restAttribute) || !difference->hasOneUse()) continue;
    SmallVector<Value> constants = {difference.getRhs(), op->getOperand(1 - side)};
    if (isa<math::FmaOp>(op)) constants.push_back(op->getOperand(2));
    if (!llvm::all_of(constants, [&](Value value) { return sweep.isConstant(value); })) continue;
    OpBuilder b(sweep.placeFor(constants, op));
    Location location = op->getLoc();
    Value rest = arith::NegFOp::create(b, location, constants[0]), factor = constants[1];
    Value shift = constants.size() == 3 ? math::FmaOp::create(b, location, rest, factor, constants[2]).getResult()
                                        : arith::MulFOp::create(b, location, rest, factor).getResult();
    b.setInsertionPoint(op);
    op->getResult(0).replaceAllUsesWith(math::FmaOp::create(b, location, difference.getLhs(), factor, shift));
    op->erase();
    difference->erase();
    return;
  }
}

struct ContractMultiplyAdd : normc::impl::ContractMultiplyAddBase<ContractMultiplyAdd> {
  void runOnOperation() override {
    getOperation().walk(combineFactors);
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
      if (product.where) {
        fused = arith::SelectOp::create(b, location, product.where.getCondition(), fused, addend);
        fused.getDefiningOp()->setAttrs(product.where->getAttrs());
      }
      op->getResult(0).replaceAllUsesWith(fused);
      op->erase();
      if (product.where) product.where->erase();
      product.multiply->erase();
    });
    getOperation().walk(takeRestOutside);
  }
};
} // namespace
