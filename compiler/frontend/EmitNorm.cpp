#include "compiler/frontend/EmitNorm.h"
#include "compiler/StorageType.h"
#include "compiler/frontend/CheckSelection.h"
#include "compiler/frontend/EmitValues.h"
#include <algorithm>
using namespace mlir;

namespace normc {
namespace {

/// Where a name of a kernel leads: to one that is written, or to one that is derived.
struct Selected {
  const Kernel *kernel = nullptr;
  const Gradient *gradient = nullptr;
};

std::optional<Selected> select(const File &file, const std::string &name, Diagnostics &diagnostics) {
  const Unit &unit = *file.main;
  if (name.empty()) {
    for (const Declaration &declaration : unit.declarations)
      if (auto *kernel = std::get_if<std::unique_ptr<Kernel>>(&declaration)) return Selected{kernel->get(), nullptr};
    if (unit.kernels.size() == 1) return Selected{unit.kernels.begin()->second, nullptr};
    diagnostics.error({unit.source.path, 0, 0}, "the file has no kernel");
    return std::nullopt;
  }
  if (auto found = unit.kernels.find(name); found != unit.kernels.end()) return Selected{found->second, nullptr};
  if (auto found = unit.gradients.find(name); found != unit.gradients.end()) return Selected{nullptr, found->second};
  std::vector<std::string> names;
  for (const auto &entry : unit.kernels) names.push_back(entry.first);
  for (const auto &entry : unit.gradients) names.push_back(entry.first);
  std::string near = nearestName(name, names), all;
  for (const std::string &known : names) all += (all.empty() ? "" : ", ") + known;
  diagnostics.error({unit.source.path, 0, 0},
                    "unknown kernel `" + name + "`: " +
                        (!near.empty() ? "did you mean `" + near + "`"
                         : all.empty() ? "there is none"
                                       : "there are " + all),
                    Fault::usage);
  return std::nullopt;
}

/// What only the bound types tell of a gradient.
bool checkGradientTypes(const Interface &interface, const Bindings &bindings, Diagnostics &diagnostics) {
  bool good = true;
  for (const auto *items : {&interface.inputs, &interface.outputs})
    for (const Interface::Item &item : *items) {
      auto type = elementOf(*item.type, bindings);
      if (item.primal.empty() || !type || isFloating(*type)) continue;
      diagnostics.error(item.spot.place(), "`" + item.primal + "` is " + std::string(nameOf(*type)) +
                                               ": only a floating value has a gradient");
      good = false;
    }
  return good;
}

class ModuleEmitter {
public:
  ModuleEmitter(MLIRContext &context, const ResolvedKernel &resolved)
      : context(context), builder(&context), resolved(resolved), kernel(*resolved.kernel) {}

  OwningOpRef<ModuleOp> run(const Interface &interface) {
    OwningOpRef<ModuleOp> module = ModuleOp::create(location(kernel.name.spot));
    builder.setInsertionPointToEnd(module->getBody());
    emitKernel();
    StringRef of = kernel.name.text;
    for (const Gradient *gradient : interface.gradients) {
      builder.setInsertionPointToEnd(module->getBody());
      SmallVector<Location> places = {location(gradient->name.spot)};
      for (const auto *list : {&gradient->cotangents, &gradient->given})
        for (const Name &name : *list) places.push_back(location(name.spot));
      norm::GradientOp::create(builder, builder.getFusedLoc(places), builder.getStringAttr(gradient->name.text),
                               FlatSymbolRefAttr::get(&context, of), names(gradient->cotangents), names(gradient->wrt),
                               names(gradient->given));
      of = gradient->name.text;
    }
    return module;
  }

private:
  Location location(Spot spot) { return locationOf(&context, spot); }
  ArrayAttr names(const std::vector<Name> &list) {
    return builder.getStrArrayAttr(llvm::map_to_vector(list, [](const Name &name) { return StringRef(name.text); }));
  }
  StringAttr string(StringRef text) { return builder.getStringAttr(text); }

  ArrayAttr table() {
    SmallVector<Attribute> rows;
    const std::vector<AxisTable::Axis> &axes = resolved.table.axes;
    for (unsigned axis : resolved.table.ordered)
      rows.push_back(axes[axis].isSplit()
                         ? norm::AxisAttr::product(string(axes[axis].name), string(axes[axes[axis].outer].name),
                                                   string(axes[axes[axis].inner].name))
                         : norm::AxisAttr::get(&context, string(axes[axis].name)));
    return builder.getArrayAttr(rows);
  }

  /// Where splits without a `where` stand, for messages: at the part that no input declares.
  DictionaryAttr splitPlaces() {
    NamedAttrList places;
    const std::vector<AxisTable::Axis> &axes = resolved.table.axes;
    for (const AxisTable::Axis &axis : axes) {
      if (!axis.isSplit()) continue;
      Place place = axis.splitSpot.place();
      places.set(axis.name, string(place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column)));
    }
    for (const ResolvedKernel::Factor &factor : resolved.factors) places.erase(axes[factor.whole].name);
    return places.getDictionary(&context);
  }

  Type memory(ElementType element, const TensorAxes &axes) {
    Type type = storageType(&context, element);
    if (axes.leaves.empty()) return RankedTensorType::get({}, type);
    return norm::withAxes(type, leafNames(axes));
  }
  SmallVector<StringAttr> leafNames(const TensorAxes &axes) {
    return llvm::map_to_vector(axes.leaves, [&](unsigned leaf) { return string(resolved.table.axes[leaf].name); });
  }

