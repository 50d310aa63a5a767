// Blocks and rows one after another, each sweep of one beside the next sweep of the one before: the ends of reductions
// that these wait for, and the memory that the first one reads, are then waited for together.
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/PhaseLowering.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
using namespace mlir;
using namespace norm;
using namespace normc;

namespace {
/// Whether an op may go ahead of what other turns store: it reads none of that, and stores nothing itself.
bool mayGoAhead(Operation &op, const llvm::DenseSet<Value> &stored) {
  return !op.walk([&](Operation *inner) {
              auto load = dyn_cast<LoadOp>(inner);
              bool reads = load && (stored.contains(load.getFrom()) || !load.getAt().empty());
              return reads || isa<StoreOp>(inner) ? WalkResult::interrupt() : WalkResult::advance();
            }).wasInterrupted();
}

/// Whether an op is arithmetic between sweeps that may be done at any place, on any values.
bool isScalar(Operation &op) {
  auto sampled = dyn_cast<SampledOp>(op);
  bool isOfPlace = isa<IndexOp, PointsOp>(op) || (sampled && !sampled.getInto().empty());
  return op.getNumRegions() == 0 && isPure(&op) && !isOfPlace;
}

/// A body cut into at most three stages: samples or the first sweep, what follows up to the last sweep, that sweep.
/// A stage begins with what is computed from the results of the sweep before it. One stage where none may go ahead.
SmallVector<SmallVector<Operation *>> stagesOf(Block &body) {
  SmallVector<PassOp> passes(body.getOps<PassOp>());
  // Chunks are slices beyond a core's first cache, and store nothing large.
  auto phase = dyn_cast<PhaseOp>(body.getParentOp());
  auto kernel = body.getParentOp()->getParentOfType<KernelOp>();
  bool isChunk =
      phase && llvm::any_of(namesOf(phase.getAxes()), [&](StringAttr axis) { return kernel.getAxis(axis).isChunks(); });
  PassOp first, beforeLast; // the last passes of the first stage and of the one before the last
  if (passes.size() > 1 && !isChunk) {
    size_t begin = 1;
    while (begin + 1 < passes.size() && passes[begin - 1].getSample() && passes[begin].getSample()) ++begin;
    first = passes[begin - 1];
    beforeLast = *std::next(passes.rbegin());
  }
  llvm::DenseSet<Value> stored;
  body.walk([&](StoreOp store) { stored.insert(store.getTo()); });
  SmallVector<SmallVector<Operation *>> stages(1);
  SmallVector<Operation *> late; // stores of what the first stages compute
  bool goes = bool(first);
  for (Operation &op : body.without_terminator()) {
    if (goes && isa<StoreOp>(op)) {
      late.push_back(&op);
      continue;
    }
    if (goes && !mayGoAhead(op, stored)) {
      goes = false;
      if (llvm::any_of(stages.back(), llvm::IsaPred<PassOp>)) stages.emplace_back();
    }
    stages.back().push_back(&op);
    if (goes && (&op == first || &op == beforeLast)) stages.emplace_back();
    goes &= &op != beforeLast;
  }
  auto *sweeps = llvm::find_if_not(stages.back(), [](Operation *op) { return isScalar(*op); });
  stages.back().insert(sweeps, late.begin(), late.end());
  return stages;
}

/// A value of one stage that later ones use, up to so many stages on; none is a constant.
struct Crossing {
  Value value;
  unsigned from, reach;
};

bool isConstant(Operation *op) { return op->hasTrait<OpTrait::ConstantLike>(); }

/// Products with a power of 2, the same for all of them, that is 1 unless the inverse of a divisor would not be normal:
/// those of a pass that reduces nothing.
struct Scalings {
  Value power;
  llvm::DenseSet<Operation *> products;

