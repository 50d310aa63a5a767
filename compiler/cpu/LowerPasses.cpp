// Blocks, passes and the lanes.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/SaveAndRestore.h"
using namespace mlir;
using namespace norm;
using namespace normc;

PhaseLowering::Values PhaseLowering::loop(Value from, Value to, Value step, ValueRange init,
                                          llvm::function_ref<Values(Value, ValueRange)> body) {
  auto op =
      scf::ForOp::create(b, from, to, step, init, [&](OpBuilder &inner, Location, Value position, ValueRange carried) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
        scf::YieldOp::create(b, body(position, carried));
      });
  return Values(op.getResults());
}

void PhaseLowering::lowerBlocks(PhaseOp phase, Value first, Value last) {
  entry = b.getInsertionBlock();
  for (Operation &op : kernel.getBody().front().without_terminator()) // constants that stand outside of the phases
    if (!isa<ExchangeOp, PhaseOp, WorkspaceOp>(op))
      scalars[op.getResult(0)] = emit(op, Lanes(), [&](Value v) { return scalars.lookup(v); });
  unknownZero = arith::ShRUIOp::create(b, last, constant(62));
  alone = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, arith::SubIOp::create(b, last, first), blocksOf(phase));
  auto axes = namesOf(phase.getAxes());
  if (phase.getVectorized() && !kernel.getAxis(axes.back()).isChunks()) return lowerVectorized(phase, first, last);
  auto bind = [&](Value block) {
    // The last axis varies fastest.
    for (size_t i = axes.size(); i-- > 0;) {
      positions[axes[i]] = i == 0 ? block : arith::RemUIOp::create(b, block, extent(axes[i])).getResult();
      if (i != 0) block = arith::DivUIOp::create(b, block, extent(axes[i]));
    }
  };
  if (!lowerAcross(phase, first, last, bind)) lowerTurns(first, last, phase.getBody().front(), bind);
  for (StringAttr axis : axes) positions.erase(axis);
}

/// Ops at one point, outside of the lanes.
void PhaseLowering::lowerBody(Block &body) {
  lowerOps(llvm::map_to_vector(body.without_terminator(), [](Operation &op) { return &op; }));
}

//===----------------------------------------------------------------------===//
// One op
//===----------------------------------------------------------------------===//

/// The position along an axis: of each lane where it is the lanes' own.
Value PhaseLowering::indexAlong(StringAttr axis, const Lanes &lanes) {
  if (axis != lanes.axis) return positionOf(axis);
  if (lanes.width == 1) return lanes.first;
  SmallVector<int64_t> steps = llvm::to_vector(llvm::seq<int64_t>(0, lanes.width));
  if (lanes.interleaved)
    for (int64_t &step : steps) step = 2 * step + lanes.step % 2;
  auto type = VectorType::get(lanes.width, b.getI64Type());
  Value along = arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int64_t>(steps)));
  return arith::AddIOp::create(b, along, splat(lanes.first, lanes.width));
}
Value PhaseLowering::alike(Value value, Value other) {
  auto vector = dyn_cast<VectorType>(other.getType());
  return vector ? splat(value, vector.getNumElements()) : value;
}
Value PhaseLowering::multiplyAlong(Value x, Value y) {
  if (!isa<VectorType>(x.getType()) && !isa<VectorType>(y.getType())) return multiply(x, y);
  return arith::MulIOp::create(b, alike(x, y), alike(y, x));
}

/// A cast to a storage type leaves the bits that memory would hold; one from it reads them again.
Value PhaseLowering::convert(CastOp op, Value value) {
  Type from = getElementTypeOrSelf(op.getInput()), to = getElementTypeOrSelf(op.getType());
  bool isLoad = from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth() && isa<FloatType>(from) == isa<FloatType>(to);
  if (isLoad && !from.isInteger(1)) return loadConvert(b, b.getLoc(), value, from, to);
  Value stored = toStorage(value, to);
  // These are storage and compute types alike.
  return to.isInteger(1) ? loadConvert(b, b.getLoc(), stored, to, to) : stored;
}

