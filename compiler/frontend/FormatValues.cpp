#include "compiler/frontend/FormatValues.h"
#include "compiler/StorageType.h"
#include "compiler/frontend/Builtins.h"
#include "compiler/frontend/Parser.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
#include <bit>
#include <limits>
using namespace mlir;
using namespace norm;

namespace normc {
namespace {
constexpr size_t mostWidth = 88; // of an expression, beyond which its parts get names
constexpr size_t leastNamed = 12;

bool isReal(Value value) { return isa<FloatType>(getElementTypeOrSelf(value)); }

/// What a result is made of, before it is converted to the type in memory.
Value assignedTo(Value returned) {
  auto store = returned.getDefiningOp<CastOp>();
  return store && !isImplicit(store) ? store.getInput() : returned;
}

CallTail &tailOf(Phrase &call) {
  call.expr.tail = std::make_unique<CallTail>();
  return *call.expr.tail;
}

template <typename... Phrases> std::vector<Phrase> list(Phrases &&...phrases) {
  std::vector<Phrase> result;
  (result.push_back(std::forward<Phrases>(phrases)), ...);
  return result;
}

/// (x − mean) · rstd or (x − mean) / sigma, by their axes.
bool isNormalized(Operation *op) {
  if (!isa_and_nonnull<arith::MulFOp, arith::DivFOp>(op)) return false;
  auto deviation = op->getOperand(0).getDefiningOp<arith::SubFOp>();
  size_t rank = norm::axesOf(op->getResult(0).getType()).size();
  auto isConstantAlong = [&](Value value) { return norm::axesOf(shownOf(value).getType()).size() < rank; };
  auto isConstant = [](Value value) { return bool(constantOf(shownOf(value))); };
  return deviation && isConstantAlong(op->getOperand(1)) && isConstantAlong(deviation.getRhs()) &&
         !isConstantAlong(deviation.getLhs()) && !isConstant(op->getOperand(1)) && !isConstant(deviation.getRhs());
}

/// The function of the language that an op is; empty where it is none.
StringRef functionOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case<math::AbsFOp, math::AbsIOp>([](auto) { return "abs"; })
      .Case<math::SqrtOp>([](auto) { return "sqrt"; })
      .Case<math::RsqrtOp>([](auto) { return "rsqrt"; })
      .Case<math::ExpOp>([](auto) { return "exp"; })
      .Case<math::LogOp>([](auto) { return "log"; })
      .Case<math::TanhOp>([](auto) { return "tanh"; })
      .Case<math::ErfOp>([](auto) { return "erf"; })
      .Case<math::FloorOp>([](auto) { return "floor"; })
      .Case<math::RoundEvenOp>([](auto) { return "round"; })
      .Case<math::PowFOp>([](auto) { return "pow"; })
      .Case<arith::MinimumFOp, arith::MinSIOp>([](auto) { return "min"; })
      .Case<arith::MaximumFOp, arith::MaxSIOp>([](auto) { return "max"; })
      .Case<StopGradientOp>([](auto) { return "stop_gradient"; })
      .Default(StringRef());
}

std::optional<Expr::Op> operatorOf(Operation *op) {
  using Result = std::optional<Expr::Op>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return Expr::Op::add; })
      .Case<arith::SubFOp, arith::SubIOp>([](auto) { return Expr::Op::subtract; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return Expr::Op::multiply; })
      .Case<arith::DivFOp, arith::DivSIOp>([](auto) { return Expr::Op::divide; })
      .Case<arith::AndIOp>([](auto) { return Expr::Op::conjunction; })
      .Case<arith::OrIOp>([](auto) { return Expr::Op::disjunction; })
      .Default(Result());
}
} // namespace

std::string elementName(Type type) { return std::string(nameOf(*elementTypeOf(type))); }

