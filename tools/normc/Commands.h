#ifndef NORMC_TOOLS_NORMC_COMMANDS_H
#define NORMC_TOOLS_NORMC_COMMANDS_H
#include "compiler/Compiler.h"
#include "tools/normc/Options.h"

namespace normc::cli {

/// Each command prints its results on standard output and reports what is wrong to `diagnostics`.
void runCheck(const Options &options, Diagnostics &diagnostics);
void runCompile(const Options &options, Diagnostics &diagnostics);
void runKernel(const Options &options, Diagnostics &diagnostics);
void runExplain(const Options &options, Diagnostics &diagnostics);
void runGradient(const Options &options, Diagnostics &diagnostics);
void runFormat(const Options &options, Diagnostics &diagnostics);
void runBench(const Options &options, Diagnostics &diagnostics);
void runTune(const Options &options, Diagnostics &diagnostics);

/// The text of a spec. A file that cannot be read is an error of the system.
std::optional<std::string> readSpec(const std::string &path, Diagnostics &diagnostics);

/// Reads the spec, with the folders to look its imports up in: -I's, then the installed specs. A file that cannot be
/// read is an error of the system.
std::optional<Source> readSource(const Options &options, Diagnostics &diagnostics);

/// The path of a spec by its name among the standard ones, "layer_norm", or by its path.
std::string specPath(const std::string &spec);

/// Where it is none of the standard specs, and no path: the message.
std::string missingSpec(const std::string &spec);

/// What `--help` prints; of one command, or of all of them together.
std::string helpText();
std::string helpText(Command command);
/// What `--version` prints.
std::string versionText();

} // namespace normc::cli
#endif
