// Moments become sums. Two sweeps: the mean, then the deviations from it, whose own mean corrects both results.
#include "compiler/transforms/Passes.h"
#include "dialect/Norm.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_DECOMPOSEMOMENTS
#include "compiler/transforms/Passes.h.inc"
} // namespace normc

namespace {
/// Arithmetic on values over axes: operands are brought to the type of the result by name.
struct Arithmetic {
  ImplicitLocOpBuilder &b;

  Value to(Value value, Type type) {
    type = withElement(type, getElementTypeOrSelf(value));
    return value.getType() == type ? value : BroadcastOp::create(b, type, value);
  }
  template <typename OpT> Value binary(Value x, Value y) { // over the axes of x
    return OpT::create(b, x, to(y, x.getType()));
  }
  Value add(Value x, Value y) { return binary<arith::AddFOp>(x, y); }
  Value subtract(Value x, Value y) { return binary<arith::SubFOp>(x, y); }
  Value multiply(Value x, Value y) { return binary<arith::MulFOp>(x, y); }
  Value divide(Value x, Value y) { return binary<arith::DivFOp>(x, y); }
  Value real(double value, Type type) {
    auto element = cast<FloatType>(getElementTypeOrSelf(type));
    return to(arith::ConstantOp::create(b, b.getFloatAttr(element, value)), type);
  }
  Value fromInteger(Value value, Type element) { return arith::SIToFPOp::create(b, withElement(value.getType(), element), value); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) { return arith::CmpFOp::create(b, predicate, x, y); }
  Value sum(Value x, ArrayAttr over, ArrayAttr into) { return ReduceOp::create(b, ReduceKind::sum, x, over, into); }
};

/// The mean in two parts, since one float cannot hold it where it is large against the deviation.
struct Moments {
  Value mean, rest; // mean + rest is the mean
  Value variance;
};

struct Decomposition {
  MomentsOp op;
  ImplicitLocOpBuilder b;
  Arithmetic a;
  Type input, element;
  Value x, weights;

  Decomposition(MomentsOp op)
      : op(op), b(op.getLoc(), op), a{b}, input(op.getInput().getType()), element(getElementTypeOrSelf(input)),
        x(op.getInput()), weights(op.getWeights()) {}

  Value weighted(Value value) { return weights ? a.multiply(value, weights) : value; }
  /// Over the reduced axes: over each chunk first, where there are chunks.
  Value sumAll(Value value) {
    ArrayAttr chunks = op.getThrough(), none = b.getArrayAttr({});
    if (chunks.empty()) return a.sum(value, op.getOver(), none);
    return a.sum(a.sum(value, op.getOver(), chunks), chunks, none);
  }
  /// Σw over the reduced axes, or over each chunk of them.
  Value total(ArrayAttr into, Type result) {
    if (weights) return into.empty() ? sumAll(weights) : a.sum(weights, op.getOver(), into);
    if (into.empty()) return a.to(a.fromInteger(SizeOp::create(b, op.getOver()), element), result);
    Value points = PointsOp::create(b, withAxes(b.getI64Type(), namesOf(into)), into);
    return a.to(a.fromInteger(points, element), result);
  }

  Moments onePass() {
    ArrayAttr none = b.getArrayAttr({});
    Value count = total(none, op.getMean().getType());
    Value mean = a.divide(sumAll(weighted(x)), count);
    Value square = a.divide(sumAll(weighted(a.multiply(x, x))), count);
    return {mean, {}, a.subtract(square, a.multiply(mean, mean))};
  }

  Moments twoPass() {
    ArrayAttr none = b.getArrayAttr({});
    Value count = total(none, op.getMean().getType());
    Value mean = a.divide(sumAll(weighted(x)), count);
    Value deviation = a.subtract(x, mean), weightedDeviation = weighted(deviation);
    Value rest = a.divide(sumAll(weightedDeviation), count);
    Value square = a.divide(sumAll(a.multiply(weightedDeviation, deviation)), count);
    return {mean, rest, a.subtract(square, a.multiply(rest, rest))};
  }

