#include "tools/normc/Summary.h"
#include "tools/normc/Elements.h"
#include "tools/normc/Npy.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace normc::cli {

std::string summarize(const std::string &name, ElementType type, const std::vector<int64_t> &shape,
                      const std::byte *data) {
  int64_t elements = byteCount(shape, 1).value_or(0);
  std::string text = fmt::format("{}: {} {}", name, nameOf(type), formatShape(shape));
  if (elements == 0) return text + ", no elements\n";
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double sum = 0, least = infinity, greatest = -infinity;
  int64_t nans = 0;
  for (int64_t i = 0; i < elements; ++i) {
    double value = loadElement(type, data, i);
    nans += std::isnan(value);
    sum += value;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  if (nans) least = greatest = std::numeric_limits<double>::quiet_NaN();
  double mean = sum / static_cast<double>(elements), squares = 0;
  for (int64_t i = 0; i < elements; ++i) {
    double difference = loadElement(type, data, i) - mean;
    squares += difference * difference;
  }
  auto number = [](double value) { return std::isnan(value) ? std::string("nan") : fmt::format("{:.6g}", value); };
  text += fmt::format(", mean {}, deviation {}, min {}, max {}", number(mean),
                      number(std::sqrt(squares / static_cast<double>(elements))), number(least), number(greatest));
  if (nans) text += fmt::format(", {} NaN", nans);
  return text + "\n";
}

} // namespace normc::cli
