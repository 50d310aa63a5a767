#include "compiler/emit/LowerToLLVM.h"
#include "compiler/emit/LowerLoops.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace normc {
namespace {

/// Replaces an op by one of the LLVM dialect of the same operands, attributes apart.
template <typename To> void replaceBy(Operation *op) {
  OpBuilder builder(op);
  op->replaceAllUsesWith(To::create(builder, op->getLoc(), op->getResultTypes(), op->getOperands()));
  op->erase();
}

/// Most of a kernel are ops that the LLVM dialect has too, on the same types. Replacing them one by one takes a tenth
/// of the time that a dialect conversion does, which is left with the others.
struct ReplaceElementwise : PassWrapper<ReplaceElementwise, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ReplaceElementwise)

  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      bool compatible = llvm::all_of(op->getResultTypes(), LLVM::isCompatibleType) &&
                        llvm::all_of(op->getOperandTypes(), LLVM::isCompatibleType);
      if (compatible && !hasFlags(op)) replace(op);
    });
  }

private:
  /// What the two dialects say in attributes of their own.
  static bool hasFlags(Operation *op) {
    if (auto math = dyn_cast<arith::ArithFastMathInterface>(op))
      if (auto flags = math.getFastMathFlagsAttr(); flags && flags.getValue() != arith::FastMathFlags::none)
        return true;
    if (auto integer = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(op))
      if (auto flags = integer.getOverflowAttr(); flags && flags.getValue() != arith::IntegerOverflowFlags::none)
        return true;
    return false;
  }

  static void replace(Operation *op) {
    OpBuilder b(op);
    TypeSwitch<Operation *>(op)
        .Case([](arith::AddIOp op) { replaceBy<LLVM::AddOp>(op); })
        .Case([](arith::SubIOp op) { replaceBy<LLVM::SubOp>(op); })
        .Case([](arith::MulIOp op) { replaceBy<LLVM::MulOp>(op); })
        .Case([](arith::DivSIOp op) { replaceBy<LLVM::SDivOp>(op); })
        .Case([](arith::DivUIOp op) { replaceBy<LLVM::UDivOp>(op); })
        .Case([](arith::MaxSIOp op) { replaceBy<LLVM::SMaxOp>(op); })
        .Case([](arith::MinSIOp op) { replaceBy<LLVM::SMinOp>(op); })
        .Case([](arith::AndIOp op) { replaceBy<LLVM::AndOp>(op); })
        .Case([](arith::OrIOp op) { replaceBy<LLVM::OrOp>(op); })
        .Case([](arith::XOrIOp op) { replaceBy<LLVM::XOrOp>(op); })
        .Case([](arith::ShLIOp op) { replaceBy<LLVM::ShlOp>(op); })
        .Case([](arith::ShRUIOp op) { replaceBy<LLVM::LShrOp>(op); })
        .Case([](arith::TruncIOp op) { replaceBy<LLVM::TruncOp>(op); })
        .Case([](arith::BitcastOp op) { replaceBy<LLVM::BitcastOp>(op); })
        .Case([](arith::SelectOp op) { replaceBy<LLVM::SelectOp>(op); })
        .Case([](arith::SIToFPOp op) { replaceBy<LLVM::SIToFPOp>(op); })
        .Case([](arith::AddFOp op) { replaceBy<LLVM::FAddOp>(op); })
        .Case([](arith::SubFOp op) { replaceBy<LLVM::FSubOp>(op); })
        .Case([](arith::MulFOp op) { replaceBy<LLVM::FMulOp>(op); })
        .Case([](arith::DivFOp op) { replaceBy<LLVM::FDivOp>(op); })
        .Case([](arith::NegFOp op) { replaceBy<LLVM::FNegOp>(op); })
        .Case([](math::FmaOp op) { replaceBy<LLVM::FMAOp>(op); })
        .Case([&](arith::ConstantOp op) {
          op.replaceAllUsesWith(LLVM::ConstantOp::create(b, op.getLoc(), op.getType(), op.getValue()).getResult());
          op.erase();
        })
        .Case([&](arith::CmpIOp op) {
          auto predicate = static_cast<LLVM::ICmpPredicate>(op.getPredicate());
          op.replaceAllUsesWith(LLVM::ICmpOp::create(b, op.getLoc(), predicate, op.getLhs(), op.getRhs()).getResult());
          op.erase();
        });
  }
};

} // namespace

void registerCodeGeneration(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect, index::IndexDialect,
                  LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect, ub::UBDialect, vector::VectorDialect>();
  arith::registerConvertArithToLLVMInterface(registry);
  cf::registerConvertControlFlowToLLVMInterface(registry);
  index::registerConvertIndexToLLVMInterface(registry);
  registerConvertFuncToLLVMInterface(registry);
  registerConvertMathToLLVMInterface(registry);
  ub::registerConvertUBToLLVMInterface(registry);
  vector::registerConvertVectorToLLVMInterface(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

void buildLowerToLLVM(OpPassManager &passes) {
  passes.addPass(createCSEPass());
  passes.addPass(createLowerLoops());
  passes.addPass(std::make_unique<ReplaceElementwise>());
  passes.addPass(createConvertToLLVMPass());
}

} // namespace normc
