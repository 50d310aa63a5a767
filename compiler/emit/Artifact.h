#ifndef NORMC_COMPILER_EMIT_ARTIFACT_H
#define NORMC_COMPILER_EMIT_ARTIFACT_H
#include "compiler/Signature.h"
#include <cstdint>
#include <string>
#include <vector>

namespace normc {

/// Where a variant of a kernel applies: the product of some leaves' extents is at most, or over, a bound.
struct Guard {
  std::vector<unsigned> leaves;
  int64_t bound = 0;
  bool over = false;

  /// Whether it does for the extents of a call's leaves.
  bool holds(const int64_t *extents) const {
    int64_t points = 1;
    for (unsigned leaf : leaves) points *= extents[leaf];
    return (points > bound) == over;
  }
};

/// One phase of a compiled kernel: its blocks may run at once, on any threads, in any grouping; all of them end before
/// the next phase begins.
///   void entry(void *const *arguments, const int64_t *extents, void *workspace, int64_t first, int64_t last)
///   int64_t blocks(const int64_t *extents) // 0 where this variant of the kernel does not apply
/// Blocks first up to, and without, last.
///
/// After a phase the replicas of a job may exchange parts of their workspaces, each of them by
///   int64_t exchange(const int64_t *extents, int64_t place[3]) // 0 where this variant of the kernel does not apply
/// which gives the place of what this replica has, the place that takes what all have, replica by replica, and the
/// bytes of one replica's. Whether there are blocks in the phase does not matter.
struct PhaseSymbols {
  /// Of one of the phases of a kernel's variants, which are numbered through.
  PhaseSymbols(const std::string &kernel, size_t phase)
      : entry(kernel + "_phase" + std::to_string(phase)), blocks(kernel + "_blocks" + std::to_string(phase)) {}
  std::string exchange(size_t number) const { return entry + "_exchange" + std::to_string(number); }

  std::string entry, blocks;
  size_t exchanges = 0;
};

inline std::string workspaceBytesSymbol(const std::string &kernel) { return kernel + "_workspace_bytes"; }

/// A compiled kernel, or one variant of it: object code without undefined symbols, and how to call it. It never
/// allocates, starts no thread, calls nothing.
///   int64_t KERNEL_workspace_bytes(const int64_t *extents) // 64-byte aligned memory shared by all phases of one call
/// Where the kernel reduces across replicas, their number stands in `extents` behind the extents of the leaves.
struct Artifact {
  Signature signature;
  std::vector<PhaseSymbols> phases; // in order
  /// Relocatable object files (ELF), as bytes. Each stands by itself.
  std::vector<std::string> objects;
};

} // namespace normc
#endif
