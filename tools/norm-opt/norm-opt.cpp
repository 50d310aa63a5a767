// norm-opt: reads IR, runs the passes named on the command line, prints IR.
#include "compiler/cpu/Passes.h"
#include "compiler/frontend/Format.h"
#include "compiler/schedule/Passes.h"
#include "compiler/transforms/Passes.h"
#include "dialect/Norm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

namespace {
/// Prints each kernel in value form as text of the language, in front of the IR.
struct FormatKernels : mlir::PassWrapper<FormatKernels, mlir::OperationPass<norm::KernelOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FormatKernels)
  llvm::StringRef getArgument() const override { return "norm-format"; }
  llvm::StringRef getDescription() const override { return "print kernels in value form as .norm text"; }
  void runOnOperation() override { llvm::outs() << normc::formatKernel(getOperation()); }
};
} // namespace

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<norm::NormDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::LLVM::LLVMDialect,
                  mlir::math::MathDialect, mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  mlir::PassRegistration<FormatKernels>();
  normc::registerNormCpuPasses();
  normc::registerNormSchedulePasses();
  normc::registerNormTransformsPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "runs passes of the norm compiler\n", registry));
}
