#include "tools/bench/Workload.h"
#include "compiler/frontend/Imports.h"
#include "compiler/frontend/Interface.h"
#include "tools/normc/Arguments.h"
#include "tools/normc/Commands.h"
#include "tools/normc/Declarations.h"
#include "tools/normc/Elements.h"
#include "tools/normc/NpyHeader.h"
#include "tools/normc/OutputFiles.h"
#include <algorithm>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>

namespace normc::bench {
namespace {

/// Extents for a kernel that nothing is said about: powers of two, so that 2^22 points are shared out evenly among the
/// axes that are free.
std::vector<int64_t> freeExtents(const Signature &signature) {
  int64_t bits = 22, open = 0;
  for (const AxisRow &row : signature.axes) {
    if (row.isProduct()) continue;
    if (!row.fixed) ++open;
    else
      for (int64_t left = *row.fixed; left > 1; left /= 2) --bits;
  }
  std::vector<int64_t> extents;
  for (const AxisRow &row : signature.axes) {
    if (row.isProduct()) {
      auto partOf = [&](const std::string &name) {
        for (size_t i = 0; i < extents.size(); ++i)
          if (signature.axes[i].name == name) return extents[i];
        return int64_t(1);
      };
      extents.push_back(partOf(row.outer) * partOf(row.inner));
    } else if (row.fixed) {
      extents.push_back(*row.fixed);
    } else {
      int64_t share = std::max<int64_t>(1, (bits + open - 1) / open);
      extents.push_back(int64_t(1) << share);
      bits -= share;
      --open;
    }
  }
  return extents;
}

std::vector<int64_t> freeShape(const Signature &signature, const std::vector<int64_t> &extents,
                               const Argument &argument) {
  std::vector<int64_t> shape;
  for (const Dimension &dimension : argument.dimensions) {
    int64_t extent = 1, rank = 1;
    for (size_t i = 0; i < extents.size(); ++i)
      if (signature.axes[i].name == dimension.axis) extent = extents[i];
    if (auto found = signature.ranks.find(dimension.axis); dimension.pack && found != signature.ranks.end())
      rank = found->second;
    for (int64_t at = 0; at < rank; ++at) shape.push_back(at == 0 ? extent : 1);
  }
  return shape;
}

/// The number of axes that an argument ranges over.
size_t axesOf(const Argument &argument) {
  return static_cast<size_t>(std::count_if(argument.dimensions.begin(), argument.dimensions.end(),
                                           [](const Dimension &dimension) { return !dimension.axis.empty(); }));
}

/// Those of the arguments that range over most.
size_t mostAxes(const Signature &signature) {
  size_t most = 0;
  for (const Argument &argument : signature.arguments) most = std::max(most, axesOf(argument));
  return most;
}

/// What a scalar that is not given is: harmless as a momentum, a bound or a switch.
cli::ScalarValue usualScalar() {
  cli::ScalarValue value;
  value.text = "1";
  value.integer = 1;
  value.real = 1;
  return value;
}

constexpr int64_t pageBytes = 4096;

} // namespace

std::unique_ptr<Workload> Workload::prepare(const std::vector<Stage> &stages, const std::string &target,
                                            std::optional<Offsets> offsets, Diagnostics &diagnostics) {
  std::unique_ptr<Workload> workload(new Workload);
  for (const Stage &stage : stages)
    if (!workload->compileStage(stage, target, diagnostics)) return nullptr;
  if (stages.empty() || !workload->allocate(offsets, diagnostics)) return nullptr;
  for (Compiled &one : workload->compiled) {
    std::optional<BoundKernel> bound = workload->bind(one, diagnostics);
    if (!bound) return nullptr;
    auto begin = std::chrono::steady_clock::now();
    if (!bound->call->prepare(bound->views, diagnostics)) return nullptr;
    workload->compileSeconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    workload->kernels.push_back(std::move(*bound));
    for (const auto &[output, input] : one.selection.inplace)
      if (const Array *array = workload->arrayNamed(input)) {
        std::byte *begin = workload->memory + array->place;
        workload->kept.emplace_back(begin, std::vector<std::byte>(begin, begin + array->bytes));
      }
  }
  return workload;
}

Workload::~Workload() {
  if (memory) munmap(memory, memoryBytes);
}

const Workload::Array *Workload::arrayNamed(const std::string &name) const {
  for (const Array &array : arrays)
    if (array.name == name) return &array;
  return nullptr;
}

bool Workload::compileStage(const Stage &stage, const std::string &target, Diagnostics &diagnostics) {
  const cli::Options &options = stage.options;
  std::optional<Source> source = cli::readSource(options, diagnostics);
  if (!source) return false;
  Compiled stageCompiled{*source, options.selection, nullptr, {}, {}, {}, stage.timed};
  Selection &selection = stageCompiled.selection;
  for (const auto &[name, place] : options.inputs) {
    std::optional<cli::Tensor> tensor = cli::readArray(place, diagnostics);
    if (!tensor) return false;
    if (!tensor->type) {
      diagnostics.error({place.format()}, "the file does not say which f8 its elements are: expected another type");
      return false;
    }
    arrays.push_back(
        {.name = name, .type = *tensor->type, .shape = tensor->shape, .given = std::move(tensor), .madeUp = {}});
  }
  for (const auto &[name, seed] : options.seedInputs)
    arrays.push_back({.name = name, .type = seed.type, .shape = seed.shape, .given = {}, .madeUp = seed});
  for (const auto &[name, like] : stage.cotangents)
    if (const Array *primal = arrayNamed(like)) {
      cli::SeedInput seed{.name = name, .shape = primal->shape, .type = primal->type};
      arrays.push_back({.name = name, .type = seed.type, .shape = seed.shape, .given = {}, .madeUp = seed});
    }

  std::unique_ptr<File> file = parseFile(source->path, source->text, source->importPaths, diagnostics);
  if (diagnostics.any()) return false;
  std::optional<cli::Declared> declared = cli::readDeclaration(*source, selection);
  if (declared && !cli::checkNames(*declared, options, diagnostics)) return false;
  std::map<std::string, cli::ScalarValue> scalars = options.scalars;
  selection.passed.emplace();
  if (std::optional<Interface> interface = cli::findInterface(*file->main, selection.kernel)) {
    std::set<std::string> differentiated; // inputs that a gradient gives the derivative of
    for (const Interface::Item &item : interface->outputs)
      if (!selection.omit.contains(item.name)) differentiated.insert(item.primal);
    for (const Interface::Item &item : interface->inputs) {
      const Array *array = arrayNamed(item.name);
      bool isGiven = item.scalar ? scalars.contains(item.name) : array != nullptr;
      bool isNeeded = !item.optional && !item.state;
      if (!item.scalar) isNeeded |= stage.passesAll || differentiated.contains(item.name);
      if (selection.omit.contains(item.name) || (!isGiven && !isNeeded)) {
        if (item.state) selection.omit.insert(item.name);
        continue;
      }
      selection.passed->insert(item.name);
      if (item.scalar && !isGiven) scalars[item.name] = usualScalar();
      if (!array) continue;
      selection.inputTypes[item.name] = array->type;
      selection.inputRanks[item.name] = static_cast<int64_t>(array->shape.size());
    }
  }

  auto begin = std::chrono::steady_clock::now();
  stageCompiled.kernel = runtime::Context(1, target).kernel(*source, selection, diagnostics);
  compileSeconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!stageCompiled.kernel) return false;
  for (const Argument &argument : stageCompiled.kernel->signature().arguments) {
    if (argument.role != Argument::Role::scalar) continue;
    const cli::ScalarValue &value = scalars[argument.name];
    std::string problem = cli::storeScalar(argument.type, value, stageCompiled.scalars[argument.name].data());
    if (problem.empty()) continue;
    cli::usageError(diagnostics, fmt::format("scalar {}: {}, found `{}`", argument.name, problem, value.text));
    return false;
  }
  if (!bindStage(stage, stageCompiled, diagnostics)) return false;
  compiled.push_back(std::move(stageCompiled));
  return true;
}

