// Moments become sums: of deviations from a value near the mean, whose own mean corrects both results. That value is
// the mean of a sample, so that all points are swept once, or where the text says so the mean of all.
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Replicas.h"
#include "dialect/Norm.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_DECOMPOSEMOMENTS
#include "compiler/transforms/Passes.h.inc"
} // namespace normc

using namespace normc;

namespace {
/// Arithmetic on values over axes: operands are brought to the type of the result by name.
struct Arithmetic {
  ImplicitLocOpBuilder &b;

  Value to(Value value, Type type) { return broadcastTo(b, b.getLoc(), value, axesOf(type)); }
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
  Value fromInteger(Value value, Type element) {
    return arith::SIToFPOp::create(b, withElement(value.getType(), element), value);
  }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) { return arith::CmpFOp::create(b, predicate, x, y); }
  Value sum(Value x, ArrayAttr over, ArrayAttr into) { return ReduceOp::create(b, ReduceKind::sum, x, over, into); }
};

/// The mean in two parts, since one float cannot hold it where it is large against the deviation.
struct Moments {
  Value mean, rest; // mean + rest is the mean
  Value variance;
};

/// What is known of some points: of all of them, of each chunk, of each replica's.
struct Part {
  Value count;      // Σw
  Value mean, rest; // mean + rest is the mean
  Value square;     // Σw (x − mean)²
  Value restSum;    // Σw (x − mean)
};

struct Decomposition {
  MomentsOp op;
  ImplicitLocOpBuilder b;
  Arithmetic a;
  Type input, element;
  Value x, weights;
  ArrayAttr none;

  Decomposition(MomentsOp op)
      : op(op), b(op.getLoc(), op), a{b}, input(op.getInput().getType()), element(getElementTypeOrSelf(input)),
        x(op.getInput()), weights(op.getWeights()), none(b.getArrayAttr({})) {}

  Value weighted(Value value) { return weights ? a.multiply(value, weights) : value; }
  /// What is summed first, into which chunks, and what is combined after: chunks, and reduced axes of which each point
  /// is a part of its own.
  struct Parts {
    ArrayAttr divided, chunks, combined;
  };
  Parts partsOf() {
    auto kernel = op->getParentOfType<KernelOp>();
    auto lanes = kernel->getAttrOfType<StringAttr>("norm.lanes"); // two axes that are swept as one, and cut as one
    StringAttr inner = lanes ? kernel.getAxis(lanes).getInner() : StringAttr();
    SmallVector<StringAttr> over = namesOf(op.getOver()), through = namesOf(op.getThrough()), divided, chunks, combined;
    for (StringAttr name : through)
      if (kernel.getAxis(name).isChunks()) chunks.push_back(name);
    combined = chunks;
    for (StringAttr axis : over) {
      bool hasChunks = llvm::any_of(chunks, [&](StringAttr chunk) { return kernel.getAxis(chunk).getWhole() == axis; });
      // Without chunks of anything all but what is named is one part. With them, an axis that has none is combined like
      // them: channels last, each channel of a group has its own moments.
      bool isDivided = chunks.empty() ? !llvm::is_contained(through, axis) : hasChunks || axis == inner;
      (isDivided ? divided : combined).push_back(axis);
    }
    auto names = [&](ArrayRef<StringAttr> list) { return arrayOf(b.getContext(), list); };
    return {names(divided), names(chunks), names(combined)};
  }
  /// Over the reduced axes: over each chunk first, where there are chunks.
  Value sumAll(Value value) {
    Parts parts = partsOf();
    if (parts.combined.empty()) return a.sum(value, op.getOver(), none);
    return a.sum(a.sum(value, parts.divided, parts.chunks), parts.combined, none);
  }
  Value sumOfReplicas(Value value) { return AllReduceOp::create(b, ReduceKind::sum, value); }
  /// Σw over the reduced axes of this replica.
  Value total() {
    if (weights) return sumAll(weights);
    return a.to(a.fromInteger(SizeOp::create(b, op.getOver()), element), op.getMean().getType());
  }
  /// A sum of weighted values by Σw, which may be 0: nothing is known then, but what is not finite still shows, since 0
  /// times that is NaN.
  Value perWeight(Value sum, Value count, bool mayBeEmpty) {
    if (!mayBeEmpty) return a.divide(sum, count);
    Value isEmpty = a.compare(arith::CmpFPredicate::OEQ, count, a.real(0, count.getType()));
    return a.select(isEmpty, sum, a.divide(sum, count));
  }

  Moments onePass() {
    Value count = total(), sum = sumAll(weighted(x)), squares = sumAll(weighted(a.multiply(x, x)));
    if (op.getAcross()) {
      count = weights ? sumOfReplicas(count) : a.fromInteger(sumOfReplicas(SizeOp::create(b, op.getOver())), element);
      sum = sumOfReplicas(sum);
      squares = sumOfReplicas(squares);
    }
    Value mean = a.divide(sum, count);
    return {mean, {}, a.subtract(a.divide(squares, count), a.multiply(mean, mean))};
  }

  /// The mean of a sample, in each chunk where there are chunks.
  Value meanOfSample(ArrayAttr over, ArrayAttr into, bool mayBeEmpty) {
    Value sum = a.sum(x, over, into);
    sum.getDefiningOp<ReduceOp>().setSampleAttr(op.getSampleAttr());
    Value points = SampledOp::create(b, withAxes(b.getI64Type(), namesOf(into)), over, op.getSampleAttr(), into);
    return perWeight(sum, a.to(a.fromInteger(points, element), sum.getType()), mayBeEmpty);
  }

