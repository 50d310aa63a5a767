#include "tools/normc/Elements.h"
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace normc::cli {
namespace {

/// A binary floating-point format of up to 16 bits.
struct SmallFloat {
  int exponentBits, fractionBits;
  bool infinities; // without them the largest exponent is an ordinary one, and only its last fraction is NaN
  bool saturates;

  int bias() const { return (1 << (exponentBits - 1)) - 1; }
  int largestField() const { return (1 << exponentBits) - 1; }
  int fractions() const { return 1 << fractionBits; }
};
constexpr SmallFloat f16Format{5, 10, true, false}, bf16Format{8, 7, true, false}, e4m3Format{4, 3, false, true},
    e5m2Format{5, 2, true, true};

const SmallFloat *smallFormat(ElementType type) {
  switch (type) {
  case ElementType::f16:
    return &f16Format;
  case ElementType::bf16:
    return &bf16Format;
  case ElementType::f8e4m3:
    return &e4m3Format;
  case ElementType::f8e5m2:
    return &e5m2Format;
  default:
    return nullptr;
  }
}

double decode(const SmallFloat &format, unsigned bits) {
  bool negative = bits >> (format.exponentBits + format.fractionBits) & 1;
  int field = static_cast<int>(bits >> format.fractionBits) & format.largestField();
  int fraction = static_cast<int>(bits) & (format.fractions() - 1);
  double value;
  if (format.infinities && field == format.largestField())
    value = fraction ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  else if (!format.infinities && field == format.largestField() && fraction == format.fractions() - 1)
    value = std::numeric_limits<double>::quiet_NaN();
  else
    value = std::ldexp(fraction + (field ? format.fractions() : 0),
                       (field ? field : 1) - format.bias() - format.fractionBits);
  return negative ? -value : value;
}

unsigned encode(const SmallFloat &format, double value) {
  unsigned sign = std::signbit(value) ? 1u << (format.exponentBits + format.fractionBits) : 0;
  unsigned fractions = static_cast<unsigned>(format.fractions());
  // The bits of the first pattern that is not finite, and those of NaN.
  unsigned beyond = static_cast<unsigned>(format.largestField()) * fractions + (format.infinities ? 0 : fractions - 1);
  unsigned nan = format.infinities ? beyond + fractions / 2 : beyond;
  if (std::isnan(value)) return sign | nan;
  unsigned tooLarge = format.saturates ? beyond - 1 : format.infinities ? beyond : nan;
  double magnitude = std::fabs(value);
  if (std::isinf(magnitude)) return sign | tooLarge;
  // Halves of the unit in the last place go to even: nearbyint's default rounding.
  int exponent = magnitude == 0 ? 0 : std::ilogb(magnitude);
  int lowest = 1 - format.bias();
  int unit = (exponent < lowest ? lowest : exponent) - format.fractionBits;
  auto steps = static_cast<unsigned>(std::nearbyint(std::ldexp(magnitude, -unit)));
  if (exponent > format.largestField() - format.bias()) return sign | tooLarge;
  // A carry out of the fraction lands in the exponent by itself.
  unsigned bits = exponent < lowest ? steps : static_cast<unsigned>(exponent + format.bias() - 1) * fractions + steps;
  return sign | (bits >= beyond ? tooLarge : bits);
}

template <typename T> T loadAs(const std::byte *data, int64_t index) {
  T value;
  std::memcpy(&value, data + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}
template <typename T> void storeAs(std::byte *data, int64_t index, T value) {
  std::memcpy(data + index * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
}

template <typename T> void storeInteger(std::byte *data, int64_t index, double value) {
  constexpr T lowest = std::numeric_limits<T>::min(), largest = std::numeric_limits<T>::max();
  double rounded = std::nearbyint(value);
  T stored = std::isnan(value)                         ? T(0)
             : rounded <= static_cast<double>(lowest)  ? lowest
             : rounded >= static_cast<double>(largest) ? largest
                                                       : static_cast<T>(rounded);
  storeAs(data, index, stored);
}

} // namespace

double loadElement(ElementType type, const std::byte *data, int64_t index) {
  switch (type) {
  case ElementType::f64:
    return loadAs<double>(data, index);
  case ElementType::f32:
    return loadAs<float>(data, index);
  case ElementType::f16:
  case ElementType::bf16:
    return decode(*smallFormat(type), loadAs<uint16_t>(data, index));
  case ElementType::f8e4m3:
  case ElementType::f8e5m2:
    return decode(*smallFormat(type), loadAs<uint8_t>(data, index));
  case ElementType::i8:
    return loadAs<int8_t>(data, index);
  case ElementType::u8:
    return loadAs<uint8_t>(data, index);
  case ElementType::i32:
    return loadAs<int32_t>(data, index);
  case ElementType::i64:
    return static_cast<double>(loadAs<int64_t>(data, index));
  case ElementType::boolean:
    return loadAs<uint8_t>(data, index) ? 1 : 0;
  }
  __builtin_unreachable();
}

void storeElement(ElementType type, std::byte *data, int64_t index, double value) {
  switch (type) {
  case ElementType::f64:
    return storeAs(data, index, value);
  case ElementType::f32:
    return storeAs(data, index, static_cast<float>(value));
  case ElementType::f16:
  case ElementType::bf16:
    return storeAs(data, index, static_cast<uint16_t>(encode(*smallFormat(type), value)));
  case ElementType::f8e4m3:
  case ElementType::f8e5m2:
    return storeAs(data, index, static_cast<uint8_t>(encode(*smallFormat(type), value)));
  case ElementType::i8:
    return storeInteger<int8_t>(data, index, value);
  case ElementType::u8:
    return storeInteger<uint8_t>(data, index, value);
  case ElementType::i32:
    return storeInteger<int32_t>(data, index, value);
  case ElementType::i64:
    return storeInteger<int64_t>(data, index, value);
  case ElementType::boolean:
    return storeAs(data, index, static_cast<uint8_t>(value != 0));
  }
  __builtin_unreachable();
}

} // namespace normc::cli
