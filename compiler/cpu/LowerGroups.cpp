// Rows whose sums are asked for by their last sweep, which sums columns: in groups, so that the last sweep goes with
// the rows under the lanes, and columns are summed in registers. And sweeps without the guards of their products.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/SaveAndRestore.h"
using namespace mlir;
using namespace norm;
using namespace normc;

// Few enough rows for a core's own caches, enough that what is done once for all of them costs little.
static constexpr int64_t rowsInGroup = 16;

PhaseLowering::Values PhaseLowering::lowerWithout(const llvm::DenseSet<Operation *> &guards, PassOp pass) {
  llvm::SaveAndRestore without(voided, &guards);
  lowerPass(pass);
  return llvm::map_to_vector(pass.getResults(), [&](Value result) { return scalars.lookup(result); });
}

PhaseLowering::Values PhaseLowering::lowerGuarded(PassOp pass, bool onlySums) {
  llvm::SaveAndRestore inLittleCode(guarding, true), withoutStores(summing, onlySums);
  return lowerWithout({}, pass);
}

/// The sums of a sweep, without the guards that they do without where they are finite; where they are not, again.
/// Whether they are; null where there are no such guards.
Value PhaseLowering::lowerSums(PassOp pass, const FiniteSums &sums) {
  Values results = lowerWithout(sums.ownGuards(), pass);
  if (sums.ownGuards().empty()) return {};
  Value areFinite;
  for (Value result : results) {
    Value difference = arith::SubFOp::create(b, result, result); // NaN where the result is no number
    Value isFinite = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, difference, difference);
    areFinite = areFinite ? arith::AndIOp::create(b, areFinite, isFinite).getResult() : isFinite;
  }
  if (abreast) { // all of them
    areFinite = arith::SelectOp::create(b, abreast->lanes.mask, areFinite, fullMask(abreast->lanes.width));
    abreast->finite = areFinite;
    areFinite = vector::ReductionOp::create(b, vector::CombiningKind::AND, areFinite);
  }
  auto chosen = choose(areFinite, [&] { return results; }, [&] { return lowerGuarded(pass, /*onlySums=*/true); });
  for (auto [result, value] : llvm::zip(pass.getResults(), chosen)) scalars[result] = value;
  return areFinite;
}

/// A pass over rows that sums each and sweeps it again, there with sums over the rows: false where it is another.
bool PhaseLowering::lowerRowGroups(PassOp rows, unsigned depth) {
  Block &body = rows.getBody().front();
  SmallVector<PassOp> sweeps(body.getOps<PassOp>());
  if (depth + 1 != rows.getAxes().size() || sweeps.size() != 2 || !body.getOps<StoreOp>().empty()) return false;
  PassOp first = sweeps.front(), last = sweeps.back();
  Block &lastBody = last.getBody().front();
  if (first.getKinds().empty() || !first.getBody().getOps<StoreOp>().empty() || !last.getKinds().empty() ||
      last.getAxes().size() != 1 ||
      llvm::none_of(lastBody.getOps<StoreOp>(), [](StoreOp store) { return bool(store.getKind()); }))
    return false;
  StringAttr row = namesOf(rows.getAxes())[depth], lane = namesOf(last.getAxes()).front();
  if (!canRunRowsUnderLanes(row, lane, lastBody)) return false;

  // What the last sweep takes of a row.
  llvm::SetVector<Operation *> taken;
  for (Operation &op : lastBody)
    for (Value operand : op.getOperands())
      if (Operation *maker = operand.getDefiningOp(); maker && maker->getBlock() == &body) taken.insert(maker);
  if (taken.contains(first)) return false;
  auto isConstant = [](Operation *op) { return op->hasTrait<OpTrait::ConstantLike>(); };
  auto array = [&](Type element) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entry);
    Value base = LLVM::AllocaOp::create(b, LLVM::LLVMPointerType::get(b.getContext()), memoryType(element),
                                        constant(rowsInGroup), shape.lineBytes);
    return Memory{base, element, {row}, {constant(1)}};
  };
  DenseMap<Operation *, Memory> arrays;
  for (Operation *op : taken)
    if (!isConstant(op)) arrays[op] = array(op->getResult(0).getType());
  Memory flags = array(b.getI1Type());

  FiniteSums sums(first);
  const auto guards = sums.guardsOf(last);
  auto [firstRow, lastRow] = rangeOf(row);
  loop(firstRow, lastRow, constant(rowsInGroup), {}, [&, lastRow = lastRow](Value start, ValueRange) {
    Value end = arith::MinSIOp::create(b, add(start, constant(rowsInGroup)), lastRow);
    auto here = [&](Memory memory) { // by the position of a row
      Value back = arith::SubIOp::create(b, constant(0), start);
      memory.base = LLVM::GEPOp::create(b, memory.base.getType(), memoryType(memory.storage), memory.base,
                                        ArrayRef<LLVM::GEPArg>{back});
      return memory;
    };
    Memory flagsHere = here(flags);
    DenseMap<Operation *, Memory> arraysHere;
    for (Operation *op : taken)
      if (!isConstant(op)) arraysHere[op] = here(arrays[op]);
    Value yes = arith::ConstantOp::create(b, b.getBoolAttr(true));
    Values areFinite = loop(start, end, constant(1), {yes}, [&](Value position, ValueRange before) {
      positions[row] = position;
      Value isFinite;
      for (Operation &op : body.without_terminator()) {
        if (&op == first) isFinite = lowerSums(first, sums);
        else if (&op != last) scalars[op.getResult(0)] = emit(op, Lanes(), [&](Value v) { return scalars.lookup(v); });
      }
      for (Operation *op : taken)
        if (!isConstant(op))
          storeTo(arraysHere[op], position, {}, Lanes(), scalars.lookup(op->getResult(0)), /*streams=*/false);
      if (!isFinite) isFinite = yes;
      storeTo(flagsHere, position, {}, Lanes(), isFinite, /*streams=*/false);
      positions.erase(row);
      return Values{arith::AndIOp::create(b, before.front(), isFinite)};
    });

    auto kept = staged;
    for (Operation &op : body.without_terminator())
      if (!isConstant(&op)) staged[&op] = arraysHere.lookup(&op);
    narrowed[row] = {start, end};
    auto together = [&] {
      llvm::SaveAndRestore without(voided, &guards);
      lowerRowsUnderLanes(row, lane, &body, lastBody);
      return Values();
    };
    auto eachAsItIs = [&] {
      llvm::SaveAndRestore inLittleCode(guarding, true);
      RowGuards rowGuards{flagsHere, guards};
      lowerRowsUnderLanes(row, lane, &body, lastBody, &rowGuards);
      return Values();
    };
    if (guards.empty()) together();
    else choose(areFinite.front(), together, eachAsItIs);
    narrowed.erase(row);
    staged = kept;
    return Values();
  });
  return true;
}