  explicit Scalings(PassOp pass) {
    if (!pass.getKinds().empty()) return;
    for (auto product : pass.getBody().getOps<arith::MulFOp>()) {
      auto small = product.getRhs().getDefiningOp<arith::SelectOp>();
      auto large = small ? small.getFalseValue().getDefiningOp<arith::SelectOp>() : arith::SelectOp();
      bool isPower = large && matchPattern(large.getFalseValue(), m_OneFloat()) &&
                     matchPattern(small.getTrueValue(), m_Constant()) && !pass->isAncestor(small);
      if (!isPower || (power && power != small)) continue;
      power = small;
      products.insert(product);
    }
  }
};

SmallVector<Crossing> crossingsOf(ArrayRef<SmallVector<Operation *>> stages) {
  SmallVector<Crossing> crossings;
  for (unsigned from = 0; from + 1 < stages.size(); ++from)
    for (Operation *maker : llvm::make_filter_range(stages[from], [](Operation *op) { return !isConstant(op); }))
      for (Value result : maker->getResults()) {
        unsigned reach = 0;
        for (unsigned later = from + 1; later < stages.size(); ++later)
          if (llvm::any_of(result.getUsers(), [&](Operation *user) {
                return llvm::any_of(stages[later], [&](Operation *op) { return op->isAncestor(user); });
              }))
            reach = later - from;
        if (reach) crossings.push_back({result, from, reach});
      }
  return crossings;
}
} // namespace

/// Sweeps that follow one whose sums are finite are there twice: without the guards that this makes void, and with
/// them.
void PhaseLowering::lowerOps(ArrayRef<Operation *> ops) {
  std::optional<FiniteSums> sums;
  Value areFinite;
  for (Operation *op : ops) {
    auto pass = dyn_cast<PassOp>(op);
    if (!pass) {
      if (Value value = emit(*op, abreast ? abreast->lanes : Lanes(), [&](Value v) { return scalars.lookup(v); }))
        scalars[op->getResult(0)] = value;
    } else if (Scalings scalings(pass); !areFinite && scalings.power) {
      lowerUnscaled(pass, scalings.power, scalings.products);
    } else if (!areFinite) {
      sums.emplace(pass);
      areFinite = lowerSums(pass, *sums);
    } else if (auto guards = sums->guardsOf(pass); !guards.empty()) {
      if (abreast) abreast->guards = &guards;
      auto chosen = choose(
          areFinite, [&] { return lowerWithout(guards, pass); },
          [&] { return lowerGuarded(pass, /*onlySums=*/false); });
      if (abreast) abreast->guards = nullptr;
      for (auto [result, value] : llvm::zip(pass.getResults(), chosen)) scalars[result] = value;
    } else {
      lowerPass(pass);
    }
  }
}

/// A sweep without products with a power of 2 where that is 1, and with them.
void PhaseLowering::lowerUnscaled(PassOp pass, Value power, const llvm::DenseSet<Operation *> &products) {
  Value held = scalars.lookup(power);
  Value one = arith::ConstantOp::create(b, b.getFloatAttr(power.getType(), 1));
  one = alike(one, held);
  Value isOne = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, held, one);
  if (abreast) {
    isOne = splat(isOne, abreast->lanes.width);
    isOne = arith::SelectOp::create(b, abreast->lanes.mask, isOne, fullMask(abreast->lanes.width));
    abreast->finite = isOne, abreast->guards = &products;
    isOne = vector::ReductionOp::create(b, vector::CombiningKind::AND, isOne);
  }
  choose(isOne, [&] { return lowerWithout(products, pass); }, [&] { return lowerGuarded(pass, /*onlySums=*/false); });
  if (abreast) abreast->guards = nullptr;
}

/// A value of the branch that is taken.
PhaseLowering::Values PhaseLowering::choose(Value condition, llvm::function_ref<Values()> yes,
                                            llvm::function_ref<Values()> no) {
  auto inside = [&](llvm::function_ref<Values()> body) {
    return [this, body](OpBuilder &inner, Location) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
      scf::YieldOp::create(b, body());
    };
  };
  return Values(scf::IfOp::create(b, condition, inside(yes), inside(no)).getResults());
}

