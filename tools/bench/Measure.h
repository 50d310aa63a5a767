#ifndef NORMC_TOOLS_BENCH_MEASURE_H
#define NORMC_TOOLS_BENCH_MEASURE_H
#include "runtime/ThreadPool.h"
#include <functional>
#include <vector>

namespace normc::bench {

/// The seconds that one call took, in many samples.
struct Spread {
  double median = 0, low = 0, high = 0; // low and high: a tenth of the samples are below, a tenth above
  int64_t samples = 0, calls = 0;       // calls of each sample

  /// The time that counts: the median, or on a machine that others use too, that of the fast runs.
  double seconds(bool fast) const { return fast ? low : median; }
  /// Whether other work came between: the median is more than a tenth above the fast runs, and so tells little.
  bool isNoisy() const { return median > 1.1 * low; }
};

struct Thing {
  std::function<void()> run;
  std::function<void()> prepare = {}; // before each run, and not timed
};

struct Rules {
  int rounds = 15;
  bool cold = false; // nothing that is timed finds its data in a cache
};

/// Times the things of a list in turns, so that what else the machine does meets all of them: in each round each runs
/// once untimed, so that it finds what a call of its own left in the caches, then a few times timed; each is first
/// as often as any other. Things that take less than the clock resolves are called many times a sample. `pool` is what
/// sweeps the caches where they are to be cold.
std::vector<Spread> measure(const std::vector<Thing> &things, const Rules &rules, runtime::ThreadPool &pool);

/// Bytes of the last cache that this machine's cores share.
int64_t lastCacheBytes();

} // namespace normc::bench
#endif
