// A reduction across replicas becomes one over the axis of replicas.
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Replicas.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_LOWERREPLICAS
#include "compiler/transforms/Passes.h.inc"
} // namespace normc

using namespace normc;

StringAttr normc::replicaAxis(KernelOp kernel) {
  constexpr StringRef attribute = "norm.replicas";
  if (auto known = kernel->getAttrOfType<StringAttr>(attribute)) return known;
  StringAttr axis = kernel.unusedAxis("replica");
  kernel.setAxis(AxisAttr::get(kernel.getContext(), axis));
  kernel->setAttr(attribute, axis);
  return axis;
}

Value normc::gatherReplicas(OpBuilder &builder, Value value) {
  auto kernel = builder.getBlock()->getParent()->getParentOfType<KernelOp>();
  SmallVector<StringAttr> axes = {replicaAxis(kernel)};
  llvm::append_range(axes, axesOf(value.getType()));
  Location location = value.getLoc();
  return AllGatherOp::create(builder, location, withAxes(value.getType(), axes), value, axes.front());
}

namespace {
struct LowerReplicas : normc::impl::LowerReplicasBase<LowerReplicas> {
  void runOnOperation() override {
    for (AllReduceOp op : llvm::make_early_inc_range(getOperation().getBody().getOps<AllReduceOp>())) {
      OpBuilder builder(op);
      Value all = gatherReplicas(builder, op.getInput());
      ArrayAttr over = builder.getArrayAttr({replicaAxis(getOperation())});
      op.replaceAllUsesWith(
          ReduceOp::create(builder, op.getLoc(), op.getKind(), all, over, builder.getArrayAttr({})).getResult());
      op.erase();
    }
  }
};
} // namespace
