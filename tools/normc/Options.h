#ifndef NORMC_TOOLS_NORMC_OPTIONS_H
#define NORMC_TOOLS_NORMC_OPTIONS_H
#include "compiler/Diagnostics.h"
#include "compiler/Selection.h"
#include "tools/normc/Npz.h"
#include "tools/normc/SeedInput.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace normc::cli {

/// The commands, as bits: an option says which take it.
enum Command : unsigned {
  checkCommand = 1,
  compileCommand = 2,
  runCommand = 4,
  explainCommand = 8,
  gradientCommand = 16,
  benchCommand = 32,
  tuneCommand = 64,
  fmtCommand = 128
};

/// What runs a kernel.
enum class Device : uint8_t { cpu, evaluator };

/// The value of a `--scalar`; `text` is how it was written.
struct ScalarValue {
  std::string text;
  std::optional<bool> boolean;
  std::optional<int64_t> integer;
  double real = 0;
};

/// The arrays of a run: of all replicas, or of one.
struct Arrays {
  std::map<std::string, ArrayPlace> inputs, outputs;
  std::map<std::string, SeedInput> seedInputs;
};

/// A command line, taken apart and checked as far as that goes without the spec.
struct Options : Arrays {
  Command command = checkCommand;
  bool help = false;
  std::string file;
  std::vector<std::string> importPaths;
  Selection selection;
  std::string target = "cpu";

  std::vector<std::string> files; // of fmt
  bool check = false;

  std::vector<std::string> emit;
  std::string output, stopAfter, dumpStages;

  std::map<std::string, ScalarValue> scalars;
  std::map<int64_t, Arrays> replicas; // x@1=x.npy: by number
  std::optional<int64_t> replica;     // whose options these are, where arrays are given by number
  std::set<std::string> wanted;       // outputs that any replica is to write
  Device device = Device::cpu;
  unsigned threads = 0; // 0: one a core
  bool time = false;
  bool spread = false; // small calls over all threads too

  // Of bench: problems as lines of text, and how they are timed.
  std::vector<std::string> problems, only;
  std::string list, save;
  std::vector<unsigned> threadCounts;
  std::optional<std::pair<int64_t, int64_t>> offsets; // of inputs and outputs
  bool warm = true, cold = false, json = false, baseline = false, low = false;
  int rounds = 15;
};

/// Reads a number, inf, nan, true or false; false where it is none of them.
bool parseScalar(const std::string &text, ScalarValue &scalar);

/// One option of the command line.
struct OptionRow {
  std::string_view name;     // "--size", "-k"
  std::string_view argument; // "AXIS=N"; empty: a flag
  unsigned commands;         // that take it
  std::string_view help;     // empty: an option for tests, which --help does not list
};
const std::vector<OptionRow> &optionRows();

/// The stages of the CPU pipeline that `--emit` prints, in order.
const std::vector<std::string> &stageNames();

/// Reads what stands after `normc COMMAND`. Errors, all of them of usage, go to `diagnostics`; the result is empty
/// then.
std::optional<Options> parseOptions(Command command, const std::vector<std::string> &arguments,
                                    Diagnostics &diagnostics);

/// An error of the command line as a whole.
Diagnostics::Entry &usageError(Diagnostics &diagnostics, std::string message);

} // namespace normc::cli
#endif
