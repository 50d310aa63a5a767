#ifndef NORMC_TOOLS_NORMC_ELEMENTS_H
#define NORMC_TOOLS_NORMC_ELEMENTS_H
#include "compiler/evaluate/Storage.h"
#include <cstddef>

namespace normc::cli {

/// Element `index` of memory of that type, exactly (an i64 beyond 2^53 is rounded).
inline double loadElement(ElementType type, const std::byte *data, int64_t index) {
  switch (type) {
  case ElementType::f64:
    return reinterpret_cast<const double *>(data)[index];
  case ElementType::f32:
    return reinterpret_cast<const float *>(data)[index];
  default:
    break;
  }
  Cell cell = load(type, data, index);
  return isFloating(type) ? cell.real : static_cast<double>(cell.integer);
}

/// Stores a number as the language does: rounded to nearest even; integers and f8 saturate, a NaN becomes 0 in an
/// integer; a bool is `value != 0`.
inline void storeElement(ElementType type, std::byte *data, int64_t index, double value) {
  Cell cell;
  if (isFloating(type)) cell.real = value;
  else if (type == ElementType::boolean) cell.integer = value != 0;
  else cell.integer = roundToInteger(type, value);
  store(type, data, index, cell);
}

} // namespace normc::cli
#endif
