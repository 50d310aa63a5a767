// Which phases, which blocks: the only heuristics of the plan.
#include "compiler/schedule/Phases.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
using namespace mlir;
using namespace norm;
using namespace normc;

// Chunks of rows whose columns are summed: long enough that their partial sums cost little, few enough that combining
// them costs little. Elements of a block of a phase that only maps.
static constexpr int64_t rowsInChunk = 16, rowChunks = 32, tileElements = 65536;

bool Phase::isColumn(Operation *reduction) const {
  return llvm::any_of(overOf(reduction), [&](StringAttr axis) { return contains(rows, axis); });
}

Axes normc::wholesOf(KernelOp kernel, ArrayRef<StringAttr> axes) {
  Axes wholes;
  for (StringAttr name : axes) {
    AxisAttr axis = kernel.getAxis(name);
    wholes.push_back(axis.isChunks() ? axis.getWhole() : name);
  }
  return wholes;
}

Value normc::beforeStore(Value returned) {
  auto cast = returned.getDefiningOp<CastOp>();
  if (!cast || isLoad(cast)) return returned;
  // Only from a compute type: what reads a rounded value back is no store.
  Type from = getElementTypeOrSelf(cast.getInput());
  bool isComputed = from.isF32() || from.isF64() || from.isInteger(64) || from.isInteger(1);
  return isComputed ? cast.getInput() : returned;
}

bool normc::isLoad(CastOp cast) {
  if (!isa<BlockArgument>(cast.getInput())) return false;
  Type from = getElementTypeOrSelf(cast.getInput().getType()), to = getElementTypeOrSelf(cast.getType());
  bool takenAsItIs = from.isF64() || from.isInteger(64) || from.isInteger(1) || (from.isF32() && !to.isF64());
  return from == to || !takenAsItIs;
}

namespace {
bool isSubset(ArrayRef<StringAttr> some, ArrayRef<StringAttr> all) {
  return llvm::all_of(some, [&](StringAttr axis) { return contains(all, axis); });
}
bool meets(ArrayRef<StringAttr> some, ArrayRef<StringAttr> others) {
  return llvm::any_of(some, [&](StringAttr axis) { return contains(others, axis); });
}

class Chooser {
public:
  explicit Chooser(KernelOp kernel) : kernel(kernel), structure(kernel) {
    auto ret = cast<ReturnOp>(kernel.getBody().front().getTerminator());
    for (Value value : ret.getValues()) results.push_back(beforeStore(value));
    for (unsigned i = 0; i < results.size(); ++i) pending.insert(i);
    for (Value value : results) lastRound = std::max(lastRound, structure.roundOf(value));
  }

  /// False where a reduction had to be rewritten: the structure is another one then. Fails where no phase gets further.
  FailureOr<bool> run() {
    while (!pending.empty()) {
      if (llvm::none_of(pending, [&](unsigned output) { return isDue(output); })) {
        ++round; // replicas exchange what they have
        continue;
      }
      llvm::SetVector<Operation *> needed = neededReductions();
      if (needed.empty()) {
        addMaps();
        continue;
      }
      size_t before = done.size();
      if (!addPhase(needed, /*shares=*/true)) return false;
      if (done.size() > before) continue;
      // What shares the sweep took the lead's blocks apart, so that its result is nowhere complete: it goes alone.
      for (unsigned output : phases.back().outputs) pending.insert(output);
      phases.pop_back();
      addPhase(needed, /*shares=*/false);
      if (done.size() == before) return kernel.emitOpError("has no phase that completes ") << *chooseLead(needed);
    }
    addArrayPhases();
    // Later phases first: what they keep in earlier ones needs something itself.
    for (size_t i = phases.size(); i-- > 0;) keepFor(i);
    return true;
  }

