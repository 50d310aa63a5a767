#ifndef NORMC_TOOLS_NORMC_NPY_H
#define NORMC_TOOLS_NORMC_NPY_H
#include "compiler/Diagnostics.h"
#include "compiler/ElementType.h"
#include "runtime/Buffer.h"
#include <optional>
#include <string>
#include <vector>

namespace normc::cli {

/// A tensor in this process's memory: C order, little endian, its elements `offset` bytes into `storage`, 64-byte
/// aligned.
struct Tensor {
  /// Empty: one of the two f8 types, which NumPy's `|V1` does not tell apart.
  std::optional<ElementType> type;
  std::vector<int64_t> shape;
  runtime::Buffer storage;
  size_t offset = 0;

  std::byte *data() { return storage.data() + offset; }
  const std::byte *data() const { return storage.data() + offset; }
  int64_t itemBytes() const { return type ? bytesOf(*type) : 1; }
  int64_t elements() const;
  int64_t bytes() const { return elements() * itemBytes(); }
};

/// "2x3x4", or "0-d" for no dimensions.
std::string formatShape(const std::vector<int64_t> &shape);

/// The product of `shape` and `itemBytes`; empty where that does not fit in 62 bits, zero extents aside.
std::optional<int64_t> byteCount(const std::vector<int64_t> &shape, int64_t itemBytes);

/// A tensor of that many elements, not initialised; an error of the system where there is no memory for it.
std::optional<Tensor> allocateTensor(ElementType type, std::vector<int64_t> shape, const std::string &name,
                                     Diagnostics &diagnostics);

/// The whole of a file; `bytes` of it are set. What cannot be opened or read is an error of the system.
struct FileContents {
  runtime::Buffer storage;
  size_t bytes = 0;
};
std::optional<FileContents> readFile(const std::string &path, Diagnostics &diagnostics);

/// Reads a `.npy` file's bytes (versions 1.0, 2.0 and 3.0); `name` is what to call it in messages. Fortran order and
/// big endian are converted. Anything that is not a whole array of one of normc's element types is an error of the
/// data.
std::optional<Tensor> parseNpy(FileContents contents, const std::string &name, Diagnostics &diagnostics);

} // namespace normc::cli
#endif
