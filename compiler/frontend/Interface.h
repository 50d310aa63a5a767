#ifndef NORMC_COMPILER_FRONTEND_INTERFACE_H
#define NORMC_COMPILER_FRONTEND_INTERFACE_H
#include "compiler/frontend/Ast.h"

namespace normc {

/// What a kernel takes and gives, be it written or derived.
struct Interface {
  struct Item {
    std::string name;
    const TensorType *type = nullptr;
    Spot spot;
    bool state = false, optional = false;
    bool scalar = false;     // an input that is passed by value: cotangents and what is given are tensors
    bool given = false;      // of a gradient: an output of the forward kernel
    std::string primal = {}; // of a cotangent or a gradient: what it belongs to
  };
  std::string name;
  const Kernel *kernel = nullptr;          // what is written
  std::vector<const Gradient *> gradients; // the derivations from it, innermost first
  std::vector<Item> inputs, outputs;

  const Item *input(std::string_view name) const;
  const Item *output(std::string_view name) const;
};

Interface interfaceOf(const Kernel &kernel);

/// Follows a gradient to the kernel it derives; reports names that are not there, `wrt` what has no derivative, and so
/// on.
bool interfaceOf(const Gradient &gradient, Interface &into, Diagnostics &diagnostics);

/// The signature in one line, as `normc check` prints it.
std::string signatureText(const Interface &interface);

} // namespace normc
#endif
