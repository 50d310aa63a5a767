#ifndef NORMC_RUNTIME_CPU_H
#define NORMC_RUNTIME_CPU_H
#include "runtime/Communicator.h"
#include "runtime/ThreadPool.h"
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace normc::runtime {

/// One phase of a loaded kernel; compiler/emit/Artifact.h says what the functions are.
struct Phase {
  void (*entry)(void *const *arguments, const int64_t *extents, void *workspace, int64_t firstBlock, int64_t lastBlock);
  int64_t (*blocks)(const int64_t *extents);
  std::vector<int64_t (*)(const int64_t *extents, int64_t *place)> exchanges = {};
};

/// The bytes that a replica gives to the others at once, at the most.
int64_t messageBytes(std::span<const Phase> phases, const int64_t *extents);

/// Runs a kernel's phases in order on the threads of `pool`, or on the caller's alone without one: all blocks of one
/// have ended before the next begins. A phase of no blocks is skipped. What replicas exchange goes through the
/// `communicator`, by way of `messages`: memory for 1 + replicas messages; without one this is the only replica. Gives
/// the largest number of threads that took part in one phase; nothing where the communicator failed. Allocates nothing.
std::optional<unsigned> runPhases(std::span<const Phase> phases, void *const *arguments, const int64_t *extents,
                                  std::byte *workspace, ThreadPool *pool, Communicator *communicator = nullptr,
                                  std::byte *messages = nullptr);

} // namespace normc::runtime
#endif
