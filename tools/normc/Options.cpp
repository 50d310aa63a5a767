#include "tools/normc/Options.h"
#include "runtime/ThreadPool.h"
#include "tools/normc/Replicas.h"
#include "tools/normc/Text.h"
#include <algorithm>
#include <fmt/format.h>

namespace normc::cli {
namespace {

constexpr unsigned timing = benchCommand | tuneCommand;
constexpr unsigned running = runCommand | timing;
constexpr unsigned selecting = compileCommand | running | explainCommand;
constexpr unsigned binding = selecting | gradientCommand;
constexpr unsigned every = checkCommand | binding;

constexpr int64_t mostReplicas = 1024; // each is a thread

constexpr std::string_view laterStages[] = {"gpu", "nvvm", "ptx", "cubin", "header"};

/// Applies the options one after another; what an earlier one said is there for the later ones to contradict.
class OptionParser {
public:
  OptionParser(Options &options, Diagnostics &diagnostics) : options(options), diagnostics(diagnostics) {}

  void parse(const std::vector<std::string> &arguments) {
    bool onlyFiles = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
      std::string_view argument = arguments[i];
      if (onlyFiles || argument.size() < 2 || argument[0] != '-') {
        addFile(argument);
      } else if (argument == "--") {
        onlyFiles = true;
      } else if (argument == "--help" || argument == "-h") {
        options.help = true;
        return;
      } else {
        parseOption(arguments, i);
      }
    }
    bool isBench = options.command & timing;
    if (options.file.empty() && options.files.empty() && options.problems.empty() && options.list.empty())
      fail(isBench ? "nothing to time: expected a .norm file, a problem such as layer_norm:f32:bf:4096x1024, or --list"
                   : "no FILE: expected the path of a .norm file");
    if (isBench && hasFile && (!options.problems.empty() || !options.list.empty()))
      fail(fmt::format("both a FILE, {}, and problems: expected one of them", options.file));
    if (!options.only.empty() && options.list.empty()) fail("--only chooses from a --list: there is none");
    if (options.threadCounts.empty()) {
      options.threadCounts.push_back(1);
      if (runtime::ThreadPool::cores() > 1) options.threadCounts.push_back(runtime::ThreadPool::cores());
    }
  }

private:
  Options &options;
  Diagnostics &diagnostics;
  bool hasFile = false;

  void fail(std::string message) { usageError(diagnostics, std::move(message)); }

  void addFile(std::string_view file) {
    if (options.command & timing && file.find(':') != std::string_view::npos)
      return options.problems.emplace_back(file), void();
    if (options.command == fmtCommand && !file.empty()) return options.files.emplace_back(file), void();
    if (hasFile) return fail(fmt::format("more than one FILE: `{}` and `{}`", options.file, file));
    if (file.empty()) return fail("FILE is empty: expected the path of a .norm file");
    hasFile = true;
    options.file = file;
  }

  /// `--size c=4`, `--size=c=4`, `-k NAME` and `-kNAME`.
  void parseOption(const std::vector<std::string> &arguments, size_t &i) {
    std::string_view argument = arguments[i];
    std::string_view name = argument;
    std::optional<std::string> value;
    if (argument.starts_with("--")) {
      if (size_t at = argument.find('='); at != std::string_view::npos) {
        name = argument.substr(0, at);
        value = argument.substr(at + 1);
      }
    } else if (argument.size() > 2) {
      name = argument.substr(0, 2);
      value = argument.substr(2);
    }
    const OptionRow *row = nullptr;
    for (const OptionRow &candidate : optionRows())
      if (candidate.name == name && candidate.commands & options.command) row = &candidate;
    if (!row) {
      // What follows is likely its value, and no FILE.
      bool attached = argument.find('=') != std::string_view::npos;
      if (!attached && i + 1 < arguments.size() && (hasFile || arguments[i + 1].find('=') != std::string::npos) &&
          !arguments[i + 1].starts_with('-'))
        ++i;
      return unknownOption(name, argument);
    }
    if (row->argument.empty()) {
      if (value) return fail(fmt::format("{} takes no value, found `{}`", name, *value));
      for (auto [flag, option] : {std::pair("--time", &options.time),
                                  {"--check", &options.check},
                                  {"--json", &options.json},
                                  {"--low", &options.low},
                                  {"--baseline", &options.baseline},
                                  {"--spread", &options.spread}})
        if (name == flag) *option = true;
      return;
    }
    if (!value) {
      if (i + 1 == arguments.size())
        return fail(fmt::format("{} is the last word: expected {} after it", name, row->argument));
      value = arguments[++i];
    }
    if (value->empty()) return fail(fmt::format("{} is empty: expected {}", name, row->argument));
    apply(name, *value);
  }

