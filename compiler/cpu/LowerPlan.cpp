// A plan becomes functions: for each phase an entry and its number of blocks; for the kernel, the bytes of its
// workspace.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/Passes.h"
#include "compiler/cpu/PhaseLowering.h"
#include "compiler/emit/Artifact.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace normc {
#define GEN_PASS_DEF_LOWERPLAN
#include "compiler/cpu/Passes.h.inc"
} // namespace normc

namespace {
/// All variants of one kernel: they share the table of phases and the workspace.
struct KernelLowering {
  SmallVector<KernelOp> variants;
  const VectorShape &shape;
  bool fence;
  ImplicitLocOpBuilder b;

  KernelLowering(SmallVector<KernelOp> all, const VectorShape &shape, bool fence)
      : variants(std::move(all)), shape(shape), fence(fence), b(variants.front().getLoc(), variants.front()) {}

  Type pointer() { return LLVM::LLVMPointerType::get(b.getContext()); }
  Type i64() { return b.getI64Type(); }
  Value constant(int64_t value) { return arith::ConstantIntOp::create(b, value, 64); }
  std::string family() {
    auto name = variants.front()->getAttrOfType<StringAttr>("norm.family");
    return (name ? name.getValue() : variants.front().getSymName()).str();
  }

  /// Bodies aside, functions are a few instructions that run once a call: they are not worth optimising.
  func::FuncOp function(StringRef name, TypeRange arguments, TypeRange results, bool isBody = false) {
    b.setInsertionPoint(variants.front());
    auto op = func::FuncOp::create(b, name, b.getFunctionType(arguments, results));
    if (isBody) op.setPrivate();
    else op->setAttr("passthrough", b.getStrArrayAttr({"noinline", "optnone"}));
    b.setInsertionPointToStart(op.addEntryBlock());
    return op;
  }
  Value element(Value base, Type type, int64_t index) {
    Value address = LLVM::GEPOp::create(b, pointer(), type, base, ArrayRef<LLVM::GEPArg>{int32_t(index)});
    return LLVM::LoadOp::create(b, type, address);
  }
  /// The extents of the leaves, in the order of the table.
  SmallVector<Value> leafExtents(KernelOp kernel, Value array) {
    SmallVector<Value> extents;
    for (Attribute axis : kernel.getAxes())
      if (cast<AxisAttr>(axis).isLeaf()) extents.push_back(element(array, i64(), extents.size()));
    return extents;
  }
  /// Whether this variant of the kernel is the one to run: `points` of some axes at most, or over, a number.
  Value applies(KernelOp kernel, PhaseLowering &lowering) {
    Value all;
    if (auto guards = kernel->getAttrOfType<ArrayAttr>("norm.guards"))
      for (Attribute attribute : guards) {
        auto guard = cast<DictionaryAttr>(attribute);
        Value points = constant(1);
        for (StringAttr axis : namesOf(guard.getAs<ArrayAttr>("axes")))
          points = arith::MulIOp::create(b, points, lowering.extent(axis));
        bool over = guard.contains("over");
        Value bound = constant(guard.getAs<IntegerAttr>(over ? "over" : "most").getInt());
        Value holds =
            arith::CmpIOp::create(b, over ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::sle, points, bound);
        all = all ? arith::AndIOp::create(b, all, holds).getResult() : holds;
      }
    return all;
  }

  void run() {
    unsigned number = 0;
    for (KernelOp kernel : variants) {
      unsigned exchanges = 0;
      for (Operation &op : kernel.getBody().front()) {
        if (auto phase = dyn_cast<PhaseOp>(op)) {
          lowerBlocks(kernel, phase, number);
          lowerEntry(kernel, phase, number);
          ++number;
          exchanges = 0;
        } else if (auto exchange = dyn_cast<ExchangeOp>(op)) {
          assert(number > 0 && "what is exchanged has been computed");
          lowerExchange(kernel, exchange, number - 1, exchanges++);
        }
      }
    }
    lowerWorkspace();
  }

