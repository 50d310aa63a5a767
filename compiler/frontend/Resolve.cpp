#include "compiler/frontend/Resolve.h"
#include "compiler/frontend/ResolveExpression.h"
#include <cmath>

namespace normc {
namespace {

class KernelResolver {
public:
  KernelResolver(const File &file, ResolvedKernel &into, Diagnostics &diagnostics)
      : kernel(*into.kernel), into(into), diagnostics(diagnostics),
        expressions(file, *kernel.unit, into.graph, &into.table, &into.bindings, &scope, diagnostics) {}

  bool run() {
    size_t before = diagnostics.count();
    if (!countsGood()) return false;
    types();
    bool axesGood = resolveAxes(kernel, into.table, into.inputs, into.outputs, diagnostics);
    // Without the axes every statement would be wrong.
    if (!axesGood) return false;
    declare();
    expressions.opaqueCalls = into.opaqueCalls;
    for (size_t i = 0; i < kernel.statements.size(); ++i) {
      if (into.graph.overflowed()) return false;
      expressions.statement = i;
      std::visit([&](const auto &statement) { resolve(statement); }, kernel.statements[i].what);
    }
    finish();
    return diagnostics.count() == before;
  }

private:
  Diagnostics::Entry &error(Spot spot, std::string message) {
    return diagnostics.error(spot.place(), std::move(message));
  }

  //===-- Declarations -----------------------------------------------------------------------------------------------//

  /// What no kernel has, and what later stages need not be quick with.
  bool countsGood() {
    constexpr size_t mostTensors = 1000, mostDims = 64;
    if (kernel.inputs.size() + kernel.outputs.size() > mostTensors) {
      error(kernel.name.spot, "the kernel has more than " + std::to_string(mostTensors) + " inputs and outputs");
      return false;
    }
    bool good = true;
    auto check = [&](const Name &name, const TensorType &type) {
      if (type.dims.size() <= mostDims) return;
      error(name.spot, "`" + name.text + "` has more than " + std::to_string(mostDims) + " axes");
      good = false;
    };
    for (const Input &input : kernel.inputs) check(input.name, input.type);
    for (const Output &output : kernel.outputs) check(output.name, output.type);
    return good;
  }

  std::optional<ElementType> type(const TensorType &tensor) {
    auto known = elementOf(tensor, into.bindings);
    if (known) return known;
    const Name &element = tensor.element;
    auto bound = into.bindings.find(element.text);
    if (bound == into.bindings.end()) {
      std::vector<std::string> candidates = elementTypeNames();
      for (const auto &[name, parameter] : into.bindings)
        if (parameter.parameter->kind == ParameterKind::type) candidates.push_back(name);
      std::string near = nearestName(element.text, candidates);
      error(element.spot, "unknown element type `" + element.text + "`" +
                              (near.empty() ? ": f32, bf16, i8 and so on, or a parameter of kind type"
                                            : ": did you mean `" + near + "`"));
    } else if (bound->second.parameter->kind != ParameterKind::type) {
      error(element.spot, "`" + element.text + "` is a parameter of kind " +
                              std::string(nameOf(bound->second.parameter->kind)) + ", not an element type");
    }
    return std::nullopt;
  }

  void types() {
    for (const Input &input : kernel.inputs) {
      into.inputTypes.push_back(type(input.type));
      if (input.state && input.type.scalar)
        error(input.name.spot,
              "state is a tensor, which can be replaced: write `inout " + input.type.element.text + "[]`");
      if (input.byDefault) checkDefault(input, into.inputTypes.back());
      if (into.inputTypes.back() == ElementType::f64) into.graph.computesInDouble = true;
    }
    for (const Output &output : kernel.outputs) into.outputTypes.push_back(type(output.type));
  }