  NamedAttrList attributes(const Name &name, const TensorType &type) {
    NamedAttrList list;
    list.set("norm.name", string(name.text));
    list.set("norm.dims", builder.getArrayAttr(llvm::map_to_vector(
                              type.dims, [&](const AxisRef &dim) -> Attribute { return string(dim.text()); })));
    return list;
  }

  /// A literal as a value of the input's kind.
  Attribute byDefault(const Literal &literal, ElementType type) {
    double real = std::visit([](auto value) { return static_cast<double>(value); }, literal.value);
    if (isFloating(type)) return builder.getF64FloatAttr(real);
    if (type == ElementType::boolean) return builder.getBoolAttr(real != 0);
    if (auto *integer = std::get_if<int64_t>(&literal.value)) return builder.getI64IntegerAttr(*integer);
    return builder.getI64IntegerAttr(static_cast<int64_t>(real));
  }

  void emitKernel() {
    SmallVector<Type> arguments, results;
    SmallVector<Attribute> argumentAttributes, resultAttributes;
    SmallVector<Location> locations;
    for (auto [i, input] : llvm::enumerate(kernel.inputs)) {
      ElementType type = *resolved.inputTypes[i];
      arguments.push_back(input.type.scalar ? storageType(&context, type) : memory(type, resolved.inputs[i]));
      NamedAttrList list = attributes(input.name, input.type);
      if (input.state) list.set("norm.state", builder.getUnitAttr());
      if (input.byDefault) list.set("norm.default", byDefault(*input.byDefault, type));
      argumentAttributes.push_back(list.getDictionary(&context));
      locations.push_back(location(input.name.spot));
    }
    Type compute = resolved.graph.computesInDouble ? Type(builder.getF64Type()) : Type(builder.getF32Type());
    for (const Parameter *scalar : resolved.runtimeScalars) {
      arguments.push_back(compute);
      NamedAttrList list = attributes(scalar->name, TensorType());
      if (auto *literal = std::get_if<Literal>(&scalar->byDefault))
        list.set("norm.default", byDefault(*literal, ElementType::f64));
      argumentAttributes.push_back(list.getDictionary(&context));
      locations.push_back(location(scalar->name.spot));
    }
    std::vector<NodeId> stored;
    auto result = [&](const Name &name, const TensorType &type, ElementType element, const TensorAxes &axes,
                      NodeId value) {
      results.push_back(memory(element, axes));
      resultAttributes.push_back(attributes(name, type).getDictionary(&context));
      stored.push_back(value);
    };
    for (auto [i, output] : llvm::enumerate(kernel.outputs))
      result(output.name, output.type, *resolved.outputTypes[i], resolved.outputs[i], resolved.outputValues[i]);
    for (auto [i, value] : resolved.updates)
      result(kernel.inputs[i].name, kernel.inputs[i].type, *resolved.inputTypes[i], resolved.inputs[i], value);

    auto op = norm::KernelOp::create(builder, location(kernel.name.spot), string(kernel.name.text), table(),
                                     TypeAttr::get(builder.getFunctionType(arguments, results)),
                                     builder.getArrayAttr(argumentAttributes), builder.getArrayAttr(resultAttributes));
    if (DictionaryAttr places = splitPlaces(); !places.empty()) op->setAttr("norm.splits", places);
    Block *body = builder.createBlock(&op.getBody(), {}, arguments, locations);
    ValueEmitter values(builder, resolved, body->getArguments());
    values.emit(stored);
    for (const ResolvedKernel::Factor &factor : resolved.factors)
      norm::FactorOp::create(builder, location(factor.spot), string(resolved.table.axes[factor.axis].name),
                             values[factor.size], string(resolved.table.axes[factor.whole].name));
    SmallVector<Value> returned;
    for (auto [type, value] : llvm::zip(results, stored)) returned.push_back(values.store(value, type));
    norm::ReturnOp::create(builder, location(kernel.name.spot), returned);
  }

  MLIRContext &context;
  OpBuilder builder;
  const ResolvedKernel &resolved;
  const Kernel &kernel;
};
} // namespace

OwningOpRef<ModuleOp> emitNorm(MLIRContext &context, const File &file, const Selection &selection,
                               Diagnostics &diagnostics) {
  if (diagnostics.any() || !check(file, diagnostics)) return nullptr;
  std::optional<Selected> selected = select(file, selection.kernel, diagnostics);
  if (!selected) return nullptr;
  Interface interface;
  if (selected->kernel) interface = interfaceOf(*selected->kernel);
  else if (!interfaceOf(*selected->gradient, interface, diagnostics)) return nullptr;
  const Kernel &kernel = *interface.kernel;

  Bindings bindings;
  bool bound = bindParameters(file, kernel, interface, selection, bindings, diagnostics);
  AxisTable table;
  std::vector<TensorAxes> inputs, outputs;
  resolveAxes(kernel, table, inputs, outputs, diagnostics);
  bool fits = checkSelection(interface, bindings, table.names(), selection, diagnostics);
  if (!bound || !fits || !checkGradientTypes(interface, bindings, diagnostics)) return nullptr;

  ResolvedKernel resolved;
  // A gradient computes in f64 where a cotangent or a given output is f64, and so does the forward pass in it.
  for (const Interface::Item &item : interface.inputs)
    if (elementOf(*item.type, bindings) == ElementType::f64) resolved.graph.computesInDouble = true;
  if (!resolve(file, kernel, std::move(bindings), resolved, diagnostics)) return nullptr;
  context.loadDialect<norm::NormDialect, arith::ArithDialect, math::MathDialect>();
  return ModuleEmitter(context, resolved).run(interface);
}

} // namespace normc
