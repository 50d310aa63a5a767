#ifndef NORMC_COMPILER_DIAGNOSTICS_H
#define NORMC_COMPILER_DIAGNOSTICS_H
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace normc {

/// A place in a source file. `line` and `column` count from 1; line 0 is the file (or command line) as a whole.
struct Place {
  std::string file;
  unsigned line = 0, column = 0;
};

/// The fault of the text or the data (exit status 1), of the command line (2), or of the device or system (3).
enum class Fault : uint8_t { spec = 1, usage = 2, system = 3 };

/// Collects what is wrong, in order; prints `file:line:col: error: message`, the quoted line and a caret.
/// Messages are lower case without a full stop: found versus expected, and the fix. What is quoted, of a text or of a
/// command line, stands in backticks.
class Diagnostics {
public:
  struct Entry {
    Fault fault = Fault::spec;
    Place place;
    std::string message;
    std::vector<std::pair<Place, std::string>> notes;
  };
  /// Gives the text of a file for quoting; kept for the life of this object.
  void addSource(std::string file, std::string text);
  /// The returned entry is valid until the next error; add notes to it. The same error at the same place is kept once.
  Entry &error(Place place, std::string message, Fault fault = Fault::spec);
  /// Everything that is wrong by another's account, and its sources.
  void append(const Diagnostics &other);
  bool any() const { return !entries.empty(); }
  size_t count() const { return entries.size() + dropped; }
  const std::vector<Entry> &all() const { return entries; }
  /// The exit status: that of the first entry, 0 where there is none.
  int status() const;
  /// All of them as text, in the order of the places in each file; at most 20 errors, then how many more there are.
  std::string format() const;

private:
  std::vector<std::pair<std::string, std::string>> sources;
  std::vector<Entry> entries;
  size_t dropped = 0; // errors beyond the thousand that are kept
  Entry repeated;     // one that is not kept
};

/// The candidate nearest to a misspelt name, empty where none is near (distance over a third of the length).
std::string nearestName(std::string_view name, const std::vector<std::string> &candidates);

} // namespace normc
#endif
