#ifndef NORM_DIALECT_NORM_H
#define NORM_DIALECT_NORM_H
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/NormDialect.h.inc"
#include "dialect/NormEnums.h.inc"
namespace norm {
using AxisList = llvm::ArrayRef<mlir::StringAttr>;

/// The axes a value ranges over, in the order of its type; none for a scalar and a 0-d tensor.
AxisList axesOf(mlir::Type type);
/// A tensor: what arguments and workspace are. The 0-d `tensor<f32>` is memory of one element.
bool isMemory(mlir::Type type);
/// A value of `type`'s elements over `axes`: a plain scalar where there are none.
mlir::Type withAxes(mlir::Type type, AxisList axes);
/// The same axes with other elements.
mlir::Type withElement(mlir::Type type, mlir::Type element);
/// The names in an attribute of an op.
llvm::SmallVector<mlir::StringAttr> namesOf(mlir::ArrayAttr names);
mlir::ArrayAttr arrayOf(mlir::MLIRContext *context, AxisList names);
/// The axes a phase or a pass around `op` binds, outermost first, products as their names.
llvm::SmallVector<mlir::StringAttr> boundAt(mlir::Operation *op);
/// The mark of a subtraction of the second part of a mean that is held in two.
constexpr llvm::StringLiteral restAttribute = "norm.rest";
/// A product, and the select that lets it count only where a cotangent is not 0, if it stands under one.
struct GuardedProduct {
  /// The mark of such a select: product or 0. A further derivation takes it for the product.
  static constexpr llvm::StringLiteral attribute = "norm.zero_cotangent";

  mlir::arith::MulFOp multiply; // null: `of` is no product
  mlir::arith::SelectOp where;

  explicit GuardedProduct(mlir::Value of);
};
/// A sample is of one of the axes of an op (reduce_c4, moments_c6, sampled_c3, pass_c4).
mlir::LogicalResult verifySample(mlir::Operation *op, mlir::StringAttr sample, mlir::ArrayAttr axes);
/// What a reduction takes instead of `element`, for messages; empty where it takes that.
llvm::StringRef expectedElement(ReduceKind kind, mlir::Type element);
/// What a reduction gives for no points, in a type that it takes: 0, -inf, inf, false, true.
mlir::TypedAttr neutralOf(ReduceKind kind, mlir::Type element);
/// A value over these axes: itself where it ranges over just them.
mlir::Value broadcastTo(mlir::OpBuilder &builder, mlir::Location location, mlir::Value value, AxisList axes);
/// The constant that a value is at every point; null where it is none.
mlir::TypedAttr constantOf(mlir::Value value);
/// Whether an op computes each point of its one result from that point of its operands.
bool isElementwise(mlir::Operation *op);
/// Whether `all` is `one` over an axis more, the outermost: what replicas gather.
mlir::LogicalResult verifyGathered(mlir::Operation *op, mlir::Type one, mlir::Type all);
} // namespace norm
#define GET_ATTRDEF_CLASSES
#include "dialect/NormAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialect/NormOps.h.inc"
#endif
