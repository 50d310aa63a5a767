#include "compiler/transforms/Cotangent.h"
#include "llvm/ADT/STLExtras.h"
using namespace mlir;
using namespace norm;

namespace normc {
/// The axes of two values, in the order of `order`.
static SmallVector<StringAttr> unite(Value x, Value y, AxisList order) {
  SmallVector<StringAttr> axes;
  for (StringAttr axis : order)
    if (llvm::is_contained(axesOf(x.getType()), axis) || llvm::is_contained(axesOf(y.getType()), axis))
      axes.push_back(axis);
  return axes;
}

static bool varies(Value value, AxisList along) {
  return llvm::any_of(axesOf(value.getType()), [&](StringAttr axis) { return llvm::is_contained(along, axis); });
}

Value CotangentBuilder::constant(double value) { return arith::ConstantOp::create(b, b.getFloatAttr(element, value)); }

Value CotangentBuilder::to(Value value, AxisList axes) { return broadcastTo(b, b.getLoc(), value, axes); }

Value CotangentBuilder::count(AxisList axes) {
  return arith::SIToFPOp::create(b, element, SizeOp::create(b, arrayOf(b.getContext(), axes)));
}

Value CotangentBuilder::isNotZero(Value value) {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, value, to(constant(0), axesOf(value.getType())));
}

Value CotangentBuilder::productWhere(Value test, Value x, Value y) {
  Value product = arith::MulFOp::create(b, x, y);
  auto select = arith::SelectOp::create(b, test, product, to(constant(0), axesOf(product.getType())));
  select->setAttr(GuardedProduct::attribute, b.getUnitAttr());
  return select;
}

Value CotangentBuilder::scaleBy(Value value, double scale) {
  if (scale == 1) return value;
  if (scale == -1) return arith::NegFOp::create(b, value);
  return arith::MulFOp::create(b, value, to(constant(scale), axesOf(value.getType())));
}

Value CotangentBuilder::multiply(Value cotangent, Value derivative, AxisList order) {
  SmallVector<StringAttr> axes = unite(cotangent, derivative, order);
  // The test is as cheap as the cotangent is short.
  Value test = to(isNotZero(cotangent), axes);
  return productWhere(test, to(cotangent, axes), to(derivative, axes));
}

Value CotangentBuilder::product(const Cotangent &cotangent, AxisList order) {
  SmallVector<Value, 4> factors = cotangent.factors;
  double scale = cotangent.scale;
  auto size = [](Value value) { return axesOf(value.getType()).size(); };
  if (scale != 1) { // where it is cheapest
    auto *least = llvm::min_element(factors, [&](Value x, Value y) { return size(x) < size(y); });
    *least = scaleBy(*least, scale);
  }
  while (factors.size() > 1) { // the pair over the fewest axes first, from the left
    size_t first = 0, second = 1, fewest = ~size_t(0);
    for (size_t i = 0; i < factors.size(); ++i)
      for (size_t j = i + 1; j < factors.size(); ++j)
        if (size_t axes = unite(factors[i], factors[j], order).size(); axes < fewest)
          first = i, second = j, fewest = axes;
    factors[first] = multiply(factors[first], factors[second], order);
    factors.erase(factors.begin() + second);
  }
  return factors.front();
}

Value CotangentBuilder::over(const Cotangent &cotangent, AxisList axes) { return to(product(cotangent, axes), axes); }

Value CotangentBuilder::sum(ArrayRef<Cotangent> terms, AxisList axes) {
  // Terms that are constant along a row are added once a row: those over the fewest axes first.
  struct Term {
    Value value;
    bool negative;
  };
  SmallVector<Term> sorted;
  for (const Cotangent &term : terms) {
    bool negative = term.scale < 0;
    Value value = product(negative ? term.scaled(-1) : term, axes);
    auto *place = llvm::upper_bound(sorted, axesOf(value.getType()).size(), [](size_t size, const Term &other) {
      return size < axesOf(other.value.getType()).size();
    });
    sorted.insert(place, {value, negative});
  }
  Value total;
  bool totalIsNegative = false;
  for (auto [value, negative] : sorted) {
    if (!total) {
      total = value, totalIsNegative = negative;
      continue;
    }
    SmallVector<StringAttr> both = unite(total, value, axes);
    Value x = to(total, both), y = to(value, both);
    if (negative == totalIsNegative) total = arith::AddFOp::create(b, x, y);
    else total = negative ? arith::SubFOp::create(b, x, y) : arith::SubFOp::create(b, y, x), totalIsNegative = false;
  }
  if (!total) return {};
  return to(totalIsNegative ? arith::NegFOp::create(b, total) : total, axes);
}

Cotangent CotangentBuilder::reduced(const Cotangent &cotangent, AxisList added, AxisList order) {
  Cotangent inside, result;
  SmallVector<Value> before; // constant along the sum, yet derivatives of what those inside are cotangents of
  result.scale = cotangent.scale;
  for (Value factor : cotangent.factors)
    if (varies(factor, added)) inside.factors.push_back(factor);
  size_t left = inside.factors.size();
  bool cameIn = left && inside.factors.front() == cotangent.factors.front();
  for (Value factor : cotangent.factors) {
    if (varies(factor, added)) --left;
    else if (left && cameIn) before.push_back(factor);
    else result.factors.push_back(factor);
  }
  SmallVector<StringAttr> summed, constantAlong;
  for (StringAttr axis : added) {
    bool inner =
        llvm::any_of(inside.factors, [&](Value factor) { return llvm::is_contained(axesOf(factor.getType()), axis); });
    (inner ? summed : constantAlong).push_back(axis);
  }
  if (!inside.factors.empty()) {
    Value total = ReduceOp::create(b, ReduceKind::sum, product(inside, order), arrayOf(b.getContext(), summed),
                                   b.getArrayAttr({}));
    // Where such a derivative is 0, so was each cotangent under the sum.
    for (Value factor : before) {
      SmallVector<StringAttr> axes = unite(total, factor, order);
      Value both = arith::AndIOp::create(b, to(isNotZero(total), axes), to(isNotZero(factor), axes));
      total = productWhere(both, to(total, axes), to(factor, axes));
    }
    result.factors.insert(cameIn ? result.factors.begin() : result.factors.end(), total);
  }
  if (!constantAlong.empty()) result.factors.push_back(count(constantAlong));
  return result;
}

} // namespace normc
