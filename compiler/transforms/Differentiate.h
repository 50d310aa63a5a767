#ifndef NORMC_COMPILER_TRANSFORMS_DIFFERENTIATE_H
#define NORMC_COMPILER_TRANSFORMS_DIFFERENTIATE_H
#include "dialect/Norm.h"

namespace normc {

/// Puts the derived kernel in the place of a `norm.gradient` and of the kernel it derives (the pass norm-differentiate
/// says what that is). Null after an error, which is emitted at the place in the text.
norm::KernelOp differentiate(norm::GradientOp gradient);

} // namespace normc
#endif
