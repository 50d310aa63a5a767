#ifndef NORMC_RUNTIME_KERNEL_H
#define NORMC_RUNTIME_KERNEL_H
#include "compiler/Diagnostics.h"
#include "compiler/emit/Artifact.h"
#include "runtime/Cpu.h"
#include "runtime/Jit.h"
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace normc::runtime {

/// A compiled kernel, loaded into this process. Never changes, so any number of threads may call it at once; lives as
/// long as somebody holds it.
class Kernel {
public:
  /// Loads compiled code. `inplace` names the outputs that were compiled to take an input's memory, and that input.
  /// Null with an error where the code cannot be loaded.
  static std::shared_ptr<const Kernel> load(Artifact artifact, std::map<std::string, std::string> inplace,
                                            Diagnostics &diagnostics);
  /// A kernel of functions that are already in this process.
  static std::shared_ptr<const Kernel> adopt(Signature signature, std::vector<Phase> phases,
                                             int64_t (*workspaceBytes)(const int64_t *extents),
                                             std::map<std::string, std::string> inplace = {});

  const Signature &signature() const { return callers; }
  std::span<const Phase> phases() const { return table; }
  const std::map<std::string, std::string> &inplace() const { return shared; }
  /// Of one call; `extents` are those of the leaves, and the number of replicas.
  int64_t workspaceBytes(const int64_t *extents) const { return workspace(extents); }

private:
  Kernel() = default;
  Signature callers;
  std::map<std::string, std::string> shared;
  std::unique_ptr<LoadedObject> code;
  std::vector<Phase> table;
  int64_t (*workspace)(const int64_t *extents) = nullptr;
};

} // namespace normc::runtime
#endif
