#include "tools/bench/Problem.h"
#include "compiler/frontend/Imports.h"
#include "compiler/frontend/Interface.h"
#include "tools/normc/Commands.h"
#include "tools/normc/Declarations.h"
#include "tools/normc/Text.h"
#include <algorithm>
#include <fmt/format.h>

namespace normc::bench {
namespace {

constexpr std::string_view form = "SPEC[/KERNEL]:TYPE:LAYOUT:EXTENTS[:OPTION]..., such as "
                                  "group_norm:bf16:nchw:8x256x56x56:groups=32";

/// Dimensions of a pack that have no letter of their own among a tensor's axes.
constexpr std::string_view spatial = "dhwl";

std::string parseSpec(const std::string &word, Problem &problem) {
  size_t file = word.find(".norm/");
  size_t slash = file != std::string::npos ? file + 5 : word.ends_with(".norm") ? std::string::npos : word.find('/');
  problem.spec = word.substr(0, slash);
  if (slash != std::string::npos) problem.kernel = word.substr(slash + 1);
  if (problem.spec.empty() || (slash != std::string::npos && !cli::isName(problem.kernel)))
    return fmt::format("expected a spec, or SPEC/KERNEL, found `{}`", word);
  return {};
}

std::string parseLayout(const std::string &word, Problem &problem) {
  size_t arrow = word.find('>');
  problem.layout = word.substr(0, arrow);
  problem.outputLayout = arrow == std::string::npos ? problem.layout : word.substr(arrow + 1);
  for (const std::string *layout : {&problem.layout, &problem.outputLayout})
    if (layout->empty() || !std::all_of(layout->begin(), layout->end(), [](char c) { return c >= 'a' && c <= 'z'; }))
      return fmt::format("expected a letter for each dimension, such as nchw or nchw>nhwc, found `{}`", word);
  return {};
}

std::string parseExtents(const std::string &word, Problem &problem) {
  for (const std::string &part : cli::splitText(word, 'x')) {
    std::optional<int64_t> extent = cli::parseInteger(part);
    if (!extent || *extent < 1)
      return fmt::format("expected extents of 1 or more joined by `x`, such as 8x256x56x56, found `{}`", word);
    problem.extents.push_back(*extent);
  }
  for (const std::string *layout : {&problem.layout, &problem.outputLayout})
    if (layout->size() != problem.extents.size())
      return fmt::format("layout {} has {} letters, and there are {} extents: expected one each", *layout,
                         layout->size(), problem.extents.size());
  return {};
}

std::string parseOption(const std::string &word, Problem &problem) {
  if (word == "fixed") {
    problem.fixed = true;
    return {};
  }
  size_t equals = word.find('=');
  std::string name = word.substr(0, equals);
  if (equals == std::string::npos || equals + 1 == word.size() || !cli::isName(name))
    return fmt::format("expected fixed, or NAME=VALUE such as groups=32 or pass=fwdbwd, found `{}`", word);
  std::string value = word.substr(equals + 1);
  if (name == "pass") {
    if (value == "fwd") problem.pass = Problem::Pass::forward;
    else if (value == "bwd") problem.pass = Problem::Pass::backward;
    else if (value == "fwdbwd") problem.pass = Problem::Pass::both;
    else return fmt::format("pass: expected fwd, bwd or fwdbwd, found `{}`", value);
  } else if (name == "omit" || name == "with") {
    for (const std::string &part : cli::splitText(value, ',')) {
      if (!cli::isName(part)) return fmt::format("{}: expected names joined by commas, found `{}`", name, value);
      (name == "omit" ? problem.omit : problem.with).insert(part);
    }
  } else if (name == "inplace") {
    size_t at = value.find('=');
    std::string output = value.substr(0, at), input = at == std::string::npos ? "" : value.substr(at + 1);
    if (!cli::isName(output) || !cli::isName(input))
      return fmt::format("inplace: expected OUTPUT=INPUT, found `{}`", value);
    problem.inplace[output] = input;
  } else if (!problem.values.try_emplace(name, value).second) {
    return fmt::format("{} stands twice", name);
  }
  return {};
}

/// The input that others are beside: the first tensor.
const Interface::Item *mainInput(const Interface &interface) {
  for (const Interface::Item &item : interface.inputs)
    if (!item.scalar && !item.state && !item.type->dims.empty()) return &item;
  return nullptr;
}

/// Masks and weights, which come with the data: optional inputs over the axis of x that is declared first. The
/// parameters of a layer are not among them.
std::vector<std::string> optionalData(const Interface &interface, const Interface::Item &main) {
  std::vector<std::string> names;
  for (const Interface::Item &item : interface.inputs)
    if (item.optional && std::any_of(item.type->dims.begin(), item.type->dims.end(),
                                     [&](const AxisRef &axis) { return axis.name == main.type->dims[0].name; }))
      names.push_back(item.name);
  return names;
}

/// Turns a problem's words into options, by the declarations of its spec.
class Stager {
public:
  Stager(const Problem &problem, const cli::Options &common, Diagnostics &diagnostics)
      : problem(problem), common(common), diagnostics(diagnostics) {}

