#include "compiler/frontend/Builtins.h"
#include <algorithm>
#include <array>

namespace normc {
namespace {
using Kind = Builtin::Kind;
constexpr std::array<Builtin, 28> table = {{{"abs", Kind::absolute, 1, true},
                                            {"sqrt", Kind::squareRoot, 1, true},
                                            {"rsqrt", Kind::reciprocalRoot, 1, true},
                                            {"exp", Kind::exponential, 1, true},
                                            {"log", Kind::logarithm, 1, true},
                                            {"tanh", Kind::hyperbolicTangent, 1, true},
                                            {"erf", Kind::errorFunction, 1, true},
                                            {"sigmoid", Kind::sigmoid, 1, true},
                                            {"floor", Kind::floor, 1, true},
                                            {"round", Kind::round, 1, true},
                                            {"pow", Kind::power, 2, true},
                                            {"min", Kind::minimum, 2, true, true},
                                            {"max", Kind::maximum, 2, true, true},
                                            {"clamp", Kind::clamp, 3, true},
                                            {"lerp", Kind::lerp, 3, true},
                                            {"identity", Kind::identity, 1, true},
                                            {"where", Kind::where, 3, true},
                                            {"cast", Kind::cast, 2, true},
                                            {"stop_gradient", Kind::stopGradient, 1, true},
                                            {"size", Kind::size, 1, false},
                                            {"index", Kind::index, 1, false},
                                            {"count", Kind::count, 0, false, true},
                                            {"at", Kind::at, 1, false},
                                            {"sum", Kind::sum, 1, false, true},
                                            {"mean", Kind::mean, 1, false, true},
                                            {"any", Kind::any, 1, false, true},
                                            {"all", Kind::all, 1, false, true},
                                            {"moments", Kind::moments, 1, false, true}}};
} // namespace

const Builtin *builtinNamed(std::string_view name) {
  const auto *found = std::find_if(table.begin(), table.end(), [&](const Builtin &b) { return b.name == name; });
  return found == table.end() ? nullptr : found;
}

std::vector<std::string> builtinNames() {
  std::vector<std::string> names;
  for (const Builtin &builtin : table) names.emplace_back(builtin.name);
  return names;
}

const std::vector<std::string> &methodNames() {
  static const std::vector<std::string> names = {"auto", "two_pass", "one_pass", "welford"};
  return names;
}

bool isMethodName(std::string_view word) {
  return std::find(methodNames().begin(), methodNames().end(), word) != methodNames().end();
}

} // namespace normc
