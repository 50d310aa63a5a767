#ifndef NORMC_RUNTIME_JIT_H
#define NORMC_RUNTIME_JIT_H
#include "compiler/Diagnostics.h"
#include <memory>
#include <string>
#include <string_view>

namespace normc {

/// An object file's code and constants in this process's memory, until it is destroyed. Any thread may load one.
class LoadedObject {
public:
  /// Null where the bytes are no object for this processor, need a symbol of somebody else's, or find no memory: the
  /// error is in `diagnostics` then. `bytes` are not needed afterwards.
  static std::unique_ptr<LoadedObject> load(const std::string &bytes, Diagnostics &diagnostics);
  ~LoadedObject();

  /// The function of that name, as the type the caller knows it to be; null where there is none.
  template <typename Function> Function *function(std::string_view name) const {
    return reinterpret_cast<Function *>(address(name));
  }

private:
  struct State;
  explicit LoadedObject(std::unique_ptr<State> state);
  void *address(std::string_view name) const;
  std::unique_ptr<State> state;
};

} // namespace normc
#endif
