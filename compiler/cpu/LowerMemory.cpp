// Extents, addresses, loads and stores.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "compiler/schedule/Machine.h"
#include "compiler/schedule/Variants.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetOperations.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace {
/// Whether a value of a plan is one that a cast left as memory would hold it.
bool isStored(Type type) { return !type.isF32() && !type.isF64() && !type.isInteger(64) && !type.isInteger(1); }
Type pointerType(MLIRContext *context) { return LLVM::LLVMPointerType::get(context); }
} // namespace

int64_t normc::bytesOfElement(Type storage) { return std::max(1u, storage.getIntOrFloatBitWidth() / 8); }

PhaseLowering::PhaseLowering(KernelOp kernel, const VectorShape &shape, ImplicitLocOpBuilder &builder)
    : kernel(kernel), shape(shape), b(builder) {
  if (std::optional<int64_t> bytes = mostBytes(kernel); bytes && *bytes <= leastBypassBytes(shape.streamBytes))
    this->shape.streamBytes = 0;
  // The lanes are those of the compute type, whatever is stored.
  bool isDouble = false;
  kernel.walk([&](Operation *op) {
    for (Type type : op->getResultTypes()) isDouble |= type.isF64();
  });
  width = shape.bytes / (isDouble ? 8 : 4);
}

Value PhaseLowering::constant(int64_t value) { return arith::ConstantIntOp::create(b, value, 64); }

// Addresses are emitted folded: what is 0, 1 or fixed costs nothing to optimise away later.
std::optional<int64_t> normc::fixedValue(Value value) {
  APInt number;
  return matchPattern(value, m_ConstantInt(&number)) ? std::optional(number.getSExtValue()) : std::nullopt;
}
Value PhaseLowering::add(Value a, Value b_) {
  auto x = fixedValue(a), y = fixedValue(b_);
  if (x && y) return constant(*x + *y);
  if (x == 0) return b_;
  if (y == 0) return a;
  return arith::AddIOp::create(b, a, b_);
}
Value PhaseLowering::multiply(Value a, Value b_) {
  auto x = fixedValue(a), y = fixedValue(b_);
  if (x && y) return constant(*x * *y);
  if (x == 1) return b_;
  if (y == 1) return a;
  return arith::MulIOp::create(b, a, b_);
}

void PhaseLowering::setExtents(ArrayRef<Value> leafExtents) {
  unsigned leaf = 0;
  for (Attribute attribute : kernel.getAxes()) {
    auto axis = cast<AxisAttr>(attribute);
    StringAttr name = axis.getName();
    if (axis.isProduct()) {
      extents[name] = multiply(extents[axis.getOuter()], extents[axis.getInner()]);
    } else if (axis.isChunks()) {
      Value whole = extents[axis.getWhole()], per = constant(1), one = constant(1);
      for (StringAttr other : axis.getPer()) per = multiply(per, extents[other]);
      // An empty axis makes no chunks, but must not make a division by 0.
      per = arith::MaxSIOp::create(b, per, one);
      Value length = arith::MaxSIOp::create(b, arith::DivUIOp::create(b, constant(axis.getPoints()), per), one);
      auto ceilDivide = [&](Value value, Value by) -> Value {
        return arith::DivUIOp::create(b, add(value, arith::SubIOp::create(b, by, one)), by);
      };
      if (axis.getMost()) {
        Value limit = arith::MulIOp::create(b, length, constant(chunkGrowth));
        Value wanted = ceilDivide(whole, constant(axis.getMost()));
        length = arith::MaxSIOp::create(b, length, arith::MinSIOp::create(b, limit, wanted));
      }
      lengths[name] = length;
      extents[name] = ceilDivide(whole, length);
    } else {
      extents[name] = axis.isFixed() ? constant(axis.getSize()) : leafExtents[leaf];
      ++leaf;
    }
  }
}

void PhaseLowering::addMemory(Value planned, Value base) {
  Memory memory{base, getElementTypeOrSelf(planned.getType()), SmallVector<StringAttr>(axesOf(planned.getType())), {}};
  Value stride = constant(1);
  for (StringAttr axis : llvm::reverse(memory.axes)) {
    memory.strides.insert(memory.strides.begin(), stride);
    stride = multiply(stride, extents[axis]);
  }
  memories[planned] = memory;
}

