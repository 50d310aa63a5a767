#include "compiler/schedule/Structure.h"
using namespace mlir;
using namespace norm;
using namespace normc;

bool normc::contains(ArrayRef<StringAttr> axes, StringAttr axis) { return llvm::is_contained(axes, axis); }
Axes normc::without(ArrayRef<StringAttr> all, ArrayRef<StringAttr> some) {
  return Axes(llvm::make_filter_range(all, [&](StringAttr axis) { return !contains(some, axis); }));
}

bool normc::comparesForEquality(KernelOp kernel) {
  return kernel
      .walk([](arith::CmpFOp compare) {
        return compare.getPredicate() == arith::CmpFPredicate::OEQ ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

Value normc::inputOf(Operation *reduction) { return reduction->getOperand(0); }
Axes normc::overOf(Operation *reduction) {
  if (auto reduce = dyn_cast<ReduceOp>(reduction)) return namesOf(reduce.getOver());
  return namesOf(cast<MomentsOp>(reduction).getOver());
}
Axes normc::intoOf(Operation *reduction) {
  if (auto reduce = dyn_cast<ReduceOp>(reduction)) return namesOf(reduce.getInto());
  return {};
}

StringAttr normc::sampleOf(Operation *reduction) {
  if (auto reduce = dyn_cast<ReduceOp>(reduction)) return reduce.getSampleAttr();
  return {};
}

Structure::Structure(KernelOp kernel) : kernel(kernel) {
  for (BlockArgument argument : kernel.getArguments())
    if (auto gathered = kernel.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(), "norm.gathered"))
      rounds[argument] = unsigned(gathered.getInt());
  for (Operation &op : kernel.getBody().front()) {
    if (isa<ReduceOp, MomentsOp>(op)) reductions.push_back(&op);
    unsigned round = 0;
    for (Value operand : op.getOperands()) round = std::max(round, rounds.lookup(operand));
    if (round > 0)
      for (Value result : op.getResults()) rounds[result] = round;
  }
}

const llvm::SetVector<Operation *> &Structure::nearest(Value value) {
  auto found = nearestMemo.find(value);
  if (found != nearestMemo.end()) return found->second;
  llvm::SetVector<Operation *> result;
  if (Operation *op = value.getDefiningOp()) {
    if (isa<ReduceOp, MomentsOp>(op)) result.insert(op);
    else
      for (Value operand : op->getOperands()) {
        const auto &inner = nearest(operand);
        result.insert(inner.begin(), inner.end());
      }
  }
  return nearestMemo[value] = result;
}

const llvm::SetVector<Value> &Structure::reads(Value value) {
  auto found = readsMemo.find(value);
  if (found != readsMemo.end()) return found->second;
  llvm::SetVector<Value> result;
  if (Operation *op = value.getDefiningOp()) {
    if (!isa<ReduceOp, MomentsOp>(op))
      for (Value operand : op->getOperands()) {
        const auto &inner = reads(operand);
        result.insert(inner.begin(), inner.end());
      }
  } else {
    result.insert(value);
  }
  return readsMemo[value] = result;
}

Axes Structure::inMemoryOrder(ArrayRef<StringAttr> axes, ArrayRef<Axes> memories) {
  Axes best;
  size_t most = 0;
  for (const Axes &memory : memories) {
    size_t count = llvm::count_if(memory, [&](StringAttr axis) { return contains(axes, axis); });
    if (count > most) best = memory, most = count;
  }
  Axes ordered;
  for (bool chunks : {true, false}) // what the tensor does not know, but for chunks of what it knows; chunks first
    for (StringAttr axis : axes) {
      AxisAttr row = kernel.getAxis(axis);
      if (row.isChunks() != chunks || contains(best, axis)) continue;
      if (!chunks || !contains(best, row.getWhole())) ordered.push_back(axis);
    }
  for (StringAttr known : best) {
    for (StringAttr axis : axes)
      if (kernel.getAxis(axis).getWhole() == known && !contains(best, axis)) ordered.push_back(axis);
    if (contains(axes, known)) ordered.push_back(known);
  }
  return ordered;
}

SmallVector<Axes> Structure::memoriesOf(Value value) {
  SmallVector<Axes> memories;
  for (Value argument : reads(value)) memories.emplace_back(axesOf(argument.getType()));
  for (Operation *reduction : nearest(value)) memories.push_back(resultOrder(reduction));
  return memories;
}

Axes Structure::resultOrder(Operation *reduction) {
  const Layout &layout = layoutOf(reduction);
  return without(layout.order, layout.over);
}

const Structure::Layout &Structure::layoutOf(Operation *reduction) {
  auto found = layoutMemo.find(reduction);
  if (found != layoutMemo.end()) return found->second;
  Layout layout;
  Value input = inputOf(reduction);
  Axes all(axesOf(input.getType()));
  llvm::append_range(all, intoOf(reduction));
  SmallVector<Axes> memories = memoriesOf(input);
  if (auto moments = dyn_cast<MomentsOp>(reduction); moments && moments.getWeights())
    llvm::append_range(memories, memoriesOf(moments.getWeights()));
  layout.order = inMemoryOrder(all, memories);
  layout.over = overOf(reduction);
  bool inside = true;
  Axes pair = pairedLane(layout.order, layout.over) ? lanePair(layout.order) : Axes();
  for (StringAttr axis : llvm::reverse(layout.order)) {
    if (contains(layout.over, axis)) inside &= contains(pair, axis);
    else (inside ? layout.lanes : layout.blocks).push_back(axis);
  }
  std::reverse(layout.lanes.begin(), layout.lanes.end());
  std::reverse(layout.blocks.begin(), layout.blocks.end());
  return layoutMemo[reduction] = std::move(layout);
}

Axes Structure::lanePair(ArrayRef<StringAttr> order) {
  if (order.size() < 2) return {};
  StringAttr outer = order[order.size() - 2], inner = order.back();
  return kernel.productOf(outer, inner) ? Axes{outer, inner} : Axes();
}

StringAttr Structure::pairedLane(ArrayRef<StringAttr> order, ArrayRef<StringAttr> over) {
  Axes pair = lanePair(order);
  bool isPaired = !pair.empty() && over.size() > 1 && contains(over, pair[1]) && !contains(over, pair[0]);
  return isPaired ? pair[1] : StringAttr();
}

StringAttr Structure::laneProduct(ArrayRef<StringAttr> order) {
  Axes pair = lanePair(order);
  auto lanes = kernel->getAttrOfType<StringAttr>("norm.lanes");
  return !pair.empty() && lanes && kernel.productOf(pair[0], pair[1]) == lanes ? lanes : StringAttr();
}

bool Structure::isSweptAgain(Operation *reduction) {
  Axes over = overOf(reduction);
  llvm::SetVector<Operation *> users;
  for (Value result : reduction->getResults())
    for (Operation *user : result.getUsers()) users.insert(user);
  for (size_t i = 0; i < users.size(); ++i) {
    bool ranges = llvm::any_of(users[i]->getResultTypes(), [&](Type type) {
      return llvm::any_of(axesOf(type), [&](StringAttr axis) { return contains(over, axis); });
    });
    if (ranges) return true;
    for (Value result : users[i]->getResults())
      for (Operation *user : result.getUsers()) users.insert(user);
  }
  return false;
}
