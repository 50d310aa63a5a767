#include "tools/normc/Commands.h"
#include "tools/normc/OutputFiles.h"

namespace normc::cli {

void runExplain(const Options &options, Diagnostics &diagnostics) {
  std::optional<Source> source = readSource(options, diagnostics);
  if (!source) return;
  std::optional<std::string> text = explain(*source, options.selection, options.target, diagnostics);
  if (text) writeStandardOutput(*text, diagnostics);
}

} // namespace normc::cli
