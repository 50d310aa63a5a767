#ifndef NORMC_RUNTIME_THREADPOOL_H
#define NORMC_RUNTIME_THREADPOOL_H
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace normc::runtime {

/// Shares the blocks of a phase out among threads. The calling thread is one of them, so a pool of one starts none.
/// Any thread may call `run`; one that finds the pool busy does its work alone. `run` allocates nothing, and with one
/// thread, or one block, locks nothing.
///
/// Each thread begins with a share of its own, a contiguous range of blocks, the same one in every run; who has none
/// left takes from the others. The caller waits for blocks, not for threads: one that the system does not run just now
/// holds up nobody.
class ThreadPool {
public:
  /// What one run does: blocks `first` up to, and without, `last`.
  using Body = void (*)(void *context, int64_t first, int64_t last);

  /// More threads than this are never started.
  static constexpr unsigned limit = 1024;

  /// At most that many threads; 0: one for each core that this process may use. One that `spreads` is for tests: calls
  /// that are too small for it are to be shared out as well.
  explicit ThreadPool(unsigned threads = 0, bool spreads = false);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned threads() const { return static_cast<unsigned>(workers.size()) + 1; }
  bool spreads() const { return isSpread; }

  /// Calls `body` with ranges that cover 0 up to `blocks` once, on any of the threads, and returns when all have ended:
  /// what they wrote is then visible to the caller. Gives the number of threads that took part.
  unsigned run(int64_t blocks, Body body, void *context);

  /// Cores that this process may use; at least 1, at most `limit`.
  static unsigned cores();

private:
  /// What is left of a thread's share: the number of the run it belongs to, and a range of units.
  struct alignas(64) Share {
    std::atomic<uint64_t> left{0};
  };

  /// One run. Written by its caller before the shares are; read by who has taken from a share of this run.
  struct Run {
    Body body = nullptr;
    void *context = nullptr;
    int64_t blocks = 0, unit = 0; // blocks that are taken together
  } current;
  std::unique_ptr<Share[]> shares;
  alignas(64) std::atomic<uint32_t> number{0}; // of the last run that began
  alignas(64) std::atomic<int64_t> unitsLeft{0};
  std::atomic<unsigned> took{0}; // threads that took part
  std::atomic<bool> ends{false};
  std::mutex busy;
  std::vector<std::thread> workers;
  bool isSpread = false, isCrowded = false;

  void work(unsigned index);
  void help(unsigned index, uint32_t run);
  int64_t beginOf(unsigned share) const;
};

} // namespace normc::runtime
#endif
