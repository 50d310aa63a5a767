#include "compiler/frontend/CheckSelection.h"
#include <algorithm>

namespace normc {
namespace {
using Item = Interface::Item;
using Names = std::vector<std::string>;

std::string dimensions(int64_t count) { return std::to_string(count) + (count == 1 ? " dimension" : " dimensions"); }

class Checker {
public:
  Checker(const Interface &interface, const Bindings &bindings, const Names &axes, const Selection &selection,
          Diagnostics &diagnostics)
      : interface(interface), bindings(bindings), axes(axes), selection(selection), diagnostics(diagnostics) {}

  bool run() {
    for (const Item &input : interface.inputs) (input.state ? states : plain).push_back(input.name);
    for (const Item &output : interface.outputs) outputs.push_back(output.name);
    names();
    if (!good) return false;
    for (const auto &[name, order] : selection.orders) checkOrder(name, order);
    types();
    ranks();
    return good;
  }

private:
  Diagnostics::Entry &error(Spot spot, std::string message, Fault fault = Fault::spec) {
    good = false;
    return diagnostics.error(spot.place(), std::move(message), fault);
  }
  void usage(std::string message) { error({}, std::move(message), Fault::usage); }

  static Names joined(const Names &a, const Names &b) {
    Names all = a;
    all.insert(all.end(), b.begin(), b.end());
    return all;
  }

  bool isKnown(const std::string &option, const std::string &name, const Names &known, const std::string &what) {
    return isKnown(option, name, known, what, known);
  }
  bool isKnown(const std::string &option, const std::string &name, const Names &known, const std::string &what,
               const Names &suggested) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return true;
    std::string near = nearestName(name, suggested);
    usage(option + " " + name + ": " + interface.name + " has no " + what + " `" + name + "`" +
          (near.empty() ? "" : ": did you mean `" + near + "`"));
    return false;
  }

  void names() {
    Names inputs = joined(plain, states), written = joined(outputs, states);
    for (const auto &[axis, size] : selection.sizes) {
      if (isKnown("--size", axis, axes, "axis") && size < 0)
        usage("--size " + axis + "=" + std::to_string(size) + ": an extent is not negative");
    }
    for (const auto &[pack, rank] : selection.ranks)
      if (isKnown("--rank", pack, axes, "pack of axes", packs())) checkRank(pack, rank);
    for (const auto &[name, order] : selection.orders)
      isKnown("--order", name, joined(inputs, outputs), "input or output");
    for (const std::string &name : selection.omit) checkOmission(name);
    for (const auto &[output, input] : selection.inplace) {
      isKnown("--inplace", output, outputs, "output");
      isKnown("--inplace", input, inputs, "input");
    }
    for (const auto &[name, type] : selection.inputTypes)
      if (!isScalar(name)) isKnown("--input", name, inputs, "input");
    if (selection.passed)
      for (const std::string &name : *selection.passed)
        if (!isScalar(name)) isKnown("--input", name, inputs, "input");
    if (selection.outputs)
      for (const std::string &name : *selection.outputs) isKnown("--output", name, written, "output");
  }

  /// A parameter that has become an input.
  bool isScalar(const std::string &name) const { return selection.runtimeScalars.count(name) > 0; }

  Names packs() const {
    Names names;
    for (const auto *items : {&interface.inputs, &interface.outputs})
      for (const Item &item : *items)
        for (const AxisRef &dim : item.type->dims)
          if (dim.pack) names.push_back(dim.name);
    return names;
  }

  void checkRank(const std::string &name, int64_t rank) {
    Names all = packs();
    if (std::find(all.begin(), all.end(), name) == all.end()) usage("--rank " + name + ": `" + name + "` is one axis, not a pack");
    else if (rank < 0 || rank > 64)
      usage("--rank " + name + "=" + std::to_string(rank) + ": a rank is at least 0 and at most 64");
  }

  void checkOmission(const std::string &name) {
    if (isScalar(name)) return; // Specialize knows whether it has a default
    Names optional = joined(outputs, states), all = joined(joined(plain, states), outputs);
    for (const Item &input : interface.inputs)
      if (input.optional) optional.push_back(input.name);
    if (std::find(optional.begin(), optional.end(), name) != optional.end()) {
      bool output = interface.output(name) || std::find(states.begin(), states.end(), name) != states.end();
      if (output && selection.outputs && selection.outputs->count(name))
        usage("--omit " + name + ": `" + name + "` is asked for by --output");
      if (!output && selection.passed && selection.passed->count(name))
        usage("--omit " + name + ": `" + name + "` is passed by --input");
      return;
    }
    if (std::find(all.begin(), all.end(), name) != all.end())
      usage("--omit " + name + ": `" + name +
            "` is required: only inputs with a default, outputs and state updates can be "
            "omitted");
    else isKnown("--omit", name, all, "input or output");
  }

