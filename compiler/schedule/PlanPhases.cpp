// Value form → plan.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/PhaseBuilder.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_PLANPHASES
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
struct PlanPhases : normc::impl::PlanPhasesBase<PlanPhases> {
  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) {
      normc::cutAtGathers(kernel);
      FailureOr<std::vector<normc::Phase>> phases = normc::choosePhases(kernel);
      if (failed(phases)) return signalPassFailure();
      normc::PhaseBuilder(kernel, *phases).build();
      kernel.erase();
    }
  }
};
} // namespace
