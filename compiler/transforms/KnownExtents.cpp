// What a call knows of extents by the shapes of what it passes.
#include "compiler/transforms/Specialize.h"
using namespace mlir;
using namespace norm;

namespace normc {
namespace {
/// What is known of a call before its outputs are made.
struct Known {
  llvm::SmallPtrSet<Attribute, 8> extents; // of these axes
  llvm::SmallPtrSet<Attribute, 8> ranks;   // of these packs
  llvm::SmallPtrSet<Attribute, 8> shapes;  // of these packs: the extent of each dimension
  size_t size() const { return extents.size() + ranks.size() + shapes.size(); }
  /// Whether all is known of an axis that is known of it here.
  bool covers(const Known &other, Attribute axis) const {
    return other.extents.contains(axis) <= extents.contains(axis) &&
           other.ranks.contains(axis) <= ranks.contains(axis) && other.shapes.contains(axis) <= shapes.contains(axis);
  }
};

class TellingInputs {
public:
  TellingInputs(KernelOp kernel, llvm::BitVector &dropped) : kernel(kernel), dropped(dropped) {
    for (Attribute axis : kernel.getAxes())
      if (cast<AxisAttr>(axis).isFixed()) now.extents.insert(cast<AxisAttr>(axis).getName());
    if (auto passed = kernel->getAttrOfType<DictionaryAttr>("norm.ranks"))
      for (NamedAttribute rank : passed) {
        now.ranks.insert(rank.getName());
        if (cast<IntegerAttr>(rank.getValue()).getInt() <= 1) now.shapes.insert(rank.getName()); // its extent is all
      }
  }

  void keep(const llvm::SmallPtrSet<Attribute, 8> &needed, llvm::function_ref<bool(unsigned)> isPassed) {
    const Known given = now;
    deduce();
    // All that tell something, since it may take two to know a third; then without those that nothing needs.
    SmallVector<unsigned> telling;
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i) {
      if (!dropped.test(i) || !isPassed(i)) continue;
      size_t before = now.size();
      dropped.reset(i);
      deduce();
      if (now.size() > before) telling.push_back(i);
      else dropped.set(i);
    }
    const Known known = now;
    // Those over the most axes go first. The axes of one that stays are needed too.
    auto rank = [&](unsigned i) { return std::pair(axesOf(kernel.getArgument(i).getType()).size(), i); };
    llvm::sort(telling, [&](unsigned i, unsigned j) { return rank(i) < rank(j); });
    llvm::SmallPtrSet<Attribute, 8> wanted = needed;
    for (size_t before = 0; before != wanted.size();) {
      before = wanted.size();
      for (unsigned i : telling) dropped.reset(i);
      for (unsigned i : llvm::reverse(telling)) {
        dropped.set(i);
        now = given;
        deduce();
        if (llvm::all_of(wanted, [&](Attribute axis) { return now.covers(known, axis); })) continue;
        dropped.reset(i);
        for (StringAttr axis : axesOf(kernel.getArgument(i).getType())) wanted.insert(axis);
      }
    }
  }

private:
  /// All that follows from the inputs that are not dropped.
  void deduce() {
    for (bool changed = true; changed;) {
      changed = false;
      for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
        if (!dropped.test(i)) changed |= learn(i);
      for (FactorOp factor : kernel.getBody().getOps<FactorOp>())
        if (followsFrom(factor.getSize())) changed |= now.extents.insert(factor.getAxisAttr()).second;
      for (Attribute attribute : kernel.getAxes()) {
        auto axis = cast<AxisAttr>(attribute);
        if (!axis.isProduct()) continue;
        SmallVector<StringAttr> parts = {axis.getName(), axis.getOuter(), axis.getInner()};
        if (llvm::count_if(parts, [&](StringAttr part) { return now.extents.contains(part); }) == 2)
          for (StringAttr part : parts) changed |= now.extents.insert(part).second;
      }
    }
  }
  /// Whether an integer can be computed from the extents of some axes.
  bool followsFrom(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op) return true;
    auto known = [&](StringAttr axis) { return now.extents.contains(axis); };
    if (auto size = dyn_cast<SizeOp>(op))
      return llvm::all_of(namesOf(size.getAxes()),
                          [&](StringAttr axis) { return known(axis) || llvm::all_of(kernel.leavesOf(axis), known); });
    return llvm::all_of(op->getOperands(), [&](Value operand) { return followsFrom(operand); });
  }
  /// What the shape of an argument tells.
  bool learn(unsigned argument) {
    bool changed = false;
    auto isMade = [&](StringRef pack) { // only what is made has to get a shape
      return llvm::any_of(llvm::seq(kernel.getNumResults()), [&](unsigned i) {
        return llvm::is_contained(dimensionsIn(kernel.getResultAttr(i, "norm.dims")), pack);
      });
    };
    SmallVector<StringAttr> unknown;
    for (StringRef dimension : dimensionsIn(kernel.getArgAttr(argument, "norm.dims"))) {
      StringRef written = dimension;
      bool isPack = dimension.consume_back("...");
      if (dimension == "1") continue;
      StringAttr axis = StringAttr::get(kernel.getContext(), dimension);
      changed |= now.extents.insert(axis).second;
      if (isPack && isMade(written)) changed |= now.shapes.insert(axis).second;
      if (isPack && !now.ranks.contains(axis)) unknown.push_back(axis);
    }
    if (unknown.size() != 1) return changed;
    now.ranks.insert(unknown.front());
    return true;
  }

  KernelOp kernel;
  llvm::BitVector &dropped;
  Known now;
};
} // namespace

SmallVector<std::string> dimensionsIn(Attribute dims) {
  SmallVector<std::string> names;
  if (auto list = dyn_cast_or_null<ArrayAttr>(dims))
    for (Attribute name : list) names.push_back(cast<StringAttr>(name).getValue().str());
  return names;
}

void keepTellingInputs(KernelOp kernel, const llvm::SmallPtrSet<Attribute, 8> &needed,
                       llvm::function_ref<bool(unsigned)> isPassed, llvm::BitVector &dropped) {
  TellingInputs(kernel, dropped).keep(needed, isPassed);
}

} // namespace normc