Value PhaseLowering::denseBytesOf(Type type) {
  Value count = constant(bytesOfElement(getElementTypeOrSelf(type)));
  for (StringAttr axis : axesOf(type)) count = multiply(count, extents[axis]);
  return count;
}
Value PhaseLowering::bytesOf(Type type) {
  return arith::AndIOp::create(b, add(denseBytesOf(type), constant(63)), constant(-64));
}

Value PhaseLowering::blocksOf(PhaseOp phase) {
  Value blocks = constant(1);
  for (StringAttr axis : namesOf(phase.getAxes())) blocks = multiply(blocks, extents[axis]);
  return blocks;
}

/// How many of so many points along its axis a sample has.
Value PhaseLowering::sampledOf(Value points) {
  auto number = [&](int64_t value) { return alike(constant(value), points); };
  Value sixteenth = arith::ShRUIOp::create(b, arith::AddIOp::create(b, points, number(15)), number(4));
  Value rounded = arith::AndIOp::create(b, arith::AddIOp::create(b, sixteenth, number(15)), number(-16));
  return arith::MinSIOp::create(b, points, rounded);
}

/// The part of an axis that a pass sweeps: of the chunk at hand where one is bound.
std::pair<Value, Value> PhaseLowering::rangeOf(StringAttr name) {
  auto [from, to] = wholeRangeOf(name);
  if (name != sample) return {from, to};
  return {from, add(from, sampledOf(arith::SubIOp::create(b, to, from)))};
}
std::pair<Value, Value> PhaseLowering::wholeRangeOf(StringAttr name) {
  if (auto range = narrowed.find(name); range != narrowed.end()) return range->second;
  for (Attribute attribute : kernel.getAxes()) {
    auto chunks = cast<AxisAttr>(attribute);
    if (chunks.getWhole() != name || !positions.count(chunks.getName())) continue;
    Value from = multiply(positions[chunks.getName()], lengths[chunks.getName()]);
    Value to = arith::MinSIOp::create(b, add(from, lengths[chunks.getName()]), extents[name]);
    return {from, to};
  }
  AxisAttr axis = kernel.getAxis(name);
  if (!axis.isProduct()) return {constant(0), extents[name]};
  auto [from, to] = wholeRangeOf(axis.getOuter()); // a product is swept whole, or by chunks of its outer part
  return {multiply(from, extents[axis.getInner()]), multiply(to, extents[axis.getInner()])};
}

/// The position along an axis that is bound itself, as a part of a bound product, or as the chunks of a bound axis.
Value PhaseLowering::positionOf(StringAttr name) {
  if (Value position = positions.lookup(name)) return position;
  if (AxisAttr axis = kernel.getAxis(name); axis.isChunks())
    if (Value whole = positionOf(axis.getWhole())) return arith::DivUIOp::create(b, whole, lengths[name]);
  for (Attribute attribute : kernel.getAxes()) {
    auto product = cast<AxisAttr>(attribute);
    if (!product.isProduct() || (product.getOuter() != name && product.getInner() != name)) continue;
    Value whole = positionOf(product.getName());
    if (!whole) continue;
    if (product.getOuter() == name) return arith::DivUIOp::create(b, whole, extents[product.getInner()]);
    return arith::RemUIOp::create(b, whole, extents[product.getInner()]);
  }
  return {};
}

/// How many axes, from the first on, are an axis or the parts of it, so that it has one stride; 0 where it stands
/// elsewhere.
size_t PhaseLowering::partsAt(ArrayRef<StringAttr> axes, StringAttr axis) {
  if (axes.empty() || axes.front() == axis) return axes.size() > 0;
  AxisAttr product = kernel.getAxis(axis);
  if (!product || !product.isProduct()) return 0;
  size_t outer = partsAt(axes, product.getOuter());
  size_t inner = outer ? partsAt(axes.drop_front(outer), product.getInner()) : 0;
  return inner ? outer + inner : 0;
}
/// Whether memory over some axes ends with an axis; whether it ranges over it, or a part of it.
bool PhaseLowering::endsWith(ArrayRef<StringAttr> axes, StringAttr axis) {
  while (!axes.empty() && partsAt(axes, axis) != axes.size()) axes = axes.drop_front();
  return !axes.empty();
}
bool PhaseLowering::rangesOver(ArrayRef<StringAttr> axes, StringAttr axis) {
  auto names = kernel.namesWithin(axis);
  return llvm::any_of(axes, [&](StringAttr other) { return llvm::is_contained(names, other); });
}

