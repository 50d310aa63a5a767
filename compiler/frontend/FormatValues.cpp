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

/// What a result is made of, before it is converted to the type in memory.
Value assignedTo(Value returned) {
  auto store = returned.getDefiningOp<CastOp>();
  return store && !isImplicit(store) ? store.getInput() : returned;
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
} // namespace

ValueFormatter::ValueFormatter(KernelOp kernel) : kernel(kernel) {
  declareAxes();
  declareResults();
  for (BlockArgument argument : kernel.getArguments()) {
    std::string name = kernel.argumentName(argument.getArgNumber()).str();
    names.insert(name);
    isDouble |= getElementTypeOrSelf(argument.getType()).isF64();
    exprs.try_emplace(argument, nameExpr(name, kindOf(argument.getType()), setOf(argument.getType())));
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
      for (Value operand : idiomOf(&op).operands) ++uses[shownOf(operand)];
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
      llvm::append_range(work, idiomOf(op).operands);
  inFactor = true;
  for (Operation &op : kernel.getBody().front())
    if (needed.contains(&op) && !isa<SizeOp, arith::ConstantOp>(op))
      exprs.insert_or_assign(op.getResult(0), show(op, idiomOf(&op)));
  inFactor = false;
  return std::move(take(size).expr);
}

void ValueFormatter::format(Operation &op) {
  if (auto moments = dyn_cast<MomentsOp>(op)) return formatMoments(moments);
  finish(op.getResult(0), show(op, idiomOf(&op)));
}

void ValueFormatter::formatMoments(MomentsOp op) {
  assert(op.getThrough().empty() && "chunks belong to later stages");
  std::vector<TypedExpr> operands = takeAll(idiomOf(op).operands);
  AxisSet over = setOf(op.getOver()), weighted = operands.size() > 1 ? operands[1].axes : 0;
  TypedExpr call =
      callExpr("moments", listExprs(ranging(std::move(operands[0]), over | weighted, setOf(op.getInput().getType()))),
               ValueKind::real);
  CallTail &tail = tailOf(call);
  tail.overSpot.emplace();
  tail.over = axesIn(over);
  if (op.getAcross()) tail.across.emplace();
  if (op.getWeights()) tail.named.emplace_back(Name{"weights", {}}, std::move(operands[1].expr));
  if (op.getMethod() != Method::automatic)
    tail.named.emplace_back(Name{"method", {}},
                            nameExpr(stringifyMethod(op.getMethod()).str(), ValueKind::real, 0).expr);
  Let let;
  auto given = dyn_cast<NameLoc>(op.getLoc());
  StringRef both = given ? given.getName().getValue() : "mu, variance";
  auto [mean, variance] = both.split(", ");
  for (StringRef name : {mean, variance}) let.names.push_back({uniqueName(name.str()), {}});
  let.value = std::move(call.expr);
  std::vector<Name> assigned = let.names;
  write(std::move(let));
  for (auto [result, name] : llvm::zip(op.getResults(), assigned))
    finish(result, nameExpr(name.text, ValueKind::real, call.axes & ~over));
}

void ValueFormatter::finish(Value value, TypedExpr typed) {
  SmallVector<Result, 1> assigned = results.lookup(value);
  // An output may be read once it is assigned, and ranges over all its axes then.
  auto *output = llvm::find_if(assigned, [&](const Result &result) {
    return !result.isState && result.axes == typed.axes && !(result.takesReal && typed.kind != ValueKind::real);
  });
  if (output != assigned.end()) {
    assign(*output, typed);
    typed = nameExpr(output->name, typed.kind, typed.axes);
    assigned.erase(output);
  } else if (uses.lookup(value) > 1 && !typed.isShort()) {
    typed = bind(std::move(typed), nameFor(value));
  }
  for (const Result &result : assigned) assign(result, typed);
  exprs.insert_or_assign(value, std::move(typed));
}

void ValueFormatter::assign(const Result &result, const TypedExpr &typed) {
  TypedExpr value = typed;
  if (result.takesReal) value = asReal(std::move(value), isDouble);
  write(Assign{{result.name, {}}, std::move(value.expr)});
}

TypedExpr ValueFormatter::bind(TypedExpr typed, const std::string &name) {
  Let let;
  let.names.push_back({name, {}});
  let.value = std::move(typed.expr);
  write(std::move(let));
  return nameExpr(name, typed.kind, typed.axes);
}

//===-- Operands ---------------------------------------------------------------------------------------------------//

TypedExpr ValueFormatter::take(Value value) {
  Value shown = shownOf(value);
  if (auto size = shown.getDefiningOp<SizeOp>()) return this->size(size.getAxes());
  if (TypedAttr constant = constantOf(shown)) {
    if (auto real = dyn_cast<FloatAttr>(constant)) return realExpr(real.getValueAsDouble(), isDouble);
    if (auto boolean = dyn_cast<BoolAttr>(constant)) return booleanExpr(boolean.getValue());
    return integerExpr(cast<IntegerAttr>(constant).getInt());
  }
  return exprs.at(shown);
}

/// What stands in one expression: parts of it get a name where it would be long.
std::vector<TypedExpr> ValueFormatter::takeAll(ArrayRef<Value> values) {
  std::vector<TypedExpr> operands;
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
    exprs.insert_or_assign(shown, operands[widest]);
  }
  return operands;
}

