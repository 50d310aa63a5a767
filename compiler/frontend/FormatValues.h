#ifndef NORMC_COMPILER_FRONTEND_FORMATVALUES_H
#define NORMC_COMPILER_FRONTEND_FORMATVALUES_H
#include "compiler/frontend/Idiom.h"
#include "compiler/frontend/TypedExpr.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <set>

namespace normc {

/// Writes the values of a kernel as statements of the language. What is used once stands where it is used as long as a
/// line stays readable; the rest has a name.
class ValueFormatter {
public:
  explicit ValueFormatter(norm::KernelOp kernel);

  /// The assignments of outputs and state, each behind the `let`s that it needs.
  std::vector<Statement> statements();
  /// What the factor of a split is, in one expression.
  Expr factor(mlir::Value size);
  /// Whether they call `times`, which is not built in.
  bool callsTimes() const { return hasGuarded; }
  AxisRef axis(llvm::StringRef name) const { return {name.str(), packs.contains(name), {}}; }

private:
  /// What is returned: an output, or the update of state.
  struct Result {
    std::string name;
    AxisSet axes = 0;
    bool isState = false;
    bool takesReal = false; // a real that goes to an integer type
  };

  void declareAxes();
  void declareResults();
  void countUses();

  void format(mlir::Operation &op);
  void formatMoments(norm::MomentsOp op);
  /// Assigns a value to what it is returned as, or names it, or keeps it for its only use.
  void finish(mlir::Value value, TypedExpr typed);
  void assign(const Result &result, const TypedExpr &typed);
  void write(decltype(Statement::what) what) { written.push_back({{}, std::move(what)}); }

  TypedExpr show(mlir::Operation &op, Idiom idiom);
  TypedExpr showOp(mlir::Operation &op, std::vector<TypedExpr> operands);
  TypedExpr showComparison(mlir::Operation &op, std::vector<TypedExpr> operands);
  TypedExpr showAt(norm::AtOp op, std::vector<TypedExpr> operands);
  TypedExpr showCast(norm::CastOp op, TypedExpr operand);
  TypedExpr reduction(std::string name, Idiom idiom, TypedExpr value);
  TypedExpr size(mlir::ArrayAttr axes);

  /// The expression of a value; a name where it has one.
  TypedExpr take(mlir::Value value);
  std::vector<TypedExpr> takeAll(llvm::ArrayRef<mlir::Value> values);
  TypedExpr bind(TypedExpr typed, const std::string &name);
  /// The value over more axes, which its expression leaves out: a condition that always holds ranges over them.
  /// `within` are the axes it has in the kernel.
  TypedExpr ranging(TypedExpr typed, AxisSet over, AxisSet within);
  TypedExpr alwaysTrue(unsigned leaf, AxisSet within);

  AxisSet setOf(mlir::Type type) const;
  AxisSet setOf(mlir::ArrayAttr names) const;
  std::vector<AxisRef> axesIn(AxisSet set);
  std::string uniqueName(const std::string &base);
  /// A name for what an op gives, as people call it.
  std::string nameFor(mlir::Value value);

  norm::KernelOp kernel;
  bool isDouble = false; // what it computes in: f64, else f32
  bool inFactor = false; // nothing can be named there
  bool hasGuarded = false;
  std::vector<Statement> written;
  std::vector<std::string> leaves; // the axes that are not split, by place in an AxisSet
  llvm::StringMap<AxisSet> sets;   // the leaves of each axis
  llvm::StringSet<> packs;
  std::set<std::string> names;      // in use
  llvm::StringMap<unsigned> counts; // of names made from one
  llvm::DenseMap<mlir::Value, unsigned> uses;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Result, 1>> results;
  llvm::DenseMap<mlir::Value, TypedExpr> exprs;
};

/// The name of an element type in the language.
std::string elementName(mlir::Type type);

} // namespace normc
#endif