  std::vector<Stage> run() {
    cli::Options options = optionsFor(problem.kernel);
    if (std::string near = cli::missingSpec(problem.spec); !near.empty()) return fail(near), std::vector<Stage>();
    std::optional<Source> source = cli::readSource(options, diagnostics);
    if (!source) return {};
    std::unique_ptr<File> file = parseFile(source->path, source->text, source->importPaths, diagnostics);
    if (diagnostics.any() || !file->main) return {};
    std::optional<Interface> forward = interfaceNamed(*file, problem.kernel);
    if (!forward) return {};
    main = mainInput(*forward);
    if (!main) return fail(fmt::format("kernel {} has no input with dimensions", forward->name)), std::vector<Stage>();
    std::vector<std::string> first = orderOf(problem.layout, true), second = orderOf(problem.outputLayout, false);
    if (diagnostics.any()) return {};
    bool differs = problem.layout != problem.outputLayout;
    for (const AxisRef &axis : main->type->dims) declared.push_back(axis.text());
    inputOrder = first == declared && !differs ? std::vector<std::string>() : first;
    outputOrder = second == declared && !differs ? std::vector<std::string>() : second;

    std::set<std::string> known;
    std::vector<Stage> stages(1);
    stages[0].options = options;
    stages[0].passesAll = true;
    checkValues(*forward, stages[0].options, known);
    bool alone = problem.pass == Problem::Pass::forward;
    fill(*forward, stages[0].options, known);
    if (alone) omitStatistics(*file, *forward, stages[0].options);
    if (!alone) addGradient(*file, *forward, stages, known);
    if (diagnostics.any()) return {};
    for (const auto &[name, value] : problem.values)
      if (!known.contains(name)) stages[0].options.selection.defines.emplace(name, value);
    if (!alone) stages[1].options.selection.defines = stages[0].options.selection.defines;
    for (const auto *names : {&problem.omit, &problem.with})
      for (const std::string &name : *names)
        if (!known.contains(name)) fail(fmt::format("the kernel has no input or output `{}`", name));
    for (const auto &[output, input] : problem.inplace)
      if (!known.contains(output) || !known.contains(input))
        fail(fmt::format("the kernel has no input or output `{}`", known.contains(output) ? input : output));
    return diagnostics.any() ? std::vector<Stage>() : stages;
  }

private:
  const Problem &problem;
  const cli::Options &common;
  Diagnostics &diagnostics;
  const Interface::Item *main = nullptr;                      // the input that the line is about
  std::vector<std::string> declared, inputOrder, outputOrder; // empty: as declared
  std::map<std::string, int64_t> ranks, sizes;

  void fail(std::string message) {
    cli::usageError(diagnostics, fmt::format("problem `{}`: {}", problem.text, message));
  }

  cli::Options optionsFor(const std::string &kernel) {
    cli::Options options = common;
    options.file = cli::specPath(problem.spec);
    options.selection.kernel = kernel;
    return options;
  }

  std::optional<Interface> interfaceNamed(const File &file, const std::string &name) {
    std::optional<Interface> found = cli::findInterface(*file.main, name);
    if (!found) fail(fmt::format("{} has no kernel `{}`", file.main->source.path, name));
    return found;
  }

