#include "compiler/schedule/Explain.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/raw_ostream.h"
#include <fmt/format.h>
#include <map>
using namespace mlir;
using namespace norm;

namespace {
/// A number of elements: fixed, or a product of extents.
struct Points {
  int64_t number = 1;
  SmallVector<std::string> factors;

  std::string text(int64_t bytes) const {
    if (factors.empty()) return fmt::format("{}", number * bytes);
    std::string text = number * bytes == 1 ? "" : fmt::format("{} * ", number * bytes);
    return text + fmt::format("{}", fmt::join(factors, " * "));
  }
};

class Explainer {
public:
  Explainer(KernelOp kernel, const normc::Machine &machine) : kernel(kernel), machine(machine) {}

  std::optional<int64_t> memoryBytes; // that move, where it is a number

  std::string run() {
    line(0, "kernel {}{}", kernel.getSymName().str(), guards());
    line(1, "axes");
    for (Attribute attribute : kernel.getAxes()) describeAxis(cast<AxisAttr>(attribute));
    unsigned number = 0;
    for (Operation &op : kernel.getBody().front()) {
      if (auto phase = dyn_cast<PhaseOp>(op)) describePhase(phase, number++);
      if (auto exchange = dyn_cast<ExchangeOp>(op))
        line(1, "replicas exchange {} ({} bytes each) as {}", nameOf(exchange.getMine()),
             pointsOf(axesOf(exchange.getMine().getType())).text(bytesOf(exchange.getMine().getType())),
             nameOf(exchange.getAll()));
    }
    describeWorkspace();
    describeTotal();
    return out;
  }

private:
  template <typename... Args> void line(unsigned depth, fmt::format_string<Args...> format, Args &&...args) {
    out += std::string(2 * depth, ' ') + fmt::format(format, std::forward<Args>(args)...) + "\n";
  }
  static std::string joined(ArrayAttr names) {
    std::vector<std::string> list;
    for (StringAttr name : namesOf(names)) list.push_back(name.str());
    return fmt::format("{}", fmt::join(list, ", "));
  }

  std::string guards() {
    auto list = kernel->getAttrOfType<ArrayAttr>("norm.guards");
    if (!list) return "";
    std::vector<std::string> all;
    for (Attribute attribute : list) {
      auto guard = cast<DictionaryAttr>(attribute);
      bool over = guard.contains("over");
      all.push_back(fmt::format("{} {} {}", joinedProduct(guard.getAs<ArrayAttr>("axes")), over ? "over" : "at most",
                                guard.getAs<IntegerAttr>(over ? "over" : "most").getInt()));
    }
    return fmt::format(", where {}", fmt::join(all, " and "));
  }
  static std::string joinedProduct(ArrayAttr names) {
    std::vector<std::string> list;
    for (StringAttr name : namesOf(names)) list.push_back(name.str());
    return fmt::format("{}", fmt::join(list, " * "));
  }

  void describeAxis(AxisAttr axis) {
    std::string name = axis.getName().str();
    if (axis.isProduct()) line(2, "{} = {} * {}", name, axis.getOuter().str(), axis.getInner().str());
    else if (axis.isChunks()) {
      std::string per, most;
      for (StringAttr other : axis.getPer()) per += " / " + other.str();
      if (axis.getMost())
        most = fmt::format(", up to {} where that makes over {} chunks", axis.getPoints() * normc::chunkGrowth,
                           axis.getMost());
      line(2, "{}: chunks of {}, {}{} each{}", name, axis.getWhole().str(), axis.getPoints(), per, most);
    } else if (axis.isFixed()) line(2, "{} = {}", name, axis.getSize());
    else line(2, "{}", name);
  }

  Points pointsOf(AxisList axes) {
    Points points;
    for (StringAttr name : axes) {
      AxisAttr axis = kernel.getAxis(name);
      if (axis.isChunks()) {
        points.factors.push_back(fmt::format("chunks({})", axis.getWhole().str()));
        continue;
      }
      for (StringAttr leaf : kernel.leavesOf(name)) {
        AxisAttr row = kernel.getAxis(leaf);
        if (row.isFixed()) points.number *= row.getSize();
        else points.factors.push_back(leaf.str());
      }
    }
    return points;
  }
  static int64_t bytesOf(Type memory) { return std::max(1u, getElementTypeOrSelf(memory).getIntOrFloatBitWidth() / 8); }
  std::string nameOf(Value memory) {
    if (auto argument = dyn_cast<BlockArgument>(memory)) return kernel.argumentName(argument.getArgNumber()).str();
    unsigned number = 0;
    for (WorkspaceOp workspace : kernel.getBody().getOps<WorkspaceOp>()) {
      if (workspace == memory.getDefiningOp()) break;
      ++number;
    }
    return fmt::format("workspace{}", number);
  }

