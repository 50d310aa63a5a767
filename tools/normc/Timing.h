#ifndef NORMC_TOOLS_NORMC_TIMING_H
#define NORMC_TOOLS_NORMC_TIMING_H
#include "runtime/ThreadPool.h"
#include <functional>

namespace normc::cli {

/// What is timed, in seconds: medians of many runs.
struct Timings {
  double kernel = 0;
  /// Copying so that as many bytes move, half of them read and half written, by ordinary stores and by stores that
  /// bypass the caches; 0 where there is nothing to copy, or no memory for it.
  double ordinaryCopy = 0, bypassingCopy = 0;
};

/// Times a kernel that moves `bytes` bytes beside the copies, in turns, so that what else the machine does meets all of
/// them. `prepare` is called before each run of the kernel, and not timed.
Timings measure(const std::function<void()> &prepare, const std::function<void()> &run, int64_t bytes,
                runtime::ThreadPool &pool);

} // namespace normc::cli
#endif