TypedExpr ValueFormatter::ranging(TypedExpr typed, AxisSet over, AxisSet within) {
  AxisSet missing = over & ~typed.axes;
  if (!missing) return typed;
  if (!typed.isShort()) typed = bind(std::move(typed), uniqueName("v"));
  TypedExpr condition = alwaysTrue(std::countr_zero(missing), within);
  for (missing &= ~condition.axes; missing; missing &= ~condition.axes)
    condition = binaryExpr(Expr::Op::conjunction, std::move(condition), alwaysTrue(std::countr_zero(missing), within),
                           ValueKind::boolean);
  TypedExpr same = typed;
  ValueKind kind = typed.kind;
  return callExpr("where", listExprs(std::move(condition), std::move(same), std::move(typed)), kind);
}

TypedExpr ValueFormatter::alwaysTrue(unsigned leaf, AxisSet within) {
  const std::string &name = leaves[leaf];
  AxisSet set = AxisSet(1) << leaf;
  if (!packs.contains(name)) {
    TypedExpr index = callExpr("index", listExprs(nameExpr(name, ValueKind::integer, set)), ValueKind::integer);
    return binaryExpr(Expr::Op::greaterEqual, std::move(index), integerExpr(0), ValueKind::boolean);
  }
  // A pack has no index: the input that ranges over it, and over the fewest axes that are not asked for.
  BlockArgument best;
  auto extra = [&](BlockArgument argument) { return std::popcount(setOf(argument.getType()) & ~within); };
  for (BlockArgument argument : kernel.getArguments())
    if (setOf(argument.getType()) & set && (!best || extra(argument) < extra(best))) best = argument;
  assert(best && "an input declares the pack");
  TypedExpr same = binaryExpr(Expr::Op::equal, exprs.at(best), exprs.at(best), ValueKind::boolean);
  AxisSet reduced = same.axes & ~within;
  if (!reduced) return same;
  AxisSet kept = same.axes & ~reduced;
  TypedExpr call = callExpr("any", listExprs(std::move(same)), ValueKind::boolean);
  CallTail &tail = tailOf(call);
  tail.overSpot.emplace();
  tail.over = axesIn(reduced);
  call.axes = kept;
  return call;
}

TypedExpr ValueFormatter::size(ArrayAttr axes) {
  // A factor asks for the size of an axis that is split; a value for the number of its parts' points, the same.
  std::vector<AxisRef> list;
  if (inFactor)
    for (StringAttr name : namesOf(axes)) list.push_back(axis(name));
  else list = axesIn(setOf(axes));
  if (list.empty()) return integerExpr(1);
  TypedExpr call = callExpr(list.size() == 1 ? "size" : "count", {}, ValueKind::integer);
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

} // namespace normc
