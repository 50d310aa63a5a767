#include "compiler/emit/TakeHalf.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include <functional>
#include <map>

using namespace mlir;

namespace normc {
namespace {

/// Functions that call one another.
struct Part {
  SmallVector<Operation *> functions;
  size_t size = 0; // in operations
};

size_t sizeOf(Operation *function) {
  size_t size = 0;
  function->walk([&](Operation *) { ++size; });
  return size;
}

} // namespace

OwningOpRef<ModuleOp> takeHalf(ModuleOp module) {
  // Another thread and another LLVM context take 0.3 ms, 150 operations some 2.
  constexpr size_t least = 150;
  llvm::EquivalenceClasses<Operation *> callers;
  for (Operation &operation : *module.getBody()) {
    if (!isa<func::FuncOp>(operation)) return nullptr;
    callers.insert(&operation);
    operation.walk([&](func::CallOp call) { callers.unionSets(&operation, module.lookupSymbol(call.getCallee())); });
  }
  llvm::MapVector<Operation *, Part> parts;
  for (Operation &operation : *module.getBody()) {
    Part &part = parts[callers.getLeaderValue(&operation)];
    part.functions.push_back(&operation);
    part.size += sizeOf(&operation);
  }
  std::multimap<size_t, const Part *, std::greater<>> largestFirst; // in the order of the module where equal
  for (const auto &[leader, part] : parts) largestFirst.emplace(part.size, &part);
  size_t kept = 0, taken = 0;
  SmallVector<Operation *> take;
  for (const auto &[size, part] : largestFirst) {
    bool keep = kept <= taken;
    (keep ? kept : taken) += size;
    if (!keep) llvm::append_range(take, part->functions);
  }
  if (taken < least) return nullptr;
  OwningOpRef<ModuleOp> half(ModuleOp::create(module.getLoc()));
  (*half)->setAttrs(module->getAttrDictionary());
  for (Operation *function : take) function->moveBefore(half->getBody(), half->getBody()->end());
  return half;
}

} // namespace normc
