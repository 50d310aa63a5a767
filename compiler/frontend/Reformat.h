#ifndef NORMC_COMPILER_FRONTEND_REFORMAT_H
#define NORMC_COMPILER_FRONTEND_REFORMAT_H
#include "compiler/Diagnostics.h"
#include <optional>
#include <string>

namespace normc {

/// A file's text in canonical layout: indentation, spaces and blank lines are ours; names, comments and where an
/// expression goes on in another line are the author's. It means the same, and is its own canonical layout. Imports are
/// not looked for. Empty with errors where the text does not parse.
std::optional<std::string> reformat(const std::string &path, const std::string &text, Diagnostics &diagnostics);

} // namespace normc
#endif