/// The offset in elements at the point at hand without the lanes' part, and the stride along the lanes (null where the
/// memory does not range over them).
std::pair<Value, Value> PhaseLowering::offsetOf(const Memory &memory, const Lanes &lanes,
                                                ArrayRef<std::pair<StringAttr, Value>> given) {
  Value offset = constant(0), laneStride;
  SmallVector<StringAttr> laneNames;
  if (lanes.axis) laneNames = kernel.namesWithin(lanes.axis);
  for (size_t i = 0; i < memory.axes.size(); ++i) {
    StringAttr axis = memory.axes[i];
    Value position, stride = memory.strides[i];
    for (auto [name, value] : given)
      if (name == axis) position = value;
    if (!position && llvm::is_contained(laneNames, axis)) {
      laneStride = stride; // of a product: the last of its parts, side by side in memory
      continue;
    }
    if (!position && given.empty()) // of a bound product, whose parts would have to be divided out
      for (AxisAttr product : kernel.getAxes().getAsRange<AxisAttr>()) {
        Value whole = product.isProduct() ? positions.lookup(product.getName()) : Value();
        size_t parts = whole ? partsAt(ArrayRef(memory.axes).drop_front(i), product.getName()) : 0;
        if (parts == 0) continue;
        position = whole;
        i += parts - 1;
        stride = memory.strides[i];
        break;
      }
    if (!position) position = positionOf(axis);
    assert(position && "an axis of a load or store that nothing binds");
    offset = add(offset, multiply(position, stride));
  }
  return {offset, laneStride};
}

Value PhaseLowering::splat(Value value, int64_t lanes) {
  if (lanes == 1 || isa<VectorType>(value.getType())) return value;
  return vector::BroadcastOp::create(b, VectorType::get(lanes, value.getType()), value);
}
Value PhaseLowering::fullMask(int64_t lanes) {
  auto type = VectorType::get(lanes, b.getI1Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, true));
}

/// An address for each lane, where they do not lie side by side.
Value PhaseLowering::pointers(const Memory &memory, Value offset, Value stride, const Lanes &lanes) {
  auto type = VectorType::get(lanes.width, b.getI64Type());
  SmallVector<int64_t> steps = llvm::to_vector(llvm::seq<int64_t>(0, lanes.width));
  Value along = arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int64_t>(steps)));
  along = arith::MulIOp::create(b, along, splat(stride, lanes.width));
  along = arith::AddIOp::create(b, along, splat(add(offset, multiply(lanes.first, stride)), lanes.width));
  auto pointersType = VectorType::get(lanes.width, pointerType(b.getContext()));
  return LLVM::GEPOp::create(b, pointersType, memoryType(memory.storage), memory.base, ArrayRef<LLVM::GEPArg>{along});
}

Value PhaseLowering::loadFrom(const Memory &memory, Value offset, Value stride, const Lanes &lanes, Type compute) {
  Type element = memoryType(memory.storage);
  int64_t align = bytesOfElement(memory.storage);
  Value raw;
  if (stride && lanes.width > 1 && fixedValue(stride) != 1) {
    Value mask = lanes.mask ? lanes.mask : fullMask(lanes.width);
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(VectorType::get(lanes.width, element)));
    raw = LLVM::masked_gather::create(b, zero.getType(), pointers(memory, offset, stride, lanes), mask,
                                      ValueRange{zero}, align);
  } else {
    if (stride) offset = add(offset, multiply(lanes.first, stride));
    Value address =
        LLVM::GEPOp::create(b, pointerType(b.getContext()), element, memory.base, ArrayRef<LLVM::GEPArg>{offset});
    if (stride && lanes.interleaved) return loadInterleaved(memory, address, lanes, compute);
    Type type = stride && lanes.width > 1 ? VectorType::get(lanes.width, element) : element;
    if (stride && lanes.mask) {
      Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
      raw = LLVM::MaskedLoadOp::create(b, type, address, lanes.mask, zero, align);
    } else {
      raw = LLVM::LoadOp::create(b, type, address, align);
    }
  }
  return asComputed(raw, memory.storage, compute);
}
Value PhaseLowering::asComputed(Value raw, Type storage, Type compute) {
  return isStored(compute) ? raw : loadConvert(b, b.getLoc(), raw, storage, compute);
}

