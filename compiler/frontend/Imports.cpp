#include "compiler/frontend/Imports.h"
#include "compiler/frontend/Builtins.h"
#include "compiler/frontend/Declare.h"
#include "compiler/frontend/Parser.h"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace normc {
namespace {
namespace fs = std::filesystem;
constexpr size_t longestText = size_t(4) << 20;
constexpr size_t deepestImports = 100, mostFiles = 1000;

std::string canonical(const std::string &path) {
  std::error_code failure;
  fs::path result = fs::weakly_canonical(path, failure);
  return failure ? path : result.string();
}

class Loader {
public:
  Loader(File &file, const std::vector<std::string> &importPaths, Diagnostics &diagnostics)
      : file(file), importPaths(importPaths), diagnostics(diagnostics) {}

  const Unit *load(std::string path, std::string text) {
    diagnostics.addSource(path, text);
    std::string key = canonical(path);
    auto unit = std::make_unique<Unit>();
    unit->source = {std::move(path), std::move(text)};
    if (unit->source.text.size() > longestText) {
      diagnostics.error({unit->source.path, 0, 0}, "the file is longer than 4 MiB");
      unit->source.text.clear();
      unit->wellFormed = false;
    }
    size_t before = diagnostics.count();
    parse(*unit, diagnostics);
    unit->wellFormed &= diagnostics.count() == before;
    open.emplace_back(key, unit.get());
    for (Declaration &declaration : unit->declarations)
      if (auto *import = std::get_if<Import>(&declaration)) resolve(*import, *unit);
    open.pop_back();
    declare(*unit, diagnostics);
    loaded[key] = unit.get();
    return file.units.emplace_back(std::move(unit)).get();
  }

  /// Where a parameter of kind fn is looked up last.
  void loadActivations() {
    for (auto folder = importPaths.rbegin(); folder != importPaths.rend(); ++folder) {
      fs::path candidate = fs::path(*folder) / "activations.norm";
      if (!isFile(candidate)) continue;
      if (auto known = loaded.find(canonical(candidate.string())); known != loaded.end()) {
        file.activations = known->second;
        return;
      }
      std::string text, problem;
      if (readText(candidate.string(), text, problem)) file.activations = load(candidate.string(), std::move(text));
      return;
    }
  }

private:
  void resolve(Import &import, Unit &from) {
    fs::path path = find(import.path, from);
    if (path.empty()) {
      auto &entry = diagnostics.error(import.spot.place(), "cannot find the import `" + import.path + "`");
      std::string looked = "looked beside this file";
      for (const std::string &folder : importPaths) looked += ", in " + folder;
      entry.notes.emplace_back(Place{}, looked);
      from.wellFormed = false;
      return;
    }
    std::string key = canonical(path.string());
    auto cycle = std::find_if(open.begin(), open.end(), [&](const auto &entry) { return entry.first == key; });
    if (cycle != open.end()) {
      std::string names;
      for (auto step = cycle; step != open.end(); ++step) names += step->second->source.path + " imports ";
      diagnostics.error(import.spot.place(), "import cycle: " + names + cycle->second->source.path);
      from.wellFormed = false;
      return;
    }
    if (auto known = loaded.find(key); known != loaded.end()) {
      import.unit = known->second;
    } else if (open.size() >= deepestImports || file.units.size() >= mostFiles) {
      diagnostics.error(import.spot.place(), "too many imports: at most " + std::to_string(deepestImports) +
                                                 " deep and " + std::to_string(mostFiles) + " in all");
    } else {
      std::string text, problem;
      if (!readText(path.string(), text, problem))
        diagnostics.error(import.spot.place(), "cannot read the import " + path.string() + ": " + problem);
      else import.unit = load(path.string(), std::move(text));
    }
    from.wellFormed &= import.unit && import.unit->wellFormed;
  }

  bool isFile(const fs::path &path) {
    file.lookups.push_back(path.string());
    std::error_code failure;
    return fs::is_regular_file(path, failure);
  }

  fs::path find(const std::string &name, const Unit &from) {
    if (name.empty()) return {};
    if (fs::path beside = fs::path(from.source.path).parent_path() / name; isFile(beside)) return beside;
    for (const std::string &folder : importPaths)
      if (fs::path candidate = fs::path(folder) / name; isFile(candidate)) return candidate;
    return {};
  }

  File &file;
  const std::vector<std::string> &importPaths;
  Diagnostics &diagnostics;
  std::vector<std::pair<std::string, const Unit *>> open; // from the main file to the one being read
  std::map<std::string, const Unit *> loaded;             // by canonical path
};

/// A parameter of kind fn may name one of the installed activations, and so may a call that lacks its import: the
/// diagnostic then says so.
bool needsActivations(const Unit &unit) {
  std::set<std::string> calls;
  for (const auto &[name, kernel] : unit.kernels) {
    for (const Parameter &parameter : kernel->parameters)
      if (parameter.kind == ParameterKind::function) return true;
    for (const Statement &statement : kernel->statements) {
      if (auto *let = std::get_if<Let>(&statement.what)) collectCalls(let->value, calls);
      if (auto *assign = std::get_if<Assign>(&statement.what)) collectCalls(assign->value, calls);
    }
  }
  for (const auto &[name, function] : unit.functions) collectCalls(function->body, calls);
  return std::any_of(calls.begin(), calls.end(),
                     [&](const std::string &name) { return !builtinNamed(name) && !unit.functions.count(name); });
}
} // namespace

bool readText(const std::string &path, std::string &text, std::string &problem) {
  std::error_code failure;
  if (!fs::exists(path, failure)) return problem = "no such file", false;
  if (!fs::is_regular_file(path, failure)) return problem = "not a regular file", false;
  if (fs::file_size(path, failure) > longestText) return problem = "longer than 4 MiB", false;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream all;
  if (!stream || !(all << stream.rdbuf())) {
    // An empty file sets the stream's fail bit too.
    if (stream.is_open() && fs::file_size(path, failure) == 0 && !failure) return text.clear(), true;
    return problem = "not readable", false;
  }
  text = all.str();
  return true;
}

std::unique_ptr<File> parseFile(std::string path, std::string text, const std::vector<std::string> &importPaths,
                                Diagnostics &diagnostics) {
  auto file = std::make_unique<File>();
  Loader loader(*file, importPaths, diagnostics);
  file->main = loader.load(std::move(path), std::move(text));
  if (needsActivations(*file->main)) loader.loadActivations();
  return file;
}

const Function *findFunction(const File &file, const Unit &unit, std::string_view name) {
  if (auto found = unit.functions.find(name); found != unit.functions.end()) return found->second;
  if (!file.activations) return nullptr;
  auto found = file.activations->functions.find(name);
  return found == file.activations->functions.end() ? nullptr : found->second;
}

} // namespace normc
