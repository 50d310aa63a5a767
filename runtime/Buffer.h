#ifndef NORMC_RUNTIME_BUFFER_H
#define NORMC_RUNTIME_BUFFER_H
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>

namespace normc::runtime {

/// Memory of its own, 64-byte aligned: a tensor's elements, a call's workspace. Not initialised. Moves, does not copy.
class Buffer {
public:
  static constexpr size_t alignment = 64;

  Buffer() = default;
  /// Empty where the system has no `bytes` bytes. A buffer of 0 bytes has an address as well.
  static std::optional<Buffer> allocate(size_t bytes) {
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    if (rounded < bytes) return std::nullopt;
    Buffer buffer;
    buffer.memory.reset(static_cast<std::byte *>(std::aligned_alloc(alignment, rounded ? rounded : alignment)));
    if (!buffer.memory) return std::nullopt;
    buffer.length = bytes;
    return buffer;
  }

  std::byte *data() { return memory.get(); }
  const std::byte *data() const { return memory.get(); }
  size_t size() const { return length; }

private:
  struct Free {
    void operator()(std::byte *pointer) const { std::free(pointer); }
  };
  std::unique_ptr<std::byte, Free> memory;
  size_t length = 0;
};

} // namespace normc::runtime
#endif
