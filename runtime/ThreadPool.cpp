#include "runtime/ThreadPool.h"
#include <algorithm>
#include <chrono>
#include <sched.h>
#include <system_error>

namespace normc::runtime {
namespace {

/// Units of a share. Half of what is left of it is taken at once, so a few calls do a share, and the last ones are
/// short: where threads run at different speeds they end together all the same.
constexpr int64_t unitsOfShare = 64;

uint64_t pack(uint32_t run, uint64_t first, uint64_t last) { return uint64_t(run) << 32 | first << 16 | last; }

/// Takes from the front of one's own share, from the back of another's: what lies together stays together. Gives the
/// number of units, of which `first` is the first.
int64_t take(std::atomic<uint64_t> &share, uint32_t run, bool own, int64_t &first) {
  uint64_t left = share.load(std::memory_order_relaxed);
  for (;;) {
    uint64_t begin = left >> 16 & 0xffff, end = left & 0xffff;
    if (left >> 32 != run || begin == end) return 0;
    uint64_t count = (end - begin + 1) / 2;
    uint64_t rest = own ? pack(run, begin + count, end) : pack(run, begin, end - count);
    // What the caller of the run wrote before is visible from here on.
    if (!share.compare_exchange_weak(left, rest, std::memory_order_acquire, std::memory_order_relaxed)) continue;
    first = static_cast<int64_t>(own ? begin : end - count);
    return static_cast<int64_t>(count);
  }
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Calls `done` until it says so, for a while.
template <typename Done> bool spin(Done done, std::chrono::microseconds duration) {
  auto end = std::chrono::steady_clock::now() + duration;
  do
    for (int turn = 0; turn < 64; ++turn) {
      if (done()) return true;
      pause();
    }
  while (std::chrono::steady_clock::now() < end);
  return false;
}

} // namespace

unsigned ThreadPool::cores() {
  cpu_set_t set;
  unsigned found = 0;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) found = static_cast<unsigned>(CPU_COUNT(&set));
  if (found == 0) found = std::thread::hardware_concurrency(); // more cores than a cpu_set_t holds
  return std::clamp(found, 1u, limit);
}

ThreadPool::ThreadPool(unsigned threads, bool spreads) : isSpread(spreads) {
  threads = threads == 0 ? cores() : std::min(threads, limit);
  isCrowded = threads > cores();
  shares = std::make_unique<Share[]>(threads);
  workers.reserve(threads - 1);
  try {
    for (unsigned index = 1; index < threads; ++index) workers.emplace_back(&ThreadPool::work, this, index);
  } catch (const std::system_error &) { // as many as there are
  }
}

ThreadPool::~ThreadPool() {
  ends.store(true, std::memory_order_relaxed);
  number.fetch_add(1);
  number.notify_all();
  for (std::thread &worker : workers) worker.join();
}

/// A worker waits for runs. It does so awake for a while, since the next phase or call often follows at once; not where
/// it would take the core of another.
void ThreadPool::work(unsigned index) {
  constexpr std::chrono::microseconds patience(50);
  uint32_t last = 0;
  for (;;) {
    auto begins = [&] { return number.load(std::memory_order_acquire) != last; };
    if (isCrowded || !spin(begins, patience)) number.wait(last);
    last = number.load(std::memory_order_acquire);
    if (ends.load(std::memory_order_relaxed)) return;
    help(index, last);
  }
}

/// The first unit of a thread's share.
int64_t ThreadPool::beginOf(unsigned share) const {
  int64_t units = (current.blocks + current.unit - 1) / current.unit;
  return units * share / static_cast<int64_t>(threads());
}

/// Does what there is to do of a run. Nothing of a run is touched before a part of it has been taken: it cannot end,
/// then, before that part has.
void ThreadPool::help(unsigned index, uint32_t run) {
  bool isFirst = true;
  for (unsigned step = 0; step < threads(); ++step) {
    unsigned owner = (index + step) % threads();
    int64_t first = 0;
    while (int64_t units = take(shares[owner].left, run, step == 0, first)) {
      if (isFirst) took.fetch_add(1, std::memory_order_relaxed);
      isFirst = false;
      int64_t begin = (beginOf(owner) + first) * current.unit;
      current.body(current.context, begin, std::min(current.blocks, begin + units * current.unit));
      unitsLeft.fetch_sub(units, std::memory_order_release);
    }
  }
}

unsigned ThreadPool::run(int64_t blocks, Body body, void *context) {
  if (blocks <= 0) return 0;
  std::unique_lock<std::mutex> lock(busy, std::defer_lock);
  if (workers.empty() || blocks == 1 || !lock.try_lock()) {
    body(context, 0, blocks);
    return 1;
  }
  int64_t most = unitsOfShare * static_cast<int64_t>(threads());
  current = {body, context, blocks, (blocks + most - 1) / most};
  unitsLeft.store((blocks + current.unit - 1) / current.unit, std::memory_order_relaxed);
  took.store(0, std::memory_order_relaxed);
  uint32_t run = number.load(std::memory_order_relaxed) + 1;
  for (unsigned index = 0; index < threads(); ++index)
    shares[index].left.store(pack(run, 0, static_cast<uint64_t>(beginOf(index + 1) - beginOf(index))),
                             std::memory_order_release);
  number.store(run);
  number.notify_all();
  help(0, run);
  auto isDone = [&] { return unitsLeft.load(std::memory_order_acquire) == 0; };
  constexpr std::chrono::microseconds patience(20);
  while (!spin(isDone, isCrowded ? std::chrono::microseconds(0) : patience)) std::this_thread::yield();
  return took.load(std::memory_order_relaxed);
}

} // namespace normc::runtime
