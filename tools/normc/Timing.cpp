#include "tools/normc/Timing.h"
#include "runtime/Buffer.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <optional>
#include <vector>

namespace normc::cli {
namespace {

/// Copied at once by one thread: well below where the C library's copy bypasses the caches by itself.
constexpr size_t blockBytes = 64 * 1024;

struct Copy {
  const std::byte *from;
  std::byte *to;
  size_t bytes;
  bool bypass;
};

using Vector = unsigned long long __attribute__((vector_size(64)));

void copyBlocks(void *context, int64_t first, int64_t last) {
  const auto *copy = static_cast<const Copy *>(context);
  for (int64_t block = first; block < last; ++block) {
    size_t begin = static_cast<size_t>(block) * blockBytes, size = std::min(blockBytes, copy->bytes - begin);
    if (!copy->bypass) {
      std::memcpy(copy->to + begin, copy->from + begin, size);
      continue;
    }
    const auto *from = reinterpret_cast<const Vector *>(copy->from + begin);
    auto *to = reinterpret_cast<Vector *>(copy->to + begin);
    for (size_t i = 0; i < size / sizeof(Vector); ++i) __builtin_nontemporal_store(from[i], to + i);
  }
  // Stores that bypass the caches are ordered by a fence alone.
  if (copy->bypass) std::atomic_thread_fence(std::memory_order_seq_cst);
}

/// The seconds of many runs of one thing.
class Series {
public:
  /// Runs it for a while, at least twice.
  void extend(const std::function<void()> &prepare, const std::function<void()> &run) {
    using Clock = std::chrono::steady_clock;
    constexpr double duration = 0.04;
    constexpr size_t most = 200;
    size_t runs = 0;
    for (double total = 0; runs < 2 || (total < duration && runs < most); ++runs) {
      prepare();
      auto begin = Clock::now();
      run();
      seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
      total += seconds.back();
    }
  }
  double median() {
    if (seconds.empty()) return 0;
    auto middle = seconds.begin() + static_cast<ptrdiff_t>(seconds.size() / 2);
    std::nth_element(seconds.begin(), middle, seconds.end());
    return *middle;
  }

private:
  std::vector<double> seconds;
};

} // namespace

Timings measure(const std::function<void()> &prepare, const std::function<void()> &run, int64_t bytes,
                runtime::ThreadPool &pool) {
  // Whole vectors.
  size_t half = static_cast<size_t>(bytes) / 2 / sizeof(Vector) * sizeof(Vector);
  std::optional<runtime::Buffer> from, to;
  if (half) from = runtime::Buffer::allocate(half), to = runtime::Buffer::allocate(half);
  bool copies = from && to;
  if (copies) {
    std::memset(from->data(), 1, half);
    std::memset(to->data(), 2, half);
  }
  auto blocks = static_cast<int64_t>((half + blockBytes - 1) / blockBytes);
  auto copy = [&](bool bypass) {
    return [&, bypass] {
      Copy job{from->data(), to->data(), half, bypass};
      pool.run(blocks, copyBlocks, &job);
    };
  };
  auto nothing = [] {};
  constexpr int rounds = 5;
  Series kernel, ordinary, bypassing;
  for (int round = 0; round < rounds; ++round) {
    kernel.extend(prepare, run);
    if (!copies) continue;
    ordinary.extend(nothing, copy(false));
    bypassing.extend(nothing, copy(true));
  }
  return {kernel.median(), ordinary.median(), bypassing.median()};
}

} // namespace normc::cli
