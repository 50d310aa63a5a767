#include "compiler/ElementType.h"
#include <array>

namespace normc {
namespace {
struct Fact {
  std::string_view name;
  int64_t bytes;
  bool floating;
};
/// In the order of the enumeration.
constexpr std::array<Fact, 11> facts = {{{"f64", 8, true},
                                         {"f32", 4, true},
                                         {"f16", 2, true},
                                         {"bf16", 2, true},
                                         {"f8e4m3", 1, true},
                                         {"f8e5m2", 1, true},
                                         {"i8", 1, false},
                                         {"u8", 1, false},
                                         {"i32", 4, false},
                                         {"i64", 8, false},
                                         {"bool", 1, false}}};
const Fact &factOf(ElementType type) { return facts[static_cast<size_t>(type)]; }
} // namespace

std::string_view nameOf(ElementType type) { return factOf(type).name; }
int64_t bytesOf(ElementType type) { return factOf(type).bytes; }
bool isFloating(ElementType type) { return factOf(type).floating; }

std::optional<ElementType> elementTypeNamed(std::string_view name) {
  for (ElementType type : elementTypes())
    if (nameOf(type) == name) return type;
  return std::nullopt;
}

std::vector<ElementType> elementTypes() {
  std::vector<ElementType> types;
  for (size_t i = 0; i < facts.size(); ++i) types.push_back(static_cast<ElementType>(i));
  return types;
}

std::vector<std::string> elementTypeNames() {
  std::vector<std::string> names;
  for (const Fact &fact : facts) names.emplace_back(fact.name);
  return names;
}

std::string listElementTypes() {
  std::string list;
  for (const Fact &fact : facts) list.append(list.empty() ? "" : " ").append(fact.name);
  return list;
}

} // namespace normc
