#include "compiler/Compiler.h"
#include "compiler/Isolate.h"
#include "compiler/Pipeline.h"
#include "compiler/emit/LowerToLLVM.h"
#include "compiler/emit/Object.h"
#include "compiler/emit/SignatureOf.h"
#include "compiler/emit/TakeHalf.h"
#include "compiler/evaluate/Evaluate.h"
#include "compiler/frontend/EmitNorm.h"
#include "compiler/frontend/Format.h"
#include "compiler/frontend/Imports.h"
#include "compiler/frontend/Reformat.h"
#include "compiler/schedule/Explain.h"
#include "compiler/schedule/Tuning.h"
#include "compiler/transforms/Differentiate.h"
#include "compiler/transforms/Specialize.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

using namespace mlir;

namespace normc {
namespace {

std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

/// The phases that a lowered kernel exports.
std::vector<PhaseSymbols> phasesOf(ModuleOp module, const std::string &kernel) {
  std::vector<PhaseSymbols> phases;
  for (PhaseSymbols phase(kernel, 0); module.lookupSymbol(phase.entry); phase = {kernel, phases.size()}) {
    while (module.lookupSymbol(phase.exchange(phase.exchanges))) ++phase.exchanges;
    phases.push_back(phase);
  }
  return phases;
}

/// One kernel's way through the stages.
class Compilation {
public:
  Compilation(Diagnostics &diagnostics, const StageObserver &observer)
      : diagnostics(diagnostics), observer(observer), context(registry(), MLIRContext::Threading::DISABLED),
        handler(&context, [this](Diagnostic &diagnostic) { report(diagnostic); }) {}

  /// The upper half: from the text to a specialized kernel in value form. False on an error, or where the observer
  /// wants to go no further.
  bool specialize(const Source &source, const Selection &selection);
  /// From there to a plan: the module holds the kernel's variants then. False as above.
  bool plan(const Machine &machine);
  /// The same for who compiles its variants one by one.
  bool planOnDemand(const Machine &machine);
  /// From a plan, all of it or one variant of it, to machine code: one object, or two where two threads are quicker.
  std::optional<Artifact> generate(ModuleOp planned, Machine machine, bool inOne);
  /// From the text to a gradient's own text.
  std::optional<std::string> gradient(const Source &source, const Selection &selection);

  norm::KernelOp kernel;
  Signature signature;
  /// What the last stage left.
  ModuleOp kernels() { return *module; }

private:
  static const DialectRegistry &registry() {
    static const DialectRegistry registry = [] {
      DialectRegistry registry;
      registerDialects(registry);
      return registry;
    }();
    return registry;
  }

  /// From the module that the front end emits to one with a kernel alone: what is to be derived is.
  bool derive();

  /// Shows the result of a stage; false where the observer wants to go no further.
  bool show(const char *result, const std::function<std::string()> &text) {
    return !observer || observer(result, text);
  }

  /// The mistakes of a spec are found by the front end, Specialize and Differentiate: what another pass or a verifier
  /// says is our own mistake.
  void report(Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      internalError(placeOf(diagnostic.getLocation()), diagnostic.str());
  }
  void internalError(Place place, const std::string &what) {
    if (place.file.empty()) place.file = path;
    diagnostics.error(std::move(place), std::string("internal error in stage ") + stage + ": " + what, Fault::system);
  }

  /// Takes a module through a stage. False on an error, or where the observer wants to go no further.
  bool lower(ModuleOp kernels, const Machine &machine, const Stage &through);

  /// A module of vector code as LLVM's.
  std::unique_ptr<NativeCode> translate(ModuleOp module, PassManager &lowering, const Machine &machine);
  /// The objects of two modules of vector code, by two threads: the one is at work on the first as soon as the other
  /// has translated it.
  bool generateBoth(ModuleOp half, ModuleOp rest, PassManager &lowering, const Machine &machine, Artifact &artifact);

  /// Runs a stage's passes and verifies what they leave. norm-opt verifies after each pass, which would be a tenth of
  /// the time of a compilation.
  bool runPasses(PassManager &passes, ModuleOp kernels, bool verifies = true) {
    passes.enableVerifier(false);
    bool done = succeeded(passes.run(kernels)) && (!verifies || succeeded(verify(kernels)));
    if (!done && !diagnostics.any()) internalError({}, "it failed without saying why");
    return done;
  }

