#ifndef NORMC_COMPILER_PIPELINE_H
#define NORMC_COMPILER_PIPELINE_H
#include "compiler/schedule/Machine.h"
#include "llvm/ADT/ArrayRef.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace normc {

/// A stage between a specialized kernel and vector code: its passes run on the module that holds the kernel.
struct Stage {
  const char *name; // as --emit, --stop-after and --dump-stages call its result
  void (*build)(mlir::OpPassManager &passes, const Machine &machine);
};

/// The stages in order.
llvm::ArrayRef<Stage> pipeline();

/// What a plan goes through whose variants are compiled one by one, each when a call needs it.
void buildOnDemand(mlir::OpPassManager &passes, const Machine &machine);

/// Registers every dialect that a stage reads or writes.
void registerDialects(mlir::DialectRegistry &registry);

} // namespace normc
#endif