bool Workload::bindStage(const Stage &stage, Compiled &stageCompiled, Diagnostics &diagnostics) {
  const Signature &signature = stageCompiled.kernel->signature();
  std::vector<Passed> passed(signature.arguments.size());
  bool knowsAny = false;
  for (size_t i = 0; i < passed.size(); ++i) {
    const Argument &argument = signature.arguments[i];
    const Array *array = arrayNamed(argument.name);
    if (argument.role == Argument::Role::scalar) {
      passed[i].integer = integerAt(argument.type, stageCompiled.scalars[argument.name].data(), 0);
    } else if (array && argument.role != Argument::Role::output) {
      passed[i].shape = array->shape;
      knowsAny = true;
    }
  }
  if (!knowsAny) {
    std::vector<int64_t> extents = freeExtents(signature);
    for (size_t i = 0; i < passed.size(); ++i)
      if (signature.arguments[i].role == Argument::Role::input || signature.arguments[i].role == Argument::Role::state)
        passed[i].shape = freeShape(signature, extents, signature.arguments[i]);
  }
  std::optional<Extents> extents = bindExtents(signature, passed, diagnostics);
  if (!extents) return false;
  stageCompiled.extents = std::move(*extents);
  for (size_t i = 0; i < passed.size(); ++i) {
    const Argument &argument = signature.arguments[i];
    if (argument.role == Argument::Role::scalar) continue;
    const std::vector<int64_t> &shape = stageCompiled.extents.shapes[i];
    std::string name = argument.name;
    if (auto shared = stageCompiled.selection.inplace.find(name);
        shared != stageCompiled.selection.inplace.end() && argument.role == Argument::Role::output)
      name = shared->second;
    const Array *known = arrayNamed(name);
    if (known && known->type != argument.type) {
      diagnostics.error({stage.options.file},
                        fmt::format("{} is {}: the kernel takes {}", name, nameOf(known->type), nameOf(argument.type)));
      return false;
    }
    if (!known) {
      Array array{.name = name, .type = argument.type, .shape = shape, .given = {}, .madeUp = {}};
      array.output = argument.role == Argument::Role::output;
      // Parameters and statistics away from zero, whatever they are: a variance, a factor.
      if (!array.output) {
        array.madeUp = cli::SeedInput{.name = name, .shape = shape, .type = argument.type};
        bool isWhole = !isFloating(argument.type), isFull = axesOf(argument) == mostAxes(signature);
        if (isWhole || !isFull) array.madeUp->distribution = cli::SeedInput::Distribution::uniform;
        if (isWhole) array.madeUp->second = argument.type == ElementType::boolean ? 2 : 10;
        else if (!isFull) array.madeUp->first = 0.5, array.madeUp->second = 1.5;
      }
      arrays.push_back(std::move(array));
      known = &arrays.back();
    }
    stageCompiled.arrays[argument.name] = static_cast<size_t>(known - arrays.data());
  }
  return true;
}

