#include "tools/normc/Timing.h"
#include "runtime/Buffer.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
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

} // namespace

double medianSeconds(const std::function<void()> &prepare, const std::function<void()> &run) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  for (double total = 0; seconds.size() < 5 || (total < 0.2 && seconds.size() < 1000);) {
    prepare();
    auto begin = Clock::now();
    run();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    total += seconds.back();
  }
  auto middle = seconds.begin() + static_cast<ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

std::optional<CopySeconds> measureCopy(int64_t bytes, runtime::ThreadPool &pool) {
  // Whole vectors.
  size_t half = std::max<size_t>(static_cast<size_t>(bytes) / 2 / sizeof(Vector), 1) * sizeof(Vector);
  std::optional<runtime::Buffer> from = runtime::Buffer::allocate(half), to = runtime::Buffer::allocate(half);
  if (!from || !to) return std::nullopt;
  std::memset(from->data(), 1, half);
  std::memset(to->data(), 2, half);
  auto blocks = static_cast<int64_t>((half + blockBytes - 1) / blockBytes);
  auto measure = [&](bool bypass) {
    Copy copy{from->data(), to->data(), half, bypass};
    return medianSeconds([] {}, [&] { pool.run(blocks, copyBlocks, &copy); });
  };
  return CopySeconds{measure(false), measure(true)};
}

} // namespace normc::cli
