// One sweep of a phase: which loops, what is reduced, what is stored.
#include "compiler/schedule/PhaseBuilder.h"
#include "llvm/Support/SaveAndRestore.h"
using namespace mlir;
using namespace norm;
using namespace normc;

/// Stores a value over `axes`: at the point at hand, or in a sweep of its own over those that are not bound.
void PhaseBuilder::storeArray(const Phase &phase, Value value, ArrayRef<StringAttr> axes, bool isKept) {
  Axes points, memory;
  for (StringAttr axis : axes)
    if (!contains(levels.back().bound, axis)) points.push_back(axis);
  SmallVector<Axes> memories = structure.memoriesOf(value);
  if (isKept) {
    points = structure.inMemoryOrder(points, memories);
    memories.push_back(Axes(axes));
    memory = structure.inMemoryOrder(axes, memories);
  } else {
    memory = ownAxes(phase, points);
  }
  if (!points.empty()) prepareArrays(phase, {value}, points);
  Value array = workspace(getElementTypeOrSelf(value.getType()), memory);
  for (StringAttr axis : points) openPass({axis}, {}, {});
  Value scalar = at(value).first;
  insertAt(levels.size() - 1);
  StoreOp::create(b, ReduceKindAttr(), scalar, array);
  for (size_t i = 0; i < points.size(); ++i) closePass({});
  arrays[value].push_back(array);
}

void PhaseBuilder::prepareArrays(const Phase &phase, ArrayRef<Value> roots, ArrayRef<StringAttr> order) {
  auto isStored = [&](Value value) { return arrays.count(value) != 0; };
  for (ArrayValue &wanted : arrayValuesOf(structure, roots, order, levels.back().bound, isStored)) {
    bool there = llvm::any_of(arrays.lookup(wanted.value), [&](Value array) {
      return llvm::all_of(wanted.axes, [&](StringAttr axis) {
        return contains(levels.back().bound, axis) || contains(axesOf(array.getType()), axis);
      });
    });
    if (there) continue;
    Axes axes = without(wanted.axes, order); // in the order of the sweep that will read it
    for (StringAttr axis : order)
      if (contains(wanted.axes, axis)) axes.push_back(axis);
    storeArray(phase, wanted.value, axes, /*isKept=*/false);
  }
}