Value PhaseLowering::emit(Operation &op, const Lanes &lanes, llvm::function_ref<Value(Value)> at) {
  if (auto array = staged.find(&op); array != staged.end()) {
    if (!array->second.base) return {};
    auto [offset, stride] = offsetOf(array->second, lanes, {});
    return loadFrom(array->second, offset, stride, lanes, op.getResult(0).getType());
  }
  if (auto load = dyn_cast<LoadOp>(op)) {
    if (auto tile = turned.find(load); tile != turned.end()) return tile->second[lanes.step];
    Values given = llvm::map_to_vector(load.getPositions(), at);
    return this->load(load, lanes, given);
  }
  if (auto store = dyn_cast<StoreOp>(op)) {
    this->store(store, lanes, at(store.getValue()));
    return {};
  }
  if (voided && voided->contains(&op)) {
    auto guard = dyn_cast<arith::SelectOp>(op);
    return at(guard ? guard.getTrueValue() : op.getOperand(0));
  }
  if (auto size = dyn_cast<SizeOp>(op)) {
    Value count = constant(1);
    for (StringAttr axis : namesOf(size.getAxes())) count = multiply(count, extent(axis));
    return count;
  }
  auto pointsOf = [&](StringAttr chunk) -> Value {
    Value whole = extent(kernel.getAxis(chunk).getWhole()), length = lengths.lookup(chunk);
    Value from = multiplyAlong(indexAlong(chunk, lanes), length);
    Value left = arith::SubIOp::create(b, alike(whole, from), from);
    return arith::MinSIOp::create(b, left, alike(length, left));
  };
  if (auto points = dyn_cast<PointsOp>(op)) {
    Value count = constant(1);
    for (StringAttr chunk : namesOf(points.getChunks())) count = multiplyAlong(pointsOf(chunk), count);
    return count;
  }
  if (auto sampled = dyn_cast<SampledOp>(op)) {
    Value count = constant(1);
    auto together = kernel.namesWithin(sampled.getSampleAttr()); // of a product: both factors
    Value taken = constant(1);
    for (StringAttr axis : namesOf(sampled.getOver())) {
      Value points = extent(axis);
      for (StringAttr chunk : namesOf(sampled.getInto()))
        if (kernel.getAxis(chunk).getWhole() == axis) points = pointsOf(chunk);
      Value &product = llvm::is_contained(together, axis) ? taken : count;
      product = multiplyAlong(points, product);
    }
    return multiplyAlong(sampledOf(taken), count);
  }
  if (auto index = dyn_cast<IndexOp>(op)) return indexAlong(index.getAxisAttr(), lanes);
  if (auto cast = dyn_cast<CastOp>(op)) return convert(cast, at(cast.getInput()));
  // Anything else is elementwise: cloned on vectors where an operand is one.
  Values operands = llvm::map_to_vector(op.getOperands(), at);
  bool isVector = llvm::any_of(operands, [](Value v) { return isa<VectorType>(v.getType()); });
  if (isVector)
    for (Value &operand : operands) operand = splat(operand, lanes.width);
  Type type = op.getResult(0).getType();
  Operation *clone = Operation::create(op.getLoc(), op.getName(), isVector ? VectorType::get(lanes.width, type) : type,
                                       operands, op.getDiscardableAttrDictionary(), op.getPropertiesStorage(), {}, 0);
  return b.insert(clone)->getResult(0);
}

