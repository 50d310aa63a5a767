#include "compiler/frontend/AxisTable.h"
#include <algorithm>
#include <bit>
#include <set>

namespace normc {

int AxisTable::find(std::string_view name) const {
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i].name == name) return static_cast<int>(i);
  return -1;
}

std::vector<unsigned> AxisTable::leavesOf(unsigned axis) const {
  std::vector<unsigned> result, next(1, axis);
  while (!next.empty()) {
    unsigned at = next.back();
    next.pop_back();
    if (!axes[at].isSplit()) {
      result.push_back(at);
      continue;
    }
    next.push_back(axes[at].inner);
    next.push_back(axes[at].outer);
  }
  return result;
}

AxisSet AxisTable::setOf(unsigned axis) const {
  AxisSet set = 0;
  for (unsigned leaf : leavesOf(axis)) set |= AxisSet(1) << axes[leaf].leaf;
  return set;
}

std::string AxisTable::namesOf(AxisSet set) const {
  std::map<int, std::string> byPlace;      // of the first leaf
  for (size_t i = 0; i < axes.size(); ++i) // wholes come before their parts
    if (AxisSet own = setOf(i); own && (own & set) == own) {
      byPlace[std::countr_zero(own)] = axes[i].pack ? axes[i].name + "..." : axes[i].name;
      set &= ~own;
    }
  std::vector<std::string> names;
  for (const auto &entry : byPlace) names.push_back(entry.second);
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

std::vector<std::string> AxisTable::names() const {
  std::vector<std::string> names;
  for (const Axis &axis : axes) names.push_back(axis.name);
  return names;
}

namespace {
class Resolver {
public:
  Resolver(const Kernel &kernel, AxisTable &table, Diagnostics &diagnostics)
      : kernel(kernel), table(table), diagnostics(diagnostics) {}

  bool run(std::vector<TensorAxes> &inputs, std::vector<TensorAxes> &outputs) {
    for (const Input &input : kernel.inputs) declare(input);
    for (size_t i = 0; i < kernel.statements.size(); ++i)
      if (auto *statement = std::get_if<Split>(&kernel.statements[i].what)) split(*statement, i);
    if (!order()) return false;
    for (const Input &input : kernel.inputs) inputs.push_back(tensor(input.name, input.type));
    for (const Output &output : kernel.outputs) outputs.push_back(tensor(output.name, output.type));
    return good;
  }

private:
  Diagnostics::Entry &error(Spot spot, std::string message) {
    good = false;
    return diagnostics.error(spot.place(), std::move(message));
  }

  bool packAgrees(const AxisTable::Axis &axis, const AxisRef &use) {
    if (axis.pack == use.pack) return true;
    std::string message = axis.pack ? "`" + axis.name + "` is a pack: write `" + axis.name + "...`"
                                    : "`" + axis.name + "` is one axis, not a pack: write `" + axis.name + "`";
    error(use.spot, message).notes.emplace_back(axis.spot.place(), "it is declared here");
    return false;
  }

  void declare(const Input &input) {
    for (const AxisRef &dim : input.type.dims) {
      if (dim.unnamed()) continue;
      if (int known = table.find(dim.name); known >= 0) {
        packAgrees(table.axes[known], dim);
        continue;
      }
      if (table.axes.size() >= mostAxes) {
        error(dim.spot, "the kernel has more than " + std::to_string(mostAxes) + " axes");
        return;
      }
      AxisTable::Axis axis;
      axis.name = dim.name, axis.pack = dim.pack, axis.spot = dim.spot, axis.fromInput = true;
      table.axes.push_back(axis);
    }
  }

  bool contains(unsigned axis, unsigned part) const {
    std::vector<unsigned> next(1, axis);
    while (!next.empty()) {
      unsigned at = next.back();
      next.pop_back();
      if (at == part) return true;
      if (!table.axes[at].isSplit()) continue;
      next.push_back(table.axes[at].outer);
      next.push_back(table.axes[at].inner);
    }
    return false;
  }

  void split(const Split &split, size_t statement) {
    int whole = table.find(split.whole.name);
    if (whole < 0) {
      unknownWholes.insert(split.whole.name);
      std::string near = nearestName(split.whole.name, table.names());
      error(split.whole.spot, "`" + split.whole.name + "` is not an axis of an input" +
                                  (near.empty() ? "" : ": did you mean `" + near + "`"));
      return;
    }
    const AxisTable::Axis axis = table.axes[whole];
    if (axis.pack) {
      error(split.whole.spot, "`" + axis.name + "...` is a pack: a pack cannot be split");
      return;
    }
    if (!packAgrees(axis, split.whole)) return;
    if (axis.isSplit()) {
      error(split.whole.spot, "`" + axis.name + "` is split twice")
          .notes.emplace_back(axis.spot.place(), "declared here");
      return;
    }
    if (split.outer.name == split.inner.name) {
      error(split.inner.spot, "the factors of a split have different names, found `" + split.inner.name + "` twice");
      return;
    }
    int outer = factor(split.outer, whole, statement), inner = factor(split.inner, whole, statement);
    if (outer < 0 || inner < 0) return;
    if (split.fixed && split.fixed->name != split.outer.name && split.fixed->name != split.inner.name) {
      error(split.fixed->spot, "`where` fixes a factor of the split, `" + split.outer.name + "` or `" +
                                   split.inner.name + "`, found `" + split.fixed->name + "`");
      return;
    }
    if (!split.fixed && !table.axes[outer].fromInput && !table.axes[inner].fromInput) {
      error(split.whole.spot, "the factors of `" + axis.name + "` are unknown: add `where " + split.outer.name +
                                  " = ...`, or declare one as an axis of an input");
      return;
    }
    table.axes[whole].splitSpot = split.whole.spot;
    table.axes[whole].outer = outer;
    table.axes[whole].inner = inner;
    std::vector<unsigned> leaves = table.leavesOf(whole);
    if (std::set<unsigned>(leaves.begin(), leaves.end()).size() != leaves.size()) {
      table.axes[whole].outer = table.axes[whole].inner = -1;
      error(split.whole.spot,
            "the factors `" + split.outer.name + "` and `" + split.inner.name + "` have an axis in common");
    }
  }

  /// The axis of a factor, declared where it is new; -1 where it cannot be one.
  int factor(const AxisRef &name, unsigned whole, size_t statement) {
    if (name.pack) {
      error(name.spot, "a factor is one axis, not a pack: write `" + name.name + "`");
      return -1;
    }
    int known = table.find(name.name);
    if (known < 0) {
      if (table.axes.size() >= mostAxes) {
        error(name.spot, "the kernel has more than " + std::to_string(mostAxes) + " axes");
        return -1;
      }
      AxisTable::Axis axis;
      axis.name = name.name, axis.spot = name.spot, axis.since = statement + 1;
      table.axes.push_back(axis);
      return static_cast<int>(table.axes.size()) - 1;
    }
    const AxisTable::Axis &axis = table.axes[known];
    std::string problem;
    if (axis.pack) problem = "`" + axis.name + "...` is a pack: it cannot be a factor";
    else if (contains(known, whole)) problem = "`" + table.axes[whole].name + "` cannot be a factor of itself";
    else if (!axis.fromInput) problem = "`" + axis.name + "` is a factor already: give this one another name";
    if (problem.empty()) return known;
    error(name.spot, problem).notes.emplace_back(axis.spot.place(), "it is declared here");
    return -1;
  }

  /// Leaves stand where the axis they come from was declared.
  bool order() {
    std::vector<bool> placed(table.axes.size(), false);
    for (size_t i = 0; i < table.axes.size(); ++i) place(i, placed);
    if (table.leaves.size() <= mostAxes) return true;
    error(kernel.name.spot, "the kernel has more than " + std::to_string(mostAxes) + " axes");
    return false;
  }

  void place(unsigned root, std::vector<bool> &placed) {
    std::vector<std::pair<unsigned, bool>> next(1, {root, false}); // an axis; whether its parts are placed
    while (!next.empty()) {
      auto [at, partsPlaced] = next.back();
      next.pop_back();
      if (placed[at]) continue;
      AxisTable::Axis &axis = table.axes[at];
      if (axis.isSplit() && !partsPlaced) {
        next.emplace_back(at, true);
        next.emplace_back(axis.inner, false);
        next.emplace_back(axis.outer, false);
        continue;
      }
      placed[at] = true;
      if (!axis.isSplit()) {
        axis.leaf = static_cast<int>(table.leaves.size());
        table.leaves.push_back(at);
      }
      table.ordered.push_back(at);
    }
  }

  TensorAxes tensor(const Name &name, const TensorType &type) {
    TensorAxes result;
    std::vector<const AxisRef *> seen(table.axes.size(), nullptr);
    for (const AxisRef &dim : type.dims) {
      int axis = dim.unnamed() ? -1 : table.find(dim.name);
      result.dims.push_back(axis);
      if (dim.unnamed()) continue;
      if (axis < 0) {
        if (diagnostics.count() > 1000) break;
        if (unknownWholes.contains(dim.name)) continue; // its split is the error
        std::string near = nearestName(dim.name, table.names());
        error(dim.spot, "`" + dim.name + "` is not an axis of an input or of a split, so `" + name.text +
                            "` has no extent for it" + (near.empty() ? "" : ": did you mean `" + near + "`"));
        continue;
      }
      if (!packAgrees(table.axes[axis], dim)) continue;
      for (unsigned leaf : table.leavesOf(axis)) {
        if (const AxisRef *other = seen[leaf]) {
          if (other->name == dim.name)
            error(dim.spot, "the axis `" + dim.name + "` stands twice in `" + name.text + "`");
          else
            error(dim.spot, "`" + name.text + "` has both `" + other->name + "` and `" + dim.name +
                                "`, which a split makes parts of one axis");
          break;
        }
        seen[leaf] = &dim;
        result.leaves.push_back(leaf);
        result.set |= AxisSet(1) << table.axes[leaf].leaf;
      }
    }
    return result;
  }

  const Kernel &kernel;
  AxisTable &table;
  Diagnostics &diagnostics;
  std::set<std::string> unknownWholes; // that splits name
  bool good = true;
};
} // namespace

bool resolveAxes(const Kernel &kernel, AxisTable &table, std::vector<TensorAxes> &inputs,
                 std::vector<TensorAxes> &outputs, Diagnostics &diagnostics) {
  return Resolver(kernel, table, diagnostics).run(inputs, outputs);
}

} // namespace normc
