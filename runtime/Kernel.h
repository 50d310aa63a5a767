#ifndef NORMC_RUNTIME_KERNEL_H
#define NORMC_RUNTIME_KERNEL_H
#include "compiler/Compiler.h"
#include "runtime/Cpu.h"
#include "runtime/Jit.h"
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace normc::runtime {

/// What runs for the extents of a call: the phases of one variant of a kernel, in this process's memory.
struct Variant {
  std::vector<Phase> phases;
  int64_t (*workspaceBytes)(const int64_t *extents) = nullptr; // of one call
  std::vector<std::unique_ptr<LoadedObject>> code = {};        // where they stand; none for a program's own functions
};

/// A kernel in this process. Its variants are compiled when a call first needs them, each of them once; apart from that
/// it never changes. Any number of threads may call it at once; it lives as long as somebody holds it.
class Kernel {
public:
  /// `inplace` names the outputs that are compiled to take an input's memory, and that input.
  static std::shared_ptr<const Kernel> of(std::unique_ptr<Plan> plan, std::map<std::string, std::string> inplace);
  /// A kernel of functions that are already in this process.
  static std::shared_ptr<const Kernel> adopt(Signature signature, std::vector<Phase> phases,
                                             int64_t (*workspaceBytes)(const int64_t *extents),
                                             std::map<std::string, std::string> inplace = {});
  ~Kernel();

  const Signature &signature() const { return callers; }
  const std::map<std::string, std::string> &inplace() const { return shared; }
  /// The variant for a call, as long as the kernel lives; `extents` are those of the leaves, and the number of
  /// replicas. The first to ask compiles it, others wait. Null with errors where that fails: the next to ask tries
  /// again.
  const Variant *variant(const int64_t *extents, Diagnostics &diagnostics) const;

private:
  struct Slot {
    std::vector<Guard> guards;
    std::atomic<const Variant *> ready = nullptr;
  };
  Kernel() = default;
  const Variant *compile(Slot &slot, Diagnostics &diagnostics) const;

  Signature callers;
  std::map<std::string, std::string> shared;
  mutable std::deque<Slot> slots;
  mutable std::mutex mutex;           // of who compiles
  mutable std::unique_ptr<Plan> plan; // until all are compiled
};

} // namespace normc::runtime
#endif
