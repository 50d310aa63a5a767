#ifndef NORMC_TOOLS_NORMC_TIMING_H
#define NORMC_TOOLS_NORMC_TIMING_H
#include "runtime/ThreadPool.h"
#include <functional>
#include <optional>

namespace normc::cli {

/// The median of the seconds that `run` takes: enough times for a fifth of a second, at least 5 and at most 1000.
/// `prepare` is called before each, and not timed.
double medianSeconds(const std::function<void()> &prepare, const std::function<void()> &run);

/// The seconds of copying so that `bytes` bytes move, half of them read and half written: once by ordinary stores and
/// once by stores that bypass the caches.
struct CopySeconds {
  double ordinary, bypassing;
};
/// Empty where there is no memory for it.
std::optional<CopySeconds> measureCopy(int64_t bytes, runtime::ThreadPool &pool);

} // namespace normc::cli
#endif
