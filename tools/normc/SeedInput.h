#ifndef NORMC_TOOLS_NORMC_SEEDINPUT_H
#define NORMC_TOOLS_NORMC_SEEDINPUT_H
#include "tools/normc/Npy.h"

namespace normc::cli {

/// `--seed-input x=8x64x56x56:f32:normal(0,1)`: a tensor made up where a file would be a nuisance.
struct SeedInput {
  enum class Distribution { normal, uniform };
  std::string name;
  std::vector<int64_t> shape;
  ElementType type = ElementType::f32;
  Distribution distribution = Distribution::normal;
  double first = 0, second = 1; // mean and deviation, or lower and upper bound
};

/// Reads what stands after `x=`. Where it is wrong, the result is empty and `error` says what was found and expected.
std::optional<SeedInput> parseSeedInput(const std::string &name, std::string_view text, std::string &error);

/// The tensor. Element i of input `name` is a function of i, the name and the distribution alone: the same on every
/// machine of one C library, whatever the type (which it is then rounded to, as a store does).
std::optional<Tensor> makeSeedInput(const SeedInput &input, Diagnostics &diagnostics);

} // namespace normc::cli
#endif