ValueFormatter::ValueFormatter(KernelOp kernel) : kernel(kernel) {
  declareAxes();
  declareResults();
  for (BlockArgument argument : kernel.getArguments()) {
    std::string name = kernel.argumentName(argument.getArgNumber()).str();
    names.insert(name);
    isDouble |= getElementTypeOrSelf(argument.getType()).isF64();
    phrases.try_emplace(argument, namePhrase(name, kindOf(argument.getType()), setOf(argument.getType())));
  }
  countUses();
}

//===-- Axes and names ---------------------------------------------------------------------------------------------//

void ValueFormatter::declareAxes() {
  for (Attribute row : kernel.getAxes()) {
    auto axis = cast<AxisAttr>(row);
    if (axis.isProduct()) {
      sets[axis.getName()] = sets.lookup(axis.getOuter()) | sets.lookup(axis.getInner());
      continue;
    }
    assert(leaves.size() < mostAxes && "the front end takes no more axes");
    sets[axis.getName()] = AxisSet(1) << leaves.size();
    leaves.push_back(axis.getName().str());
  }
  auto declare = [&](Attribute dims) {
    for (Attribute dim : cast<ArrayAttr>(dims))
      if (StringRef name = cast<StringAttr>(dim).getValue(); name.consume_back("...")) packs.insert(name);
  };
  for (unsigned i = 0; i < kernel.getNumArguments(); ++i) declare(kernel.getArgAttr(i, "norm.dims"));
  for (unsigned i = 0; i < kernel.getNumResults(); ++i) declare(kernel.getResultAttr(i, "norm.dims"));
}

void ValueFormatter::declareResults() {
  llvm::StringSet<> states;
  for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
    if (kernel.getArgAttr(i, "norm.state")) states.insert(kernel.argumentName(i));
  Operation *returned = kernel.getBody().front().getTerminator();
  for (auto [i, value] : llvm::enumerate(returned->getOperands())) {
    StringRef name = kernel.resultName(i);
    names.insert(name.str());
    Value assigned = assignedTo(value);
    bool takesReal = isReal(assigned) && !isReal(value);
    results[shownOf(assigned)].push_back({name.str(), setOf(value.getType()), states.contains(name), takesReal});
  }
}

/// Backwards from what is returned: how often each value would be written.
void ValueFormatter::countUses() {
  for (Operation &op : llvm::reverse(kernel.getBody().front())) {
    if (isa<ReturnOp>(op)) {
      for (Value value : op.getOperands()) ++uses[shownOf(assignedTo(value))];
      continue;
    }
    if (isa<FactorOp>(op) || isImplicit(&op)) continue;
    if (llvm::any_of(op.getResults(), [&](Value result) { return uses.lookup(result) > 0; }))
      for (Value operand : formOf(&op).operands) ++uses[shownOf(operand)];
  }
}

AxisSet ValueFormatter::setOf(Type type) const {
  AxisSet set = 0;
  for (StringAttr axis : norm::axesOf(type)) set |= sets.lookup(axis);
  return set;
}
AxisSet ValueFormatter::setOf(ArrayAttr names) const {
  AxisSet set = 0;
  for (StringAttr axis : norm::namesOf(names)) set |= sets.lookup(axis);
  return set;
}
std::vector<AxisRef> ValueFormatter::axesIn(AxisSet set) {
  std::map<int, AxisRef> byPlace;
  for (Attribute row : llvm::reverse(kernel.getAxes())) { // wholes come before their parts
    StringRef name = cast<AxisAttr>(row).getName().getValue();
    AxisSet own = sets.lookup(name);
    if (!own || own & ~set) continue;
    byPlace[std::countr_zero(own)] = axis(name);
    set &= ~own;
  }
  std::vector<AxisRef> list;
  for (const auto &[place, ref] : byPlace) list.push_back(ref);
  return list;
}