  /// The deviations from a value near the mean, and how far off that is.
  Part sweep(Value count, bool mayBeEmpty, llvm::function_ref<Value(Value)> sum, ArrayAttr over, ArrayAttr into) {
    Part part;
    part.count = count;
    part.mean = op.getSample() ? meanOfSample(over, into, mayBeEmpty) : perWeight(sum(weighted(x)), count, mayBeEmpty);
    Value deviation = a.subtract(x, part.mean), weightedDeviation = weighted(deviation);
    part.restSum = sum(weightedDeviation);
    part.rest = perWeight(part.restSum, count, mayBeEmpty);
    part.square = sum(a.multiply(weightedDeviation, deviation));
    return part;
  }
  Part sweepAll(bool mayBeEmpty) {
    return sweep(total(), mayBeEmpty, [&](Value value) { return sumAll(value); }, op.getOver(), none);
  }
  /// Σw (x − mean − rest)².
  Value correctedSquare(Part part) { return a.subtract(part.square, a.multiply(part.restSum, part.rest)); }

  /// Chan, Golub and LeVeque's combination of parts along some axes: M2 = Σ (M2ᵢ + wᵢ (meanᵢ − mean)²), as plain sums
  /// over them. `square` is of each part, corrected; `count` of all together.
  Part combine(Part part, Value square, Value count, bool mayBeEmpty, ArrayAttr over) {
    Part whole;
    whole.count = count;
    whole.mean = perWeight(a.sum(a.multiply(part.mean, part.count), over, none), count, mayBeEmpty);
    Value apart = a.add(a.subtract(part.mean, whole.mean), part.rest);
    Value weightedApart = a.multiply(apart, part.count);
    whole.restSum = a.sum(weightedApart, over, none);
    whole.rest = perWeight(whole.restSum, count, mayBeEmpty);
    whole.square = a.sum(a.add(square, a.multiply(weightedApart, apart)), over, none);
    return whole;
  }

  /// Two sweeps over each chunk while it is in cache, then all chunks of this replica together.
  Part byChunks(bool mayBeEmpty) {
    auto [inChunk, chunks, acrossChunks] = partsOf();
    auto sum = [&, over = inChunk, into = chunks](Value value) { return a.sum(value, over, into); };
    auto points = [&, over = inChunk, into = chunks]() -> Value {
      if (into.empty()) return SizeOp::create(b, over);
      Value inAll = PointsOp::create(b, withAxes(b.getI64Type(), namesOf(into)), into);
      auto kernel = op->getParentOfType<KernelOp>();
      SmallVector<StringAttr> whole = namesOf(over); // divided together with another, which has chunks
      for (StringAttr chunk : namesOf(into)) llvm::erase(whole, kernel.getAxis(chunk).getWhole());
      if (whole.empty()) return inAll;
      return a.binary<arith::MulIOp>(inAll, SizeOp::create(b, arrayOf(b.getContext(), whole)));
    };
    Value count = weights ? sum(weights) : a.fromInteger(points(), element);
    Part part = sweep(count, /*mayBeEmpty=*/bool(weights), sum, inChunk, chunks);
    Value square = correctedSquare(part);
    return combine(part, square, weights ? a.sum(count, acrossChunks, none) : total(), mayBeEmpty, acrossChunks);
  }

  /// One replica's part, then all replicas' together, the same on each of them.
  Part acrossReplicas() {
    bool isChunked = !op.getThrough().empty() && op.getMethod() != Method::two_pass;
    Part mine = isChunked ? byChunks(/*mayBeEmpty=*/true) : sweepAll(/*mayBeEmpty=*/true);
    Value square = gatherReplicas(b, correctedSquare(mine));
    Part each;
    each.mean = gatherReplicas(b, mine.mean);
    each.rest = gatherReplicas(b, mine.rest);
    ArrayAttr over = arrayOf(b.getContext(), {replicaAxis(op->getParentOfType<KernelOp>())});
    Value count;
    if (weights) {
      each.count = gatherReplicas(b, mine.count);
      count = a.sum(each.count, over, none);
    } else { // integers as long as they are added
      Value counts = gatherReplicas(b, SizeOp::create(b, op.getOver()));
      each.count = a.fromInteger(counts, element);
      count = a.fromInteger(a.sum(counts, over, none), element);
    }
    return combine(each, square, count, /*mayBeEmpty=*/false, over);
  }

  Moments momentsOf(Part part) {
    return {part.mean, part.rest, a.subtract(a.divide(part.square, part.count), a.multiply(part.rest, part.rest))};
  }

  void run() {
    Moments m = op.getMethod() == Method::one_pass ? onePass()
                : op.getAcross()                   ? momentsOf(acrossReplicas())
                : op.getThrough().empty() || op.getMethod() == Method::two_pass
                    ? momentsOf(sweepAll(/*mayBeEmpty=*/false))
                    : momentsOf(byChunks(/*mayBeEmpty=*/false));
    op.getVariance().replaceAllUsesWith(m.variance);
    if (!m.rest) {
      op.getMean().replaceAllUsesWith(m.mean);
    } else {
      subtractBothParts(m);
      // An infinite mean has no rest: ∞ − ∞ is NaN. Of a finite one the rest may be NaN: a sample does not see all.
      Value toItself = a.subtract(m.mean, m.mean);
      Value isFinite = a.compare(arith::CmpFPredicate::ORD, toItself, toItself);
      op.getMean().replaceAllUsesWith(a.select(isFinite, a.add(m.mean, m.rest), m.mean));
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
        Value deviation = both.subtract(both.subtract(difference.getLhs(), m.mean), m.rest);
        deviation.getDefiningOp()->setAttr(restAttribute, at.getUnitAttr());
        difference.replaceAllUsesWith(deviation);
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
