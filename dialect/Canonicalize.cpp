// Canonical forms: what is constant along an axis is computed without it, and what a constant decides is decided.
#include "dialect/Norm.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
using namespace mlir;
using namespace norm;

namespace {
/// f(broadcast a, broadcast b) = broadcast f(a, b): once a row rather than once a point; on scalars it folds.
struct ElementwiseOfBroadcasts : RewritePattern {
  ElementwiseOfBroadcasts(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op)) return failure();
    Type result = op->getResult(0).getType();
    if (axesOf(result).empty()) return failure();
    // What is returned is converted where it is stored: no value in between has a storage type.
    if (isa<CastOp>(op) && llvm::any_of(op->getUsers(), [](Operation *user) { return isa<ReturnOp>(user); }))
      return failure();
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
    for (Value operand : op->getOperands())
      operands.push_back(broadcastTo(rewriter, op->getLoc(), operand.getDefiningOp<BroadcastOp>().getInput(), axes));
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
      // A tensor that is constant becomes a broadcast first: upstream's folds move it to the right, too.
      if (matchPattern(operand, m_Constant())) return failure();
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
    if (failed(op->fold(constants, results))) return failure();
    if (results.empty()) { // folded in place
      rewriter.modifyOpInPlace(op, [] {});
      return success();
    }
    Value value = dyn_cast<Value>(results[0]);
    if (!value)
      for (auto [operand, constant] : llvm::zip(op->getOperands(), constants))
        if (constant && constant == cast<Attribute>(results[0])) value = operand;
    if (!value || value.getType() != op->getResult(0).getType()) return failure();
    rewriter.replaceOp(op, value);
    return success();
  }
};

/// Upstream folds x ^ x and i == i to a constant tensor, though its extents are not known: the constant, broadcast.
struct SplatConstant : OpRewritePattern<arith::ConstantOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ConstantOp op, PatternRewriter &rewriter) const override {
    auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
    if (!splat || axesOf(op.getType()).empty()) return failure();
    Value scalar = arith::ConstantOp::create(rewriter, op.getLoc(), cast<TypedAttr>(splat.getSplatValue<Attribute>()));
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), scalar);
    return success();
  }
};

/// What a value broadcasts where that does not range over any of the axes; null otherwise.
Value constantAlong(Value value, ArrayAttr over) {
  auto broadcast = value ? value.getDefiningOp<BroadcastOp>() : BroadcastOp();
  bool varies = !broadcast || llvm::any_of(axesOf(broadcast.getInput().getType()),
                                           [&](StringAttr axis) { return llvm::is_contained(over, axis); });
  return varies ? Value() : broadcast.getInput();
}

/// Weights that are the same at all points are no weights: Σw·x / Σw = mean · w / w, which is NaN where w is 0,
/// infinite or NaN, as the weighted mean is.
struct UniformWeights : OpRewritePattern<MomentsOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MomentsOp op, PatternRewriter &rewriter) const override {
    Value weight = constantAlong(op.getWeights(), op.getOver());
    if (!weight) return failure();
    auto constant = dyn_cast_or_null<FloatAttr>(constantOf(weight));
    bool isUnit = constant && constant.getValue().isFiniteNonZero();
    if (op.getAcross() && !isUnit) return failure(); // another replica may have another one
    rewriter.modifyOpInPlace(op, [&] { op.getWeightsMutable().clear(); });
    if (isUnit) return success();
    rewriter.setInsertionPointAfter(op);
    Value one = arith::DivFOp::create(rewriter, op.getLoc(), weight, weight);
    one = broadcastTo(rewriter, op.getLoc(), one, axesOf(op.getMean().getType()));
    for (Value result : op.getResults()) {
      auto product = arith::MulFOp::create(rewriter, op.getLoc(), result, one);
      rewriter.replaceAllUsesExcept(result, product, product);
    }
    return success();
  }
};

/// A reduction of what is the same at all points: a multiple, or the value itself; of no points the neutral element.
struct ReduceOfUniform : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    Value value = constantAlong(op.getInput(), op.getOver());
    if (!value || !op.getInto().empty() || op.getSample()) return failure();
    Location location = op.getLoc();
    Type element = getElementTypeOrSelf(value);
    AxisList axes = axesOf(value.getType());
    if (element.isInteger(64)) return failure();
    Value count = SizeOp::create(rewriter, location, rewriter.getI64Type(), op.getOver());
    Value zero = arith::ConstantOp::create(rewriter, location, rewriter.getI64IntegerAttr(0));
    Value any = arith::CmpIOp::create(rewriter, location, arith::CmpIPredicate::sgt, count, zero);
    any = broadcastTo(rewriter, location, any, axes);
    if (op.getKind() == ReduceKind::sum) {
      Value real = arith::SIToFPOp::create(rewriter, location, element, count);
      value = arith::MulFOp::create(rewriter, location, value, broadcastTo(rewriter, location, real, axes));
    }
    Value empty = arith::ConstantOp::create(rewriter, location, neutralOf(op.getKind(), element));
    empty = broadcastTo(rewriter, location, empty, axes);
    value = arith::SelectOp::create(rewriter, location, any, value, empty);
    rewriter.replaceOp(op, broadcastTo(rewriter, location, value, axesOf(op.getType())));
    return success();
  }
};

