#ifndef NORMC_COMPILER_COMPILER_H
#define NORMC_COMPILER_COMPILER_H
#include "compiler/Diagnostics.h"
#include "compiler/Selection.h"
#include "compiler/emit/Artifact.h"
#include <functional>
#include <optional>

namespace normc {

/// A spec to compile: a file and where its imports are looked up after its own folder.
struct Source {
  std::string path;
  std::string text;
  std::vector<std::string> importPaths;
};

/// Sees the kernel after each stage, as text. Stages by name, in order: ast norm specialized decomposed collapsed planned
/// vector llvm asm. Returning false stops the compilation there (no error).
using StageObserver = std::function<bool(std::string_view stage, const std::string &text)>;

/// Compiles one kernel of a spec for a target ("cpu", "cpu:x86-64-v3", ...). Errors go to `diagnostics`; the result is
/// empty then, or where the observer stopped. Any thread may call it.
std::optional<Artifact> compile(const Source &source, const Selection &selection, std::string_view target,
                                Diagnostics &diagnostics, const StageObserver &observer = {});

} // namespace normc
#endif