/// A body at several steps of the lanes at once, op by op, so that all loads precede all stores: what it yields at
/// each. A step may have values of its own for what is computed outside.
SmallVector<PhaseLowering::Values> PhaseLowering::emitPoints(Block &body, ArrayRef<Lanes> lanes,
                                                             SmallVector<DenseMap<Value, Value>> local) {
  local.resize(lanes.size());
  auto at = [&](unsigned step, Value v) {
    Value value = local[step].lookup(v);
    return value ? value : scalars.lookup(v);
  };
  for (Operation &op : body.without_terminator()) {
    auto store = dyn_cast<StoreOp>(op);
    if (store && summing) continue;
    if (auto load = dyn_cast<LoadOp>(op); load && loadsTogether(load, lanes)) {
      for (unsigned step = 0; step < lanes.size();)
        for (Value value : loadTogether(load, lanes[step])) local[step++][load] = value;
      continue;
    }
    if (auto load = dyn_cast<LoadOp>(op); load && spreadsTogether(load, lanes)) {
      if (!local.front().count(load)) loadSpreadTogether(body, lanes, local);
      continue;
    }
    // Two of bf16 are rounded at once, and four of 8 bits. Of others, joining them pays where a store would bypass the
    // caches with part of a line.
    unsigned count = store && !held.count(store) ? storedTogether(store, lanes.front()) : 1;
    Type stored = store ? getElementTypeOrSelf(store.getTo().getType()) : Type();
    bool isOfOne = lanes.size() % count == 0; // each group of that many, of one row or block
    for (unsigned step = 0; isOfOne && step < lanes.size(); step += count)
      isOfOne = lanes[step].memories == lanes[step + count - 1].memories;
    if (count > 1 && isOfOne && (streaming || stored.isBF16() || roundsTogether(stored))) {
      for (unsigned step = 0; step < lanes.size(); step += count) {
        Values values;
        for (unsigned i = step; i < step + count; ++i) values.push_back(at(i, store.getValue()));
        storeTogether(store, lanes[step], values);
      }
      continue;
    }
    for (auto [step, point] : llvm::enumerate(lanes))
      if (Value value = emit(op, point, [&, step = step](Value v) { return at(step, v); }))
        local[step][op.getResult(0)] = value;
  }
  SmallVector<Values> yields;
  for (unsigned step = 0; step < lanes.size(); ++step)
    yields.push_back(llvm::map_to_vector(body.getTerminator()->getOperands(), [&](Value v) { return at(step, v); }));
  return yields;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Kinds beyond those of a plan: the largest of numbers that have no sign. As integers such are ordered as they are as
/// numbers, NaN above all.
static constexpr auto maxOfMagnitudes = ReduceKind(getMaxEnumValForReduceKind() + 1);

ReduceKind PhaseLowering::kindOf(PassOp pass, int64_t number) {
  auto kind = ReduceKind(pass.getKinds()[number]);
  bool hasMagnitudes = pass.getBody().front().getTerminator()->getOperand(number).getDefiningOp<math::AbsFOp>();
  return kind == ReduceKind::max && hasMagnitudes ? maxOfMagnitudes : kind;
}

Value PhaseLowering::combine(ReduceKind kind, Value x, Value y) {
  if (kind == maxOfMagnitudes) {
    Type type = x.getType(), bits = b.getIntegerType(getElementTypeOrSelf(type).getIntOrFloatBitWidth());
    if (auto vector = dyn_cast<VectorType>(type)) bits = vector.clone(bits);
    auto bitsOf = [&](Value value) { return arith::BitcastOp::create(b, bits, value); };
    return arith::BitcastOp::create(b, type, arith::MaxSIOp::create(b, bitsOf(x), bitsOf(y)));
  }
  switch (kind) {
  case ReduceKind::sum:
    if (isa<IntegerType>(getElementTypeOrSelf(x))) return arith::AddIOp::create(b, x, y);
    return arith::AddFOp::create(b, x, y);
  case ReduceKind::max:
    return arith::MaximumFOp::create(b, x, y);
  case ReduceKind::min:
    return arith::MinimumFOp::create(b, x, y);
  case ReduceKind::any:
    return arith::OrIOp::create(b, x, y);
  case ReduceKind::all:
    return arith::AndIOp::create(b, x, y);
  }
  llvm_unreachable("a kind of reduction");
}

/// Adds a value to an accumulator: a product, fused; one that counts only where a test holds, there.
Value PhaseLowering::accumulate(ReduceKind kind, Value accumulator, Value value) {
  GuardedProduct product(value);
  if (kind != ReduceKind::sum || !product.multiply) return combine(kind, accumulator, value);
  Value sum = math::FmaOp::create(b, product.multiply.getLhs(), product.multiply.getRhs(), accumulator);
  return product.where ? arith::SelectOp::create(b, product.where.getCondition(), sum, accumulator) : sum;
}

Value PhaseLowering::neutral(ReduceKind kind, Type type, int64_t lanes) {
  TypedAttr value = neutralOf(kind == maxOfMagnitudes ? ReduceKind::max : kind, type);
  if (lanes > 1) value = DenseElementsAttr::get(VectorType::get(lanes, type), ArrayRef<Attribute>(value));
  return arith::ConstantOp::create(b, value);
}

/// Halves a vector until one element is left: a tree that does not depend on the target's shuffles.
Value PhaseLowering::acrossLanes(ReduceKind kind, Value vector) {
  auto type = dyn_cast<VectorType>(vector.getType());
  if (!type) return vector;
  for (int64_t half = type.getNumElements() / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> low = llvm::to_vector(llvm::seq<int64_t>(0, half));
    SmallVector<int64_t> high = llvm::to_vector(llvm::seq<int64_t>(half, 2 * half));
    vector = combine(kind, vector::ShuffleOp::create(b, vector, vector, low),
                     vector::ShuffleOp::create(b, vector, vector, high));
  }
  return vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{0});
}

