// A maximum of magnitudes need not wait for a factor that is constant along it: its sweep goes with an earlier one.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Structure.h"
#include "dialect/Norm.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/STLExtras.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace normc {
#define GEN_PASS_DEF_MERGESWEEPS
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
bool isOutside(PassOp pass, Value value) { return !pass->isAncestor(value.getParentBlock()->getParentOp()); }

/// The product of a constant factor and something else, inside of products that nothing else reads.
arith::MulFOp productWithConstant(PassOp pass, Value value) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  if (!product || !product->hasOneUse() || product->getParentOp() != pass) return {};
  if (llvm::any_of(product->getOperands(), [&](Value operand) { return isOutside(pass, operand); })) return product;
  for (Value operand : product->getOperands())
    if (auto inner = productWithConstant(pass, operand)) return inner;
  return {};
}

/// max |v · c| becomes |c| · max |v|: whether there is any.
bool hoistFromMaximum(PassOp pass) {
  bool any = false;
  Operation *yield = pass.getBody().front().getTerminator();
  for (auto [number, kind] : llvm::enumerate(pass.getKinds())) {
    auto magnitude = yield->getOperand(number).getDefiningOp<math::AbsFOp>();
    if (ReduceKind(kind) != ReduceKind::max || !magnitude || !magnitude->hasOneUse()) continue;
    while (auto product = productWithConstant(pass, magnitude.getOperand())) {
      bool isFirst = isOutside(pass, product.getLhs());
      Value factor = isFirst ? product.getLhs() : product.getRhs(),
            rest = isFirst ? product.getRhs() : product.getLhs();
      if (isOutside(pass, rest)) break;
      product.replaceAllUsesWith(rest);
      product.erase();
      OpBuilder b(pass->getBlock(), std::next(pass->getIterator()));
      Value size = math::AbsFOp::create(b, pass.getLoc(), factor);
      Value largest = pass.getResult(number);
      Value scaled = arith::MulFOp::create(b, pass.getLoc(), largest, size);
      // Of no points it is −inf, whatever the factor.
      Value zero = arith::ConstantOp::create(b, pass.getLoc(), b.getZeroAttr(largest.getType()));
      Value isNone = arith::CmpFOp::create(b, pass.getLoc(), arith::CmpFPredicate::OLT, largest, zero);
      Value whole = arith::SelectOp::create(b, pass.getLoc(), isNone, largest, scaled);
      largest.replaceUsesWithIf(whole, [&](OpOperand &use) {
        Operation *user = use.getOwner();
        return user != scaled.getDefiningOp() && user != isNone.getDefiningOp() && user != whole.getDefiningOp();
      });
      any = true;
    }
  }
  return any;
}

/// The pass before this one in its block.
PassOp passBefore(PassOp pass) {
  for (Operation *op = pass->getPrevNode(); op; op = op->getPrevNode())
    if (auto before = dyn_cast<PassOp>(op)) return before;
  return {};
}

/// Whether two passes only reduce, over the same axes, and the second needs nothing that is computed or stored after
/// the first has begun.
bool canMerge(PassOp from, PassOp pass) {
  auto onlyReduces = [](PassOp pass) { return !pass.getKinds().empty() && pass.getBody().getOps<StoreOp>().empty(); };
  if (!onlyReduces(from) || !onlyReduces(pass) || from.getAxes() != pass.getAxes() || from.getSample() ||
      pass.getSample() || !from.getBody().getOps<PassOp>().empty())
    return false;
  llvm::DenseSet<Value> stored;
  for (Operation *op = from; op != pass; op = op->getNextNode())
    op->walk([&](StoreOp store) { stored.insert(store.getTo()); });
  return !pass->walk([&](Operation *op) {
                if (auto load = dyn_cast<LoadOp>(op); load && stored.contains(load.getFrom()))
                  return WalkResult::interrupt();
                for (Value operand : op->getOperands()) {
                  Operation *maker = operand.getDefiningOp();
                  bool isLate = maker && maker->getBlock() == pass->getBlock() && !maker->isBeforeInBlock(from);
                  if (isLate && !maker->hasTrait<OpTrait::ConstantLike>()) return WalkResult::interrupt();
                }
                return WalkResult::advance();
              })
              .wasInterrupted();
}

/// Both as one, where the first stands.
void merge(PassOp first, PassOp second) {
  SmallVector<Type> types(first.getResultTypes());
  llvm::append_range(types, second.getResultTypes());
  SmallVector<int32_t> kinds(first.getKinds());
  llvm::append_range(kinds, second.getKinds());
  for (Operation *op = first->getNextNode(), *next; op != second; op = next) {
    next = op->getNextNode();
    if (op->hasTrait<OpTrait::ConstantLike>()) op->moveBefore(first);
  }
  OpBuilder b(first);
  auto both = PassOp::create(b, first.getLoc(), types, first.getAxes(), kinds, StringAttr());
  both.getBody().takeBody(first.getBody());
  Block &body = both.getBody().front(), &other = second.getBody().front();
  SmallVector<Value> yields(body.getTerminator()->getOperands());
  llvm::append_range(yields, other.getTerminator()->getOperands());
  body.getTerminator()->erase();
  other.getTerminator()->setOperands(yields);
  body.getOperations().splice(body.end(), other.getOperations());
  size_t count = first.getNumResults();
  first.replaceAllUsesWith(both.getResults().take_front(count));
  second.replaceAllUsesWith(both.getResults().drop_front(count));
  first.erase();
  second.erase();
}

struct MergeSweeps : normc::impl::MergeSweepsBase<MergeSweeps> {
  void runOnOperation() override {
    if (comparesForEquality(getOperation())) return;
    SmallVector<PassOp> passes;
    getOperation().walk([&](PassOp pass) {
      if (pass.getBody().getOps<PassOp>().empty()) passes.push_back(pass);
    });
    for (PassOp pass : passes) {
      if (!hoistFromMaximum(pass)) continue;
      if (PassOp before = passBefore(pass); before && canMerge(before, pass)) merge(before, pass);
    }
  }
};
} // namespace
