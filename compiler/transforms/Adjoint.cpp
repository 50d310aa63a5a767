#include "compiler/transforms/Adjoint.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
#include <numbers>
using namespace mlir;
using namespace norm;

namespace normc {

//===----------------------------------------------------------------------===//
// The forward sweep
//===----------------------------------------------------------------------===//

static Value unbroadcast(Value value) {
  while (auto broadcast = value.getDefiningOp<BroadcastOp>()) {
    if (axesOf(broadcast.getInput().getType()).size() == axesOf(value.getType()).size()) break;
    value = broadcast.getInput();
  }
  return value;
}

static bool isRoot(Value value) { return isa_and_present<math::RsqrtOp, math::SqrtOp>(value.getDefiningOp()); }

/// Of what is multiplied by a square root the product tells nothing where the root is 0.
static bool isReciprocalRoot(Value factor) {
  return isa_and_present<math::RsqrtOp>(unbroadcast(factor).getDefiningOp());
}

void Adjoint::forward(Operation &op) {
  // Division by what is constant along a row is a multiplication at each point.
  auto divide = dyn_cast<arith::DivFOp>(op);
  if (divide && unbroadcast(divide.getRhs()) != divide.getRhs()) {
    Value inverse = reciprocal(narrow(divide.getRhs()));
    Value product = arith::MulFOp::create(b, primal(divide.getLhs()), build.to(inverse, axes(divide)));
    define(divide, product);
    products[{divide.getLhs(), inverse}] = divide;
    return;
  }
  b.clone(op, map);
  if (auto select = dyn_cast<arith::SelectOp>(op);
      select && isGiven(select)) // the definition's derivative reads it too
    define(select.getFalseValue(), primal(select));
  auto multiply = dyn_cast<arith::MulFOp>(op);
  if (!multiply) return;
  for (auto [value, factor] :
       {std::pair(multiply.getLhs(), multiply.getRhs()), std::pair(multiply.getRhs(), multiply.getLhs())})
    if (Value root = unbroadcast(factor); root != factor && isRoot(root)) products[{value, primal(root)}] = multiply;
}

static constexpr const char *givenAttribute = "norm.given";

bool Adjoint::isGiven(arith::SelectOp op) { return op->hasAttr(givenAttribute); }

Value Adjoint::given(Value value, Value definition) {
  Value always = build.to(arith::ConstantOp::create(b, b.getBoolAttr(true)), axesOf(value.getType()));
  auto select = arith::SelectOp::create(b, always, value, definition);
  select->setAttr(givenAttribute, b.getUnitAttr());
  return select;
}

Value Adjoint::narrow(Value value) const { return primal(unbroadcast(value)); }

Value Adjoint::reciprocal(Value value) {
  Value &inverse = reciprocals[value];
  if (!inverse) inverse = arith::DivFOp::create(b, constantLike(1, value), value);
  return inverse;
}

//===----------------------------------------------------------------------===//
// Cotangents
//===----------------------------------------------------------------------===//

void Adjoint::add(Value value, Cotangent term) {
  if (isActive(value)) terms[value].push_back(std::move(term));
}

std::optional<Cotangent> Adjoint::gather(llvm::DenseMap<Value, Terms> &from, Value value) {
  auto found = from.find(value);
  if (found == from.end()) return std::nullopt;
  Terms list = std::move(found->second);
  from.erase(found);
  if (list.size() == 1) return list.front();
  return Cotangent{{build.sum(list, axes(value))}};
}

Value Adjoint::total(Value value) {
  auto found = terms.find(value);
  if (found == terms.end()) return constantLike(0, value);
  return build.sum(found->second, axes(value));
}

Cotangent Adjoint::times(const Cotangent &term, Value value) {
  for (auto [i, factor] : llvm::enumerate(term.factors)) {
    auto found = products.find({value, factor});
    if (i == 0 || found == products.end()) continue;
    Cotangent result = term;
    result.factors.erase(result.factors.begin() + i);
    return result.times(primal(found->second));
  }
  return term.times(real(narrow(value)));
}

//===----------------------------------------------------------------------===//
// The reverse sweep
//===----------------------------------------------------------------------===//

void Adjoint::reverse(Operation &op) {
  if (op.getNumResults() == 0 || llvm::none_of(op.getResults(), [&](Value value) { return isActive(value); })) return;
  // The name that the text gives the op's value is not its cotangent's.
  auto named = dyn_cast<NameLoc>(op.getLoc());
  b.setLoc(named ? named.getChildLoc() : op.getLoc());
  if (auto moments = dyn_cast<MomentsOp>(op)) return reverseMoments(moments);
  if (isRoot(op.getResult(0))) return reverseRoot(op);
  std::optional<Cotangent> gathered = gather(terms, op.getResult(0));
  if (!gathered) return;
  const Cotangent &term = *gathered;
  llvm::TypeSwitch<Operation *>(&op)
      .Case<CastOp, arith::SIToFPOp>([&](auto op) { add(op->getOperand(0), term); })
      .Case<BroadcastOp>([&](auto op) {
        SmallVector<StringAttr> added;
        for (StringAttr axis : axes(op))
          if (!llvm::is_contained(axes(op.getInput()), axis)) added.push_back(axis);
        add(op.getInput(), added.empty() ? term : build.reduced(term, added, axes(op)));
      })
      .Case<arith::AddFOp, arith::AddIOp>([&](auto op) {
        add(op.getLhs(), term);
        add(op.getRhs(), term);
      })
      .Case<arith::SubFOp, arith::SubIOp>([&](auto op) {
        add(op.getLhs(), term);
        add(op.getRhs(), term.scaled(-1));
      })
      .Case<arith::NegFOp>([&](auto op) { add(op.getOperand(), term.scaled(-1)); })
      .Case<arith::MulFOp>([&](auto op) { reverseMultiply(op, term); })
      .Case<arith::MulIOp>([&](auto op) {
        add(op.getLhs(), times(term, op.getRhs()));
        add(op.getRhs(), times(term, op.getLhs()));
      })
      .Case<arith::DivFOp>([&](auto op) { reverseDivide(op, term); })
      .Case<arith::MaximumFOp, arith::MaxSIOp>([&](auto) { reverseExtremum(op, true, term); })
      .Case<arith::MinimumFOp, arith::MinSIOp>([&](auto) { reverseExtremum(op, false, term); })
      .Case<arith::SelectOp>([&](auto op) { reverseSelect(op, term); })
      .Case<ReduceOp>([&](auto op) { reverseReduce(op, term); })
      .Case<AllReduceOp>([&](auto op) { reverseAllReduce(op, term); })
      .Case<AtOp>([&](auto op) { reverseAt(op, term); })
      .Case<math::PowFOp>([&](auto) { reversePower(op, term); })
      .Default([&](auto) { reverseUnary(op, term); });
}

bool Adjoint::addRelative(Value operand, Value product, const Cotangent &term) {
  Value root = unbroadcast(operand);
  if (root == operand || !isRoot(root)) return false;
  if (!isActive(root)) return true;
  SmallVector<StringAttr> added;
  for (StringAttr axis : axes(operand))
    if (!llvm::is_contained(axes(root), axis)) added.push_back(axis);
  relative[root].push_back(build.reduced(term.times(primal(product)), added, axes(operand)));
  return true;
}

void Adjoint::reverseMultiply(arith::MulFOp op, const Cotangent &term) {
  if (op.getLhs() == op.getRhs()) {
    if (isActive(op.getLhs())) add(op.getLhs(), times(term.scaled(2), op.getLhs()));
    return;
  }
  for (auto [value, other] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())})
    if (isActive(value) && !(isReciprocalRoot(value) && addRelative(value, op, term))) add(value, times(term, other));
}

