#ifndef NORMC_COMPILER_FRONTEND_BUILTINS_H
#define NORMC_COMPILER_FRONTEND_BUILTINS_H
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace normc {

/// The functions of the language itself.
struct Builtin {
  enum class Kind : uint8_t {
    absolute,
    squareRoot,
    reciprocalRoot,
    exponential,
    logarithm,
    hyperbolicTangent,
    errorFunction,
    sigmoid,
    floor,
    round,
    power,
    minimum,
    maximum,
    clamp,
    lerp,
    identity,
    where,
    cast,
    stopGradient,
    size,
    index,
    count,
    at,
    sum,
    mean,
    any,
    all,
    moments,
  };
  std::string_view name;
  Kind kind;
  unsigned operands;      // without `over`
  bool elementwise;       // may stand in a fn
  bool reduction = false; // takes `over` (min and max take it too)
};

/// Null where there is none of that name.
const Builtin *builtinNamed(std::string_view name);
std::vector<std::string> builtinNames();

bool isMethodName(std::string_view word);
/// auto, two_pass, one_pass, welford
const std::vector<std::string> &methodNames();

} // namespace normc
#endif
