#ifndef NORMC_COMPILER_EMIT_ARTIFACT_H
#define NORMC_COMPILER_EMIT_ARTIFACT_H
#include "compiler/Signature.h"
#include <string>
#include <vector>

namespace normc {

/// One phase of a compiled kernel: its blocks may run at once, on any threads, in any grouping; all of them end before
/// the next phase begins.
///   void entry(void *const *arguments, const int64_t *extents, void *workspace, int64_t first_block, int64_t
///   last_block) int64_t blocks(const int64_t *extents)          // 0 where this variant of the kernel does not apply
/// Blocks first_block up to, and without, last_block.
struct PhaseSymbols {
  std::string entry, blocks;
};

/// A compiled kernel: object code without undefined symbols, and how to call it. It never allocates, starts no thread,
/// calls nothing.
///   int64_t workspace_bytes(const int64_t *extents) // 64-byte aligned memory shared by all phases of one call
struct Artifact {
  Signature signature;
  std::vector<PhaseSymbols> phases; // in order
  std::string workspaceBytes;       // a symbol
  std::string object;               // a relocatable object file (ELF), as bytes
};

} // namespace normc
#endif
