#include "runtime/Cpu.h"
#include <algorithm>

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

} // namespace

unsigned runPhases(std::span<const Phase> phases, void *const *arguments, const int64_t *extents, void *workspace,
                   ThreadPool *pool) {
  unsigned workers = 0;
  for (const Phase &phase : phases) {
    int64_t blocks = phase.blocks(extents);
    if (blocks <= 0) continue;
    if (!pool) {
      phase.entry(arguments, extents, workspace, 0, blocks);
      workers = 1;
      continue;
    }
    PhaseRun run{&phase, arguments, extents, workspace};
    workers = std::max(workers, pool->run(blocks, runBlocks, &run));
  }
  return workers;
}

} // namespace normc::runtime