  /// Two sweeps over each chunk while it is in cache, then Chan, Golub and LeVeque's combination of the chunks:
  /// M2 = Σ (M2ᵢ + wᵢ (meanᵢ − mean)²), as two plain sums over them.
  Moments byChunks() {
    ArrayAttr chunks = op.getThrough(), none = b.getArrayAttr({});
    // Reduced axes without chunks are combined like chunks: channels last, each channel of a group has its own moments.
    auto kernel = op->getParentOfType<KernelOp>();
    SmallVector<StringAttr> divided, combined = namesOf(chunks);
    for (StringAttr axis : namesOf(op.getOver())) {
      bool isDivided = llvm::any_of(namesOf(chunks), [&](StringAttr chunk) { return kernel.getAxis(chunk).getWhole() == axis; });
      (isDivided ? divided : combined).push_back(axis);
    }
    ArrayAttr inChunk = arrayOf(b.getContext(), divided), acrossChunks = arrayOf(b.getContext(), combined);
    Value sum = a.sum(weighted(x), inChunk, chunks);
    Type perChunk = sum.getType();
    Value count = weights ? a.sum(weights, inChunk, chunks) : total(chunks, perChunk);
    Value zero = a.real(0, perChunk);
    // A chunk may weigh nothing; what is not finite in it still shows, since 0 times that is NaN.
    auto perWeight = [&](Value value) {
      if (!weights) return a.divide(value, count);
      return a.select(a.compare(arith::CmpFPredicate::OEQ, count, zero), value, a.divide(value, count));
    };
    Value mean = perWeight(sum);
    Value deviation = a.subtract(x, mean), weightedDeviation = weighted(deviation);
    Value restSum = a.sum(weightedDeviation, inChunk, chunks);
    Value rest = perWeight(restSum);
    Value square = a.subtract(a.sum(a.multiply(weightedDeviation, deviation), inChunk, chunks), a.multiply(restSum, rest));

    Value allCount = weights ? a.sum(count, acrossChunks, none) : total(none, op.getMean().getType());
    Value allMean = a.divide(a.sum(a.multiply(mean, count), acrossChunks, none), allCount);
    Value apart = a.add(a.subtract(mean, allMean), rest);
    Value weightedApart = a.multiply(apart, count);
    Value allRest = a.divide(a.sum(weightedApart, acrossChunks, none), allCount);
    Value allSquare = a.divide(a.sum(a.add(square, a.multiply(weightedApart, apart)), acrossChunks, none), allCount);
    return {allMean, allRest, a.subtract(allSquare, a.multiply(allRest, allRest))};
  }

  void run() {
    Moments m = op.getMethod() == Method::one_pass ? onePass()
                : op.getThrough().empty() || op.getMethod() == Method::two_pass ? twoPass()
                                                                                : byChunks();
    op.getVariance().replaceAllUsesWith(m.variance);
    if (!m.rest) {
      op.getMean().replaceAllUsesWith(m.mean);
    } else {
      subtractBothParts(m);
      // An infinite mean has no rest: ∞ − ∞ is NaN.
      Value isNumber = a.compare(arith::CmpFPredicate::ORD, m.rest, m.rest);
      op.getMean().replaceAllUsesWith(a.select(isNumber, a.add(m.mean, m.rest), m.mean));
    }
    op.erase();
  }

  /// x − mean takes the mean off part by part: the first difference is nearly exact.
  void subtractBothParts(Moments m) {
    for (Operation *user : llvm::make_early_inc_range(op.getMean().getUsers())) {
      auto broadcast = dyn_cast<BroadcastOp>(user);
      if (!broadcast) continue;
      for (OpOperand &use : llvm::make_early_inc_range(broadcast->getUses())) {
        auto difference = dyn_cast<arith::SubFOp>(use.getOwner());
        if (!difference || use.getOperandNumber() != 1) continue;
        ImplicitLocOpBuilder at(difference.getLoc(), difference);
        Arithmetic both{at};
        difference.replaceAllUsesWith(both.subtract(both.subtract(difference.getLhs(), m.mean), m.rest));
        difference.erase();
      }
    }
  }
};

struct DecomposeMoments : normc::impl::DecomposeMomentsBase<DecomposeMoments> {
  void runOnOperation() override {
    SmallVector<MomentsOp> all(getOperation().getBody().getOps<MomentsOp>());
    for (MomentsOp op : all) Decomposition(op).run();
  }
};
} // namespace
