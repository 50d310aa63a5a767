#include "compiler/frontend/Reformat.h"
#include "tools/normc/Commands.h"
#include "tools/normc/OutputFiles.h"

namespace normc::cli {

/// One file after the other: what is wrong with one keeps no other from its layout.
void runFormat(const Options &options, Diagnostics &diagnostics) {
  for (const std::string &path : options.files) {
    Diagnostics errors;
    std::optional<std::string> before = readSpec(path, errors);
    std::optional<std::string> after = before ? reformat(path, *before, errors) : std::nullopt;
    if (after && *after != *before) {
      OutputFiles file(errors);
      if (options.check) errors.error({path}, "not in canonical layout: normc fmt lays it out");
      else if (file.check(path) && file.write(path, {*after})) file.commit();
    }
    diagnostics.append(errors);
  }
}

} // namespace normc::cli
