#include "tools/normc/SeedInput.h"
#include "tools/normc/Elements.h"
#include "tools/normc/Text.h"
#include <cmath>
#include <fmt/format.h>
#include <numbers>

namespace normc::cli {
namespace {

/// A well mixed function of a counter (Steele, Lea and Flood's SplitMix64).
uint64_t mix(uint64_t counter) {
  uint64_t z = counter * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// In [0, 1), 53 bits.
double unit(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

/// FNV-1a, so that two inputs of one call differ.
uint64_t hashName(const std::string &name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

} // namespace

std::optional<SeedInput> parseSeedInput(const std::string &name, std::string_view text, std::string &error) {
  SeedInput input;
  input.name = name;
  std::vector<std::string> parts = splitText(text, ':');
  if (parts.size() < 2 || parts.size() > 3) {
    error = fmt::format("expected SHAPE:TYPE or SHAPE:TYPE:DISTRIBUTION such as 8x64x56x56:f32:normal(0,1), found `{}`",
                        text);
    return std::nullopt;
  }
  if (!parts[0].empty())
    for (const std::string &part : splitText(parts[0], 'x')) {
      std::optional<int64_t> extent = parseInteger(part);
      if (!extent || *extent < 0) {
        error = fmt::format("expected extents of 0 or more joined by `x`, such as 8x64, found `{}`", parts[0]);
        return std::nullopt;
      }
      input.shape.push_back(*extent);
    }
  if (input.shape.size() > 64) {
    error = fmt::format("expected at most 64 dimensions, found {}", input.shape.size());
    return std::nullopt;
  }
  std::optional<ElementType> type = elementTypeNamed(parts[1]);
  if (!type) {
    error = fmt::format("expected an element type ({}), found `{}`", listElementTypes(), parts[1]);
    return std::nullopt;
  }
  input.type = *type;
  if (*type == ElementType::boolean) input.distribution = SeedInput::Distribution::uniform, input.second = 2;
  else if (!isFloating(*type)) input.distribution = SeedInput::Distribution::uniform, input.second = 10;
  if (parts.size() == 2) return input;

  std::string_view rest = parts[2];
  bool normal = rest.starts_with("normal(");
  if ((normal || rest.starts_with("uniform(")) && rest.ends_with(')')) {
    rest.remove_prefix(normal ? 7 : 8);
    rest.remove_suffix(1);
    std::vector<std::string> numbers = splitText(rest, ',');
    std::optional<double> first = parseReal(numbers[0]),
                          second = numbers.size() == 2 ? parseReal(numbers[1]) : std::nullopt;
    if (first && second && std::isfinite(*first) && std::isfinite(*second)) {
      if (!normal && *second < *first) {
        error = fmt::format("expected a lower bound up to the upper one, found `{}`", parts[2]);
        return std::nullopt;
      }
      input.distribution = normal ? SeedInput::Distribution::normal : SeedInput::Distribution::uniform;
      input.first = *first;
      input.second = *second;
      return input;
    }
  }
  error = fmt::format("expected normal(MEAN,DEVIATION) or uniform(LOWER,UPPER), found `{}`", parts[2]);
  return std::nullopt;
}

std::optional<Tensor> makeSeedInput(const SeedInput &input, Diagnostics &diagnostics) {
  std::optional<Tensor> tensor = allocateTensor(input.type, input.shape, "--seed-input " + input.name, diagnostics);
  if (!tensor) return std::nullopt;
  uint64_t seed = hashName(input.name);
  int64_t elements = tensor->elements();
  // Integers and bools: each of LOWER, LOWER + 1, ... below UPPER is as likely as the next.
  bool whole = !isFloating(input.type) && input.distribution == SeedInput::Distribution::uniform;
  for (int64_t i = 0; i < elements; ++i) {
    uint64_t counter = seed + 2 * static_cast<uint64_t>(i);
    double value = unit(mix(counter));
    if (input.distribution == SeedInput::Distribution::uniform) {
      value = input.first + (input.second - input.first) * value;
    } else {
      // Box and Muller's transform of two uniform numbers.
      double radius = std::sqrt(-2 * std::log(1 - value));
      value = input.first + input.second * radius * std::cos(2 * std::numbers::pi * unit(mix(counter + 1)));
    }
    if (whole) value = std::floor(value);
    storeElement(input.type, tensor->data(), i, value);
  }
  return tensor;
}

} // namespace normc::cli
