#include "runtime/CacheKeys.h"
#include "compiler/frontend/Imports.h"

namespace normc::runtime {
namespace {

/// Appends what no other value appends, such that no two lists of values give the same key.
void append(std::string &key, std::string_view text) {
  key += std::to_string(text.size());
  key += ':';
  key += text;
}
void append(std::string &key, const std::string &text) { append(key, std::string_view(text)); }
void append(std::string &key, int64_t number) { append(key, std::string_view(std::to_string(number))); }
void append(std::string &key, ElementType type) { append(key, nameOf(type)); }

template <typename First, typename Second> void append(std::string &key, const std::pair<First, Second> &entry);
template <typename Value> void append(std::string &key, const std::optional<Value> &value);
template <typename List> auto append(std::string &key, const List &list) -> std::void_t<typename List::const_iterator> {
  append(key, static_cast<int64_t>(list.size()));
  for (const auto &entry : list) append(key, entry);
}
template <typename Value> void append(std::string &key, const std::optional<Value> &value) {
  append(key, int64_t(value.has_value()));
  if (value) append(key, *value);
}
template <typename First, typename Second> void append(std::string &key, const std::pair<First, Second> &entry) {
  append(key, entry.first);
  append(key, entry.second);
}

template <typename... Values> void appendAll(std::string &key, const Values &...values) { (append(key, values), ...); }

std::string textsAt(const std::vector<std::string> &paths) {
  std::string texts, text, problem;
  for (const std::string &path : paths)
    append(texts, readText(path, text, problem) ? std::optional<std::string_view>(text) : std::nullopt);
  return texts;
}

} // namespace

std::shared_ptr<const CacheKeys::Imports> CacheKeys::importsOf(const std::string &own, const Source &source) {
  std::shared_ptr<const Imports> before;
  {
    std::lock_guard lock(mutex);
    if (auto found = known.find(own); found != known.end()) before = found->second;
  }
  // A file may change while the program runs.
  if (before && textsAt(before->paths) == before->texts) return before;
  Diagnostics ignored;
  std::unique_ptr<File> file = parseFile(source.path, source.text, source.importPaths, ignored);
  auto imports = std::make_shared<Imports>();
  imports->texts = textsAt(file->lookups);
  imports->paths = std::move(file->lookups);
  std::lock_guard lock(mutex);
  return known[own] = imports;
}

std::string CacheKeys::of(const Source &source, const Selection &selection, std::string_view target) {
  std::string key;
  appendAll(key, source.path, source.text, source.importPaths);
  key += importsOf(key, source)->texts;
  const Selection &s = selection;
  appendAll(key, s.kernel, s.defines, s.sizes, s.ranks, s.orders, s.omit, s.inplace, s.runtimeScalars, s.inputTypes,
            s.inputRanks, s.passed, s.outputs, target);
  return key;
}

} // namespace normc::runtime
