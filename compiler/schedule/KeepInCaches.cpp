// Calls on little memory, whose stores never bypass the caches.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Variants.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace normc {
#define GEN_PASS_DEF_KEEPINCACHES
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
struct KeepInCaches : normc::impl::KeepInCachesBase<KeepInCaches> {
  using KeepInCachesBase::KeepInCachesBase;

  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) {
      std::optional<Footprint> footprint = footprintOf(kernel);
      if (!footprint || fixedPoints(kernel, footprint->leaves)) continue;
      int64_t points = bytes / footprint->bytesOfPoint;
      if (points > 0) addVariant(kernel, "_small", footprint->leaves, points, Applies::upTo);
    }
  }
};
} // namespace
