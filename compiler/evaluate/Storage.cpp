// Element types as memory holds them, by arithmetic on doubles: slow, and right by inspection.
#include "compiler/evaluate/Storage.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace normc {

namespace {
/// A binary floating format: `mantissa` stored bits, the exponent of its least normal number, its largest number.
struct Format {
  int mantissa, minExponent;
  double largest;
  bool saturates;
  uint32_t sign, infinity, nan; // bit patterns; infinity 0: there is none
};
Format formatOf(ElementType type) {
  switch (type) {
  case ElementType::f32:
    return {23, -126, 0x1.fffffep127, false, 0x80000000, 0x7f800000, 0x7fc00000};
  case ElementType::f16:
    return {10, -14, 65504, false, 0x8000, 0x7c00, 0x7e00};
  case ElementType::bf16:
    return {7, -126, 0x1.fep127, false, 0x8000, 0x7f80, 0x7fc0};
  case ElementType::f8e4m3:
    return {3, -6, 448, true, 0x80, 0, 0x7f};
  default:
    return {2, -14, 57344, true, 0x80, 0x7c, 0x7e}; // f8e5m2
  }
}

uint32_t encode(const Format &format, double value) {
  uint32_t sign = std::signbit(value) ? format.sign : 0;
  if (std::isnan(value)) return sign | format.nan;
  if (std::isinf(value)) return sign | format.infinity;
  if (value == 0) return sign;
  int exponent = std::max(std::ilogb(value), format.minExponent);
  auto significand = uint32_t(std::ldexp(std::fabs(value), format.mantissa - exponent));
  // A normal number's leading bit adds the one by which its exponent field is larger.
  return sign | ((uint32_t(exponent - format.minExponent) << format.mantissa) + significand);
}

double decode(const Format &format, uint32_t bits) {
  uint32_t magnitude = bits & (format.sign - 1);
  auto signedValue = [&](double value) { return bits & format.sign ? -value : value; };
  if (format.infinity ? magnitude > format.infinity : magnitude == format.nan) return signedValue(std::nan(""));
  if (format.infinity && magnitude == format.infinity) return signedValue(std::numeric_limits<double>::infinity());
  uint32_t exponent = magnitude >> format.mantissa, fraction = magnitude & ((1u << format.mantissa) - 1);
  if (exponent == 0) return signedValue(std::ldexp(double(fraction), format.minExponent - format.mantissa));
  double significand = double(fraction + (1u << format.mantissa));
  return signedValue(std::ldexp(significand, int(exponent) - 1 + format.minExponent - format.mantissa));
}

template <typename T> T read(const void *memory, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char *>(memory) + index * int64_t(sizeof(T)), sizeof(T));
  return value;
}
template <typename T> void write(void *memory, int64_t index, T value) {
  std::memcpy(static_cast<char *>(memory) + index * int64_t(sizeof(T)), &value, sizeof(T));
}

std::pair<int64_t, int64_t> rangeOf(ElementType type) {
  switch (type) {
  case ElementType::i8:
    return {-128, 127};
  case ElementType::u8:
    return {0, 255};
  case ElementType::i32:
    return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
  default:
    return {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  }
}
} // namespace

double roundTo(ElementType type, double value) {
  if (type == ElementType::f64 || value == 0 || std::isnan(value)) return value;
  Format format = formatOf(type);
  if (std::isinf(value)) return format.saturates ? std::copysign(format.largest, value) : value;
  // The spacing of the format's numbers at this magnitude; scaling by powers of two is exact.
  int spacing = std::max(std::ilogb(value), format.minExponent) - format.mantissa;
  double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -spacing)), spacing);
  if (std::fabs(rounded) <= format.largest) return rounded;
  return std::copysign(format.saturates ? format.largest : std::numeric_limits<double>::infinity(), value);
}

int64_t saturate(ElementType type, int64_t value) {
  auto [low, high] = rangeOf(type);
  return std::clamp(value, low, high);
}

int64_t roundToInteger(ElementType type, double value) {
  if (std::isnan(value)) return 0;
  value = std::nearbyint(value);
  if (value >= 0x1p63) return rangeOf(type).second;
  if (value < -0x1p63) return rangeOf(type).first;
  return saturate(type, int64_t(value));
}

Cell load(ElementType type, const void *memory, int64_t index) {
  switch (type) {
  case ElementType::f64:
    return {.real = read<double>(memory, index)};
  case ElementType::f32:
    return {.real = read<float>(memory, index)};
  case ElementType::f16:
  case ElementType::bf16:
    return {.real = decode(formatOf(type), read<uint16_t>(memory, index))};
  case ElementType::f8e4m3:
  case ElementType::f8e5m2:
    return {.real = decode(formatOf(type), read<uint8_t>(memory, index))};
  case ElementType::i8:
    return {.integer = read<int8_t>(memory, index)};
  case ElementType::u8:
    return {.integer = read<uint8_t>(memory, index)};
  case ElementType::i32:
    return {.integer = read<int32_t>(memory, index)};
  case ElementType::i64:
    return {.integer = read<int64_t>(memory, index)};
  case ElementType::boolean:
    return {.integer = read<uint8_t>(memory, index) != 0};
  }
  return {};
}

void store(ElementType type, void *memory, int64_t index, Cell value) {
  switch (type) {
  case ElementType::f64:
    return write<double>(memory, index, value.real);
  case ElementType::f32:
    return write<uint32_t>(memory, index, encode(formatOf(type), roundTo(type, value.real)));
  case ElementType::f16:
  case ElementType::bf16:
    return write<uint16_t>(memory, index, uint16_t(encode(formatOf(type), roundTo(type, value.real))));
  case ElementType::f8e4m3:
  case ElementType::f8e5m2:
    return write<uint8_t>(memory, index, uint8_t(encode(formatOf(type), roundTo(type, value.real))));
  case ElementType::i8:
  case ElementType::u8:
    return write<uint8_t>(memory, index, uint8_t(saturate(type, value.integer)));
  case ElementType::i32:
    return write<int32_t>(memory, index, int32_t(saturate(type, value.integer)));
  case ElementType::i64:
    return write<int64_t>(memory, index, value.integer);
  case ElementType::boolean:
    return write<uint8_t>(memory, index, value.integer != 0);
  }
}

} // namespace normc