std::string ValueFormatter::uniqueName(const std::string &base) {
  static const std::set<std::string, std::less<>> words = {"across",   "fn",     "given", "gradient", "import",
                                                           "inout",    "kernel", "let",   "of",       "over",
                                                           "replicas", "split",  "wrt"};
  auto isFree = [&](const std::string &name) {
    return !names.count(name) && !words.count(name) && !isReserved(name) && !builtinNamed(name);
  };
  // What has no name of its own is counted from 1; of a name the second is 2.
  std::string name = base;
  unsigned &count = counts.try_emplace(base, base == "v" ? 0 : 1).first->second;
  for (bool taken = base == "v" || !isFree(base); taken; taken = !isFree(name)) name = base + std::to_string(++count);
  names.insert(name);
  return name;
}

std::string ValueFormatter::nameFor(Value value) {
  Operation *op = value.getDefiningOp();
  // Names of moments, which are two, come with what simplification makes of moments.
  auto given = op ? dyn_cast<NameLoc>(op->getLoc()) : NameLoc();
  if (given && !given.getName().getValue().contains(',')) return uniqueName(given.getName().str());
  if (isa_and_nonnull<math::RsqrtOp>(op)) return uniqueName("rstd");
  if (isa_and_nonnull<math::SqrtOp>(op)) return uniqueName("sigma");
  return uniqueName(isNormalized(op) ? "normal" : "v");
}

//===-- Statements -------------------------------------------------------------------------------------------------//

std::vector<Statement> ValueFormatter::statements() {
  llvm::SmallPtrSet<void *, 8> assigned;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (isa<FactorOp, SizeOp, arith::ConstantOp>(op) || isImplicit(&op)) continue;
    if (llvm::none_of(op.getResults(), [&](Value result) { return uses.lookup(result) > 0; })) continue;
    format(op);
    for (Value result : op.getResults()) assigned.insert(result.getAsOpaquePointer());
  }
  // What is not computed: inputs, constants and sizes.
  for (Value value : kernel.getBody().front().getTerminator()->getOperands()) {
    Value shown = shownOf(assignedTo(value));
    if (!assigned.insert(shown.getAsOpaquePointer()).second) continue;
    for (const Result &result : results[shown]) assign(result, take(shown));
  }
  return std::move(written);
}

Expr ValueFormatter::factor(Value size) {
  llvm::SmallPtrSet<Operation *, 8> needed;
  SmallVector<Value> work = {size};
  while (!work.empty())
    if (Operation *op = shownOf(work.pop_back_val()).getDefiningOp(); op && needed.insert(op).second)
      llvm::append_range(work, formOf(op).operands);
  inFactor = true;
  for (Operation &op : kernel.getBody().front())
    if (needed.contains(&op) && !isa<SizeOp, arith::ConstantOp>(op))
      phrases.insert_or_assign(op.getResult(0), show(op, formOf(&op)));
  inFactor = false;
  return std::move(take(size).expr);
}

void ValueFormatter::format(Operation &op) {
  if (auto moments = dyn_cast<MomentsOp>(op)) return formatMoments(moments);
  finish(op.getResult(0), show(op, formOf(&op)));
}

void ValueFormatter::formatMoments(MomentsOp op) {
  assert(op.getThrough().empty() && "chunks belong to later stages");
  std::vector<Phrase> operands = takeAll(formOf(op).operands);
  AxisSet over = setOf(op.getOver()), weighted = operands.size() > 1 ? operands[1].axes : 0;
  Phrase call =
      callPhrase("moments", list(ranging(std::move(operands[0]), over | weighted, setOf(op.getInput().getType()))),
                 ValueKind::real);
  CallTail &tail = tailOf(call);
  tail.overSpot.emplace();
  tail.over = axesIn(over);
  if (op.getAcross()) tail.across.emplace();
  if (op.getWeights()) tail.named.emplace_back(Name{"weights", {}}, std::move(operands[1].expr));
  if (op.getMethod() != Method::automatic)
    tail.named.emplace_back(Name{"method", {}},
                            namePhrase(stringifyMethod(op.getMethod()).str(), ValueKind::real, 0).expr);
  Let let;
  auto given = dyn_cast<NameLoc>(op.getLoc());
  StringRef both = given ? given.getName().getValue() : "mu, variance";
  auto [mean, variance] = both.split(", ");
  for (StringRef name : {mean, variance}) let.names.push_back({uniqueName(name.str()), {}});
  let.value = std::move(call.expr);
  std::vector<Name> assigned = let.names;
  write(std::move(let));
  for (auto [result, name] : llvm::zip(op.getResults(), assigned))
    finish(result, namePhrase(name.text, ValueKind::real, call.axes & ~over));
}

