// What is known of extents when a kernel is compiled, and what follows from it through the splits.
#include "compiler/Extents.h"
#include "compiler/transforms/Specialize.h"
#include "mlir/IR/Matchers.h"
using namespace mlir;
using namespace norm;

namespace normc {
namespace {
class AxisSizes {
public:
  AxisSizes(KernelOp kernel, Diagnostics &diagnostics)
      : kernel(kernel), diagnostics(diagnostics), builder(kernel.getContext()) {
    for (Attribute axis : kernel.getAxes())
      if (cast<AxisAttr>(axis).isFixed()) known[cast<AxisAttr>(axis).getName()] = cast<AxisAttr>(axis).getSize();
  }

  LogicalResult run(std::map<std::string, int64_t> &sizes) {
    for (const auto &[name, size] : sizes)
      if (!bind(builder.getStringAttr(name), size, kernel.getLoc())) return failure();
    for (FactorOp factor : llvm::make_early_inc_range(kernel.getBody().getOps<FactorOp>()))
      if (!readFactor(factor)) return failure();
    if (!solve()) return failure();
    for (Attribute attribute : kernel.getAxes()) {
      auto axis = cast<AxisAttr>(attribute);
      std::optional<int64_t> size = known[axis.getName()];
      if (!size) continue;
      sizes[axis.getName().str()] = *size;
      if (axis.isLeaf()) kernel.setAxis(AxisAttr::get(kernel.getContext(), axis.getName(), *size));
    }
    return success();
  }

  /// A table fixes leaves only: where c = g * k is fixed and g is not, `norm.factor k = c / g` says the same.
  void fixProducts(const std::map<std::string, int64_t> &sizes) {
    for (Attribute attribute : kernel.getAxes()) {
      auto axis = cast<AxisAttr>(attribute);
      if (!axis.isProduct() || sizes.count(axis.getOuter().str()) || sizes.count(axis.getInner().str())) continue;
      if (auto size = sizes.find(axis.getName().str()); size != sizes.end()) fixProduct(axis, size->second);
    }
  }

private:
  KernelOp kernel;
  Diagnostics &diagnostics;
  OpBuilder builder;
  llvm::DenseMap<StringAttr, std::optional<int64_t>> known;

  bool fail(Location location, std::string message) {
    diagnostics.error(placeOf(location), std::move(message));
    return false;
  }
  bool bind(StringAttr axis, int64_t size, Location location) {
    std::optional<int64_t> &extent = known[axis];
    if (extent && *extent != size)
      return fail(location,
                  "axis " + axis.str() + " is " + std::to_string(*extent) + ", but also " + std::to_string(size));
    extent = size;
    return true;
  }

  /// A constant factor goes into the table; where it stood is kept for the messages of a call.
  bool readFactor(FactorOp factor) {
    APInt value;
    if (!matchPattern(factor.getSize(), m_ConstantInt(&value))) return true;
    int64_t size = value.getSExtValue();
    StringAttr axis = factor.getAxisAttr(), whole = factor.getWholeAttr();
    AxisAttr row = kernel.getAxis(whole);
    std::string split = "split " + whole.str() + " = " + row.getOuter().str() + " * " + row.getInner().str() + ": ";
    if (size < 1)
      return fail(factor.getLoc(),
                  split + axis.str() + " = " + std::to_string(size) + ", expected at least 1" +
                      (known[whole] ? " (" + whole.str() + " is " + std::to_string(*known[whole]) + ")" : ""));
    if (known[axis] && *known[axis] != size)
      return fail(factor.getLoc(), split + axis.str() + " = " + std::to_string(size) + ", but axis " + axis.str() +
                                       " is " + std::to_string(*known[axis]));
    known[axis] = size;
    recordPlace(whole, factor.getLoc());
    factor.erase();
    return true;
  }
  void recordPlace(StringAttr whole, Location location) {
    Place place = placeOf(location);
    if (!place.line) return;
    NamedAttrList splits(kernel->getAttrOfType<DictionaryAttr>("norm.splits"));
    splits.set(whole, builder.getStringAttr(place.file + ":" + std::to_string(place.line) + ":" +
                                            std::to_string(place.column)));
    kernel->setAttr("norm.splits", splits.getDictionary(kernel.getContext()));
  }
  /// Where the split of a product stands, for messages.
  Place placeOfSplit(StringAttr whole) {
    if (auto splits = kernel->getAttrOfType<DictionaryAttr>("norm.splits"))
      if (auto place = splits.getAs<StringAttr>(whole)) return parsePlace(place.str());
    for (FactorOp factor : kernel.getBody().getOps<FactorOp>())
      if (factor.getWholeAttr() == whole) return placeOf(factor.getLoc());
    return placeOf(kernel.getLoc());
  }

  bool solve() {
    for (bool changed = true; changed;) {
      changed = false;
      for (Attribute attribute : kernel.getAxes()) {
        auto axis = cast<AxisAttr>(attribute);
        if (!axis.isProduct()) continue;
        std::optional<int64_t> whole = known[axis.getName()], outer = known[axis.getOuter()],
                               inner = known[axis.getInner()];
        AxisRow row;
        row.name = axis.getName().str();
        row.outer = axis.getOuter().str();
        row.inner = axis.getInner().str();
        std::string message = solveSplit(row, whole, outer, inner);
        if (!message.empty()) {
          diagnostics.error(placeOfSplit(axis.getName()), std::move(message));
          return false;
        }
        for (auto [name, extent] :
             {std::pair(axis.getName(), whole), {axis.getOuter(), outer}, {axis.getInner(), inner}}) {
          changed |= extent && !known[name];
          known[name] = extent;
        }
      }
    }
    return true;
  }

  void fixProduct(AxisAttr axis, int64_t size) {
    StringAttr derived = axis.getOuter();
    Location location = kernel.getLoc();
    Value divisor;
    for (FactorOp factor : kernel.getBody().getOps<FactorOp>()) {
      if (factor.getWholeAttr() != axis.getName()) continue;
      derived = factor.getAxisAttr() == axis.getOuter() ? axis.getInner() : axis.getOuter();
      divisor = factor.getSize();
      location = factor.getLoc();
      builder.setInsertionPointAfter(factor);
    }
    if (!divisor) {
      builder.setInsertionPointToStart(&kernel.getBody().front());
      divisor = SizeOp::create(builder, location, builder.getI64Type(), builder.getArrayAttr({axis.getInner()}));
    }
    Value whole = arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(size));
    Value quotient = arith::DivSIOp::create(builder, location, whole, divisor);
    FactorOp::create(builder, location, derived, quotient, axis.getName());
  }
};
} // namespace

LogicalResult solveSizes(KernelOp kernel, std::map<std::string, int64_t> &sizes, Diagnostics &diagnostics) {
  return AxisSizes(kernel, diagnostics).run(sizes);
}

void fixProducts(KernelOp kernel, const std::map<std::string, int64_t> &sizes, Diagnostics &diagnostics) {
  AxisSizes(kernel, diagnostics).fixProducts(sizes);
}

} // namespace normc
