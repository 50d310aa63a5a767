// Phases whose slices may be short: blocks run side by side there.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Variants.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_VECTORIZEBLOCKS
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

using namespace normc;

/// The one pass of a phase over the rows of its chunks, inside of which other passes sweep each row.
static PassOp rowsOf(KernelOp kernel, PhaseOp phase) {
  StringAttr rows = kernel.getAxis(namesOf(phase.getAxes()).back()).getWhole();
  PassOp found;
  for (PassOp pass : phase.getBody().getOps<PassOp>()) {
    if (pass.getBody().getOps<PassOp>().empty()) continue;
    auto axes = namesOf(pass.getAxes());
    if (found || !pass.getKinds().empty() || axes.size() != 1 || axes.front() != rows) return {};
    found = pass;
  }
  return found;
}

/// Whether a sweep of rows may combine into some memory: along its lanes, and the same for all rows.
static bool isColumn(StoreOp store, StringAttr row, StringAttr swept) {
  AxisList axes = axesOf(store.getTo().getType());
  return !axes.empty() && axes.back() == swept && !llvm::is_contained(axes, row) &&
         store.getTo().getDefiningOp<WorkspaceOp>();
}

StringAttr normc::sweptAlone(KernelOp kernel, Block &body, StringAttr row) {
  StringAttr swept;
  for (PassOp pass : body.getOps<PassOp>()) {
    auto axes = namesOf(pass.getAxes());
    if (axes.size() != 1 || (swept && axes.front() != swept)) return {};
    if (!pass.getBody().getOps<PassOp>().empty()) return {};
    swept = axes.front();
    if (kernel.getAxis(swept).isChunks()) return {};
  }
  auto isComputed = [](Type type) { return type.isF32() || type.isF64() || type.isInteger(64) || type.isInteger(1); };
  auto hinders = [&](Operation *op) {
    auto load = dyn_cast<LoadOp>(op);
    auto store = dyn_cast<StoreOp>(op);
    if (load && !load.getAt().empty()) return true;
    if (store && store.getKind() && (!row || op->getBlock() == &body || !isColumn(store, row, swept))) return true;
    // What blocks hand to their passes goes by arrays of computed values.
    return llvm::any_of(op->getOperands(), [&](Value operand) {
      return operand.getParentBlock() == &body && op->getBlock() != &body && !isComputed(operand.getType());
    });
  };
  bool may = !body.walk([&](Operation *op) { return hinders(op) ? WalkResult::interrupt() : WalkResult::advance(); })
                  .wasInterrupted();
  return may ? swept : StringAttr();
}

StringAttr normc::sweptAlone(KernelOp kernel, PhaseOp phase) {
  auto blocks = namesOf(phase.getAxes());
  if (blocks.empty()) return {};
  Block *body = &phase.getBody().front();
  StringAttr row; // of a chunk
  if (kernel.getAxis(blocks.back()).isChunks()) {
    PassOp rows = rowsOf(kernel, phase);
    if (!rows) return {};
    body = &rows.getBody().front();
    row = namesOf(rows.getAxes()).front();
  }
  bool reduces = llvm::any_of(body->getOps<PassOp>(), [](PassOp pass) { return !pass.getKinds().empty(); });
  return reduces ? sweptAlone(kernel, *body, row) : StringAttr();
}

namespace {
struct VectorizeBlocks : normc::impl::VectorizeBlocksBase<VectorizeBlocks> {
  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) vectorize(kernel);
  }

  void vectorize(KernelOp kernel) {
    StringAttr swept;
    for (PhaseOp phase : kernel.getBody().getOps<PhaseOp>())
      if (!swept) swept = sweptAlone(kernel, phase);
    if (!swept) return;
    auto mark = [&](KernelOp variant) {
      for (PhaseOp phase : variant.getBody().getOps<PhaseOp>())
        if (sweptAlone(variant, phase) == swept) phase.setVectorized(true);
    };
    std::optional<int64_t> points = fixedPoints(kernel, swept), most = mostPoints(kernel, swept);
    if (points.value_or(most.value_or(shortSlice + 1)) <= shortSlice) return mark(kernel);
    if (points || pointsOver(kernel, swept).value_or(0) >= shortSlice) return;
    mark(addVariant(kernel, "_vectorized", swept, shortSlice, Applies::upTo));
  }
};
} // namespace
