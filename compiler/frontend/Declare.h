#ifndef NORMC_COMPILER_FRONTEND_DECLARE_H
#define NORMC_COMPILER_FRONTEND_DECLARE_H
#include "compiler/frontend/Ast.h"
#include <set>

namespace normc {

/// The names of the functions an expression calls.
void collectCalls(const Expr &expr, std::set<std::string> &calls);

/// Makes visible in a unit what it imports and declares, and reports names declared twice, fns that redefine a built-in
/// or an imported one, and fns that call themselves (which are marked). The imports are declared already.
void declare(Unit &unit, Diagnostics &diagnostics);

} // namespace normc
#endif
