#include "compiler/emit/Shared.h"
#include "tools/normc/Commands.h"
#include "tools/normc/OutputFiles.h"
#include "llvm/Support/FileSystem.h"
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <map>

namespace normc::cli {
namespace {

bool isProduct(std::string_view kind) { return kind == "object" || kind == "shared"; }

/// What the file of a stage or product ends in.
std::string_view suffixOf(std::string_view kind) {
  if (kind == "object") return "o";
  if (kind == "shared") return "so";
  if (kind == "ast") return "ast.norm";
  if (kind == "llvm") return "llvm.ll";
  if (kind == "asm") return "asm.s";
  return kind;
}

std::string fileName(const std::string &stem, std::string_view kind) {
  bool dialect = suffixOf(kind) == kind;
  return fmt::format("{}.{}{}", stem, suffixOf(kind), dialect ? ".mlir" : "");
}

class CompileCommand {
public:
  CompileCommand(const Options &options, Diagnostics &diagnostics)
      : options(options), diagnostics(diagnostics), files(diagnostics) {}

  void run() {
    if (!settleKinds() || !checkOutputs()) return;
    std::optional<Source> source = readSource(options, diagnostics);
    if (!source) return;
    std::optional<Artifact> artifact =
        compile(*source, options.selection, options.target, diagnostics,
                [this](std::string_view stage, const auto &text) { return observe(stage, text); });
    if (diagnostics.any()) return;
    if (artifact) makeProducts(*artifact);
    if (diagnostics.any() || !writeDump() || !writeResults()) return;
    files.commit();
  }

private:
  const Options &options;
  Diagnostics &diagnostics;
  OutputFiles files;
  std::vector<std::string> kinds;
  std::string last;                           // the stage to stop after; empty: none
  std::map<std::string, std::string> results; // by kind
  std::vector<std::pair<std::string, std::string>> dump;

  static size_t indexOf(std::string_view stage) {
    const std::vector<std::string> &stages = stageNames();
    return static_cast<size_t>(std::find(stages.begin(), stages.end(), stage) - stages.begin());
  }

  /// What to make, and how far that needs the compiler to go.
  bool settleKinds() {
    kinds = options.emit;
    bool dumping = !options.dumpStages.empty();
    if (kinds.empty() && !options.stopAfter.empty() && !dumping) kinds = {options.stopAfter};
    else if (kinds.empty() && !(dumping && options.output.empty())) kinds = {"object"};
    last = options.stopAfter;
    for (const std::string &kind : kinds) {
      if (isProduct(kind) && !last.empty()) {
        usageError(diagnostics, fmt::format("--stop-after {} stands in the way of --emit {}", last, kind));
        return false;
      }
      if (!isProduct(kind) && !last.empty() && indexOf(kind) > indexOf(last)) {
        usageError(diagnostics, fmt::format("--stop-after {} comes before --emit {}", last, kind));
        return false;
      }
    }
    bool productWanted = std::any_of(kinds.begin(), kinds.end(), isProduct);
    if (last.empty() && !productWanted && !dumping)
      for (const std::string &kind : kinds)
        if (last.empty() || indexOf(kind) > indexOf(last)) last = kind;
    return true;
  }

  bool checkOutputs() {
    for (const std::string &kind : kinds)
      if (isProduct(kind) && (options.output.empty() || options.output == "-")) {
        usageError(diagnostics, fmt::format("--emit {} needs -o OUT: it is not text", kind));
        return false;
      }
    bool good = true;
    if (llvm::sys::fs::exists(options.dumpStages) && !llvm::sys::fs::is_directory(options.dumpStages)) {
      diagnostics.error({options.dumpStages}, "cannot make the directory: there is a file of that name", Fault::system);
      good = false;
    }
    if (!toStandardOutput())
      for (const std::string &kind : kinds) good &= files.check(pathOf(kind));
    return good;
  }

  bool toStandardOutput() const { return options.output.empty() || options.output == "-"; }
  std::string pathOf(const std::string &kind) const {
    return kinds.size() == 1 ? options.output : fileName(options.output, kind);
  }

  bool observe(std::string_view stage, const std::function<std::string()> &text) {
    bool dumped = !options.dumpStages.empty(), wanted = std::find(kinds.begin(), kinds.end(), stage) != kinds.end();
    std::string result = dumped || wanted ? text() : "";
    if (dumped) dump.emplace_back(stage, result);
    if (wanted) results[std::string(stage)] = std::move(result);
    return stage != last;
  }

  void makeProducts(Artifact &artifact) {
    for (const std::string &kind : kinds) {
      if (kind == "object") results[kind] = artifact.objects.front();
      if (kind != "shared") continue;
      if (std::optional<std::string> library = linkShared(artifact.objects.front(), diagnostics))
        results[kind] = std::move(*library);
    }
  }

  bool writeDump() {
    if (options.dumpStages.empty()) return true;
    if (std::error_code error = llvm::sys::fs::create_directories(options.dumpStages)) {
      diagnostics.error({options.dumpStages}, fmt::format("cannot make the directory: {}", error.message()),
                        Fault::system);
      return false;
    }
    for (const auto &[stage, text] : dump)
      if (!files.write(fileName(options.dumpStages + "/" + fmt::format("{}", indexOf(stage) + 1), stage), {text}))
        return false;
    return true;
  }

  bool writeResults() {
    for (const std::string &kind : kinds) {
      auto result = results.find(kind);
      if (result == results.end()) {
        diagnostics.error({options.file}, fmt::format("the compiler did not get to the stage `{}`", kind),
                          Fault::system);
        return false;
      }
      if (!toStandardOutput()) {
        if (!files.write(pathOf(kind), {result->second})) return false;
        continue;
      }
      std::string text = kinds.size() > 1 ? fmt::format("// ----- {} -----\n", kind) : "";
      text += result->second;
      if (!text.ends_with('\n')) text += '\n';
      if (!writeStandardOutput(text, diagnostics)) return false;
    }
    return true;
  }
};

} // namespace

void runCompile(const Options &options, Diagnostics &diagnostics) { CompileCommand(options, diagnostics).run(); }

} // namespace normc::cli
