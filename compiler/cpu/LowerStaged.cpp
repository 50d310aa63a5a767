// Outputs of blocks side by side that bypass the caches: what short slices store has no lines of its own, but what the
// blocks store together has. It waits in the first cache until all of it is there.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "compiler/schedule/Variants.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"
using namespace mlir;
using namespace norm;
using namespace normc;

/// Whether the slices of the blocks at hand lie one behind the other in an output, which is nowhere read in a body.
bool PhaseLowering::canStage(StoreOp op, StringAttr lane) {
  auto reads = [&](LoadOp load) { return load.getFrom() == op.getTo(); };
  if (!mayStream(op) || llvm::any_of(op->getBlock()->getOps<LoadOp>(), reads)) return false;
  SmallVector<StringAttr> names = kernel.namesWithin(lane), axes(axesOf(op.getTo().getType()));
  size_t all = axes.size();
  while (!axes.empty() && llvm::is_contained(names, axes.back())) axes.pop_back();
  return axes.size() < all && !axes.empty() && axes.back() == abreast->lanes.axis;
}

/// Where in its array the slice of a block is, of which so many are before it.
Value PhaseLowering::sliceInStage(const StagedOutput &output, Value block) {
  return LLVM::GEPOp::create(b, output.array.getType(), memoryType(output.storage), output.array,
                             ArrayRef<LLVM::GEPArg>{multiply(block, output.slice)});
}

/// A sweep of a body by the blocks at hand, whose outputs wait in arrays where they are to bypass the caches.
void PhaseLowering::lowerStaged(Block &body, StringAttr lane,
                                llvm::function_ref<Values(ArrayRef<StagedOutput>)> sweep) {
  const Lanes &blocks = abreast->lanes;
  auto [from, end] = rangeOf(lane);
  Lanes lanes{lane, from, width, {}, 0};
  positions[blocks.axis] = blocks.first;
  Value streams = shape.masked ? wantsBypass(body, lanes) : canStream(body, lanes, blocks.axis);
  positions.erase(blocks.axis);
  SmallVector<StoreOp> outputs =
      llvm::filter_to_vector(body.getOps<StoreOp>(), [&](StoreOp store) { return canStage(store, lane); });
  if (!shape.masked || !streams || guarding || outputs.empty() || !matchPattern(from, m_Zero())) {
    ifStreaming(shape.masked || guarding ? Value() : streams, [&] { return sweep({}); });
    return;
  }
  Value isShort = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, end, constant(shortSlice));
  auto staged = [&] {
    SmallVector<StagedOutput> stages;
    Values targets, misfits;
    for (StoreOp store : outputs) {
      positions[blocks.axis] = blocks.first;
      Memory target = sliceOf(store.getTo(), lane);
      positions.erase(blocks.axis);
      Value place = LLVM::PtrToIntOp::create(b, b.getI64Type(), target.base);
      misfits.push_back(arith::AndIOp::create(b, place, constant(shape.lineBytes - 1)));
      // Lines of the array are lines of the output.
      Value array =
          newArray(b.getI8Type(), blocks.width * shortSlice * bytesOfElement(target.storage) + 2 * shape.lineBytes);
      array = LLVM::GEPOp::create(b, array.getType(), b.getI8Type(), array, ArrayRef<LLVM::GEPArg>{misfits.back()});
      stages.push_back({store.getTo(), target.storage, array, end});
      targets.push_back(target.base);
    }
    sweep(stages);
    for (auto [stage, target, misfit] : llvm::zip(stages, targets, misfits)) flush(stage, target, misfit, lane);
    return Values();
  };
  choose(arith::AndIOp::create(b, streams, isShort), staged, [&] { return sweep({}); });
}

/// What waits goes to memory: whole lines past the caches, and what is before and behind them as ever.
void PhaseLowering::flush(const StagedOutput &output, Value target, Value misfit, StringAttr lane) {
  int64_t bytes = bytesOfElement(output.storage), line = shape.lineBytes;
  Value all = multiply(abreast->count, output.slice);
  auto elements = [&](Value count) { return arith::DivUIOp::create(b, count, constant(bytes)).getResult(); };
  Value before = arith::AndIOp::create(b, arith::SubIOp::create(b, constant(0), misfit), constant(line - 1));
  Value begin = arith::MinSIOp::create(b, elements(before), all);
  Value rest = arith::SubIOp::create(b, all, begin);
  Value end = add(begin, arith::AndIOp::create(b, rest, constant(-line / bytes)));
  auto at = [&](Value base, Value place) -> Value {
    return LLVM::GEPOp::create(b, base.getType(), memoryType(output.storage), base, ArrayRef<LLVM::GEPArg>{place});
  };
  auto vector = VectorType::get(shape.bytes / 4, b.getI32Type());
  loop(begin, end, constant(shape.bytes / bytes), {}, [&](Value place, ValueRange) {
    Value value = LLVM::LoadOp::create(b, vector, at(output.array, place), shape.bytes);
    LLVM::StoreOp::create(b, value, at(target, place), shape.bytes, /*isVolatile=*/false, /*isNonTemporal=*/true);
    return Values();
  });
  streamed = true;
  auto copy = [&](Value first, Value last) {
    loop(first, last, constant(width), {}, [&](Value place, ValueRange) {
      Lanes lanes{lane, place, width, tailMask(place, last, width), 0};
      Value zero = constant(0), one = constant(1);
      Value value = loadFrom({output.array, output.storage, {lane}, {one}}, zero, one, lanes, output.storage);
      storeTo({target, output.storage, {lane}, {one}}, zero, one, lanes, value, /*streams=*/false);
      return Values();
    });
  };
  copy(constant(0), begin);
  copy(end, all);
}
