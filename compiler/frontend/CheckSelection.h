#ifndef NORMC_COMPILER_FRONTEND_CHECKSELECTION_H
#define NORMC_COMPILER_FRONTEND_CHECKSELECTION_H
#include "compiler/frontend/Bindings.h"

namespace normc {

/// Checks the names in a selection against a kernel's interface (faults of the command line), and the types and ranks
/// of what is passed against its declarations (faults of the data). `axes` are all names of axes, without dots.
bool checkSelection(const Interface &interface, const Bindings &bindings, const std::vector<std::string> &axes,
                    const Selection &selection, Diagnostics &diagnostics);

} // namespace normc
#endif
