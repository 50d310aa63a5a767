#include "compiler/Compiler.h"
#include "compiler/Isolate.h"
#include "compiler/Pipeline.h"
#include "compiler/emit/LowerToLLVM.h"
#include "compiler/emit/Object.h"
#include "compiler/emit/SignatureOf.h"
#include "compiler/evaluate/Evaluate.h"
#include "compiler/frontend/EmitNorm.h"
#include "compiler/frontend/Format.h"
#include "compiler/frontend/Imports.h"
#include "compiler/schedule/Explain.h"
#include "compiler/transforms/Differentiate.h"
#include "compiler/transforms/Specialize.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace normc {
namespace {

std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

/// The functions that a lowered kernel exports: `NAME_phase0`, `NAME_blocks0`, `NAME_phase0_exchange0`, ...,
/// `NAME_workspace_bytes`.
void setSymbols(ModuleOp module, Artifact &artifact) {
  const std::string &name = artifact.signature.kernel;
  for (unsigned number = 0;; ++number) {
    PhaseSymbols phase = {name + "_phase" + std::to_string(number), name + "_blocks" + std::to_string(number), {}};
    if (!module.lookupSymbol(phase.entry)) break;
    for (;;) {
      std::string exchange = phase.entry + "_exchange" + std::to_string(phase.exchanges.size());
      if (!module.lookupSymbol(exchange)) break;
      phase.exchanges.push_back(std::move(exchange));
    }
    artifact.phases.push_back(std::move(phase));
  }
  artifact.workspaceBytes = name + "_workspace_bytes";
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
  /// The lower half: from there to machine code.
  std::optional<Artifact> generate(const Machine &machine);
  /// From there to a plan, as text for people.
  std::optional<std::string> explain(const Machine &machine);
  /// From the text to a gradient's own text.
  std::optional<std::string> gradient(const Source &source, const Selection &selection);

  norm::KernelOp kernel;
  Signature signature;

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

  /// Takes the kernel through the stages up to and with `last`. False on an error, or where the observer wants to go no
  /// further.
  bool lower(const Machine &machine, llvm::StringRef last);

  /// Runs a stage's passes and verifies what they leave. norm-opt verifies after each pass, which would be a tenth of
  /// the time of a compilation.
  bool runPasses(PassManager &passes) {
    passes.enableVerifier(false);
    bool done = succeeded(passes.run(*module)) && succeeded(verify(*module));
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
  return formatKernel(kernel);
}

bool Compilation::lower(const Machine &machine, llvm::StringRef last) {
  for (const Stage &next : pipeline()) {
    stage = next.name;
    PassManager passes(&context);
    next.build(passes, machine);
    if (!runPasses(passes) || !show(next.name, [&] { return textOf(*module); })) return false;
    if (last == next.name) break;
  }
  return true;
}

std::optional<std::string> Compilation::explain(const Machine &machine) {
  if (!lower(machine, "planned")) return std::nullopt;
  return explainPlan(*module, machine);
}

std::optional<Artifact> Compilation::generate(const Machine &machine) {
  if (!lower(machine, "vector")) return std::nullopt;
  Artifact artifact;
  artifact.signature = signature;
  setSymbols(*module, artifact);

  stage = "llvm";
  PassManager lowering(&context);
  buildLowerToLLVM(lowering);
  if (!runPasses(lowering)) return std::nullopt;
  std::unique_ptr<NativeCode> code = NativeCode::translate(*module, machine, diagnostics);
  if (!code || !show("llvm", [&] { return code->text(); })) return std::nullopt;

  stage = "asm";
  bool wanted = show("asm", [&] { return code->assembly(diagnostics).value_or(""); });
  if (!wanted || diagnostics.any()) return std::nullopt;
  std::optional<std::string> object = code->object(diagnostics);
  if (!object) return std::nullopt;
  artifact.object = std::move(*object);
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
        {}, "one target expected, found " + std::to_string(machines.size()) + ": '" + std::string(target) + "'",
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
    if (compilation.specialize(source, selection)) artifact = compilation.generate(*machine);
  });
  return artifact;
}

std::optional<std::string> explain(const Source &source, const Selection &selection, std::string_view target,
                                   Diagnostics &diagnostics) {
  std::optional<Machine> machine = parseOneTarget(target, diagnostics);
  if (!machine) return std::nullopt;
  std::optional<std::string> text;
  guarded(source.path, diagnostics, [&] {
    StageObserver none;
    Compilation compilation(diagnostics, none);
    if (compilation.specialize(source, selection)) text = compilation.explain(*machine);
  });
  return text;
}

std::optional<std::string> gradientText(const Source &source, const Selection &selection, Diagnostics &diagnostics) {
  std::optional<std::string> text;
  guarded(source.path, diagnostics, [&] {
    StageObserver none;
    text = Compilation(diagnostics, none).gradient(source, selection);
  });
  return text;
}

struct Evaluation::State {
  Diagnostics diagnostics;
  StageObserver none;
  std::string path;
  Compilation compilation{diagnostics, none};
};

Evaluation::Evaluation() : state(std::make_unique<State>()) {}
Evaluation::~Evaluation() = default;

std::unique_ptr<Evaluation> Evaluation::prepare(const Source &source, const Selection &selection,
                                                Diagnostics &diagnostics) {
  std::unique_ptr<Evaluation> evaluation(new Evaluation);
  evaluation->state->path = source.path;
  bool good = false;
  if (!guarded(source.path, diagnostics,
               [&] { good = evaluation->state->compilation.specialize(source, selection); })) {
    evaluation.release(); // a part of what stays behind
    return nullptr;
  }
  diagnostics.append(evaluation->state->diagnostics); // errors, and the texts that later ones quote
  return good ? std::move(evaluation) : nullptr;
}

const Signature &Evaluation::signature() const { return state->compilation.signature; }

bool Evaluation::run(std::span<const ReplicaArguments> replicas, Diagnostics &diagnostics) const {
  bool good = false;
  guarded(state->path, diagnostics,
          [&] { good = evaluate(state->compilation.kernel, signature(), replicas, diagnostics); });
  return good;
}

} // namespace normc
