// Sums over rows that the first sweep of each row feeds move to its last sweep.
#include "compiler/schedule/Passes.h"
#include "compiler/schedule/Variants.h"
#include "dialect/Norm.h"
#include "llvm/ADT/STLExtras.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace normc {
#define GEN_PASS_DEF_SINKCOLUMNSUMS
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
/// An op of one sweep in another one of the same points: the same that is there already, or a copy.
class Copier {
public:
  explicit Copier(Block &to) : to(to), b(to.getTerminator()) {}

  Value copy(Value value, Block *from) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != from) return value;
    if (Value known = copies.lookup(value)) return known;
    SmallVector<Value> operands = llvm::map_to_vector(op->getOperands(), [&](Value v) { return copy(v, from); });
    for (Operation &other : to)
      if (other.getName() == op->getName() && other.getAttrs() == op->getAttrs() &&
          llvm::equal(other.getOperands(), operands))
        return copies[value] = other.getResult(0);
    Operation *clone = b.clone(*op);
    clone->setOperands(operands);
    return copies[value] = clone->getResult(0);
  }
  void copy(StoreOp store) {
    Value value = copy(store.getValue(), store->getBlock());
    b.clone(*store)->replaceUsesOfWith(store.getValue(), value);
  }

private:
  Block &to;
  OpBuilder b;
  DenseMap<Value, Value> copies;
};

/// A first sweep, and the last one of the same points that its column sums may move to.
struct Sweeps {
  StringAttr row;
  PassOp first, last;

  /// Those of a pass over rows; none where there is nothing to move.
  static std::optional<Sweeps> of(PassOp rows) {
    SmallVector<PassOp> sweeps(rows.getBody().getOps<PassOp>());
    if (sweeps.size() != 2) return std::nullopt;
    PassOp first = sweeps.front(), last = sweeps.back();
    auto isInner = [](PassOp pass) { return pass.getBody().getOps<PassOp>().empty(); };
    if (!isInner(first) || !isInner(last) || first.getKinds().empty() || first.getSample() ||
        !last.getKinds().empty() || first.getAxes() != last.getAxes())
      return std::nullopt;
    StringAttr row = namesOf(rows.getAxes()).back();
    auto isColumn = [&](StoreOp store) {
      return store.getKind() && store.getTo().getDefiningOp<WorkspaceOp>() &&
             !llvm::is_contained(axesOf(store.getTo().getType()), row);
    };
    auto stores = first.getBody().getOps<StoreOp>();
    if (stores.empty() || !llvm::all_of(stores, isColumn)) return std::nullopt;
    return Sweeps{row, first, last};
  }
  /// From how many points a row on they move: always where what is read of the rows has 16 bits or fewer. Two sweeps
  /// of wider numbers wait for memory, and are faster in the order of memory as long as the first cache holds a row
  /// with all that is swept beside it, so that column sums come from there.
  int64_t fewestPoints() {
    llvm::SetVector<Value> swept;
    bool isNarrow = true;
    for (Operation &op : first.getBody().front()) {
      if (auto store = dyn_cast<StoreOp>(op)) swept.insert(store.getTo());
      if (auto load = dyn_cast<LoadOp>(op)) {
        swept.insert(load.getFrom());
        isNarrow &= !llvm::is_contained(axesOf(load.getFrom().getType()), row) || bytesOf(load.getFrom()) < 4;
      }
    }
    int64_t bytes = 0;
    for (Value memory : swept) bytes += bytesOf(memory);
    return isNarrow ? 0 : firstCacheBytes / bytes;
  }
  void sink() {
    SmallVector<StoreOp> replacing(last.getBody().getOps<StoreOp>());
    Copier copier(last.getBody().front());
    for (StoreOp store : llvm::make_early_inc_range(first.getBody().getOps<StoreOp>())) {
      copier.copy(store);
      store.erase();
    }
    // What the sums load may be what the last sweep replaces.
    for (StoreOp store : replacing) store->moveBefore(last.getBody().front().getTerminator());
    auto ops = llvm::map_to_vector(first.getBody().front().without_terminator(), [](Operation &op) { return &op; });
    for (Operation *op : llvm::reverse(ops))
      if (op->use_empty()) op->erase();
  }

private:
  // Of the order of sums, and so the same for all machines.
  static constexpr int64_t firstCacheBytes = 48 * 1024;
  static int64_t bytesOf(Value memory) {
    return std::max(1u, getElementTypeOrSelf(memory.getType()).getIntOrFloatBitWidth() / 8);
  }
};

struct SinkColumnSums : normc::impl::SinkColumnSumsBase<SinkColumnSums> {
  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) {
      PassOp sweep;
      int64_t fewest = 0;
      kernel.walk([&](PassOp rows) {
        std::optional<Sweeps> sweeps = Sweeps::of(rows);
        if (!sweeps) return;
        int64_t points = sweeps->fewestPoints();
        if (points == 0) sweeps->sink();
        else sweep = sweeps->first, fewest = points;
      });
      if (!sweep) continue;
      if (std::optional<int64_t> points = fixedPoints(kernel, namesOf(sweep.getAxes()))) {
        if (*points > fewest) sinkAll(kernel);
        continue;
      }
      // Rows of any length: a variant for the long ones.
      auto axes = namesOf(sweep.getAxes());
      if (std::optional<int64_t> most = mostPoints(kernel, axes); !most || *most > fewest)
        sinkAll(addVariant(kernel, "_long", axes, fewest, Applies::over));
    }
  }
  static void sinkAll(KernelOp kernel) {
    kernel.walk([](PassOp rows) {
      if (std::optional<Sweeps> sweeps = Sweeps::of(rows)) sweeps->sink();
    });
  }
};
} // namespace