//===----------------------------------------------------------------------===//
// Passes
//===----------------------------------------------------------------------===//

/// How many vectors a step of the lanes takes: half as many where each takes several masks, of which there are seven.
int64_t PhaseLowering::vectorsOf(PassOp pass) {
  if (guarding) return 1;
  auto isGuard = [&](arith::SelectOp select) {
    return select->hasAttr(GuardedProduct::attribute) && !(voided && voided->contains(select));
  };
  bool isCrowded = shape.masked && llvm::count_if(pass.getBody().getOps<arith::SelectOp>(), isGuard) > 1;
  return isCrowded ? shape.accumulators / 2 : shape.accumulators;
}

/// What the innermost loops of a pass carry: for each result, `accumulators` vectors along the lanes and, where tails
/// are not masked, one scalar; then for each result the total of what its accumulators held before, a vector; then how
/// many vectors the first accumulator has taken in since. Loops around other passes carry a scalar for each result.
void PhaseLowering::lowerPass(PassOp pass) {
  llvm::SaveAndRestore takesSample(sample, pass.getSample() ? pass.getSampleAttr() : sample);
  if (abreast) return sweepSideBySide(pass);
  bool innermost = pass.getBody().getOps<PassOp>().empty();
  Values init, totals;
  for (auto [number, type] : llvm::enumerate(pass.getResultTypes())) {
    ReduceKind kind = kindOf(pass, number);
    if (innermost) init.append(vectorsOf(pass), neutral(kind, type, width));
    if (innermost) totals.push_back(neutral(kind, type, width));
    if (!innermost || !shape.masked) init.push_back(neutral(kind, type, 1));
  }
  llvm::append_range(init, totals);
  if (!totals.empty()) init.push_back(constant(0));
  Values carried = lowerAlong(pass, 0, init);
  if (!totals.empty()) carried = addToTotals(pass, carried);
  for (unsigned number = 0; number < pass.getKinds().size(); ++number)
    scalars[pass.getResult(number)] =
        innermost ? acrossLanes(kindOf(pass, number), carried[carried.size() - 1 - totals.size() + number])
                  : carried[number];
}

/// Adds the accumulators to the totals and begins them anew.
PhaseLowering::Values PhaseLowering::addToTotals(PassOp pass, Values carried) {
  unsigned results = pass.getKinds().size(), perResult = (carried.size() - 1) / results - 1;
  for (unsigned number = 0; number < results; ++number) {
    ReduceKind kind = kindOf(pass, number);
    auto own = MutableArrayRef<Value>(carried).slice(number * perResult, perResult);
    Values vectors(own.take_front(vectorsOf(pass)));
    for (size_t count = vectors.size(); count > 1; count = (count + 1) / 2) // pairwise
      for (size_t i = 0; i < count / 2; ++i) vectors[i] = combine(kind, vectors[i], vectors[i + (count + 1) / 2]);
    Value sum = vectors[0];
    if (!shape.masked && width > 1) {
      Value first = vector::ExtractOp::create(b, sum, ArrayRef<int64_t>{0});
      sum = vector::InsertOp::create(b, combine(kind, first, own.back()), sum, ArrayRef<int64_t>{0});
    } else if (!shape.masked) {
      sum = combine(kind, sum, own.back());
    }
    Value &total = carried[results * perResult + number];
    total = combine(kind, total, sum);
    for (Value &accumulator : own) {
      auto vector = dyn_cast<VectorType>(accumulator.getType());
      accumulator = neutral(kind, getElementTypeOrSelf(accumulator.getType()), vector ? vector.getNumElements() : 1);
    }
  }
  carried.back() = constant(0);
  return carried;
}

/// The same where a condition holds.
PhaseLowering::Values PhaseLowering::addToTotalsIf(Value condition, PassOp pass, Values carried) {
  auto branch = [&](bool adds) {
    return [&, adds](OpBuilder &inner, Location) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
      scf::YieldOp::create(b, adds ? addToTotals(pass, carried) : carried);
    };
  };
  return Values(scf::IfOp::create(b, condition, branch(true), branch(false)).getResults());
}