  /// The axes of x in the order of a layout's letters; the first time also their ranks and extents.
  std::vector<std::string> orderOf(const std::string &layout, bool bind) {
    std::vector<std::string> order;
    std::set<std::string> left;
    std::string pack; // the one that takes letters which are no axis
    for (const AxisRef &axis : main->type->dims) {
      if (!axis.pack && !axis.unnamed()) left.insert(axis.text());
      if (axis.pack && layout.find(axis.name) == std::string::npos) pack = pack.empty() ? axis.name : "?";
    }
    auto expected = [&] {
      return fmt::format("layout {}: expected the axes of {}{}, in letters", layout, main->name, toText(*main->type));
    };
    for (size_t at = 0; at < layout.size(); ++at) {
      std::string letter(1, layout[at]), name;
      bool isPack = false;
      for (const AxisRef &axis : main->type->dims)
        if (axis.name == letter) name = letter, isPack = axis.pack;
      if (name.empty() && spatial.find(layout[at]) != std::string_view::npos && !pack.empty() && pack != "?")
        name = pack, isPack = true;
      if (name.empty()) return fail(expected()), order;
      if (bind) sizes[name] = sizes.contains(name) ? sizes[name] * problem.extents[at] : problem.extents[at];
      if (bind && isPack) ++ranks[name];
      if (isPack) name += "...";
      if (isPack && !order.empty() && order.back() == name) continue;
      if (std::find(order.begin(), order.end(), name) != order.end())
        return fail(isPack ? fmt::format("layout {}: the dimensions of {} must lie together", layout, name)
                           : fmt::format("layout {}: axis {} stands twice", layout, name)),
               order;
      order.push_back(name);
      left.erase(name);
    }
    if (!left.empty()) fail(expected());
    return order;
  }

  /// Scalars among the values.
  void checkValues(const Interface &interface, cli::Options &options, std::set<std::string> &known) {
    for (const auto &[name, value] : problem.values) {
      const Interface::Item *item = interface.input(name);
      if (!item) continue;
      known.insert(name);
      cli::ScalarValue scalar;
      if (!item->scalar || !cli::parseScalar(value, scalar))
        fail(fmt::format("{}: expected {}, found `{}`", name, item->scalar ? "a number" : "no value: it is a tensor",
                         value));
      else options.scalars[name] = scalar;
    }
  }

  bool isLikeMain(const Interface::Item &item) const {
    std::vector<std::string> axes, mains = declared;
    for (const AxisRef &axis : item.type->dims) axes.push_back(axis.text());
    std::sort(axes.begin(), axes.end());
    std::sort(mains.begin(), mains.end());
    return axes == mains;
  }

  void setOrder(const Interface::Item &item, const std::vector<std::string> &order, cli::Options &options) {
    if (!order.empty() && isLikeMain(item)) options.selection.orders.emplace(item.name, order);
  }

  /// What every stage has: orders, ranks, and what is left out.
  void fill(const Interface &interface, cli::Options &options, std::set<std::string> &known) {
    Selection &selection = options.selection;
    for (const auto &[pack, rank] : ranks) selection.ranks.emplace(pack, rank);
    if (problem.fixed) selection.sizes.insert(sizes.begin(), sizes.end());
    for (const Interface::Item &item : interface.inputs) {
      known.insert(item.name);
      bool isCotangent = !item.primal.empty();
      setOrder(item, isCotangent ? outputOrder : inputOrder, options);
      if (item.name == main->name)
        options.seedInputs[item.name] = {.name = item.name, .shape = problem.extents, .type = problem.type};
      if (problem.omit.contains(item.name)) selection.omit.insert(item.name);
    }
    for (const std::string &name : optionalData(interface, *main))
      if (!problem.with.contains(name)) selection.omit.insert(name);
    for (const Interface::Item &item : interface.outputs) {
      known.insert(item.name);
      setOrder(item, item.primal.empty() ? outputOrder : inputOrder, options);
      if (problem.omit.contains(item.name)) selection.omit.insert(item.name);
    }
    for (const auto &[output, input] : problem.inplace)
      if (interface.output(output) && interface.input(input)) selection.inplace[output] = input;
  }

  /// Outputs that a gradient of the file is given are for training.
  void omitStatistics(const File &file, const Interface &forward, cli::Options &options) {
    for (const Declaration &declaration : file.main->declarations) {
      const auto *gradient = std::get_if<std::unique_ptr<Gradient>>(&declaration);
      Interface interface;
      Diagnostics ignored;
      if (!gradient || !interfaceOf(**gradient, interface, ignored) || interface.kernel != forward.kernel) continue;
      for (const Interface::Item &item : interface.inputs)
        if (item.given && !problem.with.contains(item.name) && item.name != forward.outputs[0].name)
          options.selection.omit.insert(item.name);
    }
  }

