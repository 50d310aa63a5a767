// Rows under lanes: where the lanes' loop stands outside, so that what the rows share stays in registers.
#include "compiler/cpu/PhaseLowering.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/SaveAndRestore.h"
using namespace mlir;
using namespace norm;
using namespace normc;

/// The loads of a body from memory in which the rows lie side by side and the lanes do not; none where nothing is
/// stored to an argument: a block's own arrays are too small to be worth turning over.
SmallVector<LoadOp> PhaseLowering::loadsAcross(StringAttr row, StringAttr lane, Block &body) {
  auto laneNames = kernel.namesWithin(lane);
  if (llvm::none_of(body.getOps<StoreOp>(), [](StoreOp store) { return isa<BlockArgument>(store.getTo()); })) return {};
  return llvm::filter_to_vector(body.getOps<LoadOp>(), [&](LoadOp load) {
    AxisList axes = axesOf(load.getFrom().getType());
    auto isLane = [&](StringAttr axis) { return llvm::is_contained(laneNames, axis); };
    return load.getAt().empty() && !axes.empty() && endsWith(axes, row) && llvm::any_of(axes, isLane);
  });
}

/// Whether the lanes may be the outer loop: the rows of all memory that a body reaches lie one behind the other, and
/// something along the lanes does not change from row to row, so that it stays in registers, sums too. What is only
/// loaded may also lie the other way round: so many rows as a vector has lanes are then loaded together.
bool PhaseLowering::canRunRowsUnderLanes(StringAttr row, StringAttr lane, Block &body) {
  auto laneNames = kernel.namesWithin(lane);
  bool anyRows = false, anyShared = false;
  SmallVector<LoadOp> across = loadsAcross(row, lane, body);
  if (!across.empty() && llvm::any_of(body.getOps<StoreOp>(), [](StoreOp store) { return bool(store.getKind()); }))
    return false;
  for (Operation &op : body) {
    Value memory;
    if (auto load = dyn_cast<LoadOp>(op)) memory = load.getFrom();
    if (auto store = dyn_cast<StoreOp>(op)) memory = store.getTo();
    if (isa<PassOp>(op)) return false;
    if (!memory || llvm::is_contained(across, &op)) continue;
    SmallVector<StringAttr> axes(axesOf(memory.getType()));
    bool hasLanes = false;
    while (!axes.empty() && llvm::is_contained(laneNames, axes.back())) axes.pop_back(), hasLanes = true;
    if (rangesOver(axes, row)) {
      if (!hasLanes || !endsWith(axes, row)) return false;
      anyRows = true;
    } else {
      anyShared |= hasLanes;
    }
  }
  return anyRows && (anyShared || !across.empty());
}

/// Ops of a row itself, at the row at hand.
void PhaseLowering::lowerRow(Block &rowBody) {
  for (Operation &op : rowBody.without_terminator())
    if (!isa<PassOp>(op)) scalars[op.getResult(0)] = emit(op, Lanes(), [&](Value v) { return scalars.lookup(v); });
}

/// The last two loops of a pass, or the last of it and that of the one pass inside.
bool PhaseLowering::lowerRowsUnderLanes(PassOp pass, unsigned depth) {
  auto axes = namesOf(pass.getAxes());
  Block &body = pass.getBody().front();
  if (depth + 2 == axes.size()) {
    if (!canRunRowsUnderLanes(axes[depth], axes[depth + 1], body)) return false;
    lowerSharedRows(axes[depth], axes[depth + 1], nullptr, body);
    return true;
  }
  auto inner = body.getOps<PassOp>();
  if (depth + 1 != axes.size() || !llvm::hasSingleElement(inner) || !body.getOps<StoreOp>().empty()) return false;
  PassOp lanes = *inner.begin();
  Block &lanesBody = lanes.getBody().front();
  if (!lanes.getKinds().empty() || lanes.getAxes().size() != 1) return false;
  if (!canRunRowsUnderLanes(axes[depth], namesOf(lanes.getAxes()).front(), lanesBody)) return false;
  lowerSharedRows(axes[depth], namesOf(lanes.getAxes()).front(), &body, lanesBody);
  return true;
}

/// The rows that one accumulator takes in before it is added to a total.
static constexpr int64_t summedRows = 64;

/// So many rows before they are summed those from memory are asked for.
static constexpr int64_t rowsAhead = 32;