  Diagnostics &diagnostics;
  const StageObserver &observer;
  MLIRContext context;
  ScopedDiagnosticHandler handler;
  std::string path;           // of the spec
  const char *stage = "norm"; // the one at work
  OwningOpRef<ModuleOp> module;
};

bool Compilation::specialize(const Source &source, const Selection &selection) {
  path = source.path;
  std::unique_ptr<File> file = parseFile(source.path, source.text, source.importPaths, diagnostics);
  if (diagnostics.any() || !show("ast", [&] { return printAst(*file->main); })) return false;

  module = emitNorm(context, *file, selection, diagnostics);
  if (!module || !show("norm", [&] { return textOf(*module); })) return false;

  if (!derive()) return false;
  stage = "specialized";
  if (failed(normc::specialize(kernel, selection, diagnostics))) return false;
  if (!show("specialized", [&] { return textOf(*module); })) return false;

  std::optional<Signature> callers = signatureOf(kernel, diagnostics);
  if (callers) signature = std::move(*callers);
  return callers.has_value();
}

bool Compilation::derive() {
  ScopedDiagnosticHandler mistakes(&context, [this](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error) return;
    Diagnostics::Entry &entry = diagnostics.error(placeOf(diagnostic.getLocation()), diagnostic.str());
    for (Diagnostic &note : diagnostic.getNotes()) entry.notes.emplace_back(placeOf(note.getLocation()), note.str());
  });
  for (auto gradient : llvm::make_early_inc_range(module->getOps<norm::GradientOp>()))
    if (!differentiate(gradient)) return false;
  kernel = *module->getOps<norm::KernelOp>().begin();
  return true;
}

/// The gradient that a selection names, or the file's only one. What is no name of the file is the front end's to
/// report.
static std::optional<std::string> selectGradient(const Unit &unit, const std::string &name, Diagnostics &diagnostics) {
  std::vector<std::string> names;
  for (const Declaration &declaration : unit.declarations)
    if (auto *gradient = std::get_if<std::unique_ptr<Gradient>>(&declaration)) names.push_back((*gradient)->name.text);
  bool isKernel = unit.kernels.count(name);
  if (!name.empty() && !isKernel) return name;
  if (!isKernel && names.size() == 1) return names[0];
  std::string message = isKernel ? "`" + name + "` is a kernel, not a gradient" : "no gradient is named";
  message += names.empty() ? ": the file has none" : ": -k takes " + llvm::join(names, ", ");
  diagnostics.error({unit.source.path, 0, 0}, message, Fault::usage);
  return std::nullopt;
}

std::optional<std::string> Compilation::gradient(const Source &source, const Selection &selection) {
  std::unique_ptr<File> file = parseFile(source.path, source.text, source.importPaths, diagnostics);
  if (diagnostics.any()) return std::nullopt;
  std::optional<std::string> name = selectGradient(*file->main, selection.kernel, diagnostics);
  if (!name) return std::nullopt;
  Selection named = selection;
  named.kernel = *name;
  module = emitNorm(context, *file, named, diagnostics);
  if (!module || !derive()) return std::nullopt;
  simplify(kernel);
  return reformat(path, formatKernel(kernel), diagnostics);
}

bool Compilation::lower(ModuleOp kernels, const Machine &machine, const Stage &through) {
  stage = through.name;
  PassManager passes(&context);
  through.build(passes, machine);
  return runPasses(passes, kernels) && show(through.name, [&] { return textOf(kernels); });
}

bool Compilation::plan(const Machine &machine) {
  return llvm::all_of(pipeline().drop_back(), [&](const Stage &next) { return lower(*module, machine, next); });
}

bool Compilation::planOnDemand(const Machine &machine) {
  PassManager passes(&context);
  buildOnDemand(passes, machine);
  return plan(machine) && runPasses(passes, *module, /*verifies=*/false);
}

std::unique_ptr<NativeCode> Compilation::translate(ModuleOp module, PassManager &lowering, const Machine &machine) {
  if (!runPasses(lowering, module, /*verifies=*/false)) return nullptr; // LLVM verifies its IR
  return NativeCode::translate(module, machine, diagnostics);
}

bool Compilation::generateBoth(ModuleOp half, ModuleOp rest, PassManager &lowering, const Machine &machine,
                               Artifact &artifact) {
  std::unique_ptr<NativeCode> other = translate(half, lowering, machine);
  if (!other) return false;
  std::optional<std::string> objects[2];
  Diagnostics others;
  auto alongside = [&] {
    if (std::unique_ptr<NativeCode> code = translate(rest, lowering, machine)) objects[0] = code->object(diagnostics);
  };
  std::optional<std::string> reason = isolate([&] { objects[1] = other->object(others); }, alongside);
  if (reason) { // its thread stays behind, with what it works on
    (void)other.release();
    internalError({}, "LLVM gave up: " + *reason);
    return false;
  }
  diagnostics.append(others);
  for (std::optional<std::string> &object : objects)
    if (object) artifact.objects.push_back(std::move(*object));
  return artifact.objects.size() == 2;
}

std::optional<Artifact> Compilation::generate(ModuleOp planned, Machine machine, bool inOne) {
  applyTuning([&] { return textOf(planned); }, machine);
  if (!lower(planned, machine, pipeline().back())) return std::nullopt;
  Artifact artifact;
  artifact.signature = signature;
  artifact.phases = phasesOf(planned, signature.kernel);

  stage = "llvm";
  PassManager lowering(&context);
  buildLowerToLLVM(lowering);
  if (OwningOpRef<ModuleOp> half = inOne ? nullptr : takeHalf(planned)) {
    bool good = generateBoth(*half, planned, lowering, machine, artifact);
    return good ? std::optional(std::move(artifact)) : std::nullopt;
  }
  std::unique_ptr<NativeCode> code = translate(planned, lowering, machine);
  if (!code || !show("llvm", [&] { return code->text(); })) return std::nullopt;

  stage = "asm";
  bool wanted = show("asm", [&] { return code->assembly(diagnostics).value_or(""); });
  if (!wanted || diagnostics.any()) return std::nullopt;
  std::optional<std::string> object = code->object(diagnostics);
  if (!object) return std::nullopt;
  artifact.objects.push_back(std::move(*object));
  return artifact;
}

} // namespace

