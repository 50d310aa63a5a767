#ifndef NORMC_RUNTIME_CACHEKEYS_H
#define NORMC_RUNTIME_CACHEKEYS_H
#include "compiler/Compiler.h"
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace normc::runtime {

/// Everything that shapes a kernel's code on one machine, as text: two keys that are equal stand for the same code. Any
/// thread may ask.
class CacheKeys {
public:
  /// A spec is parsed when it is first asked for, and where a file that it imports is another one than before.
  std::string of(const Source &source, const Selection &selection, std::string_view target);

private:
  struct Imports {
    std::vector<std::string> paths; // where the spec's imports were looked for
    std::string texts;              // what stood there
  };
  std::shared_ptr<const Imports> importsOf(const std::string &own, const Source &source);

  std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<const Imports>> known; // by a spec's own path and text
};

} // namespace normc::runtime
#endif
