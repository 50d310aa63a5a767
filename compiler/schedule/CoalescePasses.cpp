// Loops that need not be told apart become one: the longer the lanes' loop, the better.
#include "compiler/schedule/Passes.h"
#include "dialect/Norm.h"
#include "llvm/ADT/STLExtras.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_COALESCEPASSES
#include "compiler/schedule/Passes.h.inc"
} // namespace normc

namespace {
/// A pass that holds just another one, and yields what that yields, becomes one pass over the axes of both.
bool flatten(PassOp outer) {
  Block &body = outer.getBody().front();
  auto inner = dyn_cast<PassOp>(&body.front());
  if (!inner || &*std::next(body.begin()) != body.getTerminator()) return false;
  if (body.getTerminator()->getOperands() != inner.getResults() || outer.getKinds() != inner.getKinds()) return false;
  OpBuilder b(outer);
  SmallVector<Attribute> axes(outer.getAxes().begin(), outer.getAxes().end());
  axes.append(inner.getAxes().begin(), inner.getAxes().end());
  auto merged = PassOp::create(b, outer.getLoc(), outer.getResultTypes(), b.getArrayAttr(axes), inner.getKinds(),
                               outer.getSample() ? outer.getSampleAttr() : inner.getSampleAttr());
  merged.getBody().takeBody(inner.getBody());
  outer.replaceAllUsesWith(merged.getResults());
  outer.erase();
  return true;
}

struct Merger {
  KernelOp kernel;

  /// Whether all memory that a pass reaches ranges over both axes, side by side, or over neither.
  bool together(PassOp pass, StringAttr outer, StringAttr inner) {
    for (StringAttr axis : {outer, inner}) // a sample is counted along its own axis
      if (pass.getSampleAttr() == axis) return false;
    for (Attribute attribute : kernel.getAxes()) { // the inner one must be swept whole
      auto axis = cast<AxisAttr>(attribute);
      bool isOfInner = axis.isChunks() && llvm::is_contained(kernel.namesWithin(inner), axis.getWhole());
      if (isOfInner && llvm::is_contained(boundAt(pass), axis.getName())) return false;
      if (axis.isChunks() && llvm::is_contained(SmallVector<StringAttr>{outer, inner}, axis.getName())) return false;
    }
    auto leavesSideBySide = [&](Type type) {
      AxisList axes = axesOf(type);
      SmallVector<StringAttr> wanted = partsIn(axes, outer), after = partsIn(axes, inner);
      // Chunks of either, whose position would have to be divided out.
      for (StringAttr axis : axes)
        if (StringAttr whole = kernel.getAxis(axis).getWhole();
            whole && (whole == outer || whole == inner) && !isBoundOutside(pass, axis))
          return false;
      if (wanted.empty() && after.empty()) return true;
      if (wanted.empty() || after.empty()) return false;
      if (wanted != partsOf(outer, axes) || after != partsOf(inner, axes)) return false;
      wanted.append(after);
      auto *start = llvm::find(axes, wanted.front());
      return size_t(axes.end() - start) >= wanted.size() &&
             ArrayRef<StringAttr>(start, wanted.size()) == ArrayRef<StringAttr>(wanted);
    };
    return !pass.walk([&](Operation *op) {
                  bool fine = true;
                  if (auto load = dyn_cast<LoadOp>(op))
                    fine = leavesSideBySide(load.getFrom().getType()) && load.getAt().empty();
                  if (auto store = dyn_cast<StoreOp>(op)) fine = leavesSideBySide(store.getTo().getType());
                  if (auto index = dyn_cast<IndexOp>(op))
                    for (StringAttr axis : {outer, inner})
                      fine &= !llvm::is_contained(kernel.namesWithin(axis), index.getAxisAttr());
                  if (isa<PointsOp>(op))
                    fine = llvm::all_of(namesOf(cast<PointsOp>(op).getChunks()),
                                        [&](StringAttr c) { return isBoundOutside(pass, c); });
                  return fine ? WalkResult::advance() : WalkResult::interrupt();
                })
                .wasInterrupted();
  }
  bool isBoundOutside(PassOp pass, StringAttr axis) { return llvm::is_contained(boundAt(pass), axis); }
  /// What a tensor's type names of an axis: itself, or leaves of a product.
  SmallVector<StringAttr> partsOf(StringAttr axis, AxisList axes) {
    if (llvm::is_contained(axes, axis)) return {axis};
    AxisAttr row = kernel.getAxis(axis);
    if (!row.isProduct()) return {axis};
    SmallVector<StringAttr> parts = partsOf(row.getOuter(), axes);
    parts.append(partsOf(row.getInner(), axes));
    return parts;
  }
  SmallVector<StringAttr> partsIn(AxisList axes, StringAttr axis) {
    SmallVector<StringAttr> parts;
    for (StringAttr part : partsOf(axis, axes))
      if (llvm::is_contained(axes, part)) parts.push_back(part);
    return parts;
  }

  StringAttr product(StringAttr outer, StringAttr inner) {
    if (StringAttr known = kernel.productOf(outer, inner)) return known;
    StringAttr whole = kernel.unusedAxis(outer.getValue() + "_" + inner.getValue());
    kernel.setAxis(AxisAttr::product(whole, outer, inner));
    return whole;
  }

  void run(PassOp pass) {
    if (!pass.getBody().getOps<PassOp>().empty()) return;
    auto axes = namesOf(pass.getAxes());
    while (axes.size() > 1 && together(pass, axes[axes.size() - 2], axes.back())) {
      StringAttr inner = axes.pop_back_val(), outer = axes.pop_back_val();
      axes.push_back(product(outer, inner));
      pass.setAxesAttr(arrayOf(pass.getContext(), axes));
    }
  }
};

struct CoalescePasses : normc::impl::CoalescePassesBase<CoalescePasses> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    bool changed = true;
    while (changed) {
      changed = false;
      kernel.walk([&](PassOp pass) {
        if (changed || !flatten(pass)) return WalkResult::advance();
        changed = true;
        return WalkResult::interrupt();
      });
    }
    Merger merger{kernel};
    kernel.walk([&](PassOp pass) { merger.run(pass); });
  }
};
} // namespace