/// The type that a scalar of the plan has here: of what a cast left as memory would hold it, that of the bits.
Type PhaseLowering::heldType(Value planned) {
  Type type = planned.getType();
  bool isComputed = type.isF32() || type.isF64() || type.isInteger(64) || type.isInteger(1);
  return isComputed ? type : memoryType(type);
}

Value PhaseLowering::zeroOf(Value planned) { return arith::ConstantOp::create(b, b.getZeroAttr(heldType(planned))); }

/// Whether the first stages go ahead: where what they read fits into the first cache beside all that the last one
/// reaches, since otherwise that would not find there what they left. Slices beyond that cache anyway gain where what
/// is stored stays out of the caches.
Value PhaseLowering::goesAhead(ArrayRef<SmallVector<Operation *>> stages, PassOp sweep) {
  auto bytesOf = [](Value memory) { return bytesOfElement(getElementTypeOrSelf(memory.getType())); };
  Value points = constant(1);
  llvm::SetVector<Value> read, reached;
  sweep->walk([&](Operation *op) {
    if (auto load = dyn_cast<LoadOp>(op)) read.insert(load.getFrom());
    if (auto pass = dyn_cast<PassOp>(op))
      for (StringAttr axis : namesOf(pass.getAxes())) points = multiply(points, extent(axis));
  });
  for (Operation *op : stages.back())
    op->walk([&](Operation *inner) {
      if (auto load = dyn_cast<LoadOp>(inner)) reached.insert(load.getFrom());
      if (auto store = dyn_cast<StoreOp>(inner)) reached.insert(store.getTo());
    });
  int64_t slice = 0, beside = 0;
  for (Value memory : read) slice += bytesOf(memory);
  for (Value memory : reached) beside += bytesOf(memory);
  auto compare = [&](arith::CmpIPredicate predicate, Value value, int64_t bound) -> Value {
    return arith::CmpIOp::create(b, predicate, value, constant(bound));
  };
  int64_t together = slice * int64_t(stages.size() - 1) + beside;
  Value fits = compare(arith::CmpIPredicate::sle, multiply(points, constant(together)), shape.l1Bytes);
  turnsFit = fits;
  if (!shape.streamBytes) return fits;
  Value beyond = compare(arith::CmpIPredicate::sgt, multiply(points, constant(slice)), shape.l1Bytes);
  return arith::OrIOp::create(b, fits, arith::AndIOp::create(b, beyond, isBeyondCaches(stages.back())));
}