PhaseLowering::Values PhaseLowering::lowerAlong(PassOp pass, unsigned depth, Values carried) {
  auto axes = namesOf(pass.getAxes());
  bool innermost = pass.getBody().getOps<PassOp>().empty();
  if (pass.getKinds().empty() &&
      (lowerRowsSideBySide(pass, depth) || lowerRowGroups(pass, depth) || lowerRowsUnderLanes(pass, depth)))
    return carried;
  if (lowerShortRows(pass, depth)) return carried;
  if (innermost && depth + 1 == axes.size()) return lowerLanes(pass, carried);
  if (depth == axes.size()) {
    Block &body = pass.getBody().front();
    lowerBody(body);
    for (unsigned number = 0; number < pass.getKinds().size(); ++number)
      carried[number] =
          combine(kindOf(pass, number), carried[number], scalars.lookup(body.getTerminator()->getOperand(number)));
    return carried;
  }
  auto oneByOne = [&] {
    auto [from, to] = rangeOf(axes[depth]);
    return loop(from, to, constant(1), carried, [&](Value position, ValueRange inner) {
      positions[axes[depth]] = position;
      Values result = lowerAlong(pass, depth + 1, Values(inner));
      positions.erase(axes[depth]);
      return result;
    });
  };
  if (lowerRuns(pass, depth, [&] { oneByOne(); })) return carried;
  return oneByOne();
}

/// The lanes of a tail that have a point.
Value PhaseLowering::tailMask(Value first, Value to, int64_t lanes) {
  auto i32 = b.getI32Type();
  // Of a mask that is known to have one lane LLVM makes a scalar store, and of a byte's one of four bytes.
  to = arith::AddIOp::create(b, to, unknownZero);
  Value left =
      arith::TruncIOp::create(b, i32, arith::MinSIOp::create(b, arith::SubIOp::create(b, to, first), constant(lanes)));
  SmallVector<int32_t> steps = llvm::to_vector(llvm::seq<int32_t>(0, lanes));
  Value along =
      arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get(lanes, i32), ArrayRef<int32_t>(steps)));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, along, splat(left, lanes));
}

/// The body twice, with stores that bypass the caches and without, where a condition is to decide.
PhaseLowering::Values PhaseLowering::ifStreaming(Value condition, llvm::function_ref<Values()> body) {
  if (!condition) return body();
  auto branch = [&](bool streams) {
    return [&, streams](OpBuilder &inner, Location) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
      llvm::SaveAndRestore mode(streaming, streams);
      scf::YieldOp::create(b, body());
    };
  };
  return Values(scf::IfOp::create(b, condition, branch(true), branch(false)).getResults());
}

/// Rounding adds up with the number of additions, not always at random: half of a rectified layer's squared deviations
/// are equal. So no accumulator takes in much more than this many values before it is added to a total.
static constexpr int64_t longestSum = 64;

/// The axes of a pass and of those in it.
static size_t depthOf(PassOp pass) {
  size_t inner = 0;
  for (PassOp each : pass.getBody().getOps<PassOp>()) inner = std::max(inner, depthOf(each));
  return pass.getAxes().size() + inner;
}

static bool endsAlong(PassOp pass, StringAttr lane) {
  auto inner = pass.getBody().getOps<PassOp>();
  if (inner.empty()) return !pass.getAxes().empty() && namesOf(pass.getAxes()).back() == lane;
  return llvm::any_of(inner, [&](PassOp each) { return endsAlong(each, lane); });
}

/// Whether another pass of a block goes along the same lanes row by row: a map of the lanes alone is little beside it.
static bool isBesideRows(PassOp pass) {
  StringAttr lane = namesOf(pass.getAxes()).back();
  return llvm::any_of(pass->getBlock()->getOps<PassOp>(),
                      [&](PassOp other) { return depthOf(other) > pass.getAxes().size() && endsAlong(other, lane); });
}

