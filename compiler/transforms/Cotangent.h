#ifndef NORMC_COMPILER_TRANSFORMS_COTANGENT_H
#define NORMC_COMPILER_TRANSFORMS_COTANGENT_H
#include "dialect/Norm.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace normc {

/// The cotangent of a value, or one term of it, as a product: `scale · factors[0] · factors[1] · …`. The first factor
/// is what came in, the others are local derivatives in the order they were met. Each ranges over some of the value's
/// axes and is constant along the others, so that what is constant along a row leaves the sums over that row.
struct Cotangent {
  llvm::SmallVector<mlir::Value, 4> factors;
  double scale = 1;

  Cotangent times(mlir::Value factor) const {
    Cotangent product = *this;
    product.factors.push_back(factor);
    return product;
  }
  Cotangent scaled(double by) const {
    Cotangent product = *this;
    product.scale *= by;
    return product;
  }
};

/// Builds values from cotangents, after the rule that a cotangent of exactly 0 contributes 0 whatever the local
/// derivative is. The select that says so is marked `norm.zero_cotangent`: the test is not differentiated.
class CotangentBuilder {
public:
  CotangentBuilder(mlir::ImplicitLocOpBuilder &builder, mlir::Type element) : b(builder), element(element) {}

  /// `cotangent · derivative`, 0 where the cotangent is; over the axes of both, in the order of `order`.
  mlir::Value multiply(mlir::Value cotangent, mlir::Value derivative, norm::AxisList order);
  /// The product over the axes of its factors, in the order of `order`.
  mlir::Value product(const Cotangent &cotangent, norm::AxisList order);
  /// The product over all of `axes`.
  mlir::Value over(const Cotangent &cotangent, norm::AxisList axes);
  /// The sum of terms over all of `axes`; null for none.
  mlir::Value sum(llvm::ArrayRef<Cotangent> terms, norm::AxisList axes);
  /// The cotangent of what was broadcast along `added`: the sum over those, which are among the axes `order`.
  Cotangent reduced(const Cotangent &cotangent, norm::AxisList added, norm::AxisList order);

  mlir::Value constant(double value);
  mlir::Value to(mlir::Value value, norm::AxisList axes);
  /// The number of points of some axes, as a float.
  mlir::Value count(norm::AxisList axes);

private:
  mlir::Value isNotZero(mlir::Value value);
  mlir::Value productWhere(mlir::Value test, mlir::Value x, mlir::Value y);
  mlir::Value scaleBy(mlir::Value value, double scale);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Type element;
};

} // namespace normc
#endif