  void addGradient(const File &file, const Interface &forward, std::vector<Stage> &stages,
                   std::set<std::string> &known) {
    std::optional<Interface> backward = interfaceNamed(file, forward.name + "_backward");
    if (!backward) return;
    Stage stage;
    stage.passesAll = true;
    stage.options = optionsFor(backward->name);
    fill(*backward, stage.options, known);
    stage.options.seedInputs.clear(); // x is there already
    for (const Interface::Item &item : backward->inputs)
      if (!item.primal.empty()) stage.cotangents[item.name] = item.primal;
    for (const auto &[name, value] : stages[0].options.scalars)
      if (backward->input(name)) stage.options.scalars[name] = value;
    // The forward kernel gives what its gradient takes, and its other statistics only where asked for.
    stages[0].timed = problem.pass == Problem::Pass::both;
    stages.push_back(std::move(stage));
  }
};

} // namespace

std::optional<Problem> parseProblem(std::string_view text, std::string &error) {
  Problem problem;
  problem.text = text;
  std::vector<std::string> parts = cli::splitText(text, ':');
  error = parts.size() < 4 ? fmt::format("expected {}", form) : parseSpec(parts[0], problem);
  if (error.empty()) {
    std::optional<ElementType> type = elementTypeNamed(parts[1]);
    if (type) problem.type = *type;
    else error = fmt::format("expected an element type ({}), found `{}`", listElementTypes(), parts[1]);
  }
  if (error.empty()) error = parseLayout(parts[2], problem);
  if (error.empty()) error = parseExtents(parts[3], problem);
  for (size_t part = 4; error.empty() && part < parts.size(); ++part) error = parseOption(parts[part], problem);
  if (!error.empty()) return std::nullopt;
  return problem;
}

std::vector<Problem> readProblems(const std::string &path, Diagnostics &diagnostics) {
  std::optional<cli::FileContents> contents = cli::readFile(path, diagnostics);
  if (!contents) return {};
  std::string text(reinterpret_cast<const char *>(contents->storage.data()), contents->bytes);
  diagnostics.addSource(path, text);
  std::vector<Problem> problems;
  unsigned number = 0;
  for (std::string line : cli::splitText(text, '\n')) {
    ++number;
    line.resize(std::min(line.size(), line.find('#')));
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    line.erase(0, line.find_first_not_of(" \t"));
    if (line.empty()) continue;
    std::string error;
    std::optional<Problem> problem = parseProblem(line, error);
    if (problem) problems.push_back(std::move(*problem));
    else diagnostics.error({path, number, 1}, error);
  }
  return problems;
}

std::vector<Problem> problemsOf(const cli::Options &options, Diagnostics &diagnostics) {
  std::vector<Problem> problems;
  for (const std::string &text : options.problems) {
    std::string error;
    std::optional<Problem> problem = parseProblem(text, error);
    if (problem) problems.push_back(std::move(*problem));
    else cli::usageError(diagnostics, fmt::format("problem `{}`: {}", text, error));
  }
  if (!options.list.empty())
    for (Problem &problem : readProblems(options.list, diagnostics))
      if (options.only.empty() || std::any_of(options.only.begin(), options.only.end(), [&](const std::string &part) {
            return problem.text.find(part) != std::string::npos;
          }))
        problems.push_back(std::move(problem));
  if (problems.empty() && !options.list.empty() && !diagnostics.any())
    cli::usageError(diagnostics, fmt::format("no problem of {} is among those of --only", options.list));
  return problems;
}

std::vector<Stage> stagesOf(const Problem &problem, const cli::Options &options, Diagnostics &diagnostics) {
  return Stager(problem, options, diagnostics).run();
}

std::vector<Stage> stagesOf(const cli::Options &options, Diagnostics &diagnostics) {
  Stage stage;
  stage.options = options;
  stage.passesAll = options.inputs.empty() && options.seedInputs.empty();
  std::optional<Source> source = cli::readSource(options, diagnostics);
  if (!source) return {};
  std::unique_ptr<File> file = parseFile(source->path, source->text, source->importPaths, diagnostics);
  std::optional<Interface> interface =
      file->main ? cli::findInterface(*file->main, options.selection.kernel) : std::nullopt;
  if (!stage.passesAll || !interface) return {stage}; // the compiler says what is wrong
  if (const Interface::Item *main = mainInput(*interface))
    for (const std::string &name : optionalData(*interface, *main)) stage.options.selection.omit.insert(name);
  for (const Interface::Item &item : interface->inputs)
    for (const AxisRef &axis : item.type->dims)
      if (axis.pack) stage.options.selection.ranks.try_emplace(axis.name, 1);
  return {stage};
}

} // namespace normc::bench
