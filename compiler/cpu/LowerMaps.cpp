// Maps over rows as they lie in memory, one by one or several as one: what all rows share is computed once, and waits
// in the first cache.
#include "compiler/cpu/PhaseLowering.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
using namespace mlir;
using namespace norm;
using namespace normc;

// What a step loads beside what is mapped: more cost more than strips of rows under lanes.
static constexpr unsigned sharedLoads = 6;
static constexpr int64_t fewestRows = 4;
// The arrays are on the stack, whatever a target says of its first cache.
static constexpr int64_t mostArrayBytes = 32768;

/// What is the same at a lane in all rows of a body, and which of it the rest of the body takes: values that are more
/// than a load, and go to arrays. Fails where the body is no map, or takes too many.
FailureOr<PhaseLowering::SharedValues> PhaseLowering::sharedByRows(StringAttr lane, Block *rowBody, Block &body) {
  auto laneNames = kernel.namesWithin(lane);
  auto isLane = [&](StringAttr axis) { return llvm::is_contained(laneNames, axis); };
  llvm::DenseSet<Value> same, along; // the same in all rows; of it, what changes along the lanes
  for (Operation &op : body.without_terminator()) {
    if (auto store = dyn_cast<StoreOp>(op)) {
      if (store.getKind()) return failure();
      continue;
    }
    Value result = op.getResult(0);
    auto isSame = [&](Value value) {
      Block *home = value.getParentBlock();
      return home == &body ? same.contains(value) : home != rowBody;
    };
    if (auto load = dyn_cast<LoadOp>(op)) {
      AxisList axes = axesOf(load.getFrom().getType());
      auto isBound = [&](StringAttr axis) { return isLane(axis) || positions.count(axis); };
      bool hasLanes = llvm::any_of(axes, isLane);
      if (!load.getAt().empty() || !llvm::all_of(axes, isBound) || (hasLanes && !isLane(axes.back()))) continue;
      same.insert(result);
      if (hasLanes) along.insert(result);
    } else if (!isa<IndexOp, PointsOp, SampledOp>(op) && llvm::all_of(op.getOperands(), isSame)) {
      same.insert(result);
      if (llvm::any_of(op.getOperands(), [&](Value operand) { return along.contains(operand); })) along.insert(result);
    }
  }
  SharedValues shared;
  unsigned loads = 0;
  for (Operation &op : body.without_terminator()) {
    if (op.getNumResults() == 0 || !same.contains(op.getResult(0))) continue;
    shared.same.push_back(&op);
    if (!along.contains(op.getResult(0))) continue;
    Value result = op.getResult(0);
    bool isTaken = llvm::any_of(result.getUsers(), [&](Operation *user) {
      return user->getNumResults() == 0 || !along.contains(user->getResult(0));
    });
    auto load = dyn_cast<LoadOp>(op);
    bool isThere = load && getElementTypeOrSelf(load.getFrom().getType()) == load.getType();
    shared.bytes += isTaken ? bytesOfElement(result.getType()) : 0;
    loads += isTaken;
    if (isTaken && isThere) {
      shared.there.push_back(&op);
      continue;
    }
    if (isTaken && !isa<Float32Type, Float64Type>(result.getType())) return failure();
    (isTaken ? shared.taken : shared.inner).push_back(&op);
  }
  if (loads == 0 || loads > sharedLoads) return failure();
  return shared;
}

/// Whether all that a body reaches row by row has the rows end to end, so that several of them are like one.
bool PhaseLowering::areEndToEnd(StringAttr row, StringAttr lane, Block *rowBody, Block &body,
                                const SharedValues &shared) {
  if (!llvm::all_of(shared.there, [](Operation *op) { return isa<FloatType>(op->getResult(0).getType()); }))
    return false;
  if (rowBody && !llvm::hasSingleElement(rowBody->without_terminator())) return false;
  return llvm::all_of(body.without_terminator(), [&](Operation &op) {
    if (isa<IndexOp, PointsOp, SampledOp>(op)) return false;
    auto load = dyn_cast<LoadOp>(op);
    auto store = dyn_cast<StoreOp>(op);
    if (!load && !store) return true;
    if (load && !load.getAt().empty()) return false;
    if (llvm::is_contained(shared.same, &op)) return true;
    SmallVector<StringAttr> axes(axesOf((load ? load.getFrom() : store.getTo()).getType()));
    if (!rangesOver(axes, row)) return load && !rangesOver(axes, lane);
    ArrayRef<StringAttr> left = axes;
    while (!left.empty() && partsAt(left, row) == 0) left = left.drop_front();
    left = left.drop_front(partsAt(left, row));
    return !left.empty() && partsAt(left, lane) == left.size();
  });
}

