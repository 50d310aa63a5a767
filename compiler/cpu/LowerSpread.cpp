// Lanes that run over several runs in memory: what is the same along a run is spread over a vector as it is read.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "compiler/schedule/Variants.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
using namespace mlir;
using namespace norm;
using namespace normc;

// Up to here a table says of each point of several runs in which of them it is.
static constexpr int64_t longestInTable = 63;
// Vectors that are taken from one window of elements.
static constexpr int64_t mostSpreadTogether = 8;
// Without a table a lane's run stands in the upper bits of an i32, and how far in it the lane is in these.
static constexpr int64_t fractionBits = 27;

/// Whether memory has one element for each run of points that the lanes go over.
bool PhaseLowering::isSpread(const Memory &memory, const Lanes &lanes) {
  AxisAttr axis = lanes.axis ? kernel.getAxis(lanes.axis) : AxisAttr();
  return axis && axis.isProduct() && rangesOver(memory.axes, axis.getOuter()) &&
         !rangesOver(memory.axes, axis.getInner());
}

/// What is computed once of a run's length, before the blocks.
const PhaseLowering::Run &PhaseLowering::runOf(StringAttr axis) {
  auto [found, isNew] = runs.try_emplace(axis);
  if (!isNew) return found->second;
  std::optional<int64_t> longest = fixedPoints(kernel, axis);
  if (!longest) longest = mostPoints(kernel, axis);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(alone);
  auto i32 = b.getI32Type();
  Run run;
  run.points = arith::MaxUIOp::create(b, extent(axis), constant(1));
  auto inverse = [&](int64_t power) {
    return add(arith::DivUIOp::create(b, constant(int64_t((uint64_t(1) << power) - 1)), run.points), constant(1));
  };
  run.inverse = inverse(63);
  run.fraction = arith::TruncIOp::create(b, i32, inverse(fractionBits));
  auto lanes = VectorType::get(width, i32);
  SmallVector<int32_t> steps = llvm::to_vector(llvm::seq<int32_t>(0, width));
  Value each = arith::ConstantOp::create(b, DenseElementsAttr::get(lanes, ArrayRef<int32_t>(steps)));
  run.along = arith::MulIOp::create(b, each, splat(run.fraction, width));
  if (shape.spreads && longest && *longest <= longestInTable) {
    // Vectors begin in as many runs from the first of a window on as it has elements.
    run.table = newArray(b.getI8Type(), width * (*longest + mostSpreadTogether));
    Value to = multiply(add(run.points, constant(mostSpreadTogether)), constant(width));
    loop(constant(0), to, constant(width), {}, [&](Value point, ValueRange) {
      Value bytes = arith::TruncIOp::create(b, lanes.clone(b.getI8Type()), runsFrom(point, run));
      toArray(bytes, run.table, point);
      return Values();
    });
  }
  return runs[axis] = run;
}

/// The runs of a vector's lanes, the first of which is some points after the beginning of run 0, and the others one or
/// two further each: below 32.
Value PhaseLowering::runsFrom(Value point, const Run &run, bool skipsOdd) {
  Value from = arith::MulIOp::create(b, arith::TruncIOp::create(b, b.getI32Type(), point), run.fraction);
  Value along = skipsOdd ? arith::AddIOp::create(b, run.along, run.along).getResult() : run.along;
  Value all = arith::AddIOp::create(b, splat(from, width), along);
  auto bits = DenseElementsAttr::get(cast<VectorType>(all.getType()), APInt(32, fractionBits));
  return arith::ShRUIOp::create(b, all, arith::ConstantOp::create(b, bits));
}

Value PhaseLowering::elementsOf(const Memory &memory) {
  Value count = constant(1);
  for (StringAttr axis : memory.axes) count = multiply(count, extent(axis));
  return count;
}

/// Where a vector's worth of an argument's elements can be read, from the first on: shorter ones are copied.
Value PhaseLowering::paddedBase(Value planned) {
  const Memory &memory = memories.find(planned)->second;
  if (!isa<BlockArgument>(planned)) return memory.base; // a workspace fills lines
  Value &base = padded[planned];
  if (base) return base;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(alone);
  Value count = elementsOf(memory);
  auto type = VectorType::get(width, memoryType(memory.storage));
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
  Value mask = tailMask(constant(0), count, width);
  Value all = LLVM::MaskedLoadOp::create(b, type, memory.base, mask, zero, bytesOfElement(memory.storage));
  Value copy = newArray(type.getElementType(), width);
  toArray(all, copy, constant(0));
  Value isLong = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, count, constant(width));
  return base = arith::SelectOp::create(b, isLong, memory.base, copy);
}

