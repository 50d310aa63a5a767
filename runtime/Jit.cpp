#include "runtime/Jit.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include "llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h"
#include "llvm/Support/Process.h"

using namespace llvm;
using namespace llvm::jitlink;

namespace normc {

struct LoadedObject::State {
  StringMap<void *> symbols;
  JITLinkMemoryManager::FinalizedAlloc memory;
};

namespace {

/// Outlives every object, those of static storage duration included.
JITLinkMemoryManager &memoryManager() {
  static auto *manager = new InProcessMemoryManager(sys::Process::getPageSizeEstimate());
  return *manager;
}

/// Links one object by itself: nothing is looked up outside. All of it happens before link() returns.
class Linking : public JITLinkContext {
public:
  Linking(StringMap<void *> &symbols, JITLinkMemoryManager::FinalizedAlloc &memory, Error &error)
      : JITLinkContext(nullptr), symbols(symbols), memory(memory), error(error) {}

  JITLinkMemoryManager &getMemoryManager() override { return memoryManager(); }
  void notifyFailed(Error failure) override { error = joinErrors(std::move(error), std::move(failure)); }

  void lookup(const LookupMap &wanted, std::unique_ptr<JITLinkAsyncLookupContinuation> next) override {
    if (wanted.empty()) return next->run(AsyncLookupResult());
    std::string names;
    for (const auto &symbol : wanted) names += (names.empty() ? "" : ", ") + (*symbol.first).str();
    next->run(createStringError("undefined symbols: " + names));
  }

  Error notifyResolved(LinkGraph &graph) override {
    for (Symbol *symbol : graph.defined_symbols())
      if (symbol->hasName() && symbol->getScope() == Scope::Default)
        symbols[*symbol->getName()] = symbol->getAddress().toPtr<void *>();
    return Error::success();
  }

  void notifyFinalized(JITLinkMemoryManager::FinalizedAlloc finalized) override { memory = std::move(finalized); }

private:
  StringMap<void *> &symbols;
  JITLinkMemoryManager::FinalizedAlloc &memory;
  Error &error;
};

} // namespace

LoadedObject::LoadedObject(std::unique_ptr<State> state) : state(std::move(state)) {}

LoadedObject::~LoadedObject() {
  // Unmapping what was mapped fails only where the pages are not ours any more: nobody could act on that.
  consumeError(memoryManager().deallocate(std::move(state->memory)));
}

std::unique_ptr<LoadedObject> LoadedObject::load(const std::string &bytes, Diagnostics &diagnostics) {
  auto state = std::make_unique<State>();
  Error error = Error::success();
  auto graph = createLinkGraphFromObject(MemoryBufferRef(bytes, "kernel"), std::make_shared<orc::SymbolStringPool>());
  if (graph && (*graph)->getTargetTriple().getArch() != Triple(LLVM_HOST_TRIPLE).getArch())
    error = joinErrors(std::move(error),
                       createStringError("its code is for " + (*graph)->getTargetTriple().getArchName().str()));
  else if (graph) link(std::move(*graph), std::make_unique<Linking>(state->symbols, state->memory, error));
  else error = joinErrors(std::move(error), graph.takeError());
  if (error) {
    diagnostics.error({}, "a compiled kernel cannot be loaded: " + toString(std::move(error)), Fault::system);
    return nullptr;
  }
  return std::unique_ptr<LoadedObject>(new LoadedObject(std::move(state)));
}

void *LoadedObject::address(std::string_view name) const { return state->symbols.lookup(name); }

} // namespace normc
