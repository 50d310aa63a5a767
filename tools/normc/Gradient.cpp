#include "tools/normc/Commands.h"
#include "tools/normc/OutputFiles.h"

namespace normc::cli {

void runGradient(const Options &options, Diagnostics &diagnostics) {
  std::optional<Source> source = readSource(options, diagnostics);
  if (!source) return;
  std::optional<std::string> text = gradientText(*source, options.selection, diagnostics);
  if (text) writeStandardOutput(*text, diagnostics);
}

} // namespace normc::cli
