#ifndef NORMC_COMPILER_FRONTEND_BINDINGS_H
#define NORMC_COMPILER_FRONTEND_BINDINGS_H
#include "compiler/Selection.h"
#include "compiler/frontend/Builtins.h"
#include "compiler/frontend/Interface.h"

namespace normc {

/// What a parameter of kind fn stands for: one of the two, or neither where it is not bound.
struct FunctionReference {
  const Builtin *builtin = nullptr;
  const Function *function = nullptr;
};

/// A compile-time parameter, bound or (no value) left generic.
struct Bound {
  const Parameter *parameter = nullptr;
  std::variant<std::monostate, ElementType, int64_t, double, bool, std::string, FunctionReference> value;
  bool atRunTime = false; // a real that has become a scalar input
};
using Bindings = std::map<std::string, Bound, std::less<>>;

/// Every parameter of a kernel without a value. Reports what is wrong with their declarations.
Bindings genericBindings(const File &file, const Kernel &kernel, Diagnostics &diagnostics);

/// Every parameter with its value: what -D says, for a type else what is passed, else the default. Faults of the
/// command line are reported as such. `interface` is that of the selected kernel, which may be a gradient of `kernel`.
bool bindParameters(const File &file, const Kernel &kernel, const Interface &interface, const Selection &selection,
                    Bindings &bindings, Diagnostics &diagnostics);

/// The element type a tensor is declared with; empty where it is a parameter without a value, or unknown.
std::optional<ElementType> elementOf(const TensorType &type, const Bindings &bindings);

} // namespace normc
#endif
