#ifndef NORMC_COMPILER_EMIT_SPLITADDRESSES_H
#define NORMC_COMPILER_EMIT_SPLITADDRESSES_H
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/IR/PassManager.h"

namespace llvm {
class LPMUpdater;
}

namespace normc {

/// Splits the addresses in a loop: what does not change in it is added up before it, and a constant comes last, where
/// an instruction takes it at no cost. A loop over rows of several tensors then counts one register up. That is what
/// strength reduction is for; but that looks for the best of many ways, which takes a quarter of a compilation.
struct SplitAddresses : llvm::PassInfoMixin<SplitAddresses> {
  llvm::PreservedAnalyses run(llvm::Loop &loop, llvm::LoopAnalysisManager &, llvm::LoopStandardAnalysisResults &results,
                              llvm::LPMUpdater &);
};

} // namespace normc
#endif
