#ifndef NORMC_COMPILER_CPU_PASSES_H
#define NORMC_COMPILER_CPU_PASSES_H
#include "mlir/Pass/Pass.h"
#include <memory>

namespace normc {
#define GEN_PASS_DECL
#include "compiler/cpu/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/cpu/Passes.h.inc"
} // namespace normc
#endif
