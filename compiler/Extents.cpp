// From the shapes of a call to the extent of every axis.
#include "compiler/Extents.h"
#include <cassert>
#include <charconv>

namespace normc {

static std::string list(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

static std::string list(const std::vector<Dimension> &dimensions) {
  std::string text = "[";
  for (size_t i = 0; i < dimensions.size(); ++i)
    text +=
        (i ? ", " : "") + (dimensions[i].axis.empty() ? "1" : dimensions[i].axis) + (dimensions[i].pack ? "..." : "");
  return text + "]";
}

Place parsePlace(const std::string &text) {
  Place place;
  size_t column = text.rfind(':');
  size_t line = column == std::string::npos || column == 0 ? std::string::npos : text.rfind(':', column - 1);
  if (line == std::string::npos) return Place{text};
  auto number = [&](size_t from, size_t to, unsigned &value) {
    auto [end, error] = std::from_chars(text.data() + from, text.data() + to, value);
    return error == std::errc() && end == text.data() + to;
  };
  if (!number(line + 1, column, place.line) || !number(column + 1, text.size(), place.column)) return Place{text};
  place.file = text.substr(0, line);
  return place;
}

std::optional<int64_t> elementsOf(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  bool empty = false, overflow = false;
  for (int64_t extent : shape) {
    empty |= extent == 0;
    overflow |= __builtin_mul_overflow(count, extent, &count);
  }
  if (empty) return 0;
  if (overflow) return {};
  return count;
}

std::string solveSplit(const AxisRow &row, std::optional<int64_t> &whole, std::optional<int64_t> &outer,
                       std::optional<int64_t> &inner) {
  const std::string split = "split " + row.name + " = " + row.outer + " * " + row.inner + ": ";
  if (outer && inner) {
    int64_t product = 0;
    if (__builtin_mul_overflow(*outer, *inner, &product))
      return split + std::to_string(*outer) + " * " + std::to_string(*inner) + " does not fit in 64 bits";
    if (whole && *whole != product)
      return split + row.outer + " * " + row.inner + " is " + std::to_string(*outer) + " * " + std::to_string(*inner) +
             " = " + std::to_string(product) + ", but " + row.name + " is " + std::to_string(*whole);
    whole = product;
    return {};
  }
  if (!whole || (!outer && !inner)) return {};
  const std::string &name = outer ? row.outer : row.inner;
  int64_t factor = outer ? *outer : *inner;
  if (factor == 0 && *whole == 0) return {}; // the other factor may be anything: something else has to tell
  if (factor == 0 || *whole % factor != 0)
    return split + name + " = " + std::to_string(factor) + " does not divide " + row.name + " = " +
           std::to_string(*whole);
  (outer ? inner : outer) = *whole / factor;
  return {};
}

std::optional<int64_t> evaluate(const IntegerExpression &expression,
                                const std::function<std::optional<int64_t>(const std::string &)> &sizes,
                                const std::function<std::optional<int64_t>(const std::string &, int64_t)> &inputs,
                                std::string &error) {
  using Kind = IntegerExpression::Kind;
  if (expression.kind == Kind::literal) return expression.literal;
  if (expression.kind == Kind::size) return sizes(expression.name);
  if (expression.kind == Kind::scalar) return inputs(expression.name, 0);
  auto operand = [&](unsigned i) { return evaluate(expression.operands[i], sizes, inputs, error); };
  auto first = operand(0);
  if (!first) return {};
  if (expression.kind == Kind::select) return operand(*first ? 1 : 2);
  // Wrapping arithmetic is unsigned in C++.
  auto wrap = [](uint64_t value) { return int64_t(value); };
  if (expression.kind == Kind::absolute) return *first < 0 ? wrap(-uint64_t(*first)) : *first;
  auto second = operand(1);
  if (!second) return {};
  int64_t a = *first, b = *second;
  switch (expression.kind) {
  case Kind::element:
    if (a < 0 || a >= b) return {};
    return inputs(expression.name, a);
  case Kind::add:
    return wrap(uint64_t(a) + uint64_t(b));
  case Kind::subtract:
    return wrap(uint64_t(a) - uint64_t(b));
  case Kind::multiply:
    return wrap(uint64_t(a) * uint64_t(b));
  case Kind::exactDivide:
    if (b == 0 || (b != -1 && a % b != 0)) {
      error = std::to_string(b) + " does not divide " + std::to_string(a);
      return {};
    }
    return b == -1 ? wrap(-uint64_t(a)) : a / b;
  case Kind::minimum:
    return std::min(a, b);
  case Kind::maximum:
    return std::max(a, b);
  case Kind::equal:
    return a == b;
  case Kind::notEqual:
    return a != b;
  case Kind::less:
    return a < b;
  case Kind::lessEqual:
    return a <= b;
  default:
    assert(false && "handled above");
    return {};
  }
}

int64_t integerAt(ElementType type, const void *memory, int64_t element) {
  switch (type) {
  case ElementType::i8:
    return static_cast<const int8_t *>(memory)[element];
  case ElementType::u8:
  case ElementType::boolean:
    return static_cast<const uint8_t *>(memory)[element];
  case ElementType::i32:
    return static_cast<const int32_t *>(memory)[element];
  case ElementType::i64:
    return static_cast<const int64_t *>(memory)[element];
  default:
    return 0;
  }
}

namespace {
/// One call's binding, step by step: ranks of packs, shapes, splits, positions.
class Binding {
public:
  Binding(const Signature &signature, const std::vector<Passed> &passed, Diagnostics &diagnostics)
      : signature(signature), passed(passed), diagnostics(diagnostics) {
    assert(passed.size() == signature.arguments.size() && "one entry an argument");
    for (size_t i = 0; i < signature.axes.size(); ++i) rowOf[signature.axes[i].name] = i;
    extents.resize(signature.axes.size());
    boundBy.resize(signature.axes.size());
    for (size_t i = 0; i < signature.axes.size(); ++i) extents[i] = signature.axes[i].fixed;
    for (const auto &[pack, rank] : signature.ranks) packs[pack].rank = rank;
  }

  std::optional<Extents> run() {
    if (bindRanks()) bindShapes();
    if (good() && bindSplits()) checkPositions();
    if (!good()) return {};
    Extents result;
    for (size_t i = 0; i < extents.size(); ++i) {
      result.rows.push_back(*extents[i]);
      if (!signature.axes[i].isProduct()) result.leaves.push_back(*extents[i]);
    }
    for (const Argument &argument : signature.arguments) result.shapes.push_back(shapeOf(argument));
    if (!good()) return {};
    return result;
  }

private:
  struct Pack {
    std::optional<int64_t> rank;
    std::vector<int64_t> shape;
    std::string rankFrom, shapeFrom; // the argument that told
  };
  const Signature &signature;
  const std::vector<Passed> &passed;
  Diagnostics &diagnostics;
  bool isGood = true;
  std::map<std::string, size_t> rowOf;
  std::vector<std::optional<int64_t>> extents;
  std::vector<std::string> boundBy; // the argument that told an axis's extent
  std::map<std::string, Pack> packs;

  bool good() const { return isGood; }
  void fail(std::string message, const std::string &place = {}) {
    diagnostics.error(place.empty() ? Place{} : parsePlace(place), std::move(message));
    isGood = false;
  }
  std::optional<int64_t> size(const std::string &axis) const {
    auto row = rowOf.find(axis);
    return row == rowOf.end() ? std::nullopt : extents[row->second];
  }
  std::optional<int64_t> input(const std::string &name, int64_t element) const {
    for (size_t i = 0; i < passed.size(); ++i) {
      if (signature.arguments[i].name != name) continue;
      if (!passed[i].shape || passed[i].shape->empty()) return passed[i].integer;
      if (passed[i].data) return integerAt(signature.arguments[i].type, passed[i].data, element);
    }
    return {};
  }

  /// The number of dimensions of each pack, from the ranks of the tensors that have one unknown pack.
  bool bindRanks() {
    for (bool progress = true; progress;) {
      progress = false;
      for (size_t i = 0; i < passed.size(); ++i) {
        const Argument &argument = signature.arguments[i];
        if (!passed[i].shape || argument.role == Argument::Role::scalar) continue;
        int64_t left = int64_t(passed[i].shape->size());
        Pack *unknown = nullptr;
        unsigned count = 0;
        for (const Dimension &dimension : argument.dimensions) {
          if (!dimension.pack) --left;
          else if (Pack &pack = packs[dimension.axis]; pack.rank) left -= *pack.rank;
          else unknown = &pack, ++count;
        }
        if (count > 1) continue;
        if (count == 0 ? left != 0 : left < 0) {
          fail(argument.name + " has the shape " + list(*passed[i].shape) + ", expected the dimensions " +
                   list(argument.dimensions) + ranksOf(argument),
               argument.place);
          return false;
        }
        if (!unknown) continue;
        unknown->rank = left;
        unknown->rankFrom = argument.name;
        progress = true;
      }
    }
    for (size_t i = 0; i < passed.size(); ++i)
      for (const Dimension &dimension : signature.arguments[i].dimensions)
        if (dimension.pack && !packs[dimension.axis].rank) {
          fail("nothing tells how many dimensions " + dimension.axis + "... has in " + signature.arguments[i].name +
                   list(signature.arguments[i].dimensions) + ": pass --rank " + dimension.axis + "=...",
               signature.arguments[i].place);
          return false;
        }
    return true;
  }
  /// " with s... of 2 dimensions as in x", for messages.
  std::string ranksOf(const Argument &argument) {
    std::string text;
    for (const Dimension &dimension : argument.dimensions) {
      if (!dimension.pack || !packs[dimension.axis].rank) continue;
      const Pack &pack = packs[dimension.axis];
      text += (text.empty() ? ", where " : " and ") + dimension.axis + "... is " + std::to_string(*pack.rank) +
              (*pack.rank == 1 ? " dimension" : " dimensions") +
              (pack.rankFrom.empty() ? "" : " as in " + pack.rankFrom);
    }
    return text;
  }

  /// What is read binds axes first; an output that is passed has to agree, or binds what is left.
  void bindShapes() {
    for (bool outputs : {false, true})
      for (size_t i = 0; i < passed.size(); ++i)
        if (passed[i].shape && (signature.arguments[i].role == Argument::Role::output) == outputs)
          bindShape(signature.arguments[i], *passed[i].shape);
  }
  void bindShape(const Argument &argument, const std::vector<int64_t> &shape) {
    size_t at = 0;
    for (const Dimension &dimension : argument.dimensions) {
      if (dimension.pack) {
        Pack &pack = packs[dimension.axis];
        std::vector<int64_t> part(shape.begin() + at, shape.begin() + at + *pack.rank);
        at += *pack.rank;
        bindPack(argument, dimension.axis, pack, part);
      } else if (dimension.axis.empty()) {
        if (shape[at] != 1)
          fail("dimension " + std::to_string(at) + " of " + argument.name + " is " + std::to_string(shape[at]) +
                   ", expected 1: its dimensions are " + list(argument.dimensions),
               argument.place);
        ++at;
      } else {
        bindAxis(argument, dimension.axis, shape[at++]);
      }
    }
  }
  void bindPack(const Argument &argument, const std::string &axis, Pack &pack, const std::vector<int64_t> &shape) {
    if (!pack.shapeFrom.empty()) {
      if (pack.shape != shape)
        fail("axis " + axis + "... is " + list(pack.shape) + " in " + pack.shapeFrom + ", but " + list(shape) + " in " +
                 argument.name,
             argument.place);
      return;
    }
    pack.shape = shape;
    pack.shapeFrom = argument.name;
    std::optional<int64_t> count = elementsOf(shape);
    if (!count)
      return fail(argument.name + " has the shape " + list(shape) + ", whose product does not fit in 63 bits",
                  argument.place);
    bindAxis(argument, axis, *count);
  }
  void bindAxis(const Argument &argument, const std::string &axis, int64_t extent) {
    auto found = rowOf.find(axis);
    if (found == rowOf.end()) return; // an axis that the kernel does not use
    size_t row = found->second;
    if (!extents[row]) {
      extents[row] = extent;
      boundBy[row] = argument.name;
    } else if (*extents[row] != extent) {
      fail("axis " + axis + " is " + std::to_string(*extents[row]) +
               (boundBy[row].empty() ? " where the kernel is compiled for it" : " in " + boundBy[row]) + ", but " +
               std::to_string(extent) + " in " + argument.name,
           argument.place);
    }
  }

  /// Products and factors, until nothing more follows.
  bool bindSplits() {
    for (bool progress = true; progress;) {
      progress = false;
      for (const FactorRule &rule : signature.factors) {
        if (!applyFactor(rule, progress)) return false;
      }
      for (size_t i = 0; i < signature.axes.size(); ++i) {
        const AxisRow &row = signature.axes[i];
        if (!row.isProduct()) continue;
        auto &outer = extents[rowOf.at(row.outer)], &inner = extents[rowOf.at(row.inner)];
        auto known = [&] { return extents[i].has_value() + outer.has_value() + inner.has_value(); };
        int was = known();
        std::string message = solveSplit(row, extents[i], outer, inner);
        if (!message.empty()) {
          fail(message + (boundBy[i].empty() ? "" : " in " + boundBy[i]), row.place);
          return false;
        }
        progress |= known() != was;
      }
    }
    for (size_t i = 0; i < extents.size(); ++i)
      if (!extents[i]) {
        const std::string &name = signature.axes[i].name;
        fail("nothing tells the extent of axis " + name + ": pass a tensor that has it, or --size " + name + "=...");
      }
    return good();
  }
  bool applyFactor(const FactorRule &rule, bool &progress) {
    std::string error;
    auto value = evaluate(
        rule.size, [&](const std::string &axis) { return size(axis); },
        [&](const std::string &name, int64_t element) { return input(name, element); }, error);
    const std::string where = "split of " + rule.whole + ": ";
    if (!error.empty()) return fail(where + error, rule.place), false;
    if (!value) return true;
    auto whole = size(rule.whole);
    if (*value < 1)
      return fail(where + rule.axis + " = " + std::to_string(*value) + ", expected at least 1" +
                      (whole ? " (" + rule.whole + " is " + std::to_string(*whole) + ")" : ""),
                  rule.place),
             false;
    auto &extent = extents[rowOf.at(rule.axis)];
    if (extent && *extent != *value)
      return fail(where + rule.axis + " = " + std::to_string(*value) + ", but axis " + rule.axis + " is " +
                      std::to_string(*extent),
                  rule.place),
             false;
    // The rule's text and place are better than those of the row it completes.
    if (whole && *whole % *value != 0)
      return fail(where + rule.axis + " = " + std::to_string(*value) + " does not divide " + rule.whole + " = " +
                      std::to_string(*whole),
                  rule.place),
             false;
    progress |= !extent;
    extent = *value;
    return true;
  }

  void checkPositions() {
    for (const PositionRule &rule : signature.positions) {
      std::string error;
      auto value = evaluate(
          rule.position, [&](const std::string &axis) { return size(axis); },
          [&](const std::string &name, int64_t element) { return input(name, element); }, error);
      int64_t extent = *size(rule.axis);
      if (!error.empty()) fail("at(" + rule.axis + "): " + error, rule.place);
      else if (value && (*value < 0 || *value >= extent))
        fail("at(" + rule.axis + " = " + std::to_string(*value) + ") is out of range: axis " + rule.axis + " has " +
                 std::to_string(extent) + (extent == 1 ? " position" : " positions"),
             rule.place);
    }
  }

  std::vector<int64_t> shapeOf(const Argument &argument) {
    std::vector<int64_t> shape;
    for (const Dimension &dimension : argument.dimensions) {
      if (dimension.axis.empty()) {
        shape.push_back(1);
      } else if (!dimension.pack) {
        shape.push_back(*size(dimension.axis));
      } else if (const Pack &pack = packs[dimension.axis]; !pack.shapeFrom.empty()) {
        shape.insert(shape.end(), pack.shape.begin(), pack.shape.end());
      } else if (*pack.rank == 1) {
        shape.push_back(*size(dimension.axis));
      } else if (*pack.rank != 0 || *size(dimension.axis) != 1) {
        fail("nothing tells the dimensions of " + dimension.axis + "... in " + argument.name +
                 list(argument.dimensions) + ": pass a tensor that has it",
             argument.place);
        return {};
      }
    }
    return shape;
  }
};
} // namespace

std::optional<Extents> bindExtents(const Signature &signature, const std::vector<Passed> &passed,
                                   Diagnostics &diagnostics) {
  return Binding(signature, passed, diagnostics).run();
}

std::string compareReplicas(const Signature &signature, const std::vector<const Extents *> &replicas) {
  for (size_t row = 0; row < signature.axes.size(); ++row) {
    const std::string &axis = signature.axes[row].name;
    if (!signature.commonAxes.contains(axis)) continue;
    for (size_t replica = 1; replica < replicas.size(); ++replica)
      if (int64_t first = replicas[0]->rows[row], extent = replicas[replica]->rows[row]; extent != first)
        return "axis " + axis + " is " + std::to_string(first) + " on replica 0, but " + std::to_string(extent) +
               " on replica " + std::to_string(replica) +
               ": what is reduced across replicas has the same extents on all of them";
  }
  return {};
}

} // namespace normc