/// The even or the odd ones of twice as many points. A bf16 is the upper half of an f32, so that a shift and a mask
/// take two vectors of them apart, where widening would shuffle as well.
Value PhaseLowering::loadInterleaved(const Memory &memory, Value address, const Lanes &lanes, Type compute) {
  int64_t bits = bytesOfElement(memory.storage) * 8;
  Value both = LLVM::LoadOp::create(b, VectorType::get(2 * lanes.width, memoryType(memory.storage)), address, bits / 8);
  bool isOdd = lanes.step % 2;
  if (!memory.storage.isBF16()) {
    SmallVector<int64_t> points;
    for (int64_t i = 0; i < lanes.width; ++i) points.push_back(2 * i + isOdd);
    return loadConvert(b, b.getLoc(), vector::ShuffleOp::create(b, both, both, points), memory.storage, compute);
  }
  auto words = VectorType::get(lanes.width, b.getI32Type());
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(words, APInt(32, value)));
  };
  Value pair = vector::BitCastOp::create(b, words, both);
  Value word = isOdd ? arith::AndIOp::create(b, pair, number(0xffff0000)).getResult()
                     : arith::ShLIOp::create(b, pair, number(16)).getResult();
  return arith::BitcastOp::create(b, VectorType::get(lanes.width, b.getF32Type()), word);
}

/// Whether the lanes may take the even and the odd points of a body in turn: all that lies along them is bf16, but for
/// what is the same for all rows, where they are swept under the lanes: that is taken apart once.
bool PhaseLowering::canInterleave(Block &body, const Lanes &lanes, StringAttr rowAxis) {
  bool any = false;
  for (Operation &op : body) {
    auto load = dyn_cast<LoadOp>(op);
    auto store = dyn_cast<StoreOp>(op);
    if (!load && !store) continue;
    const Memory &memory = memories.find(load ? load.getFrom() : store.getTo())->second;
    SmallVector<StringAttr> names = kernel.namesWithin(lanes.axis);
    if (llvm::none_of(memory.axes, [&](StringAttr axis) { return llvm::is_contained(names, axis); })) continue;
    if (load && isSpread(memory, lanes) && isPermuted(load, lanes)) continue;
    if (!llvm::is_contained(names, memory.axes.back()) || (load && !load.getAt().empty())) return false;
    bool isShared = rowAxis && !rangesOver(memory.axes, rowAxis);
    if (isShared && (load || store.getKind())) continue;
    if (!memory.storage.isBF16() || (load && !load.getType().isF32())) return false;
    if (store && !store.getValue().getType().isF32()) return false;
    any |= bool(load);
  }
  return any;
}

const Memory &PhaseLowering::memoryAt(Value planned, const Lanes &lanes) {
  return (lanes.memories ? *lanes.memories : memories).find(planned)->second;
}

Value PhaseLowering::load(LoadOp op, const Lanes &lanes, ArrayRef<Value> at) {
  const Memory &memory = memoryAt(op.getFrom(), lanes);
  SmallVector<std::pair<StringAttr, Value>> given;
  for (auto [name, position] : llvm::zip(namesOf(op.getAt()), at)) given.emplace_back(name, position);
  if (isSpread(memory, lanes)) return loadSpread(op, lanes);
  auto [offset, stride] = offsetOf(memory, lanes, given);
  return loadFrom(memory, offset, stride, lanes, op.getType());
}

/// Whether as many vectors are loaded at a time as one register of memory's elements makes, which are looked up or
/// taken apart.
bool PhaseLowering::loadsTogether(LoadOp op, ArrayRef<Lanes> lanes) {
  const Lanes &first = lanes.front();
  const Memory &memory = memoryAt(op.getFrom(), first);
  int64_t bytes = bytesOfElement(memory.storage);
  if (!shape.looksUpBytes || bytes > 2 || lanes.size() % (4 / bytes) != 0 || first.width != 16 || first.mask ||
      first.interleaved)
    return false;
  // Of blocks side by side each has a register's points, or fewer.
  if (first.memories && (bytes == 1 || lanes[1].memories != first.memories)) return false;
  bool isNarrow = memory.storage.isBF16() || (isa<FloatType>(memory.storage) && bytes == 1);
  return isNarrow && op.getType().isF32() && op.getAt().empty() && !memory.axes.empty() && !isSpread(memory, first) &&
         !staged.count(op) && !turned.count(op) &&
         llvm::is_contained(kernel.namesWithin(first.axis), memory.axes.back());
}

