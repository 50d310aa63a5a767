#include "compiler/frontend/Imports.h"
#include "compiler/frontend/Resolve.h"
#include "tools/normc/Commands.h"
#include "tools/normc/OutputFiles.h"

namespace normc::cli {

void runCheck(const Options &options, Diagnostics &diagnostics) {
  std::optional<Source> source = readSource(options, diagnostics);
  if (!source) return;
  std::unique_ptr<normc::File> file = parseFile(source->path, source->text, source->importPaths, diagnostics);
  normc::check(*file, diagnostics);
  if (diagnostics.any()) return;
  std::string text;
  for (const std::string &signature : signatures(*file)) text += signature + "\n";
  writeStandardOutput(text, diagnostics);
}

} // namespace normc::cli
