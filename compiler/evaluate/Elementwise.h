#ifndef NORMC_COMPILER_EVALUATE_ELEMENTWISE_H
#define NORMC_COMPILER_EVALUATE_ELEMENTWISE_H
#include "compiler/evaluate/Storage.h"

namespace mlir {
class Operation;
}
namespace normc {

/// One point of an elementwise op; operands that it does not have are ignored.
using PointFunction = Cell (*)(Cell, Cell, Cell);

/// What an upstream elementwise op computes; null for one that is not known.
PointFunction pointFunctionOf(mlir::Operation *op);

} // namespace normc
#endif
