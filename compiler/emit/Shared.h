#ifndef NORMC_COMPILER_EMIT_SHARED_H
#define NORMC_COMPILER_EMIT_SHARED_H
#include "compiler/Diagnostics.h"
#include <optional>
#include <string>

namespace normc {

/// A shared library, as bytes, of one object, as bytes. Runs the linker found on the PATH (LLVM's, which links for
/// every target, before the system's own); none, or its failure, is an error (Fault::system).
std::optional<std::string> linkShared(const std::string &object, Diagnostics &diagnostics);

} // namespace normc
#endif