/// The run of a point of the lanes' axis: (2 · point) · (2^63 / points) / 2^64, which is exact below 2^48.
Value PhaseLowering::runAt(Value point, const Run &run) {
  Value twice = arith::ShLIOp::create(b, point, constant(1));
  return arith::MulUIExtendedOp::create(b, twice, run.inverse).getHigh();
}

/// Whether one instruction takes a vector from the elements of as many runs as it has lanes.
bool PhaseLowering::isPermuted(LoadOp op, const Lanes &lanes) {
  const Memory &memory = memories.find(op.getFrom())->second;
  auto argument = dyn_cast<BlockArgument>(op.getFrom());
  bool isReplaced = argument && llvm::any_of(ArrayRef{"norm.out", "norm.state", "norm.shared"}, [&](const char *name) {
                      return bool(kernel.getArgAttr(argument.getArgNumber(), name));
                    });
  AxisAttr axis = kernel.getAxis(lanes.axis);
  return runOf(axis.getInner()).table && op.getType().isF32() && lanes.width * 4 == shape.bytes && !isReplaced &&
         endsWith(memory.axes, axis.getOuter());
}

/// So many vectors one behind the other, all from one window of elements, which does not reach over the memory's end.
PhaseLowering::Values PhaseLowering::permuted(LoadOp op, const Lanes &lanes, int64_t count) {
  const Memory &memory = memoryAt(op.getFrom(), lanes), &whole = memories.find(op.getFrom())->second;
  const Run &run = runOf(kernel.getAxis(lanes.axis).getInner());
  Value offset = offsetOf(memory, lanes, {}).first;
  if (lanes.memories) { // of one block of several
    auto place = [&](const Memory &of) { return LLVM::PtrToIntOp::create(b, b.getI64Type(), of.base); };
    Value bytes = arith::SubIOp::create(b, place(memory), place(whole));
    offset = add(offset, arith::DivUIOp::create(b, bytes, constant(bytesOfElement(memory.storage))));
  }
  Value last = arith::SubIOp::create(b, elementsOf(whole), constant(width));
  last = arith::MaxSIOp::create(b, last, constant(0));
  Value from = arith::MinSIOp::create(b, add(offset, runAt(lanes.first, run)), last);
  Memory window{paddedBase(op.getFrom()), memory.storage, {}, {}};
  Value elements = loadFrom(window, constant(0), constant(1), {lanes.axis, from, width, {}}, op.getType());
  // The points from the window's first run on.
  Value point = multiply(arith::SubIOp::create(b, from, offset), run.points);
  point = arith::SubIOp::create(b, lanes.first, point);
  auto name = b.getStringAttr(width == 16 ? "llvm.x86.avx512.permvar.sf.512" : "llvm.x86.avx2.permps");
  Values vectors;
  auto runsAt = [&](int64_t points, unsigned bits) -> Value {
    Value place = add(point, constant(points));
    Value address =
        LLVM::GEPOp::create(b, run.table.getType(), b.getI8Type(), run.table, ArrayRef<LLVM::GEPArg>{place});
    Value each = LLVM::LoadOp::create(b, VectorType::get(width, b.getIntegerType(bits)), address, 1);
    return arith::ExtUIOp::create(b, VectorType::get(width, b.getI32Type()), each);
  };
  auto take = [&](Value places) {
    vectors.push_back(LLVM::CallIntrinsicOp::create(b, elements.getType(), name, {elements, places}).getResult(0));
  };
  if (!lanes.interleaved) {
    for (int64_t i = 0; i < count; ++i) take(runsAt(i * width, 8));
    return vectors;
  }
  // Two at a time: the instruction looks at the lowest bits only, those of the even points.
  for (int64_t i = 0; i < count; i += 2) {
    Value both = runsAt(i * width, 16);
    Value eight = arith::ConstantOp::create(b, DenseElementsAttr::get(cast<VectorType>(both.getType()), APInt(32, 8)));
    take(both);
    take(arith::ShRUIOp::create(b, both, eight));
  }
  return vectors;
}

