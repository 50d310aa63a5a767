#include "compiler/emit/Object.h"
#include "compiler/emit/SplitAddresses.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <map>
#include <mutex>

using namespace llvm;

namespace normc {

namespace {

/// Target machines that no compilation has at the moment: to make one, and all that it finds out about its processor,
/// takes a millisecond.
class IdleMachines {
public:
  static IdleMachines &all() {
    static auto *machines = new IdleMachines; // a thread that LLVM gave up on may outlive everything static
    return *machines;
  }
  static std::string keyOf(const Machine &machine) {
    return machine.triple + ' ' + machine.cpu + ' ' + machine.features;
  }

  std::unique_ptr<TargetMachine> take(const std::string &key) {
    std::lock_guard lock(mutex);
    auto found = machines.find(key);
    if (found == machines.end()) return nullptr;
    std::unique_ptr<TargetMachine> machine = std::move(found->second);
    machines.erase(found);
    return machine;
  }
  void give(const std::string &key, std::unique_ptr<TargetMachine> machine) {
    std::lock_guard lock(mutex);
    if (machines.count(key) < mostOfAKind) machines.emplace(key, std::move(machine));
  }

private:
  static constexpr size_t mostOfAKind = 2; // a compilation uses two threads
  std::mutex mutex;
  std::multimap<std::string, std::unique_ptr<TargetMachine>> machines;
};

} // namespace

struct NativeCode::State {
  std::string target; // its name, for messages
  std::string key;    // of the machine
  LLVMContext context;
  std::unique_ptr<TargetMachine> machine;
  std::unique_ptr<Module> module;
  bool isOptimized = false;
  std::string errors; // what LLVM's diagnostics said

  ~State() {
    module.reset();
    if (machine) IdleMachines::all().give(key, std::move(machine));
  }
};

namespace {

void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    // Loop strength reduction is a quarter of the time of a compilation: SplitAddresses leaves it nothing to gain. The
    // others together are a twentieth, and find next to nothing in kernels.
    constexpr std::pair<StringRef, StringRef> settings[] = {
        {"disable-lsr", ""},
        {"disable-constant-hoisting", ""},
        {"disable-copyprop", ""},
        {"disable-early-taildup", ""},
        {"disable-mergeicmps", ""},
        {"disable-partial-libcall-inlining", ""},
        {"disable-postra-machine-licm", ""},
        {"disable-postra-machine-sink", ""},
        {"disable-ssc", ""},
        {"disable-tail-duplicate", ""},
        {"disable-x86-domain-reassignment", ""},
        {"enable-shrink-wrap", "false"},
        {"x86-cmov-converter", "false"},
        {"x86-machine-combiner", "false"},
    };
    for (auto [name, value] : settings) cl::getRegisteredOptions()[name]->addOccurrence(0, name, value);
  });
}

/// The default without a second scheduling, after register allocation.
constexpr auto usualLevel = CodeGenOptLevel::Less;

void internalError(Diagnostics &diagnostics, const std::string &target, const std::string &what) {
  diagnostics.error({}, "internal error while generating code for " + target + ": " + what, Fault::system);
}

std::unique_ptr<TargetMachine> createMachine(const Machine &machine, std::string &error) {
  initializeTargets();
  Triple triple(machine.triple);
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target) return nullptr;
  TargetOptions options;
  // The lowering says itself what is fused: left to instruction selection, a tail could round otherwise than the body.
  options.AllowFPOpFusion = FPOpFusion::Strict;
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(triple, machine.cpu, machine.features, options,
                                                                    Reloc::PIC_, CodeModel::Small, usualLevel));
}

/// What holds for every function: it runs on this processor, never unwinds, and nothing in it is replaced by a call.
void setAttributes(Module &module, const Machine &machine) {
  for (Function &function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("target-cpu", machine.cpu);
    if (!machine.features.empty()) function.addFnAttr("target-features", machine.features);
    // Some processors with AVX-512 are tuned for half its width by default.
    function.addFnAttr("prefer-vector-width", std::to_string(8 * machine.tree.vectorBytes));
    function.addFnAttr("no-builtins");
    function.addFnAttr(Attribute::NoUnwind);
  }
}

/// What the lowering leaves to do: forwarding, folding of addresses, hoisting. No unroller and no vectoriser: the width
/// and the number of accumulators are the plan's.
void runPasses(Module &module, TargetMachine &machine) {
  LoopAnalysisManager loopAnalyses;
  FunctionAnalysisManager functionAnalyses;
  CGSCCAnalysisManager sccAnalyses;
  ModuleAnalysisManager moduleAnalyses;
  PassBuilder builder(&machine);
  builder.registerModuleAnalyses(moduleAnalyses);
  builder.registerCGSCCAnalyses(sccAnalyses);
  builder.registerFunctionAnalyses(functionAnalyses);
  builder.registerLoopAnalyses(loopAnalyses);
  builder.crossRegisterProxies(loopAnalyses, functionAnalyses, sccAnalyses, moduleAnalyses);

  FunctionPassManager passes;
  passes.addPass(SROAPass(SROAOptions::PreserveCFG));
  passes.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  passes.addPass(InstCombinePass());
  passes.addPass(SimplifyCFGPass());
  LoopPassManager loops;
  loops.addPass(SplitAddresses());
  loops.addPass(LICMPass(LICMOptions()));
  passes.addPass(createFunctionToLoopPassAdaptor(std::move(loops), /*UseMemorySSA=*/true));
  for (Function &function : module)
    if (!function.isDeclaration() && !function.hasOptNone()) passes.run(function, functionAnalyses);
}

