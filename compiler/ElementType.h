#ifndef NORMC_COMPILER_ELEMENTTYPE_H
#define NORMC_COMPILER_ELEMENTTYPE_H
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace normc {

/// What memory holds. The compute type is another matter: f64 where any floating input of a kernel is f64, else f32.
enum class ElementType : uint8_t { f64, f32, f16, bf16, f8e4m3, f8e5m2, i8, u8, i32, i64, boolean };

/// "f32", "bf16", "f8e4m3", "bool", ...: as `.norm` text spells them.
std::string_view nameOf(ElementType type);
std::optional<ElementType> elementTypeNamed(std::string_view name);
/// All of them, in the order of the enumeration; their names; for messages, "f64 f32 ... bool".
std::vector<ElementType> elementTypes();
std::vector<std::string> elementTypeNames();
std::string listElementTypes();
/// Bytes of one element in memory; a bool is one byte.
int64_t bytesOf(ElementType type);
bool isFloating(ElementType type);

} // namespace normc
#endif
