#ifndef NORMC_TOOLS_NORMC_OUTPUTFILES_H
#define NORMC_TOOLS_NORMC_OUTPUTFILES_H
#include "compiler/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include <string>
#include <string_view>
#include <vector>

namespace normc::cli {

/// Files that appear whole and together, or not at all: each is written beside its place and renamed when all of them
/// have been; one that replaces another keeps its mode. What is not committed is removed, on a signal as well. A place
/// that is no ordinary file (a terminal, a pipe, /dev/null) is written to as it is, on commit. Every error is the
/// system's.
class OutputFiles {
public:
  explicit OutputFiles(Diagnostics &diagnostics) : diagnostics(diagnostics) {}
  ~OutputFiles();
  OutputFiles(const OutputFiles &) = delete;
  OutputFiles &operator=(const OutputFiles &) = delete;

  /// Whether a file could be written there, as far as that shows without writing: for saying so before a long run.
  bool check(const std::string &path);
  /// Writes the file of these parts, in order, beside `path`.
  bool write(const std::string &path, const std::vector<std::string_view> &parts);
  /// Puts every file in its place.
  bool commit();

private:
  struct Pending {
    std::string path, target;
    std::optional<llvm::sys::fs::TempFile> file;
    std::string contents; // where there is no temporary file
  };
  Diagnostics &diagnostics;
  std::vector<Pending> pending;

  bool fail(const std::string &path, const std::string &message);
};

/// Whether both name one file that exists, be it by links.
bool sameFile(const std::string &one, const std::string &other);

/// Writes all of a text to standard output.
bool writeStandardOutput(std::string_view text, Diagnostics &diagnostics);

} // namespace normc::cli
#endif
