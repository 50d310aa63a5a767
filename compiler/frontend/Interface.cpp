#include "compiler/frontend/Interface.h"
#include "compiler/ElementType.h"
#include <algorithm>
#include <set>

namespace normc {
namespace {
using Item = Interface::Item;

/// Derivatives of derivatives beyond this are a mistake.
constexpr size_t mostOrders = 8;

const Item *named(const std::vector<Item> &items, std::string_view name) {
  auto found = std::find_if(items.begin(), items.end(), [&](const Item &item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

std::vector<std::string> namesOf(const std::vector<Item> &items) {
  std::vector<std::string> names;
  for (const Item &item : items) names.push_back(item.name);
  return names;
}

class Deriver {
public:
  Deriver(Interface &interface, Diagnostics &diagnostics) : interface(interface), diagnostics(diagnostics) {}

  /// From the interface of the kernel that is derived to that of its gradient.
  bool derive(const Gradient &gradient) {
    if (gradient.cotangents.empty()) error(gradient.name.spot, "the gradient names no output behind `of`");
    if (gradient.wrt.empty()) error(gradient.name.spot, "the gradient names no input behind `wrt`");
    bool isOnce = true;
    for (const auto *names : {&gradient.cotangents, &gradient.wrt, &gradient.given}) isOnce &= once(*names);
    if (!isOnce) return false;

    Interface result;
    result.name = gradient.name.text;
    result.kernel = interface.kernel;
    result.gradients = interface.gradients;
    result.gradients.push_back(&gradient);
    for (const Name &name : gradient.cotangents)
      if (const Item *output = outputNamed(name, "of"); output && floating(*output, name, "a cotangent"))
        result.inputs.push_back(differential(name, *output));
    for (const Item &input : interface.inputs) {
      result.inputs.push_back(input);
      result.inputs.back().state = false; // in a gradient it is a plain input
      result.inputs.back().primal.clear();
    }
    for (const Name &name : gradient.given)
      if (const Item *output = outputNamed(name, "given")) {
        Item item{name.text, output->type, name.spot};
        item.given = true;
        result.inputs.push_back(std::move(item));
      }
    for (const Name &name : gradient.wrt)
      if (const Item *input = wrt(name, gradient)) result.outputs.push_back(differential(name, *input));
    distinct(result);
    interface = std::move(result);
    return good;
  }

private:
  static Item differential(const Name &name, const Item &of) {
    Item item{"d" + name.text, of.type, name.spot};
    item.primal = name.text;
    return item;
  }

  void error(Spot spot, std::string message) {
    diagnostics.error(spot.place(), std::move(message));
    good = false;
  }

  bool once(const std::vector<Name> &names) {
    std::set<std::string> seen;
    for (const Name &name : names)
      if (!seen.insert(name.text).second) {
        error(name.spot, "`" + name.text + "` stands twice in one list");
        return false;
      }
    return true;
  }

  const Item *outputNamed(const Name &name, const std::string &clause) {
    if (const Item *output = interface.output(name.text)) return output;
    const Item *input = interface.input(name.text);
    std::string message = "`" + name.text + "` is not an output of " + interface.name;
    if (input && input->state) message += ": it is state, whose cotangent is zero";
    else if (input) message += ": it is an input, which stands behind `wrt`";
    else if (std::string near = nearestName(name.text, namesOf(interface.outputs)); !near.empty())
      message += ": did you mean `" + near + "`";
    else message += ": `" + clause + "` names outputs";
    error(name.spot, message);
    return nullptr;
  }

  bool floating(const Item &item, const Name &at, const std::string &what) {
    auto type = elementTypeNamed(item.type->element.text);
    if (!type || isFloating(*type)) return true;
    error(at.spot, "`" + item.name + "` is " + std::string(nameOf(*type)) + ": only a floating value has " + what);
    return false;
  }

  const Item *wrt(const Name &name, const Gradient &gradient) {
    bool given = std::any_of(gradient.given.begin(), gradient.given.end(),
                             [&](const Name &other) { return other.text == name.text; });
    const Item *input = interface.input(name.text);
    if (given || (input && input->given)) {
      error(name.spot, "`" + name.text + "` is given: there is no gradient with respect to it");
      return nullptr;
    }
    if (!input) {
      std::string message = "`" + name.text + "` is not an input of " + interface.name;
      if (interface.output(name.text)) message += ": it is an output, which stands behind `of`";
      else if (std::string near = nearestName(name.text, namesOf(interface.inputs)); !near.empty())
        message += ": did you mean `" + near + "`";
      error(name.spot, message);
      return nullptr;
    }
    if (input->state) {
      error(name.spot, "`" + name.text + "` is state: there is no gradient with respect to it");
      return nullptr;
    }
    return floating(*input, name, "a gradient") ? input : nullptr;
  }

  void distinct(const Interface &result) {
    std::set<std::string> seen;
    for (const auto *items : {&result.inputs, &result.outputs})
      for (const Item &item : *items)
        if (!seen.insert(item.name).second)
          error(item.spot,
                "the gradient would have two tensors called `" + item.name + "`: rename one in " + interface.name);
  }

  Interface &interface;
  Diagnostics &diagnostics;
  bool good = true;
};
} // namespace

const Item *Interface::input(std::string_view name) const { return named(inputs, name); }
const Item *Interface::output(std::string_view name) const { return named(outputs, name); }

Interface interfaceOf(const Kernel &kernel) {
  Interface result;
  result.name = kernel.name.text;
  result.kernel = &kernel;
  for (const Input &input : kernel.inputs) {
    Item item{input.name.text, &input.type, input.name.spot};
    item.state = input.state;
    item.scalar = input.type.scalar;
    item.optional = input.byDefault.has_value();
    result.inputs.push_back(std::move(item));
  }
  for (const Output &output : kernel.outputs)
    result.outputs.push_back({output.name.text, &output.type, output.name.spot});
  return result;
}

bool interfaceOf(const Gradient &gradient, Interface &into, Diagnostics &diagnostics) {
  std::vector<const Gradient *> chain(1, &gradient);
  const Kernel *kernel = nullptr;
  while (!kernel) {
    const Gradient &last = *chain.back();
    if (auto found = last.unit->kernels.find(last.of.text); found != last.unit->kernels.end()) {
      kernel = found->second;
      break;
    }
    auto found = last.unit->gradients.find(last.of.text);
    if (found == last.unit->gradients.end()) {
      std::vector<std::string> names;
      for (const auto &entry : last.unit->kernels) names.push_back(entry.first);
      for (const auto &entry : last.unit->gradients) names.push_back(entry.first);
      std::string near = nearestName(last.of.text, names);
      diagnostics.error(last.of.spot.place(), "unknown kernel `" + last.of.text + "`" +
                                                  (near.empty() ? "" : ": did you mean `" + near + "`"));
      return false;
    }
    if (std::find(chain.begin(), chain.end(), found->second) != chain.end()) {
      diagnostics.error(last.of.spot.place(), "the gradient `" + gradient.name.text + "` derives itself");
      return false;
    }
    if (chain.size() == mostOrders) {
      diagnostics.error(gradient.of.spot.place(),
                        "more than " + std::to_string(mostOrders) + " gradients of gradients");
      return false;
    }
    chain.push_back(found->second);
  }
  into = interfaceOf(*kernel);
  for (auto step = chain.rbegin(); step != chain.rend(); ++step)
    if (!Deriver(into, diagnostics).derive(**step)) return false;
  return true;
}

std::string signatureText(const Interface &interface) {
  std::string text = interface.name;
  std::string separator;
  auto next = [&] { return std::exchange(separator, ", "); };
  if (!interface.kernel->parameters.empty()) {
    text += '<';
    for (const Parameter &parameter : interface.kernel->parameters) {
      text += next() + parameter.name.text;
      bool hasDefault = !std::holds_alternative<std::monostate>(parameter.byDefault);
      if (parameter.kindWritten || !hasDefault) text.append(": ").append(nameOf(parameter.kind));
      if (auto *literal = std::get_if<Literal>(&parameter.byDefault)) text += " = " + literal->text;
      if (auto *name = std::get_if<Name>(&parameter.byDefault)) text += " = " + name->text;
    }
    text += '>';
  }
  text += '(';
  separator.clear();
  for (const Item &input : interface.inputs) {
    text += next() + input.name + ": " + (input.state ? "inout " : "") + toText(*input.type);
    if (input.type->scalar && !input.scalar) text += "[]";
    for (const Input &written : interface.kernel->inputs)
      if (written.byDefault && input.type == &written.type) text += " = " + written.byDefault->text;
  }
  text += ") -> (";
  separator.clear();
  for (const Item &output : interface.outputs) text += next() + output.name + ": " + toText(*output.type);
  return text + ")";
}

} // namespace normc
