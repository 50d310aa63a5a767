#include "runtime/Kernel.h"
#include <fmt/format.h>
#include <type_traits>

namespace normc::runtime {

std::shared_ptr<const Kernel> Kernel::adopt(Signature signature, std::vector<Phase> phases,
                                            int64_t (*workspaceBytes)(const int64_t *extents),
                                            std::map<std::string, std::string> inplace) {
  std::shared_ptr<Kernel> kernel(new Kernel);
  kernel->callers = std::move(signature);
  kernel->table = std::move(phases);
  kernel->workspace = workspaceBytes;
  kernel->shared = std::move(inplace);
  return kernel;
}

std::shared_ptr<const Kernel> Kernel::load(Artifact artifact, std::map<std::string, std::string> inplace,
                                           Diagnostics &diagnostics) {
  std::shared_ptr<Kernel> kernel(new Kernel);
  kernel->code = LoadedObject::load(artifact.object, diagnostics);
  if (!kernel->code) return nullptr;
  bool complete = true;
  auto find = [&]<typename Function>(const std::string &symbol, Function *&function) {
    function = kernel->code->function<Function>(symbol);
    if (function) return;
    complete = false;
    diagnostics.error({artifact.signature.kernel}, fmt::format("the compiled code has no function '{}'", symbol),
                      Fault::system);
  };
  for (const PhaseSymbols &symbols : artifact.phases) {
    Phase phase{};
    find(symbols.entry, phase.entry);
    find(symbols.blocks, phase.blocks);
    for (const std::string &exchange : symbols.exchanges) find(exchange, phase.exchanges.emplace_back());
    kernel->table.push_back(phase);
  }
  find(artifact.workspaceBytes, kernel->workspace);
  if (!complete) return nullptr;
  kernel->callers = std::move(artifact.signature);
  kernel->shared = std::move(inplace);
  return kernel;
}

} // namespace normc::runtime
