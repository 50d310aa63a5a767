#ifndef NORMC_TOOLS_NORMC_NPZ_H
#define NORMC_TOOLS_NORMC_NPZ_H
#include "tools/normc/Npy.h"
#include <string>
#include <vector>

namespace normc::cli {

/// Where an array is: a `.npy` file, or one array of a `.npz` archive.
struct ArrayPlace {
  std::string path;
  std::string key; // empty: a `.npy` file
  /// How messages call it: "x.npy", "all.npz:x".
  std::string format() const { return key.empty() ? path : path + ":" + key; }
};

/// Reads `x.npy`, `all.npz` and `all.npz:key` as the command line writes them; `name` is the default key.
ArrayPlace parseArrayPlace(const std::string &text, const std::string &name);

/// Reads an array. A file that cannot be opened is an error of the system; one that is damaged, of the data.
std::optional<Tensor> readArray(const ArrayPlace &place, Diagnostics &diagnostics);

/// One array of an archive to be written; what it points to outlives the call.
struct NpzEntry {
  std::string key;
  ElementType type;
  const std::vector<int64_t> *shape;
  const std::byte *data;
};

/// The bytes of an archive with these arrays, stored without compression as `numpy.savez` does.
std::optional<runtime::Buffer> formatNpz(const std::vector<NpzEntry> &entries, const std::string &path,
                                         Diagnostics &diagnostics);

} // namespace normc::cli
#endif
