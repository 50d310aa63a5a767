// Blocks and rows one after another, with the first sweep of the next before the last sweep of the one at hand: what
// that sweep waits for, the end of a reduction, and the memory that the next one reads are then waited for together.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace {
/// A body in three parts; none of the first two where the first sweep cannot go ahead.
struct Turn {
  SmallVector<Operation *> lead, middle, end;
};

/// The lead ends before the second sweep, the end begins with the last one. The lead may go ahead of what other turns
/// store only if it reads none of that, and stores nothing itself.
Turn partsOf(Block &body) {
  Turn turn;
  SmallVector<PassOp> passes(body.getOps<PassOp>());
  llvm::DenseSet<Value> stored;
  body.walk([&](StoreOp store) { stored.insert(store.getTo()); });
  auto standsAlone = [&](Operation &op) {
    return !op.walk([&](Operation *inner) {
                auto load = dyn_cast<LoadOp>(inner);
                bool reads = load && (stored.contains(load.getFrom()) || !load.getAt().empty());
                return reads || isa<StoreOp>(inner) ? WalkResult::interrupt() : WalkResult::advance();
              }).wasInterrupted();
  };
  // Chunks are slices beyond a core's first cache, and store nothing large.
  auto phase = dyn_cast<PhaseOp>(body.getParentOp());
  auto kernel = body.getParentOp()->getParentOfType<KernelOp>();
  bool leads = passes.size() > 1 && !(phase && llvm::any_of(namesOf(phase.getAxes()), [&](StringAttr axis) {
                                        return kernel.getAxis(axis).isChunks();
                                      }));
  SmallVector<Operation *> *part = &turn.lead;
  for (Operation &op : body.without_terminator()) {
    if (leads && &op == passes[1]) part = &turn.middle;
    if (leads && &op == passes.back()) part = &turn.end;
    if (part == &turn.lead && !standsAlone(op)) leads = false;
    part->push_back(&op);
  }
  if (leads) return turn;
  Turn whole;
  for (Operation &op : body.without_terminator()) whole.end.push_back(&op);
  return whole;
}

/// What some ops compute that others use.
SmallVector<Value> usedBy(ArrayRef<Operation *> makers, ArrayRef<ArrayRef<Operation *>> users) {
  SmallVector<Value> values;
  for (Operation *maker : makers)
    for (Value result : maker->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return llvm::any_of(users, [&](ArrayRef<Operation *> part) {
              return llvm::any_of(part, [&](Operation *op) { return op->isAncestor(user); });
            });
          }))
        values.push_back(result);
  return values;
}
} // namespace

void PhaseLowering::lowerOps(ArrayRef<Operation *> ops) {
  for (Operation *op : ops) {
    if (auto pass = dyn_cast<PassOp>(op)) lowerPass(pass);
    else if (Value value = emit(*op, Lanes(), [&](Value v) { return scalars.lookup(v); }))
      scalars[op->getResult(0)] = value;
  }
}

/// A value of the branch that is taken.
PhaseLowering::Values PhaseLowering::choose(Value condition, llvm::function_ref<Values()> yes,
                                            llvm::function_ref<Values()> no) {
  auto inside = [&](llvm::function_ref<Values()> body) {
    return [this, body](OpBuilder &inner, Location) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
      scf::YieldOp::create(b, body());
    };
  };
  return Values(scf::IfOp::create(b, condition, inside(yes), inside(no)).getResults());
}

/// A zero of the type that a scalar of the plan has here.
Value PhaseLowering::zeroOf(Value planned) {
  Type type = planned.getType();
  bool isComputed = type.isF32() || type.isF64() || type.isInteger(64) || type.isInteger(1);
  return arith::ConstantOp::create(b, b.getZeroAttr(isComputed ? type : memoryType(type)));
}

/// Whether the next turn's lead goes ahead: where what it reads fits into the first cache beside all that the end
/// reaches, since otherwise the end would not find there what the middle left. Slices beyond that cache anyway gain
/// where what is stored stays out of the caches.
Value PhaseLowering::goesAhead(PassOp lead, ArrayRef<Operation *> end) {
  auto bytesOf = [](Value memory) { return bytesOfElement(getElementTypeOrSelf(memory.getType())); };
  Value points = constant(1), largest = constant(0);
  llvm::SetVector<Value> read, reached;
  lead->walk([&](Operation *op) {
    if (auto load = dyn_cast<LoadOp>(op)) read.insert(load.getFrom());
    if (auto pass = dyn_cast<PassOp>(op))
      for (StringAttr axis : namesOf(pass.getAxes())) points = multiply(points, extent(axis));
  });
  for (Operation *op : end)
    op->walk([&](Operation *inner) {
      if (auto load = dyn_cast<LoadOp>(inner)) reached.insert(load.getFrom());
      auto store = dyn_cast<StoreOp>(inner);
      if (!store || !reached.insert(store.getTo())) return;
      Value size = constant(bytesOf(store.getTo()));
      for (StringAttr axis : axesOf(store.getTo().getType())) size = multiply(size, extent(axis));
      largest = arith::MaxSIOp::create(b, largest, size);
    });
  int64_t slice = 0, beside = 0;
  for (Value memory : read) slice += bytesOf(memory);
  for (Value memory : reached) beside += bytesOf(memory);
  auto compare = [&](arith::CmpIPredicate predicate, Value value, int64_t bound) -> Value {
    return arith::CmpIOp::create(b, predicate, value, constant(bound));
  };
  Value fits = compare(arith::CmpIPredicate::sle, multiply(points, constant(slice + beside)), shape.l1Bytes);
  if (!shape.streamBytes) return fits;
  Value beyond = compare(arith::CmpIPredicate::sgt, multiply(points, constant(slice)), shape.l1Bytes);
  Value streams = compare(arith::CmpIPredicate::sge, largest, streamedBytes());
  return arith::OrIOp::create(b, fits, arith::AndIOp::create(b, beyond, streams));
}

