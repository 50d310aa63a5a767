#include "compiler/schedule/PhaseBuilder.h"
using namespace mlir;
using namespace norm;
using namespace normc;

PhaseBuilder::PhaseBuilder(KernelOp source, ArrayRef<Phase> phases)
    : source(source), phases(phases), structure(source), b(source.getLoc(), source.getContext()) {
  for (Value value : cast<ReturnOp>(source.getBody().front().getTerminator()).getValues())
    results.push_back(beforeStore(value));
}

KernelOp PhaseBuilder::build() {
  createKernel();
  for (const Phase &phase : phases) {
    buildPhase(phase);
    bool isLast = &phase == &phases.back() || (&phase)[1].round != phase.round;
    b.setInsertionPoint(plan.getBody().front().getTerminator());
    for (const Exchange &exchange : exchanges)
      if (isLast && exchange.round == phase.round + 1) ExchangeOp::create(b, exchange.mine, exchange.all);
  }
  return plan;
}

/// Results become arguments; a state's update is stored to the state itself. What replicas exchange is workspace.
void PhaseBuilder::createKernel() {
  b.setInsertionPointAfter(source);
  unsigned taken = source.getNumArguments();
  while (taken > 0 && source.getArgAttr(taken - 1, "norm.gathered")) --taken;
  SmallVector<Type> types(source.getArgumentTypes().take_front(taken));
  SmallVector<Attribute> attributes;
  for (unsigned i = 0; i < taken; ++i)
    attributes.push_back(source.getArgAttrDict(i) ? source.getArgAttrDict(i) : b.getDictionaryAttr({}));
  SmallVector<unsigned> target;
  SmallVector<StringRef> shared;
  for (unsigned i = 0; i < source.getNumResults(); ++i) {
    if (source.getResultAttr(i, "norm.exchanged")) break; // they are the last
    unsigned state = 0;
    while (state < taken && source.argumentName(state) != source.resultName(i)) ++state;
    if (state == taken) {
      state = types.size();
      types.push_back(source.getResultTypes()[i]);
      if (!isMemory(types.back())) types.back() = RankedTensorType::get({}, types.back());
      NamedAttrList list(source.getResultAttrDict(i));
      list.set("norm.out", b.getUnitAttr());
      if (auto inplace = dyn_cast_or_null<StringAttr>(list.get("norm.inplace"))) {
        list.set("norm.shared", b.getUnitAttr());
        shared.push_back(inplace.getValue());
      }
      attributes.push_back(list.getDictionary(b.getContext()));
    }
    target.push_back(state);
  }
  for (unsigned i = 0; i < taken; ++i)
    if (llvm::is_contained(shared, source.argumentName(i))) {
      NamedAttrList list(cast<DictionaryAttr>(attributes[i]));
      list.set("norm.shared", b.getUnitAttr());
      attributes[i] = list.getDictionary(b.getContext());
    }
  plan = KernelOp::create(b, source.getSymNameAttr(), source.getAxesAttr(), TypeAttr::get(b.getFunctionType(types, {})),
                          b.getArrayAttr(attributes), ArrayAttr());
  plan->setDiscardableAttrs(source->getDiscardableAttrDictionary());
  Block *body = b.createBlock(&plan.getBody(), {}, types, SmallVector<Location>(types.size(), source.getLoc()));
  for (unsigned i = 0; i < taken; ++i) arguments[source.getArgument(i)] = body->getArgument(i);
  for (unsigned index : target) targets.push_back(body->getArgument(index));
  b.setInsertionPointToEnd(body);
  ReturnOp::create(b, ValueRange());
  createExchanges(taken);
}

void PhaseBuilder::createExchanges(unsigned taken) {
  for (unsigned i = taken; i < source.getNumArguments(); ++i) {
    Type type = source.getArgument(i).getType();
    auto round = source.getArgAttrOfType<IntegerAttr>(i, "norm.gathered");
    Value mine = workspace(getElementTypeOrSelf(type), axesOf(type).drop_front());
    Value all = workspace(getElementTypeOrSelf(type), axesOf(type));
    arguments[source.getArgument(i)] = all;
    targets.push_back(mine);
    exchanges.push_back({mine, all, unsigned(round.getInt())});
  }
}

Value PhaseBuilder::workspace(Type element, ArrayRef<StringAttr> axes) {
  OpBuilder::InsertionGuard guard(b);
  if (firstPhase) b.setInsertionPoint(firstPhase);
  else b.setInsertionPoint(plan.getBody().front().getTerminator());
  Type type = axes.empty() ? RankedTensorType::get({}, element) : cast<RankedTensorType>(withAxes(element, axes));
  return WorkspaceOp::create(b, type);
}

