#include "tools/normc/NpyHeader.h"
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace normc::cli {
namespace {

/// What NumPy calls the elements, behind their byte order.
struct NpyElement {
  std::string_view kind;
  std::optional<ElementType> type; // empty: either f8
  bool hasByteOrder() const { return type && bytesOf(*type) > 1 && kind != "V2"; }
};
constexpr NpyElement npyElements[] = {
    {"f8", ElementType::f64}, {"f4", ElementType::f32}, {"f2", ElementType::f16},     {"V2", ElementType::bf16},
    {"V1", std::nullopt},     {"f1", std::nullopt},     {"i1", ElementType::i8},      {"u1", ElementType::u8},
    {"i4", ElementType::i32}, {"i8", ElementType::i64}, {"b1", ElementType::boolean},
};

/// Reads the Python literal that the head is: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class HeaderParser {
public:
  HeaderParser(std::string_view text, NpyHeader &header, std::string &error)
      : text(text), header(header), error(error) {}

  bool parse() {
    if (!expect('{')) return false;
    bool descr = false, order = false, shape = false;
    for (skipSpace(); !take('}'); skipSpace()) {
      std::optional<std::string_view> key = string();
      if (!key) return fail("expected a key in quotes or `}`");
      bool *seen = *key == "descr" ? &descr : *key == "fortran_order" ? &order : *key == "shape" ? &shape : nullptr;
      if (!seen) return fail(fmt::format("unknown key `{}`", printable(*key)));
      if (*seen) return fail(fmt::format("`{}` stands twice", *key));
      *seen = true;
      if (!expect(':')) return false;
      if (!(seen == &descr ? parseDescr() : seen == &order ? parseOrder() : parseShape())) return false;
      skipSpace();
      if (take(',')) continue;
      if (!expect('}')) return false;
      break;
    }
    skipSpace();
    if (at != text.size()) return fail("text after the closing `}`");
    if (!descr) return fail("no `descr`");
    if (!order) return fail("no `fortran_order`");
    if (!shape) return fail("no `shape`");
    return true;
  }

private:
  std::string_view text;
  NpyHeader &header;
  std::string &error;
  size_t at = 0;

  bool fail(std::string message) {
    if (error.empty()) error = fmt::format("malformed header: {}", message);
    return false;
  }
  static std::string printable(std::string_view text) {
    std::string result;
    for (char c : text.substr(0, 40)) result += c >= 32 && c < 127 ? c : '?';
    if (text.size() > 40) result += "...";
    return result;
  }
  void skipSpace() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r')) ++at;
  }
  bool take(char c) {
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  }
  bool expect(char c) {
    skipSpace();
    if (take(c)) return true;
    return fail(at < text.size() ? fmt::format("expected `{}`, found `{}`", c, printable(text.substr(at, 1)))
                                 : fmt::format("expected `{}`, found its end", c));
  }
  std::optional<std::string_view> string() {
    skipSpace();
    if (at >= text.size() || (text[at] != '\'' && text[at] != '"')) return std::nullopt;
    char quote = text[at];
    size_t end = text.find(quote, at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view result = text.substr(at + 1, end - at - 1);
    at = end + 1;
    return result;
  }

  bool unsupported(std::string_view descr, std::string_view what) {
    error = fmt::format("elements `{}` are {}: normc takes {}", printable(descr), what, listElementTypes());
    return false;
  }

  bool parseDescr() {
    skipSpace();
    if (at < text.size() && (text[at] == '[' || text[at] == '(')) {
      error = "its elements are structured: normc takes arrays of plain numbers";
      return false;
    }
    std::optional<std::string_view> descr = string();
    if (!descr) return fail("`descr` is not a string");
    std::string_view kind = *descr;
    char order = '|';
    if (!kind.empty() && (kind[0] == '<' || kind[0] == '>' || kind[0] == '|' || kind[0] == '=')) {
      order = kind[0];
      kind.remove_prefix(1);
    }
    for (const NpyElement &known : npyElements) {
      if (known.kind != kind) continue;
      header.type = known.type;
      if (order == '|' && known.hasByteOrder()) return fail(fmt::format("`{}` has no byte order", *descr));
      header.bigEndian = order == '>';
      return true;
    }
    if (kind == "O") return unsupported(*descr, "Python objects");
    switch (kind.empty() ? ' ' : kind[0]) {
    case 'S':
    case 'a':
    case 'U':
      return unsupported(*descr, "text");
    case 'c':
      return unsupported(*descr, "complex numbers");
    case 'M':
    case 'm':
      return unsupported(*descr, "dates or times");
    case 'V':
      return unsupported(*descr, "raw bytes");
    case 'f':
    case 'i':
    case 'u':
    case 'b':
      return unsupported(*descr, "of a type that normc does not have");
    default:
      return fail(fmt::format("`descr` is `{}`, which is no element type", printable(*descr)));
    }
  }

  bool parseOrder() {
    skipSpace();
    for (std::string_view word : {std::string_view("False"), std::string_view("True")})
      if (text.substr(at).starts_with(word)) {
        header.fortranOrder = word == "True";
        at += word.size();
        return true;
      }
    return fail("`fortran_order` is neither True nor False");
  }

  bool parseShape() {
    skipSpace();
    if (!take('(')) return fail("`shape` is not a tuple");
    bool comma = true;
    for (skipSpace(); !take(')'); skipSpace()) {
      if (!comma) return fail("expected `,` or `)` in `shape`");
      int64_t extent = 0;
      const char *begin = text.data() + at, *end = text.data() + text.size();
      auto [stop, status] = std::from_chars(begin, end, extent);
      if (status == std::errc::result_out_of_range) return fail("an extent in `shape` does not fit in 64 bits");
      if (status != std::errc()) return fail("an extent in `shape` is not an integer");
      if (extent < 0) return fail(fmt::format("extent {} in `shape` is negative", extent));
      at += static_cast<size_t>(stop - begin);
      take('L'); // written by Python 2
      header.shape.push_back(extent);
      if (header.shape.size() > 64) return fail("`shape` has more than 64 dimensions");
      skipSpace();
      comma = take(',');
    }
    // (3) is a number in Python, and (,) is nothing.
    if (header.shape.size() == 1 && !comma) return fail("`shape` is a number in parentheses, not a tuple");
    return true;
  }
};

} // namespace

