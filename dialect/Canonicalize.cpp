// Canonical forms of upstream's elementwise ops over broadcasts: what is constant along an axis is computed without it.
#include "dialect/Norm.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SmallPtrSet.h"
using namespace mlir;
using namespace norm;

namespace {
bool isElementwise(Operation *op) {
  return op->getNumResults() == 1 && op->getNumOperands() > 0 && op->getNumRegions() == 0 &&
         (op->hasTrait<OpTrait::Elementwise>() || isa<CastOp, StopGradientOp>(op));
}

/// f(broadcast a, broadcast b) = broadcast f(a, b): once a row rather than once a point; on scalars it folds.
struct ElementwiseOfBroadcasts : RewritePattern {
  ElementwiseOfBroadcasts(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op)) return failure();
    Type result = op->getResult(0).getType();
    if (axesOf(result).empty()) return failure();
    SmallVector<StringAttr> used;
    for (Value operand : op->getOperands()) {
      auto broadcast = operand.getDefiningOp<BroadcastOp>();
      if (!broadcast) return failure();
      for (StringAttr axis : axesOf(broadcast.getInput().getType()))
        if (!llvm::is_contained(used, axis)) used.push_back(axis);
    }
    // Fewer axes than before, in the order of the result; chunk axes, which the result lacks, come last.
    SmallVector<StringAttr> axes;
    for (StringAttr axis : axesOf(result))
      if (llvm::is_contained(used, axis)) axes.push_back(axis);
    for (StringAttr axis : used)
      if (!llvm::is_contained(axes, axis)) axes.push_back(axis);
    if (axes.size() >= axesOf(result).size()) return failure();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      Value input = operand.getDefiningOp<BroadcastOp>().getInput();
      Type type = withAxes(input.getType(), axes);
      operands.push_back(input.getType() == type ? input : BroadcastOp::create(rewriter, op->getLoc(), type, input));
    }
    Operation *inner = Operation::create(op->getLoc(), op->getName(), withAxes(result, axes), operands,
                                         op->getDiscardableAttrDictionary(), op->getPropertiesStorage(), {}, 0);
    rewriter.insert(inner);
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, result, inner->getResult(0));
    return success();
  }
};

/// Upstream's folds see through the broadcast of a constant: x * broadcast(1) = x.
struct FoldThroughBroadcast : RewritePattern {
  FoldThroughBroadcast(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op)) return failure();
    SmallVector<Attribute> constants(op->getNumOperands());
    bool anyConstant = false, anyOther = false;
    for (auto [operand, constant] : llvm::zip(op->getOperands(), constants)) {
      auto broadcast = operand.getDefiningOp<BroadcastOp>();
      if (broadcast && matchPattern(broadcast.getInput(), m_Constant(&constant))) anyConstant = true;
      else anyOther = true;
    }
    if (!anyConstant || !anyOther) return failure();
    if (op->hasTrait<OpTrait::IsCommutative>() && op->getNumOperands() == 2 && constants[0]) {
      rewriter.modifyOpInPlace(op, [&] { // constants stand on the right, where upstream's folds look for them
        Value constant = op->getOperand(0);
        op->setOperand(0, op->getOperand(1));
        op->setOperand(1, constant);
      });
      return success();
    }
    SmallVector<OpFoldResult> results;
    if (failed(op->fold(constants, results)) || results.size() != 1) return failure();
    Value value = dyn_cast<Value>(results[0]);
    if (!value)
      for (auto [operand, constant] : llvm::zip(op->getOperands(), constants))
        if (constant && constant == cast<Attribute>(results[0])) value = operand;
    if (!value || value.getType() != op->getResult(0).getType()) return failure();
    rewriter.replaceOp(op, value);
    return success();
  }
};
} // namespace

void NormDialect::getCanonicalizationPatterns(RewritePatternSet &patterns) const {
  patterns.add<ElementwiseOfBroadcasts, FoldThroughBroadcast>(getContext());
}
