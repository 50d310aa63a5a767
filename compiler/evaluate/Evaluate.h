#ifndef NORMC_EVALUATE_EVALUATE_H
#define NORMC_EVALUATE_EVALUATE_H
#include "compiler/Diagnostics.h"
#include "compiler/Extents.h"

namespace norm {
class KernelOp;
}
namespace normc {

/// Executes a specialized kernel in value form, naively: the oracle that compiled code is compared with. Floats are
/// double whatever their type says, until they are stored; integers are 64 bits wide. One replica.
///
/// `arguments` are dense memory in the order of the signature's (a scalar's points at its value), of the shapes in
/// `extents`. Nothing is written before everything is computed, so an output may be the memory of an input. Fails, with
/// an error, on an op that it does not know and where memory runs out.
bool evaluate(norm::KernelOp kernel, const Signature &signature, const Extents &extents,
              const std::vector<void *> &arguments, Diagnostics &diagnostics);

} // namespace normc
#endif