  std::vector<Phase> phases;

private:
  StringAttr named(StringAttr axis, const char *suffix) {
    return StringAttr::get(kernel.getContext(), axis.getValue() + suffix);
  }
  /// Chunks of an axis, under a name that no other axis has.
  StringAttr addChunks(StringAttr whole, const char *suffix, int64_t points, ArrayRef<StringAttr> per,
                       int64_t most = 0) {
    StringAttr name = named(whole, suffix);
    for (AxisAttr known; (known = kernel.getAxis(name)); name = named(name, "_"))
      if (known == AxisAttr::chunks(name, whole, points, per, most)) return name;
    kernel.setAxis(AxisAttr::chunks(name, whole, points, per, most));
    return name;
  }

  /// What has to be computed before replicas exchange the next time: what they exchange then; at last, everything.
  bool isDue(unsigned output) {
    if (structure.roundOf(results[output]) > round) return false;
    return round == lastRound || kernel.getResultAttr(output, "norm.exchanged");
  }

  llvm::SetVector<Operation *> neededReductions() {
    llvm::SetVector<Operation *> needed;
    auto add = [&](Value value) {
      for (Operation *reduction : structure.nearest(value))
        if (!done.contains(reduction)) needed.insert(reduction);
    };
    for (unsigned output : pending)
      if (isDue(output)) add(results[output]);
    for (size_t i = 0; i < needed.size(); ++i) add(inputOf(needed[i]));
    return needed;
  }

  /// Whether all that a value depends on is there: from earlier phases, or from this one.
  bool isReady(Value value, const Phase &phase, const llvm::DenseSet<Operation *> &local) {
    if (structure.roundOf(value) > round) return false;
    if (llvm::any_of(structure.nearest(value), [&](Operation *r) { return !done.contains(r) && !local.contains(r); }))
      return false;
    return !picksAcrossBlocks(value, phase, [&](Operation *r) { return !done.contains(r); });
  }
  /// `at` along a block's axis of what this phase computes must wait for the next.
  bool picksAcrossBlocks(Value value, const Phase &phase, llvm::function_ref<bool(Operation *)> isComputedHere) {
    Axes bound = wholesOf(kernel, phase.block);
    llvm::append_range(bound, phase.rows);
    return anyBelow(value, [&](Operation *op) {
      auto at = dyn_cast<AtOp>(op);
      bool crosses = at && (meets(kernel.leavesOf(at.getAxisAttr()), bound) || contains(bound, at.getAxisAttr()));
      return crosses && llvm::any_of(structure.nearest(at.getInput()), isComputedHere);
    });
  }

  /// The reduction a phase is built around: one whose result is wanted where it was swept, and the largest.
  Operation *chooseLead(const llvm::SetVector<Operation *> &needed) {
    Operation *lead = nullptr;
    std::pair<bool, size_t> best;
    for (Operation *reduction : structure.reductions) {
      if (!needed.contains(reduction)) continue;
      if (llvm::any_of(structure.nearest(inputOf(reduction)), [&](Operation *r) { return !done.contains(r); }))
        continue;
      std::pair<bool, size_t> rank{structure.isSweptAgain(reduction), axesOf(inputOf(reduction).getType()).size()};
      if (!lead || rank > best) lead = reduction, best = rank;
    }
    assert(lead && "reductions that wait for each other");
    return lead;
  }

