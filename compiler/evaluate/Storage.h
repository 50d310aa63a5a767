#ifndef NORMC_COMPILER_EVALUATE_STORAGE_H
#define NORMC_COMPILER_EVALUATE_STORAGE_H
#include "compiler/ElementType.h"

namespace normc {

/// One value of the evaluator: a float of any width is a double, a bool is 0 or 1.
union Cell {
  double real;
  int64_t integer;
};

/// Rounds to nearest even to a floating type; f8 saturates, the others overflow to infinity.
double roundTo(ElementType type, double value);
/// The integer a store would leave: rounded to nearest even and saturated; NaN is 0.
int64_t roundToInteger(ElementType type, double value);
int64_t saturate(ElementType type, int64_t value);

/// Reads and writes element `index` of dense memory. A float that is written is rounded as `roundTo` does.
Cell load(ElementType type, const void *memory, int64_t index);
void store(ElementType type, void *memory, int64_t index, Cell value);

} // namespace normc
#endif