/// f(broadcast a) = broadcast f(a): a reduction goes without the axes along which its input is the same. Those that are
/// reduced are left to ReduceOfUniform. One that would keep no axis stays beside others, or it would be a phase alone.
struct ReduceOfBroadcast : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    auto broadcast = op.getInput().getDefiningOp<BroadcastOp>();
    if (!broadcast) return failure();
    Value value = broadcast.getInput();
    AxisList axes = axesOf(value.getType());
    SmallVector<StringAttr> varying, same, whole(axesOf(op.getType()));
    for (StringAttr axis : namesOf(op.getOver())) (llvm::is_contained(axes, axis) ? varying : same).push_back(axis);
    bool isPlain = op.getInto().empty() && !op.getSample() && !getElementTypeOrSelf(value).isInteger(64);
    if (varying.empty() || varying.size() == axes.size() || (!same.empty() && !isPlain)) return failure();
    auto reduce = [&](ArrayRef<StringAttr> over) {
      value = ReduceOp::create(rewriter, op.getLoc(), op.getKind(), value, arrayOf(op.getContext(), over), op.getInto(),
                               op.getSampleAttr());
    };
    reduce(varying);
    if (!same.empty()) {
      llvm::append_range(whole, same);
      value = broadcastTo(rewriter, op.getLoc(), value, whole);
      reduce(same);
    }
    rewriter.replaceOp(op, broadcastTo(rewriter, op.getLoc(), value, axesOf(op.getType())));
    return success();
  }
};

/// The sum of a finite constant is the constant times the number of points: 0 over no points, as the sum is.
struct SumOfConstant : OpRewritePattern<ReduceOp> {
  SumOfConstant(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    auto constant = dyn_cast_or_null<FloatAttr>(constantOf(op.getInput()));
    if (op.getKind() != ReduceKind::sum || !op.getInto().empty() || op.getSample() || !constant ||
        !constant.getValue().isFinite())
      return failure();
    Location location = op.getLoc();
    Type element = constant.getType();
    Value value;
    if (constant.getValue().isZero()) { // over no points too; −0 is 0 then
      value = arith::ConstantOp::create(rewriter, location, rewriter.getFloatAttr(element, 0.0));
    } else {
      Value factor = arith::ConstantOp::create(rewriter, location, constant);
      Value count = SizeOp::create(rewriter, location, rewriter.getI64Type(), op.getOver());
      Value real = arith::SIToFPOp::create(rewriter, location, element, count);
      value = arith::MulFOp::create(rewriter, location, real, factor);
    }
    rewriter.replaceOp(op, broadcastTo(rewriter, location, value, axesOf(op.getType())));
    return success();
  }
};

/// The number of points is a constant where the table fixes every extent, or one of them is 0.
struct FixedSize : OpRewritePattern<SizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SizeOp op, PatternRewriter &rewriter) const override {
    auto kernel = op->getParentOfType<KernelOp>();
    if (!kernel) return failure();
    uint64_t product = 1;
    bool allFixed = true, empty = false;
    for (StringAttr name : namesOf(op.getAxes()))
      for (StringAttr leaf : kernel.leavesOf(name)) {
        AxisAttr axis = kernel.getAxis(leaf);
        allFixed &= axis && axis.isFixed();
        empty |= axis && axis.isFixed() && axis.getSize() == 0;
        if (allFixed) product *= uint64_t(axis.getSize());
      }
    if (!allFixed && !empty) return failure();
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, rewriter.getI64IntegerAttr(empty ? 0 : int64_t(product)));
    return success();
  }
};
} // namespace

void NormDialect::getCanonicalizationPatterns(RewritePatternSet &patterns) const {
  patterns.add<ElementwiseOfBroadcasts, FixedSize, FoldThroughBroadcast, ReduceOfBroadcast, ReduceOfUniform,
               SplatConstant, SumOfConstant, UniformWeights>(getContext());
}