//===----------------------------------------------------------------------===//
// Levels
//===----------------------------------------------------------------------===//

void PhaseBuilder::insertAt(unsigned level) {
  if (level + 1 < levels.size()) b.setInsertionPoint(levels[level + 1].op);
  else b.setInsertionPointToEnd(levels[level].body);
}

bool PhaseBuilder::isBound(StringAttr axis, const Level &level) {
  if (contains(level.bound, axis)) return true;
  AxisAttr row = plan.getAxis(axis);
  return row && row.isChunks() && contains(level.bound, row.getWhole());
}

unsigned PhaseBuilder::levelOf(ArrayRef<StringAttr> axes) {
  for (unsigned level = 0; level < levels.size(); ++level)
    if (llvm::all_of(axes, [&](StringAttr axis) { return isBound(axis, levels[level]); })) return level;
  llvm_unreachable("a value over axes that nothing binds");
}

void PhaseBuilder::pushLevel(Operation *op, ArrayRef<StringAttr> axes) {
  Level level;
  level.op = op;
  level.body = b.createBlock(&op->getRegion(0));
  if (!levels.empty()) level.bound = levels.back().bound;
  for (StringAttr axis : axes) llvm::append_range(level.bound, plan.namesWithin(axis));
  levels.push_back(std::move(level));
  b.setInsertionPointToEnd(levels.back().body);
}

void PhaseBuilder::openPass(ArrayRef<StringAttr> axes, ArrayRef<int32_t> kinds, ArrayRef<Type> types) {
  insertAt(levels.size() - 1);
  pushLevel(
      PassOp::create(b, types, arrayOf(b.getContext(), axes), kinds, contains(axes, sample) ? sample : StringAttr()),
      axes);
}
PassOp PhaseBuilder::closePass(ArrayRef<Value> yields) {
  insertAt(levels.size() - 1);
  YieldOp::create(b, yields);
  auto pass = cast<PassOp>(levels.back().op);
  levels.pop_back();
  return pass;
}

//===----------------------------------------------------------------------===//
// Values at the point at hand
//===----------------------------------------------------------------------===//

/// Loads where all axes of the memory are bound or given.
std::pair<Value, unsigned> PhaseBuilder::loadFrom(Value memory, Type type) {
  Axes axes, given;
  Values where;
  unsigned level = 0;
  for (StringAttr axis : axesOf(memory.getType())) {
    auto *position = llvm::find_if(positions, [&](auto &entry) { return entry.first == axis; });
    if (position == positions.end()) {
      axes.push_back(axis);
    } else {
      given.push_back(axis);
      where.push_back(position->second);
    }
  }
  level = given.empty() ? levelOf(axes) : levels.size() - 1;
  insertAt(level);
  return {LoadOp::create(b, type, memory, where, arrayOf(b.getContext(), given)), level};
}

/// The workspace that holds a value and can be read here: of several, the one spread over most axes, so that the lanes
/// read it side by side.
Value PhaseBuilder::arrayFor(Value value) {
  Value best;
  for (Value array : arrays.lookup(value)) {
    AxisList axes = axesOf(array.getType());
    bool isReadable = llvm::all_of(axes, [&](StringAttr axis) {
      return isBound(axis, levels.back()) || llvm::any_of(positions, [&](auto &entry) { return entry.first == axis; });
    });
    if (isReadable && (!best || axes.size() > axesOf(best.getType()).size())) best = array;
  }
  return best;
}

std::pair<Value, unsigned> PhaseBuilder::at(Value value) {
  bool remembers = positions.empty();
  if (remembers)
    for (unsigned level = levels.size(); level-- > 0;)
      if (Value known = levels[level].values.lookup(value)) return {known, level};
  auto remember = [&](std::pair<Value, unsigned> result) {
    if (remembers) levels[result.second].values[value] = result.first;
    return result;
  };
  Type element = getElementTypeOrSelf(value.getType());
  if (Value array = arrayFor(value)) return remember(loadFrom(array, element));
  if (isa<BlockArgument>(value)) {
    Value argument = arguments.lookup(value);
    if (!isMemory(argument.getType())) return {argument, 0};
    return remember(loadFrom(argument, element));
  }
  Operation *op = value.getDefiningOp();
  assert(!isa<ReduceOp>(op) && "a reduction that no phase has computed");
  if (isa<BroadcastOp, StopGradientOp, AllReduceOp>(op)) return at(op->getOperand(0));
  if (isa<AtOp>(op)) return atPositions(value);
  if (auto load = dyn_cast<CastOp>(op); load && isLoad(load)) {
    Value argument = arguments.lookup(load.getInput());
    if (isMemory(argument.getType())) return remember(loadFrom(argument, element));
  }
  // Ops that know the point itself.
  Axes own;
  if (auto index = dyn_cast<IndexOp>(op)) {
    for (auto &[axis, position] : positions)
      if (axis == index.getAxisAttr()) return {position, unsigned(levels.size() - 1)};
    own.push_back(index.getAxisAttr());
  }
  if (auto points = dyn_cast<PointsOp>(op)) own = namesOf(points.getChunks());
  if (auto sampled = dyn_cast<SampledOp>(op)) own = namesOf(sampled.getInto());
  unsigned level = positions.empty() ? levelOf(own) : levels.size() - 1;
  Values operands;
  for (Value operand : op->getOperands()) {
    auto [scalar, operandLevel] = at(operand);
    operands.push_back(scalar);
    level = std::max(level, operandLevel);
  }
  insertAt(level);
  Operation *clone = Operation::create(op->getLoc(), op->getName(), element, operands,
                                       op->getDiscardableAttrDictionary(), op->getPropertiesStorage(), {}, 0);
  return remember({b.insert(clone)->getResult(0), level});
}

