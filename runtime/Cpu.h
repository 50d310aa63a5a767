#ifndef NORMC_RUNTIME_CPU_H
#define NORMC_RUNTIME_CPU_H
#include "runtime/ThreadPool.h"
#include <cstdint>
#include <span>

namespace normc::runtime {

/// One phase of a loaded kernel; compiler/emit/Artifact.h says what the two functions are.
struct Phase {
  void (*entry)(void *const *arguments, const int64_t *extents, void *workspace, int64_t firstBlock, int64_t lastBlock);
  int64_t (*blocks)(const int64_t *extents);
};

/// Runs a kernel's phases in order on the threads of `pool`, or on the caller's alone without one: all blocks of one
/// have ended before the next begins. A phase of no blocks is skipped. Gives the largest number of threads that took
/// part in one phase. Allocates nothing.
unsigned runPhases(std::span<const Phase> phases, void *const *arguments, const int64_t *extents, void *workspace,
                   ThreadPool *pool);

} // namespace normc::runtime
#endif