  void unknownOption(std::string_view name, std::string_view argument) {
    std::vector<std::string> names;
    for (const OptionRow &candidate : optionRows()) {
      if (candidate.name == name) return fail(fmt::format("{} is not an option of this command", name));
      if (candidate.commands & options.command) names.emplace_back(candidate.name);
    }
    // A single dash before a long name is the likeliest slip.
    std::string_view whole = argument.substr(0, argument.find('='));
    std::string dashed = whole.starts_with("--") ? std::string(whole) : "-" + std::string(whole);
    bool exact = std::find(names.begin(), names.end(), dashed) != names.end();
    std::string near = exact ? dashed : nearestName(dashed, names);
    fail(fmt::format("unknown option {}{}", whole,
                     near.empty() ? ": --help lists them" : fmt::format(": did you mean `{}`", near)));
  }

  void apply(std::string_view name, const std::string &value) {
    Selection &selection = options.selection;
    if (name == "-I") return options.importPaths.push_back(value);
    if (name == "-k") return setOnce(selection.kernel, name, value);
    if (name == "-D")
      return insert(selection.defines, name, value, "NAME=VALUE", [](const std::string &text) { return text; });
    if (name == "--size") return addCounts(selection.sizes, name, value, "AXIS=N");
    if (name == "--rank") return addCounts(selection.ranks, name, value, "PACK=N");
    if (name == "--order") return addOrder(value);
    if (name == "--omit") return addNames(selection.omit, name, value);
    if (name == "--runtime-scalar") return addNames(selection.runtimeScalars, name, value);
    if (name == "--inplace") return addInplace(value);
    if (name == "--target") return setOnce(options.target, name, value);
    if (name == "--emit") return addEmit(value);
    if (name == "--stop-after") return addStopAfter(value);
    if (name == "--dump-stages") return setOnce(options.dumpStages, name, value);
    if (name == "-o") return setOnce(options.output, name, value);
    if (name == "--input" || name == "--output") return addPlace(name, value);
    if (name == "--scalar") return addScalar(value);
    if (name == "--seed-input") return addSeedInput(value);
    if (name == "--device") return setDevice(value);
    if (name == "--threads") return setThreads(value);
    if (name == "--cache") return setCache(value);
    if (name == "--repeat") return setRounds(value);
    if (name == "--offset") return setOffsets(value);
    if (name == "--list") return setOnce(options.list, name, value);
    if (name == "--save") return setOnce(options.save, name, value);
    if (name == "--only")
      for (const std::string &part : splitText(value, ',')) options.only.push_back(part);
  }

  std::vector<std::string> given; // options that stand once

  void setOnce(std::string &target, std::string_view name, const std::string &value) {
    if (std::find(given.begin(), given.end(), name) != given.end() && target != value)
      return fail(fmt::format("{} stands twice, with `{}` and `{}`", name, target, value));
    given.emplace_back(name);
    target = value;
  }

  /// Takes `name=rest` apart; false where it is not of that form.
  bool pair(std::string_view option, std::string_view value, std::string_view form, std::string &name,
            std::string &rest) {
    size_t at = value.find('=');
    if (at == std::string_view::npos || at == 0 || at + 1 == value.size()) {
      fail(fmt::format("{} expects {}, found `{}`", option, form, value));
      return false;
    }
    name = value.substr(0, at);
    rest = value.substr(at + 1);
    if (isName(name)) return true;
    if (size_t at = name.find('@'); at != std::string::npos && isName(name.substr(0, at)))
      fail(fmt::format("{} `{}` names a replica: {} is the same for all of them", option, name, option));
    else fail(fmt::format("{} expects {}, found `{}`: `{}` is not a name", option, form, value, name));
    return false;
  }

  /// Takes `name=rest` and `name@1=rest` apart; null where it is neither, else the arrays that it is said of.
  Arrays *arrays(std::string_view option, const std::string &value, std::string_view form, std::string &name,
                 std::string &rest) {
    size_t equals = value.find('='), at = value.find('@');
    if (at == std::string::npos || equals == std::string::npos || at > equals)
      return pair(option, value, form, name, rest) ? &options : nullptr;
    if (!pair(option, value.substr(0, at) + value.substr(equals), form, name, rest)) return nullptr;
    std::string digits = value.substr(at + 1, equals - at - 1);
    std::optional<int64_t> replica = parseInteger(digits);
    if (replica && *replica >= 0 && *replica < mostReplicas) return &options.replicas[*replica];
    fail(fmt::format("{} {}: expected the number of a replica behind the @, from 0 to {}, found `{}`", option, name,
                     mostReplicas - 1, digits));
    return nullptr;
  }

