// Maps over the same axes, one after the other, become one.
#include "compiler/schedule/Passes.h"
#include "dialect/Norm.h"
#include "llvm/ADT/SetVector.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_FUSEMAPS
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
/// Whether two names are of one memory: an output may stand in an input's place.
bool mayBeOne(Value memory, Value other) {
  auto isShared = [](Value value) {
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument) return false;
    auto kernel = cast<KernelOp>(argument.getOwner()->getParentOp());
    return bool(kernel.getArgAttr(argument.getArgNumber(), "norm.shared"));
  };
  return memory == other || (isShared(memory) && isShared(other));
}

/// What a pass reads and writes.
struct Reached {
  llvm::SmallSetVector<Value, 4> read, written;

  explicit Reached(PassOp pass) {
    pass.walk([&](Operation *op) {
      if (auto load = dyn_cast<LoadOp>(op)) read.insert(load.getFrom());
      if (auto store = dyn_cast<StoreOp>(op)) written.insert(store.getTo());
    });
  }
  bool writesWhatIsIn(const Reached &other) const {
    return llvm::any_of(written, [&](Value memory) {
      auto isIt = [&](Value reached) { return mayBeOne(memory, reached); };
      return llvm::any_of(other.read, isIt) || llvm::any_of(other.written, isIt);
    });
  }
};

bool isMap(PassOp pass) { return pass.getKinds().empty() && !pass.getSample(); }

/// The map inside of a map that ends it; null where there is none, or anything else stands inside.
PassOp innerMap(PassOp pass) {
  auto inner = llvm::to_vector(pass.getBody().getOps<PassOp>());
  bool isLast = inner.size() == 1 && isMap(inner.front()) &&
                inner.front()->getNextNode() == pass.getBody().front().getTerminator();
  return isLast ? inner.front() : PassOp();
}

/// Whether both go over the same axes, and what stands in them does.
bool areAlike(PassOp first, PassOp second) {
  if (!isMap(first) || !isMap(second) || first.getAxes() != second.getAxes()) return false;
  bool isInnermost = first.getBody().getOps<PassOp>().empty();
  if (isInnermost || second.getBody().getOps<PassOp>().empty())
    return isInnermost && second.getBody().getOps<PassOp>().empty();
  PassOp inner = innerMap(first), other = innerMap(second);
  return inner && other && areAlike(inner, other);
}

/// Puts what stands in the first map before what stands in the second, and the maps inside of them together.
void fuse(PassOp first, PassOp second) {
  PassOp inner = innerMap(first), other = innerMap(second);
  Block &from = first.getBody().front(), &to = second.getBody().front();
  to.getOperations().splice(to.begin(), from.getOperations(), from.begin(), std::prev(from.end()));
  if (inner) {
    inner->moveBefore(other);
    fuse(inner, other);
  }
  first.erase();
}

struct FuseMaps : normc::impl::FuseMapsBase<FuseMaps> {
  void runOnOperation() override {
    for (PhaseOp phase : getOperation().getBody().getOps<PhaseOp>()) {
      PassOp before;
      for (Operation &op : llvm::make_early_inc_range(phase.getBody().front())) {
        auto pass = dyn_cast<PassOp>(op);
        if (pass && before && areAlike(before, pass)) {
          Reached first(before), second(pass);
          if (!first.writesWhatIsIn(second) && !second.writesWhatIsIn(first)) fuse(before, pass);
        }
        if (pass || !isPure(&op)) before = pass;
      }
    }
  }
};
} // namespace