/// All that a body spreads over several vectors one behind the other, at each of them: from one window where runs are
/// not too short for that. What lies alike, as gamma and beta do, has its places in the window once.
void PhaseLowering::loadSpreadTogether(Block &body, ArrayRef<Lanes> lanes,
                                       MutableArrayRef<DenseMap<Value, Value>> values) {
  auto loads = llvm::filter_to_vector(body.getOps<LoadOp>(), [&](LoadOp op) { return spreadsTogether(op, lanes); });
  const Run &run = runOf(kernel.getAxis(lanes.front().axis).getInner());
  int64_t points = width * lanes.size();
  // A window's lanes less one, times the points of a run, are more than the points that begin at the end of one.
  Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, multiply(run.points, constant(width - 1)),
                                     constant(points - 2));
  Values all = choose(
      fits,
      [&] {
        Values vectors;
        for (LoadOp op : loads) llvm::append_range(vectors, permuted(op, lanes.front(), lanes.size()));
        return vectors;
      },
      [&] {
        Values vectors;
        for (LoadOp op : loads)
          for (const Lanes &each : lanes) vectors.push_back(loadSpread(op, each));
        return vectors;
      });
  for (auto [number, op] : llvm::enumerate(loads))
    for (size_t i = 0; i < lanes.size(); ++i) values[i][op] = all[number * lanes.size() + i];
}

/// Whether vectors lie one behind the other, of which some memory is spread over all.
bool PhaseLowering::spreadsTogether(LoadOp op, ArrayRef<Lanes> lanes) {
  const Lanes &first = lanes.front();
  if (lanes.size() < 2 || lanes.size() > mostSpreadTogether || first.memories || first.mask || turned.count(op) ||
      staged.count(op) || !isSpread(memories.find(op.getFrom())->second, first) || !isPermuted(op, first))
    return false;
  for (auto [i, each] : llvm::enumerate(lanes)) {
    int64_t points = (first.interleaved ? i / 2 * 2 : i) * width;
    auto sum = each.first.getDefiningOp<arith::AddIOp>();
    bool isBehind = points == 0 ? each.first == first.first
                                : sum && sum.getLhs() == first.first && fixedValue(sum.getRhs()) == points;
    if (!isBehind || each.mask || each.interleaved != first.interleaved) return false;
  }
  return !first.interleaved || lanes.size() % 2 == 0;
}

Value PhaseLowering::loadSpread(LoadOp op, const Lanes &lanes) {
  const Memory &memory = memoryAt(op.getFrom(), lanes);
  const Run &run = runOf(kernel.getAxis(lanes.axis).getInner());
  if (lanes.width > 1 && !lanes.interleaved && isPermuted(op, lanes)) return permuted(op, lanes, 1).front();
  auto [offset, stride] = offsetOf(memory, lanes, {}); // where the runs at hand begin, and theirs
  Value point = lanes.interleaved ? add(lanes.first, constant(lanes.step % 2)) : lanes.first;
  Value first = runAt(point, run);
  if (lanes.width == 1) return loadFrom(memory, add(offset, multiply(first, stride)), {}, lanes, op.getType());
  Value inRun = arith::SubIOp::create(b, point, multiply(first, run.points));
  Value runs = runsFrom(inRun, run, lanes.interleaved);
  Value places = arith::ExtUIOp::create(b, VectorType::get(width, b.getI64Type()), runs);
  places = arith::AddIOp::create(b, places, splat(first, width));
  places = arith::MulIOp::create(b, places, splat(stride, width));
  places = arith::AddIOp::create(b, places, splat(offset, width));
  Type element = memoryType(memory.storage);
  Value addresses = LLVM::GEPOp::create(b, VectorType::get(width, memory.base.getType()), element, memory.base,
                                        ArrayRef<LLVM::GEPArg>{places});
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(VectorType::get(width, element)));
  Value raw = LLVM::masked_gather::create(b, zero.getType(), addresses, lanes.mask ? lanes.mask : fullMask(width),
                                          ValueRange{zero}, bytesOfElement(memory.storage));
  return asComputed(raw, memory.storage, op.getType());
}
