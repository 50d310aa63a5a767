#ifndef NORMC_TOOLS_NORMC_ARGUMENTS_H
#define NORMC_TOOLS_NORMC_ARGUMENTS_H
#include "compiler/Compiler.h"
#include "compiler/Extents.h"
#include "runtime/Call.h"
#include "tools/normc/Options.h"
#include <map>

namespace normc::cli {

/// Stores the value of a --scalar; the message says what was expected instead, empty where it fits.
std::string storeScalar(ElementType type, const ScalarValue &value, std::byte *memory);

/// The tensors of one run: inputs read or made up, outputs allocated, scalars as memory.
class Arguments {
public:
  Arguments(const Options &options, Diagnostics &diagnostics) : options(options), diagnostics(diagnostics) {}

  /// Reads the inputs. False with errors where one cannot be read.
  bool read();

  /// What the command line selects, with what is passed: names are checked against the spec's own declarations, as far
  /// as those parse, so that a message can say which option is meant.
  std::optional<Selection> select(const Source &source);

  /// Matches what was passed with what the compiled kernel takes, finds the extents and allocates the outputs.
  bool bind(const Signature &signature);

  /// How messages call where an input comes from.
  std::string placeOf(const std::string &input) const;
  /// In the order of the signature's arguments.
  const std::vector<runtime::TensorView> &views() const { return tensors; }
  const Extents &extents() const { return *bound; }

  /// Bytes that a run reads and writes at the least: inputs once, outputs once, updated state twice.
  int64_t bytes() const;
  /// Keeps what a run overwrites of its inputs, so that `restore` can undo it; false with an error where there is no
  /// memory for it.
  bool keepInputs();
  void restore();

private:
  const Options &options;
  Diagnostics &diagnostics;
  std::map<std::string, Tensor> arrays; // inputs by name, and outputs once they are bound
  struct alignas(8) ScalarMemory {
    std::byte bytes[8];
    std::byte *data() { return bytes; }
  };
  std::map<std::string, ScalarMemory> scalars;
  const Signature *signature = nullptr;
  std::optional<Extents> bound;
  std::vector<runtime::TensorView> tensors;
  struct Kept {
    void *place;
    runtime::Buffer copy;
  };
  std::vector<Kept> kept;

  bool bindInput(const Argument &argument, Passed &passed);
  bool bindScalar(const Argument &argument, Passed &passed);
  /// Stores the value of a --scalar where it is one of that type; an error of usage otherwise.
  bool checkScalar(const std::string &name, ElementType type, const ScalarValue &value);
  bool allocateOutputs();
  bool signatureHas(const std::string &name) const;
};

} // namespace normc::cli
#endif
