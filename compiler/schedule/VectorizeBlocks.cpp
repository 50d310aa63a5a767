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

// Up to here the ends of a slice's reductions cost more than what its blocks side by side lose: measured.
static constexpr int64_t shortSlice = 256;

StringAttr normc::sweptAlone(KernelOp kernel, PhaseOp phase) {
  auto blocks = namesOf(phase.getAxes());
  if (blocks.empty() || kernel.getAxis(blocks.back()).isChunks()) return {};
  StringAttr swept;
  bool reduces = false;
  for (PassOp pass : phase.getBody().getOps<PassOp>()) {
    auto axes = namesOf(pass.getAxes());
    if (axes.size() != 1 || (swept && axes.front() != swept)) return {};
    if (!pass.getBody().getOps<PassOp>().empty()) return {};
    swept = axes.front();
    if (kernel.getAxis(swept).isChunks()) return {};
    reduces |= !pass.getKinds().empty();
  }
  auto isComputed = [](Type type) { return type.isF32() || type.isF64() || type.isInteger(64) || type.isInteger(1); };
  bool may = reduces && !phase
                             .walk([&](Operation *op) {
                               auto load = dyn_cast<LoadOp>(op);
                               auto store = dyn_cast<StoreOp>(op);
                               bool hinders = (load && !load.getAt().empty()) || (store && store.getKind());
                               // What blocks hand to their passes goes by arrays of computed values.
                               for (Value operand : op->getOperands())
                                 hinders |= operand.getParentBlock() == &phase.getBody().front() &&
                                            op->getBlock() != operand.getParentBlock() &&
                                            !isComputed(operand.getType());
                               return hinders ? WalkResult::interrupt() : WalkResult::advance();
                             })
                             .wasInterrupted();
  return may ? swept : StringAttr();
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
    if (points) return;
    mark(addVariant(kernel, "_vectorized", swept, shortSlice, Applies::upTo));
  }
};
} // namespace
