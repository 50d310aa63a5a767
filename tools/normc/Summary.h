#ifndef NORMC_TOOLS_NORMC_SUMMARY_H
#define NORMC_TOOLS_NORMC_SUMMARY_H
#include "compiler/ElementType.h"
#include <cstddef>
#include <string>
#include <vector>

namespace normc::cli {

/// One line: "y: f32 64x16x112x112, mean 0.5, deviation 0.2887, min 1.2e-08, max 1". The deviation is that of the
/// elements themselves (divided by their number). A NaN makes all four NaN, as in NumPy, and is counted.
std::string summarize(const std::string &name, ElementType type, const std::vector<int64_t> &shape,
                      const std::byte *data);

} // namespace normc::cli
#endif
