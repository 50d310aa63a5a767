#ifndef NORMC_COMPILER_ISOLATE_H
#define NORMC_COMPILER_ISOLATE_H
#include "llvm/ADT/STLFunctionalExtras.h"
#include <optional>
#include <string>

namespace normc {

/// Does some work on a thread of its own, whose stack is deep enough for walking a chain of as many operations as a
/// kernel may have, and waits for it. Where LLVM gives up on the way (report_fatal_error, no memory), the caller goes
/// on: the result is LLVM's reason then, and the thread, with all that it holds, stays behind for the life of the
/// process. Empty where the work was done. Any thread may call it. Where the system has no memory for such a thread,
/// the caller does the work itself. The caller does what is `alongside` before it waits.
std::optional<std::string> isolate(llvm::function_ref<void()> work, llvm::function_ref<void()> alongside = nullptr);

} // namespace normc
#endif
