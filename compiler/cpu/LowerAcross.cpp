// Blocks that go over the rows of a chunk, where the blocks of a row lie one behind the other in memory and the rows
// of a block far apart: all blocks take their part of a row before the next row begins.
#include "compiler/cpu/PhaseLowering.h"
using namespace mlir;
using namespace norm;
using namespace normc;

/// The body of a phase around the rows of its chunk, no rows where it has a different form.
PhaseLowering::RowsOfBlocks PhaseLowering::rowsOfBlocksOf(PhaseOp phase) {
  auto blocks = namesOf(phase.getAxes());
  if (blocks.size() < 2 || !kernel.getAxis(blocks.front()).isChunks()) return {};
  StringAttr row = kernel.getAxis(blocks.front()).getWhole();
  RowsOfBlocks parts;
  for (Operation &op : phase.getBody().front().without_terminator()) {
    auto pass = dyn_cast<PassOp>(op);
    if (pass && namesOf(pass.getAxes()) == ArrayRef(row) && !parts.rows) parts.rows = pass;
    else (pass || isa<StoreOp>(op) ? parts.rows ? parts.after : parts.before : parts.always).push_back(&op);
  }
  if (!parts.rows || parts.rows.getBody().getOps<PassOp>().empty()) return {};
  // What stands outside of sweeps is done once for each row, what stores once for each block.
  llvm::DenseSet<Value> stored;
  phase.walk([&](StoreOp store) { stored.insert(store.getTo()); });
  bool isRepeatable = llvm::all_of(parts.always, [&](Operation *op) {
    auto load = dyn_cast<LoadOp>(op);
    return load ? !stored.contains(load.getFrom()) : isPure(op) && op->getNumRegions() == 0;
  });
  bool yields = llvm::any_of(phase.getBody().getOps<PassOp>(), [](PassOp pass) { return !pass.getKinds().empty(); });
  SmallVector<StringAttr> nextToRows = kernel.namesWithin(blocks[1]);
  auto liesAcross = [&](LoadOp load) {
    AxisList axes = axesOf(load.getFrom().getType());
    auto *place = llvm::find(axes, row);
    return load->getParentOp() != parts.rows && place != axes.end() && std::next(place) != axes.end() &&
           llvm::is_contained(nextToRows, *std::next(place));
  };
  auto found =
      parts.rows.walk([&](LoadOp load) { return liesAcross(load) ? WalkResult::interrupt() : WalkResult::advance(); });
  return isRepeatable && !yields && found.wasInterrupted() ? parts : RowsOfBlocks();
}

/// Blocks `first` up to `last` row by row, where they lie across these; false where they do not. What each does before
/// and after its rows goes block by block.
bool PhaseLowering::lowerAcross(PhaseOp phase, Value first, Value last, llvm::function_ref<void(Value)> bind) {
  RowsOfBlocks parts = rowsOfBlocksOf(phase);
  if (!parts.rows) return false;
  auto blocks = namesOf(phase.getAxes());
  StringAttr row = namesOf(parts.rows.getAxes()).front();
  Value one = constant(1), ofChunk = one;
  for (StringAttr axis : llvm::drop_begin(blocks)) ofChunk = multiply(ofChunk, extent(axis));
  auto each = [&](Value begin, Value end, llvm::function_ref<void(Value)> body) {
    loop(begin, end, one, {}, [&](Value position, ValueRange) {
      body(position);
      return Values();
    });
  };
  auto byBlock = [&](Value begin, Value end, ArrayRef<Operation *> ops) {
    if (ops.empty()) return;
    each(begin, end, [&](Value block) {
      bind(block);
      lowerOps(parts.always);
      lowerOps(ops);
    });
  };
  Value lastChunk = arith::DivUIOp::create(b, add(last, arith::SubIOp::create(b, ofChunk, one)), ofChunk);
  each(arith::DivUIOp::create(b, first, ofChunk), lastChunk, [&](Value chunk) {
    Value from = multiply(chunk, ofChunk);
    Value begin = arith::MaxSIOp::create(b, first, from), end = arith::MinSIOp::create(b, last, add(from, ofChunk));
    byBlock(begin, end, parts.before);
    positions[blocks.front()] = chunk;
    auto [firstRow, lastRow] = rangeOf(row);
    each(firstRow, lastRow, [&, lastRow = lastRow](Value position) {
      each(begin, end, [&](Value block) {
        // What follows: the next block, or the first one in the next row.
        Value following = add(block, one), isEnd = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, following, end);
        Value nextRow = add(position, arith::ExtUIOp::create(b, b.getI64Type(), isEnd));
        bind(arith::SelectOp::create(b, isEnd, begin, following));
        positions[row] = arith::MinSIOp::create(b, nextRow, arith::SubIOp::create(b, lastRow, one));
        fetched.lead = *parts.rows.getBody().getOps<PassOp>().begin();
        fetched.positions = positions;
        bind(block);
        positions[row] = position;
        lowerOps(parts.always);
        lowerBody(parts.rows.getBody().front());
        positions.erase(row);
        fetched.positions.clear();
      });
    });
    byBlock(begin, end, parts.after);
  });
  return true;
}