PhaseLowering::Values PhaseLowering::loadTogether(LoadOp op, const Lanes &first) {
  const Memory &memory = memoryAt(op.getFrom(), first);
  Type element = memoryType(memory.storage);
  Value offset = add(offsetOf(memory, first, {}).first, first.first);
  Value address =
      LLVM::GEPOp::create(b, pointerType(b.getContext()), element, memory.base, ArrayRef<LLVM::GEPArg>{offset});
  int64_t bytes = bytesOfElement(memory.storage);
  Value stored = LLVM::LoadOp::create(b, VectorType::get(64 / bytes, element), address, bytes);
  return bytes == 1 ? lookUpByteFloats(b, b.getLoc(), stored, memory.storage) : spreadBfloats(b, b.getLoc(), stored);
}

static llvm::SmallDenseSet<StringAttr> leavesOf(KernelOp kernel, Type memory) {
  llvm::SmallDenseSet<StringAttr> leaves;
  for (StringAttr axis : axesOf(memory)) leaves.insert_range(kernel.leavesOf(axis));
  return leaves;
}

/// A plain store to an output that no input shares, and as large as any of the kernel's tensors, as far as axes tell.
/// Of less the kernel moves little, and it is not worth the code.
bool PhaseLowering::mayStream(StoreOp op) {
  auto argument = dyn_cast<BlockArgument>(op.getTo());
  if (!argument || !kernel.getArgAttr(argument.getArgNumber(), "norm.out") ||
      kernel.getArgAttr(argument.getArgNumber(), "norm.shared"))
    return false;
  auto axes = leavesOf(kernel, argument.getType());
  return llvm::none_of(kernel.getBody().getArguments(), [&](BlockArgument other) {
    auto more = leavesOf(kernel, other.getType());
    return more.size() > axes.size() && llvm::set_is_subset(axes, more);
  });
}

void PhaseLowering::store(StoreOp op, const Lanes &lanes, Value value) {
  if (auto registers = held.find(op); registers != held.end()) {
    Value &accumulator = registers->second[lanes.step];
    accumulator = accumulate(*op.getKind(), accumulator, splat(value, lanes.width));
    return;
  }
  const Memory &memory = memoryAt(op.getTo(), lanes);
  auto [offset, stride] = offsetOf(memory, lanes, {});
  if (stride) value = splat(value, lanes.width);
  if (op.getKind()) {
    value = accumulate(*op.getKind(), loadFrom(memory, offset, stride, lanes, op.getValue().getType()), value);
    // Not masked, as LLVM would store a choice: a partial store is not forwarded to the next row's load.
    if (value.getDefiningOp<arith::SelectOp>())
      value = LLVM::CallIntrinsicOp::create(b, value.getType(), b.getStringAttr("llvm.arithmetic.fence"), {value})
                  .getResult(0);
  }
  storeTo(memory, offset, stride, lanes, value, streaming && mayStream(op));
}

/// How many vectors of an output may go to memory at a time: those of narrow elements which fill one register then.
unsigned PhaseLowering::storedTogether(StoreOp op, const Lanes &lanes) {
  const Memory &memory = memoryAt(op.getTo(), lanes);
  SmallVector<StringAttr> names = kernel.namesWithin(lanes.axis);
  bool may = lanes.width > 1 && !lanes.mask && !op.getKind() && op.getValue().getType().isF32() &&
             !memory.axes.empty() && llvm::is_contained(names, memory.axes.back());
  return may ? std::max<int64_t>(1, 4 / bytesOfElement(memory.storage)) : 1;
}

/// Whether four vectors are rounded to a register of bytes at once.
bool PhaseLowering::roundsTogether(Type storage) {
  return shape.looksUpBytes && width == 16 && bytesOfElement(storage) == 1 && !storage.isInteger(1);
}

