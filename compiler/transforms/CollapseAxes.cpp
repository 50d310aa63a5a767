// Neighbouring axes that are never told apart become one.
#include "compiler/transforms/Passes.h"
#include "dialect/Norm.h"
#include "llvm/ADT/STLExtras.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_COLLAPSEAXES
#include "compiler/transforms/Passes.h.inc"
} // namespace normc

namespace {
struct Collapse {
  KernelOp kernel;

  /// Whether every list that names one of the two names both, side by side where the order is that of memory.
  bool together(StringAttr outer, StringAttr inner) {
    auto inMemory = [&](Type type) {
      AxisList axes = axesOf(type);
      auto *first = llvm::find(axes, outer), *second = llvm::find(axes, inner);
      if (first == axes.end() && second == axes.end()) return true;
      return first != axes.end() && second != axes.end() && second == first + 1;
    };
    auto asSet = [&](AxisList axes) { return llvm::is_contained(axes, outer) == llvm::is_contained(axes, inner); };
    if (!llvm::all_of(kernel.getArgumentTypes(), inMemory) || !llvm::all_of(kernel.getResultTypes(), inMemory))
      return false;
    return !kernel.getBody()
                .walk([&](Operation *op) {
                  bool fine = llvm::all_of(op->getResultTypes(), [&](Type type) { return asSet(axesOf(type)); });
                  if (auto reduce = dyn_cast<ReduceOp>(op)) fine &= asSet(namesOf(reduce.getOver()));
                  if (auto moments = dyn_cast<MomentsOp>(op)) fine &= asSet(namesOf(moments.getOver()));
                  if (auto index = dyn_cast<IndexOp>(op))
                    fine &= index.getAxisAttr() != outer && index.getAxisAttr() != inner;
                  if (auto at = dyn_cast<AtOp>(op))
                    for (StringAttr leaf : kernel.leavesOf(at.getAxisAttr())) fine &= leaf != outer && leaf != inner;
                  return fine ? WalkResult::advance() : WalkResult::interrupt();
                })
                .wasInterrupted();
  }

  SmallVector<StringAttr> replaced(AxisList axes, StringAttr outer, StringAttr inner, StringAttr whole) {
    SmallVector<StringAttr> result;
    for (StringAttr axis : axes)
      if (axis == outer) result.push_back(whole);
      else if (axis != inner) result.push_back(axis);
    return result;
  }
  Type replaced(Type type, StringAttr outer, StringAttr inner, StringAttr whole) {
    if (axesOf(type).empty()) return type;
    return withAxes(type, replaced(axesOf(type), outer, inner, whole));
  }

  void merge(StringAttr outer, StringAttr inner) {
    StringAttr whole = kernel.productOf(outer, inner);
    if (!whole) {
      whole = kernel.unusedAxis(outer.getValue() + "_" + inner.getValue());
      kernel.setAxis(AxisAttr::product(whole, outer, inner));
    }
    auto retype = [&](Type type) { return replaced(type, outer, inner, whole); };
    auto types = FunctionType::get(kernel.getContext(), llvm::map_to_vector(kernel.getArgumentTypes(), retype),
                                   llvm::map_to_vector(kernel.getResultTypes(), retype));
    kernel.setFunctionType(types);
    for (BlockArgument argument : kernel.getArguments()) argument.setType(retype(argument.getType()));
    kernel.getBody().walk([&](Operation *op) {
      for (OpResult result : op->getResults()) result.setType(retype(result.getType()));
      auto rename = [&](ArrayAttr names) {
        return arrayOf(kernel.getContext(), replaced(namesOf(names), outer, inner, whole));
      };
      if (auto reduce = dyn_cast<ReduceOp>(op)) reduce.setOverAttr(rename(reduce.getOver()));
      if (auto moments = dyn_cast<MomentsOp>(op)) moments.setOverAttr(rename(moments.getOver()));
    });
  }

  bool once() {
    auto neighbours = [&](Type type) {
      AxisList axes = axesOf(type);
      for (size_t i = 0; i + 1 < axes.size(); ++i)
        if (together(axes[i], axes[i + 1])) {
          merge(axes[i], axes[i + 1]);
          return true;
        }
      return false;
    };
    return llvm::any_of(kernel.getArgumentTypes(), neighbours) || llvm::any_of(kernel.getResultTypes(), neighbours);
  }
};

struct CollapseAxes : normc::impl::CollapseAxesBase<CollapseAxes> {
  void runOnOperation() override {
    Collapse collapse{getOperation()};
    while (collapse.once()) {}
  }
};
} // namespace
