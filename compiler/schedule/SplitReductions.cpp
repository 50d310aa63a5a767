// Reductions that do not fit a worker's cache go by chunks, and short rows that lie apart each by itself.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Structure.h"
#include "compiler/schedule/Variants.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_SPLITREDUCTIONS
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

using namespace normc;

namespace {
/// Has a reduction take `first`, into chunks where it is told to, and then what is left of it, `after`.
void takeInTwo(Operation *reduction, ArrayAttr first, ArrayAttr into, ArrayAttr after) {
  if (auto moments = dyn_cast<MomentsOp>(reduction)) return moments.setThroughAttr(after);
  auto reduce = cast<ReduceOp>(reduction);
  ImplicitLocOpBuilder b(reduce.getLoc(), reduce);
  Value partial = ReduceOp::create(b, reduce.getKind(), reduce.getInput(), first, into);
  reduce.replaceAllUsesWith(ReduceOp::create(b, reduce.getKind(), partial, after, b.getArrayAttr({})).getResult());
  reduce.erase();
}

struct Splitter {
  KernelOp kernel;
  int64_t chunkElements;
  llvm::DenseMap<StringAttr, StringAttr> chunksOf; // axis → its chunks

  Splitter(KernelOp kernel, int64_t chunkElements) : kernel(kernel), chunkElements(chunkElements) {}

  /// The chunk axis of an axis: as many points as, with the reduced axes inside it, make a chunk.
  StringAttr chunk(StringAttr whole, ArrayRef<StringAttr> inside) {
    StringAttr &name = chunksOf[whole];
    if (!name) {
      name = kernel.unusedAxis(whole.getValue() + "_chunk");
      kernel.setAxis(AxisAttr::chunks(name, whole, chunkElements, inside));
    }
    return name;
  }

  /// Whether a reduction sweeps an argument, rather than the results of other reductions.
  static bool isLarge(Structure &structure, Operation *reduction) {
    Axes over = overOf(reduction);
    return llvm::any_of(structure.reads(inputOf(reduction)), [&](Value argument) {
      return llvm::all_of(over, [&](StringAttr axis) { return contains(axesOf(argument.getType()), axis); });
    });
  }

