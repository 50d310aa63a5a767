#include "compiler/frontend/Bindings.h"
#include "compiler/frontend/Imports.h"
#include "compiler/frontend/Parser.h"
#include <set>

namespace normc {
namespace {

class Binder {
public:
  Binder(const File &file, const Kernel &kernel, Diagnostics &diagnostics)
      : file(file), kernel(kernel), diagnostics(diagnostics) {}

  Bindings generic() {
    Bindings bindings;
    for (const Parameter &parameter : kernel.parameters) {
      const Name &name = parameter.name;
      auto [known, added] = bindings.emplace(name.text, Bound{&parameter, {}});
      if (!added) error(name.spot, "the parameter `" + name.text + "` is declared twice");
      if (parameter.kind == ParameterKind::type && elementTypeNamed(name.text))
        error(name.spot, "the parameter `" + name.text + "` redefines an element type: give it another name");
      if (parameter.kind == ParameterKind::method && isMethodName(name.text))
        error(name.spot, "the parameter `" + name.text + "` redefines a method: give it another name");
      if (parameter.kind == ParameterKind::function &&
          (builtinNamed(name.text) || kernel.unit->functions.count(name.text)))
        error(name.spot, "the parameter `" + name.text + "` redefines a fn: give it another name");
      auto *byDefault = std::get_if<Name>(&parameter.byDefault);
      if (byDefault && parameter.kind == ParameterKind::function) {
        FunctionReference found;
        if (std::string problem = lookUp(byDefault->text, parameter.kindWritten, found); !problem.empty())
          error(byDefault->spot, problem);
      }
    }
    return bindings;
  }

  bool bind(const Interface &interface, const Selection &selection, Bindings &bindings) {
    std::vector<std::string> names, reals;
    for (const Parameter &parameter : kernel.parameters) {
      names.push_back(parameter.name.text);
      if (parameter.kind == ParameterKind::real) reals.push_back(parameter.name.text);
    }
    for (const auto &[name, text] : selection.defines)
      if (!bindings.count(name))
        usage("-D " + name + ": " + interface.name + " has no parameter `" + name + "`" + hint(name, names));
    for (const std::string &name : selection.runtimeScalars) {
      auto found = bindings.find(name);
      if (found == bindings.end())
        usage("--runtime-scalar " + name + ": " + interface.name + " has no parameter `" + name + "`" +
              hint(name, reals));
      else if (found->second.parameter->kind != ParameterKind::real)
        usage("--runtime-scalar " + name + ": `" + name + "` is of kind " +
              std::string(nameOf(found->second.parameter->kind)) + ", only a real can move to run time");
      else if (selection.defines.count(name))
        usage("`" + name + "` is bound by -D and moved to run time by --runtime-scalar: choose one");
      else found->second.atRunTime = true;
    }
    for (const Parameter &parameter : kernel.parameters) {
      Bound &bound = bindings[parameter.name.text];
      if (bound.atRunTime) continue;
      if (auto define = selection.defines.find(parameter.name.text); define != selection.defines.end())
        fromText(bound, define->second);
      else if (parameter.kind != ParameterKind::type || !fromPassed(bound, interface, selection))
        fromDefault(bound, interface);
    }
    return good;
  }

private:
  void error(Spot spot, std::string message) {
    diagnostics.error(spot.place(), std::move(message));
    good = false;
  }
  Diagnostics::Entry &usage(std::string message) {
    good = false;
    return diagnostics.error(Place{}, std::move(message), Fault::usage);
  }

  static std::string hint(std::string_view name, const std::vector<std::string> &candidates) {
    std::string near = nearestName(name, candidates);
    return near.empty() ? "" : ": did you mean `" + near + "`";
  }

  /// Empty, or why the name is not an elementwise function of one argument.
  std::string lookUp(const std::string &name, bool surelyFunction, FunctionReference &found) {
    found.builtin = builtinNamed(name);
    found.function = found.builtin ? nullptr : findFunction(file, *kernel.unit, name);
    if (found.function) {
      size_t arguments = found.function->arguments.size();
      if (arguments == 1) return "";
      return "`" + name + "` takes " + std::to_string(arguments) +
             " arguments: a parameter of kind fn is a function of one";
    }
    if (found.builtin) {
      if (!found.builtin->elementwise) return "`" + name + "` is not an elementwise function";
      if (found.builtin->operands == 1) return "";
      return "`" + name + "` takes " + std::to_string(found.builtin->operands) +
             " arguments: a parameter of kind fn is a function of one";
    }
    if (!kernel.unit->wellFormed) return ""; // it may be one that did not parse
    std::vector<std::string> candidates = builtinNames();
    for (const auto &entry : kernel.unit->functions) candidates.push_back(entry.first);
    if (file.activations)
      for (const auto &entry : file.activations->functions) candidates.push_back(entry.first);
    if (!surelyFunction) {
      for (const std::string &method : methodNames()) candidates.push_back(method);
      for (const std::string &type : elementTypeNames()) candidates.push_back(type);
    }
    return "unknown fn `" + name + "`" + hint(name, candidates);
  }

