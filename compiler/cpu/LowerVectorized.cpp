// Blocks side by side, where slices are short: the sweeps go along each slice as ever, those of several blocks in one
// loop, but the ends of their reductions, and all that is computed from these, take a lane for each block.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "compiler/schedule/Variants.h"
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

/// Blocks first up to, and without, last, of a vectorized phase: those with the same position along all axes but the
/// last lie side by side.
void PhaseLowering::lowerVectorized(PhaseOp phase, Value first, Value last) {
  auto axes = namesOf(phase.getAxes());
  StringAttr axis = axes.back();
  turnsFit = arith::ConstantIntOp::create(b, 1, 1);
  Block &body = phase.getBody().front();
  if (axes.size() == 1) return lowerSideBySide(body, axis, first, last);
  Value points = arith::MaxSIOp::create(b, extent(axis), constant(1));
  Value begin = arith::DivSIOp::create(b, first, points), end = arith::CeilDivSIOp::create(b, last, points);
  loop(begin, end, constant(1), {}, [&](Value outer, ValueRange) {
    Value start = multiply(outer, points);
    for (size_t i = axes.size() - 1; i-- > 0;) {
      positions[axes[i]] = i == 0 ? outer : arith::RemUIOp::create(b, outer, extent(axes[i])).getResult();
      if (i != 0) outer = arith::DivUIOp::create(b, outer, extent(axes[i]));
    }
    lowerSideBySide(body, axis, arith::MaxSIOp::create(b, arith::SubIOp::create(b, first, start), constant(0)),
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
  slice.base = behind(memory, offset).base;
  slice.axes.clear(), slice.strides.clear();
  for (auto [name, stride] : llvm::zip(memory.axes, memory.strides))
    if (llvm::is_contained(kernel.namesWithin(lane), name)) slice.axes.push_back(name), slice.strides.push_back(stride);
  return slice;
}

/// So many vectors of blocks go together at the most: what waits for the ends of reductions overlaps.
static constexpr int64_t vectorsOfBlocks = 2;

/// The stride of a memory along an axis that it has as it is; null for another.
Value PhaseLowering::strideAlong(Value planned, StringAttr axis) {
  const Memory &memory = memories.find(planned)->second;
  for (auto [name, stride] : llvm::zip(memory.axes, memory.strides))
    if (name == axis) return stride;
  return {};
}

/// The same memory from so many elements further on.
Memory PhaseLowering::behind(Memory memory, Value elements) {
  memory.base = LLVM::GEPOp::create(b, memory.base.getType(), memoryType(memory.storage), memory.base,
                                    ArrayRef<LLVM::GEPArg>{elements});
  return memory;
}

/// What a body reads of the block that is so many further.
SmallVector<Memory> PhaseLowering::slicesAhead(Block &body, const Lanes &lanes, Value blocks) {
  SmallVector<Memory> slices;
  for (LoadOp load : body.getOps<LoadOp>()) {
    const Memory &slice = memoryAt(load.getFrom(), lanes);
    Value stride = strideAlong(load.getFrom(), abreast->lanes.axis);
    if (stride && !slice.axes.empty()) slices.push_back(behind(slice, multiply(blocks, stride)));
  }
  return slices;
}

/// How many blocks go together: two vectors, or one where outputs bypass the caches and the first would not hold all
/// that two sweep, and what waits in it.
Value PhaseLowering::blocksTogether(Block &body, StringAttr axis) {
  llvm::SetVector<Value> reached;
  Value lane;
  body.walk([&](Operation *op) {
    if (auto load = dyn_cast<LoadOp>(op)) reached.insert(load.getFrom());
    if (auto store = dyn_cast<StoreOp>(op)) reached.insert(store.getTo());
    if (auto pass = dyn_cast<PassOp>(op)) lane = extent(namesOf(pass.getAxes()).back());
  });
  int64_t bytes = 0;
  for (Value memory : reached)
    if (AxisList axes = axesOf(memory.getType());
        !axes.empty() && axes.back() != axis && llvm::is_contained(axes, axis))
      bytes += bytesOfElement(getElementTypeOrSelf(memory.getType()));
  if (!shape.streamBytes || !lane || bytes == 0) return constant(vectorsOfBlocks * width);
  Value isLong = arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, lane,
                                       constant(shape.l1Bytes * 2 / 3 / (vectorsOfBlocks * width * bytes)));
  isLong = arith::AndIOp::create(b, isLong, isBeyondCaches({body.getParentOp()}));
  return arith::SelectOp::create(b, isLong, constant(width), constant(vectorsOfBlocks * width));
}

/// The blocks from `first` up to `to`, side by side.
void PhaseLowering::lowerSideBySide(Block &body, StringAttr axis, Value first, Value to) {
  Value together = blocksTogether(body, axis);
  loop(first, to, together, {}, [&](Value position, ValueRange) {
    Value end = arith::MinSIOp::create(b, add(position, together), to);
    int64_t lanes = vectorsOfBlocks * width;
    SideBySide blocks{{axis, position, lanes, tailMask(position, end, lanes), 0},
                      arith::SubIOp::create(b, end, position)};
    auto saved = scalars;
    abreast = &blocks;
    lowerBody(body);
    abreast = nullptr;
    scalars = saved;
    return Values();
  });
}

/// Rows inside of a block that are longer wait less for the ends of their reductions than those side by side lose.
static constexpr int64_t shortRow = 64;

/// Whether passes only spread values over a block's own arrays.
static bool onlySpread(Block &body) {
  return llvm::all_of(body.getOps<PassOp>(), [](PassOp pass) {
    return llvm::all_of(pass.getBody().front().without_terminator(), [](Operation &op) {
      auto store = dyn_cast<StoreOp>(op);
      return store && store.getTo().getDefiningOp<WorkspaceOp>();
    });
  });
}

/// Rows of a pass that are short, whatever else their block does, or of any length where what is computed for a row, a
/// quotient or a root, takes longer than to spread it: channels of groups. False where they are not, or may not be
/// known to be.
bool PhaseLowering::lowerShortRows(PassOp rows, unsigned depth) {
  auto axes = namesOf(rows.getAxes());
  Block &body = rows.getBody().front();
  if (abreast || depth + 1 != axes.size() || !rows.getKinds().empty() || kernel.getAxis(axes.back()).isChunks())
    return false;
  StringAttr swept = sweptAlone(kernel, body, {});
  if (!swept) return false;
  // What several rows have in common is spread over as many lanes as one vector has.
  Lanes lanes;
  lanes.axis = axes.back();
  auto isCommon = [&](LoadOp load) {
    return isSpread(memories.find(load.getFrom())->second, lanes) ? WalkResult::interrupt() : WalkResult::advance();
  };
  if (body.walk(isCommon).wasInterrupted()) return false;
  bool isShort = kernel.getAxis(swept).isFixed() && kernel.getAxis(swept).getSize() <= shortRow;
  if (!isShort && !onlySpread(body)) return false;
  auto [from, to] = rangeOf(axes.back());
  lowerSideBySide(body, axes.back(), from, to);
  return true;
}

/// Rows whose sums one accumulator of a column takes in before they are added to a total.
static constexpr int64_t summedRows = 64;

/// Stores of a body that combine into columns.
static SmallVector<StoreOp> columnsOf(Block &body) {
  return llvm::filter_to_vector(body.getOps<StoreOp>(), [](StoreOp store) { return bool(store.getKind()); });
}

/// The rows of a chunk of a vectorized phase. Sums of their columns stay in arrays that have whole vectors, and are
/// added to memory every so many rows. False where the phase is another, or tails go without masks.
bool PhaseLowering::lowerRowsSideBySide(PassOp rows, unsigned depth) {
  Block &body = rows.getBody().front();
  if (!rows->getParentOfType<PhaseOp>().getVectorized() || abreast || !shape.masked || body.getOps<PassOp>().empty())
    return false;
  assert(depth + 1 == rows.getAxes().size() && "rows of a chunk are along one axis");
  StringAttr row = namesOf(rows.getAxes())[depth];
  StringAttr lane = namesOf((*body.getOps<PassOp>().begin()).getAxes()).front();
  SmallVector<StoreOp> sums;
  for (PassOp pass : body.getOps<PassOp>()) llvm::append_range(sums, columnsOf(pass.getBody().front()));
  for (StoreOp store : sums) columns[store] = newArray(store.getValue().getType(), shortSlice);
  auto [from, to] = rangeOf(lane);
  auto [firstRow, lastRow] = rangeOf(row);
  auto start = [&](Value place) {
    for (StoreOp store : sums)
      toArray(neutral(*store.getKind(), store.getValue().getType(), width), columns[store], place);
    return Values();
  };
  loop(from, to, constant(width), {}, [&](Value place, ValueRange) { return start(place); });
  Value most = constant(summedRows);
  loop(firstRow, lastRow, most, {}, [&, from = from, to = to, lastRow = lastRow](Value position, ValueRange) {
    lowerSideBySide(body, row, position, arith::MinSIOp::create(b, add(position, most), lastRow));
    loop(from, to, constant(width), {}, [&](Value place, ValueRange) {
      Lanes lanes{lane, place, width, tailMask(place, to, width), 0};
      for (StoreOp store : sums) {
        const Memory &memory = memories.find(store.getTo())->second;
        auto [offset, stride] = offsetOf(memory, lanes, {});
        Value before = loadFrom(memory, offset, stride, lanes, store.getValue().getType());
        Value sum =
            combine(*store.getKind(), before, fromArray(columns[store], store.getValue().getType(), place, width));
        storeTo(memory, offset, stride, lanes, sum, /*streams=*/false);
      }
      return start(place);
    });
    return Values();
  });
  for (StoreOp store : sums) columns.erase(store);
  return true;
}

/// One pass of the blocks at hand; what it reduces becomes a vector with a lane for each block.
void PhaseLowering::sweepSideBySide(PassOp pass) {
  const Lanes &blocks = abreast->lanes;
  StringAttr axis = namesOf(pass.getAxes()).back();
  Block &body = pass.getBody().front();
  auto [from, end] = rangeOf(axis);
  int64_t results = pass.getKinds().size();
  llvm::SetVector<Value> reached, crossing; // memory; what the blocks have computed each for itself
  for (Operation &op : body) {
    if (auto load = dyn_cast<LoadOp>(op)) reached.insert(load.getFrom());
    if (auto store = dyn_cast<StoreOp>(op); store && !columns.count(store)) reached.insert(store.getTo());
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

  // The processor itself fetches slices of a line or two.
  Value fetches = arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, length, constant(2 * width));
  // A register's worth at a time of bf16, where slices are known to have no other points.
  AxisAttr swept = kernel.getAxis(axis);
  bool areWhole = shape.looksUpBytes && swept.isFixed() && swept.getSize() % (2 * width) == 0 && sample != axis;
  bool isNarrow = llvm::any_of(body.getOps<LoadOp>(),
                               [](LoadOp load) { return getElementTypeOrSelf(load.getFrom().getType()).isBF16(); });
  const int64_t atOnce = areWhole && isNarrow && columnsOf(body).empty() ? 2 * width : width;
  // Some blocks in one loop, from the one at a place among these on.
  auto sweep = [&](Value place, int64_t together, ArrayRef<StagedOutput> staged) {
    SmallVector<DenseMap<Value, Memory>> slices(together);
    SmallVector<DenseMap<Value, Value>> own;
    SmallVector<Lanes> steps;
    for (int64_t i = 0; i < together; ++i) {
      Value lane = add(place, constant(i));
      positions[blocks.axis] = add(blocks.first, lane);
      for (Value planned : reached) {
        // One addition, where a position takes a product.
        Value stride = i > 0 ? strideAlong(planned, blocks.axis) : Value();
        slices[i][planned] = stride ? behind(slices[i - 1][planned], stride) : sliceOf(planned, axis);
      }
      positions.erase(blocks.axis);
      for (const StagedOutput &output : staged)
        if (i == 0) slices[i][output.planned].base = sliceInStage(output, lane);
        else slices[i][output.planned] = behind(slices[i - 1][output.planned], output.slice);
      DenseMap<Value, Value> values;
      for (auto [value, array] : llvm::zip(crossing, arrays))
        values[value] = splat(fromArray(array, value.getType(), lane), width);
      own.append(atOnce / width, values);
      steps.append(atOnce / width, {axis, {}, width, {}, 0, false, &slices[i]});
    }
    Fetching next{{}, fetches, Fetched::later};
    for (int64_t i = 0; i < together && !staged.empty(); ++i)
      llvm::append_range(next.places, slicesAhead(body, steps[i * (atOnce / width)], abreast->count));
    auto step = [&](Value first, Value mask, ValueRange before) {
      fetch(next, first, atOnce);
      for (auto [i, lanes] : llvm::enumerate(steps))
        lanes.first = add(first, constant(i * width % atOnce)), lanes.mask = mask;
      // All steps are one vector of each column, which takes in one block after the other.
      SmallVector<StoreOp> sums = summing ? SmallVector<StoreOp>() : columnsOf(body);
      for (StoreOp store : sums) held[store] = {fromArray(columns[store], store.getValue().getType(), first, width)};
      Values after(before);
      for (auto [i, yielded] : llvm::enumerate(emitPoints(body, steps, own)))
        for (int64_t number = 0; number < results; ++number) {
          Value &accumulator = after[number * together + i / (atOnce / width)];
          Value sum = accumulate(kindOf(pass, number), accumulator, splat(yielded[number], width));
          accumulator = mask ? arith::SelectOp::create(b, mask, sum, accumulator).getResult() : sum;
        }
      for (StoreOp store : sums) {
        toArray(held[store].front(), columns[store], first);
        held.erase(store);
      }
      return after;
    };
    Values sums;
    for (auto [number, type] : llvm::enumerate(pass.getResultTypes()))
      sums.append(together, neutral(kindOf(pass, number), type, width));
    sums = loop(from, whole, constant(atOnce), sums,
                [&](Value first, ValueRange before) { return step(first, {}, before); });
    if (!lastMask || atOnce > width) return sums;
    Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, whole, end);
    return choose(any, [&] { return step(whole, lastMask, sums); }, [&] { return sums; });
  };
  // Where some have sums that are not finite, each goes with the guards that it needs.
  Value flags;
  if (guarding && abreast->guards) {
    flags = newArray(b.getI1Type(), blocks.width);
    toArray(abreast->finite, flags, constant(0));
  }
  auto sweepOne = [&](Value block, ArrayRef<StagedOutput> staged) {
    auto sweepIt = [&] { return sweep(block, 1, staged); };
    if (!flags) return sweepIt();
    auto without = [&] {
      llvm::SaveAndRestore save(voided, abreast->guards);
      return sweepIt();
    };
    return choose(fromArray(flags, b.getI1Type(), block), without, sweepIt);
  };
  // As many blocks in one loop as are folded into one vector at once, which waits in memory for the others. Those at
  // the end, and those in little code, go one by one.
  int64_t together = std::min<int64_t>(width, llvm::bit_floor(uint64_t(shape.accumulators)));
  Values partial, single;
  for (Type type : pass.getResultTypes()) {
    partial.push_back(newArray(type, blocks.width / together * width));
    single.push_back(newArray(type, together * width));
  }
  auto foldOne = [&](int64_t number, Values vectors, Value place) {
    int64_t half = width / 2;
    Value folded = foldAll(kindOf(pass, number), vectors, half);
    toArray(folded, partial[number], multiply(arith::DivUIOp::create(b, place, constant(together)), constant(width)));
  };
  auto sweepAll = [&](ArrayRef<StagedOutput> staged) {
    auto asOne = [&](Value place) {
      Values sums = sweep(place, together, staged);
      for (int64_t number = 0; number < results; ++number)
        foldOne(number, Values(ArrayRef(sums).slice(number * together, together)), place);
    };
    auto oneByOne = [&](Value place) {
      Value last = arith::MinSIOp::create(b, add(place, constant(together)), abreast->count);
      loop(place, last, constant(1), {}, [&](Value block, ValueRange) {
        Values sums = sweepOne(block, staged);
        Value at = multiply(arith::SubIOp::create(b, block, place), constant(width));
        for (auto [sum, array] : llvm::zip(sums, single)) toArray(sum, array, at);
        return Values();
      });
      for (auto [number, type] : llvm::enumerate(pass.getResultTypes())) {
        Values vectors;
        for (int64_t i = 0; i < together; ++i)
          vectors.push_back(fromArray(single[number], type, constant(i * width), width));
        foldOne(number, vectors, place);
      }
    };
    Value several = guarding ? constant(0) : arith::AndIOp::create(b, abreast->count, constant(-together)).getResult();
    if (!guarding)
      loop(constant(0), several, constant(together), {},
           [&](Value place, ValueRange) { return asOne(place), Values(); });
    loop(several, abreast->count, constant(together), {},
         [&](Value place, ValueRange) { return oneByOne(place), Values(); });
    return Values();
  };
  // What is left of the slices without masks goes point by point, all blocks at once.
  auto points = [&](Values before) {
    if (shape.masked) return before;
    return loop(whole, end, constant(1), before, [&](Value position, ValueRange carried) {
      positions[axis] = position;
      Values after(carried), yielded = emitPoints(body, blocks).front();
      positions.erase(axis);
      for (int64_t number = 0; number < results; ++number)
        after[number] = accumulate(kindOf(pass, number), after[number], splat(yielded[number], blocks.width));
      return after;
    });
  };
  if (results == 0) {
    lowerStaged(body, axis, sweepAll);
    points({});
    return;
  }
  sweepAll({});
  Values totals;
  for (auto [number, type] : llvm::enumerate(pass.getResultTypes())) {
    Value total;
    for (int64_t vector = 0; vector < vectorsOfBlocks; ++vector) {
      Values vectors;
      for (int64_t i = 0; i < width; i += together)
        vectors.push_back(fromArray(partial[number], type, constant((vector * width + i) / together * width), width));
      int64_t half = width / together / 2;
      Value sum = foldAll(kindOf(pass, number), vectors, half);
      sum = vector::ShuffleOp::create(b, sum, sum, lanesOfFolded());
      SmallVector<int64_t> both = llvm::to_vector(llvm::seq<int64_t>(0, (vector + 1) * width));
      total = total ? vector::ShuffleOp::create(b, total, sum, both).getResult() : sum;
    }
    totals.push_back(total);
  }
  totals = points(totals);
  for (int64_t number = 0; number < results; ++number) scalars[pass.getResult(number)] = totals[number];
}
