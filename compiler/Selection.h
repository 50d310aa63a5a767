#ifndef NORMC_COMPILER_SELECTION_H
#define NORMC_COMPILER_SELECTION_H
#include "compiler/ElementType.h"
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace normc {

/// Which kernel of a file, and what is bound when it is compiled: the same everywhere, from the command line to the
/// API. Names are checked against the kernel; one that is not there is the command line's error (status 2).
struct Selection {
  std::string kernel;                                     // empty: the file's first
  std::map<std::string, std::string> defines;             // -D groups=8, as written
  std::map<std::string, int64_t> sizes;                   // --size c=256
  std::map<std::string, int64_t> ranks;                   // --rank s=2
  std::map<std::string, std::vector<std::string>> orders; // --order x=n,s...,c
  std::set<std::string> omit;                             // --omit gamma,rstd
  std::map<std::string, std::string> inplace;             // --inplace y=x
  std::set<std::string> runtimeScalars;                   // --runtime-scalar eps

  /// What is passed, where the caller knows it (normc run, the API): a type parameter takes the type of the first
  /// passed input declared with it. Where nothing is known, every input counts as passed.
  std::map<std::string, ElementType> inputTypes;
  std::map<std::string, int64_t> inputRanks;
  std::optional<std::set<std::string>> passed;  // inputs; one not in it is omitted (an error where it is needed)
  std::optional<std::set<std::string>> outputs; // outputs and state updates asked for; the others are omitted
};

} // namespace normc
#endif