  /// Adds a phase around the lead; others' sums across its blocks share the sweep where they may. False where a
  /// reduction had to be rewritten.
  bool addPhase(const llvm::SetVector<Operation *> &needed, bool shares) {
    Operation *lead = chooseLead(needed);
    const Structure::Layout &layout = structure.layoutOf(lead);
    Phase phase;
    phase.round = round;
    phase.block = layout.blocks;
    if (phase.block.empty() && !layout.lanes.empty()) {
      Axes inner(ArrayRef(layout.lanes).drop_front());
      if (StringAttr lane = structure.pairedLane(layout.order, layout.over)) inner.push_back(lane);
      phase.block = {addChunks(layout.lanes.front(), "_lanes", laneTile, inner)};
    }
    Axes inside = without(layout.order, layout.blocks);

    // Sums across the blocks over the same points share the sweep, by chunks of rows.
    for (Operation *reduction : shares ? ArrayRef(structure.reductions) : ArrayRef<Operation *>()) {
      Axes crossed = overOf(reduction), across = wholesOf(kernel, phase.block);
      llvm::append_range(across, phase.rows);
      llvm::erase_if(crossed, [&](StringAttr axis) { return !contains(across, axis); });
      Axes into = wholesOf(kernel, intoOf(reduction));
      // The block's own chunks are no crossing.
      if (llvm::all_of(crossed, [&](StringAttr axis) { return contains(into, axis) && !contains(phase.block, axis); }))
        continue;
      if (!needed.contains(reduction) || sampleOf(reduction)) continue;
      Axes points(axesOf(inputOf(reduction).getType()));
      Axes all(inside);
      llvm::append_range(all, phase.block);
      llvm::append_range(all, phase.rows);
      if (!isSubset(points, all) || !isSubset(wholesOf(kernel, layout.blocks), points)) continue;
      if (llvm::any_of(structure.nearest(inputOf(reduction)), [&](Operation *r) { return dependsAcross(r, phase); }))
        continue;
      // What each row has but once is not worth rows that do not follow each other in memory.
      if (!meets(points, inside) && !contains(crossed, layout.blocks.empty() ? StringAttr() : layout.blocks.back()))
        continue;
      // An axis that the blocks have chunks of goes by those alone.
      auto isCutOtherwise = [&](StringAttr axis) {
        AxisAttr row = kernel.getAxis(axis);
        if (!row.isChunks() || !contains(crossed, row.getWhole()) || contains(intoOf(reduction), axis)) return false;
        // What is not cut yet is going to be, by rows.
        return !into.empty() || row != AxisAttr::chunks(axis, row.getWhole(), rowsInChunk, {}, rowChunks);
      };
      if (llvm::any_of(phase.block, isCutOtherwise)) continue;
      if (!meets(crossed, into)) {
        // Once: what goes by chunks of one axis is nothing for the rows of another. So the rewriting ends.
        if (!into.empty() || llvm::any_of(crossed, [&](StringAttr axis) { return kernel.getAxis(axis).isChunks(); }))
          continue;
        splitRows(cast<ReduceOp>(reduction), firstInOrder(layout.order, crossed));
        return false;
      }
      for (StringAttr axis : crossed)
        if (contains(phase.block, axis)) {
          llvm::erase(phase.block, axis);
          phase.rows.push_back(axis);
        }
      for (StringAttr chunk : intoOf(reduction))
        if (contains(crossed, kernel.getAxis(chunk).getWhole()) && !contains(phase.block, chunk))
          phase.block.insert(phase.block.begin(), chunk);
    }
    phase.swept = inside;
    fill(phase, needed);
    phases.push_back(phase);
    return true;
  }
  StringAttr firstInOrder(ArrayRef<StringAttr> order, ArrayRef<StringAttr> axes) {
    for (StringAttr axis : order)
      if (contains(axes, axis)) return axis;
    llvm_unreachable("none of the axes is in the order");
  }
  /// Whether a reduction that this phase would have to compute first is itself across its blocks.
  bool dependsAcross(Operation *reduction, const Phase &phase) {
    llvm::SetVector<Operation *> work;
    work.insert(reduction);
    for (size_t i = 0; i < work.size(); ++i) {
      if (done.contains(work[i])) continue;
      if (meets(overOf(work[i]), phase.block) || meets(overOf(work[i]), phase.rows)) return true;
      if (!isSubset(wholesOf(kernel, phase.block), axesOf(inputOf(work[i]).getType()))) return true;
      work.insert_range(structure.nearest(inputOf(work[i])));
    }
    return false;
  }
  void splitRows(ReduceOp reduce, StringAttr axis) {
    StringAttr chunk = addChunks(axis, "_rows", rowsInChunk, {}, rowChunks);
    ImplicitLocOpBuilder b(reduce.getLoc(), reduce);
    ArrayAttr into = b.getArrayAttr({chunk});
    Value partial = ReduceOp::create(b, reduce.getKind(), reduce.getInput(), reduce.getOver(), into);
    reduce.replaceAllUsesWith(ReduceOp::create(b, reduce.getKind(), partial, into, b.getArrayAttr({})).getResult());
    reduce.erase();
  }

