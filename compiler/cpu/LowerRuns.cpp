// Rows that lie end to end, each with values of its own: vectors go on from one to the next.
#include "compiler/cpu/PhaseLowering.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/SaveAndRestore.h"
using namespace mlir;
using namespace norm;
using namespace normc;

// Longer rows have few ends, which cost less where stores are ordinary.
static constexpr int64_t longestRun = 4096, longestOrdinaryRun = 1024;

/// The sweep of rows that do nothing else but compute what it takes, where all that it reaches has the rows one behind
/// the other. Null otherwise.
PassOp PhaseLowering::sweepOfRuns(PassOp rows, unsigned depth) {
  if (guarding || summing || !narrowed.empty() || !rows.getKinds().empty() || depth + 1 != rows.getAxes().size())
    return {};
  PassOp sweep;
  llvm::DenseSet<Value> read, stored;
  StringAttr row = namesOf(rows.getAxes()).back();
  for (Operation &op : rows.getBody().front().without_terminator()) {
    if (sweep || isa<StoreOp>(op)) return {};
    if (auto load = dyn_cast<LoadOp>(op)) read.insert(load.getFrom());
    if ((sweep = dyn_cast<PassOp>(op))) continue;
    if (op.getNumRegions() > 0) return {};
  }
  if (!sweep || !sweep.getKinds().empty() || sweep.getAxes().size() != 1 || sweep.getSample()) return {};
  StringAttr lane = namesOf(sweep.getAxes()).front();
  for (Operation &op : sweep.getBody().front().without_terminator()) {
    if (isa<PassOp, IndexOp, PointsOp, SampledOp>(op)) return {};
    auto load = dyn_cast<LoadOp>(op);
    auto store = dyn_cast<StoreOp>(op);
    if (!load && !store) {
      if (!llvm::all_of(op.getResultTypes(), [](Type type) { return type.isF32() || type.isInteger(1); })) return {};
      continue;
    }
    if ((load && !load.getAt().empty()) || (store && store.getKind())) return {};
    Value memory = load ? load.getFrom() : store.getTo();
    AxisList axes = axesOf(memory.getType());
    if (store) stored.insert(memory);
    bool isEndToEnd = axes.size() > 1 && axes.take_back(2) == ArrayRef{row, lane};
    if (!isEndToEnd && (store || rangesOver(axes, row) || rangesOver(axes, lane))) return {};
  }
  if (stored.empty() || llvm::any_of(read, [&](Value memory) { return stored.contains(memory); })) return {};
  return sweep;
}

/// Points that all outputs of a body store at a time as whole registers.
int64_t PhaseLowering::storedPoints(Block &body, const Lanes &lanes) {
  int64_t vectors = 1;
  for (StoreOp op : body.getOps<StoreOp>()) vectors = std::max<int64_t>(vectors, storedTogether(op, lanes));
  return vectors * width;
}

/// Rows whose ends are not those of vectors begin and end with parts of lines, which is dear where they bypass the
/// caches, and where nothing else is to be done meanwhile. False where they cannot go end to end; at run time they may
/// still go one by one, as `oneByOne` has them.
bool PhaseLowering::lowerRuns(PassOp rows, unsigned depth, llvm::function_ref<void()> oneByOne) {
  PassOp sweep = sweepOfRuns(rows, depth);
  if (!sweep) return false;
  StringAttr row = namesOf(rows.getAxes()).back(), lane = namesOf(sweep.getAxes()).front();
  StringAttr flat = kernel.productOf(row, lane);
  if (!flat) {
    flat = kernel.unusedAxis(row.getValue() + "_" + lane.getValue());
    kernel.setAxis(AxisAttr::product(flat, row, lane));
  }
  if (!extents.count(flat)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(alone);
    extents[flat] = multiply(extent(row), extent(lane));
  }
  Block &body = sweep.getBody().front();
  Value points = extent(lane);
  int64_t unit = storedPoints(body, {flat, constant(0), width, {}});
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, predicate, x, y);
  };
  auto both = [&](Value x, Value y) -> Value { return arith::AndIOp::create(b, x, y); };
  auto [laneFrom, laneTo] = rangeOf(lane);
  Value goes = compare(arith::CmpIPredicate::eq, arith::SubIOp::create(b, laneTo, laneFrom), points);
  goes = both(goes, compare(arith::CmpIPredicate::sge, points, constant(2 * unit)));
  goes = both(goes, compare(arith::CmpIPredicate::sle, points, constant(longestRun)));
  Value ends = arith::AndIOp::create(b, points, constant(unit - 1));
  goes = both(goes, compare(arith::CmpIPredicate::ne, ends, constant(0)));
  auto [from, to] = rangeOf(flat);
  Lanes lanes{flat, from, width, {}};
  Value begin = nextLine(body, lanes, to), wanted = wantsBypass(body, lanes);
  if (!begin || !wanted) return false;
  lanes.first = begin;
  Value streams = wanted;
  if (Value may = mayBypass(body, lanes, {})) streams = both(streams, may);
  // Beside sums that the first cache holds, ordinary stores are better off row by row.
  auto phase = rows->getParentOfType<PhaseOp>();
  bool onlyMaps =
      !phase.walk([](PassOp pass) { return pass.getKinds().empty() ? WalkResult::advance() : WalkResult::interrupt(); })
           .wasInterrupted();
  choose(
      both(goes, streams), [&] { return lowerEndToEnd(rows, sweep, flat, begin, unit, /*streams=*/true), Values(); },
      [&] {
        if (!onlyMaps) return oneByOne(), Values();
        return choose(
            both(goes, compare(arith::CmpIPredicate::sle, points, constant(longestOrdinaryRun))),
            [&] { return lowerEndToEnd(rows, sweep, flat, begin, unit, /*streams=*/false), Values(); },
            [&] { return oneByOne(), Values(); });
      });
  return true;
}

