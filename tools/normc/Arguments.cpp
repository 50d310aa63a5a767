#include "tools/normc/Arguments.h"
#include "tools/normc/Declarations.h"
#include "tools/normc/Elements.h"
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <limits>

namespace normc::cli {
namespace {

bool isEightBitFloat(ElementType type) { return type == ElementType::f8e4m3 || type == ElementType::f8e5m2; }

} // namespace

std::string storeScalar(ElementType type, const ScalarValue &value, std::byte *memory) {
  if (type == ElementType::boolean) {
    if (!value.boolean && (!value.integer || (*value.integer != 0 && *value.integer != 1)))
      return "it is a bool: expected true or false";
    storeElement(type, memory, 0, value.boolean.value_or(value.integer == 1));
    return {};
  }
  if (value.boolean) return fmt::format("it is {}: expected a number", nameOf(type));
  if (isFloating(type)) {
    storeElement(type, memory, 0, value.real);
    return {};
  }
  std::optional<int64_t> integer = value.integer;
  if (!integer && value.real == std::floor(value.real) && std::fabs(value.real) < 0x1p62)
    integer = static_cast<int64_t>(value.real);
  if (!integer) return fmt::format("it is {}: expected an integer", nameOf(type));
  normc::store(type, memory, 0, {.integer = *integer});
  if (normc::load(type, memory, 0).integer != *integer) return fmt::format("it does not fit in {}", nameOf(type));
  return {};
}

std::string Arguments::placeOf(const std::string &input) const {
  if (auto place = options.inputs.find(input); place != options.inputs.end()) return place->second.format();
  return "--seed-input " + input;
}

bool Arguments::read() {
  bool good = true;
  for (const auto &[name, place] : options.inputs) {
    std::optional<Tensor> tensor = readArray(place, diagnostics);
    if (tensor) arrays.emplace(name, std::move(*tensor));
    good &= tensor.has_value();
  }
  for (const auto &[name, seed] : options.seedInputs) {
    std::optional<Tensor> tensor = makeSeedInput(seed, diagnostics);
    if (tensor) arrays.emplace(name, std::move(*tensor));
    good &= tensor.has_value();
  }
  return good;
}

std::optional<Selection> Arguments::select(const Source &source) {
  Selection selection = options.selection;
  selection.passed.emplace();
  for (const auto &[name, value] : options.scalars) selection.passed->insert(name);
  for (const auto &[name, tensor] : arrays) selection.passed->insert(name);
  if (!options.wanted.empty()) selection.outputs = options.wanted;
  std::optional<Declared> declared = readDeclaration(source, selection);
  if (declared && !checkNames(*declared, options, diagnostics)) return std::nullopt;
  bool good = true;
  for (auto &[name, tensor] : arrays) {
    if (!tensor.type && declared) {
      const std::string &element = declared->inputs[name].element;
      std::optional<ElementType> type = elementTypeOf(declared->inputs[name], selection);
      if (type && isEightBitFloat(*type)) {
        tensor.type = type;
      } else if (!type) {
        diagnostics.error({placeOf(name)}, fmt::format("the file does not say which f8 its elements are: bind {} with "
                                                       "-D {}=f8e4m3 or -D {}=f8e5m2",
                                                       element, element, element));
        good = false;
      } else {
        diagnostics.error({placeOf(name)},
                          fmt::format("its elements are of 8 bits (f8): input {} is {}", name, nameOf(*type)));
        good = false;
      }
    }
    if (declared) {
      std::string problem = checkArray(name, declared->inputs[name], selection, tensor);
      if (!problem.empty()) diagnostics.error({placeOf(name)}, problem);
      good &= problem.empty();
    }
    if (tensor.type) selection.inputTypes[name] = *tensor.type;
    selection.inputRanks[name] = static_cast<int64_t>(tensor.shape.size());
  }
  // Scalars that the kernel turns out not to need, too.
  for (const auto &[name, value] : options.scalars) {
    std::optional<ElementType> type = declared ? elementTypeOf(declared->inputs[name], selection) : std::nullopt;
    if (type) good &= checkScalar(name, *type, value);
  }
  // Without any --output every result is wanted, and of states those that there is a value for.
  if (options.wanted.empty() && declared)
    for (const auto &[name, input] : declared->inputs)
      if (input.state && !selection.passed->contains(name)) selection.omit.insert(name);
  if (!good) return std::nullopt;
  return selection;
}

bool Arguments::bindInput(const Argument &argument, Passed &passed) {
  auto found = arrays.find(argument.name);
  if (found == arrays.end()) {
    diagnostics.error({options.file},
                      fmt::format("input {} is not passed: --input {}=FILE", argument.name, argument.name));
    return false;
  }
  Tensor &tensor = found->second;
  if (!tensor.type && isEightBitFloat(argument.type)) tensor.type = argument.type;
  if (tensor.type != argument.type) {
    diagnostics.error({placeOf(argument.name)},
                      fmt::format("its elements are {}: input {} is {}, and no type is converted",
                                  tensor.type ? nameOf(*tensor.type) : "f8", argument.name, nameOf(argument.type)));
    return false;
  }
  passed.shape = tensor.shape;
  passed.data = tensor.data();
  if (tensor.shape.empty() && !isFloating(argument.type))
    passed.integer = normc::load(argument.type, tensor.data(), 0).integer;
  return true;
}

bool Arguments::bindScalar(const Argument &argument, Passed &passed) {
  auto value = options.scalars.find(argument.name);
  if (value == options.scalars.end()) {
    diagnostics.error({options.file},
                      fmt::format("scalar {} is not passed: --scalar {}=NUMBER", argument.name, argument.name));
    return false;
  }
  if (!checkScalar(argument.name, argument.type, value->second)) return false;
  if (!isFloating(argument.type)) passed.integer = normc::load(argument.type, scalars[argument.name].data(), 0).integer;
  return true;
}

bool Arguments::checkScalar(const std::string &name, ElementType type, const ScalarValue &value) {
  std::string problem = storeScalar(type, value, scalars[name].data());
  if (!problem.empty()) usageError(diagnostics, fmt::format("--scalar {}: {}, found `{}`", name, problem, value.text));
  return problem.empty();
}

bool Arguments::bind(const Signature &taken) {
  signature = &taken;
  std::vector<Passed> passed(taken.arguments.size());
  bool good = true;
  for (size_t i = 0; i < taken.arguments.size(); ++i) {
    const Argument &argument = taken.arguments[i];
    if (argument.role == Argument::Role::scalar) good &= bindScalar(argument, passed[i]);
    else if (argument.role != Argument::Role::output) good &= bindInput(argument, passed[i]);
  }
  if (!good) return false;
  bound = bindExtents(taken, passed, diagnostics);
  return bound && allocateOutputs();
}

bool Arguments::allocateOutputs() {
  for (size_t i = 0; i < signature->arguments.size(); ++i) {
    const Argument &argument = signature->arguments[i];
    const std::vector<int64_t> &shape = bound->shapes[i];
    if (argument.role == Argument::Role::scalar) {
      tensors.push_back({scalars[argument.name].data(), argument.type, {}});
      continue;
    }
    auto found = arrays.find(argument.name);
    if (argument.role == Argument::Role::output) {
      // In place: the input's memory, where the kernel still reads it.
      auto shared = options.selection.inplace.find(argument.name);
      if (shared != options.selection.inplace.end() && signatureHas(shared->second)) {
        found = arrays.find(shared->second);
      } else {
        std::optional<Tensor> tensor = allocateTensor(argument.type, shape, "output " + argument.name, diagnostics);
        if (!tensor) return false;
        found = arrays.insert_or_assign(argument.name, std::move(*tensor)).first;
      }
    }
    tensors.push_back({found->second.data(), argument.type, shape});
  }
  return true;
}

bool Arguments::signatureHas(const std::string &name) const {
  for (const Argument &argument : signature->arguments)
    if (argument.name == name) return true;
  return false;
}

int64_t Arguments::bytes() const {
  int64_t total = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Argument &argument = signature->arguments[i];
    if (argument.role == Argument::Role::scalar) continue;
    int64_t bytes = byteCount(bound->shapes[i], bytesOf(argument.type)).value_or(0);
    total += argument.role == Argument::Role::state && argument.written ? 2 * bytes : bytes;
  }
  return total;
}

bool Arguments::keepInputs() {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Argument &argument = signature->arguments[i];
    auto shared = options.selection.inplace.find(argument.name);
    bool overwritten =
        argument.written && (argument.role == Argument::Role::state ||
                             (shared != options.selection.inplace.end() && signatureHas(shared->second)));
    if (!overwritten) continue;
    auto bytes = static_cast<size_t>(byteCount(bound->shapes[i], bytesOf(argument.type)).value_or(0));
    std::optional<runtime::Buffer> copy = runtime::Buffer::allocate(bytes);
    if (!copy) {
      diagnostics.error({options.file}, fmt::format("no memory to keep {} for repeated runs", argument.name),
                        Fault::system);
      return false;
    }
    std::memcpy(copy->data(), tensors[i].data, bytes);
    kept.push_back({tensors[i].data, std::move(*copy)});
  }
  return true;
}

void Arguments::restore() {
  for (const Kept &entry : kept) std::memcpy(entry.place, entry.copy.data(), entry.copy.size());
}

} // namespace normc::cli