void ValueFormatter::finish(Value value, Phrase phrase) {
  SmallVector<Result, 1> assigned = results.lookup(value);
  // An output may be read once it is assigned, and ranges over all its axes then.
  auto *output = llvm::find_if(assigned, [&](const Result &result) {
    return !result.isState && result.axes == phrase.axes && !(result.takesReal && phrase.kind != ValueKind::real);
  });
  if (output != assigned.end()) {
    assign(*output, phrase);
    phrase = namePhrase(output->name, phrase.kind, phrase.axes);
    assigned.erase(output);
  } else if (uses.lookup(value) > 1 && !phrase.isShort()) {
    phrase = bind(std::move(phrase), nameFor(value));
  }
  for (const Result &result : assigned) assign(result, phrase);
  phrases.insert_or_assign(value, std::move(phrase));
}

void ValueFormatter::assign(const Result &result, const Phrase &phrase) {
  Phrase value = phrase;
  if (result.takesReal) value = asReal(std::move(value), isDouble);
  write(Assign{{result.name, {}}, std::move(value.expr)});
}

Phrase ValueFormatter::bind(Phrase phrase, const std::string &name) {
  Let let;
  let.names.push_back({name, {}});
  let.value = std::move(phrase.expr);
  write(std::move(let));
  return namePhrase(name, phrase.kind, phrase.axes);
}

//===-- Operands ---------------------------------------------------------------------------------------------------//

Phrase ValueFormatter::take(Value value) {
  Value shown = shownOf(value);
  if (auto size = shown.getDefiningOp<SizeOp>()) return this->size(size.getAxes());
  if (TypedAttr constant = constantOf(shown)) {
    if (auto real = dyn_cast<FloatAttr>(constant)) return realPhrase(real.getValueAsDouble(), isDouble);
    if (auto boolean = dyn_cast<BoolAttr>(constant)) return booleanPhrase(boolean.getValue());
    return integerPhrase(cast<IntegerAttr>(constant).getInt());
  }
  return phrases.at(shown);
}

/// What stands in one expression: parts of it get a name where it would be long.
std::vector<Phrase> ValueFormatter::takeAll(ArrayRef<Value> values) {
  std::vector<Phrase> operands;
  for (Value value : values) operands.push_back(take(value));
  while (!inFactor) {
    size_t total = 0, widest = 0;
    for (size_t i = 0; i < operands.size(); ++i) {
      total += operands[i].width() + 4;
      if (operands[i].width() > operands[widest].width()) widest = i;
    }
    if (total <= mostWidth || operands[widest].width() < leastNamed) break;
    Value shown = shownOf(values[widest]);
    operands[widest] = bind(std::move(operands[widest]), nameFor(shown));
    phrases.insert_or_assign(shown, operands[widest]);
  }
  return operands;
}

Phrase ValueFormatter::ranging(Phrase phrase, AxisSet over, AxisSet within) {
  AxisSet missing = over & ~phrase.axes;
  if (!missing) return phrase;
  if (!phrase.isShort()) phrase = bind(std::move(phrase), uniqueName("v"));
  Phrase condition = alwaysTrue(std::countr_zero(missing), within);
  for (missing &= ~condition.axes; missing; missing &= ~condition.axes)
    condition = binaryPhrase(Expr::Op::conjunction, std::move(condition), alwaysTrue(std::countr_zero(missing), within),
                             ValueKind::boolean);
  Phrase same = phrase;
  ValueKind kind = phrase.kind;
  return callPhrase("where", list(std::move(condition), std::move(same), std::move(phrase)), kind);
}

