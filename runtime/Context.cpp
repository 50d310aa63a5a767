#include "runtime/Context.h"
#include "compiler/frontend/Imports.h"
#include "compiler/schedule/Machine.h"

namespace normc::runtime {
namespace {

/// Appends a text so that no two lists of texts give the same key.
void append(std::string &key, std::string_view text) {
  key += std::to_string(text.size());
  key += ':';
  key += text;
}
void append(std::string &key, int64_t number) { append(key, std::string_view(std::to_string(number))); }
void append(std::string &key, ElementType type) { append(key, nameOf(type)); }

template <typename Key, typename Value> void append(std::string &key, const std::pair<Key, Value> &entry);
template <typename List>
auto append(std::string &key, const List &list)
    -> decltype(list.begin(), list.empty(), std::void_t<typename List::key_type>()) {
  append(key, static_cast<int64_t>(list.size()));
  for (const auto &entry : list) append(key, entry);
}
template <typename Value> void append(std::string &key, const std::vector<Value> &list) {
  append(key, static_cast<int64_t>(list.size()));
  for (const Value &entry : list) append(key, entry);
}
template <typename Value> void append(std::string &key, const std::optional<Value> &value) {
  append(key, int64_t(value.has_value()));
  if (value) append(key, *value);
}
template <typename Key, typename Value> void append(std::string &key, const std::pair<Key, Value> &entry) {
  append(key, entry.first);
  append(key, entry.second);
}

std::string hostName() {
  const Machine *host = hostMachine();
  return host ? host->name : "below all of them";
}

} // namespace

std::string cacheKey(const Source &source, const Selection &selection, std::string_view target) {
  std::string key;
  // The texts, imported ones included: a file may change while the program runs.
  Diagnostics ignored;
  std::unique_ptr<File> file = parseFile(source.path, source.text, source.importPaths, ignored);
  for (const std::unique_ptr<Unit> &unit : file->units) {
    append(key, unit->source.path);
    append(key, unit->source.text);
  }
  append(key, selection.kernel);
  append(key, selection.defines);
  append(key, selection.sizes);
  append(key, selection.ranks);
  append(key, selection.orders);
  append(key, selection.omit);
  append(key, selection.inplace);
  append(key, selection.runtimeScalars);
  append(key, selection.inputTypes);
  append(key, selection.inputRanks);
  append(key, selection.passed);
  append(key, selection.outputs);
  append(key, target);
  return key;
}

std::shared_ptr<const Kernel> Context::kernel(const Source &source, const Selection &selection,
                                              Diagnostics &diagnostics) {
  return cache.find(
      cacheKey(source, selection, target),
      [&](Diagnostics &errors) -> std::shared_ptr<const Kernel> {
        for (const Machine &machine : parseTargets(target, errors))
          if (!runsHere(machine))
            errors.error({}, "target '" + target + "' does not run here: this machine's level is " + hostName(),
                         Fault::usage);
        if (errors.any()) return nullptr;
        std::unique_ptr<Plan> plan = Plan::prepare(source, selection, target, errors);
        return plan ? Kernel::of(std::move(plan), selection.inplace) : nullptr;
      },
      diagnostics);
}

} // namespace normc::runtime