/// Stores vectors that lie side by side as one.
void PhaseLowering::storeTogether(StoreOp op, const Lanes &low, Values values) {
  const Memory &memory = memoryAt(op.getTo(), low);
  int64_t width = low.width, count = values.size();
  auto [offset, stride] = offsetOf(memory, low, {});
  for (Value &value : values) value = splat(value, width);
  auto words = VectorType::get(2 * width, b.getI16Type());
  auto intrinsic = [&](const char *name, Type type, ValueRange operands) -> Value {
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(name), operands).getResult(0);
  };
  // Two halves one behind the other, or point by point in turn.
  auto orderOf = [&](int64_t half) {
    SmallVector<int64_t> order;
    for (int64_t i = 0; i < 2 * half; ++i) order.push_back(low.interleaved ? i / 2 + i % 2 * half : i);
    return order;
  };
  Value all;
  if (shape.roundsToBf16 && memory.storage.isBF16() && 2 * width == 32) {
    all = intrinsic("llvm.x86.avx512bf16.cvtne2ps2bf16.512", VectorType::get(2 * width, b.getBF16Type()),
                    {values[1], values[0]});
    all = arith::BitcastOp::create(b, words, all);
    if (low.interleaved) all = vector::ShuffleOp::create(b, all, all, orderOf(width));
  } else if (roundsTogether(memory.storage) && count == 4) {
    all = roundToBytes(b, b.getLoc(), values, memory.storage);
  } else {
    for (Value &value : values) value = toStorage(value, memory.storage);
    for (int64_t half = width; values.size() > 1; half *= 2, values.truncate(values.size() / 2))
      for (size_t i = 0; i < values.size() / 2; ++i)
        values[i] = vector::ShuffleOp::create(b, values[2 * i], values[2 * i + 1], orderOf(half));
    all = values.front();
  }
  bool streams = streaming && mayStream(op);
  if (streams && memory.storage.isBF16()) {
    // LLVM has no store of bf16 vectors that bypasses the caches, takes an ordinary one without a word, and sees
    // through casts: a fence hides where the bits come from.
    auto floats = VectorType::get(width, b.getF32Type());
    all = intrinsic("llvm.arithmetic.fence", floats, {vector::BitCastOp::create(b, floats, all)});
    all = vector::BitCastOp::create(b, words, all);
  }
  Lanes lanes = low;
  lanes.width = count * width;
  storeTo(memory, offset, stride, lanes, all, streams);
}

/// As memory holds it. Where the processor rounds to bf16 itself, it does; denormal results flush then.
Value PhaseLowering::toStorage(Value value, Type storage) {
  Type element = getElementTypeOrSelf(value);
  if (!shape.roundsToBf16 || !storage.isBF16() || !element.isF32()) return storeConvert(b, b.getLoc(), value, storage);
  auto shaped = [&](Type type) -> Type {
    auto vector = dyn_cast<VectorType>(value.getType());
    return vector ? Type(vector.clone(type)) : type;
  };
  Value rounded = arith::TruncFOp::create(b, shaped(storage), value);
  return arith::BitcastOp::create(b, shaped(b.getI16Type()), rounded);
}

void PhaseLowering::storeTo(const Memory &memory, Value offset, Value stride, const Lanes &lanes, Value value,
                            bool streams) {
  bool isVector = stride && lanes.width > 1;
  Type element = memoryType(memory.storage);
  int64_t align = bytesOfElement(memory.storage);
  if (!isStored(getElementTypeOrSelf(value))) value = toStorage(value, memory.storage);
  if (isVector && fixedValue(stride) != 1) {
    Value mask = lanes.mask ? lanes.mask : fullMask(lanes.width);
    LLVM::masked_scatter::create(b, value, pointers(memory, offset, stride, lanes), mask, align);
    return;
  }
  if (stride) offset = add(offset, multiply(lanes.first, stride));
  Value address =
      LLVM::GEPOp::create(b, pointerType(b.getContext()), element, memory.base, ArrayRef<LLVM::GEPArg>{offset});
  if (isVector && lanes.mask) {
    LLVM::MaskedStoreOp::create(b, value, address, lanes.mask, align);
  } else if (isVector && streams) {
    // Only an aligned vector bypasses the caches: canStream has seen to that.
    LLVM::StoreOp::create(b, value, address, storedBytes(memory, lanes), /*isVolatile=*/false, /*isNonTemporal=*/true);
    streamed = true;
  } else {
    LLVM::StoreOp::create(b, value, address, align);
  }
}

