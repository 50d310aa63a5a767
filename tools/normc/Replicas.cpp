#include "tools/normc/Replicas.h"
#include <fmt/format.h>

namespace normc::cli {
namespace {

bool hasInputs(const Arrays &arrays) { return !arrays.inputs.empty() || !arrays.seedInputs.empty(); }

bool gives(const Arrays &arrays, const std::string &input) {
  return arrays.inputs.contains(input) || arrays.seedInputs.contains(input);
}

std::set<std::string> inputsOf(const Arrays &arrays) {
  std::set<std::string> names;
  for (const auto &[name, place] : arrays.inputs) names.insert(name);
  for (const auto &[name, seed] : arrays.seedInputs) names.insert(name);
  return names;
}

/// As many as the inputs name.
int64_t countReplicas(const Options &options) {
  int64_t count = 1;
  for (const auto &[number, arrays] : options.replicas)
    if (hasInputs(arrays)) count = number + 1;
  return count;
}

const Arrays &arraysOf(const Options &options, int64_t replica) {
  static const Arrays none;
  auto found = options.replicas.find(replica);
  return found == options.replicas.end() ? none : found->second;
}

} // namespace

std::string arrayName(const std::string &name, std::optional<int64_t> replica) {
  return replica ? fmt::format("{}@{}", name, *replica) : name;
}

bool checkReplicas(const Options &options, Diagnostics &diagnostics) {
  size_t before = diagnostics.count();
  int64_t count = countReplicas(options);
  std::set<std::string> named; // inputs given for each replica
  for (const auto &[replica, arrays] : options.replicas) named.merge(inputsOf(arrays));
  for (int64_t replica = 0; replica < count && !named.empty(); ++replica) {
    const Arrays &arrays = arraysOf(options, replica);
    if (!hasInputs(arrays)) {
      usageError(diagnostics, fmt::format("replica {} has no input, but replica {} has: replicas are numbered from 0 "
                                          "without gaps",
                                          replica, count - 1));
      return false;
    }
    for (const std::string &name : named)
      if (!gives(arrays, name) && !gives(options, name))
        usageError(diagnostics, fmt::format("input {} is given for other replicas, but not for replica {}: --input "
                                            "{}@{}=FILE",
                                            name, replica, name, replica));
  }
  for (const std::string &name : named)
    if (gives(options, name))
      usageError(diagnostics, fmt::format("input {} is given for all replicas, and for some by their numbers: give it "
                                          "either as {}=FILE or as {}@0=FILE, {}@1=FILE, one for each of them",
                                          name, name, name, name));
  for (const auto &[replica, arrays] : options.replicas)
    for (const auto &[name, place] : arrays.outputs)
      if (replica >= count)
        usageError(
            diagnostics,
            fmt::format("--output {}@{}: there is no replica {}: the inputs are of {}", name, replica, replica,
                        count == 1 ? std::string("one replica, 0") : fmt::format("replicas 0 to {}", count - 1)));
      else if (options.outputs.contains(name))
        usageError(diagnostics,
                   fmt::format("--output {} and --output {}@{}: the one for all replicas, the other for one of them",
                               name, name, replica));
  if (count > 1)
    for (const auto &[name, place] : options.outputs)
      usageError(diagnostics, fmt::format("--output {}: each replica has its own: write {}@0=FILE", name, name));
  return diagnostics.count() == before;
}

std::vector<Options> replicasOf(const Options &options) {
  std::vector<Options> replicas;
  std::set<std::string> wanted;
  for (const auto &[name, place] : options.outputs) wanted.insert(name);
  for (const auto &[number, arrays] : options.replicas)
    for (const auto &[name, place] : arrays.outputs) wanted.insert(name);
  int64_t count = countReplicas(options);
  for (int64_t number = 0; number < count; ++number) {
    Options replica = options;
    const Arrays &own = arraysOf(options, number);
    replica.inputs.insert(own.inputs.begin(), own.inputs.end());
    replica.seedInputs.insert(own.seedInputs.begin(), own.seedInputs.end());
    replica.outputs.insert(own.outputs.begin(), own.outputs.end());
    replica.replicas.clear();
    if (!options.replicas.empty()) replica.replica = number;
    replica.wanted = wanted;
    replicas.push_back(std::move(replica));
  }
  return replicas;
}

} // namespace normc::cli