  template <typename Map, typename Make>
  void insert(Map &map, std::string_view option, const std::string &value, std::string_view form, Make make) {
    std::string name, rest;
    if (!pair(option, value, form, name, rest)) return;
    if (!map.try_emplace(name, make(rest)).second) fail(fmt::format("{} {} stands twice", option, name));
  }

  void addCounts(std::map<std::string, int64_t> &counts, std::string_view option, const std::string &value,
                 std::string_view form) {
    for (const std::string &part : splitText(value, ',')) {
      std::string name, rest;
      if (!pair(option, part, form, name, rest)) continue;
      std::optional<int64_t> count = parseInteger(rest);
      int64_t most = option == "--rank" ? 64 : int64_t(1) << 62;
      if (!count || *count < 0 || *count > most) {
        fail(fmt::format("{} {}: expected an integer from 0 to {}, found `{}`", option, name, most, rest));
        continue;
      }
      auto [entry, added] = counts.try_emplace(name, *count);
      if (!added && entry->second != *count)
        fail(fmt::format("{} {} stands twice, with {} and {}", option, name, entry->second, *count));
    }
  }

  void addNames(std::set<std::string> &names, std::string_view option, const std::string &value) {
    for (const std::string &name : splitText(value, ','))
      if (isName(name)) names.insert(name);
      else fail(fmt::format("{} expects names joined by commas, found `{}`", option, value));
  }

  void addOrder(const std::string &value) {
    std::string name, rest;
    if (!pair("--order", value, "NAME=AXIS,AXIS,...", name, rest)) return;
    std::vector<std::string> axes = splitText(rest, ',');
    for (const std::string &axis : axes) {
      std::string_view text = axis;
      if (text.ends_with("...")) text.remove_suffix(3);
      if (axis != "1" && !isName(text))
        return fail(fmt::format("--order {}: expected axes joined by commas (s... for a pack, 1 for an unnamed axis), "
                                "found `{}`",
                                name, rest));
    }
    if (!options.selection.orders.try_emplace(name, axes).second) fail(fmt::format("--order {} stands twice", name));
  }

  void addInplace(const std::string &value) {
    for (const std::string &part : splitText(value, ',')) {
      std::string name, rest;
      if (!pair("--inplace", part, "OUTPUT=INPUT", name, rest)) continue;
      if (!isName(rest)) fail(fmt::format("--inplace expects OUTPUT=INPUT, found `{}`", part));
      else if (!options.selection.inplace.try_emplace(name, rest).second)
        fail(fmt::format("--inplace {} stands twice", name));
    }
  }

  void addEmit(const std::string &value) {
    std::vector<std::string> known = stageNames();
    known.insert(known.end(), {"object", "shared"});
    for (const std::string &kind : splitText(value, ',')) {
      if (std::find(known.begin(), known.end(), kind) != known.end()) {
        if (std::find(options.emit.begin(), options.emit.end(), kind) == options.emit.end())
          options.emit.push_back(kind);
      } else {
        unknownStage("--emit", kind, known);
      }
    }
  }

  void addStopAfter(const std::string &value) {
    const std::vector<std::string> &known = stageNames();
    if (std::find(known.begin(), known.end(), value) == known.end()) return unknownStage("--stop-after", value, known);
    setOnce(options.stopAfter, "--stop-after", value);
  }

  void unknownStage(std::string_view option, const std::string &found, const std::vector<std::string> &known) {
    if (std::find(std::begin(laterStages), std::end(laterStages), found) != std::end(laterStages))
      return fail(fmt::format("{} {}: this version does not have that stage yet; it has {}", option, found,
                              fmt::join(known, ", ")));
    std::string near = nearestName(found, known);
    fail(fmt::format("{}: unknown stage `{}`: {}", option, found,
                     near.empty() ? fmt::format("expected {}", fmt::join(known, ", "))
                                  : fmt::format("did you mean `{}`", near)));
  }

  void addPlace(std::string_view option, const std::string &value) {
    std::string name, rest;
    Arrays *said = arrays(option, value, "NAME=FILE", name, rest);
    if (!said) return;
    ArrayPlace place = parseArrayPlace(rest, name);
    if (place.key.empty() && place.path.ends_with(".npz:"))
      return fail(fmt::format("{} {}: `{}` has no key after the colon", option, name, rest));
    bool isInput = option == "--input";
    if (isInput && said->seedInputs.contains(name))
      return fail(fmt::format("both --input and --seed-input give `{}`", name));
    if (!(isInput ? said->inputs : said->outputs).try_emplace(name, place).second)
      fail(fmt::format("{} {} stands twice", option, value.substr(0, value.find('='))));
  }

