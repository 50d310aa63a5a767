#ifndef NORMC_TOOLS_NORMC_REPLICAS_H
#define NORMC_TOOLS_NORMC_REPLICAS_H
#include "tools/normc/Options.h"

namespace normc::cli {

/// Checks what the command line names for which replica: they are numbered from 0 without gaps by their inputs; an
/// input is for all of them, or given for each; an output is of one that there is. False with errors of usage.
bool checkReplicas(const Options &options, Diagnostics &diagnostics);

/// What the command line says for each replica of the job, one mostly: the inputs for all are among each one's.
std::vector<Options> replicasOf(const Options &options);

/// How an array of one replica is called on the command line: "x", "x@1".
std::string arrayName(const std::string &name, std::optional<int64_t> replica);

} // namespace normc::cli
#endif
