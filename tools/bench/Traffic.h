#ifndef NORMC_TOOLS_BENCH_TRAFFIC_H
#define NORMC_TOOLS_BENCH_TRAFFIC_H
#include "runtime/ThreadPool.h"
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace normc::bench {

/// Memory that is swept once.
struct Stream {
  std::byte *data = nullptr;
  int64_t bytes = 0;
};

/// What a kernel cannot do without: its inputs read once and its outputs written once. Each output takes the bits of
/// some of the inputs (one: a copy; two: their exclusive or), so that every byte that is read matters. What is left
/// over of an input is read alone.
class Traffic {
public:
  /// Ways of moving it: the C library's copy, loops of our own, the same with stores that bypass the caches.
  enum class Way : uint8_t { library, ordinary, bypassing };
  static constexpr std::array<Way, 3> ways = {Way::library, Way::ordinary, Way::bypassing};

  /// Nothing is owned. Whole cache lines of each stream are moved.
  Traffic(std::span<const Stream> read, std::span<const Stream> written);

  int64_t bytes() const { return total; }
  void move(Way way, runtime::ThreadPool &pool) const;

  /// Inputs that one output takes at most; those beyond are read alone.
  static constexpr size_t mostSources = 2;

private:
  struct Flow {
    std::array<Stream, mostSources> from;
    size_t sources = 0;
    Stream to; // without memory: the sources are only read
  };
  struct Job;
  static void moveBlocks(void *context, int64_t first, int64_t last);
  std::vector<Flow> flows;
  int64_t total = 0, blocks = 0;
};

const char *nameOf(Traffic::Way way);

} // namespace normc::bench
#endif
