// Short runs in memory: the lanes run over them and the axis around them together.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Structure.h"
#include "compiler/schedule/Variants.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_PAIRLANES
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

using namespace normc;

// Up to here a run costs more than its points: measured. Runs of 64 are whole vectors, and reduced side by side.
static constexpr int64_t shortRun = 63;

namespace {
/// The last two axes of all memory that has the last of them, where something is the same along the last. Empty where
/// there are none such.
Axes lastTwoOf(KernelOp kernel) {
  SmallVector<Type> types(kernel.getArgumentTypes());
  llvm::append_range(types, kernel.getResultTypes());
  auto *largest = llvm::max_element(types, [](Type x, Type y) { return axesOf(x).size() < axesOf(y).size(); });
  if (largest == types.end() || axesOf(*largest).size() < 3) return {};
  Axes pair(axesOf(*largest).take_back(2));
  bool isShared = false;
  for (Type type : types) {
    AxisList axes = axesOf(type);
    if (contains(axes, pair[1]) && axes.take_back(2) != ArrayRef(pair)) return {};
    isShared |= contains(axes, pair[0]) && !contains(axes, pair[1]);
  }
  return isShared ? pair : Axes();
}

/// Whether all reductions keep the outer axis, and take the inner one together with axes outside of both, or not at
/// all.
bool keepOuter(Structure &structure, ArrayRef<StringAttr> pair) {
  for (Operation *reduction : structure.reductions) {
    Axes over = overOf(reduction);
    if (contains(over, pair[0]) || (contains(over, pair[1]) && over.size() == 1)) return false;
    if (!contains(over, pair[1]) && contains(axesOf(inputOf(reduction).getType()), pair[1])) return false;
  }
  for (Attribute attribute : structure.kernel.getAxes()) {
    auto axis = cast<AxisAttr>(attribute);
    if (axis.isProduct() && (contains(pair, axis.getOuter()) || contains(pair, axis.getInner()))) return false;
  }
  return !structure.reductions.empty();
}

/// Whether all reductions of what ranges over the inner axis take both: the lanes may run over the runs as one axis, if
/// what is the same along a run can be spread along a vector as it is read.
bool takeBoth(Structure &structure, ArrayRef<StringAttr> pair) {
  for (Operation *reduction : structure.reductions) {
    Axes over = overOf(reduction);
    bool ranges = contains(axesOf(inputOf(reduction).getType()), pair[1]);
    if (ranges && (!contains(over, pair[0]) || !contains(over, pair[1]))) return false;
  }
  KernelOp kernel = structure.kernel;
  bool knowsPosition = kernel
                           .walk([&](Operation *op) {
                             auto index = dyn_cast<IndexOp>(op);
                             bool isAlong = index && (contains(pair, index.getAxisAttr()) ||
                                                      kernel.getAxis(index.getAxisAttr()).isProduct());
                             return isAlong || isa<AtOp>(op) ? WalkResult::interrupt() : WalkResult::advance();
                           })
                           .wasInterrupted();
  return !knowsPosition && llvm::none_of(kernel.getArgumentTypes(), [&](Type type) {
    bool isSpread = contains(axesOf(type), pair[0]) && !contains(axesOf(type), pair[1]);
    return isSpread && (axesOf(type).back() != pair[0] || getElementTypeOrSelf(type).isF64());
  });
}

struct PairLanes : normc::impl::PairLanesBase<PairLanes> {
  using PairLanesBase::PairLanesBase;

  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) {
      Structure structure(kernel);
      Axes pair = lastTwoOf(kernel);
      if (pair.empty()) continue;
      bool isOne = !keepOuter(structure, pair);
      if (isOne && !(spreads && takeBoth(structure, pair))) continue;
      std::optional<int64_t> points = fixedPoints(kernel, pair[1]);
      if (points && *points > shortRun) continue;
      KernelOp paired = points ? kernel : addVariant(kernel, "_paired", pair[1], shortRun, Applies::upTo);
      StringAttr name = paired.unusedAxis(pair[0].getValue() + "_" + pair[1].getValue());
      paired.setAxis(AxisAttr::product(name, pair[0], pair[1]));
      if (isOne) paired->setAttr("norm.lanes", name);
    }
  }
};
} // namespace
