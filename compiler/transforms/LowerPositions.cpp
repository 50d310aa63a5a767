// norm-lower-positions: the value at one position of an axis is computed there, not picked from a computed array.
#include "compiler/transforms/Passes.h"
#include "dialect/Norm.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_LOWERPOSITIONS
#include "compiler/transforms/Passes.h.inc"

namespace {
/// Moves `at` to what a kernel reads, operation by operation. What is wanted at one position is made once.
class Positions {
public:
  explicit Positions(KernelOp kernel) : kernel(kernel), builder(kernel.getContext()) {}

  void run() {
    for (Operation &op : llvm::make_early_inc_range(kernel.getBody().front())) {
      auto at = dyn_cast<AtOp>(op);
      if (!at) continue;
      builder.setInsertionPoint(at);
      location = at.getLoc();
      at.replaceAllUsesWith(lower(at.getInput(), at.getAxisAttr(), at.getPosition()));
      at.erase();
    }
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(kernel.getBody().front())))
      if (isOpTriviallyDead(&op)) op.erase();
  }

private:
  /// The value at a position of an axis, computed before the insertion point.
  Value lower(Value value, StringAttr axis, Value position) {
    auto key = std::make_tuple(value, axis, position);
    if (Value found = known.lookup(key)) return found;
    AxisAttr row = kernel.getAxis(axis);
    Value result = row.isProduct() ? ofProduct(value, row, position) : ofValue(value, axis, position);
    return known[key] = result;
  }

  /// at(e, c = i) for a split c = g * k: at(at(e, g = i / size(k)), k = i mod size(k)).
  Value ofProduct(Value value, AxisAttr row, Value position) {
    Value size = SizeOp::create(builder, location, position.getType(), builder.getArrayAttr({row.getInner()}));
    Value outer = arith::DivUIOp::create(builder, location, position, size);
    Value inner = arith::RemUIOp::create(builder, location, position, size);
    return lower(lower(value, row.getOuter(), outer), row.getInner(), inner);
  }

  Value ofValue(Value value, StringAttr axis, Value position) {
    SmallVector<StringAttr> axes(axesOf(value.getType()));
    axes.erase(llvm::find(axes, axis));
    Type type = withAxes(value.getType(), axes);
    Operation *op = value.getDefiningOp();
    // At a position along an axis that a broadcast adds there is what it broadcasts.
    if (auto broadcast = dyn_cast_or_null<BroadcastOp>(op)) {
      Value inner = broadcast.getInput();
      if (llvm::is_contained(axesOf(inner.getType()), axis)) inner = lower(inner, axis, position);
      return broadcastTo(builder, location, inner, axes);
    }
    if (auto index = dyn_cast_or_null<IndexOp>(op); index && index.getAxisAttr() == axis) return position;
    // at(f(a, b), n = i) = f(at(a, n = i), at(b, n = i)). A load and its conversion stay together.
    if (!op || !isElementwise(op) || (isa<CastOp>(op) && isa<BlockArgument>(op->getOperand(0))))
      return AtOp::create(builder, location, type, value, axis, position);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) operands.push_back(lower(operand, axis, position));
    Operation *there = Operation::create(op->getLoc(), op->getName(), type, operands,
                                         op->getDiscardableAttrDictionary(), op->getPropertiesStorage(), {}, 0);
    return builder.insert(there)->getResult(0);
  }

  KernelOp kernel;
  OpBuilder builder;
  Location location = builder.getUnknownLoc();
  llvm::DenseMap<std::tuple<Value, StringAttr, Value>, Value> known;
};

struct LowerPositions : impl::LowerPositionsBase<LowerPositions> {
  void runOnOperation() override { Positions(getOperation()).run(); }
};
} // namespace
} // namespace normc