Phrase ValueFormatter::alwaysTrue(unsigned leaf, AxisSet within) {
  const std::string &name = leaves[leaf];
  AxisSet set = AxisSet(1) << leaf;
  if (!packs.contains(name)) {
    Phrase index = callPhrase("index", list(namePhrase(name, ValueKind::integer, set)), ValueKind::integer);
    return binaryPhrase(Expr::Op::greaterEqual, std::move(index), integerPhrase(0), ValueKind::boolean);
  }
  // A pack has no index: the input that ranges over it, and over the fewest axes that are not asked for.
  BlockArgument best;
  auto extra = [&](BlockArgument argument) { return std::popcount(setOf(argument.getType()) & ~within); };
  for (BlockArgument argument : kernel.getArguments())
    if (setOf(argument.getType()) & set && (!best || extra(argument) < extra(best))) best = argument;
  assert(best && "an input declares the pack");
  Phrase same = binaryPhrase(Expr::Op::equal, phrases.at(best), phrases.at(best), ValueKind::boolean);
  AxisSet reduced = same.axes & ~within;
  if (!reduced) return same;
  AxisSet kept = same.axes & ~reduced;
  Phrase call = callPhrase("any", list(std::move(same)), ValueKind::boolean);
  CallTail &tail = tailOf(call);
  tail.overSpot.emplace();
  tail.over = axesIn(reduced);
  call.axes = kept;
  return call;
}

Phrase ValueFormatter::size(ArrayAttr axes) {
  // A factor asks for the size of an axis that is split; a value for the number of its parts' points, the same.
  std::vector<AxisRef> list;
  if (inFactor)
    for (StringAttr name : namesOf(axes)) list.push_back(axis(name));
  else list = axesIn(setOf(axes));
  if (list.empty()) return integerPhrase(1);
  Phrase call = callPhrase(list.size() == 1 ? "size" : "count", {}, ValueKind::integer);
  if (list.size() == 1) {
    Expr &operand = call.expr.operands.emplace_back();
    operand.kind = Expr::Kind::name, operand.text = list[0].name, operand.pack = list[0].pack;
    return call;
  }
  CallTail &tail = tailOf(call);
  tail.overSpot.emplace();
  tail.over = std::move(list);
  return call;
}

//===-- Expressions ------------------------------------------------------------------------------------------------//

Phrase ValueFormatter::reduction(std::string name, Form form, Phrase value) {
  norm::ReduceOp reduce = form.reduce;
  AxisSet over = 0;
  if (reduce) {
    assert(reduce.getInto().empty() && "chunks belong to later stages");
    over = setOf(reduce.getOver());
    value = ranging(std::move(value), over, setOf(reduce.getInput().getType()));
  }
  AxisSet kept = value.axes & ~over;
  bool isLogical = name == "any" || name == "all";
  Phrase call = callPhrase(std::move(name), list(std::move(value)), isLogical ? ValueKind::boolean : ValueKind::real);
  call.axes = kept;
  CallTail &tail = tailOf(call);
  if (reduce) tail.overSpot.emplace(), tail.over = axesIn(over);
  if (form.across) tail.across.emplace();
  return call;
}

