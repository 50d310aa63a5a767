#ifndef NORMC_COMPILER_FRONTEND_FORMAT_H
#define NORMC_COMPILER_FRONTEND_FORMAT_H
#include "dialect/Norm.h"
#include <string>

namespace normc {

/// A kernel in value form as `.norm` text that, compiled by itself, has the same interface and gives the same results.
/// Types and parameters are bound, so that none is left. The axes of every value come from the inputs or from splits.
std::string formatKernel(norm::KernelOp kernel);

} // namespace normc
#endif