  /// The literal is a value of the input's type.
  void checkDefault(const Input &input, std::optional<ElementType> type) {
    if (!type || kindOf(*type) != ValueKind::integer) return;
    const Literal &literal = *input.byDefault;
    if (auto *real = std::get_if<double>(&literal.value); real && *real != std::floor(*real)) {
      error(literal.spot, "the default of `" + input.name.text + "` is to be an " + std::string(nameOf(*type)) +
                              ", found " + literal.text);
      return;
    }
    auto *real = std::get_if<double>(&literal.value);
    auto *integer = std::get_if<int64_t>(&literal.value);
    double value = real ? *real : integer ? static_cast<double>(*integer) : 0;
    double bits = 8.0 * static_cast<double>(bytesOf(*type));
    bool isUnsigned = *type == ElementType::u8;
    double least = isUnsigned ? 0 : -std::exp2(bits - 1), beyond = isUnsigned ? std::exp2(bits) : std::exp2(bits - 1);
    // The largest i64 rounds up to what lies beyond in f64.
    if (value < least || value > beyond || (value == beyond && !(integer && *type == ElementType::i64)) ||
        std::isnan(value))
      error(literal.spot,
            "the default " + literal.text + " of `" + input.name.text + "` does not fit " + std::string(nameOf(*type)));
  }

  void add(const Name &name, Symbol symbol) {
    auto [known, added] = scope.emplace(name.text, symbol);
    if (added) return;
    error(name.spot, "`" + name.text + "` is declared already: give it another name")
        .notes.emplace_back(known->second.spot.place(), "the first is here");
  }

  NodeId inputNode(size_t index, ValueKind kind, AxisSet axes, Spot spot) {
    return into.graph.make({NodeOp::input, kind, axes, 0, {noNode, noNode, noNode}, static_cast<int64_t>(index)}, spot);
  }

  void declare() {
    size_t scalars = kernel.inputs.size();
    for (const Parameter &parameter : kernel.parameters) {
      const Bound &bound = into.bindings.find(parameter.name.text)->second;
      Symbol symbol{Symbol::Role::parameter, parameter.name.spot, noNode};
      Spot spot = parameter.name.spot;
      ValueKind kind = parameter.kind == ParameterKind::integer   ? ValueKind::integer
                       : parameter.kind == ParameterKind::real    ? ValueKind::real
                       : parameter.kind == ParameterKind::boolean ? ValueKind::boolean
                                                                  : ValueKind::unknown;
      if (kind == ValueKind::unknown) continue;
      if (bound.atRunTime) {
        symbol.value = inputNode(scalars++, kind, 0, spot);
        into.runtimeScalars.push_back(&parameter);
      } else if (auto *integer = std::get_if<int64_t>(&bound.value)) {
        symbol.value = into.graph.constant(*integer, spot);
      } else if (auto *real = std::get_if<double>(&bound.value)) {
        symbol.value = into.graph.constant(*real, spot);
      } else if (auto *boolean = std::get_if<bool>(&bound.value)) {
        symbol.value = into.graph.constant(*boolean, spot);
      } else {
        // Generic: a value that is known later. The index keeps it apart from the inputs.
        symbol.value = inputNode(kernel.inputs.size() + (&parameter - kernel.parameters.data()), kind, 0, spot);
      }
      add(parameter.name, symbol);
    }
    for (size_t i = 0; i < kernel.inputs.size(); ++i) {
      const Input &input = kernel.inputs[i];
      ValueKind kind = into.inputTypes[i] ? kindOf(*into.inputTypes[i]) : ValueKind::unknown;
      NodeId node = inputNode(i, kind, into.inputs[i].set, input.name.spot);
      add(input.name, {input.state ? Symbol::Role::state : Symbol::Role::input, input.name.spot, node});
      if (input.state) states[input.name.text] = i;
    }
    into.outputValues.assign(kernel.outputs.size(), noNode);
    for (size_t i = 0; i < kernel.outputs.size(); ++i) {
      const Name &name = kernel.outputs[i].name;
      add(name, {Symbol::Role::output, name.spot, noNode});
      outputs.emplace(name.text, i);
    }
  }

