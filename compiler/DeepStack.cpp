#include "compiler/DeepStack.h"
#include <pthread.h>

namespace normc {

void onDeepStack(const std::function<void()> &work) {
  // The walks of the compiler and of LLVM take under 2 KiB an operation. Only what is touched becomes memory.
  constexpr size_t bytes = size_t(512) << 20;
  auto enter = [](void *work) -> void * {
    (*static_cast<const std::function<void()> *>(work))();
    return nullptr;
  };
  pthread_attr_t attributes;
  pthread_t thread;
  bool started = false;
  if (pthread_attr_init(&attributes) == 0) {
    started = pthread_attr_setstacksize(&attributes, bytes) == 0 &&
              pthread_create(&thread, &attributes, enter, const_cast<std::function<void()> *>(&work)) == 0;
    pthread_attr_destroy(&attributes);
  }
  if (started) pthread_join(thread, nullptr);
  else work();
}

} // namespace normc