  void addScalar(const std::string &value) {
    std::string name, rest;
    if (!pair("--scalar", value, "NAME=NUMBER", name, rest)) return;
    ScalarValue scalar;
    if (!parseScalar(rest, scalar))
      return fail(fmt::format("--scalar {}: expected a number, inf, nan, true or false, found `{}`", name, rest));
    if (!options.scalars.try_emplace(name, scalar).second) fail(fmt::format("--scalar {} stands twice", name));
  }

  void addSeedInput(const std::string &value) {
    std::string name, rest, error;
    Arrays *said = arrays("--seed-input", value, "NAME=SHAPE:TYPE", name, rest);
    if (!said) return;
    std::optional<SeedInput> input = parseSeedInput(value.substr(0, value.find('=')), rest, error);
    if (!input) return fail(fmt::format("--seed-input {}: {}", name, error));
    if (said->inputs.contains(name)) return fail(fmt::format("both --input and --seed-input give `{}`", name));
    if (!said->seedInputs.try_emplace(name, *input).second)
      fail(fmt::format("--seed-input {} stands twice", value.substr(0, value.find('='))));
  }

  void setDevice(const std::string &value) {
    if (value == "cpu") {
      options.device = Device::cpu;
    } else if (value == "evaluator") {
      options.device = Device::evaluator;
    } else if (value == "cuda" || (value.starts_with("cuda:") && parseInteger(value.substr(5)).value_or(-1) >= 0)) {
      diagnostics.error({"normc"},
                        fmt::format("device {}: this version has no CUDA devices; it has cpu and evaluator", value),
                        Fault::system);
    } else {
      std::string near = nearestName(value, {"cpu", "evaluator", "cuda:0"});
      fail(fmt::format("--device: unknown device `{}`: {}", value,
                       near.empty() ? "expected cpu or evaluator" : fmt::format("did you mean `{}`", near)));
    }
  }

  void setThreads(const std::string &value) {
    bool isBench = options.command & (timing | explainCommand);
    for (const std::string &part : isBench ? splitText(value, ',') : std::vector<std::string>(1, value)) {
      std::optional<int64_t> threads = parseInteger(part);
      if (!threads || *threads < 1 || *threads > runtime::ThreadPool::limit)
        return fail(
            fmt::format("--threads: expected an integer from 1 to {}, found `{}`", runtime::ThreadPool::limit, part));
      options.threads = static_cast<unsigned>(*threads);
      options.threadCounts.push_back(options.threads);
    }
  }

  void setCache(const std::string &value) {
    options.warm = options.cold = false;
    for (const std::string &part : splitText(value, ','))
      if (part == "warm") options.warm = true;
      else if (part == "cold") options.cold = true;
      else return fail(fmt::format("--cache: expected warm, cold or warm,cold, found `{}`", part));
  }

  void setRounds(const std::string &value) {
    std::optional<int64_t> rounds = parseInteger(value);
    if (!rounds || *rounds < 1 || *rounds > 10000)
      return fail(fmt::format("--repeat: expected an integer from 1 to 10000, found `{}`", value));
    options.rounds = static_cast<int>(*rounds);
  }

  void setOffsets(const std::string &value) {
    std::vector<std::string> parts = splitText(value, ',');
    std::optional<int64_t> input = parseInteger(parts[0]), output = parts.size() == 2 ? parseInteger(parts[1]) : input;
    auto good = [](std::optional<int64_t> bytes) { return bytes && *bytes >= 0 && *bytes < 4096; };
    if (!good(input) || !good(output) || parts.size() > 2)
      return fail(fmt::format("--offset: expected bytes from 0 to 4095, such as 0,64, found `{}`", value));
    options.offsets = {*input, *output};
  }
};

} // namespace

Diagnostics::Entry &usageError(Diagnostics &diagnostics, std::string message) {
  return diagnostics.error({"normc"}, std::move(message), Fault::usage);
}

bool parseScalar(const std::string &text, ScalarValue &scalar) {
  scalar.text = text;
  if (text == "true" || text == "false") {
    scalar.boolean = text == "true";
    return true;
  }
  scalar.integer = parseInteger(text);
  std::optional<double> real = parseReal(text);
  if (real) scalar.real = *real;
  return real.has_value();
}

