#include "compiler/Isolate.h"
#include "llvm/Support/ErrorHandling.h"
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <unistd.h>

namespace normc {
namespace {

struct Work {
  llvm::function_ref<void()> run;
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  std::optional<std::string> reason;
};

thread_local Work *current = nullptr;

void end(Work &work, std::optional<std::string> reason) {
  std::lock_guard lock(work.mutex);
  work.done = true;
  work.reason = std::move(reason);
  work.ended.notify_one();
}

/// LLVM cannot go on once it has called this, and unwinding it is undefined: the thread stops where it stands.
void giveUp(void *, const char *reason, bool) {
  if (!current) { // somebody else's use of LLVM: as if there were no handler
    std::fprintf(stderr, "LLVM ERROR: %s\n", reason);
    return;
  }
  end(*current, reason);
  while (true) pause();
}

void *runThread(void *work) {
  current = static_cast<Work *>(work);
  current->run();
  end(*current, std::nullopt);
  return nullptr;
}

bool start(pthread_t &thread, Work &work) {
  // The walks of the compiler and of LLVM take under 2 KiB an operation. Only what is touched becomes memory.
  constexpr size_t bytes = size_t(512) << 20;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  bool started =
      pthread_attr_setstacksize(&attributes, bytes) == 0 && pthread_create(&thread, &attributes, runThread, &work) == 0;
  pthread_attr_destroy(&attributes);
  return started;
}

} // namespace

std::optional<std::string> isolate(llvm::function_ref<void()> run, llvm::function_ref<void()> alongside) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::install_fatal_error_handler(giveUp);
    llvm::install_bad_alloc_error_handler(giveUp);
  });
  Work work{run, {}, {}, false, std::nullopt};
  pthread_t thread;
  if (!start(thread, work)) {
    run();
    if (alongside) alongside();
    return std::nullopt;
  }
  if (alongside) alongside();
  std::unique_lock lock(work.mutex);
  work.ended.wait(lock, [&] { return work.done; });
  lock.unlock();
  // One that gave up holds locks and memory of LLVM's: it is left alone.
  if (work.reason) pthread_detach(thread);
  else pthread_join(thread, nullptr);
  return work.reason;
}

} // namespace normc