void PhaseLowering::lowerEndToEnd(PassOp rows, PassOp sweep, StringAttr flat, Value begin, int64_t unit, bool streams) {
  StringAttr row = namesOf(rows.getAxes()).back();
  Block &body = sweep.getBody().front();
  SmallVector<Operation *> ownOps;
  llvm::SetVector<Value> own; // what a row has for its sweep
  for (Operation &op : rows.getBody().front().without_terminator())
    if (&op != sweep) ownOps.push_back(&op);
  body.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (operand.getParentBlock() == &rows.getBody().front()) own.insert(operand);
  });
  auto valuesOf = [&](Value position) {
    positions[row] = position;
    lowerOps(ownOps);
    positions.erase(row);
    return llvm::map_to_vector(own, [&](Value value) { return scalars.lookup(value); });
  };

  auto [firstRow, endRow] = rangeOf(row);
  Value points = extent(namesOf(sweep.getAxes()).front()), lastRow = add(endRow, constant(-1));
  Value from = multiply(firstRow, points), to = multiply(endRow, points);
  bool interleaves = canInterleave(body, {flat, from, width, {}}, {});
  using Own = DenseMap<Value, Value>;
  // So many vectors from a point on: `here` are the values of the row they begin in; where they end in another, `next`
  // are its own, from point `end` on.
  auto step = [&](Value first, unsigned count, int64_t points, Value mask, ValueRange here, ValueRange next,
                  Value end) {
    SmallVector<Lanes> lanes;
    SmallVector<Own> each(count);
    bool interleaved = count > 1 && interleaves;
    for (unsigned i = 0; i < count; ++i) {
      int64_t offset = (interleaved ? i - i % 2 : i) * width;
      lanes.push_back({flat, add(first, constant(offset)), points, mask, i, interleaved});
      Value isHere;
      if (end) {
        auto i32 = VectorType::get(width, b.getI32Type());
        SmallVector<int32_t> places;
        for (int32_t lane = 0; lane < width; ++lane) places.push_back(offset + (interleaved ? 2 * lane + i % 2 : lane));
        Value along = arith::ConstantOp::create(b, DenseElementsAttr::get(i32, ArrayRef<int32_t>(places)));
        Value left = arith::TruncIOp::create(b, b.getI32Type(), arith::SubIOp::create(b, end, first));
        isHere = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, along, splat(left, width));
      }
      for (auto [number, value] : llvm::enumerate(own)) {
        Value scalar = here[number];
        each[i][value] =
            end ? arith::SelectOp::create(b, isHere, splat(scalar, width), splat(next[number], width)).getResult()
                : scalar;
      }
    }
    emitPoints(body, lanes, each);
  };
  auto few = [&](Value begin, Value end, ValueRange values) {
    int64_t points = shape.masked ? width : 1;
    loop(begin, end, constant(points), {}, [&](Value first, ValueRange) {
      step(first, 1, points, shape.masked ? tailMask(first, end, width) : Value(), values, {}, {});
      return Values();
    });
  };

  Values first = valuesOf(firstRow);
  few(from, begin, first);
  llvm::SaveAndRestore mode(streaming, streams);
  SmallVector<Memory> places = streams ? fetchedDuring(sweep, flat, begin) : SmallVector<Memory>();
  Values carried = {begin};
  llvm::append_range(carried, first);
  carried = loop(firstRow, endRow, constant(1), carried, [&](Value position, ValueRange before) {
    Value place = before.front();
    ValueRange here = before.drop_front();
    Value after = add(position, constant(1)), end = multiply(after, points);
    Values next = valuesOf(arith::MinSIOp::create(b, after, lastRow));
    auto steps = [&](Value last, int64_t size, Value split) {
      loop(place, last, constant(size), {}, [&](Value at, ValueRange) {
        if (!split) fetch(places, at, size);
        step(at, size / width, width, {}, here, next, split);
        return Values();
      });
      place = last;
    };
    auto through = [&](Value points, int64_t size) { // as many points as whole steps have
      points = arith::MaxSIOp::create(b, points, constant(0));
      return add(place, arith::AndIOp::create(b, points, constant(-size)));
    };
    int64_t wide = shape.accumulators * width;
    if (wide > unit) steps(through(arith::SubIOp::create(b, end, place), wide), wide, {});
    // What is left of the row, and what of the next one a vector takes along: no more than all rows have.
    Value left = add(arith::SubIOp::create(b, end, place), constant(unit - 1));
    left = arith::MinSIOp::create(b, left, arith::SubIOp::create(b, to, place));
    steps(through(left, unit), unit, end);
    Values result = {place};
    llvm::append_range(result, next);
    return result;
  });
  few(carried.front(), to, ArrayRef(carried).drop_front());
}