bool Workload::allocate(std::optional<Offsets> offsets, Diagnostics &diagnostics) {
  // Apart by an odd number of cache lines, so that no two arrays meet at the same places of their pages.
  constexpr int64_t apart = 13 * 64;
  constexpr size_t hugePage = size_t(2) << 20;
  int64_t next = 0;
  for (size_t i = 0; i < arrays.size(); ++i) {
    Array &array = arrays[i];
    array.bytes = cli::byteCount(array.shape, bytesOf(array.type)).value_or(0);
    int64_t offset =
        !offsets ? static_cast<int64_t>(i) * apart % pageBytes : (array.output ? offsets->outputs : offsets->inputs);
    if (offset % bytesOf(array.type) != 0) {
      diagnostics.error({"normc"},
                        fmt::format("--offset {}: {} is {}, whose elements have {} bytes", offset, array.name,
                                    nameOf(array.type), bytesOf(array.type)),
                        Fault::usage);
      return false;
    }
    array.place = (next + pageBytes - 1) / pageBytes * pageBytes + offset;
    next = array.place + array.bytes;
  }
  memoryBytes = (static_cast<size_t>(next) / hugePage + 2) * hugePage;
  void *mapped = mmap(nullptr, memoryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    diagnostics.error({"normc"}, fmt::format("no memory for {} bytes of arrays", memoryBytes), Fault::system);
    return false;
  }
  memory = static_cast<std::byte *>(mapped);
  madvise(memory, memoryBytes, MADV_HUGEPAGE); // where there are none, small pages do
  auto aligned = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(memory) % hugePage);
  for (Array &array : arrays) {
    array.place += aligned;
    if (array.madeUp) array.given = cli::makeSeedInput(*array.madeUp, diagnostics);
    if (array.madeUp && !array.given) return false;
    auto bytes = static_cast<size_t>(array.bytes);
    if (array.given) std::memcpy(memory + array.place, array.given->data(), bytes);
    else std::memset(memory + array.place, 0, bytes);
    array.given.reset();
  }
  return true;
}

