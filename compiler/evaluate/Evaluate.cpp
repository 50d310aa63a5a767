// The norm dialect, executed op by op on whole values.
#include "compiler/evaluate/Evaluate.h"
#include "compiler/emit/SignatureOf.h"
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

class Execution {
public:
  Execution(KernelOp kernel, const Signature &signature, const Extents &extents, const std::vector<void *> &arguments,
            Diagnostics &diagnostics)
      : kernel(kernel), signature(signature), arguments(arguments), diagnostics(diagnostics) {
    for (auto [row, extent] : llvm::zip(signature.axes, extents.rows))
      sizes[StringAttr::get(kernel.getContext(), row.name)] = extent;
  }

  bool run() {
    for (Operation &op : kernel.getBody().front()) {
      if (auto end = dyn_cast<ReturnOp>(op)) return storeResults(end);
      if (!execute(&op)) {
        diagnostics.error({}, "the evaluator does not know " + op.getName().getStringRef().str(), Fault::system);
        return false;
      }
      for (Value operand : op.getOperands()) release(operand);
      for (Value result : op.getResults())
        if (result.use_empty()) values.erase(result);
    }
    return true;
  }

private:
  KernelOp kernel;
  const Signature &signature;
  const std::vector<void *> &arguments;
  Diagnostics &diagnostics;
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

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  bool execute(Operation *op) {
    if (isa<FactorOp>(op)) return true; // checked by whoever bound the extents
    if (auto moments = dyn_cast<MomentsOp>(op)) return executeMoments(moments);
    Array result;
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) result = scalar(cellOf(constant.getValue()));
    else if (isa<BroadcastOp, StopGradientOp, AllReduceOp>(op)) result = get(op->getOperand(0));
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
    for (StringAttr leaf : llvm::reverse(kernel.leavesOf(op.getAxisAttr()))) {
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
    forKept(input, result, [&](Cell &cell, ArrayRef<int64_t> offsets) {
      switch (kind) {
      case ReduceKind::sum: {
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

  /// Any method in two passes: in double the difference is nothing.
  bool executeMoments(MomentsOp op) {
    SmallVector<Array> operands = {get(op.getInput())};
    operands.push_back(op.getWeights() ? get(op.getWeights()) : scalar({.real = 1}));
    Array mean = allocate(keptAxes(operands, op.getMean().getType()));
    Array variance = allocate(mean.axes);
    SmallVector<StringAttr> over = namesOf(op.getOver());
    SmallVector<int64_t> extents = extentsOf(over), dx = stridesOf(operands[0], over),
                         dw = stridesOf(operands[1], over);
    forKept(operands, mean, [&](Cell &cell, ArrayRef<int64_t> offsets) {
      const Cell *x = operands[0].data() + offsets[0], *w = operands[1].data() + offsets[1];
      auto each = [&](llvm::function_ref<void(long double value, long double weight)> visit) {
        walk(extents, {dx, dw}, [&](ArrayRef<int64_t> at, int64_t count) {
          for (int64_t i = 0; i < count; ++i) visit(x[at[0] + i * lastOf(dx)].real, w[at[1] + i * lastOf(dw)].real);
        });
      };
      long double total = 0, sum = 0, squares = 0;
      each([&](long double value, long double weight) { total += weight, sum += weight * value; });
      long double center = sum / total;
      each([&](long double value, long double weight) { squares += weight * (value - center) * (value - center); });
      cell.real = double(center);
      (*variance.cells)[&cell - mean.cells->data()].real = double(squares / total);
    });
    values[op.getMean()] = std::move(mean);
    values[op.getVariance()] = std::move(variance);
    return true;
  }

  bool storeResults(ReturnOp end) {
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
    return true;
  }
};
} // namespace

bool evaluate(KernelOp kernel, const Signature &signature, const Extents &extents, const std::vector<void *> &arguments,
              Diagnostics &diagnostics) {
  try {
    return Execution(kernel, signature, extents, arguments, diagnostics).run();
  } catch (const std::bad_alloc &) {
  } catch (const std::length_error &) {}
  diagnostics.error({}, "not enough memory to evaluate kernel " + signature.kernel, Fault::system);
  return false;
}

} // namespace normc
