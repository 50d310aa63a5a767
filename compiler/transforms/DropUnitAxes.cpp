// An axis of one point is no axis: not of values, nor of reductions.
#include "compiler/transforms/Passes.h"
#include "dialect/Norm.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_DROPUNITAXES
#include "compiler/transforms/Passes.h.inc"
} // namespace normc

namespace {
struct Dropper {
  KernelOp kernel;
  StringAttr axis;

  SmallVector<StringAttr> without(AxisList axes) {
    SmallVector<StringAttr> left;
    for (StringAttr other : axes)
      if (other != axis) left.push_back(other);
    return left;
  }
  Type without(Type type) { return axesOf(type).empty() ? type : withAxes(type, without(axesOf(type))); }
  ArrayAttr without(ArrayAttr names) { return arrayOf(kernel.getContext(), without(namesOf(names))); }
  bool isAlone(Type type) { return axesOf(type).size() == 1 && axesOf(type).front() == axis; }
  bool isAlone(ArrayAttr names) { return names.size() == 1 && names[0] == axis; }

  /// Whether something is left of every value and reduction, and nothing asks for a position along the axis.
  bool canDrop() {
    auto fits = [&](TypeRange types) { return llvm::none_of(types, [&](Type type) { return isAlone(type); }); };
    if (!fits(kernel.getArgumentTypes()) || !fits(kernel.getResultTypes())) return false;
    return llvm::all_of(kernel.getBody().front(), [&](Operation &op) {
      if (auto reduce = dyn_cast<ReduceOp>(op); reduce && isAlone(reduce.getOver())) return false;
      if (auto moments = dyn_cast<MomentsOp>(op); moments && isAlone(moments.getOver())) return false;
      if (auto index = dyn_cast<IndexOp>(op); index && index.getAxisAttr() == axis) return false;
      if (auto at = dyn_cast<AtOp>(op); at && at.getAxisAttr() == axis) return false;
      return fits(op.getResultTypes());
    });
  }

  void drop() {
    auto retyped = [&](TypeRange types) {
      return llvm::map_to_vector(types, [&](Type type) { return without(type); });
    };
    kernel.setFunctionType(
        FunctionType::get(kernel.getContext(), retyped(kernel.getArgumentTypes()), retyped(kernel.getResultTypes())));
    for (BlockArgument argument : kernel.getArguments()) argument.setType(without(argument.getType()));
    for (Operation &op : llvm::make_early_inc_range(kernel.getBody().front())) {
      for (OpResult result : op.getResults()) result.setType(without(result.getType()));
      if (auto reduce = dyn_cast<ReduceOp>(op)) reduce.setOverAttr(without(reduce.getOver()));
      if (auto moments = dyn_cast<MomentsOp>(op)) moments.setOverAttr(without(moments.getOver()));
      auto broadcast = dyn_cast<BroadcastOp>(op);
      if (broadcast && broadcast.getType() == broadcast.getInput().getType()) {
        broadcast.replaceAllUsesWith(broadcast.getInput());
        broadcast.erase();
      }
    }
  }
};

struct DropUnitAxes : normc::impl::DropUnitAxesBase<DropUnitAxes> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    auto isPart = [&](StringAttr name) {
      return llvm::any_of(kernel.getAxes().getAsRange<AxisAttr>(), [&](AxisAttr other) {
        return other.isProduct() && (other.getOuter() == name || other.getInner() == name);
      });
    };
    for (AxisAttr axis : kernel.getAxes().getAsRange<AxisAttr>()) {
      if (!axis.isFixed() || axis.getSize() != 1 || isPart(axis.getName())) continue;
      Dropper dropper{kernel, axis.getName()};
      if (dropper.canDrop()) dropper.drop();
    }
  }
};
} // namespace