  /// All that can be computed in the blocks of a phase.
  void fill(Phase &phase, const llvm::SetVector<Operation *> &needed) {
    Axes wholes = wholesOf(kernel, phase.block);
    Axes bound(wholes);
    llvm::append_range(bound, phase.rows);
    Axes points(bound);
    llvm::append_range(points, phase.swept);
    llvm::append_range(points, phase.block);
    llvm::DenseSet<Operation *> local, complete;
    for (Operation *reduction : structure.reductions) {
      if (!needed.contains(reduction)) continue;
      Axes axes(axesOf(inputOf(reduction).getType())), over = overOf(reduction);
      bool chunksBound = isSubset(intoOf(reduction), phase.block) && !meets(over, phase.block);
      Axes crossed(over);
      llvm::erase_if(crossed, [&](StringAttr axis) { return !contains(wholes, axis); });
      // Reduced over a block's axis: only by the block's own chunk.
      bool within =
          llvm::all_of(crossed, [&](StringAttr axis) { return contains(wholesOf(kernel, intoOf(reduction)), axis); });
      if (!chunksBound || !within || !isSubset(axes, points)) continue;
      if (meets(over, phase.rows) && !isSubset(phase.rows, axes)) continue;
      if (!isReady(inputOf(reduction), phase, local)) continue;
      phase.reductions.push_back(reduction);
      if (!phase.isColumn(reduction)) local.insert(reduction);
      if (isComplete(phase, reduction)) complete.insert(reduction);
    }
    for (unsigned output : SmallVector<unsigned>(pending.begin(), pending.end())) {
      Axes axes(axesOf(results[output].getType()));
      if (!isSubset(bound, axes) || !isSubset(axes, points) || !isReady(results[output], phase, local)) continue;
      // What is stored in another order than it is swept goes by square tiles, in a phase of its own.
      AxisList memory = axesOf(kernel.getResultTypes()[output]);
      if (!phase.swept.empty() && contains(axes, phase.swept.back()) && memory.back() != phase.swept.back()) continue;
      phase.outputs.push_back(output);
    }
    // A state is replaced only when nothing else will read it; an update that must wait for that may read one itself.
    auto waits = [&](unsigned output) { return isReadLater(output, phase, complete); };
    while (llvm::any_of(phase.outputs, waits)) phase.outputs.erase(llvm::find_if(phase.outputs, waits));
    for (unsigned output : phase.outputs) pending.remove(output);
    for (Operation *reduction : complete) done.insert(reduction);
  }

  /// The argument whose memory an output replaces: a state's own, or the input that it is in place of.
  BlockArgument stateOf(unsigned output) {
    StringRef name = kernel.resultName(output);
    if (auto input = kernel.getResultAttrOfType<StringAttr>(output, "norm.inplace")) name = input.getValue();
    for (BlockArgument argument : kernel.getArguments())
      if (kernel.argumentName(argument.getArgNumber()) == name) return argument;
    return {};
  }
  bool isReadLater(unsigned output, const Phase &phase, const llvm::DenseSet<Operation *> &complete) {
    BlockArgument state = stateOf(output);
    if (!state) return false;
    auto reads = [&](Value value) { return structure.reads(value).contains(state); };
    for (unsigned other : pending)
      if (other != output && !llvm::is_contained(phase.outputs, other) && reads(results[other])) return true;
    for (Operation *reduction : structure.reductions)
      if (!done.contains(reduction) && !complete.contains(reduction) && reads(inputOf(reduction))) return true;
    return false;
  }