const std::vector<std::string> &stageNames() {
  static const std::vector<std::string> names = {"ast",     "norm",   "specialized", "collapsed", "decomposed",
                                                 "planned", "vector", "llvm",        "asm"};
  return names;
}

const std::vector<OptionRow> &optionRows() {
  static const std::vector<OptionRow> rows = {
      {"-k", "KERNEL", binding, "the kernel; without it, the file's first, or its only gradient"},
      {"-D", "NAME=VALUE", binding, "bind a compile-time parameter: -D groups=8 -D T=bf16 -D activation=silu"},
      {"--size", "AXIS=N,...", selecting, "specialise for an extent: --size c=256,h=56"},
      {"--rank", "PACK=N,...", selecting, "dimensions of a pack where nothing passed tells: --rank s=2"},
      {"--order", "NAME=AXIS,...", selecting, "memory order of a tensor: --order x=n,s...,c"},
      {"--omit", "NAME,...", selecting, "leave out optional inputs, outputs and state updates"},
      {"--inplace", "OUTPUT=INPUT", selecting, "let an output take its input's memory"},
      {"--runtime-scalar", "NAME", binding, "move a real parameter to run time: its value is then a --scalar"},
      {"-I", "DIR", every, "look imports up here, after the importing file's folder"},
      {"--check", "", fmtCommand,
       "change nothing: name the files that are laid out otherwise; status 1 if there are any"},
      {"--target", "TARGET", compileCommand | explainCommand | tuneCommand,
       "cpu (this machine; the default) or a level: cpu:x86-64-v3, cpu:x86-64-v4, cpu:aarch64"},
      {"--target", "TARGET", runCommand | benchCommand, ""}, // for tests
      {"--spread", "", runCommand, ""},                      // for tests
      {"--emit", "KIND,...", compileCommand, "what to write: a stage, or object (the default) or shared"},
      {"-o", "OUT", compileCommand,
       "the file to write, - for standard output; with several kinds, what their names begin with"},
      {"--stop-after", "STAGE", compileCommand, "compile no further; without --emit, write that stage"},
      {"--dump-stages", "DIR", compileCommand, "write each stage to a file of this folder"},
      {"--input", "NAME=FILE", running, "an input or state: x=x.npy, x=all.npz, x=all.npz:key"},
      {"--seed-input", "NAME=SHAPE:TYPE[:DIST]", running, "an input made up: x=8x64x56x56:f32:normal(0,1)"},
      {"--scalar", "NAME=NUMBER", running, "a scalar input: momentum=0.99, training=true, rmax=inf"},
      {"--output", "NAME=FILE", runCommand, "an output or updated state to write: y=y.npy, y=all.npz:key"},
      {"--device", "DEVICE", runCommand, "cpu (the default) or evaluator, the slow oracle in double"},
      {"--threads", "N", runCommand, "threads that share the work; without it, one a core"},
      {"--time", "", runCommand, "print the time, bytes a second and the share of the memory limit"},
      {"--time", "", explainCommand, "time it here too, beside what the bytes predict; --size says its extents"},
      {"--list", "LIST", timing, "time the problems of a file, one a line"},
      {"--only", "TEXT,...", timing, "of the list, those with one of the texts in their line"},
      {"--threads", "N,...", timing | explainCommand,
       "numbers of threads, one after another; without it, 1 and one a core"},
      {"--cache", "STATE,...", benchCommand,
       "warm (the default): what is timed ran just before; cold: its data left all caches"},
      {"--repeat", "N", timing, "rounds, in which all that is compared takes turns; 15 without it"},
      {"--low", "", timing, "count the fast tenth of the runs, not medians: where others use the machine too"},
      {"--baseline", "", benchCommand, "time the kernel beside the same one for cpu:x86-64-v3, which knows no machine"},
      {"--offset", "INPUTS[,OUTPUTS]", benchCommand, "where arrays begin, in bytes from the begin of a page"},
      {"--save", "DIR", benchCommand, "write the arrays, inputs and results, to DIR/NAME.npy"},
      {"--json", "", benchCommand, "print the results as JSON"},
  };
  return rows;
}

std::optional<Options> parseOptions(Command command, const std::vector<std::string> &arguments,
                                    Diagnostics &diagnostics) {
  Options options;
  options.command = command;
  OptionParser(options, diagnostics).parse(arguments);
  if (options.help) return options;
  if (diagnostics.any() || !checkReplicas(options, diagnostics)) return std::nullopt;
  return options;
}

} // namespace normc::cli
