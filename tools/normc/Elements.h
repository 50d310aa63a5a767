#ifndef NORMC_TOOLS_NORMC_ELEMENTS_H
#define NORMC_TOOLS_NORMC_ELEMENTS_H
#include "compiler/ElementType.h"
#include <cstddef>

namespace normc::cli {

/// Element `index` of memory of that type, exactly (an i64 beyond 2^53 is rounded).
double loadElement(ElementType type, const std::byte *data, int64_t index);

/// Stores a number as the language does: rounded to nearest even; integers and f8 saturate, a NaN becomes 0 in an
/// integer; a bool is `value != 0`.
void storeElement(ElementType type, std::byte *data, int64_t index, double value);

} // namespace normc::cli
#endif