  //===-- Statements -------------------------------------------------------------------------------------------------//

  void resolve(const Split &split) {
    int whole = into.table.find(split.whole.name);
    if (!split.fixed) return;
    int fixed = into.table.find(split.fixed->name);
    NodeId size = expressions.factorSize(*split.size);
    if (size == poison || whole < 0 || fixed < 0) return;
    if (auto *known = std::get_if<int64_t>(&into.graph[size].known); known && *known < 1) {
      error(split.size->spot, "the factor " + split.fixed->name + " of " + split.whole.name +
                                  " is to be at least 1, found " + std::to_string(*known));
      return;
    }
    into.factors.push_back({static_cast<unsigned>(fixed), static_cast<unsigned>(whole), size, split.whole.spot});
  }

  void resolve(const Let &let) {
    NodeId first = poison, second = poison;
    bool pair = expressions.moments(let.value, first, second);
    if (!pair) first = expressions.value(let.value);
    if (pair && let.names.size() != 2)
      error(let.value.spot, "moments gives a mean and a variance: write `let mean, variance = moments(...)`");
    else if (!pair && first != poison && let.names.size() > 1)
      error(let.names[1].spot, "one value for " + std::to_string(let.names.size()) + " names: only moments gives two");
    if (pair && first != poison && let.names.size() == 2)
      into.names.emplace(into.graph[first].operands[0], let.names[0].text + ", " + let.names[1].text);
    else into.names.emplace(first, let.names[0].text);
    for (size_t i = 0; i < let.names.size(); ++i)
      add(let.names[i], {Symbol::Role::let, let.names[i].spot, i == 0 ? first : i == 1 ? second : poison});
  }

  void resolve(const Assign &assign) {
    NodeId value = expressions.value(assign.value);
    const Name &name = assign.name;
    auto found = scope.find(name.text);
    bool assignable = found != scope.end() &&
                      (found->second.role == Symbol::Role::output || found->second.role == Symbol::Role::state);
    if (!assignable) return cannotAssign(name, found);
    if (auto [first, added] = assigned.emplace(name.text, name.spot); !added) {
      error(name.spot, "`" + name.text + "` is assigned twice")
          .notes.emplace_back(first->second.place(), "the first is here");
      return;
    }
    Symbol &symbol = found->second;
    bool isState = symbol.role == Symbol::Role::state;
    AxisSet axes = isState ? into.inputs[states[name.text]].set : into.outputs[outputs[name.text]].set;
    if (value != poison)
      if (AxisSet extra = into.graph[value].axes & ~axes) {
        bool one = (extra & (extra - 1)) == 0 || into.table.namesOf(extra).find(' ') == std::string::npos;
        error(name.spot, into.table.namesOf(extra) + (one ? " is not an axis of " : " are not axes of ") + name.text +
                             ": reduce over " + (one ? "it" : "them"));
        value = poison;
      }
    value = into.graph.broadcast(value, axes, name.spot);
    if (isState) {
      size_t index = states[name.text];
      into.updates[index] = stored(value, into.inputTypes[index], name.spot);
      return;
    }
    size_t index = outputs[name.text];
    symbol.value = value;
    into.outputValues[index] = stored(value, into.outputTypes[index], name.spot);
  }

  /// The value in the kind from which a store to the type takes it: a store to bool asks `!= 0`.
  NodeId stored(NodeId value, std::optional<ElementType> type, Spot spot) {
    if (!type || value == poison) return value;
    if (*type == ElementType::boolean) return into.graph.toBoolean(value, spot);
    return isFloating(*type) ? into.graph.toReal(value, spot) : into.graph.toNumber(value, spot);
  }

