#ifndef NORMC_COMPILER_EMIT_OBJECT_H
#define NORMC_COMPILER_EMIT_OBJECT_H
#include "compiler/Diagnostics.h"
#include "compiler/schedule/Machine.h"
#include <memory>
#include <optional>
#include <string>

namespace mlir {
class ModuleOp;
}

namespace normc {

/// A module of the LLVM dialect on its way to machine code. Whatever fails here is the compiler's own fault; it is
/// reported (Fault::system) all the same, and never ends the process. Objects are independent of one another: each may
/// live on a thread of its own.
class NativeCode {
public:
  /// Translates to LLVM IR. Public functions are exported, all else is internal. Null where that fails.
  static std::unique_ptr<NativeCode> translate(mlir::ModuleOp module, const Machine &machine, Diagnostics &diagnostics);
  ~NativeCode();

  /// The LLVM IR, as it goes to instruction selection.
  std::string text() const;
  /// Assembly text.
  std::optional<std::string> assembly(Diagnostics &diagnostics) const;
  /// A relocatable ELF object, as bytes. An object that needs any symbol of somebody else's is an error that names it.
  /// Uses up the IR: text() and assembly() come before.
  std::optional<std::string> object(Diagnostics &diagnostics);

private:
  void optimize() const; // once
  struct State;
  explicit NativeCode(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace normc
#endif
