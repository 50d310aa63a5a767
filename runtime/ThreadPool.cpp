#include "runtime/ThreadPool.h"
#include <algorithm>
#include <atomic>
#include <pthreadpool.h>
#include <sched.h>
#include <thread>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NORMC_THREAD_SANITIZER 1
#endif
#endif
#ifdef NORMC_THREAD_SANITIZER
extern "C" void __tsan_acquire(void *address);
extern "C" void __tsan_release(void *address);
#endif

namespace normc::runtime {
namespace {

/// One call of `run`, shared by its threads.
struct Job {
  ThreadPool::Body body;
  void *context;
  uint64_t number;
  std::atomic<unsigned> workers{0};
};

std::atomic<uint64_t> jobs{0};

// The pool's own synchronization is in a library that is not instrumented: ThreadSanitizer is told of it here.
void beginOnWorker([[maybe_unused]] Job *job) {
#ifdef NORMC_THREAD_SANITIZER
  __tsan_acquire(job);
#endif
}
void endOnWorker([[maybe_unused]] Job *job) {
#ifdef NORMC_THREAD_SANITIZER
  __tsan_release(&job->workers);
#endif
}
void publish([[maybe_unused]] Job *job) {
#ifdef NORMC_THREAD_SANITIZER
  __tsan_release(job);
#endif
}
void join([[maybe_unused]] Job *job) {
#ifdef NORMC_THREAD_SANITIZER
  __tsan_acquire(&job->workers);
#endif
}

void runTile(void *context, size_t first, size_t size) {
  auto *job = static_cast<Job *>(context);
  thread_local uint64_t lastJob = 0;
  beginOnWorker(job);
  if (lastJob != job->number) {
    lastJob = job->number;
    job->workers.fetch_add(1, std::memory_order_relaxed);
  }
  job->body(job->context, static_cast<int64_t>(first), static_cast<int64_t>(first + size));
  endOnWorker(job);
}

} // namespace

unsigned ThreadPool::cores() {
  cpu_set_t set;
  unsigned found = 0;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) found = static_cast<unsigned>(CPU_COUNT(&set));
  if (found == 0) found = std::thread::hardware_concurrency(); // more cores than a cpu_set_t holds
  return std::clamp(found, 1u, limit);
}

ThreadPool::ThreadPool(unsigned threads)
    : count(threads == 0 ? cores() : std::min(threads, limit)), asked(threads != 0) {
  crowded = count > cores();
  if (count == 1) return;
  pool = pthreadpool_create(count);
  count = pool ? static_cast<unsigned>(pthreadpool_get_threads_count(pool)) : 1;
}

ThreadPool::~ThreadPool() { pthreadpool_destroy(pool); }

unsigned ThreadPool::run(int64_t blocks, Body body, void *context) {
  if (blocks <= 0) return 0;
  if (!pool || blocks == 1) {
    body(context, 0, blocks);
    return 1;
  }
  Job job{body, context, jobs.fetch_add(1, std::memory_order_relaxed) + 1};
  // Each thread starts with a contiguous share; a few tiles a share let an idle thread take from a slow one.
  constexpr int64_t tilesOfThread = 4;
  auto tile = static_cast<size_t>(std::max<int64_t>(1, blocks / (tilesOfThread * static_cast<int64_t>(count))));
  publish(&job);
  // Waiting threads spin for a while, which would take the core from a working one where threads outnumber cores.
  pthreadpool_parallelize_1d_tile_1d(pool, runTile, &job, static_cast<size_t>(blocks), tile,
                                     crowded ? PTHREADPOOL_FLAG_YIELD_WORKERS : 0);
  join(&job);
  return job.workers.load(std::memory_order_relaxed);
}

} // namespace normc::runtime
