#ifndef NORMC_COMPILER_SCHEDULE_EXPLAIN_H
#define NORMC_COMPILER_SCHEDULE_EXPLAIN_H
#include "compiler/schedule/Machine.h"
#include "dialect/Norm.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace normc {

/// The plans of a module as text for people: axes, the variants and when they apply, phases and their blocks, passes
/// with their lanes and vector width, and the bytes that move, counted by walking the plan. Numbers where all extents
/// are fixed (--size), else products of extents. `memoryBytes` takes their sum where it is a number.
std::string explainPlan(mlir::ModuleOp module, const Machine &machine, std::optional<int64_t> &memoryBytes);

} // namespace normc
#endif
