// What is worth an array: values along the lanes that a sweep would compute again and again.
#include "compiler/schedule/Phases.h"
#include "mlir/Dialect/Math/IR/Math.h"
using namespace mlir;
using namespace norm;
using namespace normc;

Value normc::storedFor(Value value) {
  auto compare = value.getDefiningOp<arith::CmpFOp>();
  return compare && constantOf(compare.getRhs()) ? compare.getLhs() : value;
}

bool normc::anyBelow(Value value, llvm::function_ref<bool(Operation *)> holds, llvm::function_ref<bool(Value)> stops) {
  llvm::SetVector<Value> work;
  work.insert(value);
  for (size_t i = 0; i < work.size(); ++i) {
    Operation *op = work[i].getDefiningOp();
    if (!op || isa<ReduceOp>(op) || stops(work[i])) continue;
    if (holds(op)) return true;
    work.insert_range(op->getOperands());
  }
  return false;
}

namespace {
/// Whether computing a value again at each point would cost more than loading it.
bool isExpensive(Value value, llvm::function_ref<bool(Value)> isStored) {
  auto isCostly = [](Operation *op) {
    bool isMath = op->getDialect() && op->getDialect()->getNamespace() == "math";
    return isa<arith::DivFOp>(op) || (isMath && !isa<math::AbsFOp, math::FmaOp>(op));
  };
  return anyBelow(value, isCostly,
                  [&](Value inner) { return isStored(inner) || isa_and_nonnull<AtOp>(inner.getDefiningOp()); });
}
} // namespace

SmallVector<ArrayValue> normc::arrayValuesOf(Structure &structure, ArrayRef<Value> roots, ArrayRef<StringAttr> order,
                                             ArrayRef<StringAttr> bound, llvm::function_ref<bool(Value)> isStored) {
  SmallVector<ArrayValue> arrays;
  if (order.empty()) return arrays;
  bool isOne = bool(structure.laneProduct(order)); // whose parts are spread as they are read
  Axes lanes = isOne ? structure.lanePair(order) : Axes{order.back()};
  Axes pair = order.size() > 2 && !isOne ? structure.lanePair(order) : Axes();
  llvm::DenseSet<Value> seen;
  SmallVector<Value> work(roots);
  while (!work.empty()) {
    Value value = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!op || !seen.insert(value).second) continue;
    auto broadcast = dyn_cast<BroadcastOp>(op);
    if (!broadcast) {
      if (!isa<ReduceOp>(op) && !isStored(value)) llvm::append_range(work, op->getOperands());
      continue;
    }
    Value inner = storedFor(broadcast.getInput());
    Axes axes(axesOf(inner.getType())), own = without(axes, bound);
    bool half = !pair.empty() && contains(own, pair[0]) != contains(own, pair[1]);
    bool rangesAlong = llvm::any_of(lanes, [&](StringAttr lane) { return contains(own, lane); });
    bool dear = rangesAlong && own.size() < order.size() && isExpensive(inner, isStored);
    if (half || dear) {
      if (half) axes.push_back(contains(own, pair[0]) ? pair[1] : pair[0]);
      arrays.push_back({inner, axes});
    } else if (!isStored(inner)) {
      work.push_back(inner);
    }
  }
  return arrays;
}
