// Blocks side by side, where slices are short: the sweeps go along each slice as ever, those of several blocks in one
// loop, but the ends of their reductions, and all that is computed from these, take a lane for each block.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/SaveAndRestore.h"
using namespace mlir;
using namespace norm;
using namespace normc;

//===----------------------------------------------------------------------===//
// Arrays of the function's own
//===----------------------------------------------------------------------===//

/// A truth value in memory is a byte.
static Type arrayElement(Type type) { return type.isInteger(1) ? IntegerType::get(type.getContext(), 8) : type; }

Value PhaseLowering::newArray(Type element, int64_t count) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(entry);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  return LLVM::AllocaOp::create(b, pointer, arrayElement(element), constant(count), shape.lineBytes);
}

/// Stores a scalar at a place of an array, or a vector from there on: the place is a multiple of its length.
void PhaseLowering::toArray(Value value, Value array, Value place) {
  auto vector = dyn_cast<VectorType>(value.getType());
  Type element = getElementTypeOrSelf(value), stored = arrayElement(element);
  if (element != stored) value = arith::ExtUIOp::create(b, vector ? vector.clone(stored) : stored, value);
  int64_t lanes = vector ? vector.getNumElements() : 1;
  Value address = LLVM::GEPOp::create(b, array.getType(), stored, array, ArrayRef<LLVM::GEPArg>{place});
  LLVM::StoreOp::create(b, value, address, std::min(shape.lineBytes, bytesOfElement(stored) * lanes));
}
Value PhaseLowering::fromArray(Value array, Type element, Value place, int64_t lanes) {
  Type stored = arrayElement(element);
  auto shaped = [&](Type type) -> Type { return lanes > 1 ? Type(VectorType::get(lanes, type)) : type; };
  Value address = LLVM::GEPOp::create(b, array.getType(), stored, array, ArrayRef<LLVM::GEPArg>{place});
  Value value = LLVM::LoadOp::create(b, shaped(stored), address, bytesOfElement(stored) * lanes);
  return element.isInteger(1) ? arith::TruncIOp::create(b, shaped(element), value).getResult() : value;
}

//===----------------------------------------------------------------------===//
// The lanes of many vectors
//===----------------------------------------------------------------------===//

/// Two vectors that hold partial results of several blocks each, `2 * half` lanes a block: both halves of each are
/// combined, and one vector holds what is left of all. Lanes that a register moves together stay in their place.
Value PhaseLowering::foldTwo(ReduceKind kind, Value x, Value y, int64_t half) {
  SmallVector<int64_t> low;
  int64_t unit = half >= registerLane() ? width : std::max(2 * half, registerLane());
  for (int64_t begin = 0; begin < width; begin += unit)
    for (int64_t source : {int64_t(0), width})
      for (int64_t block = begin; block < begin + unit; block += 2 * half)
        for (int64_t i = 0; i < half; ++i) low.push_back(source + block + i);
  SmallVector<int64_t> high = llvm::map_to_vector(low, [&](int64_t lane) { return lane + half; });
  return combine(kind, vector::ShuffleOp::create(b, x, y, low), vector::ShuffleOp::create(b, x, y, high));
}

/// Lanes that shuffles move at no extra cost: 16 bytes.
int64_t PhaseLowering::registerLane() { return std::max<int64_t>(1, width * 16 / shape.bytes); }

/// Vectors of one block each folded until one is left, by the tree that `acrossLanes` takes for one vector: half the
/// work of turning them over. `half` is of the first step, and then of the next one.
Value PhaseLowering::foldAll(ReduceKind kind, SmallVector<Value> vectors, int64_t &half) {
  for (; vectors.size() > 1; half /= 2) {
    for (size_t i = 0; i < vectors.size() / 2; ++i)
      vectors[i] = foldTwo(kind, vectors[2 * i], vectors[2 * i + 1], half);
    vectors.truncate(vectors.size() / 2);
  }
  return vectors.front();
}

