// Channels last, in groups: the reduction within a group comes after that over everything outside.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Structure.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_SPLITLANES
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
struct SplitLanes : normc::impl::SplitLanesBase<SplitLanes> {
  void runOnOperation() override {
    normc::Structure structure(getOperation());
    SmallVector<std::pair<ReduceOp, StringAttr>> paired;
    for (Operation *reduction : structure.reductions) {
      auto reduce = dyn_cast<ReduceOp>(reduction);
      if (!reduce) continue;
      const normc::Structure::Layout &layout = structure.layoutOf(reduce);
      if (StringAttr lane = structure.pairedLane(layout.order, layout.over)) paired.emplace_back(reduce, lane);
    }
    for (auto [reduce, lane] : paired) {
      ImplicitLocOpBuilder b(reduce.getLoc(), reduce);
      ArrayAttr outside = arrayOf(b.getContext(), normc::without(namesOf(reduce.getOver()), {lane}));
      Value partial =
          ReduceOp::create(b, reduce.getKind(), reduce.getInput(), outside, reduce.getInto(), reduce.getSampleAttr());
      ArrayAttr inside = arrayOf(b.getContext(), {lane});
      Value whole = ReduceOp::create(b, reduce.getKind(), partial, inside, b.getArrayAttr({}));
      reduce.replaceAllUsesWith(whole);
      reduce.erase();
    }
  }
};
} // namespace
