#include "compiler/frontend/Declare.h"
#include "compiler/frontend/Builtins.h"

namespace normc {

void collectCalls(const Expr &expr, std::set<std::string> &calls) {
  if (expr.kind == Expr::Kind::call) calls.insert(expr.text);
  for (const Expr &operand : expr.operands) collectCalls(operand, calls);
  if (expr.tail)
    for (const auto &named : expr.tail->named) collectCalls(named.second, calls);
}

namespace {
class Declarer {
public:
  Declarer(Unit &unit, Diagnostics &diagnostics) : unit(unit), diagnostics(diagnostics) {}

  void run() {
    for (Declaration &declaration : unit.declarations)
      if (auto *import = std::get_if<Import>(&declaration); import && import->unit) bringIn(*import);
    for (Declaration &declaration : unit.declarations) {
      if (auto *function = std::get_if<std::unique_ptr<Function>>(&declaration)) add(**function);
      if (auto *kernel = std::get_if<std::unique_ptr<Kernel>>(&declaration)) addKernel(**kernel, unit.kernels);
      if (auto *gradient = std::get_if<std::unique_ptr<Gradient>>(&declaration)) addKernel(**gradient, unit.gradients);
    }
    findRecursion();
  }

private:
  template <typename Map> void merge(Map &into, const Map &from, const Import &import, const char *what) {
    for (const auto &[name, declaration] : from) {
      auto [known, added] = into.emplace(name, declaration);
      if (added || known->second == declaration) continue;
      auto &entry = diagnostics.error(import.spot.place(), std::string("the ") + what + " `" + name +
                                                               "` is imported from two files: import one of them");
      entry.notes.emplace_back(known->second->name.spot.place(), "one is here");
      entry.notes.emplace_back(declaration->name.spot.place(), "the other is here");
    }
  }

  void bringIn(const Import &import) {
    merge(unit.functions, import.unit->functions, import, "fn");
    merge(unit.kernels, import.unit->kernels, import, "kernel");
    merge(unit.gradients, import.unit->gradients, import, "gradient");
  }

  void twice(const Name &name, const Name &before, bool imported, const char *what) {
    std::string message = std::string("the ") + what + " `" + name.text + "` " +
                          (imported ? "redefines an imported one" : "is declared twice") + ": give it another name";
    diagnostics.error(name.spot.place(), message).notes.emplace_back(before.spot.place(), "the first is here");
  }

  void add(Function &function) {
    const Name &name = function.name;
    if (builtinNamed(name.text)) {
      diagnostics.error(name.spot.place(), "the fn `" + name.text + "` redefines a built-in: give it another name");
      return;
    }
    auto [known, added] = unit.functions.emplace(name.text, &function);
    if (!added) return twice(name, known->second->name, known->second->unit != &unit, "fn");
    own.push_back(&function);
    std::set<std::string> arguments;
    for (const Name &argument : function.arguments)
      if (!arguments.insert(argument.text).second)
        diagnostics.error(argument.spot.place(), "the argument `" + argument.text + "` is declared twice");
  }

  template <typename Declared>
  void addKernel(const Declared &kernel, std::map<std::string, const Declared *, std::less<>> &into) {
    const Name &name = kernel.name;
    auto inKernels = unit.kernels.find(name.text);
    auto inGradients = unit.gradients.find(name.text);
    if (inKernels != unit.kernels.end())
      return twice(name, inKernels->second->name, inKernels->second->unit != &unit, "kernel");
    if (inGradients != unit.gradients.end())
      return twice(name, inGradients->second->name, inGradients->second->unit != &unit, "kernel");
    into.emplace(name.text, &kernel);
  }

  /// Imports have no cycles, so neither have calls between files: only the unit's own fns matter. Those that nothing is
  /// left to wait for are taken away one after another; what remains is on a cycle or calls one.
  void findRecursion() {
    std::map<const Function *, std::set<const Function *>> waiting;
    std::map<const Function *, std::vector<const Function *>> callers;
    for (const Function *function : own) {
      std::set<std::string> calls;
      collectCalls(function->body, calls);
      auto &callees = waiting[function];
      for (const std::string &name : calls)
        if (auto found = unit.functions.find(name); found != unit.functions.end() && found->second->unit == &unit)
          if (callees.insert(found->second).second) callers[found->second].push_back(function);
    }
    std::vector<const Function *> free;
    for (const auto &[function, callees] : waiting)
      if (callees.empty()) free.push_back(function);
    while (!free.empty()) {
      const Function *done = free.back();
      free.pop_back();
      for (const Function *caller : callers[done])
        if (waiting[caller].erase(done) && waiting[caller].empty()) free.push_back(caller);
    }
    size_t looked = 0;
    for (Function *function : own) {
      if (waiting[function].empty()) continue;
      function->recursive = true;
      if (++looked <= 50 && onCycle(function, waiting))
        diagnostics.error(function->name.spot.place(),
                          "the fn `" + function->name.text + "` calls itself: a fn cannot be recursive");
    }
  }

  using Waiting = std::map<const Function *, std::set<const Function *>>;
  static bool onCycle(const Function *function, Waiting &waiting) {
    std::set<const Function *> seen;
    std::vector<const Function *> next(1, function);
    while (!next.empty()) {
      const Function *at = next.back();
      next.pop_back();
      for (const Function *callee : waiting[at]) {
        if (callee == function) return true;
        if (seen.insert(callee).second) next.push_back(callee);
      }
    }
    return false;
  }

  Unit &unit;
  Diagnostics &diagnostics;
  std::vector<Function *> own;
};
} // namespace

void declare(Unit &unit, Diagnostics &diagnostics) { Declarer(unit, diagnostics).run(); }

} // namespace normc