/// The symbols an object leaves to others, joined; an error where it is no object.
Expected<std::string> undefinedSymbols(StringRef bytes) {
  auto file = object::ObjectFile::createObjectFile(MemoryBufferRef(bytes, "kernel"));
  if (!file) return file.takeError();
  std::string names;
  for (const object::SymbolRef &symbol : (*file)->symbols()) {
    Expected<uint32_t> flags = symbol.getFlags();
    if (!flags) return flags.takeError();
    if (!(*flags & object::SymbolRef::SF_Undefined) || (*flags & object::SymbolRef::SF_FormatSpecific)) continue;
    Expected<StringRef> name = symbol.getName();
    if (!name) return name.takeError();
    if (!name->empty()) names += (names.empty() ? "" : ", ") + name->str();
  }
  return names;
}

/// Runs instruction selection and the rest of code generation, which changes the module.
bool generate(Module &module, TargetMachine &machine, CodeGenFileType kind, SmallVectorImpl<char> &out) {
  raw_svector_ostream stream(out);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, kind, /*DisableVerify=*/true)) return false;
  passes.run(module);
  return true;
}

} // namespace

NativeCode::NativeCode(std::unique_ptr<State> state) : state(std::move(state)) {}
NativeCode::~NativeCode() = default;

std::unique_ptr<NativeCode> NativeCode::translate(mlir::ModuleOp module, const Machine &machine,
                                                  Diagnostics &diagnostics) {
  auto state = std::make_unique<State>();
  state->target = machine.name;
  std::string error;
  state->key = IdleMachines::keyOf(machine);
  state->machine = IdleMachines::all().take(state->key);
  if (!state->machine) state->machine = createMachine(machine, error);
  if (!state->machine) {
    internalError(diagnostics, machine.name, error);
    return nullptr;
  }
  // The default handler ends the process at an error.
  state->context.setDiagnosticHandlerCallBack(
      [](const DiagnosticInfo *info, void *errors) {
        if (info->getSeverity() != DS_Error) return;
        raw_string_ostream stream(*static_cast<std::string *>(errors));
        DiagnosticPrinterRawOStream printer(stream);
        info->print(printer);
      },
      &state->errors);

  state->module = mlir::translateModuleToLLVMIR(module, state->context);
  if (!state->module) {
    internalError(diagnostics, machine.name, "the module has no translation to LLVM IR");
    return nullptr;
  }
  // The translation keeps the linkage of a function, not its visibility in the module.
  for (mlir::Operation &operation : *module.getBody())
    if (auto symbol = mlir::dyn_cast<mlir::SymbolOpInterface>(operation); symbol && symbol.isPrivate())
      if (GlobalValue *global = state->module->getNamedValue(symbol.getName()); global && !global->isDeclaration())
        global->setLinkage(GlobalValue::InternalLinkage);
  state->module->setTargetTriple(state->machine->getTargetTriple());
  state->module->setDataLayout(state->machine->createDataLayout());
  state->module->setPICLevel(PICLevel::BigPIC);
  setAttributes(*state->module, machine);
  return std::unique_ptr<NativeCode>(new NativeCode(std::move(state)));
}

void NativeCode::optimize() const {
  if (state->isOptimized) return;
  state->isOptimized = true;
  runPasses(*state->module, *state->machine);
  // Scheduling and register allocation take time by the square of a loop's length.
  constexpr unsigned longest = 20000;
  bool isLong = state->module->getInstructionCount() > longest;
  state->machine->setOptLevel(isLong ? CodeGenOptLevel::None : usualLevel);
}

std::string NativeCode::text() const {
  optimize();
  std::string text;
  raw_string_ostream stream(text);
  state->module->print(stream, nullptr);
  return text;
}

std::optional<std::string> NativeCode::assembly(Diagnostics &diagnostics) const {
  optimize();
  SmallString<0> text;
  std::unique_ptr<Module> copy = CloneModule(*state->module);
  if (generate(*copy, *state->machine, CodeGenFileType::AssemblyFile, text) && state->errors.empty())
    return text.str().str();
  internalError(diagnostics, state->target, state->errors.empty() ? "no assembly writer" : state->errors);
  return std::nullopt;
}

std::optional<std::string> NativeCode::object(Diagnostics &diagnostics) {
  optimize();
  SmallString<0> bytes;
  if (!generate(*state->module, *state->machine, CodeGenFileType::ObjectFile, bytes) || !state->errors.empty()) {
    internalError(diagnostics, state->target, state->errors.empty() ? "no object writer" : state->errors);
    return std::nullopt;
  }
  Expected<std::string> undefined = undefinedSymbols(bytes);
  if (!undefined) {
    internalError(diagnostics, state->target, toString(undefined.takeError()));
    return std::nullopt;
  }
  if (!undefined->empty()) {
    internalError(diagnostics, state->target, "the object calls " + *undefined + ", and an object may call nothing");
    return std::nullopt;
  }
  return bytes.str().str();
}

} // namespace normc