PhaseLowering::Values PhaseLowering::lowerLanes(PassOp pass, Values carried) {
  StringAttr axis = namesOf(pass.getAxes()).back();
  Block &body = pass.getBody().front();
  auto [from, to] = rangeOf(axis);
  int64_t vectors = vectorsOf(pass);
  unsigned perResult = vectors + (shape.masked ? 0 : 1);
  bool interleaves = canInterleave(body, {axis, from, width, {}, 0}, {});
  Fetching fetching;
  // One step: `count` vectors of `lanes` points, each added to its own accumulator.
  auto step = [&](Value first, unsigned count, int64_t lanes, Value mask, ValueRange before) {
    SmallVector<Lanes> points;
    bool interleaved = count > 1 && interleaves;
    for (unsigned i = 0; i < count; ++i) {
      Value place = add(first, constant((interleaved ? i - i % 2 : i) * lanes));
      points.push_back({axis, place, lanes, mask, i, interleaved});
    }
    if (count > 1) fetch(fetching, first, count * lanes);
    Values after(before);
    for (auto [number, yielded] : llvm::enumerate(emitPoints(body, points)))
      for (unsigned result = 0; result < pass.getKinds().size(); ++result) {
        Value &accumulator = after[result * perResult + (lanes == 1 ? vectors : number)];
        Value sum = accumulate(kindOf(pass, result), accumulator, splat(yielded[result], lanes));
        accumulator = mask ? arith::SelectOp::create(b, mask, sum, accumulator).getResult() : sum;
      }
    return after;
  };
  auto wholeSteps = [&](Value start, int64_t points) -> Value { // the end of the steps of so many points
    Value length = arith::SubIOp::create(b, to, start);
    return add(start, arith::MulIOp::create(b, arith::DivSIOp::create(b, length, constant(points)), constant(points)));
  };
  auto steps = [&](Value end, unsigned count, int64_t lanes) {
    carried = loop(from, end, constant(count * lanes), carried,
                   [&](Value first, ValueRange before) { return step(first, count, lanes, {}, before); });
    from = end;
  };
  bool reduces = !pass.getKinds().empty();
  auto masked = [&](Value begin, Value end, ValueRange before) {
    return loop(begin, end, constant(width), before, [&](Value first, ValueRange inner) {
      return step(first, 1, width, tailMask(first, end, width), inner);
    });
  };
  if (shape.masked && !reduces && isBesideRows(pass)) return masked(from, to, carried);
  Value streams = reduces || guarding ? Value() : wantsBypass(body, {axis, from, width, {}, 0});
  if (streams) {
    Values chosen = choose(
        streams,
        [&] {
          llvm::SaveAndRestore restored(from);
          Value begin = from;
          if (Value line = nextLine(body, {axis, from, width, {}, 0}, to)) {
            if (shape.masked) masked(begin, line, {});
            else steps(line, 1, 1);
            begin = line;
          }
          Value may = mayBypass(body, {axis, begin, width, {}, 0}, {});
          return Values{begin, may ? may : arith::ConstantOp::create(b, b.getBoolAttr(false))};
        },
        [&] { return Values{from, arith::ConstantOp::create(b, b.getBoolAttr(false))}; });
    from = chosen[0], streams = chosen[1];
  }
  // What is left after the wide steps goes vector by vector: under a mask all of it, in one loop less.
  Value wide = wholeSteps(from, width * vectors), whole = shape.masked ? wide : wholeSteps(from, width);
  auto leftover = [&] {
    if (!shape.masked) steps(whole, 1, width);
  };
  Value start = from;
  if (reduces) {
    fetching = fetchedBySum(pass, axis, from);
    Value block = constant(longestSum * vectors * width);
    carried = loop(start, wide, block, carried, [&](Value first, ValueRange before) {
      carried = Values(before);
      from = first;
      Value end = arith::MinSIOp::create(b, add(first, block), wide);
      steps(end, vectors, width);
      Value goesOn = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, end, wide);
      return addToTotalsIf(goesOn, pass, carried);
    });
    from = wide;
    leftover();
  } else {
    carried = ifStreaming(streams, [&] {
      from = start;
      fetching = fetchedByMap(pass, axis, from);
      steps(wide, vectors, width);
      leftover();
      return carried;
    });
  }
  from = whole;
  if (!shape.masked) steps(to, 1, 1);
  else carried = masked(from, to, carried);
  if (!reduces || pass.getAxes().size() == 1) return carried;
  // Short rows, one after the other.
  Value taken = arith::DivUIOp::create(b, arith::SubIOp::create(b, wide, start), constant(width * vectors));
  taken = add(taken, arith::DivUIOp::create(b, arith::SubIOp::create(b, to, wide), constant(shape.masked ? width : 1)));
  carried.back() = add(add(carried.back(), taken), constant(1));
  Value isLong = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, carried.back(), constant(longestSum));
  return addToTotalsIf(isLong, pass, carried);
}
