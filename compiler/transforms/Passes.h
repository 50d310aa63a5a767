#ifndef NORMC_COMPILER_TRANSFORMS_PASSES_H
#define NORMC_COMPILER_TRANSFORMS_PASSES_H
#include "mlir/Pass/Pass.h"

namespace norm {
class KernelOp;
}
namespace normc {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/transforms/Passes.h.inc"
} // namespace normc
#endif
