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

// Up to here a run costs more than its points, vectors of which few are whole: measured.
static constexpr int64_t shortRun = 128;

namespace {
/// The last two axes of all memory that has the last of them: the outer is kept by all reductions, the inner reduced
/// together with axes outside of both, or by none. Empty where there are none such.
Axes shortRunOf(Structure &structure) {
  KernelOp kernel = structure.kernel;
  SmallVector<Axes> memories;
  for (Type type : kernel.getArgumentTypes()) memories.emplace_back(axesOf(type));
  for (Type type : kernel.getResultTypes()) memories.emplace_back(axesOf(type));
  auto *largest = llvm::max_element(memories, [](const Axes &x, const Axes &y) { return x.size() < y.size(); });
  if (largest == memories.end() || largest->size() < 3) return {};
  Axes pair(ArrayRef(*largest).take_back(2));
  bool isShared = false; // something is the same along a run
  for (const Axes &memory : memories) {
    bool ends = ArrayRef(memory).take_back(2) == ArrayRef(pair);
    if (contains(memory, pair[1]) && !ends) return {};
    isShared |= contains(memory, pair[0]) && !contains(memory, pair[1]);
  }
  for (Operation *reduction : structure.reductions) {
    Axes over = overOf(reduction);
    if (contains(over, pair[0]) || (contains(over, pair[1]) && over.size() == 1)) return {};
    if (!contains(over, pair[1]) && contains(axesOf(inputOf(reduction).getType()), pair[1])) return {};
  }
  for (Attribute attribute : kernel.getAxes()) {
    auto axis = cast<AxisAttr>(attribute);
    if (axis.isProduct() && (contains(pair, axis.getOuter()) || contains(pair, axis.getInner()))) return {};
  }
  return isShared && !structure.reductions.empty() ? pair : Axes();
}

struct PairLanes : normc::impl::PairLanesBase<PairLanes> {
  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) {
      Structure structure(kernel);
      Axes pair = shortRunOf(structure);
      if (pair.empty()) continue;
      std::optional<int64_t> points = fixedPoints(kernel, pair[1]);
      if (points && *points > shortRun) continue;
      KernelOp paired = points ? kernel : addVariant(kernel, "_paired", pair[1], shortRun, Applies::upTo);
      StringAttr name = paired.unusedAxis(pair[0].getValue() + "_" + pair[1].getValue());
      paired.setAxis(AxisAttr::product(name, pair[0], pair[1]));
    }
  }
};
} // namespace