/// A pass over `points`. Results over none of them are carried by the loops; results over some go to memory. Where one
/// lacks the lanes' axis, its own axes are swept outside and the others inside. Where nothing is carried, each axis is
/// a pass of its own, so that what is constant along the inner ones is computed outside of them.
void PhaseBuilder::sweep(const Phase &phase, ArrayRef<StringAttr> points, ArrayRef<Operation *> reductions,
                         ArrayRef<unsigned> outputs) {
  Values roots;
  SmallVector<Axes> memories;
  for (Operation *reduction : reductions) roots.push_back(inputOf(reduction));
  for (unsigned output : outputs) roots.push_back(results[output]);
  // Where nothing is reduced, the order is that of what is stored: loads are more easily turned than stores.
  if (reductions.empty())
    for (unsigned output : outputs) memories.emplace_back(axesOf(targets[output].getType()));
  for (Value root : roots) llvm::append_range(memories, structure.memoriesOf(root));
  for (unsigned output : outputs) memories.emplace_back(axesOf(targets[output].getType()));
  Axes order = structure.inMemoryOrder(points, memories);
  if (order.empty()) { // values of a row
    for (Operation *reduction : reductions) {
      Value value = at(inputOf(reduction)).first;
      insertAt(levels.size() - 1);
      auto kind = ReduceKindAttr::get(b.getContext(), cast<ReduceOp>(reduction).getKind());
      if (phase.isColumn(reduction)) StoreOp::create(b, kind, value, reductionArray(phase, reduction));
      else levels.back().values[reduction->getResult(0)] = value; // over nothing but what is bound
    }
    storeOutputs(outputs);
    return;
  }
  prepareArrays(phase, roots, order);
  Axes loops;
  for (StringAttr axis : order) {
    // What is swept as one, and what is cut as the product of two axes.
    StringAttr whole = loops.empty() ? StringAttr() : plan.productOf(loops.back(), axis);
    bool isOne = whole && (whole == structure.laneProduct(order) || contains(wholesOf(plan, phase.block), whole));
    if (isOne) loops.back() = whole;
    else loops.push_back(axis);
  }

  // Sort the reductions by where their results go.
  SmallVector<Operation *> carried, alongLanes;
  SmallVector<std::pair<Axes, SmallVector<Operation *>>> outside;
  for (Operation *reduction : reductions) {
    Axes keptPoints;
    Axes result(axesOf(reduction->getResult(0).getType()));
    for (StringAttr axis : order)
      if (contains(result, axis) && !contains(overOf(reduction), axis)) keptPoints.push_back(axis);
    if (contains(keptPoints, order.back())) {
      alongLanes.push_back(reduction);
    } else if (keptPoints.empty() && !phase.isColumn(reduction)) {
      carried.push_back(reduction);
    } else {
      auto *same = llvm::find_if(outside, [&](auto &entry) { return entry.first == keptPoints; });
      if (same == outside.end()) outside.push_back({keptPoints, {reduction}});
      else same->second.push_back(reduction);
    }
  }
  for (Operation *reduction : alongLanes)
    if (!phase.isColumn(reduction)) initialise(reductionArray(phase, reduction), cast<ReduceOp>(reduction).getKind());

  llvm::SaveAndRestore takesSample(sample, reductions.empty() ? StringAttr() : sampleOf(reductions.front()));
  auto kindsOf = [](ArrayRef<Operation *> list) {
    return llvm::map_to_vector(list, [](Operation *r) { return int32_t(cast<ReduceOp>(r).getKind()); });
  };
  auto typesOf = [](ArrayRef<Operation *> list) {
    return llvm::map_to_vector(list, [](Operation *r) { return getElementTypeOrSelf(r->getResult(0).getType()); });
  };
  auto combineAlongLanes = [&](ArrayRef<Operation *> list) {
    for (Operation *reduction : list) {
      Value value = at(inputOf(reduction)).first;
      insertAt(levels.size() - 1);
      StoreOp::create(b, ReduceKindAttr::get(b.getContext(), cast<ReduceOp>(reduction).getKind()), value,
                      reductionArray(phase, reduction));
    }
  };
  auto inputs = [&](ArrayRef<Operation *> list) {
    return llvm::map_to_vector(list, [&](Operation *r) { return at(inputOf(r)).first; });
  };

  bool first = true;
  SmallVector<unsigned> outputsHere(outputs);
  for (auto &[keptPoints, list] : outside) { // results over outer axes: the others are swept inside
    SmallVector<Operation *> inner(list), outer;
    if (first) {
      outer = carried;
      llvm::append_range(inner, carried);
      carried.clear();
    }
    Axes rest = without(order, keptPoints);
    if (!keptPoints.empty()) openPass(keptPoints, kindsOf(outer), typesOf(outer));
    openPass(rest, kindsOf(inner), typesOf(inner));
    Values yields = inputs(inner);
    if (first) {
      combineAlongLanes(alongLanes);
      storeOutputs(outputsHere);
      alongLanes.clear();
      outputsHere.clear();
    }
    PassOp pass = closePass(yields);
    for (auto [number, reduction] : llvm::enumerate(list)) {
      Value array = reductionArray(phase, reduction);
      insertAt(levels.size() - 1);
      auto kind = phase.isColumn(reduction) ? ReduceKindAttr::get(b.getContext(), cast<ReduceOp>(reduction).getKind())
                                            : ReduceKindAttr();
      StoreOp::create(b, kind, pass.getResult(number), array);
    }
    Values carriedResults(pass.getResults().drop_front(list.size()));
    if (!keptPoints.empty()) carriedResults = Values(closePass(carriedResults).getResults());
    for (auto [reduction, result] : llvm::zip(outer, carriedResults))
      levels.back().values[reduction->getResult(0)] = result;
    first = false;
  }
  if (!carried.empty()) {
    openPass(loops, kindsOf(carried), typesOf(carried));
    Values yields = inputs(carried);
    combineAlongLanes(alongLanes);
    storeOutputs(outputsHere);
    PassOp pass = closePass(yields);
    for (auto [reduction, result] : llvm::zip(carried, pass.getResults()))
      levels.back().values[reduction->getResult(0)] = result;
    return;
  }
  if (alongLanes.empty() && outputsHere.empty()) return;
  for (StringAttr axis : loops) openPass({axis}, {}, {});
  combineAlongLanes(alongLanes);
  storeOutputs(outputsHere);
  for (size_t i = 0; i < loops.size(); ++i) closePass({});
}
