#ifndef NORMC_COMPILER_TRANSFORMS_ADJOINT_H
#define NORMC_COMPILER_TRANSFORMS_ADJOINT_H
#include "compiler/transforms/Cotangent.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace normc {

/// Reverse-mode differentiation of a kernel in value form: a forward sweep that copies its ops, and a reverse sweep in
/// which cotangents go from results to operands (Griewank & Walther, Evaluating Derivatives, 2008, section 3.2).
///
/// Normalization shapes two choices. Cotangents stay products whose factors are constant along a row where they can
/// (Cotangent). And the cotangent of a root, b = rsqrt(u), that multiplies y = v · b is kept relative to it, as
/// Σ dy · y = b · db: the sum that dgamma needs too; u then receives −½ b² (b · db), and where that meets v again,
/// v · b is the forward pass's normalized value.
class Adjoint {
public:
  /// `active` are the kernel's values that depend on what is differentiated with respect to.
  Adjoint(mlir::ImplicitLocOpBuilder &builder, mlir::Type element, const llvm::DenseSet<mlir::Value> &active)
      : b(builder), build(builder, element), element(element), active(active) {}

  /// Says what stands for a value of the kernel in the derived one.
  void define(mlir::Value value, mlir::Value primal) { map.map(value, primal); }
  mlir::Value primal(mlir::Value value) const { return map.lookup(value); }
  /// A value that is given in the place of what defines it: a select marked `norm.given`, which always takes the
  /// former, while differentiation goes through the latter.
  mlir::Value given(mlir::Value value, mlir::Value definition);
  static bool isGiven(mlir::arith::SelectOp op);
  /// Copies an op of the kernel.
  void forward(mlir::Operation &op);

  /// Adds a term to the cotangent of a value of the kernel.
  void add(mlir::Value value, Cotangent term);
  /// Takes the cotangents of an op's results to its operands; called for each op, the last one first.
  void reverse(mlir::Operation &op);
  /// The cotangent of a value over its axes: 0 where nothing led there.
  mlir::Value total(mlir::Value value);

private:
  using Terms = llvm::SmallVector<Cotangent, 2>;

  norm::AxisList axes(mlir::Value value) const { return norm::axesOf(value.getType()); }
  bool isActive(mlir::Value value) const { return active.contains(value); }
  /// The terms of a value as one; none where nothing led there.
  std::optional<Cotangent> gather(llvm::DenseMap<mlir::Value, Terms> &from, mlir::Value value);
  /// A term over all axes of the value it belongs to.
  mlir::Value whole(const Cotangent &term, mlir::Value like) { return build.over(term, axes(like)); }
  /// What stands for a value, over as few axes as it varies along.
  mlir::Value narrow(mlir::Value value) const;
  /// A term times a value of the kernel. Where v · r is a value of the forward pass and r a factor of the term, that
  /// value takes the place of both.
  Cotangent times(const Cotangent &term, mlir::Value value);
  mlir::Value reciprocal(mlir::Value value);

  void reverseMultiply(mlir::arith::MulFOp op, const Cotangent &term);
  void reverseDivide(mlir::arith::DivFOp op, const Cotangent &term);
  /// Adds to the operand's relative cotangent where that is a root along a row.
  bool addRelative(mlir::Value operand, mlir::Value product, const Cotangent &term);
  void reverseRoot(mlir::Operation &op);
  void reverseUnary(mlir::Operation &op, const Cotangent &term);
  void reverseExtremum(mlir::Operation &op, bool isMaximum, const Cotangent &term);
  void reversePower(mlir::Operation &op, const Cotangent &term);
  void reverseSelect(mlir::arith::SelectOp op, const Cotangent &term);
  void reverseReduce(norm::ReduceOp op, const Cotangent &term);
  void reverseAllReduce(norm::AllReduceOp op, const Cotangent &term);
  void reverseMoments(norm::MomentsOp op);
  void reverseAt(norm::AtOp op, const Cotangent &term);
  /// To each point that equals the extremum an equal share; the points of all replicas where `across`. NaN where the
  /// extremum is.
  void shareAmongTies(mlir::Value input, mlir::Value extremum, mlir::ArrayAttr over, bool across,
                      const Cotangent &term);

  mlir::Value constantLike(double value, mlir::Value like) { return build.to(build.constant(value), axes(like)); }
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value x, mlir::Value y);
  mlir::Value compareEqual(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value yes, mlir::Value no);
  /// The position along an axis, over its leaves.
  mlir::Value indexAlong(mlir::StringAttr axis);
  mlir::Value sumAcross(mlir::Value value);
  /// A value of the derived kernel as a float, where it is an integer.
  mlir::Value real(mlir::Value value);

  mlir::ImplicitLocOpBuilder &b;
  CotangentBuilder build;
  mlir::Type element;
  const llvm::DenseSet<mlir::Value> &active;
  mlir::IRMapping map;
  llvm::DenseMap<mlir::Value, Terms> terms;
  llvm::DenseMap<mlir::Value, Terms> relative; // of roots: Σ ct · v for those products v that have it as a factor
  /// Products of the kernel: (v of the kernel, r of the derived kernel) → v · r of the kernel.
  llvm::DenseMap<std::pair<mlir::Value, mlir::Value>, mlir::Value> products;
  llvm::DenseMap<mlir::Value, mlir::Value> reciprocals;
};

} // namespace normc
#endif