int64_t PhaseLowering::storedBytes(const Memory &memory, const Lanes &lanes) {
  return bytesOfElement(memory.storage) * lanes.width;
}

/// Whether the outputs of a pass can bypass the caches: aligned where the lanes begin and, where rows are swept under
/// the lanes, from row to row, or over so many rows. Null where no store could.
Value PhaseLowering::mayBypass(Block &body, const Lanes &lanes, StringAttr rowAxis, Value rows) {
  if (!shape.streamBytes || lanes.width == 1) return {};
  Value all;
  for (StoreOp op : body.getOps<StoreOp>()) {
    if (!mayStream(op)) continue;
    const Memory &memory = memories.find(op.getTo())->second;
    auto [offset, stride] = offsetOf(memory, lanes, {});
    if (!stride || fixedValue(stride) != 1) continue;
    Value element = constant(bytesOfElement(memory.storage));
    Value place = LLVM::PtrToIntOp::create(b, b.getI64Type(), memory.base);
    place = add(place, multiply(add(offset, lanes.first), element));
    for (size_t i = 0; rowAxis && i < memory.axes.size(); ++i)
      if (size_t parts = partsAt(ArrayRef(memory.axes).drop_front(i), rowAxis))
        place = arith::OrIOp::create(
            b, place, multiply(multiply(memory.strides[i + parts - 1], element), rows ? rows : constant(1)));
    int64_t bytes = storedBytes(memory, lanes) * storedTogether(op, lanes);
    Value misfit = arith::AndIOp::create(b, place, constant(bytes - 1));
    Value aligned = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, misfit, constant(0));
    all = all ? arith::AndIOp::create(b, all, aligned).getResult() : aligned;
  }
  return all;
}

/// Whether the outputs of a pass are to bypass the caches if they can. Null where none ever is to.
Value PhaseLowering::wantsBypass(Block &body, const Lanes &lanes) {
  if (!shape.streamBytes || llvm::none_of(body.getOps<StoreOp>(), [&](StoreOp op) { return mayStream(op); })) return {};
  Value wanted = isBeyondCaches({body.getParentOp()});
  Value crowded = isCrowded(body, lanes);
  return crowded ? arith::OrIOp::create(b, wanted, crowded).getResult() : wanted;
}

/// Whether the outputs of a pass are to bypass the caches, and can. Null where no store could.
Value PhaseLowering::canStream(Block &body, const Lanes &lanes, StringAttr rowAxis, Value rows) {
  Value all = mayBypass(body, lanes, rowAxis, rows);
  return all ? arith::AndIOp::create(b, wantsBypass(body, lanes), all).getResult() : Value();
}

/// Where along the lanes the first output has a line of its own, if the lanes are not few, and no fewer than a line may
/// have; else where the lanes begin. Null where no store could bypass the caches.
Value PhaseLowering::nextLine(Block &body, const Lanes &lanes, Value to) {
  for (StoreOp op : body.getOps<StoreOp>()) {
    const Memory &memory = memories.find(op.getTo())->second;
    auto [offset, stride] = offsetOf(memory, lanes, {});
    if (!mayStream(op) || !stride || fixedValue(stride) != 1) continue;
    int64_t bytes = bytesOfElement(memory.storage);
    Value place = LLVM::PtrToIntOp::create(b, b.getI64Type(), memory.base);
    place = add(place, multiply(add(offset, lanes.first), constant(bytes)));
    Value left = arith::AndIOp::create(b, arith::SubIOp::create(b, constant(0), place), constant(shape.lineBytes - 1));
    left = arith::ShRUIOp::create(b, left, constant(llvm::Log2_64(bytes)));
    Value areMany = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, arith::SubIOp::create(b, to, lanes.first),
                                          constant(std::max(2 * shape.accumulators * width, shape.lineBytes)));
    return add(lanes.first, arith::SelectOp::create(b, areMany, left, constant(0)));
  }
  return {};
}