  void lowerBlocks(KernelOp kernel, PhaseOp phase, unsigned number) {
    auto f = function(PhaseSymbols(family(), number).blocks, {pointer()}, {i64()});
    PhaseLowering lowering(kernel, shape, b);
    lowering.setExtents(leafExtents(kernel, f.getArgument(0)));
    Value blocks = lowering.blocksOf(phase);
    if (Value holds = applies(kernel, lowering)) blocks = arith::SelectOp::create(b, holds, blocks, constant(0));
    func::ReturnOp::create(b, blocks);
  }

  void lowerWorkspace() {
    auto f = function(workspaceBytesSymbol(family()), {pointer()}, {i64()});
    Value most = constant(0);
    for (KernelOp kernel : variants) {
      PhaseLowering lowering(kernel, shape, b);
      lowering.setExtents(leafExtents(kernel, f.getArgument(0)));
      Value bytes = constant(0);
      for (WorkspaceOp workspace : kernel.getBody().getOps<WorkspaceOp>())
        bytes = arith::AddIOp::create(b, bytes, lowering.bytesOf(workspace.getType()));
      if (Value holds = applies(kernel, lowering)) bytes = arith::SelectOp::create(b, holds, bytes, constant(0));
      most = arith::MaxSIOp::create(b, most, bytes);
    }
    func::ReturnOp::create(b, most);
  }

  /// Where in the workspace a replica has what it gives after a phase, and where all of it goes.
  void lowerExchange(KernelOp kernel, ExchangeOp exchange, unsigned phase, unsigned number) {
    auto f = function(PhaseSymbols(family(), phase).exchange(number), {pointer(), pointer()}, {i64()});
    PhaseLowering lowering(kernel, shape, b);
    lowering.setExtents(leafExtents(kernel, f.getArgument(0)));
    auto store = [&](unsigned index, Value value) {
      Value address =
          LLVM::GEPOp::create(b, pointer(), i64(), f.getArgument(1), ArrayRef<LLVM::GEPArg>{int32_t(index)});
      LLVM::StoreOp::create(b, value, address);
    };
    Value offset = constant(0);
    for (WorkspaceOp workspace : kernel.getBody().getOps<WorkspaceOp>()) {
      if (workspace == exchange.getMine().getDefiningOp()) store(0, offset);
      if (workspace == exchange.getAll().getDefiningOp()) store(1, offset);
      offset = arith::AddIOp::create(b, offset, lowering.bytesOf(workspace.getType()));
    }
    store(2, lowering.denseBytesOf(exchange.getMine().getType()));
    Value holds = applies(kernel, lowering);
    func::ReturnOp::create(b, holds ? arith::ExtUIOp::create(b, i64(), holds).getResult() : constant(1));
  }