std::optional<NpyHeader> parseNpyHeader(std::string_view file, std::string &error) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (file.empty()) return error = "the file is empty", std::nullopt;
  if (!file.starts_with(magic)) return error = "not a .npy file: it does not begin with \\x93NUMPY", std::nullopt;
  if (file.size() < 8) return error = "truncated: the file ends in the version", std::nullopt;
  unsigned major = static_cast<uint8_t>(file[6]), minor = static_cast<uint8_t>(file[7]);
  if (major < 1 || major > 3 || minor != 0) {
    error = fmt::format("version {}.{} of the format: normc reads 1.0, 2.0 and 3.0", major, minor);
    return std::nullopt;
  }
  size_t start = major == 1 ? 10 : 12;
  if (file.size() < start) return error = "truncated: the file ends in the header's length", std::nullopt;
  size_t length = 0;
  for (size_t i = start; i-- > 8;) length = length << 8 | static_cast<uint8_t>(file[i]);
  if (length > file.size() - start) {
    error = fmt::format("truncated: the header says it is {} bytes long, and {} are left", length, file.size() - start);
    return std::nullopt;
  }
  NpyHeader header;
  header.dataOffset = start + length;
  HeaderParser parser(file.substr(start, length), header, error);
  if (!parser.parse()) return std::nullopt;
  return header;
}

std::string npyHeader(ElementType type, const std::vector<int64_t> &shape) {
  std::optional<ElementType> written = type;
  if (type == ElementType::f8e4m3 || type == ElementType::f8e5m2) written.reset();
  const auto *element = std::find_if(std::begin(npyElements), std::end(npyElements),
                                     [&](const NpyElement &known) { return known.type == written; });
  char order = element->hasByteOrder() ? '<' : '|';
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}", order, element->kind,
                                 fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // The magic, the version and the length are 10 bytes; the newline ends at a multiple of 64.
  size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
  text.resize(total - 11, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 255);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

} // namespace normc::cli