  /// What is left needs no reduction any more: blocks are tiles of it.
  void addMaps() {
    llvm::MapVector<ArrayAttr, SmallVector<unsigned>> groups;
    auto isState = [&](unsigned output) { return bool(stateOf(output)); };
    auto axesOfOutput = [&](unsigned output) {
      Axes axes(axesOf(results[output].getType()));
      llvm::sort(axes, [](StringAttr x, StringAttr y) { return x.getValue() < y.getValue(); });
      return axes;
    };
    // What replaces a state stands after all that reads it: those over more axes may read those over fewer.
    SmallVector<unsigned> due(llvm::make_filter_range(pending, [&](unsigned output) { return isDue(output); }));
    SmallVector<unsigned> order(llvm::make_filter_range(due, [&](unsigned output) { return !isState(output); })),
        states;
    llvm::append_range(states, llvm::make_filter_range(due, isState));
    llvm::sort(states, [&](unsigned x, unsigned y) {
      return std::make_pair(axesOfOutput(y).size(), x) < std::make_pair(axesOfOutput(x).size(), y);
    });
    bool readElsewhere = llvm::any_of(states, [&](unsigned state) {
      return llvm::any_of(due, [&](unsigned output) {
        return axesOfOutput(output) != axesOfOutput(state) && structure.reads(results[output]).contains(stateOf(state));
      });
    });
    llvm::append_range(order, states);
    for (unsigned output : order) {
      Axes axes = axesOfOutput(output);
      if (isState(output) && readElsewhere) axes.push_back(kernel.getSymNameAttr());
      groups[arrayOf(kernel.getContext(), axes)].push_back(output);
    }
    for (auto &[key, outputs] : groups) {
      SmallVector<Value> roots = llvm::map_to_vector(outputs, [&](unsigned output) { return results[output]; });
      auto stored =
          llvm::map_to_vector(outputs, [&](unsigned output) { return Axes(axesOf(kernel.getResultTypes()[output])); });
      phases.push_back(mapPhase(roots, round, stored));
      phases.back().outputs = outputs;
    }
    for (unsigned output : due) pending.remove(output);
  }
  /// `stored` is the memory of the roots, where they have one; that of the first gives the order.
  Phase mapPhase(ArrayRef<Value> roots, unsigned round, ArrayRef<Axes> stored = {}) {
    Phase phase;
    phase.round = round;
    SmallVector<Axes> memories(stored.take_front());
    for (Value root : roots) llvm::append_range(memories, structure.memoriesOf(root));
    Axes axes(axesOf(roots.front().getType()));
    memories.push_back(axes);
    phase.swept = structure.inMemoryOrder(axes, memories);
    SmallVector<Axes> all(memories);
    llvm::append_range(all, stored);
    // A lane pair is swept as one axis, and so whole.
    size_t tiled = phase.swept.size();
    ArrayRef<StringAttr> inner = phase.swept;
    if (Axes pair = structure.lanePair(phase.swept); tiled > 2 && !pair.empty()) {
      tiled -= 2;
      auto splits = kernel->getAttrOfType<DictionaryAttr>("norm.splits");
      if (structure.laneProduct(phase.swept)) {
        phase.block.push_back(addChunks(pair[0], "_tile", tileElements, pair[1]));
      } else if (!splits || !splits.contains(kernel.productOf(pair[0], pair[1]))) { // short runs of many
        inner = inner.drop_back(2);
        phase.block.push_back(addChunks(pair[0], "_tile", laneTile, pair[1]));
      }
    }
    // Of a pair, what a run has in common is spread once for a tile: few rows would not be worth that.
    StringAttr turned = tiled == phase.swept.size() ? turnedAxis(phase.swept, memories) : StringAttr();
    for (size_t i = 0; i < tiled; ++i) {
      // A split axis is turned over as a whole, where that has one stride everywhere.
      StringAttr whole = i + 1 < tiled ? kernel.productOf(phase.swept[i], phase.swept[i + 1]) : StringAttr();
      if (whole && phase.swept[i + 1] == turned && lieTogether(phase.swept[i], turned, phase.swept.back(), all)) {
        phase.block.push_back(addChunks(whole, "_tile", turnedRows, {}));
        ++i;
        continue;
      }
      // What lies the other way round is read in pieces along its own lanes: few rows would leave most of a line.
      bool isTurned = turned && (phase.swept[i] == turned || i + 1 == tiled);
      int64_t points = phase.swept[i] == turned ? turnedRows : tileElements / turnedRows;
      if (isTurned) phase.block.push_back(addChunks(phase.swept[i], "_tile", points, {}));
      else phase.block.push_back(addChunks(phase.swept[i], "_tile", tileElements, inner.drop_front(i + 1)));
    }
    return phase;
  }
  /// Whether all memory that has one of two axes beside the lanes has both, the second right behind the first, and so
  /// all that has both.
  static bool lieTogether(StringAttr first, StringAttr second, StringAttr lane, ArrayRef<Axes> memories) {
    return llvm::all_of(memories, [&](const Axes &memory) {
      auto at = llvm::find(memory, first);
      if (at != memory.end() && contains(memory, second)) return std::next(at) != memory.end() && at[1] == second;
      return !contains(memory, lane) || (at == memory.end() && !contains(memory, second));
    });
  }
  /// The innermost axis of memory that has the lanes of a sweep further out; null where there is none.
  static StringAttr turnedAxis(ArrayRef<StringAttr> swept, ArrayRef<Axes> memories) {
    for (const Axes &memory : memories)
      if (!swept.empty() && contains(memory, swept.back()) && memory.back() != swept.back()) return memory.back();
    return {};
  }

