#include "compiler/Diagnostics.h"
#include <algorithm>
#include <cctype>
#include <map>
#include <tuple>

namespace normc {
namespace {
constexpr size_t mostKept = 1000, mostPrinted = 20, mostNotes = 8;
constexpr size_t mostColumns = 120; // of a quoted line
constexpr unsigned tabStop = 4;

/// The bytes of the UTF-8 character at `at`, 0 where there is none.
size_t characterLength(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(at);
  size_t length = first < 0x80 ? 1 : (first >> 5) == 6 ? 2 : (first >> 4) == 14 ? 3 : (first >> 3) == 30 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) >> 6) != 2) return 0;
  return length;
}

/// Appends a character of the text, fit for a terminal; returns how many bytes it was and the columns it takes.
std::pair<size_t, unsigned> appendShown(std::string &out, std::string_view text, size_t at, unsigned column) {
  if (text[at] == '\t') {
    unsigned width = tabStop - column % tabStop;
    out.append(width, ' ');
    return {1, width};
  }
  size_t length = characterLength(text, at);
  unsigned char first = text[at];
  bool control = first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && (text[at + 1] & 0xe0) == 0x80);
  if (length == 0 || control) out += '?';
  else out.append(text.substr(at, length));
  return {std::max<size_t>(length, 1), 1};
}

std::string shown(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) at += appendShown(out, text, at, 0).first;
  return out;
}

/// The line with the place under a caret, clipped to a window around it.
std::string quoted(std::string_view line, unsigned place) {
  std::vector<std::string> cells; // one a column
  size_t caret = 0;
  bool found = false, cut = false;
  // A line may be as long as a file: nothing far from the caret is looked at.
  constexpr size_t far = 8 * mostColumns;
  if (place > line.size() + 1) place = line.size() + 1;
  if (place > far) {
    line.remove_prefix(place - far / 2);
    place = far / 2;
    cut = true;
  }
  for (size_t at = 0; at < line.size() && (!found || cells.size() < caret + mostColumns);) {
    if (!found && at + 1 >= place) caret = cells.size(), found = true;
    std::string cell;
    auto [bytes, columns] = appendShown(cell, line, at, cells.size() % tabStop);
    if (columns == 1) cells.push_back(cell);
    else cells.insert(cells.end(), columns, " ");
    at += bytes;
  }
  if (!found) caret = cells.size();
  while (!cells.empty() && cells.back() == " " && cells.size() > caret + 1) cells.pop_back();
  size_t begin = 0, end = cells.size();
  if (caret >= mostColumns) begin = caret - mostColumns / 2;
  if (end - begin > mostColumns) end = begin + mostColumns;
  cut |= begin > 0;
  std::string text = cut ? "..." : "", mark(cut ? 3 : 0, ' ');
  for (size_t i = begin; i < end; ++i) text += cells[i];
  if (end < cells.size()) text += "...";
  mark.append(caret - begin, ' ');
  return "  " + text + "\n  " + mark + "^\n";
}

std::string lineOf(std::string_view text, unsigned line) {
  size_t at = 0;
  for (unsigned i = 1; i < line; ++i) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) return "";
    ++at;
  }
  size_t end = std::min(text.find('\n', at), text.size());
  if (end > at && text[end - 1] == '\r') --end;
  return std::string(text.substr(at, end - at));
}

void print(std::string &out, const Place &place, std::string_view what, const std::string &message,
           const std::vector<std::pair<std::string, std::string>> &sources) {
  if (!place.file.empty()) {
    out += shown(place.file) + ":";
    if (place.line) out += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
    out += " ";
  } else if (what == "error") {
    out += "normc: "; // it is in no file
  }
  out.append(what).append(": ").append(shown(message)) += '\n';
  if (!place.line) return;
  for (const auto &[file, text] : sources)
    if (file == place.file) {
      out += quoted(lineOf(text, place.line), place.column);
      return;
    }
}

/// Changes, insertions, deletions and swaps of neighbours that turn one name into the other.
size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), next(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({last[j] + 1, next[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, next);
  }
  return last[b.size()];
}

std::string lowerCase(std::string_view name) {
  std::string out(name);
  for (char &c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}
} // namespace

void Diagnostics::addSource(std::string file, std::string text) {
  for (auto &[known, old] : sources)
    if (known == file) {
      old = std::move(text);
      return;
    }
  sources.emplace_back(std::move(file), std::move(text));
}

Diagnostics::Entry &Diagnostics::error(Place place, std::string message, Fault fault) {
  if (entries.size() >= mostKept) {
    ++dropped;
    repeated = Entry{fault, std::move(place), std::move(message), {}};
    return repeated;
  }
  for (Entry &entry : entries)
    if (entry.place.line == place.line && entry.place.column == place.column && entry.message == message &&
        entry.place.file == place.file) {
      repeated = entry;
      return repeated; // notes were given the first time
    }
  return entries.emplace_back(Entry{fault, std::move(place), std::move(message), {}});
}

void Diagnostics::append(const Diagnostics &other) {
  for (const auto &[file, text] : other.sources) addSource(file, text);
  for (const Entry &entry : other.entries) error(entry.place, entry.message, entry.fault).notes = entry.notes;
  dropped += other.dropped;
}

int Diagnostics::status() const { return entries.empty() ? 0 : static_cast<int>(entries.front().fault); }

std::string Diagnostics::format() const {
  std::string out;
  std::vector<const Entry *> sorted;
  for (const Entry &entry : entries) sorted.push_back(&entry);
  // In the order of the text, within the file that is at fault first: stages find errors in their own order.
  std::map<std::string_view, size_t> files;
  for (const Entry &entry : entries) files.emplace(entry.place.file, files.size());
  std::sort(sorted.begin(), sorted.end(), [&](const Entry *a, const Entry *b) {
    return std::tuple(files[a->place.file], a->place.line, a->place.column, a) <
           std::tuple(files[b->place.file], b->place.line, b->place.column, b);
  });
  for (size_t i = 0; i < sorted.size() && i < mostPrinted; ++i) {
    print(out, sorted[i]->place, "error", sorted[i]->message, sources);
    for (size_t j = 0; j < sorted[i]->notes.size() && j < mostNotes; ++j)
      print(out, sorted[i]->notes[j].first, "note", sorted[i]->notes[j].second, sources);
  }
  if (size_t more = entries.size() + dropped; more > mostPrinted)
    out += "and " + std::to_string(more - mostPrinted) + " more errors\n";
  return out;
}

std::string nearestName(std::string_view name, const std::vector<std::string> &candidates) {
  std::string best, lower = lowerCase(name);
  size_t bestScore = ~size_t(0), tried = 0;
  for (const std::string &candidate : candidates) {
    if (++tried > 2000) break; // a machine's text, not a person's
    size_t longer = std::max(name.size(), candidate.size()), shorter = std::min(name.size(), candidate.size());
    if (candidate.empty() || candidate == name || longer > 64 || (longer - shorter) * 3 > longer) continue;
    // A difference in case alone is nearer than any other.
    std::string other = lowerCase(candidate);
    size_t distance = lower == other ? 0 : editDistance(lower, other);
    if (distance * 3 <= longer && distance < bestScore) bestScore = distance, best = candidate;
  }
  return best;
}

} // namespace normc
