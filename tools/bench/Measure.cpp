#include "tools/bench/Measure.h"
#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <unistd.h>

namespace normc::bench {
namespace {

double secondsOf(const Thing &thing, int64_t calls) {
  using Clock = std::chrono::steady_clock;
  if (thing.prepare) thing.prepare();
  auto begin = Clock::now();
  for (int64_t call = 0; call < calls; ++call) thing.run();
  return std::chrono::duration<double>(Clock::now() - begin).count() / static_cast<double>(calls);
}

/// Memory that fills every cache when it is swept: the last one, and those of all cores that take part.
class Sweep {
public:
  explicit Sweep(runtime::ThreadPool &pool) : pool(pool), memory(static_cast<size_t>(2 * lastCacheBytes()) / 8, 1) {}
  void run() {
    constexpr int64_t blockWords = 1 << 14;
    pool.run(static_cast<int64_t>(memory.size()) / blockWords, sweepBlocks, memory.data());
  }

private:
  runtime::ThreadPool &pool;
  std::vector<uint64_t> memory;

  static void sweepBlocks(void *context, int64_t first, int64_t last) {
    constexpr int64_t blockWords = 1 << 14, lineWords = 8;
    volatile uint64_t *words = static_cast<uint64_t *>(context);
    for (int64_t word = first * blockWords; word < last * blockWords; word += lineWords) words[word] = words[word] + 1;
  }
};

Spread spreadOf(std::vector<double> &seconds, int64_t calls) {
  std::sort(seconds.begin(), seconds.end());
  size_t last = seconds.size() - 1;
  return {seconds[seconds.size() / 2], seconds[last / 10], seconds[last - last / 10],
          static_cast<int64_t>(seconds.size()), calls};
}

} // namespace

int64_t lastCacheBytes() {
  // What the C library says may be the sum over a processor's parts, each with a cache of its own.
  int64_t kilobytes = 0;
  for (int index = 0; index < 5; ++index)
    std::ifstream("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size") >> kilobytes;
  constexpr int64_t usual = 32 << 10; // where the system does not say
  return (kilobytes > 0 ? kilobytes : usual) << 10;
}

std::vector<Spread> measure(const std::vector<Thing> &things, const Rules &rules, runtime::ThreadPool &pool) {
  constexpr double sampleSeconds = 2e-5, roundSeconds = 3e-3;
  constexpr int64_t mostCalls = 1000;
  constexpr size_t mostSamples = 16; // a round
  std::vector<int64_t> calls(things.size(), 1);
  std::vector<std::vector<double>> seconds(things.size());
  for (size_t i = 0; i < things.size(); ++i) {
    secondsOf(things[i], 1);
    double once = secondsOf(things[i], 1);
    if (!rules.cold && !things[i].prepare)
      calls[i] = std::clamp(static_cast<int64_t>(sampleSeconds / once), int64_t(1), mostCalls);
  }
  std::optional<Sweep> sweep;
  if (rules.cold) sweep.emplace(pool);
  for (int round = 0; round < rules.rounds; ++round)
    for (size_t turn = 0; turn < things.size(); ++turn) {
      size_t i = (static_cast<size_t>(round) + turn) % things.size();
      if (!sweep) secondsOf(things[i], calls[i]);
      double total = 0;
      for (size_t sample = 0; sample == 0 || (total < roundSeconds && sample < mostSamples); ++sample) {
        if (sweep) sweep->run();
        seconds[i].push_back(secondsOf(things[i], calls[i]));
        total += seconds[i].back() * static_cast<double>(calls[i]);
      }
    }
  std::vector<Spread> spreads;
  for (size_t i = 0; i < things.size(); ++i) spreads.push_back(spreadOf(seconds[i], calls[i]));
  return spreads;
}

} // namespace normc::bench