  void fromText(Bound &bound, const std::string &text) {
    const Parameter &parameter = *bound.parameter;
    std::string prefix = "-D " + parameter.name.text + "=" + text + ": ";
    std::optional<Literal> literal = parseLiteral(text);
    std::string wanted;
    switch (parameter.kind) {
    case ParameterKind::type:
      if (auto type = elementTypeNamed(text)) return void(bound.value = *type);
      wanted = "an element type (" + listElementTypes() + ")";
      break;
    case ParameterKind::integer:
      if (literal && std::holds_alternative<int64_t>(literal->value))
        return void(bound.value = std::get<int64_t>(literal->value));
      wanted = "an integer of 64 bits";
      break;
    case ParameterKind::real:
      if (literal && std::holds_alternative<double>(literal->value))
        return void(bound.value = std::get<double>(literal->value));
      if (literal && std::holds_alternative<int64_t>(literal->value))
        return void(bound.value = static_cast<double>(std::get<int64_t>(literal->value)));
      wanted = "a number";
      break;
    case ParameterKind::boolean:
      if (literal && std::holds_alternative<bool>(literal->value))
        return void(bound.value = std::get<bool>(literal->value));
      wanted = "true or false";
      break;
    case ParameterKind::method:
      if (isMethodName(text)) return void(bound.value = text);
      wanted = "auto, two_pass, one_pass or welford";
      break;
    case ParameterKind::function: {
      FunctionReference found;
      std::string problem = lookUp(text, true, found);
      if (problem.empty()) return void(bound.value = found);
      usage(prefix + problem);
      return;
    }
    }
    usage(prefix + "`" + parameter.name.text + "` is of kind " + std::string(nameOf(parameter.kind)) + ": expected " +
          wanted + ", found `" + text + "`");
  }

  bool fromPassed(Bound &bound, const Interface &interface, const Selection &selection) {
    for (const Interface::Item &input : interface.inputs) {
      if (input.type->element.text != bound.parameter->name.text) continue;
      if (selection.passed && !selection.passed->count(input.name)) continue;
      auto type = selection.inputTypes.find(input.name);
      if (type == selection.inputTypes.end()) continue;
      bound.value = type->second;
      return true;
    }
    return false;
  }

  void fromDefault(Bound &bound, const Interface &interface) {
    const Parameter &parameter = *bound.parameter;
    if (auto *literal = std::get_if<Literal>(&parameter.byDefault)) {
      std::visit([&](auto value) { bound.value = value; }, literal->value);
      return;
    }
    if (auto *name = std::get_if<Name>(&parameter.byDefault)) {
      if (parameter.kind == ParameterKind::type) bound.value = *elementTypeNamed(name->text);
      else if (parameter.kind == ParameterKind::method) bound.value = name->text;
      else {
        FunctionReference found;
        lookUp(name->text, true, found); // reported with the declaration
        bound.value = found;
      }
      return;
    }
    std::string message = "the parameter `" + parameter.name.text + "` of " + interface.name +
                          " has no default and is not bound: add -D " + parameter.name.text + "=";
    good = false;
    diagnostics.error(parameter.name.spot.place(), message, Fault::usage);
  }

  const File &file;
  const Kernel &kernel;
  Diagnostics &diagnostics;
  bool good = true;
};
} // namespace

Bindings genericBindings(const File &file, const Kernel &kernel, Diagnostics &diagnostics) {
  return Binder(file, kernel, diagnostics).generic();
}

bool bindParameters(const File &file, const Kernel &kernel, const Interface &interface, const Selection &selection,
                    Bindings &bindings, Diagnostics &diagnostics) {
  Binder binder(file, kernel, diagnostics);
  bindings = binder.generic();
  return binder.bind(interface, selection, bindings);
}

std::optional<ElementType> elementOf(const TensorType &type, const Bindings &bindings) {
  if (auto element = elementTypeNamed(type.element.text)) return element;
  auto found = bindings.find(type.element.text);
  if (found == bindings.end()) return std::nullopt;
  auto *element = std::get_if<ElementType>(&found->second.value);
  return element ? std::optional(*element) : std::nullopt;
}

} // namespace normc
