#include "tools/normc/Npy.h"
#include "tools/normc/NpyHeader.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

namespace normc::cli {
namespace {

void swapBytes(std::byte *data, int64_t elements, size_t itemBytes) {
  for (int64_t i = 0; i < elements; ++i) std::reverse(data + i * itemBytes, data + (i + 1) * itemBytes);
}

/// Copies an array whose first dimension varies fastest into one whose last does.
void copyFortranOrder(const std::byte *from, std::byte *to, const std::vector<int64_t> &shape, size_t itemBytes) {
  int64_t elements = 1;
  for (int64_t extent : shape) elements *= extent;
  std::vector<int64_t> stride(shape.size()), index(shape.size());
  int64_t step = static_cast<int64_t>(itemBytes);
  for (size_t d = 0; d < shape.size(); ++d) {
    stride[d] = step;
    step *= shape[d];
  }
  int64_t source = 0;
  for (int64_t i = 0; i < elements; ++i) {
    std::memcpy(to + i * itemBytes, from + source, itemBytes);
    for (size_t d = shape.size(); d-- > 0;) {
      source += stride[d];
      if (++index[d] < shape[d]) break;
      source -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
}

/// The memory of this machine.
int64_t machineBytes() {
  int64_t pages = sysconf(_SC_PHYS_PAGES), pageBytes = sysconf(_SC_PAGESIZE), bytes = 0;
  bool known = pages > 0 && pageBytes > 0 && !__builtin_mul_overflow(pages, pageBytes, &bytes);
  return known ? bytes : std::numeric_limits<int64_t>::max();
}

/// Closes a file on the way out.
struct File {
  int descriptor;
  ~File() {
    if (descriptor >= 0) close(descriptor);
  }
};

} // namespace

int64_t Tensor::elements() const {
  int64_t product = 1;
  for (int64_t extent : shape)
    if (extent == 0) return 0;
  for (int64_t extent : shape) product *= extent;
  return product;
}

std::string formatShape(const std::vector<int64_t> &shape) {
  return shape.empty() ? "0-d" : fmt::format("{}", fmt::join(shape, "x"));
}

std::optional<int64_t> byteCount(const std::vector<int64_t> &shape, int64_t itemBytes) {
  constexpr int64_t most = int64_t(1) << 62;
  int64_t product = itemBytes;
  bool empty = false;
  for (int64_t extent : shape) {
    if (extent == 0) {
      empty = true;
      continue;
    }
    if (__builtin_mul_overflow(product, extent, &product) || product > most) return std::nullopt;
  }
  return empty ? 0 : product;
}

std::optional<Tensor> allocateTensor(ElementType type, std::vector<int64_t> shape, const std::string &name,
                                     Diagnostics &diagnostics) {
  std::optional<int64_t> bytes = byteCount(shape, bytesOf(type));
  if (!bytes) {
    diagnostics.error(
        {name}, fmt::format("a tensor of {} {} elements is larger than any memory", formatShape(shape), nameOf(type)));
    return std::nullopt;
  }
  // The system promises more memory than it has, and ends the process later: ask for no more than the machine holds.
  bool fits = *bytes <= machineBytes();
  std::optional<runtime::Buffer> storage = fits ? runtime::Buffer::allocate(static_cast<size_t>(*bytes)) : std::nullopt;
  if (!storage) {
    diagnostics.error(
        {name},
        fmt::format("no memory for a tensor of {} {} elements, {} bytes", formatShape(shape), nameOf(type), *bytes),
        Fault::system);
    return std::nullopt;
  }
  Tensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.storage = std::move(*storage);
  return tensor;
}

std::optional<FileContents> readFile(const std::string &path, Diagnostics &diagnostics) {
  auto fail = [&](std::string message) {
    diagnostics.error({path}, std::move(message), Fault::system);
    return std::nullopt;
  };
  File file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status{};
  if (file.descriptor < 0 || fstat(file.descriptor, &status) != 0)
    return fail(fmt::format("cannot open the file: {}", std::strerror(errno)));
  if (S_ISDIR(status.st_mode)) return fail("cannot read the file: it is a directory");
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) return fail("cannot read the file: it is a device");
  // A pipe has no size: it grows as it comes.
  size_t capacity = S_ISREG(status.st_mode) ? static_cast<size_t>(status.st_size) + 1 : size_t(1) << 16;
  std::optional<runtime::Buffer> storage = runtime::Buffer::allocate(capacity);
  if (!storage) return fail(fmt::format("no memory for its {} bytes", capacity));
  size_t bytes = 0;
  while (true) {
    if (bytes == capacity) {
      if (static_cast<int64_t>(capacity) > machineBytes() / 4)
        return fail("it does not fit in a quarter of the memory of this machine");
      std::optional<runtime::Buffer> larger = runtime::Buffer::allocate(capacity * 2);
      if (!larger) return fail(fmt::format("no memory for its first {} bytes", capacity * 2));
      std::memcpy(larger->data(), storage->data(), bytes);
      storage = std::move(larger);
      capacity *= 2;
    }
    ssize_t got = read(file.descriptor, storage->data() + bytes, capacity - bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(fmt::format("cannot read the file: {}", std::strerror(errno)));
    if (got == 0) break;
    bytes += static_cast<size_t>(got);
  }
  return FileContents{std::move(*storage), bytes};
}

std::optional<Tensor> parseNpy(FileContents contents, const std::string &name, Diagnostics &diagnostics) {
  std::string_view file(reinterpret_cast<const char *>(contents.storage.data()), contents.bytes);
  std::string error;
  std::optional<NpyHeader> header = parseNpyHeader(file, error);
  if (!header) {
    diagnostics.error({name}, error);
    return std::nullopt;
  }
  Tensor tensor;
  tensor.type = header->type;
  tensor.shape = header->shape;
  std::optional<int64_t> bytes = byteCount(tensor.shape, tensor.itemBytes());
  size_t found = contents.bytes - header->dataOffset;
  if (!bytes) {
    diagnostics.error({name},
                      fmt::format("the header's shape {} is larger than any memory", formatShape(tensor.shape)));
    return std::nullopt;
  }
  if (static_cast<size_t>(*bytes) != found) {
    diagnostics.error({name}, fmt::format("{}: the header's shape {} needs {} bytes of data, and the file has {}",
                                          found < static_cast<size_t>(*bytes) ? "truncated" : "trailing bytes",
                                          formatShape(tensor.shape), *bytes, found));
    return std::nullopt;
  }
  auto itemBytes = static_cast<size_t>(tensor.itemBytes());
  bool transposed = header->fortranOrder && tensor.shape.size() > 1;
  if (!transposed && header->dataOffset % runtime::Buffer::alignment == 0) {
    tensor.storage = std::move(contents.storage);
    tensor.offset = header->dataOffset;
  } else {
    std::optional<runtime::Buffer> storage = runtime::Buffer::allocate(found);
    if (!storage) {
      diagnostics.error({name}, fmt::format("no memory for its {} bytes", found), Fault::system);
      return std::nullopt;
    }
    const std::byte *data = contents.storage.data() + header->dataOffset;
    if (transposed) copyFortranOrder(data, storage->data(), tensor.shape, itemBytes);
    else std::memcpy(storage->data(), data, found);
    tensor.storage = std::move(*storage);
  }
  if (header->bigEndian) swapBytes(tensor.data(), tensor.elements(), itemBytes);
  if (tensor.type == ElementType::boolean) {
    // NumPy stores 0 and 1; compiled code relies on it.
    const std::byte *values = tensor.data();
    for (int64_t i = 0; i < *bytes; ++i)
      if (values[i] > std::byte(1)) {
        diagnostics.error({name}, fmt::format("element {} of a bool array is the byte {}: expected 0 or 1", i,
                                              std::to_integer<int>(values[i])));
        return std::nullopt;
      }
  }
  return tensor;
}

} // namespace normc::cli