void Adjoint::reverseDivide(arith::DivFOp op, const Cotangent &term) {
  Value divisor = narrow(op.getRhs());
  if (isActive(op.getLhs())) add(op.getLhs(), term.times(reciprocal(divisor)));
  if (isActive(op.getRhs()) && !addRelative(op.getRhs(), op, term.scaled(-1)))
    add(op.getRhs(), term.scaled(-1).times(primal(op)).times(reciprocal(divisor)));
}

void Adjoint::reverseRoot(Operation &op) {
  Value root = op.getResult(0), input = op.getOperand(0);
  bool isReciprocal = isa<math::RsqrtOp>(op);
  Value inverse = isReciprocal ? primal(root) : reciprocal(primal(root));
  double half = isReciprocal ? -0.5 : 0.5;
  if (auto term = gather(relative, root)) add(input, term->scaled(half).times(inverse).times(inverse));
  if (auto term = gather(terms, root)) {
    Cotangent times = term->scaled(half).times(inverse);
    add(input, isReciprocal ? times.times(inverse).times(inverse) : times);
  }
}

void Adjoint::reverseUnary(Operation &op, const Cotangent &term) {
  Value input = op.getNumOperands() == 1 ? op.getOperand(0) : Value();
  if (!input || !isActive(input)) return;
  Value x = primal(input), y = primal(op.getResult(0));
  auto scaled = [&](Value value, double by) -> Value {
    return arith::MulFOp::create(b, value, constantLike(by, value));
  };
  llvm::TypeSwitch<Operation *>(&op)
      .Case<math::ExpOp>([&](auto) { add(input, term.times(y)); })
      .Case<math::LogOp>([&](auto) { add(input, term.times(reciprocal(x))); })
      .Case<math::TanhOp>([&](auto) {
        Value square = arith::MulFOp::create(b, y, y);
        add(input, term.times(arith::SubFOp::create(b, constantLike(1, y), square)));
      })
      .Case<math::ErfOp>([&](auto) {
        Value exponent = arith::NegFOp::create(b, arith::MulFOp::create(b, x, x));
        add(input, term.times(scaled(math::ExpOp::create(b, exponent), 2 * std::numbers::inv_sqrtpi)));
      })
      .Case<math::AbsFOp, math::AbsIOp>([&](auto) {
        Value value = real(x), zero = constantLike(0, value), ct = whole(term, input);
        Value minus = select(compare(arith::CmpFPredicate::OLT, value, zero), arith::NegFOp::create(b, ct), zero);
        add(input, {{select(compare(arith::CmpFPredicate::OGT, value, zero), ct, minus)}});
      });
  // Of floor, round, comparisons and stop_gradient it is 0.
}

