// The norm dialect, executed op by op on whole values.
#include "compiler/evaluate/Evaluate.h"
#include "compiler/StorageType.h"
#include "compiler/evaluate/Elementwise.h"
#include "dialect/Norm.h"
#include <cmath>
#include <limits>
#include <new>
#include <stdexcept>
using namespace mlir;
using namespace norm;

namespace normc {
namespace {
/// A value: cells, and how far apart neighbours along each axis lie. Along an axis that is not listed it is constant,
/// so a broadcast costs nothing.
struct Array {
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  std::shared_ptr<std::vector<Cell>> cells;

  int64_t strideOf(StringAttr axis) const {
    const auto *found = llvm::find(axes, axis);
    return found == axes.end() ? 0 : strides[found - axes.begin()];
  }
  const Cell *data() const { return cells->data() + offset; }
};

/// Walks over points row by row: `row` gets the offset of each operand at a row's first point, and the row's length.
void walk(ArrayRef<int64_t> extents, ArrayRef<SmallVector<int64_t>> strides,
          llvm::function_ref<void(ArrayRef<int64_t> offsets, int64_t count)> row) {
  if (llvm::is_contained(extents, 0)) return;
  SmallVector<int64_t> offsets(strides.size(), 0), index(extents.size(), 0);
  int64_t last = int64_t(extents.size()) - 1;
  while (true) {
    row(offsets, last < 0 ? 1 : extents[last]);
    int64_t axis = last - 1;
    for (; axis >= 0; --axis) {
      for (auto [offset, stride] : llvm::zip(offsets, strides)) offset += stride[axis];
      if (++index[axis] < extents[axis]) break;
      for (auto [offset, stride] : llvm::zip(offsets, strides)) offset -= stride[axis] * extents[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}
int64_t lastOf(const SmallVector<int64_t> &strides) { return strides.empty() ? 0 : strides.back(); }

/// One replica's execution. What is reduced across replicas, the executions of all of them do together.
class Execution {
public:
  Execution(KernelOp kernel, const Signature &signature, const ReplicaArguments &replica)
      : kernel(kernel), signature(signature), arguments(replica.memory) {
    for (auto [row, extent] : llvm::zip(signature.axes, replica.extents->rows))
      sizes[StringAttr::get(kernel.getContext(), row.name)] = extent;
  }

  /// False where it does not know the op.
  static bool execute(Operation *op, ArrayRef<std::unique_ptr<Execution>> replicas) {
    auto moments = dyn_cast<MomentsOp>(op);
    if (auto reduce = dyn_cast<AllReduceOp>(op)) executeAllReduce(reduce, replicas);
    else if (moments && moments.getAcross()) executeMoments(moments, replicas);
    else
      for (size_t i = 0; i < replicas.size(); ++i)
        if (moments) executeMoments(moments, replicas.slice(i, 1));
        else if (!replicas[i]->execute(op)) return false;
    for (const std::unique_ptr<Execution> &replica : replicas) replica->releaseOperands(op);
    return true;
  }

  void storeResults(ReturnOp end) {
    SmallVector<Array> results = llvm::map_to_vector(end.getOperands(), [&](Value value) { return get(value); });
    for (auto [i, array] : llvm::enumerate(results)) {
      Type resultType = end.getOperand(i).getType();
      ElementType type = *elementTypeOf(resultType);
      void *memory = memoryOf(kernel.resultName(i));
      SmallVector<int64_t> strides = stridesOf(array, axesOf(resultType));
      int64_t next = 0;
      walk(extentsOf(axesOf(resultType)), {strides}, [&](ArrayRef<int64_t> at, int64_t count) {
        for (int64_t j = 0; j < count; ++j) store(type, memory, next++, array.data()[at[0] + j * lastOf(strides)]);
      });
    }
  }

private:
  KernelOp kernel;
  const Signature &signature;
  const std::vector<void *> &arguments;
  llvm::DenseMap<StringAttr, int64_t> sizes;
  llvm::DenseMap<Value, Array> values;
  llvm::DenseMap<Value, unsigned> uses; // so far

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  SmallVector<int64_t> extentsOf(AxisList axes) {
    return llvm::map_to_vector(axes, [&](StringAttr axis) { return sizes.at(axis); });
  }
  /// A new value over axes, outermost first, all cells unset.
  Array allocate(AxisList axes) {
    Array array;
    array.axes.assign(axes.begin(), axes.end());
    array.strides.resize(axes.size());
    int64_t count = 1;
    for (size_t i = axes.size(); i-- > 0;) {
      array.strides[i] = count;
      count *= sizes.at(axes[i]);
    }
    array.cells = std::make_shared<std::vector<Cell>>(count);
    return array;
  }
  Array scalar(Cell cell) {
    Array array = allocate({});
    array.cells->front() = cell;
    return array;
  }
  SmallVector<int64_t> stridesOf(const Array &array, AxisList axes) {
    return llvm::map_to_vector(axes, [&](StringAttr axis) { return array.strideOf(axis); });
  }

  void *memoryOf(StringRef name) {
    for (auto [argument, memory] : llvm::zip(signature.arguments, arguments))
      if (argument.name == name) return memory;
    return nullptr;
  }
  Array get(Value value) {
    auto found = values.find(value);
    if (found != values.end()) return found->second;
    auto argument = cast<BlockArgument>(value); // everything else has been computed
    ElementType type = *elementTypeOf(argument.getType());
    const void *memory = memoryOf(kernel.argumentName(argument.getArgNumber()));
    Array array = allocate(axesOf(argument.getType()));
    for (auto [index, cell] : llvm::enumerate(*array.cells)) cell = load(type, memory, int64_t(index));
    values[value] = array;
    return array;
  }
  /// Forgets a value after its last use.
  void release(Value value) {
    unsigned total = unsigned(std::distance(value.use_begin(), value.use_end()));
    if (++uses[value] == total) values.erase(value);
  }
  void releaseOperands(Operation *op) {
    for (Value operand : op->getOperands()) release(operand);
    for (Value result : op->getResults())
      if (result.use_empty()) values.erase(result);
  }

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  bool execute(Operation *op) {
    if (isa<FactorOp>(op)) return true; // checked by whoever bound the extents
    Array result;
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) result = scalar(cellOf(constant.getValue()));
    else if (isa<BroadcastOp, StopGradientOp>(op)) result = get(op->getOperand(0));
    else if (auto size = dyn_cast<SizeOp>(op)) result = sizeOf(size);
    else if (auto index = dyn_cast<IndexOp>(op)) result = indexAlong(index);
    else if (auto at = dyn_cast<AtOp>(op)) result = positionOf(at);
    else if (auto cast = dyn_cast<CastOp>(op)) result = convert(cast);
    else if (auto reduce = dyn_cast<ReduceOp>(op); reduce && reduce.getInto().empty()) result = executeReduce(reduce);
    else if (PointFunction function = pointFunctionOf(op)) result = elementwise(op, function);
    else return false;
    values[op->getResult(0)] = std::move(result);
    return true;
  }

  static Cell cellOf(Attribute value) {
    if (auto real = dyn_cast<FloatAttr>(value)) return {.real = real.getValueAsDouble()};
    const APInt &integer = cast<IntegerAttr>(value).getValue();
    return {.integer = integer.getBitWidth() == 1 ? !integer.isZero() : integer.getSExtValue()};
  }

  Array sizeOf(SizeOp op) {
    uint64_t product = 1;
    for (StringAttr axis : namesOf(op.getAxes())) product *= uint64_t(sizes.at(axis));
    return scalar({.integer = int64_t(product)});
  }

  /// Along a product it is the position among all its points.
  Array indexAlong(IndexOp op) {
    Array array = allocate(kernel.leavesOf(op.getAxisAttr()));
    for (auto [index, cell] : llvm::enumerate(*array.cells)) cell.integer = int64_t(index);
    return array;
  }

  Array positionOf(AtOp op) {
    Array array = get(op.getInput());
    int64_t position = get(op.getPosition()).data()->integer;
    assert(position >= 0 && position < sizes.at(op.getAxisAttr()) && "checked when the extents were bound");
    SmallVector<StringAttr> leaves = kernel.leavesOf(op.getAxisAttr());
    for (StringAttr leaf : llvm::reverse(leaves)) {
      int64_t size = sizes.at(leaf);
      array.offset += position % size * array.strideOf(leaf);
      position /= size;
      if (auto *found = llvm::find(array.axes, leaf); found != array.axes.end()) {
        array.strides.erase(array.strides.begin() + (found - array.axes.begin()));
        array.axes.erase(found);
      }
    }
    return array;
  }

  /// Over the axes along which any operand varies, in the order of the result.
  Array elementwise(Operation *op, llvm::function_ref<Cell(Cell, Cell, Cell)> function) {
    SmallVector<Array> operands = llvm::map_to_vector(op->getOperands(), [&](Value value) { return get(value); });
    assert(operands.size() <= 3 && "an elementwise op has at most three operands");
    operands.resize(3, operands.front());
    SmallVector<StringAttr> axes;
    for (StringAttr axis : axesOf(op->getResult(0).getType()))
      if (llvm::any_of(operands, [&](const Array &operand) { return llvm::is_contained(operand.axes, axis); }))
        axes.push_back(axis);
    Array result = allocate(axes);
    SmallVector<SmallVector<int64_t>> strides = {result.strides};
    for (const Array &operand : operands) strides.push_back(stridesOf(operand, axes));
    Cell *out = result.cells->data();
    const Cell *a = operands[0].data(), *b = operands[1].data(), *c = operands[2].data();
    int64_t da = lastOf(strides[1]), db = lastOf(strides[2]), dc = lastOf(strides[3]);
    walk(extentsOf(axes), strides, [&](ArrayRef<int64_t> at, int64_t count) {
      for (int64_t i = 0; i < count; ++i)
        out[at[0] + i] = function(a[at[1] + i * da], b[at[2] + i * db], c[at[3] + i * dc]);
    });
    return result;
  }

  Array convert(CastOp op) {
    Type from = getElementTypeOrSelf(op.getInput()), to = getElementTypeOrSelf(op.getType());
    ElementType type = *elementTypeOf(to);
    bool fromReal = isa<FloatType>(from);
    if (isa<FloatType>(to))
      return elementwise(op, [=](Cell a, Cell, Cell) -> Cell {
        return {.real = roundTo(type, fromReal ? a.real : double(a.integer))};
      });
    if (type == ElementType::boolean)
      return elementwise(
          op, [=](Cell a, Cell, Cell) -> Cell { return {.integer = fromReal ? a.real != 0 : a.integer != 0}; });
    return elementwise(op, [=](Cell a, Cell, Cell) -> Cell {
      return {.integer = fromReal ? roundToInteger(type, a.real) : saturate(type, a.integer)};
    });
  }

  /// Calls `reduce` once for each point of what is kept, with the offsets of the first reduced point.
  void forKept(ArrayRef<Array> operands, Array &result,
               llvm::function_ref<void(Cell &result, ArrayRef<int64_t> offsets)> reduce) {
    SmallVector<SmallVector<int64_t>> strides = {result.strides};
    for (const Array &operand : operands) strides.push_back(stridesOf(operand, result.axes));
    walk(extentsOf(result.axes), strides, [&](ArrayRef<int64_t> at, int64_t count) {
      SmallVector<int64_t> offsets(at.drop_front());
      for (int64_t i = 0; i < count; ++i) {
        reduce((*result.cells)[at[0] + i], offsets);
        for (auto [offset, stride] : llvm::zip(offsets, ArrayRef(strides).drop_front())) offset += lastOf(stride);
      }
    });
  }
  /// The axes along which a reduction's result varies.
  SmallVector<StringAttr> keptAxes(ArrayRef<Array> operands, Type type) {
    SmallVector<StringAttr> axes;
    for (StringAttr axis : axesOf(type))
      if (llvm::any_of(operands, [&](const Array &operand) { return llvm::is_contained(operand.axes, axis); }))
        axes.push_back(axis);
    return axes;
  }

  Array executeReduce(ReduceOp op) {
    Array input = get(op.getInput());
    Array result = allocate(keptAxes(input, op.getType()));
    SmallVector<StringAttr> over = namesOf(op.getOver());
    SmallVector<int64_t> extents = extentsOf(over), strides = stridesOf(input, over);
    auto each = [&](int64_t start, llvm::function_ref<void(Cell)> visit) {
      const Cell *from = input.data() + start;
      walk(extents, {strides}, [&](ArrayRef<int64_t> at, int64_t count) {
        for (int64_t i = 0; i < count; ++i) visit(from[at[0] + i * lastOf(strides)]);
      });
    };
    ReduceKind kind = op.getKind();
    bool isReal = isa<FloatType>(getElementTypeOrSelf(op.getType()));
    forKept(input, result, [&](Cell &cell, ArrayRef<int64_t> offsets) {
      switch (kind) {
      case ReduceKind::sum: {
        if (!isReal) {
          uint64_t wrapped = 0;
          each(offsets[0], [&](Cell value) { wrapped += uint64_t(value.integer); });
          cell.integer = int64_t(wrapped);
          break;
        }
        long double sum = 0;
        each(offsets[0], [&](Cell value) { sum += value.real; });
        cell.real = double(sum);
        break;
      }
      case ReduceKind::max:
      case ReduceKind::min: {
        double sign = kind == ReduceKind::max ? 1 : -1, most = -std::numeric_limits<double>::infinity();
        each(offsets[0], [&](Cell value) {
          double candidate = sign * value.real;
          if (std::isnan(candidate) || candidate > most) most = std::isnan(most) ? most : candidate;
        });
        cell.real = sign * most;
        break;
      }
      case ReduceKind::any:
      case ReduceKind::all: {
        bool isAny = kind == ReduceKind::any, found = false; // a true one, or a false one
        each(offsets[0], [&](Cell value) { found |= (value.integer != 0) == isAny; });
        cell.integer = found == isAny;
        break;
      }
      }
    });
    return result;
  }

  /// Any method in two passes over all replicas' points: in double the difference is nothing.
  static void executeMoments(MomentsOp op, ArrayRef<std::unique_ptr<Execution>> replicas) {
    struct Sums {
      long double total = 0, sum = 0, center = 0, squares = 0;
    };
    std::vector<Sums> sums;
    Array mean, variance;
    auto each = [&](llvm::function_ref<void(Sums &, long double value, long double weight)> visit) {
      for (const std::unique_ptr<Execution> &replica : replicas) {
        Array x = replica->get(op.getInput());
        Array w = op.getWeights() ? replica->get(op.getWeights()) : replica->scalar({.real = 1});
        SmallVector<StringAttr> over = namesOf(op.getOver());
        SmallVector<int64_t> extents = replica->extentsOf(over), dx = replica->stridesOf(x, over),
                             dw = replica->stridesOf(w, over);
        mean = replica->allocate(replica->keptAxes({x, w}, op.getMean().getType()));
        variance = replica->allocate(mean.axes);
        sums.resize(mean.cells->size());
        replica->forKept({x, w}, mean, [&](Cell &cell, ArrayRef<int64_t> offsets) {
          Sums &kept = sums[&cell - mean.cells->data()];
          const Cell *value = x.data() + offsets[0], *weight = w.data() + offsets[1];
          walk(extents, {dx, dw}, [&](ArrayRef<int64_t> at, int64_t count) {
            for (int64_t i = 0; i < count; ++i)
              visit(kept, value[at[0] + i * lastOf(dx)].real, weight[at[1] + i * lastOf(dw)].real);
          });
        });
      }
    };
    each([](Sums &kept, long double value, long double weight) { kept.total += weight, kept.sum += weight * value; });
    for (Sums &kept : sums) kept.center = kept.sum / kept.total;
    each([](Sums &kept, long double value, long double weight) {
      kept.squares += weight * (value - kept.center) * (value - kept.center);
    });
    for (auto [i, kept] : llvm::enumerate(sums)) {
      (*mean.cells)[i].real = double(kept.center);
      (*variance.cells)[i].real = double(kept.squares / kept.total);
    }
    for (const std::unique_ptr<Execution> &replica : replicas) {
      replica->values[op.getMean()] = mean;
      replica->values[op.getVariance()] = variance;
    }
  }

  static void executeAllReduce(AllReduceOp op, ArrayRef<std::unique_ptr<Execution>> replicas) {
    bool isInteger = !isa<FloatType>(getElementTypeOrSelf(op.getInput()));
    Array result;
    std::vector<long double> reals;
    for (const std::unique_ptr<Execution> &replica : replicas) {
      Array input = replica->get(op.getInput());
      bool isFirst = !result.cells;
      if (isFirst) result = replica->allocate(input.axes);
      reals.resize(result.cells->size());
      replica->forKept(input, result, [&](Cell &cell, ArrayRef<int64_t> offsets) {
        Cell value = input.data()[offsets[0]];
        long double &real = reals[&cell - result.cells->data()];
        if (isInteger) cell.integer = int64_t(uint64_t(cell.integer) + uint64_t(value.integer));
        else if (isFirst) real = value.real;
        else if (op.getKind() == ReduceKind::sum) real += value.real;
        else if (std::isnan(value.real) || (op.getKind() == ReduceKind::max ? value.real > real : value.real < real))
          real = std::isnan(real) ? real : value.real;
      });
    }
    if (!isInteger)
      for (auto [cell, real] : llvm::zip(*result.cells, reals)) cell.real = double(real);
    for (const std::unique_ptr<Execution> &replica : replicas) replica->values[op.getResult()] = result;
  }
};
} // namespace

bool evaluate(KernelOp kernel, const Signature &signature, std::span<const ReplicaArguments> replicas,
              Diagnostics &diagnostics) {
  std::vector<const Extents *> extents;
  for (const ReplicaArguments &replica : replicas) extents.push_back(replica.extents);
  if (std::string problem = compareReplicas(signature, extents); !problem.empty()) {
    diagnostics.error({signature.kernel}, problem);
    return false;
  }
  try {
    std::vector<std::unique_ptr<Execution>> executions;
    for (const ReplicaArguments &replica : replicas)
      executions.push_back(std::make_unique<Execution>(kernel, signature, replica));
    for (Operation &op : kernel.getBody().front()) {
      if (auto end = dyn_cast<ReturnOp>(op)) {
        for (const std::unique_ptr<Execution> &execution : executions) execution->storeResults(end);
      } else if (!Execution::execute(&op, executions)) {
        diagnostics.error({}, "the evaluator does not know " + op.getName().getStringRef().str(), Fault::system);
        return false;
      }
    }
    return true;
  } catch (const std::bad_alloc &) {
  } catch (const std::length_error &) {}
  diagnostics.error({}, "not enough memory to evaluate kernel " + signature.kernel, Fault::system);
  return false;
}

} // namespace normc