  const Item *tensor(const std::string &name) const {
    const Item *output = interface.output(name);
    return output ? output : interface.input(name);
  }

  void checkOrder(const std::string &name, const Names &order) {
    Names wanted, given = order;
    std::string declared;
    for (const AxisRef &dim : tensor(name)->type->dims) {
      wanted.push_back(dim.text());
      declared += (declared.empty() ? "" : ",") + dim.text();
    }
    std::sort(wanted.begin(), wanted.end());
    std::sort(given.begin(), given.end());
    if (wanted == given) return;
    std::string text;
    for (const std::string &dim : order) text += (text.empty() ? "" : ",") + dim;
    usage("--order " + name + "=" + text + ": the order lists each axis of `" + name +
          "` once, in any order: " + declared);
  }

  bool isPassed(const Item &input) const { return !selection.passed || selection.passed->count(input.name); }

  void types() {
    for (const Item &input : interface.inputs) {
      auto type = selection.inputTypes.find(input.name);
      auto declared = elementOf(*input.type, bindings);
      if (!isPassed(input) || type == selection.inputTypes.end() || !declared || *declared == type->second) continue;
      std::string wanted(nameOf(*declared));
      if (input.type->element.text != wanted) wanted += " (" + input.type->element.text + ")";
      error(input.spot, "the input `" + input.name + "` is declared " + wanted + ", found " +
                            std::string(nameOf(type->second)) + ": no element type is converted");
    }
  }

  //===-- Ranks ------------------------------------------------------------------------------------------------------//

  /// What is known of a pack, and what says so.
  struct Rank {
    int64_t rank;
    std::string source;
  };

  /// Binds each pack that one tensor leaves as its only unknown, until nothing is left to learn.
  void ranks() {
    std::map<std::string, Rank> known;
    for (const auto &[pack, rank] : selection.ranks)
      known[pack] = {rank, "--rank " + pack + "=" + std::to_string(rank)};
    std::vector<const Item *> open;
    for (const Item &input : interface.inputs)
      if (isPassed(input) && selection.inputRanks.count(input.name)) open.push_back(&input);
    for (bool learnt = true; learnt && good;) {
      learnt = false;
      for (auto item = open.begin(); item != open.end();) {
        bool done = learn(**item, known);
        learnt |= done;
        item = done ? open.erase(item) : item + 1;
      }
    }
  }

  bool learn(const Item &input, std::map<std::string, Rank> &known) {
    int64_t found = selection.inputRanks.at(input.name), fixed = 0;
    const AxisRef *unknown = nullptr;
    std::string because;
    for (const AxisRef &dim : input.type->dims) {
      if (!dim.pack) {
        ++fixed;
        continue;
      }
      auto rank = known.find(dim.name);
      if (rank == known.end()) {
        if (unknown) return false; // more than one
        unknown = &dim;
        continue;
      }
      fixed += rank->second.rank;
      because += (because.empty() ? "" : ", and ") + dim.text() + " has " + dimensions(rank->second.rank) + " by " +
                 rank->second.source;
    }
    if (unknown && found >= fixed) {
      known[unknown->name] = {found - fixed, "`" + input.name + "`"};
      return true;
    }
    if (!unknown && found == fixed) return true;
    error(input.spot, "`" + input.name + "` has " + dimensions(found) + ", expected " + (unknown ? "at least " : "") +
                          std::to_string(fixed) + " for " + toText(*input.type) +
                          (because.empty() ? "" : ": " + because));
    return true;
  }

  const Interface &interface;
  const Bindings &bindings;
  const Names &axes;
  const Selection &selection;
  Diagnostics &diagnostics;
  Names plain, states, outputs;
  bool good = true;
};
} // namespace

bool checkSelection(const Interface &interface, const Bindings &bindings, const std::vector<std::string> &axes,
                    const Selection &selection, Diagnostics &diagnostics) {
  return Checker(interface, bindings, axes, selection, diagnostics).run();
}

} // namespace normc