  /// Values over the lanes that a block would compute again and again, and that lack an axis of the blocks, get a phase
  /// of their own before it.
  void addArrayPhases() {
    std::vector<Phase> all;
    for (Phase &phase : phases) {
      for (Value position : positionsInUpdated(phase)) {
        Phase before = mapPhase({position}, phase.round);
        before.kept.push_back(position);
        kept.insert(position);
        all.push_back(before);
      }
      if (phase.reductions.empty()) {
        SmallVector<Value> roots;
        for (unsigned output : phase.outputs) roots.push_back(results[output]);
        auto arrays =
            arrayValuesOf(structure, roots, phase.swept, {}, [&](Value value) { return kept.contains(value); });
        for (ArrayValue &array : arrays) {
          if (!structure.nearest(array.value).empty() || array.axes.size() != axesOf(array.value.getType()).size())
            continue;
          Phase before = mapPhase({array.value}, phase.round);
          before.kept.push_back(array.value);
          kept.insert(array.value);
          all.push_back(before);
        }
      }
      all.push_back(phase);
    }
    phases = all;
  }

  /// What a phase reads at one position of a state that it updates: other points may have replaced that by then.
  SmallVector<Value> positionsInUpdated(const Phase &phase) {
    SmallVector<BlockArgument> updated;
    for (unsigned output : phase.outputs)
      if (BlockArgument state = stateOf(output)) updated.push_back(state);
    SmallVector<Value> work, found;
    if (updated.empty()) return found;
    for (unsigned output : phase.outputs) work.push_back(results[output]);
    for (Operation *reduction : phase.reductions) work.push_back(inputOf(reduction));
    llvm::DenseSet<Value> seen;
    while (!work.empty()) {
      Value value = work.pop_back_val();
      Operation *op = value.getDefiningOp();
      if (!op || isa<ReduceOp>(op) || !seen.insert(value).second || kept.contains(value)) continue;
      if (isa<AtOp>(op) &&
          llvm::any_of(updated, [&](BlockArgument state) { return structure.reads(value).contains(state); }))
        found.push_back(value);
      else llvm::append_range(work, op->getOperands());
    }
    return found;
  }

