#include "compiler/transforms/InvertOutput.h"
#include "mlir/Dialect/Math/IR/Math.h"
using namespace mlir;
using namespace norm;

namespace normc {
namespace {
/// The operand to solve for: the one that varies at each point, where the other is the same along some axis.
std::optional<unsigned> unknownOf(Operation &op) {
  if (op.getNumOperands() == 1) return 0;
  if (op.getNumOperands() != 2) return std::nullopt;
  auto isKnown = [&](unsigned i) { return op.getOperand(i).getDefiningOp<BroadcastOp>() != nullptr; };
  if (isKnown(0) == isKnown(1)) return std::nullopt;
  return isKnown(0) ? 1 : 0;
}

/// The unknown operand of `op` from its result; null where it does not follow.
Value solve(Operation &op, unsigned unknown, Value result, Adjoint &adjoint, ImplicitLocOpBuilder &b) {
  Value other = op.getNumOperands() == 2 ? adjoint.primal(op.getOperand(1 - unknown)) : Value();
  if (isa<arith::AddFOp>(op)) return arith::SubFOp::create(b, result, other);
  if (isa<arith::SubFOp>(op))
    return unknown == 0 ? Value(arith::AddFOp::create(b, result, other)) : arith::SubFOp::create(b, other, result);
  if (isa<arith::MulFOp>(op)) return arith::DivFOp::create(b, result, other);
  if (isa<arith::DivFOp>(op))
    return unknown == 0 ? Value(arith::MulFOp::create(b, result, other)) : arith::DivFOp::create(b, other, result);
  if (isa<arith::NegFOp>(op)) return arith::NegFOp::create(b, result);
  if (isa<math::ExpOp>(op)) return math::LogOp::create(b, result);
  return {};
}
} // namespace

bool invertOutput(Value value, Adjoint &adjoint, ImplicitLocOpBuilder &b) {
  bool any = false;
  while (Operation *op = value.getDefiningOp()) {
    std::optional<unsigned> unknown = unknownOf(*op);
    if (!unknown) break;
    b.setLoc(op->getLoc());
    Value operand = op->getOperand(*unknown), solved = solve(*op, *unknown, adjoint.primal(value), adjoint, b);
    if (!solved) break;
    adjoint.define(operand, solved);
    value = operand;
    any = true;
  }
  return any;
}

} // namespace normc