void Adjoint::reverseExtremum(Operation &op, bool isMaximum, const Cotangent &term) {
  Value x = op.getOperand(0), y = op.getOperand(1), ct = whole(term, x);
  Value u = real(primal(x)), v = real(primal(y)), zero = constantLike(0, u);
  auto less = isMaximum ? arith::CmpFPredicate::OLT : arith::CmpFPredicate::OGT;
  if (op.hasAttr("norm.clamp")) { // the value stands first: it passes at its bounds
    Value isOutside = compare(less, u, v);
    add(x, {{select(isOutside, zero, ct)}});
    add(y, {{select(isOutside, ct, zero)}});
    return;
  }
  Value half = arith::MulFOp::create(b, ct, constantLike(0.5, ct));
  Value tie = compare(arith::CmpFPredicate::OEQ, u, v);
  add(x, {{select(tie, half, select(compare(less, u, v), zero, ct))}});
  add(y, {{select(tie, half, select(compare(less, v, u), zero, ct))}});
}

void Adjoint::reversePower(Operation &op, const Cotangent &term) {
  Value base = op.getOperand(0), exponent = op.getOperand(1);
  Value x = primal(base), p = primal(exponent), y = primal(op.getResult(0)), zero = constantLike(0, x);
  if (isActive(base)) {
    Value power = math::PowFOp::create(b, x, arith::SubFOp::create(b, p, constantLike(1, p)));
    Value slope = arith::MulFOp::create(b, p, power);
    add(base, term.times(select(compareEqual(p, zero), zero, slope))); // x^0 is 1 at x = 0 too
  }
  if (isActive(exponent)) {
    Value slope = arith::MulFOp::create(b, y, math::LogOp::create(b, x));
    // 0^p stays 0, and 0^0 has the derivative from the right.
    Value isFlat = arith::AndIOp::create(b, compareEqual(x, zero), compare(arith::CmpFPredicate::OGE, p, zero));
    add(exponent, term.times(select(isFlat, zero, slope)));
  }
}

void Adjoint::reverseSelect(arith::SelectOp op, const Cotangent &term) {
  if (isGiven(op)) return add(op.getFalseValue(), term);
  if (op->hasAttr(GuardedProduct::attribute)) return add(op.getTrueValue(), term);
  Value condition = primal(op.getCondition()), ct = whole(term, op), zero = constantLike(0, ct);
  add(op.getTrueValue(), {{select(condition, ct, zero)}});
  add(op.getFalseValue(), {{select(condition, zero, ct)}});
}

void Adjoint::shareAmongTies(Value input, Value extremum, ArrayAttr over, bool across, const Cotangent &term) {
  // What is given may have been rounded where it was stored: no point need be equal to it.
  auto given = primal(extremum).getDefiningOp<arith::SelectOp>();
  Value exact = given && isGiven(given) ? given.getFalseValue() : primal(extremum);
  Value isTie = compareEqual(primal(input), build.to(exact, axes(input)));
  Value tie = arith::UIToFPOp::create(b, withElement(input.getType(), element), isTie), ties = tie;
  if (over) ties = ReduceOp::create(b, ReduceKind::sum, ties, over, b.getArrayAttr({}));
  if (across) ties = sumAcross(ties);
  // A product: where the extremum is NaN, which nothing is equal to, the derivative is 0 / 0.
  add(input, term.times(arith::MulFOp::create(b, tie, build.to(reciprocal(ties), axes(input)))));
}

void Adjoint::reverseReduce(ReduceOp op, const Cotangent &term) {
  if (op.getKind() == ReduceKind::sum) add(op.getInput(), term); // constant along what is reduced
  if (op.getKind() == ReduceKind::max || op.getKind() == ReduceKind::min)
    shareAmongTies(op.getInput(), op, op.getOver(), /*across=*/false, term);
}

