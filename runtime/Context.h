#ifndef NORMC_RUNTIME_CONTEXT_H
#define NORMC_RUNTIME_CONTEXT_H
#include "compiler/Compiler.h"
#include "runtime/Cache.h"
#include "runtime/CacheKeys.h"
#include "runtime/ThreadPool.h"

namespace normc::runtime {

/// The threads and the kernels that calls of one program share. Any thread may call it.
class Context {
public:
  /// 0 threads: one for each core that this process may use. The target is this machine, or a level that it has.
  explicit Context(unsigned threads = 0, std::string target = "cpu", bool spreads = false)
      : workers(threads, spreads), target(std::move(target)) {}

  ThreadPool &pool() { return workers; }

  /// The kernel of a spec for the target, planned when it is first asked for; the first call of it that needs a variant
  /// compiles that. Null with errors where the spec or the selection is wrong. It outlives the context where somebody
  /// holds it.
  std::shared_ptr<const Kernel> kernel(const Source &source, const Selection &selection, Diagnostics &diagnostics);

private:
  ThreadPool workers;
  std::string target;
  CacheKeys keys;
  Cache cache;
};

} // namespace normc::runtime
#endif
