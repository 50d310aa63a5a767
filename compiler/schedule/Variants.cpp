#include "compiler/schedule/Variants.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"
using namespace mlir;
using namespace norm;

std::optional<int64_t> normc::fixedPoints(KernelOp kernel, ArrayRef<StringAttr> axes) {
  int64_t points = 1;
  for (StringAttr name : axes)
    for (StringAttr leaf : kernel.leavesOf(name)) {
      AxisAttr axis = kernel.getAxis(leaf);
      if (!axis.isFixed()) return std::nullopt;
      if (llvm::MulOverflow(points, axis.getSize(), points)) return std::numeric_limits<int64_t>::max();
    }
  return points;
}

static std::optional<int64_t> boundOf(KernelOp kernel, StringRef relation, ArrayRef<StringAttr> axes) {
  if (auto guards = kernel->getAttrOfType<ArrayAttr>("norm.guards"))
    for (auto guard : guards.getAsRange<DictionaryAttr>())
      if (guard.contains(relation) && guard.get("axes") == arrayOf(kernel.getContext(), axes))
        return guard.getAs<IntegerAttr>(relation).getInt();
  return std::nullopt;
}
std::optional<int64_t> normc::mostPoints(KernelOp kernel, ArrayRef<StringAttr> axes) {
  return boundOf(kernel, "most", axes);
}
std::optional<int64_t> normc::pointsOver(KernelOp kernel, ArrayRef<StringAttr> axes) {
  return boundOf(kernel, "over", axes);
}

std::optional<normc::Footprint> normc::footprintOf(KernelOp kernel) {
  Footprint footprint;
  llvm::SmallDenseSet<StringAttr> largest;
  bool areAlike = true;
  for (Type type : kernel.getArgumentTypes()) {
    llvm::SmallDenseSet<StringAttr> leaves;
    for (StringAttr axis : axesOf(type)) leaves.insert_range(kernel.leavesOf(axis));
    if (leaves.size() < largest.size() || leaves.empty()) continue;
    if (leaves.size() > largest.size()) largest = leaves, footprint.bytesOfPoint = 0, areAlike = true;
    areAlike &= leaves == largest;
    footprint.bytesOfPoint += llvm::divideCeil(getElementTypeOrSelf(type).getIntOrFloatBitWidth(), 8);
  }
  if (largest.empty() || !areAlike) return std::nullopt;
  for (Attribute axis : kernel.getAxes())
    if (StringAttr name = cast<AxisAttr>(axis).getName(); largest.contains(name)) footprint.leaves.push_back(name);
  return footprint;
}

std::optional<int64_t> normc::mostBytes(KernelOp kernel) {
  std::optional<Footprint> footprint = footprintOf(kernel);
  if (!footprint) return std::nullopt;
  std::optional<int64_t> points = fixedPoints(kernel, footprint->leaves);
  if (!points) points = mostPoints(kernel, footprint->leaves);
  int64_t bytes = 0;
  if (!points || llvm::MulOverflow(*points, footprint->bytesOfPoint, bytes)) return std::nullopt;
  return bytes;
}

KernelOp normc::addVariant(KernelOp kernel, StringRef suffix, ArrayRef<StringAttr> axes, int64_t points, Applies copy) {
  OpBuilder builder(kernel);
  if (!kernel->hasAttr("norm.family")) kernel->setAttr("norm.family", kernel.getSymNameAttr());
  builder.setInsertionPointAfter(kernel);
  auto variant = cast<KernelOp>(builder.clone(*kernel));
  variant.setSymName((kernel.getSymName() + suffix).str());
  auto guard = [&](KernelOp guarded, StringRef relation) {
    SmallVector<Attribute> guards;
    auto isWeaker = [&](Attribute known) {
      auto before = cast<DictionaryAttr>(known);
      bool isOfSame = before.contains(relation) && before.get("axes") == arrayOf(builder.getContext(), axes);
      return isOfSame && relation == "most" && before.getAs<IntegerAttr>("most").getInt() >= points;
    };
    if (auto before = guarded->getAttrOfType<ArrayAttr>("norm.guards"))
      llvm::append_range(guards, llvm::make_filter_range(before, [&](Attribute known) { return !isWeaker(known); }));
    guards.push_back(builder.getDictionaryAttr({builder.getNamedAttr("axes", arrayOf(builder.getContext(), axes)),
                                                builder.getNamedAttr(relation, builder.getI64IntegerAttr(points))}));
    guarded->setAttr("norm.guards", builder.getArrayAttr(guards));
  };
  guard(copy == Applies::over ? kernel : variant, "most");
  guard(copy == Applies::over ? variant : kernel, "over");
  return variant;
}
