#ifndef NORMC_RUNTIME_CACHE_H
#define NORMC_RUNTIME_CACHE_H
#include "compiler/Diagnostics.h"
#include "runtime/Kernel.h"
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace normc::runtime {

/// The kernels of a context, by everything that shapes their code. Any thread may call it.
class Cache {
public:
  /// Makes a kernel; null with errors where that fails.
  using Make = std::function<std::shared_ptr<const Kernel>(Diagnostics &)>;

  /// The kernel of that key. The first to ask makes it, others wait for it; where it fails, each of them gets the
  /// errors, and the next to ask tries again.
  std::shared_ptr<const Kernel> find(const std::string &key, const Make &make, Diagnostics &diagnostics);
  size_t size() const;

private:
  struct Entry {
    std::once_flag once;
    std::shared_ptr<const Kernel> kernel;
    Diagnostics errors;
  };
  mutable std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries;
};

} // namespace normc::runtime
#endif
