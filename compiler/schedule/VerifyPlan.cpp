// What every plan keeps to, whoever wrote it: the lowering relies on it.
#include "compiler/schedule/Passes.h"
#include "dialect/Norm.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_VERIFYPLAN
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
class PlanVerifier {
public:
  explicit PlanVerifier(KernelOp kernel) : kernel(kernel) {}

  LogicalResult run() {
    if (kernel.getNumResults() != 0)
      return kernel.emitOpError("is not a plan: its results are not arguments yet");
    WalkResult result = kernel.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
      return succeeded(verify(op)) ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (result.wasInterrupted()) return failure();
    for (BlockArgument argument : kernel.getArguments()) // plan_c4
      if (kernel.getArgAttr(argument.getArgNumber(), "norm.out") && !stored.contains(argument))
        return kernel.emitOpError() << "never writes its output '" << nameOf(argument) << "'";
    return success();
  }

private:
  StringRef nameOf(Value memory) {
    auto argument = dyn_cast<BlockArgument>(memory);
    return argument ? kernel.argumentName(argument.getArgNumber()) : StringRef("workspace");
  }

  LogicalResult verify(Operation *op) {
    if (isa<ReduceOp, MomentsOp, BroadcastOp, AtOp, AllReduceOp, AllGatherOp, FactorOp>(op)) // plan_c1
      return op->emitOpError("is of the value form, and has no place in a plan");
    if (auto pass = dyn_cast<PassOp>(op)) return verifyPass(pass);
    if (auto load = dyn_cast<LoadOp>(op)) return verifyLoad(load);
    if (auto store = dyn_cast<StoreOp>(op)) return verifyStore(store);
    if (auto exchange = dyn_cast<ExchangeOp>(op)) return verifyExchange(exchange);
    for (Type type : op->getResultTypes())
      if (!isa<WorkspaceOp>(op) && isa<ShapedType>(type)) // plan_c2
        return op->emitOpError() << "gives " << type << ": values of a plan are scalars";
    return success();
  }

  LogicalResult verifyPass(PassOp pass) {
    auto axes = namesOf(pass.getAxes());
    if (axes.empty()) return pass.emitOpError("sweeps over no axis"); // plan_c3
    auto bound = boundAt(pass);
    for (StringAttr name : axes) {
      // A product is swept whole, or by chunks of its outer part.
      for (AxisAttr row = kernel.getAxis(name); row && row.isProduct(); row = kernel.getAxis(row.getOuter()))
        for (Attribute attribute : kernel.getAxes()) {
          auto chunks = cast<AxisAttr>(attribute);
          if (chunks.getWhole() == row.getInner() && llvm::is_contained(bound, chunks.getName())) // plan_c9
            return pass.emitOpError() << "sweeps over " << name << ", of whose inner part " << row.getInner()
                                      << " only a chunk is at hand";
        }
    }
    return success();
  }

  LogicalResult verifyLoad(LoadOp load) {
    Value memory = load.getFrom();
    if (memory.getDefiningOp<WorkspaceOp>()) {
      if (!stored.contains(memory)) return load.emitOpError("reads workspace that nothing has written"); // plan_c5
      return success();
    }
    unsigned number = cast<BlockArgument>(memory).getArgNumber();
    if (kernel.getArgAttr(number, "norm.out")) return load.emitOpError() << "reads the output '" << nameOf(memory) << "'"; // plan_c6
    auto written = stored.find(memory);
    if (written != stored.end()) // plan_c7
      return load.emitOpError() << "reads '" << nameOf(memory) << "' after it is replaced";
    Region *store = replacing.lookup(kernel.argumentName(number));
    if (store && !store->isAncestor(load->getParentRegion()))
      return load.emitOpError() << "reads '" << nameOf(memory) << "' after an output in its place is written"; // plan_c10
    return success();
  }

  LogicalResult verifyExchange(ExchangeOp exchange) {
    if (!stored.contains(exchange.getMine()))
      return exchange.emitOpError("gives workspace that nothing has written"); // plan_c5
    if (!stored.insert(exchange.getAll()).second)
      return exchange.emitOpError("writes workspace that has been written"); // plan_c11
    return success();
  }

  LogicalResult verifyStore(StoreOp store) {
    Value memory = store.getTo();
    if (store.getKind() && !stored.contains(memory))
      return store.emitOpError("combines into workspace that nothing has written"); // plan_c5
    if (auto argument = dyn_cast<BlockArgument>(memory)) {
      if (stored.contains(memory)) return store.emitOpError() << "writes '" << nameOf(memory) << "' again"; // plan_c4
      if (auto input = dyn_cast_or_null<StringAttr>(kernel.getArgAttr(argument.getArgNumber(), "norm.inplace")))
        replacing[input.getValue()] = store->getParentRegion();
    }
    stored.insert(memory);
    auto pass = dyn_cast<PassOp>(store->getParentOp());
    if (!pass || !pass.getBody().getOps<PassOp>().empty()) return success();
    StringAttr lane = namesOf(pass.getAxes()).back();
    if (!rangesOver(memory.getType(), lane)) // plan_c8
      return store.emitOpError() << "writes one place from all lanes of " << lane;
    return success();
  }
  bool rangesOver(Type memory, StringAttr name) {
    if (llvm::is_contained(axesOf(memory), name)) return true;
    AxisAttr axis = kernel.getAxis(name);
    return axis.isProduct() && rangesOver(memory, axis.getOuter()) && rangesOver(memory, axis.getInner());
  }

  KernelOp kernel;
  llvm::DenseSet<Value> stored;
  llvm::DenseMap<StringRef, Region *> replacing; // where the output in the place of an input is stored, by the input's name
};

struct VerifyPlan : normc::impl::VerifyPlanBase<VerifyPlan> {
  void runOnOperation() override {
    if (failed(PlanVerifier(getOperation()).run())) signalPassFailure();
  }
};
} // namespace
