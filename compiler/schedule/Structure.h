#ifndef NORMC_COMPILER_SCHEDULE_STRUCTURE_H
#define NORMC_COMPILER_SCHEDULE_STRUCTURE_H
#include "dialect/Norm.h"
#include "llvm/ADT/SetVector.h"
#include <unordered_map>

namespace normc {

using Axes = llvm::SmallVector<mlir::StringAttr>;

/// Lanes of a block where a reduction keeps nothing outside of them: rows in pieces that memory likes, few enough that
/// their statistics stay in the first cache.
constexpr int64_t laneTile = 512;

/// Rows of a tile of what lies the other way round, which are turned over together.
constexpr int64_t turnedRows = 64;

bool contains(llvm::ArrayRef<mlir::StringAttr> axes, mlir::StringAttr axis);
/// The axes of `all` that are not in `some`, in order.
Axes without(llvm::ArrayRef<mlir::StringAttr> all, llvm::ArrayRef<mlir::StringAttr> some);

/// How a kernel in value form depends on its reductions (norm.reduce, norm.moments). Valid while the kernel is not
/// changed.
class Structure {
public:
  explicit Structure(norm::KernelOp kernel);

  norm::KernelOp kernel;
  llvm::SmallVector<mlir::Operation *> reductions; // in order

  /// The reductions a value depends on directly: without another one in between.
  const llvm::SetVector<mlir::Operation *> &nearest(mlir::Value value);
  /// The arguments a value reads at a point of its own, without a reduction in between.
  const llvm::SetVector<mlir::Value> &reads(mlir::Value value);

  /// How often replicas have exchanged what they have before a value can be computed (see cutAtGathers).
  unsigned roundOf(mlir::Value value) { return rounds.lookup(value); }

  /// The axes in the order of memory of the list among `memories` that has the most of them; others stand before.
  /// Chunks stand before what they divide.
  Axes inMemoryOrder(llvm::ArrayRef<mlir::StringAttr> axes, llvm::ArrayRef<Axes> memories);
  /// How the memory lies that is read for a value at a point of its own: arguments, and results of reductions.
  llvm::SmallVector<Axes> memoriesOf(mlir::Value value);
  /// The axes of a reduction's result in the order of what it sweeps.
  Axes resultOrder(mlir::Operation *reduction);

  /// How a reduction lies in memory.
  struct Layout {
    Axes order;  // what its input ranges over, and its chunks, outermost first
    Axes over;   // reduced
    Axes blocks; // kept, outside the innermost reduced axis: each point of them is a block of its own
    Axes lanes;  // kept, inside all reduced axes
  };
  const Layout &layoutOf(mlir::Operation *reduction);

  /// The two factors of a declared axis where they end an order: the lanes run over both together. Else empty.
  Axes lanePair(llvm::ArrayRef<mlir::StringAttr> order);
  /// The inner factor of a lane pair, where a reduction takes it and axes outside of the pair but keeps the outer
  /// factor: channels last, in groups. Null otherwise.
  mlir::StringAttr pairedLane(llvm::ArrayRef<mlir::StringAttr> order, llvm::ArrayRef<mlir::StringAttr> over);

  /// The product of a lane pair that is swept as one axis (`norm.lanes`). Null where there is none.
  mlir::StringAttr laneProduct(llvm::ArrayRef<mlir::StringAttr> order);

  /// Whether what the reduction sweeps is swept again for something that depends on its result.
  bool isSweptAgain(mlir::Operation *reduction);

private:
  llvm::DenseMap<mlir::Value, llvm::SetVector<mlir::Operation *>> nearestMemo;
  llvm::DenseMap<mlir::Value, llvm::SetVector<mlir::Value>> readsMemo;
  llvm::DenseMap<mlir::Value, unsigned> rounds;             // those above 0
  std::unordered_map<mlir::Operation *, Layout> layoutMemo; // its elements stay where they are
};

/// Whether a kernel compares numbers for equality, as gradients compare what has been reduced with the maximum: both
/// are to be computed alike then.
bool comparesForEquality(norm::KernelOp kernel);

/// The input, the reduced axes and the chunk axes a reduction stops at.
mlir::Value inputOf(mlir::Operation *reduction);
Axes overOf(mlir::Operation *reduction);
Axes intoOf(mlir::Operation *reduction);
/// The axis of which a reduction takes only a sample, or null.
mlir::StringAttr sampleOf(mlir::Operation *reduction);

} // namespace normc
#endif
