// What sweeps ask for before they, or the next ones, read it.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/SetVector.h"
using namespace mlir;
using namespace norm;
using namespace normc;

/// What the following lead is going to read of the memory that a pass reads, at the same place: a base each, so that
/// the lanes' positions lead there.
SmallVector<Memory> PhaseLowering::fetchedDuring(PassOp pass, StringAttr axis, Value from) {
  SmallVector<Memory> places;
  if (fetched.positions.empty()) return places;
  llvm::DenseSet<Value> read;
  fetched.lead->walk([&](LoadOp load) { read.insert(load.getFrom()); });
  for (LoadOp load : pass.getBody().getOps<LoadOp>()) {
    if (!read.erase(load.getFrom())) continue;
    const Memory &memory = memories.find(load.getFrom())->second;
    auto here = positions;
    for (auto [name, position] : fetched.positions) positions[name] = position;
    auto [offset, stride] = offsetOf(memory, {axis, from, width, {}, 0}, {});
    offset = add(offset, arith::SubIOp::create(b, rangeOf(axis).first, from));
    positions = here;
    if (!stride || !llvm::is_contained(kernel.namesWithin(axis), memory.axes.back())) continue;
    places.push_back(behind(memory, offset));
  }
  return places;
}

/// Brings the lines of so many points from `first` on into a core's own caches: the second, or the first.
void PhaseLowering::fetch(ArrayRef<Memory> places, Value first, int64_t points, Fetched as) {
  for (const Memory &memory : places) {
    int64_t line = shape.lineBytes / bytesOfElement(memory.storage);
    for (int64_t point = 0; point < points; point += line) {
      Value address = LLVM::GEPOp::create(b, memory.base.getType(), memoryType(memory.storage), memory.base,
                                          ArrayRef<LLVM::GEPArg>{add(first, constant(point))});
      LLVM::Prefetch::create(b, address, /*rw=*/as == Fetched::stored, /*hint=*/as == Fetched::later ? 2 : 3,
                             /*cache=*/1);
    }
  }
}

/// The arguments that a body reads along the lanes, but those that are the same for all of its blocks and rows.
SmallVector<Memory> PhaseLowering::arraysAlong(Block &body, StringAttr axis) {
  auto within = kernel.namesWithin(axis);
  llvm::SetVector<Value> arrays;
  for (LoadOp load : body.getOps<LoadOp>()) {
    AxisList axes = axesOf(load.getFrom().getType());
    bool isShared = llvm::all_of(axes, [&](StringAttr name) { return llvm::is_contained(within, name); });
    if (isa<BlockArgument>(load.getFrom()) && load.getAt().empty() && !isShared && endsWith(axes, axis))
      arrays.insert(load.getFrom());
  }
  return llvm::map_to_vector(arrays, [&](Value array) { return memories.find(array)->second; });
}
/// Elements of 16 bits; those of 8 take as long either way.
bool PhaseLowering::isNarrow(const Memory &memory) { return bytesOfElement(memory.storage) <= 2; }

// So far ahead a sum asks for an array; a single one of 16 bits twice as far.
static constexpr int64_t aheadBytes = 4096;

/// Brings lines into the caches at each step of a pass, where it is to.
void PhaseLowering::fetch(const Fetching &fetching, Value first, int64_t points) {
  if (fetching.places.empty()) return;
  auto all = [&] {
    fetch(fetching.places, first, points, fetching.as);
    return Values();
  };
  if (fetching.when) choose(fetching.when, all, [] { return Values(); });
  else all();
}

/// What a map asks for of what the following lead is going to read. Stores past the caches wait for memory, and
/// functions for themselves; the loads of the next lead need not. Beside ordinary stores of what is quickly computed
/// they would be in the way, and so would be two arrays of 16 bits, unless they come from memory.
PhaseLowering::Fetching PhaseLowering::fetchedByMap(PassOp pass, StringAttr axis, Value from) {
  bool hasFunctions = llvm::any_of(pass.getBody().front(), [](Operation &op) {
    return isa<math::ExpOp, math::ErfOp, math::LogOp, math::PowFOp, math::TanhOp>(op);
  });
  if (!streaming && !hasFunctions) return {};
  Fetching fetching{fetchedDuring(pass, axis, from), {}, Fetched::later};
  if (fetching.places.size() < 2 || llvm::none_of(fetching.places, isNarrow)) return fetching;
  if (!shape.streamBytes) return {};
  fetching.when = reaches({pass}, usualBypassBytes());
  return fetching;
}

/// What a sum asks for of the arrays that it goes along, where their phase reaches more than the last cache holds. What
/// the processor has in flight is so many operations, and so half as many bytes where elements have 16 bits: too few
/// for memory. Two arrays of f32 are enough.
PhaseLowering::Fetching PhaseLowering::fetchedBySum(PassOp pass, StringAttr axis, Value from) {
  if (!shape.streamBytes || guarding || sample) return {};
  auto arrays = arraysAlong(pass.getBody().front(), axis);
  bool isOne = arrays.size() == 1;
  if (!isOne && llvm::none_of(arrays, isNarrow)) return {};
  Fetching fetching{{}, {}, Fetched::soon};
  for (const Memory &array : arrays) {
    Value offset = offsetOf(array, {axis, from, width, {}, 0}, {}).first;
    int64_t bytes = isOne && isNarrow(array) ? 2 * aheadBytes : aheadBytes;
    fetching.places.push_back(behind(array, add(offset, constant(bytes / bytesOfElement(array.storage)))));
  }
  fetching.when = reaches({pass->getParentOfType<PhaseOp>()}, constant(2 * shape.streamBytes));
  return fetching;
}
