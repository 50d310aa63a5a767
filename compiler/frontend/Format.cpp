#include "compiler/frontend/Format.h"
#include "compiler/frontend/FormatValues.h"
#include "llvm/ADT/SetVector.h"
using namespace mlir;
using namespace norm;

namespace normc {
namespace {

class KernelFormatter {
public:
  explicit KernelFormatter(KernelOp kernel) : kernel(kernel), values(kernel) {}

  std::string run() {
    result->name.text = kernel.getSymName();
    llvm::StringSet<> states;
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i) {
      Input &input = result->inputs.emplace_back();
      input.name.text = kernel.argumentName(i);
      Attribute dims = kernel.getArgAttr(i, "norm.dims");
      input.type = tensor(kernel.getArgumentTypes()[i], dims);
      input.state = kernel.getArgAttr(i, "norm.state") != nullptr;
      if (input.state) states.insert(input.name.text);
      if (Attribute value = kernel.getArgAttr(i, "norm.default")) input.byDefault = literal(value);
    }
    for (unsigned i = 0; i < kernel.getNumResults(); ++i) {
      if (states.contains(kernel.resultName(i))) continue;
      Type type = kernel.getResultTypes()[i];
      result->outputs.push_back({{kernel.resultName(i).str(), {}}, tensor(type, kernel.getResultAttr(i, "norm.dims"))});
    }
    splits();
    for (Statement &statement : values.statements()) result->statements.push_back(std::move(statement));
    Unit unit;
    unit.declarations.emplace_back(std::move(result));
    return (values.callsTimes() ? times : "") + printAst(unit);
  }

private:
  static constexpr const char *times = "// A cotangent times a derivative: nothing where the cotangent is 0.\n"
                                       "fn times(ct, d) = where(ct != 0, ct * d, 0)\n\n";

  static TensorType tensor(Type type, Attribute dims) {
    TensorType result;
    result.element.text = elementName(getElementTypeOrSelf(type));
    result.scalar = !isMemory(type);
    for (Attribute dim : cast<ArrayAttr>(dims)) {
      StringRef name = cast<StringAttr>(dim).getValue();
      bool pack = name.consume_back("...");
      result.dims.push_back({name == "1" ? "" : name.str(), pack, {}});
    }
    return result;
  }

  static Literal literal(Attribute value) {
    Literal literal;
    if (auto real = dyn_cast<FloatAttr>(value)) literal.text = toText(realExpr(real.getValueAsDouble(), true).expr);
    else if (auto boolean = dyn_cast<BoolAttr>(value)) literal.text = boolean.getValue() ? "true" : "false";
    else literal.text = std::to_string(cast<IntegerAttr>(value).getInt());
    return literal;
  }

  //===-- Splits -----------------------------------------------------------------------------------------------------//

  void splits() {
    for (FactorOp factor : kernel.getBody().getOps<FactorOp>()) factors[factor.getWhole()] = factor;
    for (FactorOp factor : kernel.getBody().getOps<FactorOp>())
      split(kernel.getAxis(StringAttr::get(kernel.getContext(), factor.getWhole())));
    for (Attribute row : kernel.getAxes()) split(cast<AxisAttr>(row));
  }

  /// Writes the split of an axis, behind those that it needs: of what it is a part of, and of what its factor asks the
  /// size of the parts of.
  void split(AxisAttr axis) {
    if (!axis.isProduct() || !done.insert(axis.getName()).second) return;
    splitBefore(axis.getName());
    FactorOp factor = factors.lookup(axis.getName());
    if (factor) {
      llvm::SetVector<Operation *> needed;
      if (Operation *size = factor.getSize().getDefiningOp()) needed.insert(size);
      for (size_t i = 0; i < needed.size(); ++i) {
        for (Value operand : needed[i]->getOperands())
          if (Operation *op = operand.getDefiningOp()) needed.insert(op);
        if (auto size = dyn_cast<SizeOp>(needed[i]))
          for (StringAttr name : namesOf(size.getAxes())) splitBefore(name);
      }
    }
    Split split{values.axis(axis.getName()), values.axis(axis.getOuter()), values.axis(axis.getInner()), {}, {}};
    if (factor) split.fixed = values.axis(factor.getAxis()), split.size = values.factor(factor.getSize());
    result->statements.push_back({{}, std::move(split)});
  }
  /// The split that an axis is a part of.
  void splitBefore(StringAttr part) {
    for (Attribute row : kernel.getAxes())
      if (auto axis = cast<AxisAttr>(row); axis.getOuter() == part || axis.getInner() == part) split(axis);
  }

  KernelOp kernel;
  ValueFormatter values;
  std::unique_ptr<Kernel> result = std::make_unique<Kernel>();
  llvm::StringMap<FactorOp> factors; // by the axis that is split
  llvm::DenseSet<StringAttr> done;
};

} // namespace

std::string formatKernel(KernelOp kernel) { return KernelFormatter(kernel).run(); }

} // namespace normc
