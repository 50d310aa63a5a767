#ifndef NORMC_COMPILER_EMIT_LOWERTOLLVM_H
#define NORMC_COMPILER_EMIT_LOWERTOLLVM_H

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace normc {

/// Registers the dialects of code generation, their conversions to the LLVM dialect and its translation to LLVM IR.
void registerCodeGeneration(mlir::DialectRegistry &registry);

/// Adds the passes from func.func over scf, vector, arith, math and llvm to the LLVM dialect.
void buildLowerToLLVM(mlir::OpPassManager &passes);

} // namespace normc
#endif
