#ifndef NORMC_TOOLS_NORMC_DECLARATIONS_H
#define NORMC_TOOLS_NORMC_DECLARATIONS_H
#include "compiler/Compiler.h"
#include "compiler/frontend/Interface.h"
#include "tools/normc/Options.h"
#include <map>

namespace normc::cli {

/// What `run` needs to know of a kernel's declaration before it is compiled.
struct Declared {
  struct Input {
    std::string element;   // a type, or a type parameter
    std::string text;      // as declared: "T[n, c, s...]"
    size_t dimensions = 0; // packs aside
    bool pack = false;     // any number of dimensions more
    bool scalar = false, state = false;
  };
  std::map<std::string, Input> inputs; // runtime scalars among them
  std::vector<std::string> outputs;    // updated states among them
};

/// The interface of a kernel or gradient of a file; of the first kernel where there is no name.
std::optional<Interface> findInterface(const Unit &unit, const std::string &name);

/// The declaration of the selected kernel; empty where the spec does not parse that far or has no such kernel, which
/// the compiler will say with its reasons.
std::optional<Declared> readDeclaration(const Source &source, const Selection &selection);

/// The element type of an input where the declaration or -D says it.
std::optional<ElementType> elementTypeOf(const Declared::Input &input, const Selection &selection);

/// Checks the rank of an array, and its type where the declaration or -D says it, against the input's. Gives what is
/// wrong; empty otherwise, and where only the compiler can tell.
std::string checkArray(const std::string &name, const Declared::Input &input, const Selection &selection,
                       const Tensor &tensor);

/// Checks the names behind --input, --seed-input, --scalar and --output. False with errors of usage.
bool checkNames(const Declared &declared, const Options &options, Diagnostics &diagnostics);

} // namespace normc::cli
#endif
