#include "runtime/Cpu.h"
#include <algorithm>
#include <cstring>

namespace normc::runtime {
namespace {

struct PhaseRun {
  const Phase *phase;
  void *const *arguments;
  const int64_t *extents;
  void *workspace;
};

void runBlocks(void *context, int64_t first, int64_t last) {
  const auto *run = static_cast<const PhaseRun *>(context);
  run->phase->entry(run->arguments, run->extents, run->workspace, first, last);
}

/// Calls `visit` with the places of all that is exchanged after a phase, in bytes from the workspace's begin.
template <typename Visit> void forExchanges(const Phase &phase, const int64_t *extents, Visit visit) {
  for (auto *exchange : phase.exchanges) {
    int64_t place[3];
    if (exchange(extents, place)) visit(place[0], place[1], static_cast<size_t>(place[2]));
  }
}

int64_t messageOf(const Phase &phase, const int64_t *extents) {
  int64_t total = 0;
  forExchanges(phase, extents, [&](int64_t, int64_t, size_t bytes) { total += static_cast<int64_t>(bytes); });
  return total;
}

/// All that is exchanged after a phase, in one message.
bool exchangeAll(const Phase &phase, const int64_t *extents, std::byte *workspace, Communicator *communicator,
                 std::byte *messages) {
  if (!communicator) {
    forExchanges(phase, extents, [&](int64_t mine, int64_t all, size_t bytes) {
      std::memcpy(workspace + all, workspace + mine, bytes);
    });
    return true;
  }
  int64_t length = messageOf(phase, extents);
  if (length == 0) return true;
  std::byte *next = messages;
  forExchanges(phase, extents, [&](int64_t mine, int64_t, size_t bytes) {
    std::memcpy(next, workspace + mine, bytes);
    next += bytes;
  });
  std::byte *gathered = messages + length;
  if (!communicator->gather(messages, length, gathered)) return false;
  for (int64_t replica = 0; replica < communicator->replicas(); ++replica)
    forExchanges(phase, extents, [&](int64_t, int64_t all, size_t bytes) {
      std::memcpy(workspace + all + static_cast<size_t>(replica) * bytes, gathered, bytes);
      gathered += bytes;
    });
  return true;
}

} // namespace

int64_t messageBytes(std::span<const Phase> phases, const int64_t *extents) {
  int64_t most = 0;
  for (const Phase &phase : phases) most = std::max(most, messageOf(phase, extents));
  return most;
}

std::optional<unsigned> runPhases(std::span<const Phase> phases, void *const *arguments, const int64_t *extents,
                                  std::byte *workspace, ThreadPool *pool, Communicator *communicator,
                                  std::byte *messages) {
  unsigned workers = 0;
  for (const Phase &phase : phases) {
    int64_t blocks = phase.blocks(extents);
    if (blocks > 0 && !pool) {
      phase.entry(arguments, extents, workspace, 0, blocks);
      workers = std::max(workers, 1u);
    } else if (blocks > 0) {
      PhaseRun run{&phase, arguments, extents, workspace};
      workers = std::max(workers, pool->run(blocks, runBlocks, &run));
    }
    if (!phase.exchanges.empty() && !exchangeAll(phase, extents, workspace, communicator, messages))
      return std::nullopt;
  }
  return workers;
}

} // namespace normc::runtime
