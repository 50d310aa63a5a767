#ifndef NORMC_COMPILER_FRONTEND_EMITVALUES_H
#define NORMC_COMPILER_FRONTEND_EMITVALUES_H
#include "compiler/frontend/Resolve.h"
#include "dialect/Norm.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace normc {

mlir::Location locationOf(mlir::MLIRContext *context, Spot spot);

/// Emits the values of a graph as ops: upstream arithmetic on equal types, norm.broadcast to get there.
class ValueEmitter {
public:
  ValueEmitter(mlir::OpBuilder &builder, const ResolvedKernel &kernel, mlir::ValueRange arguments);

  /// Emits what the given values and the factors of splits need, each once, operands before users; a `let`'s name goes
  /// with the location.
  void emit(const std::vector<NodeId> &roots);
  mlir::Value operator[](NodeId node) const { return values[node]; }
  /// A value as it goes to memory of this type, over the same axes.
  mlir::Value store(NodeId node, mlir::Type memory);

private:
  mlir::Value emitNode(const Node &node);
  mlir::Value elementwise(const Node &node);
  mlir::Value constant(const Constant &value, mlir::Type type);
  mlir::Value input(const Node &node);
  mlir::Value compare(const Node &node);
  /// A value over the axes of a type.
  mlir::Value toAxes(mlir::Value value, mlir::Type type);
  mlir::Type typeOf(ValueKind kind, AxisSet axes) const;
  mlir::Type typeOf(const Node &node) const { return typeOf(node.kind, node.axes); }
  llvm::SmallVector<mlir::StringAttr> namesOf(AxisSet axes) const;
  mlir::ArrayAttr arrayOf(AxisSet axes) const { return norm::arrayOf(builder.getContext(), namesOf(axes)); }

  mlir::OpBuilder &builder;
  const ResolvedKernel &kernel;
  const Graph &graph;
  mlir::ValueRange arguments;
  mlir::Location location;
  std::vector<mlir::Value> values; // by node, over its axes in the order of the table
};

} // namespace normc
#endif
