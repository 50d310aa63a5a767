#include "runtime/Cache.h"

namespace normc::runtime {

std::shared_ptr<const Kernel> Cache::find(const std::string &key, const Make &make, Diagnostics &diagnostics) {
  std::shared_ptr<Entry> entry;
  {
    std::lock_guard lock(mutex);
    std::shared_ptr<Entry> &slot = entries[key];
    if (!slot) slot = std::make_shared<Entry>();
    entry = slot;
  }
  bool mine = false;
  std::call_once(entry->once, [&] {
    mine = true;
    entry->kernel = make(entry->errors);
  });
  if (mine || !entry->kernel) diagnostics.append(entry->errors); // errors, and the texts that those of a call quote
  if (entry->kernel) return entry->kernel;
  if (mine) {
    std::lock_guard lock(mutex);
    if (auto found = entries.find(key); found != entries.end() && found->second == entry) entries.erase(found);
  }
  return nullptr;
}

size_t Cache::size() const {
  std::lock_guard lock(mutex);
  return entries.size();
}

} // namespace normc::runtime
