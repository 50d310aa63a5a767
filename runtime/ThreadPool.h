#ifndef NORMC_RUNTIME_THREADPOOL_H
#define NORMC_RUNTIME_THREADPOOL_H
#include <cstdint>

struct pthreadpool;

namespace normc::runtime {

/// Shares the blocks of a phase out among threads. The calling thread is one of them, so a pool of one starts none.
/// Any thread may call `run`; calls on one pool take turns. With one thread, or one block, `run` neither allocates nor
/// locks.
class ThreadPool {
public:
  /// What one run does: blocks `first` up to, and without, `last`.
  using Body = void (*)(void *context, int64_t first, int64_t last);

  /// More threads than this are never started.
  static constexpr unsigned limit = 1024;

  /// 0 threads: one for each core that this process may use.
  explicit ThreadPool(unsigned threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned threads() const { return count; }
  /// Whether a number of threads was asked for: all of them are then to take part, however little there is to do.
  bool isExplicit() const { return asked; }

  /// Calls `body` with ranges that cover 0 up to `blocks` once, on any of the threads, and returns when all have ended:
  /// what they wrote is then visible to the caller. Gives the number of threads that took part.
  unsigned run(int64_t blocks, Body body, void *context);

  /// Cores that this process may use; at least 1, at most `limit`.
  static unsigned cores();

private:
  pthreadpool *pool = nullptr; // null for one thread
  unsigned count = 1;
  bool asked = false;
  bool crowded = false;
};

} // namespace normc::runtime
#endif
