#include "compiler/emit/LowerLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;

namespace normc {
namespace {

/// Splits a block at an op: the op's results are the arguments of the second part.
Block *splitAt(Operation *op) {
  Block *after = op->getBlock()->splitBlock(op);
  for (Value result : op->getResults()) result.replaceAllUsesWith(after->addArgument(result.getType(), op->getLoc()));
  return after;
}

/// Moves the one block of a region before another, and takes its terminator away: what that yields.
SmallVector<Value> inlineBefore(Block *block, Block *next) {
  block->moveBefore(next);
  Operation *yield = block->getTerminator();
  SmallVector<Value> yields(yield->getOperands());
  yield->erase();
  return yields;
}

void lower(scf::ForOp loop) {
  Location place = loop.getLoc();
  Block *before = loop->getBlock(), *after = splitAt(loop), *body = loop.getBody();
  Value from = loop.getLowerBound(), to = loop.getUpperBound(), step = loop.getStep();
  SmallVector<Value> init(loop.getInitArgs()), yields = inlineBefore(body, after);
  auto branch = [&](Block *end, Value position, const SmallVector<Value> &carried) {
    auto b = OpBuilder::atBlockEnd(end);
    Value enters = arith::CmpIOp::create(b, place, arith::CmpIPredicate::slt, position, to);
    SmallVector<Value> arguments = {position};
    llvm::append_range(arguments, carried);
    cf::CondBranchOp::create(b, place, enters, body, arguments, after, carried);
  };
  branch(before, from, init);
  auto b = OpBuilder::atBlockEnd(body);
  branch(body, arith::AddIOp::create(b, place, body->getArgument(0), step), yields);
  loop.erase();
}

void lower(scf::IfOp choice) {
  Location place = choice.getLoc();
  Block *before = choice->getBlock(), *after = splitAt(choice);
  auto take = [&](Region &region) {
    if (region.empty()) return after;
    Block *block = &region.front();
    SmallVector<Value> yields = inlineBefore(block, after);
    auto b = OpBuilder::atBlockEnd(block);
    cf::BranchOp::create(b, place, after, yields);
    return block;
  };
  Block *yes = take(choice.getThenRegion()), *no = take(choice.getElseRegion());
  auto b = OpBuilder::atBlockEnd(before);
  cf::CondBranchOp::create(b, place, choice.getCondition(), yes, ValueRange(), no, ValueRange());
  choice.erase();
}

struct LowerLoops : PassWrapper<LowerLoops, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerLoops)

  void getDependentDialects(DialectRegistry &registry) const override { registry.insert<cf::ControlFlowDialect>(); }

  void runOnOperation() override {
    // From the outside in: an op that is split has its region's one block still.
    SmallVector<Operation *> ops;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<scf::ForOp, scf::IfOp>(op)) ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (auto loop = dyn_cast<scf::ForOp>(op)) lower(loop);
      else lower(cast<scf::IfOp>(op));
    }
  }
};

} // namespace

std::unique_ptr<Pass> createLowerLoops() { return std::make_unique<LowerLoops>(); }

} // namespace normc
