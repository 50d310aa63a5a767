#include "tools/normc/Commands.h"
#include "tools/normc/OutputFiles.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <csignal>
#include <cstdio>
#include <fmt/format.h>

namespace normc::cli {
namespace {

struct CommandRow {
  std::string_view name;
  Command command;
  void (*run)(const Options &options, Diagnostics &diagnostics);
};
constexpr CommandRow commands[] = {
    {"check", checkCommand, runCheck},
    {"compile", compileCommand, runCompile},
    {"run", runCommand, runKernel},
    {"explain", explainCommand, runExplain},
    {"gradient", gradientCommand, runGradient},
    {"fmt", fmtCommand, runFormat},
    {"bench", benchCommand, runBench},
    {"tune", tuneCommand, runTune},
};

void unknownCommand(const std::string &word, Diagnostics &diagnostics) {
  std::vector<std::string> names;
  for (const CommandRow &row : commands) names.emplace_back(row.name);
  std::string near = nearestName(word, names);
  usageError(diagnostics, fmt::format("unknown {} `{}`: {}", word.starts_with('-') ? "option" : "command", word,
                                      near.empty() ? fmt::format("expected one of {}", fmt::join(names, ", "))
                                                   : fmt::format("did you mean `{}`", near)));
}

void dispatch(const std::vector<std::string> &words, Diagnostics &diagnostics) {
  if (words.empty()) {
    usageError(diagnostics, "no command: normc --help lists them");
    return;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    writeStandardOutput(helpText(), diagnostics);
    return;
  }
  if (words[0] == "--version") {
    writeStandardOutput(versionText(), diagnostics);
    return;
  }
  for (const CommandRow &row : commands) {
    if (row.name != words[0]) continue;
    std::optional<Options> options = parseOptions(row.command, {words.begin() + 1, words.end()}, diagnostics);
    if (!options) return;
    if (options->help) writeStandardOutput(helpText(row.command), diagnostics);
    else row.run(*options, diagnostics);
    return;
  }
  unknownCommand(words[0], diagnostics);
}

/// Where the standard specs lie: beside an installed program, else in the tree it was built from.
std::string specsFolder() {
  std::string program = llvm::sys::fs::getMainExecutable(nullptr, nullptr);
  llvm::SmallString<256> installed(llvm::sys::path::parent_path(program));
  llvm::sys::path::append(installed, "..", "share", "normc", "specs");
  if (llvm::sys::fs::is_directory(installed)) return std::string(installed);
  return NORMC_SPECS_FOLDER;
}

} // namespace

std::string specPath(const std::string &spec) {
  return spec.ends_with(".norm") ? spec : specsFolder() + "/" + spec + ".norm";
}

std::string missingSpec(const std::string &spec) {
  if (spec.ends_with(".norm") || llvm::sys::fs::exists(specPath(spec))) return {};
  std::vector<std::string> names;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator file(specsFolder(), error), end; file != end && !error; file.increment(error))
    if (llvm::StringRef name = llvm::sys::path::filename(file->path()); name.consume_back(".norm"))
      names.push_back(name.str());
  std::string near = nearestName(spec, names);
  return fmt::format("no spec `{}`: {}", spec,
                     near.empty() ? "expected a standard one, or a path that ends in .norm"
                                  : fmt::format("did you mean `{}`", near));
}

std::optional<std::string> readSpec(const std::string &path, Diagnostics &diagnostics) {
  std::optional<FileContents> contents = readFile(path, diagnostics);
  if (!contents) return std::nullopt;
  constexpr size_t most = size_t(4) << 20;
  if (contents->bytes > most) {
    diagnostics.error({path}, fmt::format("the file has {} bytes: a spec has at most {}", contents->bytes, most));
    return std::nullopt;
  }
  return std::string(reinterpret_cast<const char *>(contents->storage.data()), contents->bytes);
}

std::optional<Source> readSource(const Options &options, Diagnostics &diagnostics) {
  std::optional<std::string> text = readSpec(options.file, diagnostics);
  if (!text) return std::nullopt;
  Source source;
  source.path = options.file;
  source.text = std::move(*text);
  source.importPaths = options.importPaths;
  source.importPaths.push_back(specsFolder());
  return source;
}

} // namespace normc::cli

int main(int count, char **words) {
  // A closed pipe is an error of writing like any other.
  std::signal(SIGPIPE, SIG_IGN);
  normc::Diagnostics diagnostics;
  normc::cli::dispatch({words + (count > 0 ? 1 : 0), words + count}, diagnostics);
  std::fputs(diagnostics.format().c_str(), stderr);
  return diagnostics.status();
}