void PhaseLowering::lowerRowsUnderLanes(StringAttr row, StringAttr axis, Block *rowBody, Block &body,
                                        const RowGuards *rowGuards) {
  auto [firstRow, lastRow] = rangeOf(row);
  auto [from, to] = rangeOf(axis);
  Value stripFrom = firstRow, stripTo = lastRow;
  // Sums over the rows: workspace that does not range over them.
  SmallVector<StoreOp> sums;
  for (StoreOp store : body.getOps<StoreOp>())
    if (store.getKind() && !rangesOver(axesOf(store.getTo().getType()), row)) sums.push_back(store);
  bool interleaves = canInterleave(body, {axis, from, width, {}, 0}, row);
  // Of 16 bits a step is a piece of each row too short for the processor to fetch ahead. What comes from memory is
  // asked for rows before it is summed; what a group of rows sums has just been swept.
  SmallVector<Memory> fetchedRows;
  if (!sums.empty() && !sample && !guarding && !narrowed.count(row) && shape.streamBytes)
    for (const Memory &array : arraysAlong(body, axis))
      if (isNarrow(array) && rangesOver(array.axes, row)) fetchedRows.push_back(array);
  Value isFar;
  if (!fetchedRows.empty()) isFar = reaches({body.getParentOp()}, usualBypassBytes());
  auto group = [&](Value first, unsigned count, int64_t points, Value mask) {
    SmallVector<Lanes> steps;
    bool interleaved = count > 1 && interleaves;
    for (unsigned i = 0; i < count; ++i) {
      Value place = add(first, constant((interleaved ? i - i % 2 : i) * points));
      steps.push_back({axis, place, points, mask, i, interleaved});
    }
    bool fetches = isFar && count > 2; // with less, what asks costs more
    Values start;
    for (StoreOp store : sums) start.append(count, neutral(*store.getKind(), store.getValue().getType(), points));
    auto eachRow = [&](Value position, ValueRange before) {
      if (fetches) {
        positions[row] = add(position, constant(rowsAhead));
        Fetching fetching{{}, isFar, Fetched::soon};
        for (const Memory &array : fetchedRows)
          fetching.places.push_back(behind(array, offsetOf(array, steps.front(), {}).first));
        fetch(fetching, first, count * points);
      }
      positions[row] = position;
      if (rowBody) lowerRow(*rowBody);
      if (beside.body) emitBeside(row, position, steps);
      auto points = [&](const llvm::DenseSet<Operation *> *without) {
        llvm::SaveAndRestore withoutGuards(voided, without);
        for (auto [number, store] : llvm::enumerate(sums)) held[store] = Values(before.slice(number * count, count));
        emitPoints(body, steps);
        Values after;
        for (StoreOp store : sums) llvm::append_range(after, held[store]);
        return after;
      };
      Values after;
      if (rowGuards) {
        Value isFinite = loadFrom(rowGuards->areFinite, position, {}, Lanes(), b.getI1Type());
        after = choose(isFinite, [&] { return points(&rowGuards->guards); }, [&] { return points(nullptr); });
      } else {
        after = points(voided);
      }
      positions.erase(row);
      return after;
    };
    // Lanes beyond a step come with strips of no more rows than a sum takes in.
    bool isOneSum = points * count > shape.accumulators * width;
    Values end;
    if (sums.empty()) loop(stripFrom, stripTo, constant(1), {}, eachRow);
    else if (isOneSum) end = loop(stripFrom, stripTo, constant(1), start, eachRow);
    else
      end = loop(stripFrom, stripTo, constant(summedRows), start, [&](Value block, ValueRange totals) {
        Value blockEnd = arith::MinSIOp::create(b, add(block, constant(summedRows)), stripTo);
        Values after = loop(block, blockEnd, constant(1), start, eachRow);
        for (auto [number, store] : llvm::enumerate(sums))
          for (unsigned i = number * count; i < (number + 1) * count; ++i)
            after[i] = combine(*store.getKind(), totals[i], after[i]);
        return after;
      });
    for (StoreOp store : sums) held.erase(store);
    if (interleaved) { // into the order of memory
      SmallVector<int64_t> low, high;
      for (int64_t i = 0; i < width; ++i) {
        low.push_back(i / 2 + i % 2 * width);
        high.push_back(width / 2 + low.back());
      }
      for (size_t i = 0; i < end.size(); i += 2) {
        Value even = end[i], odd = end[i + 1];
        end[i] = vector::ShuffleOp::create(b, even, odd, low);
        end[i + 1] = vector::ShuffleOp::create(b, even, odd, high);
      }
      for (Lanes &step : steps) step = {axis, add(first, constant(step.step * points)), points, mask, step.step};
    }
    for (auto [number, store] : llvm::enumerate(sums))
      for (const Lanes &at : steps) {
        const Memory &memory = memories.find(store.getTo())->second;
        auto [offset, stride] = offsetOf(memory, at, {});
        Value before = loadFrom(memory, offset, stride, at, store.getValue().getType());
        Value sum = combine(*store.getKind(), before, end[number * count + at.step]);
        storeTo(memory, offset, stride, at, sum, /*streams=*/false);
      }
  };
  // The registers hold what is constant along the rows too.
  int64_t count = guarding ? 1 : std::min<int64_t>(shape.accumulators, 4);
  // Of sums that are few, twice as many vectors: memory likes its rows in longer pieces. A group of rows computes more.
  auto staysSame = [&](LoadOp load) { return !rangesOver(axesOf(load.getFrom().getType()), row); };
  int64_t perVector = sums.size() + llvm::count_if(body.getOps<LoadOp>(), staysSame);
  bool isOfParts = llvm::none_of(body.getOps<LoadOp>(), [](LoadOp load) { return isa<BlockArgument>(load.getFrom()); });
  bool isLittle = sample || kernel.getAxis(row).isChunks() || isOfParts;
  bool doubles = !sums.empty() && !isLittle && !beside.body && !narrowed.count(row) && shape.bytes == 64 &&
                 2 * count * perVector <= 24;
  auto sweep = [&](Value end, int64_t vectors, int64_t points) {
    loop(from, end, constant(vectors * points), {}, [&](Value first, ValueRange) {
      group(first, vectors, points, {});
      return Values();
    });
    from = end;
  };
  auto wholeSteps = [&](int64_t points) -> Value {
    Value length = arith::SubIOp::create(b, to, from);
    return add(from, arith::MulIOp::create(b, arith::DivSIOp::create(b, length, constant(points)), constant(points)));
  };
  positions[row] = firstRow;
  Value streams = guarding ? Value() : canStream(body, {axis, from, width, {}, 0}, row);
  positions.erase(row);
  // Few lanes leave fewer whole vectors than a step takes: these go together too, and past the caches, as no masked
  // vector does. Code that is rare takes one at a time anyway; a sample and what other phases left are not worth the
  // code.
  bool halves = count == 4 && !isLittle;
  Value widest = wholeSteps(width * count * 2), wide = wholeSteps(width * count);
  Value pairs = halves ? wholeSteps(width * 2) : wide;
  Value whole = halves || !shape.masked ? wholeSteps(width) : wide, start = from;
  // Rows go by strips, which the caches hold, since the lanes would else reach each row in a large stride. The sums of
  // a strip are added to what was there, those of so many rows to the strip's: the error of a sum of n terms grows with
  // √n rather than n. With sums a strip is as long on each machine, and longer where a step covers all lanes, so that
  // nothing is reached in a stride; without, it fits the first cache.
  Value isStep =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sle, extent(axis), constant(shape.accumulators * width));
  Value rows = arith::SelectOp::create(b, isStep, constant(summedRows * summedRows), constant(summedRows));
  if (sums.empty()) {
    int64_t bytes = 0;
    for (Operation &op : body) {
      auto load = dyn_cast<LoadOp>(op);
      auto store = dyn_cast<StoreOp>(op);
      Value memory = load ? load.getFrom() : store ? store.getTo() : Value();
      if (memory && rangesOver(axesOf(memory.getType()), row))
        bytes += bytesOfElement(getElementTypeOrSelf(memory.getType()));
    }
    constexpr int64_t fewestRows = 8; // what the rows share is loaded once for all of them
    Value length = arith::SubIOp::create(b, to, start), one = constant(1);
    Value rowBytes = arith::MaxSIOp::create(b, multiply(length, constant(bytes)), one);
    rows = arith::DivUIOp::create(b, constant(shape.l1Bytes / 2), rowBytes);
    rows = arith::MaxSIOp::create(b, rows, constant(fewestRows));
    Value all = arith::MaxSIOp::create(b, arith::SubIOp::create(b, lastRow, firstRow), one);
    rows = arith::SelectOp::create(b, isStep, all, rows);
  }
  loop(firstRow, lastRow, rows, {}, [&](Value position, ValueRange) {
    stripFrom = position;
    stripTo = arith::MinSIOp::create(b, add(position, rows), lastRow);
    ifStreaming(streams, [&] {
      from = start;
      if (doubles) sweep(widest, 2 * count, width);
      sweep(wide, count, width);
      if (halves) sweep(pairs, 2, width);
      if (halves || !shape.masked) sweep(whole, 1, width);
      return Values();
    });
    from = whole;
    if (!shape.masked) {
      sweep(to, 1, 1);
      return Values();
    }
    loop(from, to, constant(width), {}, [&](Value first, ValueRange) {
      group(first, 1, width, tailMask(first, to, width));
      return Values();
    });
    return Values();
  });
}