  void describePhase(PhaseOp phase, unsigned number) {
    line(1, "phase {}: {}{}", number,
         phase.getAxes().empty() ? "one block" : "a block for each of " + joined(phase.getAxes()),
         phase.getVectorized() ? ", side by side" : "");
    describeBody(phase.getBody().front(), 2);
    // Within a phase a block reads what it has read before from its worker's own cache.
    llvm::SetVector<Value> memories;
    llvm::DenseSet<Value> read, written;
    phase.walk([&](Operation *op) {
      Value memory;
      if (auto load = dyn_cast<LoadOp>(op)) read.insert(memory = load.getFrom());
      if (auto store = dyn_cast<StoreOp>(op)) written.insert(memory = store.getTo());
      if (memory) memories.insert(memory);
    });
    for (Value memory : memories) {
      Points points = pointsOf(axesOf(memory.getType()));
      std::string bytes = points.text(bytesOf(memory.getType()));
      for (auto [does, verb] : {std::pair(read.contains(memory), "reads"), {written.contains(memory), "writes"}})
        if (does) {
          line(2, "{} {} ({} bytes)", verb, nameOf(memory), bytes);
          if (isa<BlockArgument>(memory)) traffic.emplace_back(points, bytesOf(memory.getType()));
        }
    }
  }

  void describeBody(Block &body, unsigned depth) {
    for (PassOp pass : body.getOps<PassOp>()) {
      bool innermost = pass.getBody().getOps<PassOp>().empty();
      std::vector<std::string> kinds, memories;
      for (int32_t kind : pass.getKinds()) kinds.push_back(stringifyReduceKind(ReduceKind(kind)).str());
      std::string reduces = kinds.empty() ? "" : fmt::format(" ({})", fmt::join(kinds, ", "));
      std::string lanes;
      if (innermost) lanes = ": " + describeLanes(pass);
      std::string sample = pass.getSample() ? fmt::format(", a sample along {}", pass.getSample()->str()) : "";
      line(depth, "pass over {}{}{}{}", joined(pass.getAxes()), sample, reduces, lanes);
      if (!innermost) describeBody(pass.getBody().front(), depth + 1);
    }
  }

  std::string describeLanes(PassOp pass) {
    bool isDouble = false;
    kernel.walk(
        [&](Operation *op) { isDouble |= llvm::any_of(op->getResultTypes(), [](Type t) { return t.isF64(); }); });
    StringAttr lane = namesOf(pass.getAxes()).back();
    std::vector<std::string> strided, loads, stores;
    auto visit = [&](Value memory, std::vector<std::string> &list) {
      std::string name = nameOf(memory);
      if (llvm::is_contained(list, name)) return;
      list.push_back(name);
      AxisList axes = axesOf(memory.getType());
      auto names = kernel.namesWithin(lane);
      bool ranges = llvm::any_of(axes, [&](StringAttr axis) { return llvm::is_contained(names, axis); });
      bool last = ranges && llvm::is_contained(names, axes.back());
      if (ranges && !last) strided.push_back(name);
    };
    for (Operation &op : pass.getBody().front()) {
      if (auto load = dyn_cast<LoadOp>(op)) visit(load.getFrom(), loads);
      if (auto store = dyn_cast<StoreOp>(op)) visit(store.getTo(), stores);
    }
    std::string text =
        fmt::format("vector width {} along {}", machine.tree.vectorBytes / (isDouble ? 8 : 4), lane.str());
    if (!loads.empty()) text += fmt::format(", loads {}", fmt::join(loads, ", "));
    if (!stores.empty()) text += fmt::format(", stores {}", fmt::join(stores, ", "));
    if (!strided.empty()) text += fmt::format(" (with a stride: {})", fmt::join(strided, ", "));
    return text;
  }

  void describeWorkspace() {
    std::vector<std::string> all;
    for (WorkspaceOp workspace : kernel.getBody().getOps<WorkspaceOp>())
      all.push_back(pointsOf(axesOf(workspace.getType())).text(bytesOf(workspace.getType())));
    if (!all.empty()) line(1, "workspace: {} bytes", fmt::format("{}", fmt::join(all, " + ")));
  }
  void describeTotal() {
    int64_t fixed = 0;
    std::map<std::string, int64_t> symbolic;
    for (auto &[points, bytes] : traffic)
      if (points.factors.empty()) fixed += points.number * bytes;
      else symbolic[fmt::format("{}", fmt::join(points.factors, " * "))] += points.number * bytes;
    std::vector<std::string> terms;
    for (auto &[product, bytes] : symbolic) terms.push_back(fmt::format("{} * {}", bytes, product));
    if (fixed || terms.empty()) terms.push_back(fmt::format("{}", fixed));
    line(1, "memory traffic: {} bytes", fmt::format("{}", fmt::join(terms, " + ")));
    if (symbolic.empty()) memoryBytes = fixed;
  }

  KernelOp kernel;
  const normc::Machine &machine;
  std::string out;
  std::vector<std::pair<Points, int64_t>> traffic;
};
} // namespace

std::string normc::explainPlan(ModuleOp module, const Machine &machine, std::optional<int64_t> &memoryBytes) {
  std::string text;
  for (KernelOp kernel : module.getOps<KernelOp>()) {
    Explainer explainer(kernel, machine);
    text += explainer.run();
    // Of several variants, extents say which.
    memoryBytes = memoryBytes || kernel != *module.getOps<KernelOp>().begin() ? std::nullopt : explainer.memoryBytes;
  }
  return text;
}