Phrase ValueFormatter::show(Operation &op, Form form) {
  if (form.kind == Form::Kind::count) {
    Phrase call = callPhrase("count", {}, ValueKind::integer);
    CallTail &tail = tailOf(call);
    tail.overSpot.emplace(), tail.across.emplace();
    tail.over = axesIn(setOf(form.counted));
    return call;
  }
  std::vector<Phrase> operands = takeAll(form.operands);
  switch (form.kind) {
  case Form::Kind::mean:
    return reduction("mean", form, std::move(operands[0]));
  case Form::Kind::reduction:
  case Form::Kind::acrossOnly: {
    auto across = dyn_cast<AllReduceOp>(op);
    ReduceKind kind = across ? across.getKind() : form.reduce.getKind();
    return reduction(stringifyReduceKind(kind).str(), form, std::move(operands[0]));
  }
  case Form::Kind::sigmoid:
    return callPhrase("sigmoid", std::move(operands), ValueKind::real);
  case Form::Kind::lowerClamp:
    operands.push_back(realPhrase(std::numeric_limits<double>::infinity(), isDouble));
    return callPhrase("clamp", std::move(operands), ValueKind::real);
  case Form::Kind::upperClamp:
    operands.insert(operands.begin() + 1, realPhrase(-std::numeric_limits<double>::infinity(), isDouble));
    return callPhrase("clamp", std::move(operands), ValueKind::real);
  case Form::Kind::clamp:
    if (isReal(op.getResult(0))) meetAsReals(operands[0], operands[1], isDouble);
    return callPhrase("clamp", std::move(operands), kindOf(op.getResult(0).getType()));
  case Form::Kind::subtraction:
    meetAsReals(operands[0], operands[1], isDouble);
    return binaryPhrase(Expr::Op::subtract, std::move(operands[0]), std::move(operands[1]), ValueKind::real);
  case Form::Kind::negation:
    return unaryPhrase(Expr::Kind::negate, std::move(operands[0]), ValueKind::integer);
  case Form::Kind::inversion:
    return unaryPhrase(Expr::Kind::invert, std::move(operands[0]), ValueKind::boolean);
  case Form::Kind::guarded:
    hasGuarded = true;
    meetAsReals(operands[0], operands[1], isDouble);
    return callPhrase("times", std::move(operands), ValueKind::real);
  default:
    return showOp(op, std::move(operands));
  }
}

Phrase ValueFormatter::showOp(Operation &op, std::vector<Phrase> operands) {
  bool real = isReal(op.getResult(0));
  ValueKind kind = kindOf(op.getResult(0).getType());
  if (std::optional<Expr::Op> sign = operatorOf(&op)) {
    if (real && *sign != Expr::Op::divide) meetAsReals(operands[0], operands[1], isDouble);
    return binaryPhrase(*sign, std::move(operands[0]), std::move(operands[1]), kind);
  }
  if (StringRef function = functionOf(&op); !function.empty()) {
    // Of an integer the language's abs, min and max are integers.
    bool isEither = isa<math::AbsFOp, StopGradientOp>(op);
    if (isEither) operands[0] = asReal(std::move(operands[0]), isDouble);
    if (isa<arith::MinimumFOp, arith::MaximumFOp>(op)) meetAsReals(operands[0], operands[1], isDouble);
    return callPhrase(function.str(), std::move(operands), kind);
  }
  if (isa<arith::CmpFOp, arith::CmpIOp>(op)) return showComparison(op, std::move(operands));
  if (isa<arith::XOrIOp>(op))
    return binaryPhrase(Expr::Op::notEqual, std::move(operands[0]), std::move(operands[1]), kind);
  if (isa<arith::NegFOp>(op)) return unaryPhrase(Expr::Kind::negate, asReal(std::move(operands[0]), isDouble), kind);
  if (isa<arith::SelectOp>(op)) {
    if (real) meetAsReals(operands[1], operands[2], isDouble);
    return callPhrase("where", std::move(operands), kind);
  }
  if (isa<arith::ExtUIOp>(op))
    return callPhrase("where", list(std::move(operands[0]), integerPhrase(1), integerPhrase(0)), kind);
  if (auto cast = dyn_cast<CastOp>(op)) return showCast(cast, std::move(operands[0]));
  if (auto at = dyn_cast<AtOp>(op)) return showAt(at, std::move(operands));
  auto index = cast<IndexOp>(op);
  return callPhrase("index", list(namePhrase(index.getAxis().str(), kind, sets.lookup(index.getAxis()))), kind);
}