  void run() {
    Structure structure(kernel);
    SmallVector<std::pair<Operation *, Axes>> splits;
    for (Operation *reduction : structure.reductions) {
      if (!isLarge(structure, reduction)) continue;
      const Structure::Layout &layout = structure.layoutOf(reduction);
      Axes chunks, inside(layout.lanes);
      for (StringAttr axis : llvm::reverse(layout.order))
        if (contains(layout.over, axis)) {
          bool isWhole = axis == structure.pairedLane(layout.order, layout.over) ||
                         (structure.laneProduct(layout.order) && axis == layout.order.back());
          if (!isWhole) chunks.insert(chunks.begin(), chunk(axis, inside));
          inside.insert(inside.begin(), axis);
        }
      splits.emplace_back(reduction, chunks);
    }
    for (auto &[reduction, chunks] : splits) {
      ArrayAttr names = arrayOf(kernel.getContext(), chunks);
      takeInTwo(reduction, arrayOf(kernel.getContext(), overOf(reduction)), names, names);
    }
  }
};

// Rows up to here are reduced side by side.
static constexpr int64_t shortRow = 256;

/// The axes that a reduction takes outside of what it keeps, and those inside: rows that do not follow each other in
/// memory. Empty where there are none.
std::pair<Axes, Axes> rowsApart(const Structure::Layout &layout) {
  Axes outside, inside;
  if (layout.blocks.empty() || !layout.lanes.empty()) return {};
  for (StringAttr axis : layout.order)
    if (contains(layout.over, axis))
      (llvm::find(layout.order, axis) < llvm::find(layout.order, layout.blocks.back()) ? outside : inside)
          .push_back(axis);
  return {outside, inside};
}

struct SplitReductions : normc::impl::SplitReductionsBase<SplitReductions> {
  using SplitReductionsBase::SplitReductionsBase;

  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) split(kernel);
  }

  /// The mean of a sample stands for the mean of all in a first sweep, if not told otherwise: the axis along which it
  /// is taken is the innermost in memory that is reduced, but for one inside of the lanes.
  static void chooseSamples(Structure &structure) {
    for (Operation *reduction : structure.reductions) {
      auto moments = dyn_cast<MomentsOp>(reduction);
      bool isFree = moments && !moments.getWeights() &&
                    (moments.getMethod() == Method::automatic || moments.getMethod() == Method::welford);
      if (!isFree || !Splitter::isLarge(structure, reduction)) continue;
      const Structure::Layout &layout = structure.layoutOf(reduction);
      for (StringAttr axis : layout.order)
        if (contains(layout.over, axis) && axis != structure.pairedLane(layout.order, layout.over))
          moments.setSampleAttr(axis);
      if (StringAttr whole = structure.laneProduct(layout.order)) moments.setSampleAttr(whole);
    }
  }

  static void takeRowsFirst(KernelOp kernel) {
    Structure structure(kernel);
    SmallVector<std::pair<Operation *, std::pair<Axes, Axes>>> splits;
    for (Operation *reduction : structure.reductions) {
      auto rows = rowsApart(structure.layoutOf(reduction));
      if (Splitter::isLarge(structure, reduction) && !rows.first.empty() && !rows.second.empty())
        splits.emplace_back(reduction, rows);
    }
    for (auto &[reduction, rows] : splits)
      takeInTwo(reduction, arrayOf(kernel.getContext(), rows.second), ArrayAttr::get(kernel.getContext(), {}),
                arrayOf(kernel.getContext(), rows.first));
  }

  void split(KernelOp kernel) {
    Structure structure(kernel);
    chooseSamples(structure);
    // What a block re-reads: all that the first large reduction sweeps inside a block.
    Operation *lead = nullptr;
    for (Operation *reduction : structure.reductions)
      if (Splitter::isLarge(structure, reduction) &&
          (!lead || (!structure.isSweptAgain(lead) && structure.isSweptAgain(reduction))))
        lead = reduction;
    if (!lead) return;
    const Structure::Layout &layout = structure.layoutOf(lead);
    if (layout.blocks.empty() && layout.lanes.empty()) return Splitter(kernel, chunkElements).run();
    if (layout.blocks.empty()) {
      // Blocks are some lanes each, by all rows. They may hold more than others: the sums of a chunk of rows are as
      // long as the rows, which is worse than a slice that only the second cache holds.
      int64_t mostRows = 4 * residentElements / laneTile;
      Axes rows = without(layout.over, {structure.pairedLane(layout.order, layout.over)});
      if (std::optional<int64_t> points = fixedPoints(kernel, rows)) {
        if (*points > mostRows) Splitter(kernel, chunkElements).run();
        return;
      }
      KernelOp streamed = addVariant(kernel, "_streamed", rows, mostRows, Applies::over);
      Splitter(streamed, chunkElements).run();
      return;
    }
    if (auto [outside, inside] = rowsApart(layout); !outside.empty() && !inside.empty()) {
      // Each row by itself first, in the order of memory.
      std::optional<int64_t> points = fixedPoints(kernel, inside);
      if (points && *points <= shortRow) return takeRowsFirst(kernel);
      if (!points) takeRowsFirst(addVariant(kernel, "_rows", inside, shortRow, Applies::upTo));
    }
    Axes slice = without(layout.order, layout.blocks);
    // Where the sums of one block go beside the last sweep of another a larger slice is not too large.
    bool hasLanes = !layout.lanes.empty() || structure.pairedLane(layout.order, layout.over);
    int64_t most = hasLanes ? 2 * residentElements : residentElements;
    if (std::optional<int64_t> points = fixedPoints(kernel, slice)) {
      if (*points > most) Splitter(kernel, chunkElements).run();
      return;
    }
    KernelOp streamed = addVariant(kernel, "_streamed", slice, most, Applies::over);
    Splitter(streamed, chunkElements).run();
  }
};
} // namespace
