#ifndef NORMC_COMPILER_TRANSFORMS_REPLICAS_H
#define NORMC_COMPILER_TRANSFORMS_REPLICAS_H
#include "dialect/Norm.h"

namespace normc {

/// The axis of the replicas of a job: the last leaf of a kernel's table, added where it is first asked for.
mlir::StringAttr replicaAxis(norm::KernelOp kernel);

/// What a value is on each replica, over that axis.
mlir::Value gatherReplicas(mlir::OpBuilder &builder, mlir::Value value);

} // namespace normc
#endif
