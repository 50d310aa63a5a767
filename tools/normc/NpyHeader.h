#ifndef NORMC_TOOLS_NORMC_NPYHEADER_H
#define NORMC_TOOLS_NORMC_NPYHEADER_H
#include "compiler/ElementType.h"
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace normc::cli {

/// What the head of a `.npy` file says.
struct NpyHeader {
  std::optional<ElementType> type; // empty: an f8, either one
  bool bigEndian = false;
  bool fortranOrder = false;
  std::vector<int64_t> shape;
  size_t dataOffset = 0; // where the elements begin
};

/// Parses the head of `file`, the whole file's bytes. Where it is wrong, the result is empty and `error` says how.
std::optional<NpyHeader> parseNpyHeader(std::string_view file, std::string &error);

/// The head of a file up to where the elements begin: a multiple of 64 bytes. bf16 is `|V2` and f8 `|V1`.
std::string npyHeader(ElementType type, const std::vector<int64_t> &shape);

} // namespace normc::cli
#endif
