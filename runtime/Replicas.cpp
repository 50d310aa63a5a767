#include "runtime/Replicas.h"
#include <algorithm>
#include <cstring>

namespace normc::runtime {

Replicas::Replicas(int64_t count) : given(static_cast<size_t>(count)) {
  members.reserve(given.size());
  for (int64_t index = 0; index < count; ++index) members.emplace_back(*this, index);
}

void Replicas::leave() {
  std::lock_guard lock(mutex);
  broken = true;
  changed.notify_all();
}

/// Waits until all are here. False where one will not come.
bool Replicas::meet(std::unique_lock<std::mutex> &lock) {
  if (broken) return false;
  if (++arrived == members.size()) {
    arrived = 0;
    ++turn;
    changed.notify_all();
    return true;
  }
  uint64_t before = turn;
  changed.wait(lock, [&] { return turn != before || broken; });
  return turn != before;
}

bool Replicas::gather(int64_t index, const void *mine, int64_t bytes, void *all) {
  std::unique_lock lock(mutex);
  given[static_cast<size_t>(index)] = {mine, bytes};
  if (!meet(lock)) return false;
  if (std::any_of(given.begin(), given.end(), [&](const Given &other) { return other.bytes != bytes; })) {
    broken = true;
    return false;
  }
  lock.unlock();
  auto *to = static_cast<char *>(all);
  for (const Given &other : given)
    if (bytes > 0) std::memcpy(to, other.data, static_cast<size_t>(bytes)), to += bytes;
  lock.lock();
  return meet(lock); // what is given stays as it is until all have it
}

} // namespace normc::runtime