/// A body at each position from `first` up to `last`, without it; `bind` says where that is.
void PhaseLowering::lowerTurns(Value first, Value last, Block &body, llvm::function_ref<void(Value)> bind) {
  Turn turn = partsOf(body);
  Value one = constant(1);
  if (turn.lead.empty()) {
    loop(first, last, one, {}, [&](Value position, ValueRange) {
      bind(position);
      lowerOps(turn.end);
      return Values();
    });
    return;
  }
  auto sweep = cast<PassOp>(*llvm::find_if(turn.lead, llvm::IsaPred<PassOp>));
  fetched.lead = sweep;
  Value ahead = goesAhead(sweep, turn.end);
  Value late = arith::XOrIOp::create(b, ahead, arith::ConstantIntOp::create(b, 1, 1));
  SmallVector<Value> led = usedBy(turn.lead, {turn.middle, turn.end});
  Values start = llvm::map_to_vector(led, [&](Value value) { return zeroOf(value); });
  // A lead where the condition holds, else what is there already.
  auto lead = [&](Value position, Value condition, ValueRange before) {
    bind(position);
    auto computed = [&] {
      lowerOps(turn.lead);
      return llvm::map_to_vector(led, [&](Value value) { return scalars.lookup(value); });
    };
    return choose(condition, computed, [&] { return Values(before); });
  };
  auto leadsTo = [&](Value position) -> Value {
    return arith::AndIOp::create(b, ahead, arith::CmpIOp::create(b, arith::CmpIPredicate::slt, position, last));
  };
  start = lead(first, leadsTo(first), start);
  loop(first, last, one, start, [&](Value position, ValueRange carried) {
    Values here = lead(position, late, carried);
    for (auto [value, lowered] : llvm::zip(led, here)) scalars[value] = lowered;
    lowerOps(turn.middle);
    Value next = add(position, one);
    auto saved = scalars;
    Values result = lead(next, leadsTo(next), here);
    scalars = saved;
    Value following = add(next, arith::ExtUIOp::create(b, b.getI64Type(), ahead));
    bind(arith::MinSIOp::create(b, following, arith::SubIOp::create(b, last, one)));
    fetched.positions = positions;
    bind(position);
    lowerOps(turn.end);
    fetched.positions.clear();
    return result;
  });
  fetched.lead = {};
}

/// What the following lead is going to read of the memory that a pass reads, at the same place: a base each, so that
/// the lanes' positions lead there.
SmallVector<Memory> PhaseLowering::fetchedDuring(PassOp pass, StringAttr axis, Value from) {
  SmallVector<Memory> places;
  if (fetched.positions.empty()) return places;
  llvm::DenseSet<Value> read;
  fetched.lead->walk([&](LoadOp load) { read.insert(load.getFrom()); });
  for (LoadOp load : pass.getBody().getOps<LoadOp>()) {
    if (!read.erase(load.getFrom())) continue;
    Memory memory = memories.find(load.getFrom())->second;
    auto here = positions;
    for (auto [name, position] : fetched.positions) positions[name] = position;
    auto [offset, stride] = offsetOf(memory, {axis, from, width, {}, 0}, {});
    offset = add(offset, arith::SubIOp::create(b, rangeOf(axis).first, from));
    positions = here;
    if (!stride || !llvm::is_contained(kernel.namesWithin(axis), memory.axes.back())) continue;
    memory.base = LLVM::GEPOp::create(b, memory.base.getType(), memoryType(memory.storage), memory.base,
                                      ArrayRef<LLVM::GEPArg>{offset});
    places.push_back(memory);
  }
  return places;
}

/// Brings the lines of so many points from `first` on into a core's own caches.
void PhaseLowering::fetch(ArrayRef<Memory> places, Value first, int64_t points) {
  for (const Memory &memory : places) {
    int64_t line = shape.lineBytes / bytesOfElement(memory.storage);
    for (int64_t point = 0; point < points; point += line) {
      Value address = LLVM::GEPOp::create(b, memory.base.getType(), memoryType(memory.storage), memory.base,
                                          ArrayRef<LLVM::GEPArg>{add(first, constant(point))});
      LLVM::Prefetch::create(b, address, /*rw=*/0, /*hint=*/2, /*cache=*/1);
    }
  }
}
