#include "tools/bench/Traffic.h"
#include "runtime/Call.h"
#include <algorithm>
#include <atomic>
#include <cstring>

#if defined(__x86_64__)
#define NORMC_FOR_AVX512 __attribute__((target("avx512f")))
#else
#define NORMC_FOR_AVX512
#endif

namespace normc::bench {
namespace {

constexpr int64_t lineBytes = 64;

/// Of the largest stream, moved at once by one thread: well below where the C library's copy bypasses the caches by
/// itself.
constexpr int64_t blockBytes = 64 * 1024;

using Line = unsigned long long __attribute__((vector_size(64)));

/// Eight lines are loaded before eight are stored: a load behind a store to the same place of another page waits for it
/// on some processors.
template <bool bypass, size_t sources>
__attribute__((always_inline)) inline void moveLines(const std::byte *const *from, std::byte *to, int64_t lines) {
  constexpr int64_t step = 8;
  const auto *one = reinterpret_cast<const Line *>(from[0]), *other = reinterpret_cast<const Line *>(from[1]);
  auto *place = reinterpret_cast<Line *>(to);
  for (int64_t line = 0; line < lines; line += step) {
    int64_t count = std::min(step, lines - line);
    Line values[step];
    for (int64_t i = 0; i < count; ++i) values[i] = sources == 2 ? one[line + i] ^ other[line + i] : one[line + i];
    for (int64_t i = 0; i < count; ++i)
      if constexpr (bypass) __builtin_nontemporal_store(values[i], place + line + i);
      else place[line + i] = values[i];
  }
}

__attribute__((always_inline)) inline void moveLines(bool bypass, size_t sources, const std::byte *const *from,
                                                     std::byte *to, int64_t lines) {
  if (bypass) sources == 1 ? moveLines<true, 1>(from, to, lines) : moveLines<true, 2>(from, to, lines);
  else sources == 1 ? moveLines<false, 1>(from, to, lines) : moveLines<false, 2>(from, to, lines);
}
NORMC_FOR_AVX512 void moveWide(bool bypass, size_t sources, const std::byte *const *from, std::byte *to,
                               int64_t lines) {
  moveLines(bypass, sources, from, to, lines);
}
void moveNarrow(bool bypass, size_t sources, const std::byte *const *from, std::byte *to, int64_t lines) {
  moveLines(bypass, sources, from, to, lines);
}

__attribute__((always_inline)) inline void readLines(const std::byte *from, int64_t lines) {
  const auto *line = reinterpret_cast<const Line *>(from);
  Line sum = {};
  for (int64_t i = 0; i < lines; ++i) sum ^= line[i];
  asm volatile("" : : "r"(sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7]));
}
NORMC_FOR_AVX512 void readWide(const std::byte *from, int64_t lines) { readLines(from, lines); }
void readNarrow(const std::byte *from, int64_t lines) { readLines(from, lines); }

bool isWide() {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx512f");
  return wide;
#else
  return false;
#endif
}

/// For outputs without inputs.
alignas(lineBytes) constexpr std::byte zeros[blockBytes] = {};

/// The lines of a stream that lie in it as a whole.
Stream wholeLines(Stream stream) {
  auto skipped = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(stream.data) % lineBytes);
  int64_t left = std::max<int64_t>(0, stream.bytes - skipped);
  return {stream.data + skipped, left / lineBytes * lineBytes};
}

/// One of as many parts, of whole lines.
Stream partOf(const Stream &stream, int64_t part, int64_t parts) {
  int64_t lines = stream.bytes / lineBytes, begin = lines * part / parts, end = lines * (part + 1) / parts;
  return {stream.data + begin * lineBytes, (end - begin) * lineBytes};
}

void fence() {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

} // namespace

struct Traffic::Job {
  const Traffic *traffic;
  Way way;
};

Traffic::Traffic(std::span<const Stream> read, std::span<const Stream> written) {
  int64_t largest = 0;
  for (const Stream &stream : written) flows.push_back({.from = {}, .sources = 0, .to = wholeLines(stream)});
  size_t next = 0, tried = 0;
  for (const Stream &stream : read) {
    // Inputs go to the outputs in turn; one for which none has room is read alone.
    for (tried = 0; tried < written.size() && flows[next % written.size()].sources == mostSources; ++tried) ++next;
    size_t flow = written.empty() || tried == written.size() ? flows.size() : next++ % written.size();
    if (flow == flows.size()) flows.emplace_back();
    flows[flow].from[flows[flow].sources++] = wholeLines(stream);
  }
  for (std::span<const Stream> streams : {read, written})
    for (const Stream &stream : streams) {
      total += stream.bytes;
      largest = std::max(largest, stream.bytes);
    }
  blocks = (largest + blockBytes - 1) / blockBytes;
}

void Traffic::moveBlocks(void *context, int64_t first, int64_t last) {
  const Job &job = *static_cast<const Job *>(context);
  bool wide = isWide(), bypass = job.way == Way::bypassing;
  int64_t parts = job.traffic->blocks;
  for (int64_t block = first; block < last; ++block)
    for (const Flow &flow : job.traffic->flows) {
      Stream to = partOf(flow.to, block, parts), sources[mostSources];
      const std::byte *from[mostSources] = {};
      int64_t common = flow.sources ? to.bytes : 0;
      for (size_t i = 0; i < flow.sources; ++i) {
        sources[i] = partOf(flow.from[i], block, parts);
        from[i] = sources[i].data;
        common = std::min(common, sources[i].bytes);
      }
      // In place the C library has nothing to do.
      bool apart = common && from[0] != to.data;
      if (job.way == Way::library && flow.sources == 1 && apart)
        std::memcpy(to.data, from[0], static_cast<size_t>(common));
      else if (common) (wide ? moveWide : moveNarrow)(bypass, flow.sources, from, to.data, common / lineBytes);
      for (size_t i = 0; i < flow.sources; ++i)
        (wide ? readWide : readNarrow)(sources[i].data + common, (sources[i].bytes - common) / lineBytes);
      // An output that is larger than its sources takes what it has got already once more.
      for (int64_t done = common; done < to.bytes;) {
        const std::byte *again[mostSources] = {common ? to.data : zeros, nullptr};
        int64_t piece = std::min(to.bytes - done, common ? common : blockBytes);
        (wide ? moveWide : moveNarrow)(bypass, 1, again, to.data + done, piece / lineBytes);
        done += piece;
      }
    }
  // Stores that bypass the caches are ordered by a fence alone.
  if (bypass) fence();
}

void Traffic::move(Way way, runtime::ThreadPool &pool) const {
  Job job{this, way};
  if (total < runtime::Call::smallBytes) moveBlocks(&job, 0, blocks);
  else pool.run(blocks, moveBlocks, &job);
}

const char *nameOf(Traffic::Way way) {
  switch (way) {
  case Traffic::Way::library:
    return "library";
  case Traffic::Way::ordinary:
    return "ordinary";
  case Traffic::Way::bypassing:
    return "cache-bypassing";
  }
  __builtin_unreachable();
}

} // namespace normc::bench