  /// What a phase needs of earlier ones.
  void keepFor(size_t number) {
    SmallVector<Value> work;
    for (unsigned output : phases[number].outputs) work.push_back(results[output]);
    for (Operation *reduction : phases[number].reductions) work.push_back(inputOf(reduction));
    for (Value value : phases[number].kept) work.push_back(value);
    llvm::DenseSet<Value> seen;
    while (!work.empty()) {
      Value value = work.pop_back_val();
      if (!seen.insert(value).second || (kept.contains(value) && !llvm::is_contained(phases[number].kept, value)))
        continue;
      Operation *op = value.getDefiningOp();
      if (!op) continue;
      bool isReduction = isa<ReduceOp>(op);
      // A value in another order is as large as the value: what it is made of is read again.
      auto broadcast = dyn_cast<BroadcastOp>(op);
      bool permutes = broadcast && axesOf(broadcast.getInput().getType()).size() == axesOf(value.getType()).size();
      if (isReduction || (isa<BroadcastOp, AtOp>(op) && !permutes)) {
        Value inner = isReduction ? value : storedFor(op->getOperand(0));
        if (kept.contains(inner)) continue;
        if (std::optional<size_t> home = homeOf(inner, number)) {
          phases[*home].kept.push_back(inner);
          kept.insert(inner);
          continue;
        }
      }
      if (isReduction) continue; // computed in this phase
      llvm::append_range(work, op->getOperands());
    }
  }
  /// The earlier phase that can store a value: the last that computes a reduction it depends on.
  std::optional<size_t> homeOf(Value value, size_t before) {
    const auto &nearest = structure.nearest(value);
    if (nearest.empty()) return std::nullopt;
    std::optional<size_t> home;
    for (Operation *reduction : nearest) {
      std::optional<size_t> found;
      for (size_t i = 0; i < before; ++i)
        if (llvm::is_contained(phases[i].reductions, reduction) && isComplete(phases[i], reduction)) found = i;
      if (!found) return std::nullopt;
      if (llvm::is_contained(phases[before].reductions, reduction) && !isComplete(phases[*found], reduction))
        return std::nullopt;
      home = std::max(home.value_or(0), *found);
    }
    const Phase &phase = phases[*home];
    Axes axes(axesOf(value.getType()));
    bool isReduction = isa_and_nonnull<ReduceOp>(value.getDefiningOp());
    if (isReduction) return home;
    // Elementwise on top of reductions: only where all of them are there before the block ends, for this block alone.
    if (picksAcrossBlocks(value, phase, [&](Operation *r) { return llvm::is_contained(phase.reductions, r); }))
      return std::nullopt;
    for (Operation *reduction : nearest)
      if (llvm::is_contained(phase.reductions, reduction) && phase.isColumn(reduction)) return std::nullopt;
    Axes must = phase.block;
    llvm::append_range(must, phase.rows);
    for (StringAttr axis : must) {
      AxisAttr row = kernel.getAxis(axis);
      if (!contains(axes, axis) && !(row.isChunks() && contains(axes, row.getWhole()))) return std::nullopt;
    }
    Axes points = wholesOf(kernel, phase.block);
    llvm::append_range(points, phase.block);
    llvm::append_range(points, phase.rows);
    llvm::append_range(points, phase.swept);
    if (!isSubset(axes, points)) return std::nullopt;
    return home;
  }
  /// A result that lacks an axis of the blocks is each block's own, and not for later phases.
  bool isComplete(const Phase &phase, Operation *reduction) {
    Axes result(axesOf(reduction->getResult(0).getType()));
    Axes must = phase.block;
    if (!phase.isColumn(reduction)) llvm::append_range(must, phase.rows);
    return llvm::all_of(must, [&](StringAttr axis) {
      AxisAttr row = kernel.getAxis(axis);
      return contains(result, axis) || (row.isChunks() && contains(result, row.getWhole()));
    });
  }

  KernelOp kernel;
  Structure structure;
  SmallVector<Value> results;
  unsigned round = 0, lastRound = 0;
  llvm::SetVector<unsigned> pending;
  llvm::DenseSet<Operation *> done;
  llvm::DenseSet<Value> kept;
};
} // namespace

FailureOr<std::vector<Phase>> normc::choosePhases(KernelOp kernel) {
  while (true) {
    Chooser chooser(kernel);
    FailureOr<bool> isChosen = chooser.run();
    if (failed(isChosen)) return failure();
    if (*isChosen) return chooser.phases;
  }
}
