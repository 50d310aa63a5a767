#ifndef NORMC_COMPILER_FRONTEND_RESOLVE_H
#define NORMC_COMPILER_FRONTEND_RESOLVE_H
#include "compiler/frontend/AxisTable.h"
#include "compiler/frontend/Bindings.h"

namespace normc {

/// A kernel as a graph of values: what its text means, with its parameters bound or left generic.
struct ResolvedKernel {
  const Kernel *kernel = nullptr;
  Bindings bindings;
  AxisTable table;
  std::vector<TensorAxes> inputs, outputs; // beside those of the kernel
  std::vector<std::optional<ElementType>> inputTypes, outputTypes;
  std::vector<const Parameter *> runtimeScalars; // inputs behind those of the kernel, in the compute type
  Graph graph;
  bool opaqueCalls = false; // fns are not expanded: for checking alone

  struct Factor {
    unsigned axis, whole;
    NodeId size;
    Spot spot;
  };
  std::vector<Factor> factors;
  std::vector<NodeId> outputValues;    // what each output stores, over its axes
  std::map<size_t, NodeId> updates;    // what state is replaced by, by the index of the input
  std::map<NodeId, std::string> names; // what a `let` calls a value first; of moments "mean, variance"
};

/// Resolves a kernel with the given bindings. False where there is an error, which has been reported.
bool resolve(const File &file, const Kernel &kernel, Bindings bindings, ResolvedKernel &into, Diagnostics &diagnostics);

/// Checks every fn, kernel and gradient of a file and of what it imports, with their parameters left generic.
bool check(const File &file, Diagnostics &diagnostics);

/// The signatures of the file's own kernels and gradients, a line each, in the order of the text.
std::vector<std::string> signatures(const File &file);

} // namespace normc
#endif
