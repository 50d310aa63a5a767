#ifndef NORMC_COMPILER_SCHEDULE_PHASES_H
#define NORMC_COMPILER_SCHEDULE_PHASES_H
#include "compiler/schedule/Structure.h"
#include <vector>

namespace normc {

/// What one phase of a plan computes.
struct Phase {
  Axes block; // a block for each point of them
  Axes rows;  // swept one after another inside a block, around everything else
  Axes swept; // what the passes inside may sweep
  llvm::SmallVector<mlir::Operation *> reductions;
  llvm::SmallVector<unsigned> outputs; // numbers of the kernel's results
  llvm::SmallVector<mlir::Value> kept; // stored to workspace for later phases
  unsigned round = 0;                  // replicas exchange what they have between the rounds

  /// A reduction whose result is complete only when all rows of the block are done.
  bool isColumn(mlir::Operation *reduction) const;
};

/// Cuts a kernel in value form where replicas gather: what a replica gives becomes a result (`norm.exchanged`, with the
/// number of the argument it is gathered in), what it gets an argument (`norm.gathered`, with the round from which on
/// it is there), the last ones of the kernel.
void cutAtGathers(norm::KernelOp kernel);

/// Decides which phases a kernel in value form has, what each computes, and what is kept between them: the heuristics
/// of the plan. Rewrites reductions across the blocks of a phase into chunks; adds chunk axes to the kernel's table.
/// Fails, with an error, where no phase would complete a reduction.
mlir::FailureOr<std::vector<Phase>> choosePhases(norm::KernelOp kernel);

/// The axes that a set of bound axes stands for: chunks for what they divide.
Axes wholesOf(norm::KernelOp kernel, llvm::ArrayRef<mlir::StringAttr> axes);

/// Whether a cast is the load of an argument: it brings what memory holds to the type of arithmetic. From an argument
/// that arithmetic takes as it is (f64, f32 beside no f64, i64, bool), it is a store instead.
bool isLoad(norm::CastOp cast);

/// What a result's operand of the return is before it is rounded to the storage type.
mlir::Value beforeStore(mlir::Value returned);

/// What is stored for a value that others need: of a comparison with a constant, what is compared, which they need too.
mlir::Value storedFor(mlir::Value value);

/// Whether something holds of an operation that a value is made of, without a reduction (or a value that `stops`) in
/// between. Each is looked at once, however often it is used.
bool anyBelow(
    mlir::Value value, llvm::function_ref<bool(mlir::Operation *)> holds,
    llvm::function_ref<bool(mlir::Value)> stops = [](mlir::Value) { return false; });

/// Values that are better computed once, into an array, than at each point of a sweep that runs in this order: the
/// inputs of broadcasts that range over the lanes, but over less than the sweep, and are dear to compute, or that know
/// only one of two factors that the lanes run over together.
struct ArrayValue {
  mlir::Value value;
  Axes axes; // to be stored over: its own, and the other factor
};
llvm::SmallVector<ArrayValue> arrayValuesOf(Structure &structure, llvm::ArrayRef<mlir::Value> roots,
                                            llvm::ArrayRef<mlir::StringAttr> order,
                                            llvm::ArrayRef<mlir::StringAttr> bound,
                                            llvm::function_ref<bool(mlir::Value)> isStored);

} // namespace normc
#endif
