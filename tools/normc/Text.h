#ifndef NORMC_TOOLS_NORMC_TEXT_H
#define NORMC_TOOLS_NORMC_TEXT_H
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace normc::cli {

/// An integer in decimal and nothing else, in 64 bits.
inline std::optional<int64_t> parseInteger(std::string_view text) {
  int64_t value = 0;
  auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A number in decimal: `3`, `-1e-5`, `inf`, `-inf`, `nan`.
inline std::optional<double> parseReal(std::string_view text) {
  // The library also takes "infinity" and "nan(...)", which the language does not.
  std::string_view magnitude = text.starts_with('-') ? text.substr(1) : text;
  if (magnitude.empty() ||
      (magnitude != "inf" && magnitude != "nan" && magnitude[0] != '.' && (magnitude[0] < '0' || magnitude[0] > '9')))
    return std::nullopt;
  double value = 0;
  auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The parts of "a,b,c"; one empty part for the empty text.
inline std::vector<std::string> splitText(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t at = 0;; ++at) {
    size_t end = text.find(separator, at);
    parts.emplace_back(text.substr(at, end == std::string_view::npos ? end : end - at));
    if (end == std::string_view::npos) return parts;
    at = end;
  }
}

/// Letters, digits and '_', not beginning with a digit: what the language calls a name.
inline bool isName(std::string_view text) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !letter(text[0])) return false;
  for (char c : text)
    if (!letter(c) && (c < '0' || c > '9')) return false;
  return true;
}

} // namespace normc::cli
#endif