/// A body at each position from `first` up to `last`, without it; `bind` says where that is. Where the first stages go
/// ahead, one turn of the loop does each stage, at one position less than the stage before; what it does at its several
/// positions does not depend on each other. Else a turn does one stage. Either way a stage finds what one before it
/// made as many turns ago as it stands after that, and nothing is chosen between two values, which would have to wait
/// for both. The arithmetic that a stage begins with stands before all sweeps of a turn, whether it is that stage's
/// turn or not: a sweep that needs it comes last, and the processor has other sweeps to do while it waits for roots and
/// quotients.
void PhaseLowering::lowerTurns(Value first, Value last, Block &body, llvm::function_ref<void(Value)> bind) {
  if (lowerBeside(first, last, body, bind)) return;
  SmallVector<SmallVector<Operation *>> stages = stagesOf(body);
  Value zero = constant(0), one = constant(1), count = constant(stages.size());
  if (stages.size() == 1) {
    loop(first, last, one, {}, [&](Value position, ValueRange) {
      bind(position);
      lowerOps(stages.front());
      return Values();
    });
    return;
  }
  for (ArrayRef<Operation *> stage : stages) lowerOps(llvm::to_vector(llvm::make_filter_range(stage, isConstant)));
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, predicate, x, y);
  };
  // The first sweep of all points, which waits for memory.
  PassOp sweep;
  unsigned sweepStage = 0;
  for (unsigned stage = stages.size(); stage-- > 0;)
    for (Operation *op : llvm::reverse(stages[stage]))
      if (auto pass = dyn_cast<PassOp>(op); pass && !pass.getSample()) sweep = pass, sweepStage = stage;
  fetched.lead = sweep;
  Value ahead = goesAhead(stages, sweep);
  SmallVector<Crossing> crossings = crossingsOf(stages);
  SmallVector<SmallVector<Operation *>> arithmetic(stages.size());
  for (unsigned stage = 1; stage < stages.size(); ++stage) {
    auto *end = llvm::find_if_not(stages[stage], [](Operation *op) { return isScalar(*op); });
    arithmetic[stage].assign(stages[stage].begin(), end);
    stages[stage].erase(stages[stage].begin(), end);
  }
  Values start = {first, zero}; // the position of the first stage; where none goes ahead, which stage's turn it is
  for (const Crossing &crossing : crossings) start.append(crossing.reach, zeroOf(crossing.value));
  Value positions = arith::SubIOp::create(b, last, first);
  Value turns =
      arith::SelectOp::create(b, ahead, add(positions, constant(stages.size() - 1)), multiply(positions, count));
  loop(zero, turns, one, start, [&](Value, ValueRange carried) {
    Value front = carried[0], whose = carried[1];
    ValueRange before = carried.drop_front(2);
    Values fresh(crossings.size());
    auto outside = scalars;
    SmallVector<decltype(scalars)> known(stages.size(), scalars); // to each stage, before its sweeps
    for (unsigned stage = 0; stage < stages.size(); ++stage) {
      unsigned slot = 0;
      for (const Crossing &crossing : crossings) {
        if (crossing.from < stage && stage <= crossing.from + crossing.reach)
          scalars[crossing.value] = before[slot + stage - crossing.from - 1];
        slot += crossing.reach;
      }
      lowerOps(arithmetic[stage]);
      known[stage] = std::exchange(scalars, outside);
    }
    for (unsigned stage = 0; stage < stages.size(); ++stage) {
      scalars = known[stage];
      bool isLast = stage + 1 == stages.size();
      auto behind = [&](unsigned by) { return arith::SelectOp::create(b, ahead, constant(by), zero); };
      Value position = arith::SubIOp::create(b, front, behind(stage));
      Value isThere = arith::AndIOp::create(b, compare(arith::CmpIPredicate::sge, position, first),
                                            compare(arith::CmpIPredicate::slt, position, last));
      Value isTurn = arith::OrIOp::create(b, ahead, compare(arith::CmpIPredicate::eq, whose, constant(stage)));
      SmallVector<unsigned> made; // the crossings that the sweeps of this stage make
      Values none;
      for (auto [number, crossing] : llvm::enumerate(crossings)) {
        if (crossing.from != stage) continue;
        if (Value value = scalars.lookup(crossing.value)) {
          fresh[number] = value;
          continue;
        }
        made.push_back(number);
        none.push_back(zeroOf(crossing.value));
      }
      if (isLast) {
        Value following = arith::SubIOp::create(b, add(front, one), behind(sweepStage));
        bind(arith::MinSIOp::create(b, following, arith::SubIOp::create(b, last, one)));
        fetched.positions = this->positions;
      }
      bind(position);
      auto compute = [&] {
        lowerOps(stages[stage]);
        return Values(llvm::map_range(made, [&](unsigned number) { return scalars.lookup(crossings[number].value); }));
      };
      Values results = choose(arith::AndIOp::create(b, isThere, isTurn), compute, [&] { return none; });
      fetched.positions.clear();
      for (auto [number, result] : llvm::zip(made, results)) fresh[number] = result;
    }
    scalars = outside;
    Value after = add(whose, one), isRound = compare(arith::CmpIPredicate::eq, after, count);
    Value goesOn = arith::OrIOp::create(b, ahead, isRound);
    Values next = {add(front, arith::ExtUIOp::create(b, b.getI64Type(), goesOn)),
                   arith::SelectOp::create(b, goesOn, zero, after)};
    unsigned slot = 0;
    for (auto [number, crossing] : llvm::enumerate(crossings)) {
      next.push_back(fresh[number]);
      llvm::append_range(next, before.slice(slot, crossing.reach - 1));
      slot += crossing.reach;
    }
    return next;
  });
  fetched.lead = {};
}