std::optional<BoundKernel> Workload::bind(Compiled &one, Diagnostics &diagnostics) {
  BoundKernel bound;
  bound.kernel = one.kernel;
  bound.timed = one.timed;
  const Signature &signature = one.kernel->signature();
  std::vector<std::string> names;
  std::vector<Stream> read, written;
  for (size_t i = 0; i < signature.arguments.size(); ++i) {
    const Argument &argument = signature.arguments[i];
    names.push_back(argument.name);
    if (argument.role == Argument::Role::scalar) {
      bound.views.push_back({one.scalars[argument.name].data(), argument.type, {}});
      continue;
    }
    const Array &array = arrays[one.arrays[argument.name]];
    bound.views.push_back({memory + array.place, argument.type, one.extents.shapes[i]});
    if (axesOf(argument) != mostAxes(signature)) continue;
    if (argument.role != Argument::Role::output) read.push_back({memory + array.place, array.bytes});
    if (argument.written) written.push_back({memory + array.place, array.bytes});
  }
  bound.call = runtime::Call::bind(one.kernel, names, diagnostics);
  if (!bound.call) return std::nullopt;
  bound.traffic = Traffic(read, written);
  return bound;
}

bool Workload::run(runtime::ThreadPool &pool, Diagnostics &diagnostics) {
  for (BoundKernel &kernel : kernels)
    if (!kernel.run(pool, diagnostics)) return false;
  return true;
}

bool Workload::runTimed(runtime::ThreadPool &pool, Diagnostics &diagnostics) {
  for (BoundKernel &kernel : kernels)
    if (kernel.timed && !kernel.run(pool, diagnostics)) return false;
  return true;
}

void Workload::moveTimed(Traffic::Way way, runtime::ThreadPool &pool) const {
  for (const BoundKernel &kernel : kernels)
    if (kernel.timed) kernel.traffic.move(way, pool);
}

int64_t Workload::bytes() const {
  int64_t total = 0;
  for (const BoundKernel &kernel : kernels) total += kernel.timed ? kernel.traffic.bytes() : 0;
  return total;
}

void Workload::restore() {
  for (const auto &[place, elements] : kept) std::memcpy(place, elements.data(), elements.size());
}

std::optional<std::deque<BoundKernel>> Workload::compileAlso(const std::string &target, Diagnostics &diagnostics) {
  std::deque<BoundKernel> others;
  for (Compiled &one : compiled) {
    std::shared_ptr<const runtime::Kernel> kernel =
        runtime::Context(1, target).kernel(one.source, one.selection, diagnostics);
    if (!kernel) return std::nullopt;
    std::swap(one.kernel, kernel);
    std::optional<BoundKernel> bound = bind(one, diagnostics);
    std::swap(one.kernel, kernel);
    if (!bound) return std::nullopt;
    others.push_back(std::move(*bound));
  }
  return others;
}

std::optional<std::string> Workload::planOf(size_t kernel, Diagnostics &diagnostics) const {
  const Compiled &one = compiled[kernel];
  std::unique_ptr<Plan> plan = Plan::prepare(one.source, one.selection, "cpu", diagnostics);
  if (!plan) return std::nullopt;
  size_t variant = 0;
  while (std::any_of(plan->variants()[variant].begin(), plan->variants()[variant].end(),
                     [&](const Guard &guard) { return !guard.holds(one.extents.leaves.data()); }))
    ++variant; // one applies
  return plan->text(variant);
}

std::optional<Explanation> Workload::explain(size_t kernel, const std::string &target, Diagnostics &diagnostics) const {
  const Compiled &one = compiled[kernel];
  Selection fixed = one.selection;
  const Signature &signature = one.kernel->signature();
  for (size_t row = 0; row < signature.axes.size(); ++row)
    fixed.sizes[signature.axes[row].name] = one.extents.rows[row];
  return normc::explain(one.source, fixed, target, diagnostics);
}

bool Workload::save(const std::string &folder, Diagnostics &diagnostics) const {
  cli::OutputFiles files(diagnostics);
  for (const Array &array : arrays) {
    std::string header = cli::npyHeader(array.type, array.shape);
    std::string_view elements(reinterpret_cast<const char *>(memory + array.place), static_cast<size_t>(array.bytes));
    if (!files.write(folder + "/" + array.name + ".npy", {header, elements})) return false;
  }
  return files.commit();
}

} // namespace normc::bench
