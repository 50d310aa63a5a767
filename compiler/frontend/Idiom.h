#ifndef NORMC_COMPILER_FRONTEND_IDIOM_H
#define NORMC_COMPILER_FRONTEND_IDIOM_H
#include "compiler/frontend/Graph.h"
#include "dialect/Norm.h"

namespace normc {

/// What an op, or an op with those that only it reads, is in the language.
struct Idiom {
  enum class Kind : uint8_t {
    op,          // what it is by itself
    mean,        // sum(a over ...) / count(over ...)
    reduction,   // one op; or a reduction, and then the same across replicas
    acrossOnly,  // across replicas, and over no axis
    count,       // of the points of all replicas
    sigmoid,     // 1 / (exp(-a) + 1)
    clamp,       // min(max(a, b), c), which has a derivative of its own
    lowerClamp,  // its max alone
    upperClamp,  // its min alone
    subtraction, // a + -b
    negation,    // 0 - a
    inversion,   // a xor true
    guarded,     // where(a != 0, a * b, 0), of a cotangent and a derivative
  };
  Kind kind = Kind::op;
  llvm::SmallVector<mlir::Value, 3> operands = {}; // what is shown in it
  norm::ReduceOp reduce = {};                      // of a mean or a reduction
  mlir::ArrayAttr counted = {};                    // the axes of a count
  bool across = false;
};

Idiom idiomOf(mlir::Operation *op);

/// What the language leaves out: broadcasts, loads, conversions to a real, stores to a type that holds every value.
bool isImplicit(mlir::Operation *op);
/// The value itself, behind what is left out.
mlir::Value shownOf(mlir::Value value);
/// The kind in which the language computes with elements of a type in memory.
ValueKind kindOf(mlir::Type type);
inline bool isReal(mlir::Value value) { return kindOf(value.getType()) == ValueKind::real; }

} // namespace normc
#endif