void Adjoint::reverseAllReduce(AllReduceOp op, const Cotangent &term) {
  Cotangent everywhere{{sumAcross(whole(term, op))}};
  Value input = op.getInput();
  if (op.getKind() == ReduceKind::sum) return add(input, everywhere);
  if (op.getKind() != ReduceKind::max && op.getKind() != ReduceKind::min) return;
  // The points of all replicas share, not the replicas.
  auto reduce = input.getDefiningOp<ReduceOp>();
  if (reduce) shareAmongTies(reduce.getInput(), op, reduce.getOver(), /*across=*/true, everywhere);
  else shareAmongTies(input, op, {}, /*across=*/true, everywhere);
}

void Adjoint::reverseMoments(MomentsOp op) {
  std::optional<Cotangent> ofMean = gather(terms, op.getMean()), ofVariance = gather(terms, op.getVariance());
  if (!ofMean && !ofVariance) return;
  Value x = op.getInput(), w = op.getWeights();
  Value total = build.count(namesOf(op.getOver()));
  if (w) total = ReduceOp::create(b, ReduceKind::sum, primal(w), op.getOver(), b.getArrayAttr({}));
  if (op.getAcross()) {
    total = sumAcross(total);
    for (auto *term : {&ofMean, &ofVariance})
      if (*term) **term = {{sumAcross(whole(**term, op.getMean()))}};
  }
  for (auto *term : {&ofMean, &ofVariance})
    if (*term) **term = (*term)->times(reciprocal(total));

  Value deviation; // of the kernel, where it has one
  for (Operation *user : x.getUsers())
    if (auto subtract = dyn_cast<arith::SubFOp>(user))
      if (subtract.getLhs() == x && unbroadcast(subtract.getRhs()) == op.getMean()) deviation = subtract;
  Value built;
  auto deviations = [&] {
    if (deviation) return primal(deviation);
    if (!built) built = arith::SubFOp::create(b, primal(x), build.to(primal(op.getMean()), axes(x)));
    return built;
  };
  auto weighted = [&](Cotangent term) { return w ? term.times(narrow(w)) : term; };
  if (isActive(x)) {
    if (ofMean) add(x, weighted(*ofMean));
    if (ofVariance) {
      Cotangent twice = weighted(ofVariance->scaled(2));
      add(x, deviation ? times(twice, deviation) : twice.times(deviations()));
    }
  }
  if (w && isActive(w)) {
    if (ofMean) add(w, ofMean->times(deviations()));
    if (ofVariance) {
      Value square = arith::MulFOp::create(b, deviations(), deviations());
      Value variance = build.to(primal(op.getVariance()), axes(x));
      add(w, ofVariance->times(arith::SubFOp::create(b, square, variance)));
    }
  }
}

void Adjoint::reverseAt(AtOp op, const Cotangent &term) {
  Value input = op.getInput(), index = indexAlong(op.getAxisAttr());
  Value position = build.to(primal(op.getPosition()), axes(index));
  Value there = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, index, position);
  Value ct = build.over(term, axes(input));
  add(input, {{select(build.to(there, axes(input)), ct, constantLike(0, ct))}});
}

//===----------------------------------------------------------------------===//
// Ops of the derived kernel
//===----------------------------------------------------------------------===//

Value Adjoint::compare(arith::CmpFPredicate predicate, Value x, Value y) {
  return arith::CmpFOp::create(b, predicate, x, y);
}
Value Adjoint::compareEqual(Value x, Value y) { return compare(arith::CmpFPredicate::OEQ, x, y); }

Value Adjoint::select(Value condition, Value yes, Value no) { return arith::SelectOp::create(b, condition, yes, no); }

Value Adjoint::indexAlong(StringAttr name) {
  auto kernel = cast<KernelOp>(b.getInsertionBlock()->getParentOp());
  AxisAttr axis = kernel.getAxis(name);
  if (!axis.isProduct()) return IndexOp::create(b, withAxes(b.getI64Type(), {name}), name);
  SmallVector<StringAttr> leaves = kernel.leavesOf(name);
  Value size = SizeOp::create(b, b.getArrayAttr({axis.getInner()}));
  Value blocks = arith::MulIOp::create(b, build.to(indexAlong(axis.getOuter()), leaves), build.to(size, leaves));
  return arith::AddIOp::create(b, blocks, build.to(indexAlong(axis.getInner()), leaves));
}

Value Adjoint::sumAcross(Value value) { return AllReduceOp::create(b, ReduceKind::sum, value); }

Value Adjoint::real(Value value) {
  if (isa<FloatType>(getElementTypeOrSelf(value))) return value;
  return arith::SIToFPOp::create(b, withElement(value.getType(), element), value);
}

} // namespace normc