/// In which lane each of so many vectors as one has lanes ends when they are folded.
SmallVector<int64_t> PhaseLowering::lanesOfFolded() {
  SmallVector<SmallVector<int64_t>> owners;
  for (int64_t i = 0; i < width; ++i) owners.push_back({i});
  for (int64_t half = width / 2; half >= 1; half /= 2) {
    SmallVector<SmallVector<int64_t>> folded;
    int64_t moved = half >= registerLane() ? width : std::max<int64_t>(1, registerLane() / (2 * half));
    for (size_t i = 0; i < owners.size(); i += 2) {
      SmallVector<int64_t> both;
      int64_t count = owners[i].size(), step = std::min(moved, count);
      for (int64_t from = 0; from < count; from += step)
        for (size_t of : {i, i + 1}) llvm::append_range(both, ArrayRef(owners[of]).slice(from, step));
      folded.push_back(both);
    }
    owners = folded;
  }
  SmallVector<int64_t> lanes(width);
  for (int64_t lane = 0; lane < width; ++lane) lanes[owners.front()[lane]] = lane;
  return lanes;
}

//===----------------------------------------------------------------------===//
// Blocks and their passes
//===----------------------------------------------------------------------===//

/// So many vectors of blocks go together: what waits for the ends of reductions overlaps.
static constexpr int64_t vectorsOfBlocks = 2;

/// Blocks first up to, and without, last, of a vectorized phase: those with the same position along all axes but the
/// last lie side by side.
void PhaseLowering::lowerVectorized(PhaseOp phase, Value first, Value last) {
  auto axes = namesOf(phase.getAxes());
  StringAttr axis = axes.back();
  turnsFit = arith::ConstantIntOp::create(b, 1, 1);
  auto along = [&](Value from, Value to) {
    loop(from, to, constant(vectorsOfBlocks * width), {}, [&](Value position, ValueRange) {
      lowerSideBySide(phase.getBody().front(), axis, position, to);
      return Values();
    });
  };
  if (axes.size() == 1) return along(first, last);
  Value points = arith::MaxSIOp::create(b, extent(axis), constant(1));
  Value begin = arith::DivSIOp::create(b, first, points), end = arith::CeilDivSIOp::create(b, last, points);
  loop(begin, end, constant(1), {}, [&](Value outer, ValueRange) {
    Value start = multiply(outer, points);
    for (size_t i = axes.size() - 1; i-- > 0;) {
      positions[axes[i]] = i == 0 ? outer : arith::RemUIOp::create(b, outer, extent(axes[i])).getResult();
      if (i != 0) outer = arith::DivUIOp::create(b, outer, extent(axes[i]));
    }
    along(arith::MaxSIOp::create(b, arith::SubIOp::create(b, first, start), constant(0)),
          arith::MinSIOp::create(b, arith::SubIOp::create(b, last, start), points));
    return Values();
  });
  for (StringAttr name : axes) positions.erase(name);
}

/// A memory at the positions at hand: only the axes of the lanes are left of it.
Memory PhaseLowering::sliceOf(Value planned, StringAttr lane) {
  const Memory &memory = memories.find(planned)->second;
  Memory slice = memory;
  Value offset = offsetOf(memory, {lane, constant(0), width, {}, 0}, {}).first;
  slice.base = LLVM::GEPOp::create(b, memory.base.getType(), memoryType(memory.storage), memory.base,
                                   ArrayRef<LLVM::GEPArg>{offset});
  slice.axes.clear(), slice.strides.clear();
  for (auto [name, stride] : llvm::zip(memory.axes, memory.strides))
    if (llvm::is_contained(kernel.namesWithin(lane), name)) slice.axes.push_back(name), slice.strides.push_back(stride);
  return slice;
}

