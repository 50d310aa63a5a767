// What is constant along a sweep divides once: the sweep multiplies.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Structure.h"
#include "dialect/Norm.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace normc {
#define GEN_PASS_DEF_INVERTDIVISORS
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
struct Sweep {
  PassOp pass;

  bool isConstant(Value value) { return !pass->isAncestor(value.getParentBlock()->getParentOp()); }

  /// A factor that is constant, of a product that nothing else reads.
  OpOperand *constantFactor(Value value) {
    auto product = value.getDefiningOp<arith::MulFOp>();
    if (!product || !product->hasOneUse() || product->getParentOp() != pass) return nullptr;
    for (OpOperand &operand : product->getOpOperands())
      if (isConstant(operand.get())) return &operand;
    for (Value operand : product->getOperands())
      if (OpOperand *factor = constantFactor(operand)) return factor;
    return nullptr;
  }

  /// How many points there are, or computed from such numbers alone.
  static bool isCount(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || isa<arith::SIToFPOp>(op)) return op;
    return op->getNumOperands() > 0 && llvm::all_of(op->getOperands(), [](Value operand) {
             return isCount(operand) || matchPattern(operand, m_Constant());
           });
  }

  void run(arith::DivFOp quotient) {
    Value dividend = quotient.getLhs(), divisor = quotient.getRhs();
    if (!isConstant(divisor) || isConstant(dividend) || isCount(divisor)) return;
    ImplicitLocOpBuilder outside(quotient.getLoc(), pass), inside(quotient.getLoc(), quotient);
    if (OpOperand *factor = constantFactor(dividend)) {
      factor->set(arith::DivFOp::create(outside, factor->get(), divisor));
    } else {
      auto [scale, inverse] = invert(outside, divisor);
      if (scale) dividend = arith::MulFOp::create(inside, dividend, scale);
      dividend = arith::MulFOp::create(inside, dividend, inverse);
    }
    quotient.replaceAllUsesWith(dividend);
    quotient.erase();
  }

  /// Whether both a number and its inverse are normal, or 0 and infinity.
  static bool isModest(Value value) {
    if (value.getDefiningOp<math::SqrtOp>()) return true;
    FloatAttr constant;
    if (matchPattern(value, m_Constant(&constant)))
      return std::abs(constant.getValueAsDouble()) >= 0x1p-100 && std::abs(constant.getValueAsDouble()) <= 0x1p100;
    auto quotient = value.getDefiningOp<arith::DivFOp>();
    auto larger = quotient ? quotient.getLhs().getDefiningOp<arith::MaximumFOp>() : arith::MaximumFOp();
    FloatAttr least, by;
    if (!larger || !matchPattern(quotient.getRhs(), m_Constant(&by))) return false;
    if (!matchPattern(larger.getRhs(), m_Constant(&least)) && !matchPattern(larger.getLhs(), m_Constant(&least)))
      return false;
    return by.getValueAsDouble() >= 4 && least.getValueAsDouble() / by.getValueAsDouble() >= 0x1p-126;
  }

  /// A power of 2, null where 1 will do, and a number: the product of the two is the inverse, and multiplied by one
  /// after the other anything is within 1.5 ulp of its quotient, unless that is denormal.
  static std::pair<Value, Value> invert(ImplicitLocOpBuilder &b, Value divisor) {
    Type type = divisor.getType();
    bool isDouble = type.isF64();
    auto power = [&](int exponent) -> Value {
      return arith::ConstantOp::create(b, b.getFloatAttr(type, std::ldexp(1.0, exponent)));
    };
    Value one = power(0);
    if (isModest(divisor)) return {Value(), arith::DivFOp::create(b, one, divisor)};
    Value magnitude = math::AbsFOp::create(b, divisor);
    Value isSmall = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, magnitude, power(isDouble ? -900 : -100));
    Value isLarge = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, magnitude, power(isDouble ? 1000 : 120));
    int half = isDouble ? 512 : 64;
    Value down = arith::SelectOp::create(b, isLarge, power(-half), one);
    Value scale = arith::SelectOp::create(b, isSmall, power(half), down);
    Value scaled = arith::MulFOp::create(b, divisor, scale);
    return {scale, arith::DivFOp::create(b, one, scaled)};
  }
};

struct InvertDivisors : normc::impl::InvertDivisorsBase<InvertDivisors> {
  void runOnOperation() override {
    if (comparesForEquality(getOperation())) return;
    SmallVector<arith::DivFOp> quotients;
    getOperation().walk([&](arith::DivFOp quotient) { quotients.push_back(quotient); });
    for (arith::DivFOp quotient : quotients)
      if (auto pass = dyn_cast<PassOp>(quotient->getParentOp()); pass && pass.getBody().getOps<PassOp>().empty())
        Sweep{pass}.run(quotient);
  }
};
} // namespace