  void cannotAssign(const Name &name, Scope::const_iterator found) {
    if (found == scope.end()) {
      std::vector<std::string> candidates;
      for (const auto &[known, symbol] : scope)
        if (symbol.role == Symbol::Role::output || symbol.role == Symbol::Role::state) candidates.push_back(known);
      std::string near = nearestName(name.text, candidates);
      error(name.spot,
            "`" + name.text + "` is not an output or state: " +
                (near.empty() ? "write `let " + name.text + " = ...` to name a value" : "did you mean `" + near + "`"));
      return;
    }
    const char *what = found->second.role == Symbol::Role::input       ? "an input"
                       : found->second.role == Symbol::Role::parameter ? "a parameter"
                                                                       : "a name of a value";
    error(name.spot, "`" + name.text + "` is " + what + ": only outputs and state (inout) are assigned")
        .notes.emplace_back(found->second.spot.place(), "it is declared here");
  }

  void finish() {
    for (const Output &output : kernel.outputs)
      if (!assigned.count(output.name.text))
        error(output.name.spot, "the output `" + output.name.text + "` is never assigned");
    if (kernel.outputs.empty() && into.updates.empty())
      error(kernel.name.spot, "the kernel `" + kernel.name.text + "` has no output and updates no state");
  }

  const Kernel &kernel;
  ResolvedKernel &into;
  Diagnostics &diagnostics;
  Scope scope;
  std::map<std::string, size_t> outputs, states;
  std::map<std::string, Spot> assigned;
  ExpressionResolver expressions;
};

void checkFunctions(const File &file, const Unit &unit, Diagnostics &diagnostics) {
  for (const auto &[name, function] : unit.functions) {
    if (function->unit != &unit || function->recursive) continue;
    Graph graph;
    ExpressionResolver resolver(file, unit, graph, nullptr, nullptr, nullptr, diagnostics);
    resolver.checkFunction(*function);
  }
}
} // namespace

bool resolve(const File &file, const Kernel &kernel, Bindings bindings, ResolvedKernel &into,
             Diagnostics &diagnostics) {
  into.kernel = &kernel;
  into.bindings = std::move(bindings);
  return KernelResolver(file, into, diagnostics).run();
}

bool check(const File &file, Diagnostics &diagnostics) {
  constexpr size_t enough = 200; // errors: more are of no use to anyone
  // Operations that are looked at with fns expanded: beyond, a check takes no longer than the text is long.
  constexpr size_t mostExpanded = 4 * Graph::mostNodes;
  size_t before = diagnostics.count(), expanded = 0;
  for (const auto &unit : file.units) {
    checkFunctions(file, *unit, diagnostics);
    for (const Declaration &declaration : unit->declarations) {
      if (diagnostics.count() > enough) return false;
      if (auto *kernel = std::get_if<std::unique_ptr<Kernel>>(&declaration)) {
        ResolvedKernel resolved;
        resolved.opaqueCalls = expanded > mostExpanded;
        resolve(file, **kernel, genericBindings(file, **kernel, diagnostics), resolved, diagnostics);
        expanded += resolved.graph.size();
      } else if (auto *gradient = std::get_if<std::unique_ptr<Gradient>>(&declaration)) {
        Interface interface;
        // Its kernel may be one that did not parse.
        if (unit->wellFormed) interfaceOf(**gradient, interface, diagnostics);
      }
    }
  }
  return diagnostics.count() == before;
}

std::vector<std::string> signatures(const File &file) {
  std::vector<std::string> lines;
  for (const Declaration &declaration : file.main->declarations) {
    Interface interface;
    Diagnostics scratch;
    if (auto *kernel = std::get_if<std::unique_ptr<Kernel>>(&declaration))
      lines.push_back(signatureText(interfaceOf(**kernel)));
    else if (auto *gradient = std::get_if<std::unique_ptr<Gradient>>(&declaration))
      if (interfaceOf(**gradient, interface, scratch)) lines.push_back(signatureText(interface));
  }
  return lines;
}

} // namespace normc
