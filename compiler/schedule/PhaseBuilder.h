#ifndef NORMC_COMPILER_SCHEDULE_PHASEBUILDER_H
#define NORMC_COMPILER_SCHEDULE_PHASEBUILDER_H
#include "compiler/schedule/Phases.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace normc {

/// Writes the phases of a kernel in value form as a plan: nested passes whose bodies are the value form's ops on
/// scalars.
class PhaseBuilder {
public:
  PhaseBuilder(norm::KernelOp source, llvm::ArrayRef<Phase> phases);
  /// The plan, beside the source.
  norm::KernelOp build();

private:
  using Values = llvm::SmallVector<mlir::Value>;
  /// A region being written: a value is computed in the outermost one in which all that it ranges over is bound.
  struct Level {
    mlir::Operation *op;
    mlir::Block *body;
    Axes bound; // by this region and those around it, with the parts of products
    llvm::DenseMap<mlir::Value, mlir::Value> values;
  };

  void createKernel();
  void createExchanges(unsigned taken);
  void buildPhase(const Phase &phase);
  void buildRow(const Phase &phase);
  void prepareArrays(const Phase &phase, llvm::ArrayRef<mlir::Value> roots, llvm::ArrayRef<mlir::StringAttr> order);
  void storeArray(const Phase &phase, mlir::Value value, llvm::ArrayRef<mlir::StringAttr> axes, bool isKept);
  mlir::Value reductionArray(const Phase &phase, mlir::Operation *reduction);
  mlir::Value completeArray(mlir::Value value);
  Axes ownAxes(const Phase &phase, llvm::ArrayRef<mlir::StringAttr> points);
  void initialise(mlir::Value array, norm::ReduceKind kind);
  void sweep(const Phase &phase, llvm::ArrayRef<mlir::StringAttr> points, llvm::ArrayRef<mlir::Operation *> reductions,
             llvm::ArrayRef<unsigned> outputs);
  void storeOutputs(llvm::ArrayRef<unsigned> outputs);

  // Levels
  void insertAt(unsigned level);
  unsigned levelOf(llvm::ArrayRef<mlir::StringAttr> axes);
  bool isBound(mlir::StringAttr axis, const Level &level);
  void openPass(llvm::ArrayRef<mlir::StringAttr> axes, llvm::ArrayRef<int32_t> kinds, llvm::ArrayRef<mlir::Type> types);
  norm::PassOp closePass(llvm::ArrayRef<mlir::Value> yields);
  void pushLevel(mlir::Operation *op, llvm::ArrayRef<mlir::StringAttr> axes);

  // Values
  std::pair<mlir::Value, unsigned> at(mlir::Value value);
  std::pair<mlir::Value, unsigned> atPositions(mlir::Value value);
  std::pair<mlir::Value, unsigned> loadFrom(mlir::Value memory, mlir::Type type);
  mlir::Value arrayFor(mlir::Value value);
  mlir::Value workspace(mlir::Type element, llvm::ArrayRef<mlir::StringAttr> axes);

  norm::KernelOp source, plan;
  llvm::ArrayRef<Phase> phases;
  Structure structure;
  mlir::ImplicitLocOpBuilder b;
  Values results;                                     // of the source, before they are stored
  llvm::DenseMap<mlir::Value, mlir::Value> arguments; // source argument → plan argument
  Values targets;                                     // where each result is stored
  llvm::DenseMap<mlir::Value, Values> arrays;         // source value → workspaces that hold it
  llvm::SmallVector<Level> levels;
  llvm::SmallVector<std::pair<mlir::StringAttr, mlir::Value>> positions; // along axes given by `at`
  mlir::StringAttr sample;                                               // of the sweep being written
  mlir::Operation *firstPhase = nullptr;
  struct Exchange {
    mlir::Value mine, all;
    unsigned round; // the first that reads it
  };
  llvm::SmallVector<Exchange> exchanges;
};

} // namespace normc
#endif
