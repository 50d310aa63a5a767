#include "compiler/schedule/Tuning.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"
#include <cstdlib>

using namespace llvm;

namespace normc {

std::string tuningFile() {
  SmallString<256> path;
  auto set = [&](const char *name, std::initializer_list<StringRef> below) {
    const char *folder = std::getenv(name);
    if (!folder || !*folder) return false;
    path = folder;
    for (StringRef part : below) sys::path::append(path, part);
    return true;
  };
  if (!set("NORMC_CACHE_DIR", {"tuned"}) && !set("XDG_CACHE_HOME", {"normc", "tuned"}) &&
      !set("HOME", {".cache", "normc", "tuned"}))
    return {};
  return std::string(path);
}

std::string tuningKey(std::string_view plan, const Machine &machine) {
  std::string text = machine.cpu + "\n" + machine.features + "\n" + std::string(plan);
  return formatv("{0,0+16:x-}", xxh3_64bits(StringRef(text)));
}

void applyTuning(const std::function<std::string()> &plan, Machine &machine) {
  if (!machine.isMeasured) return;
  // Read once a process: tuning counts from the next one on.
  static const std::unique_ptr<MemoryBuffer> file = [] {
    ErrorOr<std::unique_ptr<MemoryBuffer>> read = MemoryBuffer::getFile(tuningFile());
    return read ? std::move(*read) : nullptr;
  }();
  if (!file) return;
  std::string key = tuningKey(plan(), machine);
  StringRef left = file->getBuffer();
  while (!left.empty()) {
    StringRef line;
    std::tie(line, left) = left.split('\n');
    if (Machine tuned = machine; line.consume_front(key) && setFacts(line.trim(), tuned)) machine = tuned;
  }
}

} // namespace normc
