#ifndef NORMC_COMPILER_SCHEDULE_TUNING_H
#define NORMC_COMPILER_SCHEDULE_TUNING_H
#include "compiler/schedule/Machine.h"
#include <functional>
#include <string>

namespace normc {

/// Where `normc tune` keeps what it found, a line a plan: `0123456789abcdef stream=0/l1=32768`. In $NORMC_CACHE_DIR,
/// else $XDG_CACHE_HOME/normc, else ~/.cache/normc. Empty where there is no such place.
std::string tuningFile();

/// What a plan and a machine are known by in that file. The plan is the text of the planned stage, of one variant where
/// variants are compiled one by one: it holds all that shapes the code but the facts that are tuned.
std::string tuningKey(std::string_view plan, const Machine &machine);

/// Sets the facts of a measured machine to what was found for a plan, if anything was. `plan` is asked for its text
/// only where there is a file.
void applyTuning(const std::function<std::string()> &plan, Machine &machine);

} // namespace normc
#endif
