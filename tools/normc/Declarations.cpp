#include "tools/normc/Declarations.h"
#include "compiler/frontend/Imports.h"
#include "compiler/frontend/Interface.h"
#include <algorithm>
#include <fmt/format.h>

namespace normc::cli {
namespace {

std::string suggest(const std::string &name, const std::vector<std::string> &known) {
  std::string near = nearestName(name, known);
  if (!near.empty()) return fmt::format("did you mean `{}`", near);
  return known.empty() ? "it has none" : fmt::format("it has {}", fmt::join(known, ", "));
}

} // namespace

std::optional<Interface> findInterface(const Unit &unit, const std::string &name) {
  Diagnostics ignored;
  for (const Declaration &declaration : unit.declarations) {
    if (const auto *kernel = std::get_if<std::unique_ptr<normc::Kernel>>(&declaration))
      if (name.empty() || (*kernel)->name.text == name) return interfaceOf(**kernel);
    if (const auto *gradient = std::get_if<std::unique_ptr<Gradient>>(&declaration);
        gradient && (*gradient)->name.text == name) {
      Interface interface;
      if (interfaceOf(**gradient, interface, ignored)) return interface;
      return std::nullopt;
    }
  }
  if (auto kernel = unit.kernels.find(name); kernel != unit.kernels.end()) return interfaceOf(*kernel->second);
  return std::nullopt;
}

std::optional<Declared> readDeclaration(const Source &source, const Selection &selection) {
  Diagnostics ignored;
  std::unique_ptr<normc::File> file = parseFile(source.path, source.text, source.importPaths, ignored);
  if (!file->main) return std::nullopt;
  std::optional<Interface> interface = findInterface(*file->main, selection.kernel);
  if (!interface) return std::nullopt;
  Declared declared;
  for (const Interface::Item &item : interface->inputs) {
    Declared::Input &input = declared.inputs[item.name];
    input.element = item.type->element.text;
    input.text = toText(*item.type);
    for (const AxisRef &axis : item.type->dims)
      if (axis.pack) input.pack = true;
      else ++input.dimensions;
    input.scalar = item.scalar;
    input.state = item.state;
    if (item.state) declared.outputs.push_back(item.name);
  }
  for (const std::string &name : selection.runtimeScalars) declared.inputs[name].scalar = true;
  for (const Interface::Item &item : interface->outputs) declared.outputs.push_back(item.name);
  return declared;
}

std::optional<ElementType> elementTypeOf(const Declared::Input &input, const Selection &selection) {
  if (std::optional<ElementType> type = elementTypeNamed(input.element)) return type;
  auto bound = selection.defines.find(input.element);
  return bound == selection.defines.end() ? std::nullopt : elementTypeNamed(bound->second);
}

std::string checkArray(const std::string &name, const Declared::Input &input, const Selection &selection,
                       const Tensor &tensor) {
  std::optional<ElementType> type = elementTypeOf(input, selection);
  if (tensor.type && type && tensor.type != type)
    return fmt::format("its elements are {}: input {} is {}, and no type is converted", nameOf(*tensor.type), name,
                       elementTypeNamed(input.element) ? input.text : nameOf(*type));
  size_t rank = tensor.shape.size();
  if (input.pack ? rank >= input.dimensions : rank == input.dimensions) return {};
  return fmt::format("its shape is {}: input {} is {}, of {}{} dimension{}", formatShape(tensor.shape), name,
                     input.text, input.pack ? "at least " : "", input.dimensions, input.dimensions == 1 ? "" : "s");
}

bool checkNames(const Declared &declared, const Options &options, Diagnostics &diagnostics) {
  bool good = true;
  auto fail = [&](std::string message) {
    usageError(diagnostics, std::move(message));
    good = false;
  };
  std::vector<std::string> tensors, scalars;
  for (const auto &[name, input] : declared.inputs) (input.scalar ? scalars : tensors).push_back(name);
  auto checkTensor = [&](std::string_view option, const std::string &name) {
    auto input = declared.inputs.find(name);
    if (input != declared.inputs.end() && !input->second.scalar) return;
    if (input != declared.inputs.end())
      return fail(fmt::format("{} {}: it is a scalar: pass it with --scalar {}=NUMBER", option, name, name));
    if (std::find(declared.outputs.begin(), declared.outputs.end(), name) != declared.outputs.end())
      return fail(fmt::format("{} {}: it is an output of the kernel, not an input", option, name));
    fail(fmt::format("{}: the kernel has no input `{}`: {}", option, name, suggest(name, tensors)));
  };
  for (const auto &[name, place] : options.inputs) checkTensor("--input", name);
  for (const auto &[name, seed] : options.seedInputs) checkTensor("--seed-input", name);
  for (const auto &[name, value] : options.scalars) {
    auto input = declared.inputs.find(name);
    if (input != declared.inputs.end() && input->second.scalar) continue;
    if (input != declared.inputs.end())
      fail(fmt::format("--scalar {}: it is a tensor: pass it with --input {}=FILE", name, name));
    else fail(fmt::format("--scalar: the kernel has no scalar `{}`: {}", name, suggest(name, scalars)));
  }
  for (const auto &[name, place] : options.outputs) {
    if (std::find(declared.outputs.begin(), declared.outputs.end(), name) != declared.outputs.end()) continue;
    if (declared.inputs.contains(name))
      fail(fmt::format("--output {}: it is an input of the kernel, not an output", name));
    else fail(fmt::format("--output: the kernel has no output `{}`: {}", name, suggest(name, declared.outputs)));
  }
  return good;
}

} // namespace normc::cli