/// Rows that share something along the lanes: one by one where they are longer than a step or lie end to end, else
/// under the lanes.
void PhaseLowering::lowerSharedRows(StringAttr row, StringAttr axis, Block *rowBody, Block &body) {
  if (!loadsAcross(row, axis, body).empty()) return lowerTiles(row, axis, rowBody, body);
  FailureOr<SharedValues> shared = sharedByRows(axis, rowBody, body);
  if (failed(shared)) return lowerRowsUnderLanes(row, axis, rowBody, body);
  if (areEndToEnd(row, axis, rowBody, body, *shared)) return lowerRowByRow(row, axis, rowBody, body, *shared, true);
  auto [firstRow, lastRow] = rangeOf(row);
  auto compare = [&](arith::CmpIPredicate predicate, Value value, int64_t bound) -> Value {
    return arith::CmpIOp::create(b, predicate, value, constant(bound));
  };
  Value isLong = compare(arith::CmpIPredicate::sgt, extent(axis), shape.accumulators * width);
  Value areMany = compare(arith::CmpIPredicate::sge, arith::SubIOp::create(b, lastRow, firstRow), fewestRows);
  auto byRow = [&] {
    lowerRowByRow(row, axis, rowBody, body, *shared, false);
    return Values();
  };
  auto underLanes = [&] {
    lowerRowsUnderLanes(row, axis, rowBody, body);
    return Values();
  };
  choose(arith::AndIOp::create(b, isLong, areMany), byRow, underLanes);
}

/// How many rows end to end are one: so many that they end where a step does, if the arrays have room for that, and
/// that an end is rare; rows of one step are no more than that.
Value PhaseLowering::rowsInOne(StringAttr row, StringAttr axis, int64_t step, int64_t room) {
  auto [firstRow, lastRow] = rangeOf(row);
  auto [from, to] = rangeOf(axis);
  Value one = constant(1), points = arith::MaxSIOp::create(b, extent(axis), one);
  Value all = multiply(arith::SubIOp::create(b, lastRow, firstRow), points);
  // A step, over the largest power of 2 that divides both.
  Value divisor = arith::OrIOp::create(b, points, constant(step));
  divisor = arith::AndIOp::create(b, divisor, arith::SubIOp::create(b, constant(0), divisor));
  Value rows = arith::DivUIOp::create(b, constant(step), divisor), wanted = constant(room / 4), times;
  wanted = arith::MinSIOp::create(b, wanted, arith::DivUIOp::create(b, all, constant(fewestRows)));
  times = arith::MaxSIOp::create(b, arith::DivUIOp::create(b, wanted, multiply(rows, points)), one);
  Value isStep = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, multiply(rows, points), constant(step));
  rows = arith::SelectOp::create(b, isStep, rows, multiply(rows, times));
  Value together = multiply(rows, points), isWhole, fits, areMany;
  isWhole = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, arith::SubIOp::create(b, to, from), extent(axis));
  fits = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, together, constant(room));
  areMany = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, all, multiply(together, constant(fewestRows)));
  isWhole = arith::AndIOp::create(b, isWhole, arith::AndIOp::create(b, fits, areMany));
  return arith::SelectOp::create(b, isWhole, rows, one);
}

/// The stride of a memory along an axis, or the axes whose product that is; null where it has none.
Value PhaseLowering::strideAlongParts(const Memory &memory, StringAttr axis) {
  for (size_t i = 0; i < memory.axes.size(); ++i)
    if (size_t parts = partsAt(ArrayRef(memory.axes).drop_front(i), axis)) return memory.strides[i + parts - 1];
  return {};
}

