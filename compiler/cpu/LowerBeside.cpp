// Blocks of rows that share something along the lanes: the last sweep of a block, which stores past the caches, row by
// row beside the sums of the next one. Each of the two waits for memory, so that together they take as long as one.
#include "compiler/cpu/PhaseLowering.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace {
bool isConstant(Operation *op) { return op->hasTrait<OpTrait::ConstantLike>(); }

/// The results of some ops that others, or what is inside of them, use; none is a constant.
SmallVector<Value> usedBy(ArrayRef<Operation *> makers, ArrayRef<Operation *> users) {
  SmallVector<Value> used;
  for (Operation *maker : makers)
    for (Value result : maker->getResults())
      if (!isConstant(maker) && llvm::any_of(result.getUsers(), [&](Operation *user) {
            return llvm::any_of(users, [&](Operation *op) { return op->isAncestor(user); });
          }))
        used.push_back(result);
  return used;
}
} // namespace

/// The body of a phase around its sums and its last sweep; no sums where these may not go side by side: they are over
/// the same rows and lanes, and all that is stored is each block's own.
PhaseLowering::SumsAndMap PhaseLowering::sumsAndMapOf(Block &body) {
  SumsAndMap parts;
  auto phase = dyn_cast<PhaseOp>(body.getParentOp());
  if (!phase || phase.getAxes().empty() || !shape.masked || !shape.streamBytes) return parts;
  auto blocks = namesOf(phase.getAxes());
  if (llvm::any_of(blocks, [&](StringAttr axis) { return kernel.getAxis(axis).isChunks(); })) return parts;
  auto isOwn = [&](StoreOp store) {
    AxisList axes = axesOf(store.getTo().getType());
    return llvm::all_of(blocks, [&](StringAttr axis) { return llvm::is_contained(axes, axis); });
  };
  auto shared = phase.walk([&](Operation *op) {
    auto store = dyn_cast<StoreOp>(op);
    auto load = dyn_cast<LoadOp>(op);
    bool isShared = (store && !isOwn(store)) || (load && !load.getAt().empty());
    return isShared ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (shared.wasInterrupted()) return parts;
  auto isMap = [&](PassOp pass) {
    auto stores = pass.getBody().getOps<StoreOp>();
    return !stores.empty() &&
           llvm::all_of(stores, [](StoreOp store) { return !store.getKind() && isa<BlockArgument>(store.getTo()); });
  };
  auto sumsRows = [&](PassOp pass) {
    auto stores = pass.getBody().getOps<StoreOp>();
    return !pass.getSample() && !stores.empty() && llvm::all_of(stores, [&](StoreOp store) {
      return store.getKind() && !llvm::is_contained(axesOf(store.getTo().getType()), namesOf(pass.getAxes()).front());
    });
  };
  PassOp sums, map;
  for (PassOp pass : body.getOps<PassOp>()) {
    auto axes = namesOf(pass.getAxes());
    if (axes.size() != 2 || !pass.getKinds().empty()) continue;
    Block &inner = pass.getBody().front();
    if (!canRunRowsUnderLanes(axes[0], axes[1], inner) || !loadsAcross(axes[0], axes[1], inner).empty()) continue;
    if (sumsRows(pass)) sums = pass, map = {};
    else if (sums && isMap(pass) && pass.getAxes() == sums.getAxes()) map = pass;
  }
  if (!map) return parts;
  parts.sums = sums;
  parts.map = map;
  for (Operation &op : body.without_terminator()) {
    if (isConstant(&op) || &op == sums || &op == map) continue;
    bool isFirst = op.isBeforeInBlock(sums), isBetween = op.isBeforeInBlock(map);
    (isFirst ? parts.before : isBetween ? parts.between : parts.after).push_back(&op);
  }
  return parts;
}

/// The points of a map beside those of sums, at the same row and lanes of the block before.
void PhaseLowering::emitBeside(StringAttr row, Value position, ArrayRef<Lanes> steps) {
  auto here = positions;
  auto values = scalars;
  positions = beside.positions;
  positions[row] = position;
  for (auto [planned, value] : llvm::zip(beside.planned, beside.values)) scalars[planned] = value;
  SmallVector<Lanes> lanes(steps);
  bool interleaved = steps.size() > 1 && canInterleave(*beside.body, steps.front(), row);
  Value first = steps.front().first;
  for (Lanes &step : lanes) {
    step.first = add(first, constant((interleaved ? step.step - step.step % 2 : step.step) * step.width));
    step.interleaved = interleaved;
  }
  streaming = !steps.front().mask;
  emitPoints(*beside.body, lanes);
  streaming = false;
  positions = here;
  scalars = values;
}

/// Blocks `first` up to `last` where sums and a map may go side by side; false where they may not. Whether they do is
/// decided at run time: where it pays to store past the caches, a turn of the loop takes the sums of one block and the
/// map of the one before.
bool PhaseLowering::lowerBeside(Value first, Value last, Block &body, llvm::function_ref<void(Value)> bind) {
  SumsAndMap parts = sumsAndMapOf(body);
  if (!parts.sums) return false;
  StringAttr row = namesOf(parts.map.getAxes()).front(), lane = namesOf(parts.map.getAxes()).back();
  Block &mapBody = parts.map.getBody().front();
  bind(first);
  positions[row] = rangeOf(row).first;
  Value fits = mayBypass(mapBody, {lane, rangeOf(lane).first, width, {}, 0}, row);
  positions.erase(row);
  if (!fits) return false;
  for (Operation &op : body.without_terminator())
    if (isConstant(&op)) lowerOps({&op});
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, predicate, x, y);
  };
  Value one = constant(1), zero = constant(0);
  Value isLarge = reaches({parts.map}, crowdedBypassBytes());
  Value areMany = compare(arith::CmpIPredicate::sgt, arith::SubIOp::create(b, last, first), one);
  Value goes = arith::AndIOp::create(b, arith::AndIOp::create(b, fits, isLarge), areMany);
  Value lag = arith::SelectOp::create(b, goes, one, zero);
  SmallVector<Operation *> late = {parts.map}, following(parts.between);
  llvm::append_range(late, parts.after);
  following.push_back(parts.sums);
  llvm::append_range(following, late);
  SmallVector<Value> early = usedBy(parts.before, following), middle = usedBy(parts.between, late);
  SmallVector<Value> crossing = usedBy(parts.before, late);
  llvm::append_range(crossing, middle);
  Values start = llvm::map_to_vector(crossing, [&](Value value) { return zeroOf(value); });
  // Ops where a condition holds; what others use of them.
  auto where = [&](Value condition, ArrayRef<Operation *> ops, ArrayRef<Value> made) {
    Values none = llvm::map_to_vector(made, [&](Value value) { return zeroOf(value); });
    Values results = choose(
        condition,
        [&] {
          lowerOps(ops);
          return llvm::map_to_vector(made, [&](Value value) { return scalars.lookup(value); });
        },
        [&] { return none; });
    for (auto [value, result] : llvm::zip(made, results)) scalars[value] = result;
  };
  loop(first, add(last, lag), one, start, [&](Value front, ValueRange previous) {
    Value back = arith::SubIOp::create(b, front, lag);
    Value isFront = compare(arith::CmpIPredicate::slt, front, last);
    Value isBack = compare(arith::CmpIPredicate::sge, back, first);
    Value both = arith::AndIOp::create(b, goes, arith::AndIOp::create(b, isFront, isBack));
    // Where both stand is computed here, for all branches.
    bind(back);
    beside.positions = positions;
    bind(front);
    where(isFront, parts.before, early);
    auto together = [&] {
      beside.body = &mapBody;
      beside.planned = crossing;
      beside.values = Values(previous);
      lowerPass(parts.sums);
      beside.body = nullptr;
      return Values();
    };
    auto apart = [&] {
      where(isFront, {parts.sums}, {});
      return Values();
    };
    choose(both, together, apart);
    where(isFront, parts.between, middle);
    Values made = llvm::map_to_vector(crossing, [&](Value value) { return scalars.lookup(value); });
    for (auto [planned, before, now] : llvm::zip(crossing, previous, made))
      scalars[planned] = arith::SelectOp::create(b, goes, before, now);
    bind(back);
    Value alone = arith::SelectOp::create(b, both, arith::ConstantIntOp::create(b, 0, 1), isBack);
    where(alone, {parts.map}, {});
    where(isBack, parts.after, {});
    return made;
  });
  return true;
}
