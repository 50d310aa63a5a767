#ifndef NORMC_COMPILER_EVALUATE_EVALUATE_H
#define NORMC_COMPILER_EVALUATE_EVALUATE_H
#include "compiler/Diagnostics.h"
#include "compiler/Extents.h"
#include <span>

namespace norm {
class KernelOp;
}
namespace normc {

/// Executes a specialized kernel in value form, naively: the oracle that compiled code is compared with. Floats are
/// double whatever their type says, until they are stored; integers are 64 bits wide.
///
/// All replicas of a job go through the kernel together, op by op. Nothing is written before everything is computed, so
/// an output may be the memory of an input. Fails, with an error, on an op that it does not know, where memory runs
/// out, and where replicas disagree on the extents of what is reduced across them.
bool evaluate(norm::KernelOp kernel, const Signature &signature, std::span<const ReplicaArguments> replicas,
              Diagnostics &diagnostics);

} // namespace normc
#endif
