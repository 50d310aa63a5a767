// norm-lower-positions: the value at one position of an axis is computed there, not picked from a computed array.
#include "compiler/transforms/Passes.h"
#include "dialect/Norm.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_LOWERPOSITIONS
#include "compiler/transforms/Passes.h.inc"

namespace {
/// at(e, c = i) for a split c = g * k: at(at(e, g = i / size(k)), k = i mod size(k)).
struct PositionOfProduct : OpRewritePattern<AtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AtOp op, PatternRewriter &rewriter) const override {
    AxisAttr axis = op->getParentOfType<KernelOp>().getAxis(op.getAxisAttr());
    if (!axis.isProduct()) return failure();
    Location location = op.getLoc();
    Value position = op.getPosition();
    Value size = SizeOp::create(rewriter, location, position.getType(), rewriter.getArrayAttr({axis.getInner()}));
    Value outer = arith::DivUIOp::create(rewriter, location, position, size);
    Value inner = arith::RemUIOp::create(rewriter, location, position, size);
    auto kernel = op->getParentOfType<KernelOp>();
    SmallVector<StringAttr> rest(axesOf(op.getInput().getType()));
    for (StringAttr leaf : kernel.leavesOf(axis.getOuter())) rest.erase(llvm::find(rest, leaf));
    Type between = withAxes(op.getInput().getType(), rest);
    Value part = AtOp::create(rewriter, location, between, op.getInput(), axis.getOuter(), outer);
    rewriter.replaceOpWithNewOp<AtOp>(op, op.getType(), part, axis.getInner(), inner);
    return success();
  }
};

/// at(f(a, b), n = i) = f(at(a, n = i), at(b, n = i)). A load and its conversion stay together.
struct PositionOfElementwise : OpRewritePattern<AtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AtOp op, PatternRewriter &rewriter) const override {
    Operation *inner = op.getInput().getDefiningOp();
    if (!inner || inner->getNumResults() != 1 || inner->getNumRegions() != 0) return failure();
    if (!inner->hasTrait<OpTrait::Elementwise>() && !isa<CastOp, StopGradientOp>(inner)) return failure();
    if (isa<CastOp>(inner) && isa<BlockArgument>(inner->getOperand(0))) return failure();
    SmallVector<Value> operands;
    for (Value operand : inner->getOperands())
      operands.push_back(AtOp::create(rewriter, op.getLoc(), withAxes(operand.getType(), axesOf(op.getType())), operand,
                                      op.getAxisAttr(), op.getPosition()));
    Operation *there = Operation::create(inner->getLoc(), inner->getName(), op.getType(), operands,
                                         inner->getDiscardableAttrDictionary(), inner->getPropertiesStorage(), {}, 0);
    rewriter.insert(there);
    rewriter.replaceOp(op, there->getResult(0));
    return success();
  }
};

/// At a position along an axis that a broadcast adds there is what it broadcasts.
struct PositionOfBroadcast : OpRewritePattern<AtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AtOp op, PatternRewriter &rewriter) const override {
    auto broadcast = op.getInput().getDefiningOp<BroadcastOp>();
    if (!broadcast || op->getParentOfType<KernelOp>().getAxis(op.getAxisAttr()).isProduct()) return failure();
    Value value = broadcast.getInput();
    SmallVector<StringAttr> axes(axesOf(value.getType()));
    if (auto *axis = llvm::find(axes, op.getAxisAttr()); axis != axes.end()) {
      axes.erase(axis);
      value = AtOp::create(rewriter, op.getLoc(), withAxes(value.getType(), axes), value, op.getAxisAttr(),
                           op.getPosition());
    }
    if (value.getType() == op.getType()) rewriter.replaceOp(op, value);
    else rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), value);
    return success();
  }
};

/// at(index(n), n = i) = i.
struct PositionOfIndex : OpRewritePattern<AtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AtOp op, PatternRewriter &rewriter) const override {
    auto index = op.getInput().getDefiningOp<IndexOp>();
    if (!index || index.getAxisAttr() != op.getAxisAttr()) return failure();
    rewriter.replaceOp(op, op.getPosition());
    return success();
  }
};

struct LowerPositions : impl::LowerPositionsBase<LowerPositions> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<PositionOfBroadcast, PositionOfElementwise, PositionOfIndex, PositionOfProduct>(&getContext());
    if (failed(applyPatternsGreedily(getOperation().getBody(), std::move(patterns)))) signalPassFailure();
  }
};
} // namespace
} // namespace normc
