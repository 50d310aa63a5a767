// From how many bytes on stores bypass the caches.
#include "compiler/cpu/PhaseLowering.h"
#include "compiler/schedule/Machine.h"
using namespace mlir;
using namespace norm;
using namespace normc;

/// The bytes of all memory that some ops reach.
Value PhaseLowering::bytesReached(ArrayRef<Operation *> ops) {
  llvm::SetVector<Value> reached;
  for (Operation *op : ops)
    op->walk([&](Operation *inner) {
      if (auto load = dyn_cast<LoadOp>(inner)) reached.insert(load.getFrom());
      if (auto store = dyn_cast<StoreOp>(inner)) reached.insert(store.getTo());
    });
  Value total = constant(0);
  for (Value memory : reached) total = add(total, denseBytesOf(memory.getType()));
  return total;
}

/// Whether some ops read two arrays as large as one that they store.
bool PhaseLowering::readsTwoOf(ArrayRef<Operation *> ops) {
  llvm::SetVector<Value> read, stored;
  for (Operation *op : ops)
    op->walk([&](Operation *inner) {
      if (auto load = dyn_cast<LoadOp>(inner)) read.insert(load.getFrom());
      if (auto store = dyn_cast<StoreOp>(inner); store && mayStream(store)) stored.insert(store.getTo());
    });
  return llvm::any_of(stored, [&](Value to) {
    auto isAsLarge = [&](Value from) {
      return llvm::all_of(axesOf(to.getType()),
                          [&](StringAttr axis) { return llvm::is_contained(axesOf(from.getType()), axis); });
    };
    return llvm::count_if(read, isAsLarge) > 1;
  });
}

/// Whether some ops reach so many bytes of memory.
Value PhaseLowering::reaches(ArrayRef<Operation *> ops, Value bytes) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::sge, bytesReached(ops), bytes);
}

Value PhaseLowering::usualBypassBytes() { return constant(shape.streamBytes / 4 * 5); }

/// From how many bytes on, of all memory that some ops reach, their stores bypass the caches. Stores that do so are
/// bound by memory, of which threads have no more than one thread has: several wait for each other there long before
/// the last cache is full. One thread alone finds other things to do meanwhile, most of all where blocks stand beside
/// each other in the first cache, and where two arrays are read for one that is stored.
Value PhaseLowering::bypassBytes(ArrayRef<Operation *> ops) {
  Value own = usualBypassBytes();
  if (readsTwoOf(ops)) own = constant(shape.streamBytes / 4 * 3);
  else if (turnsFit) own = arith::SelectOp::create(b, turnsFit, constant(shape.streamBytes), own);
  return arith::SelectOp::create(b, alone, own, constant(shape.streamBytes * 2));
}

/// The same where ordinary stores would push out what is read again, where two sweeps stand beside each other, and of
/// square tiles, which find none of the lines that they store in a core's own caches.
Value PhaseLowering::crowdedBypassBytes() {
  return arith::SelectOp::create(b, alone, constant(leastBypassBytes(shape.streamBytes)),
                                 constant(shape.streamBytes * 2));
}

/// Whether the last cache is too small for what some ops reach: their stores bypass the caches then.
Value PhaseLowering::isBeyondCaches(ArrayRef<Operation *> ops) { return reaches(ops, bypassBytes(ops)); }

/// Whether the lanes of a body do not fit the first cache, and some of what they read is the same for all rows:
/// ordinary stores would push that out, row by row. Null where nothing is.
Value PhaseLowering::isCrowded(Block &body, const Lanes &lanes) {
  auto laneNames = kernel.namesWithin(lanes.axis);
  llvm::SetVector<Value> reached;
  bool anyShared = false;
  int64_t bytes = 0;
  for (Operation &op : body) {
    auto load = dyn_cast<LoadOp>(op);
    auto store = dyn_cast<StoreOp>(op);
    Value memory = load ? load.getFrom() : store ? store.getTo() : Value();
    if (!memory || !reached.insert(memory)) continue;
    auto isLane = [&](StringAttr axis) { return llvm::is_contained(laneNames, axis); };
    AxisList axes = axesOf(memory.getType());
    anyShared |= load && !axes.empty() && llvm::all_of(axes, isLane);
    if (llvm::any_of(axes, isLane) && !isSpread(memories.find(memory)->second, lanes))
      bytes += bytesOfElement(getElementTypeOrSelf(memory.getType()));
  }
  if (!anyShared) return {};
  Value needed = multiply(extent(lanes.axis), constant(bytes));
  Value large = reaches({body.getParentOp()}, crowdedBypassBytes());
  Value isLong = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, needed, constant(shape.l1Bytes));
  return arith::AndIOp::create(b, large, isLong);
}