/// The blocks from `first` on, up to `to`, as many as the vectors have lanes.
void PhaseLowering::lowerSideBySide(Block &body, StringAttr axis, Value first, Value to) {
  Lanes blocks{axis, first, vectorsOfBlocks * width, {}, 0};
  blocks.mask = tailMask(first, to, blocks.width);
  auto saved = scalars;
  for (Operation &op : body.without_terminator()) {
    if (auto pass = dyn_cast<PassOp>(op)) sweepSideBySide(pass, blocks, to);
    else if (Value value = emit(op, blocks, [&](Value v) { return scalars.lookup(v); }))
      scalars[op.getResult(0)] = value;
  }
  scalars = saved;
}

/// One pass of these blocks; what it reduces becomes a vector with a lane for each block.
void PhaseLowering::sweepSideBySide(PassOp pass, const Lanes &blocks, Value to) {
  llvm::SaveAndRestore takesSample(sample, pass.getSample() ? pass.getSampleAttr() : sample);
  StringAttr axis = namesOf(pass.getAxes()).back();
  Block &body = pass.getBody().front();
  auto [from, end] = rangeOf(axis);
  int64_t results = pass.getKinds().size();
  auto kindOf = [&](int64_t number) { return ReduceKind(pass.getKinds()[number]); };
  llvm::SetVector<Value> reached, crossing; // memory; what the blocks have computed each for itself
  for (Operation &op : body) {
    if (auto load = dyn_cast<LoadOp>(op)) reached.insert(load.getFrom());
    if (auto store = dyn_cast<StoreOp>(op)) reached.insert(store.getTo());
    for (Value operand : op.getOperands())
      if (Value value = scalars.lookup(operand); value && isa<VectorType>(value.getType())) crossing.insert(operand);
  }
  // From memory a lane is spread over a vector as it is loaded.
  Values arrays;
  for (Value value : crossing) {
    arrays.push_back(newArray(value.getType(), blocks.width));
    toArray(scalars.lookup(value), arrays.back(), constant(0));
  }
  Value length = arith::SubIOp::create(b, end, from), lastMask;
  Value whole = add(from, arith::AndIOp::create(b, length, constant(-width)));
  if (shape.masked) lastMask = tailMask(whole, end, width);

  // Some blocks in one loop: the one at a place among these, and others so many places further. Where there is no
  // block any more, the last one again.
  auto sweep = [&](Value place, ArrayRef<int64_t> further) {
    SmallVector<DenseMap<Value, Memory>> slices(further.size());
    SmallVector<DenseMap<Value, Value>> own(further.size());
    SmallVector<Lanes> steps;
    Value last = arith::SubIOp::create(b, arith::SubIOp::create(b, to, blocks.first), constant(1));
    for (auto [i, places] : llvm::enumerate(further)) {
      Value lane = arith::MinSIOp::create(b, add(place, constant(places)), last);
      positions[blocks.axis] = add(blocks.first, lane);
      for (Value planned : reached) slices[i][planned] = sliceOf(planned, axis);
      positions.erase(blocks.axis);
      for (auto [value, array] : llvm::zip(crossing, arrays))
        own[i][value] = splat(fromArray(array, value.getType(), lane), width);
      steps.push_back({axis, {}, width, {}, unsigned(i), false, &slices[i]});
    }
    auto step = [&](Value first, Value mask, ValueRange before) {
      for (Lanes &lanes : steps) lanes.first = first, lanes.mask = mask;
      Values after(before);
      for (auto [i, yielded] : llvm::enumerate(emitPoints(body, steps, own)))
        for (int64_t number = 0; number < results; ++number) {
          Value &accumulator = after[number * steps.size() + i];
          Value sum = accumulate(kindOf(number), accumulator, splat(yielded[number], width));
          accumulator = mask ? arith::SelectOp::create(b, mask, sum, accumulator).getResult() : sum;
        }
      return after;
    };
    Values sums;
    for (auto [number, type] : llvm::enumerate(pass.getResultTypes()))
      sums.append(steps.size(), neutral(kindOf(number), type, width));
    sums = loop(from, whole, constant(width), sums,
                [&](Value first, ValueRange before) { return step(first, {}, before); });
    if (!lastMask || streaming) return sums; // slices are whole vectors where stores go past the caches
    Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, whole, end);
    return choose(any, [&] { return step(whole, lastMask, sums); }, [&] { return sums; });
  };

  // What is left of the slices without masks goes point by point, all blocks at once.
  auto points = [&](Values before) {
    if (shape.masked) return before;
    return loop(whole, end, constant(1), before, [&](Value position, ValueRange carried) {
      positions[axis] = position;
      Values after(carried), yielded = emitPoints(body, blocks).front();
      positions.erase(axis);
      for (int64_t number = 0; number < results; ++number)
        after[number] = accumulate(kindOf(number), after[number], splat(yielded[number], blocks.width));
      return after;
    });
  };
  int64_t together = std::min<int64_t>(width, llvm::bit_floor(uint64_t(shape.accumulators)));
  if (results == 0) {
    positions[blocks.axis] = blocks.first;
    Value streams = canStream(body, {axis, from, width, {}, 0}, blocks.axis);
    positions.erase(blocks.axis);
    if (streams &&
        lastMask) { // blocks need not follow each other in memory: whole lines from one to the next say little
      Value isWhole = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, whole, end);
      streams = arith::AndIOp::create(b, streams, isWhole);
    }
    Value count = arith::SubIOp::create(b, to, blocks.first);
    count = arith::MinSIOp::create(b, count, constant(blocks.width));
    SmallVector<int64_t> further = llvm::to_vector(llvm::seq<int64_t>(0, together));
    ifStreaming(streams, [&] {
      // Where these are not all blocks, the last one is stored again: not after what another loop has stored there.
      loop(constant(0), count, constant(together), {}, [&](Value place, ValueRange) { return sweep(place, further); });
      return points({});
    });
    return;
  }
  // As many blocks together as are folded into one vector, which then waits in memory for the others: each loop takes
  // the same places, so many further than the loop before.
  SmallVector<int64_t> lanes = lanesOfFolded();
  auto isRegular = [&] {
    for (int64_t i = 0; i + together < width; ++i)
      if (lanes[i + together] - lanes[i] != lanes[together] - lanes[0]) return false;
    return true;
  };
  while (!isRegular()) together *= 2;
  SmallVector<int64_t> further(ArrayRef(lanes).take_front(together));
  int64_t loops = width / together, stride = loops > 1 ? lanes[together] : 1;
  Values partial;
  for (Type type : pass.getResultTypes()) partial.push_back(newArray(type, vectorsOfBlocks * loops * width));
  for (int64_t vector = 0; vector < vectorsOfBlocks; ++vector)
    loop(constant(0), constant(loops), constant(1), {}, [&](Value number, ValueRange) {
      Value place = add(multiply(number, constant(stride)), constant(vector * width));
      Values sums = sweep(place, further);
      for (auto [result, type] : llvm::enumerate(pass.getResultTypes())) {
        int64_t half = width / 2;
        auto own = ArrayRef(sums).slice(result * together, together);
        Value folded = foldAll(kindOf(result), Values(own), half);
        toArray(folded, partial[result], add(multiply(number, constant(width)), constant(vector * loops * width)));
      }
      return Values();
    });
  Values totals;
  for (auto [result, type] : llvm::enumerate(pass.getResultTypes())) {
    Value total;
    for (int64_t vector = 0; vector < vectorsOfBlocks; ++vector) {
      Values folded;
      for (int64_t i = 0; i < loops; ++i)
        folded.push_back(fromArray(partial[result], type, constant((vector * loops + i) * width), width));
      int64_t half = loops / 2;
      Value sum = foldAll(kindOf(result), folded, half);
      SmallVector<int64_t> both = llvm::to_vector(llvm::seq<int64_t>(0, (vector + 1) * width));
      total = total ? vector::ShuffleOp::create(b, total, sum, both).getResult() : sum;
    }
    totals.push_back(total);
  }
  totals = points(totals);
  for (int64_t number = 0; number < results; ++number) scalars[pass.getResult(number)] = totals[number];
}
