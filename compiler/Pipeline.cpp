// The map of the compiler. Above it: the text is parsed (frontend/Parser), resolved and written as a kernel in value
// form (frontend/EmitNorm), and bound to a selection (transforms/Specialize). Below it: the LLVM dialect becomes LLVM
// IR and machine code (emit/LowerToLLVM, emit/Object).
#include "compiler/Pipeline.h"
#include "compiler/cpu/Passes.h"
#include "compiler/emit/LowerToLLVM.h"
#include "compiler/schedule/Passes.h"
#include "compiler/transforms/Passes.h"
#include "dialect/Norm.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace normc {
namespace {

/// With AVX2 and AVX-512 one instruction takes each lane of a vector from where another says.
bool spreadsRuns(const Machine &machine) {
  return llvm::StringRef(machine.triple).starts_with("x86_64") && machine.tree.vectorBytes >= 32;
}

void buildCollapsed(OpPassManager &passes, const Machine &) {
  passes.addNestedPass<norm::KernelOp>(createLowerPositions());
  passes.addNestedPass<norm::KernelOp>(createDropUnitAxes());
  passes.addNestedPass<norm::KernelOp>(createCollapseAxes());
}

void buildDecomposed(OpPassManager &passes, const Machine &machine) {
  PairLanesOptions pairs;
  pairs.spreads = spreadsRuns(machine);
  passes.addPass(createPairLanes(pairs));
  SplitReductionsOptions split;
  split.residentElements = machine.tree.residentBytes / 4; // computed in f32
  split.chunkElements = machine.tree.chunkElements;
  passes.addPass(createSplitReductions(split));
  passes.addNestedPass<norm::KernelOp>(createDecomposeMoments());
  passes.addNestedPass<norm::KernelOp>(createLowerReplicas());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void buildPlanned(OpPassManager &passes, const Machine &) {
  passes.addNestedPass<norm::KernelOp>(createSplitLanes());
  passes.addPass(createPlanPhases());
  passes.addNestedPass<norm::KernelOp>(createCoalescePasses());
  passes.addPass(createCSEPass());
  passes.addNestedPass<norm::KernelOp>(createHoistFactors());
  passes.addNestedPass<norm::KernelOp>(createMergeSweeps());
  passes.addPass(createSinkColumnSums());
  passes.addNestedPass<norm::KernelOp>(createFuseMaps());
  passes.addPass(createCSEPass());
  passes.addNestedPass<norm::KernelOp>(createContractMultiplyAdd());
  passes.addNestedPass<norm::KernelOp>(createInvertDivisors());
  passes.addPass(createVectorizeBlocks());
  passes.addNestedPass<norm::KernelOp>(createVerifyPlan());
}

void buildVector(OpPassManager &passes, const Machine &machine) {
  LowerPlanOptions shape;
  shape.vectorBytes = machine.tree.vectorBytes;
  shape.accumulators = machine.tree.accumulators;
  shape.masked = machine.maskedStores;
  shape.streamBytes = machine.streamBytes;
  shape.roundsToBf16 = llvm::StringRef(machine.features).contains("+avx512bf16");
  shape.looksUpBytes = llvm::StringRef(machine.features).contains("+avx512vbmi,");
  shape.l1Bytes = machine.l1Bytes;
  shape.lineBytes = machine.lineBytes;
  shape.spreads = spreadsRuns(machine);
  shape.streamFence = llvm::StringRef(machine.triple).starts_with("x86_64");
  passes.addPass(createLowerPlan(shape));
  ExpandMathOptions math;
  math.lookups = shape.streamFence && machine.tree.vectorBytes == 64;
  passes.addPass(createExpandMath(math));
}

} // namespace

llvm::ArrayRef<Stage> pipeline() {
  static constexpr Stage stages[] = {
      {"collapsed", buildCollapsed},
      {"decomposed", buildDecomposed},
      {"planned", buildPlanned},
      {"vector", buildVector},
  };
  return stages;
}

void buildOnDemand(OpPassManager &passes, const Machine &machine) {
  if (!machine.streamBytes) return;
  KeepInCachesOptions small;
  small.bytes = leastBypassBytes(machine.streamBytes);
  passes.addPass(createKeepInCaches(small));
}

void registerDialects(DialectRegistry &registry) {
  registry.insert<norm::NormDialect>();
  registerCodeGeneration(registry);
}

} // namespace normc