Phrase ValueFormatter::showCast(CastOp op, Phrase operand) {
  Type element = getElementTypeOrSelf(op.getType());
  if (isReal(op.getInput()) && !isReal(op)) operand = asReal(std::move(operand), isDouble);
  Phrase type = namePhrase(elementName(element), ValueKind::real, 0);
  return callPhrase("cast", list(std::move(operand), std::move(type)), kindOf(element));
}

Phrase ValueFormatter::showAt(AtOp op, std::vector<Phrase> operands) {
  AxisSet removed = sets.lookup(op.getAxis());
  Phrase value = ranging(std::move(operands[0]), removed, setOf(op.getInput().getType()));
  AxisSet kept = value.axes & ~removed;
  ValueKind kind = value.kind;
  Phrase call = callPhrase("at", list(std::move(value)), kind);
  tailOf(call).named.emplace_back(Name{op.getAxis().str(), {}}, std::move(operands[1].expr));
  call.axes = kept;
  return call;
}

Phrase ValueFormatter::showComparison(Operation &op, std::vector<Phrase> operands) {
  using Sign = Expr::Op;
  Phrase &a = operands[0], &b = operands[1];
  auto is = [](Sign sign, Phrase a, Phrase b) {
    return binaryPhrase(sign, std::move(a), std::move(b), ValueKind::boolean);
  };
  auto isNot = [&](Sign sign) {
    return unaryPhrase(Expr::Kind::invert, is(sign, std::move(a), std::move(b)), ValueKind::boolean);
  };
  auto either = [&](Sign one, Sign other) { return is(Sign::disjunction, is(one, a, b), is(other, a, b)); };
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    using P = arith::CmpIPredicate;
    P predicate = compare.getPredicate();
    // In i1 true is −1; to the language it is 1.
    bool isSigned = predicate == P::slt || predicate == P::sle || predicate == P::sgt || predicate == P::sge;
    if (isSigned && getElementTypeOrSelf(compare.getLhs()).isInteger(1)) std::swap(a, b);
    Sign sign = predicate == P::eq                           ? Sign::equal
                : predicate == P::ne                         ? Sign::notEqual
                : predicate == P::slt || predicate == P::ult ? Sign::less
                : predicate == P::sle || predicate == P::ule ? Sign::lessEqual
                : predicate == P::sgt || predicate == P::ugt ? Sign::greater
                                                             : Sign::greaterEqual;
    return is(sign, std::move(a), std::move(b));
  }
  auto compare = cast<arith::CmpFOp>(op);
  meetAsReals(a, b, isDouble);
  using P = arith::CmpFPredicate;
  switch (compare.getPredicate()) {
  case P::OLT:
    return is(Sign::less, std::move(a), std::move(b));
  case P::OLE:
    return is(Sign::lessEqual, std::move(a), std::move(b));
  case P::OGT:
    return is(Sign::greater, std::move(a), std::move(b));
  case P::OGE:
    return is(Sign::greaterEqual, std::move(a), std::move(b));
  case P::OEQ:
    return is(Sign::equal, std::move(a), std::move(b));
  case P::UNE:
    return is(Sign::notEqual, std::move(a), std::move(b));
  case P::ULT:
    return isNot(Sign::greaterEqual);
  case P::ULE:
    return isNot(Sign::greater);
  case P::UGT:
    return isNot(Sign::lessEqual);
  case P::UGE:
    return isNot(Sign::less);
  case P::ONE:
    return either(Sign::less, Sign::greater);
  case P::UEQ:
    return unaryPhrase(Expr::Kind::invert, either(Sign::less, Sign::greater), ValueKind::boolean);
  case P::ORD:
    return is(Sign::conjunction, is(Sign::equal, a, a), is(Sign::equal, b, b));
  case P::UNO:
    return is(Sign::disjunction, is(Sign::notEqual, a, a), is(Sign::notEqual, b, b));
  case P::AlwaysTrue:
    return booleanPhrase(true);
  case P::AlwaysFalse:
    return booleanPhrase(false);
  }
  llvm_unreachable("every predicate has been dealt with");
}

} // namespace normc