  /// The body takes each pointer as an argument of its own, so that it can be `noalias`; the entry unpacks those that
  /// the phase uses.
  void lowerEntry(KernelOp kernel, PhaseOp phase, unsigned number) {
    SmallVector<Value> used; // arguments and workspace, in order
    auto addUsed = [&](Value value) {
      bool isUsed = llvm::any_of(value.getUsers(), [&](Operation *user) {
        return phase->isProperAncestor(user) ||
               !isa<PhaseOp, ExchangeOp>(kernel.getBody().front().findAncestorOpInBlock(*user));
      });
      if (isUsed) used.push_back(value);
    };
    for (BlockArgument argument : kernel.getArguments()) addUsed(argument);
    for (WorkspaceOp workspace : kernel.getBody().getOps<WorkspaceOp>()) addUsed(workspace);
    SmallVector<Type> types;
    for (Value value : used) types.push_back(isMemory(value.getType()) ? pointer() : memoryType(value.getType()));
    size_t leaves = llvm::count_if(kernel.getAxes(), [](Attribute axis) { return cast<AxisAttr>(axis).isLeaf(); });
    types.append(leaves + 2, i64());

    std::string name = PhaseSymbols(family(), number).entry;
    auto body = function(name + "_body", types, {}, /*isBody=*/true);
    PhaseLowering lowering(kernel, shape, b);
    auto leafArguments = body.getArguments().slice(used.size(), leaves);
    lowering.setExtents(SmallVector<Value>(leafArguments.begin(), leafArguments.end()));
    for (auto [index, value] : llvm::enumerate(used)) {
      Value given = body.getArgument(index);
      auto argument = dyn_cast<BlockArgument>(value);
      if (!isMemory(value.getType())) {
        // A bool is a byte in memory; other storage types are read by the plan's casts.
        Type type = value.getType();
        lowering.addScalar(value, type.isInteger(1) ? loadConvert(b, b.getLoc(), given, type, type) : given);
      } else {
        lowering.addMemory(value, given);
        if (!argument || !kernel.getArgAttr(argument.getArgNumber(), "norm.shared"))
          body.setArgAttr(index, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
      }
    }
    lowering.lowerBlocks(phase, body.getArguments().end()[-2], body.getArguments().end()[-1]);
    if (lowering.hasStreamed() && fence) // such stores are not ordered before what signals the end of the phase
      LLVM::CallIntrinsicOp::create(b, b.getStringAttr("llvm.x86.sse.sfence"), ValueRange());
    func::ReturnOp::create(b, ValueRange());

    auto entry = function(name, {pointer(), pointer(), pointer(), i64(), i64()}, {});
    SmallVector<Value> operands;
    PhaseLowering extents(kernel, shape, b);
    SmallVector<Value> leafValues = leafExtents(kernel, entry.getArgument(1));
    extents.setExtents(leafValues);
    Value at = entry.getArgument(2);
    auto workspaces = kernel.getBody().getOps<WorkspaceOp>();
    auto next = workspaces.begin();
    for (Value value : used) {
      if (auto argument = dyn_cast<BlockArgument>(value)) {
        Value address = element(entry.getArgument(0), pointer(), argument.getArgNumber());
        Type type = value.getType();
        operands.push_back(isMemory(type) ? address : LLVM::LoadOp::create(b, memoryType(type), address).getResult());
        continue;
      }
      for (; *next != value.getDefiningOp(); ++next)
        at = LLVM::GEPOp::create(b, pointer(), b.getI8Type(), at,
                                 ArrayRef<LLVM::GEPArg>{extents.bytesOf((*next).getType())});
      operands.push_back(at);
    }
    llvm::append_range(operands, leafValues);
    operands.push_back(entry.getArgument(3));
    operands.push_back(entry.getArgument(4));
    func::CallOp::create(b, body, operands);
    func::ReturnOp::create(b, ValueRange());
  }
};

/// What a kernel exchanges, with a null type between those of one exchange and the next.
SmallVector<Type> exchangesOf(KernelOp kernel) {
  SmallVector<Type> types;
  for (Operation &op : kernel.getBody().front()) {
    if (auto exchange = dyn_cast<ExchangeOp>(op)) types.push_back(exchange.getMine().getType());
    else if (isa<PhaseOp>(op) && !types.empty() && types.back()) types.push_back(Type());
  }
  return types;
}

struct LowerPlan : normc::impl::LowerPlanBase<LowerPlan> {
  using LowerPlanBase::LowerPlanBase;
  void runOnOperation() override {
    VectorShape shape{vectorBytes, accumulators, masked, streamBytes, roundsToBf16, looksUpBytes, spreads, l1Bytes,
                      lineBytes};
    llvm::MapVector<StringRef, SmallVector<KernelOp>> families;
    for (KernelOp kernel : getOperation().getOps<KernelOp>()) {
      auto family = kernel->getAttrOfType<StringAttr>("norm.family");
      families[family ? family.getValue() : kernel.getSymName()].push_back(kernel);
    }
    for (auto &[name, variants] : families) {
      for (KernelOp kernel : variants) // each replica runs the variant for its own extents
        if (exchangesOf(kernel) != exchangesOf(variants.front())) {
          kernel.emitOpError("exchanges something else than ") << variants.front().getSymNameAttr();
          return signalPassFailure();
        }
      KernelLowering(variants, shape, streamFence).run();
      for (KernelOp kernel : variants) kernel.erase();
    }
  }
};
} // namespace
