// What every plan keeps to, whoever wrote it: the lowering relies on it.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Variants.h"
#include "dialect/Norm.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_VERIFYPLAN
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
class PlanVerifier {
public:
  PlanVerifier(KernelOp kernel, int64_t arrayBytes) : kernel(kernel), arrayBytes(arrayBytes) {}

  LogicalResult run() {
    if (kernel.getNumResults() != 0) return kernel.emitOpError("is not a plan: its results are not arguments yet");
    WalkResult result = kernel.getBody().walk<WalkOrder::PreOrder>(
        [&](Operation *op) { return succeeded(verify(op)) ? WalkResult::advance() : WalkResult::interrupt(); });
    if (result.wasInterrupted()) return failure();
    for (BlockArgument argument : kernel.getArguments()) // plan_c4
      if (kernel.getArgAttr(argument.getArgNumber(), "norm.out") && !stored.contains(argument))
        return kernel.emitOpError() << "never writes its output `" << nameOf(argument) << "`";
    return arrayBytes ? verifyArrays() : success();
  }

private:
  StringRef nameOf(Value memory) {
    auto argument = dyn_cast<BlockArgument>(memory);
    return argument ? kernel.argumentName(argument.getArgNumber()) : StringRef("workspace");
  }

  LogicalResult verify(Operation *op) {
    if (isa<ReduceOp, MomentsOp, BroadcastOp, AtOp, AllReduceOp, AllGatherOp, FactorOp>(op)) // plan_c1
      return op->emitOpError("is of the value form, and has no place in a plan");
    if (auto phase = dyn_cast<PhaseOp>(op)) {
      if (phase.getVectorized()) { // plan_c17
        StringAttr swept = normc::sweptAlone(kernel, phase);
        if (!swept)
          return phase.emitOpError("is vectorized, but its blocks are not slices that are each reduced along one axis");
        auto points = normc::fixedPoints(kernel, swept), most = normc::mostPoints(kernel, swept);
        if (points.value_or(most.value_or(normc::shortSlice + 1)) > normc::shortSlice)
          return phase.emitOpError("is vectorized, but nothing keeps its slices to ") << normc::shortSlice << " points";
      }
      return verifyChunks(phase, namesOf(phase.getAxes()));
    }
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
    if (failed(verifyChunks(pass, axes))) return failure();
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

  /// What an op binds beside what is bound around it: an axis goes by chunks of one kind, and those stand outside of
  /// it, or blocks would meet at one point.
  LogicalResult verifyChunks(Operation *op, ArrayRef<StringAttr> own) {
    auto around = boundAt(op);
    SmallVector<StringAttr> before(around);
    llvm::append_range(before, own);
    for (StringAttr name : own) {
      AxisAttr chunks = kernel.getAxis(name);
      if (!chunks.isChunks()) continue;
      for (StringAttr other : before) {
        AxisAttr row = kernel.getAxis(other);
        if (other != name && row.isChunks() && row.getWhole() == chunks.getWhole()) // plan_c13
          return op->emitOpError() << "binds " << name << " beside " << other << ": both are chunks of "
                                   << row.getWhole();
        if (llvm::is_contained(kernel.namesWithin(other), chunks.getWhole())) // plan_c12
          return op->emitOpError() << "binds " << name << ", chunks of " << chunks.getWhole()
                                   << ", which is not bound inside of them";
      }
    }
    return success();
  }

  LogicalResult verifyLoad(LoadOp load) {
    Value memory = load.getFrom();
    if (memory.getDefiningOp<WorkspaceOp>()) {
      if (!stored.contains(memory)) return load.emitOpError("reads workspace that nothing has written"); // plan_c5
      auto again = rewritten.find(memory);
      if (again != rewritten.end() && !again->second.first->isAncestor(load)) // plan_c15
        return load.emitOpError() << "reads workspace of which only the last of " << again->second.second << " is left";
      return success();
    }
    unsigned number = cast<BlockArgument>(memory).getArgNumber();
    if (kernel.getArgAttr(number, "norm.out"))
      return load.emitOpError() << "reads the output `" << nameOf(memory) << "`"; // plan_c6
    auto written = stored.find(memory);
    if (written != stored.end()) // plan_c7
      return load.emitOpError() << "reads `" << nameOf(memory) << "` after it is replaced";
    Region *store = replacing.lookup(kernel.argumentName(number));
    if (store && !store->isProperAncestor(load->getParentRegion()))
      return load.emitOpError() << "reads `" << nameOf(memory)
                                << "` after an output in its place is written"; // plan_c10
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
      if (stored.contains(memory)) return store.emitOpError() << "writes `" << nameOf(memory) << "` again"; // plan_c4
      if (auto input = dyn_cast_or_null<StringAttr>(kernel.getArgAttr(argument.getArgNumber(), "norm.inplace")))
        replacing[input.getValue()] = store->getParentRegion();
    }
    stored.insert(memory);
    if (!store.getKind())
      for (Operation *op = store->getParentOp(); isa<PassOp>(op); op = op->getParentOp())
        for (StringAttr name : namesOf(cast<PassOp>(op).getAxes())) {
          AxisAttr axis = kernel.getAxis(name);
          if (rangesOver(memory.getType(), name) || (axis.isChunks() && rangesOver(memory.getType(), axis.getWhole())))
            continue;
          bool isLane = op == store->getParentOp() && cast<PassOp>(op).getBody().getOps<PassOp>().empty() &&
                        name == namesOf(cast<PassOp>(op).getAxes()).back();
          if (isLane) continue;           // plan_c8, below
          if (isa<BlockArgument>(memory)) // plan_c14
            return store.emitOpError() << "writes `" << nameOf(memory) << "` again for each of " << name;
          rewritten[memory] = {op, name};
        }
    auto pass = dyn_cast<PassOp>(store->getParentOp());
    if (!pass || !pass.getBody().getOps<PassOp>().empty()) return success();
    StringAttr lane = namesOf(pass.getAxes()).back();
    if (!rangesOver(memory.getType(), lane)) // plan_c8
      return store.emitOpError() << "writes one place from all lanes of " << lane;
    return success();
  }
  /// What a phase keeps for itself in each block, where the table tells how much that is.
  LogicalResult verifyArrays() {
    for (WorkspaceOp workspace : kernel.getBody().getOps<WorkspaceOp>()) {
      llvm::SmallSetVector<PhaseOp, 2> users;
      for (Operation *user : workspace->getUsers())
        if (auto phase = user->getParentOfType<PhaseOp>()) users.insert(phase);
      if (users.size() != 1) continue; // kept for later phases: no block's own
      PhaseOp phase = users[0];
      auto isOfBlock = [&](StringAttr name) { return llvm::is_contained(namesOf(phase.getAxes()), name); };
      int64_t bytes = getElementTypeOrSelf(workspace.getType()).getIntOrFloatBitWidth() / 8;
      for (StringAttr name : axesOf(workspace.getType())) {
        AxisAttr axis = kernel.getAxis(name);
        if (isOfBlock(name)) continue;
        if (!axis.isFixed()) bytes = 0; // unknown
        else if (llvm::MulOverflow(bytes, axis.getSize(), bytes)) bytes = std::numeric_limits<int64_t>::max();
      }
      if (bytes > arrayBytes) // plan_c16
        return workspace.emitOpError() << "is " << bytes << " bytes of a block's own: a block has at most "
                                       << arrayBytes;
    }
    return success();
  }

  bool rangesOver(Type memory, StringAttr name) {
    if (llvm::is_contained(axesOf(memory), name)) return true;
    AxisAttr axis = kernel.getAxis(name);
    return axis.isProduct() && rangesOver(memory, axis.getOuter()) && rangesOver(memory, axis.getInner());
  }

  KernelOp kernel;
  int64_t arrayBytes;
  llvm::DenseSet<Value> stored;
  llvm::DenseMap<Value, std::pair<Operation *, StringAttr>>
      rewritten; // workspace: the pass, and its axis, that rewrite it
  llvm::DenseMap<StringRef, Region *>
      replacing; // where the output in the place of an input is stored, by the input's name
};

struct VerifyPlan : normc::impl::VerifyPlanBase<VerifyPlan> {
  using VerifyPlanBase::VerifyPlanBase;

  void runOnOperation() override {
    if (failed(PlanVerifier(getOperation(), arrayBytes).run())) signalPassFailure();
  }
};
} // namespace