/// Where LLVM gives up, that is an error like others.
static bool guarded(const std::string &path, Diagnostics &diagnostics, llvm::function_ref<void()> work) {
  std::optional<std::string> reason = isolate(work);
  if (reason) diagnostics.error({path}, "internal error: LLVM gave up: " + *reason, Fault::system);
  return !reason;
}

static std::optional<Machine> parseOneTarget(std::string_view target, Diagnostics &diagnostics) {
  std::vector<Machine> machines = parseTargets(target, diagnostics);
  if (machines.size() > 1)
    diagnostics.error(
        {}, "one target expected, found " + std::to_string(machines.size()) + ": `" + std::string(target) + "`",
        Fault::usage);
  return machines.size() == 1 ? std::optional(machines.front()) : std::nullopt;
}

std::optional<Artifact> compile(const Source &source, const Selection &selection, std::string_view target,
                                Diagnostics &diagnostics, const StageObserver &observer) {
  std::optional<Machine> machine = parseOneTarget(target, diagnostics);
  if (!machine) return std::nullopt;
  std::optional<Artifact> artifact;
  guarded(source.path, diagnostics, [&] {
    Compilation compilation(diagnostics, observer);
    if (compilation.specialize(source, selection) && compilation.plan(*machine))
      artifact = compilation.generate(compilation.kernels(), *machine, /*inOne=*/true);
  });
  return artifact;
}

std::optional<Explanation> explain(const Source &source, const Selection &selection, std::string_view target,
                                   Diagnostics &diagnostics) {
  std::optional<Machine> machine = parseOneTarget(target, diagnostics);
  if (!machine) return std::nullopt;
  std::optional<Explanation> explanation;
  guarded(source.path, diagnostics, [&] {
    StageObserver none;
    Compilation compilation(diagnostics, none);
    if (!compilation.specialize(source, selection) || !compilation.plan(*machine)) return;
    explanation.emplace();
    explanation->text = explainPlan(compilation.kernels(), *machine, explanation->memoryBytes);
  });
  return explanation;
}

std::optional<std::string> gradientText(const Source &source, const Selection &selection, Diagnostics &diagnostics) {
  std::optional<std::string> text;
  guarded(source.path, diagnostics, [&] {
    StageObserver none;
    text = Compilation(diagnostics, none).gradient(source, selection);
  });
  return text;
}

namespace {

/// A compilation that waits for more to do, with what it says.
struct Pending {
  Diagnostics diagnostics;
  StageObserver none;
  std::string path;
  Compilation compilation{diagnostics, none};
};

/// Runs `work` on a compilation that waits, and passes on what it says. Where LLVM gave up, a part of what stays behind
/// is not ours any more.
bool resume(std::unique_ptr<Pending> &pending, Diagnostics &diagnostics, llvm::function_ref<bool(Pending &)> work) {
  bool good = false;
  pending->diagnostics = Diagnostics();
  if (!guarded(pending->path, diagnostics, [&] { good = work(*pending); })) {
    (void)pending.release();
    return false;
  }
  diagnostics.append(pending->diagnostics); // errors, and the texts that later ones quote
  return good;
}

/// The leaves whose extents are those of an axis, multiplied.
void addLeaves(norm::KernelOp kernel, StringAttr name, std::vector<unsigned> &leaves) {
  norm::AxisAttr axis = kernel.getAxis(name);
  if (axis.isProduct()) {
    addLeaves(kernel, axis.getOuter(), leaves);
    addLeaves(kernel, axis.getInner(), leaves);
    return;
  }
  assert(axis.isLeaf() && "a guard is about the extents of a call");
  unsigned number = 0;
  for (Attribute row : kernel.getAxes()) {
    if (row == axis) break;
    number += cast<norm::AxisAttr>(row).isLeaf();
  }
  leaves.push_back(number);
}

std::vector<Guard> guardsOf(norm::KernelOp kernel) {
  std::vector<Guard> guards;
  if (auto attributes = kernel->getAttrOfType<ArrayAttr>("norm.guards"))
    for (Attribute attribute : attributes) {
      auto guard = cast<DictionaryAttr>(attribute);
      bool over = guard.contains("over");
      guards.push_back({{}, guard.getAs<IntegerAttr>(over ? "over" : "most").getInt(), over});
      for (StringAttr axis : norm::namesOf(guard.getAs<ArrayAttr>("axes")))
        addLeaves(kernel, axis, guards.back().leaves);
    }
  return guards;
}

} // namespace