/// Whether a map goes by two rows at a time, which load what they share once: where the second is an addition away.
/// Rows of f32 are bound by memory, but for runs, which begin off a line; vectors of bytes go by four.
bool PhaseLowering::gainsFromPairs(StringAttr row, StringAttr lane, Block &body) {
  bool gains = kernel.getAxis(lane).isProduct();
  for (Operation &op : body.without_terminator()) {
    auto load = dyn_cast<LoadOp>(op);
    auto store = dyn_cast<StoreOp>(op);
    if (isa<IndexOp, PointsOp, SampledOp>(op) || (load && !load.getAt().empty())) return false;
    if (!load && !store) continue;
    const Memory &memory = memories.find(load ? load.getFrom() : store.getTo())->second;
    bool hasPart =
        llvm::any_of(memory.axes, [&](StringAttr axis) { return rangesOver(kernel.namesWithin(axis), row); });
    int64_t bytes = bytesOfElement(memory.storage);
    if (bytes == 1 || (hasPart && !strideAlongParts(memory, row))) return false;
    gains |= bytes == 2;
  }
  return gains && shape.accumulators >= 4;
}

void PhaseLowering::lowerRowByRow(StringAttr row, StringAttr axis, Block *rowBody, Block &body,
                                  const SharedValues &shared, bool endToEnd) {
  auto [firstRow, lastRow] = rangeOf(row);
  auto [from, to] = rangeOf(axis);
  int64_t count = shape.accumulators, step = count * width;
  int64_t tile = std::max(step, std::min(shape.l1Bytes / 3 * 2, mostArrayBytes) / shared.bytes / step * step);
  // What is the same for all rows, of a tile of lanes.
  SmallVector<Operation *> taken(shared.taken);
  if (endToEnd) taken.append(shared.there);
  SmallVector<Memory> arrays;
  for (Operation *op : taken) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entry);
    Type element = op->getResult(0).getType();
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value base = LLVM::AllocaOp::create(b, pointer, element, constant(tile), shape.lineBytes);
    arrays.push_back({base, element, {axis}, {constant(1)}});
  }
  // A body at all lanes of a range, so many vectors at a time; of 0, in little code.
  auto along = [&](Value start, Value end, int64_t vectors, llvm::function_ref<void(ArrayRef<Lanes>)> emitAt) {
    auto steps = [&](Value stop, int64_t vectors, int64_t points, bool masked) {
      loop(start, stop, constant(vectors * points), {}, [&](Value first, ValueRange) {
        SmallVector<Lanes> lanes;
        Value mask = masked ? tailMask(first, end, width) : Value();
        for (int64_t i = 0; i < vectors; ++i)
          lanes.push_back({axis, add(first, constant(i * points)), points, mask, unsigned(i)});
        emitAt(lanes);
        return Values();
      });
      start = stop;
    };
    auto wholeSteps = [&](int64_t points) -> Value {
      Value length = arith::SubIOp::create(b, end, start), size = constant(points);
      return add(start, multiply(arith::DivSIOp::create(b, length, size), size));
    };
    if (vectors > 0) steps(wholeSteps(vectors * width), vectors, width, false);
    if (shape.masked) return steps(end, 1, width, true);
    if (vectors > 1) steps(wholeSteps(width), 1, width, false);
    steps(end, 1, 1, false);
  };
  // Several rows as one begin at multiples of their number, where all are aligned as memory is.
  Value points = extent(axis), together = endToEnd ? rowsInOne(row, axis, step, tile) : constant(1);
  Value begin = firstRow;
  if (endToEnd)
    begin = multiply(arith::DivUIOp::create(b, add(firstRow, add(together, constant(-1))), together), together);
  positions[row] = begin;
  Value streams = canStream(body, {axis, from, width, {}, 0}, row, together);
  positions.erase(row);
  loop(from, to, constant(tile), {}, [&, to = to](Value start, ValueRange) {
    Value end = arith::MinSIOp::create(b, add(start, constant(tile)), to);
    SmallVector<Memory> places = arrays;
    Value back = arith::SubIOp::create(b, constant(0), start);
    for (Memory &place : places)
      place.base =
          LLVM::GEPOp::create(b, place.base.getType(), place.storage, place.base, ArrayRef<LLVM::GEPArg>{back});
    if (!arrays.empty())
      along(start, end, 1, [&](ArrayRef<Lanes> lanes) {
        llvm::DenseMap<Value, Value> local;
        auto at = [&](Value v) {
          Value value = local.lookup(v);
          return value ? value : scalars.lookup(v);
        };
        for (Operation *op : shared.same) local[op->getResult(0)] = emit(*op, lanes.front(), at);
        loop(constant(0), together, constant(1), {}, [&](Value number, ValueRange) {
          Value offset = multiply(number, points);
          for (auto [op, place] : llvm::zip(taken, places)) {
            Value value = splat(local[op->getResult(0)], lanes.front().width);
            storeTo(place, offset, constant(1), lanes.front(), value, /*streams=*/false);
          }
          return Values();
        });
      });
    for (Operation *op : shared.inner) staged[op] = Memory();
    for (auto [op, place] : llvm::zip(taken, places)) staged[op] = place;
    auto emitAt = [&](ArrayRef<Lanes> lanes) { emitPoints(body, lanes); };
    // Between the ends that are no step, rows that are one step take what they share from registers.
    Value fullTo = lastRow;
    if (endToEnd) {
      Value left = arith::RemUIOp::create(b, arith::SubIOp::create(b, lastRow, begin), together);
      fullTo = arith::SubIOp::create(b, lastRow, left);
      loop(constant(0), constant(2), constant(1), {}, [&](Value number, ValueRange) {
        Value isLast = arith::TruncIOp::create(b, b.getI1Type(), number);
        auto either = [&](Value last, Value first) -> Value { return arith::SelectOp::create(b, isLast, last, first); };
        Value before = arith::SubIOp::create(b, begin, together), none = constant(0);
        positions[row] = either(fullTo, before);
        Value skipped = either(none, arith::SubIOp::create(b, firstRow, before));
        along(multiply(skipped, points), multiply(either(left, together), points), 0, emitAt);
        positions.erase(row);
        return Values();
      });
    }
    auto rows = [&](int64_t atOnce, llvm::function_ref<void(Value)> emitRow) {
      loop(begin, fullTo, multiply(together, constant(atOnce)), {}, [&](Value position, ValueRange) {
        positions[row] = position;
        if (rowBody) lowerRow(*rowBody);
        emitRow(position);
        positions.erase(row);
        return Values();
      });
      return Values();
    };
    Value laneTo = add(end, multiply(add(together, constant(-1)), points));
    // Past the caches two rows would be in the way of each other.
    auto severalSteps = [&] {
      if (streaming || rowBody || !gainsFromPairs(row, axis, body))
        return rows(1, [&](Value) { along(start, laneTo, count, emitAt); });
      return rows(2, [&](Value position) {
        auto further = memories;
        Value next = arith::MinSIOp::create(b, add(position, together), arith::SubIOp::create(b, fullTo, together));
        for (auto &[planned, memory] : further)
          if (Value stride = strideAlongParts(memory, row))
            memory = behind(memory, multiply(arith::SubIOp::create(b, next, position), stride));
        along(start, laneTo, count / 2, [&](ArrayRef<Lanes> lanes) {
          SmallVector<Lanes> both(lanes);
          for (Lanes each : lanes) {
            each.memories = &further, each.step += lanes.size();
            both.push_back(each);
          }
          emitPoints(body, both);
        });
      });
    };
    auto oneStep = [&] {
      SmallVector<Lanes> lanes;
      for (int64_t i = 0; i < count; ++i) lanes.push_back({axis, constant(i * width), width, {}, unsigned(i)});
      return rows(1, [&](Value) { emitAt(lanes); });
    };
    ifStreaming(streams, [&] {
      if (!endToEnd) return severalSteps();
      Value isStep = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, multiply(together, points), constant(step));
      return choose(isStep, oneStep, severalSteps);
    });
    staged.clear();
    return Values();
  });
}