/// `at` along an axis: what is below is evaluated with the position given.
std::pair<Value, unsigned> PhaseBuilder::atPositions(Value value) {
  auto op = value.getDefiningOp<AtOp>();
  Value position = at(op.getPosition()).first;
  Axes leaves = source.leavesOf(op.getAxisAttr());
  if (contains(axesOf(op.getInput().getType()), op.getAxisAttr())) leaves = {op.getAxisAttr()};
  insertAt(levels.size() - 1);
  size_t before = positions.size();
  for (StringAttr leaf : llvm::reverse(leaves)) {
    if (leaf == leaves.front()) {
      positions.emplace_back(leaf, position);
      break;
    }
    Value size = SizeOp::create(b, arrayOf(b.getContext(), {leaf}));
    positions.emplace_back(leaf, arith::RemSIOp::create(b, position, size));
    position = arith::DivSIOp::create(b, position, size);
  }
  auto result = at(op.getInput());
  positions.truncate(before);
  return {result.first, unsigned(levels.size() - 1)};
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

void PhaseBuilder::buildPhase(const Phase &phase) {
  b.setInsertionPoint(plan.getBody().front().getTerminator());
  auto op = PhaseOp::create(b, arrayOf(b.getContext(), phase.block), /*vectorized=*/false);
  if (!firstPhase) firstPhase = op;
  pushLevel(op, phase.block);
  llvm::DenseMap<Value, Values> before = arrays;
  for (Operation *reduction : phase.reductions)
    if (phase.isColumn(reduction)) initialise(reductionArray(phase, reduction), cast<ReduceOp>(reduction).getKind());
  if (!phase.rows.empty()) openPass(phase.rows, {}, {});
  buildRow(phase);
  if (!phase.rows.empty()) closePass({});
  insertAt(0);
  YieldOp::create(b, ValueRange());
  levels.clear();
  // Arrays of the blocks' own are no later phase's.
  llvm::DenseMap<Value, Values> after;
  for (auto &[value, memories] : arrays)
    if (before.count(value)) after[value] = before[value];
    else if (llvm::is_contained(phase.kept, value)) after[value] = {completeArray(value)};
  arrays = after;
}

/// The workspace that holds a value over all its axes, and so can be read by later phases.
Value PhaseBuilder::completeArray(Value value) {
  Axes axes(axesOf(value.getType()));
  for (Value array : arrays.lookup(value))
    if (axesOf(array.getType()).size() == axes.size() &&
        llvm::all_of(axesOf(array.getType()), [&](StringAttr axis) { return contains(axes, axis); }))
      return array;
  return {};
}

/// The axes of a block's own memory over some points: with those of the block that do not follow from the points.
Axes PhaseBuilder::ownAxes(const Phase &phase, ArrayRef<StringAttr> points) {
  Axes axes;
  for (StringAttr axis : phase.block)
    if (AxisAttr row = plan.getAxis(axis); !row.isChunks() || !contains(points, row.getWhole())) axes.push_back(axis);
  llvm::append_range(axes, points);
  return axes;
}

/// Memory for a reduction's result over axes that are swept inside a block.
Value PhaseBuilder::reductionArray(const Phase &phase, Operation *reduction) {
  Value result = reduction->getResult(0);
  if (Values &known = arrays[result]; !known.empty()) return known.front();
  Axes order = structure.resultOrder(reduction);
  Axes axes = order;
  if (!llvm::is_contained(phase.kept, result)) {
    Axes bound = phase.block;
    llvm::append_range(bound, phase.rows);
    axes = ownAxes(phase, without(order, bound));
  }
  Value array = workspace(getElementTypeOrSelf(result.getType()), axes);
  arrays[result] = {array};
  return array;
}

/// Sets the block's part of an array to what a reduction begins with.
void PhaseBuilder::initialise(Value array, ReduceKind kind) {
  Axes points(axesOf(array.getType()));
  llvm::erase_if(points, [&](StringAttr axis) { return isBound(axis, levels.back()); });
  if (!points.empty()) openPass(points, {}, {});
  insertAt(0);
  Value start = arith::ConstantOp::create(b, neutralOf(kind, getElementTypeOrSelf(array.getType())));
  insertAt(levels.size() - 1);
  StoreOp::create(b, ReduceKindAttr(), start, array);
  if (!points.empty()) closePass({});
}

/// Stores outputs at the point at hand: all are computed before any is stored, since one may replace what another
/// reads.
void PhaseBuilder::storeOutputs(ArrayRef<unsigned> outputs) {
  Values values = llvm::map_to_vector(outputs, [&](unsigned output) { return at(results[output]).first; });
  insertAt(levels.size() - 1);
  for (auto [output, value] : llvm::zip(outputs, values)) StoreOp::create(b, ReduceKindAttr(), value, targets[output]);
}

/// What happens for one row of a block, or for the block where there are no rows: sweeps in the order of what they
/// need, then what is kept, then what replaces inputs.
void PhaseBuilder::buildRow(const Phase &phase) {
  llvm::SetVector<Operation *> left(phase.reductions.begin(), phase.reductions.end());
  SmallVector<unsigned> outputs(phase.outputs);
  // What replaces memory that is read: a state's update, or an output in the place of an input.
  auto replaces = [&](unsigned output) {
    auto argument = dyn_cast<BlockArgument>(targets[output]);
    if (!argument) return false;
    unsigned target = argument.getArgNumber();
    return !plan.getArgAttr(target, "norm.out") || plan.getArgAttr(target, "norm.shared");
  };
  auto pointsOf = [&](Value value) {
    Axes points(axesOf(value.getType()));
    llvm::erase_if(points, [&](StringAttr axis) { return contains(levels.back().bound, axis); });
    return points;
  };
  auto sameAxes = [](ArrayRef<StringAttr> x, ArrayRef<StringAttr> y) {
    return x.size() == y.size() && llvm::all_of(x, [&](StringAttr axis) { return contains(y, axis); });
  };
  auto waits = [&](Value value) {
    return llvm::any_of(structure.nearest(value), [&](Operation *r) { return left.contains(r); });
  };
  while (!left.empty()) {
    SmallVector<std::pair<Axes, SmallVector<Operation *>>> sweeps;
    for (Operation *reduction : left) {
      if (waits(inputOf(reduction))) continue;
      Axes points = pointsOf(inputOf(reduction));
      auto *same = llvm::find_if(sweeps, [&](auto &sweep) {
        return sameAxes(sweep.first, points) && sampleOf(sweep.second.front()) == sampleOf(reduction);
      });
      if (same == sweeps.end()) sweeps.push_back({points, {reduction}});
      else same->second.push_back(reduction);
    }
    assert(!sweeps.empty() && "reductions of a phase that wait for each other");
    for (auto &[points, reductions] : sweeps) {
      SmallVector<unsigned> along;
      for (unsigned output : outputs)
        if (!sampleOf(reductions.front()) && !replaces(output) && !points.empty() &&
            sameAxes(pointsOf(results[output]), points) && !waits(results[output]))
          along.push_back(output);
      llvm::erase_if(outputs, [&](unsigned output) { return llvm::is_contained(along, output); });
      sweep(phase, points, reductions, along);
      for (Operation *reduction : reductions) left.remove(reduction);
    }
  }
  for (bool replacing : {false, true}) {
    if (replacing)
      for (Value value : phase.kept)
        if (!completeArray(value)) storeArray(phase, value, axesOf(value.getType()), /*isKept=*/true);
    SmallVector<std::pair<Axes, SmallVector<unsigned>>> sweeps;
    for (unsigned output : outputs) {
      if (replaces(output) != replacing) continue;
      Axes points = pointsOf(results[output]);
      auto *same = llvm::find_if(sweeps, [&](auto &sweep) { return sameAxes(sweep.first, points); });
      if (same == sweeps.end()) sweeps.push_back({points, {output}});
      else same->second.push_back(output);
    }
    // A state over fewer axes may be read for one over more.
    if (replacing) llvm::sort(sweeps, [](auto &x, auto &y) { return x.first.size() > y.first.size(); });
    for (auto &[points, group] : sweeps) sweep(phase, points, {}, group);
  }
}