struct Plan::State {
  std::mutex mutex;
  Machine machine;
  Signature signature;
  std::vector<std::vector<Guard>> variants;
  std::unique_ptr<Pending> pending; // null where LLVM gave up
};

Plan::Plan() : state(std::make_unique<State>()) {}
Plan::~Plan() = default;

std::unique_ptr<Plan> Plan::prepare(const Source &source, const Selection &selection, std::string_view target,
                                    Diagnostics &diagnostics) {
  std::optional<Machine> machine = parseOneTarget(target, diagnostics);
  if (!machine) return nullptr;
  std::unique_ptr<Plan> plan(new Plan);
  plan->state->machine = std::move(*machine);
  plan->state->pending = std::make_unique<Pending>();
  plan->state->pending->path = source.path;
  bool good = resume(plan->state->pending, diagnostics, [&](Pending &pending) {
    return pending.compilation.specialize(source, selection) && pending.compilation.planOnDemand(plan->state->machine);
  });
  if (!good) return nullptr;
  Compilation &compilation = plan->state->pending->compilation;
  plan->state->signature = compilation.signature;
  for (norm::KernelOp variant : compilation.kernels().getOps<norm::KernelOp>())
    plan->state->variants.push_back(guardsOf(variant));
  return plan;
}

static OwningOpRef<ModuleOp> variantOf(ModuleOp all, size_t variant) {
  OwningOpRef<ModuleOp> alone(cast<ModuleOp>(all->cloneWithoutRegions()));
  alone->getBodyRegion().emplaceBlock();
  auto kernel = *std::next(all.getOps<norm::KernelOp>().begin(), variant);
  alone->push_back(kernel->clone());
  return alone;
}

std::string Plan::text(size_t variant) {
  std::lock_guard lock(state->mutex);
  return state->pending ? textOf(*variantOf(state->pending->compilation.kernels(), variant)) : std::string();
}

const Signature &Plan::signature() const { return state->signature; }
const std::vector<std::vector<Guard>> &Plan::variants() const { return state->variants; }

std::optional<Artifact> Plan::generate(size_t variant, Diagnostics &diagnostics) {
  std::lock_guard lock(state->mutex);
  if (!state->pending) {
    diagnostics.error({state->signature.kernel}, "internal error: LLVM gave up on another variant", Fault::system);
    return std::nullopt;
  }
  std::optional<Artifact> artifact;
  resume(state->pending, diagnostics, [&](Pending &pending) {
    OwningOpRef<ModuleOp> alone = variantOf(pending.compilation.kernels(), variant);
    artifact = pending.compilation.generate(*alone, state->machine, /*inOne=*/false);
    return artifact.has_value();
  });
  return artifact;
}

struct Evaluation::State {
  std::unique_ptr<Pending> pending = std::make_unique<Pending>();
};

Evaluation::Evaluation() : state(std::make_unique<State>()) {}
Evaluation::~Evaluation() = default;

std::unique_ptr<Evaluation> Evaluation::prepare(const Source &source, const Selection &selection,
                                                Diagnostics &diagnostics) {
  std::unique_ptr<Evaluation> evaluation(new Evaluation);
  evaluation->state->pending->path = source.path;
  bool good = resume(evaluation->state->pending, diagnostics,
                     [&](Pending &pending) { return pending.compilation.specialize(source, selection); });
  return good ? std::move(evaluation) : nullptr;
}

const Signature &Evaluation::signature() const { return state->pending->compilation.signature; }

bool Evaluation::run(std::span<const ReplicaArguments> replicas, Diagnostics &diagnostics) const {
  bool good = false;
  Pending &pending = *state->pending;
  guarded(pending.path, diagnostics,
          [&] { good = evaluate(pending.compilation.kernel, signature(), replicas, diagnostics); });
  return good;
}

} // namespace normc
