#ifndef NORMC_COMPILER_TRANSFORMS_INVERTOUTPUT_H
#define NORMC_COMPILER_TRANSFORMS_INVERTOUTPUT_H
#include "compiler/transforms/Adjoint.h"

namespace normc {

/// From the value of an output, which `adjoint` already knows as given, recovers what it was computed from, as far back
/// as each op can be undone: `(x − mean) · rstd` from `y` where gamma and beta are at hand (Rota Bulò et al., In-Place
/// Activated BatchNorm, 2018). False where not even the last op can.
bool invertOutput(mlir::Value value, Adjoint &adjoint, mlir::ImplicitLocOpBuilder &builder);

} // namespace normc
#endif
