// norm-specialize: binds a selection, so that later stages meet no optional thing.
#include "compiler/transforms/Specialize.h"
#include "compiler/transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringSwitch.h"
#include <set>
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_SPECIALIZE
#include "compiler/transforms/Passes.h.inc"

Place placeOf(Location location) {
  if (auto place = dyn_cast<FileLineColLoc>(location))
    return {place.getFilename().str(), place.getLine(), place.getColumn()};
  if (auto named = dyn_cast<NameLoc>(location)) return placeOf(named.getChildLoc());
  if (auto call = dyn_cast<CallSiteLoc>(location)) return placeOf(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (Place place = placeOf(part); place.line) return place;
  return {};
}

void simplify(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  RewritePatternSet patterns(context);
  for (Dialect *dialect : context->getLoadedDialects())
    if (isa<NormDialect, arith::ArithDialect, math::MathDialect>(dialect))
      dialect->getCanonicalizationPatterns(patterns);
  for (RegisteredOperationName op : context->getRegisteredOperations())
    if (isa<NormDialect, arith::ArithDialect, math::MathDialect>(op.getDialect()))
      op.getCanonicalizationPatterns(patterns, context);
  FrozenRewritePatternSet frozen(std::move(patterns));
  for (bool changed = true; changed;) {
    bool eliminated = false;
    IRRewriter rewriter(context);
    (void)applyPatternsGreedily(kernel.getBody(), frozen, GreedyRewriteConfig(), &changed);
    DominanceInfo dominance(kernel);
    eliminateCommonSubExpressions(rewriter, dominance, kernel, &eliminated);
    changed = changed && eliminated;
  }
}

namespace {
std::string quoted(ArrayRef<std::string> names) { return llvm::join(names, ", "); }

class Specializer {
public:
  Specializer(KernelOp kernel, const Selection &selection, Diagnostics &diagnostics)
      : kernel(kernel), selection(selection), diagnostics(diagnostics), builder(kernel.getContext()) {}

  LogicalResult run() {
    omitGradients();
    omitInputs();
    omitResults();
    permute();
    markInplace();
    if (failed) return failure();
    std::map<std::string, int64_t> sizes = selection.sizes;
    for (const auto &[pack, rank] : knownRanks())
      if (rank == 0) sizes.emplace(pack, 1);
    for (size_t known = ~size_t(0); known != sizes.size();) { // a factor may follow from extents that another one fixes
      known = sizes.size();
      simplify(kernel);
      if (mlir::failed(solveSizes(kernel, sizes, diagnostics))) return failure();
    }
    fixProducts(kernel, sizes, diagnostics);
    recordRanks();
    dropInputs();
    dropAxes();
    return failure(failed);
  }

private:
  KernelOp kernel;
  const Selection &selection;
  Diagnostics &diagnostics;
  OpBuilder builder;
  bool failed = false;
  std::set<std::string> differentiated; // optional inputs with a gradient

  void fail(std::string message, Place place = {}, Fault fault = Fault::usage) {
    diagnostics.error(std::move(place), std::move(message), fault);
    failed = true;
  }
  std::optional<unsigned> argumentNamed(StringRef name) {
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
      if (kernel.argumentName(i) == name) return i;
    return {};
  }
  std::optional<unsigned> resultNamed(StringRef name) {
    for (unsigned i = 0; i < kernel.getNumResults(); ++i)
      if (kernel.resultName(i) == name) return i;
    return {};
  }
  bool isState(unsigned argument) { return kernel.getArgAttr(argument, "norm.state") != nullptr; }
  bool isPassed(unsigned argument) {
    return !selection.passed || selection.passed->count(kernel.argumentName(argument).str());
  }
  bool isAskedFor(StringRef result) {
    return !selection.omit.count(result.str()) && (!selection.outputs || selection.outputs->count(result.str()));
  }

  //===--------------------------------------------------------------------===//
  // Omissions
  //===--------------------------------------------------------------------===//

  /// The literal of an optional input in a compute type: a float, i64 or i1.
  Value literal(Location location, Attribute value, Type type) {
    auto integer = dyn_cast<IntegerAttr>(value);
    double real = integer ? integer.getType().isInteger(1) ? double(!integer.getValue().isZero())
                                                           : double(integer.getValue().getSExtValue())
                          : cast<FloatAttr>(value).getValueAsDouble();
    TypedAttr constant;
    if (isa<FloatType>(type)) constant = builder.getFloatAttr(type, real);
    else if (type.isInteger(1)) constant = builder.getBoolAttr(real != 0);
    else constant = builder.getI64IntegerAttr(integer ? integer.getValue().getSExtValue() : int64_t(real));
    return arith::ConstantOp::create(builder, location, constant);
  }

  /// An input that has a gradient is left out only explicitly, and the gradient with it.
  void omitGradients() {
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i) {
      auto gradient = dyn_cast_or_null<StringAttr>(kernel.getArgAttr(i, "norm.gradient"));
      if (!gradient) continue;
      kernel.removeArgAttr(i, builder.getStringAttr("norm.gradient"));
      std::string name = kernel.argumentName(i).str();
      if (!selection.omit.count(name)) {
        if (kernel.removeArgAttr(i, builder.getStringAttr("norm.default"))) differentiated.insert(name);
      } else if (auto result = resultNamed(gradient)) {
        if (selection.outputs && selection.outputs->count(gradient.str()))
          fail("--omit " + name + ": its gradient " + gradient.str() + " is asked for");
        llvm::BitVector dropped(kernel.getNumResults());
        dropped.set(*result);
        kernel.getBody().front().getTerminator()->eraseOperands(dropped);
        (void)kernel.eraseResults(dropped);
      }
    }
  }

  void omitInputs() {
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i) {
      Attribute value = kernel.getArgAttr(i, "norm.default");
      kernel.removeArgAttr(i, builder.getStringAttr("norm.default"));
      // What is left out of a state is its update; its value is there unless it is not passed.
      bool omitted = !isPassed(i) || (!isState(i) && selection.omit.count(kernel.argumentName(i).str()));
      if (!value || !omitted) continue;
      kernel.removeArgAttr(i, builder.getStringAttr("norm.state"));
      BlockArgument argument = kernel.getArgument(i);
      builder.setInsertionPointToStart(&kernel.getBody().front());
      SmallVector<Value> zeros;
      for (OpOperand &use : llvm::make_early_inc_range(argument.getUses())) {
        auto cast = dyn_cast<CastOp>(use.getOwner());
        Type wanted = cast ? cast.getType() : argument.getType();
        Value replacement = omittedValue(argument.getLoc(), value, wanted);
        if (cast) {
          cast.replaceAllUsesWith(replacement);
          cast.erase();
        } else {
          use.set(replacement);
        }
        if (auto real = dyn_cast<FloatAttr>(value); real ? real.getValue().isZero() : isZero(value))
          zeros.push_back(replacement);
      }
      dropZeros(zeros);
    }
  }
  static bool isZero(Attribute value) {
    auto integer = dyn_cast<IntegerAttr>(value);
    return integer && integer.getValue().isZero();
  }
  Value omittedValue(Location location, Attribute value, Type wanted) {
    Type element = getElementTypeOrSelf(wanted), compute = element;
    if (isa<FloatType>(element) && !element.isF64()) compute = builder.getF32Type();
    else if (isa<IntegerType>(element) && !element.isInteger(1)) compute = builder.getI64Type();
    Value scalar = literal(location, value, compute);
    scalar = broadcastTo(builder, location, scalar, axesOf(wanted));
    return scalar.getType() == wanted ? scalar : CastOp::create(builder, location, wanted, scalar);
  }
  /// x + 0 where 0 stands for an omitted input is x. (Upstream keeps it: with 0 in the text, −0 + 0 is +0.)
  void dropZeros(ArrayRef<Value> zeros) {
    SmallVector<Value> work(zeros);
    llvm::DenseSet<Value> known(zeros.begin(), zeros.end());
    while (!work.empty()) {
      Value zero = work.pop_back_val();
      llvm::SmallSetVector<Operation *, 8> users(zero.user_begin(), zero.user_end());
      for (Operation *user : users) {
        if (isa<BroadcastOp, CastOp>(user) && known.insert(user->getResult(0)).second)
          work.push_back(user->getResult(0));
        auto add = dyn_cast<arith::AddFOp>(user);
        if (!add) continue;
        Value other = add.getLhs() == zero ? add.getRhs() : add.getLhs();
        add.replaceAllUsesWith(other);
        add.erase();
        if (known.contains(other)) work.push_back(other); // it has new users
      }
    }
  }

  void omitResults() {
    llvm::BitVector dropped(kernel.getNumResults());
    for (unsigned i = 0; i < kernel.getNumResults(); ++i)
      if (!isAskedFor(kernel.resultName(i))) dropped.set(i);
    if (dropped.all()) fail("kernel " + kernel.getSymName().str() + " has nothing to compute: every output is omitted");
    kernel.getBody().front().getTerminator()->eraseOperands(dropped);
    (void)kernel.eraseResults(dropped);
  }

  void dropInputs() {
    llvm::SmallPtrSet<Attribute, 8> needed = axesOfBody();
    llvm::BitVector dropped(kernel.getNumArguments());
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i) {
      bool isUpdated = isState(i) && resultNamed(kernel.argumentName(i));
      if (kernel.getArgument(i).use_empty() && !isUpdated) {
        dropped.set(i);
        continue;
      }
      for (StringAttr axis : axesOf(kernel.getArgumentTypes()[i])) needed.insert(axis);
      std::string name = kernel.argumentName(i).str();
      if (isPassed(i)) continue;
      if (kernel.getArgument(i).use_empty())
        fail("state " + name + " is updated: pass it, or leave its update out with --omit " + name,
             placeOf(kernel.getArgument(i).getLoc()), Fault::spec);
      else
        fail((isState(i) ? "state " : "input ") + name + " is required: pass it" +
                 (differentiated.count(name) ? ", or leave it and its gradient out with --omit " + name : ""),
             placeOf(kernel.getArgument(i).getLoc()), Fault::spec);
    }
    keepTellingInputs(kernel, needed, [&](unsigned i) { return isPassed(i); }, dropped);
    for (unsigned i = 0; i < kernel.getNumResults(); ++i) // in place of what is not read is an ordinary output
      if (auto input = kernel.getResultAttrOfType<StringAttr>(i, "norm.inplace"))
        if (dropped.test(*argumentNamed(input.getValue())))
          kernel.removeResultAttr(i, builder.getStringAttr("norm.inplace"));
    (void)kernel.eraseArguments(dropped);
  }

  //===--------------------------------------------------------------------===//
  // Axes
  //===--------------------------------------------------------------------===//

  void insertLeaves(llvm::SmallPtrSet<Attribute, 8> &axes, StringAttr name) {
    for (StringAttr leaf : kernel.leavesOf(name)) axes.insert(leaf);
  }
  /// The leaves that values of the body range over, or that its ops name.
  llvm::SmallPtrSet<Attribute, 8> axesOfBody() {
    llvm::SmallPtrSet<Attribute, 8> axes;
    for (Operation &op : kernel.getBody().front()) {
      for (Value operand : op.getOperands())
        for (StringAttr axis : axesOf(operand.getType())) axes.insert(axis);
      for (Type type : op.getResultTypes())
        for (StringAttr axis : axesOf(type)) axes.insert(axis);
      if (auto size = dyn_cast<SizeOp>(op))
        for (StringAttr axis : namesOf(size.getAxes())) insertLeaves(axes, axis);
    }
    return axes;
  }

  void dropAxes() {
    if (failed) return;
    llvm::SmallPtrSet<Attribute, 8> used = axesOfBody(), named;
    auto insertDimensions = [&](Attribute dims, Type type) {
      for (StringAttr axis : axesOf(type)) used.insert(axis);
      for (StringRef dimension : dimensionsIn(dims)) {
        dimension.consume_back("...");
        if (dimension != "1") named.insert(builder.getStringAttr(dimension));
      }
    };
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
      insertDimensions(kernel.getArgAttr(i, "norm.dims"), kernel.getArgumentTypes()[i]);
    for (unsigned i = 0; i < kernel.getNumResults(); ++i)
      insertDimensions(kernel.getResultAttr(i, "norm.dims"), kernel.getResultTypes()[i]);
    for (Operation &op : kernel.getBody().front()) {
      if (auto size = dyn_cast<SizeOp>(op))
        for (StringAttr axis : namesOf(size.getAxes())) named.insert(axis);
      if (auto index = dyn_cast<IndexOp>(op)) named.insert(index.getAxisAttr());
      if (auto at = dyn_cast<AtOp>(op)) named.insert(at.getAxisAttr());
    }
    // From wholes to parts: a product stays where it is named or all its leaves are used, and keeps its parts.
    SmallVector<Attribute> rows;
    for (Attribute attribute : llvm::reverse(kernel.getAxes())) {
      auto axis = cast<AxisAttr>(attribute);
      bool stays = named.contains(axis.getName()) ||
                   llvm::all_of(kernel.leavesOf(axis.getName()), [&](StringAttr leaf) { return used.contains(leaf); });
      if (!stays) continue;
      rows.push_back(axis);
      if (axis.isProduct())
        for (StringAttr part : {axis.getOuter(), axis.getInner()}) named.insert(part);
    }
    std::reverse(rows.begin(), rows.end());
    kernel.setAxesAttr(builder.getArrayAttr(rows));
    for (FactorOp factor : llvm::make_early_inc_range(kernel.getBody().getOps<FactorOp>()))
      if (!kernel.getAxis(factor.getWholeAttr())) factor.erase();
    simplify(kernel); // what only those factors read
  }

  /// The ranks of packs that are given, or follow from those of the inputs.
  std::map<std::string, int64_t> knownRanks() {
    std::map<std::string, int64_t> known = selection.ranks;
    for (size_t before = ~size_t(0); before != known.size();) {
      before = known.size();
      for (unsigned i = 0; i < kernel.getNumArguments(); ++i) {
        auto rank = selection.inputRanks.find(kernel.argumentName(i).str());
        if (rank == selection.inputRanks.end()) continue;
        int64_t left = rank->second;
        SmallVector<std::string> unknown;
        for (StringRef dimension : dimensionsIn(kernel.getArgAttr(i, "norm.dims"))) {
          std::string pack = dimension.consume_back("...") ? dimension.str() : "";
          if (pack.empty()) --left;
          else if (auto found = known.find(pack); found != known.end()) left -= found->second;
          else unknown.push_back(pack);
        }
        if (unknown.size() == 1) known[unknown.front()] = left;
      }
    }
    return known;
  }

  void recordRanks() {
    SmallVector<NamedAttribute> ranks;
    for (const auto &[pack, rank] : selection.ranks)
      ranks.push_back(builder.getNamedAttr(pack, builder.getI64IntegerAttr(rank)));
    if (!ranks.empty()) kernel->setAttr("norm.ranks", builder.getDictionaryAttr(ranks));
  }

  //===--------------------------------------------------------------------===//
  // Orders
  //===--------------------------------------------------------------------===//

  /// A tensor type over dimensions as declared; a product stands for its parts.
  Type typeOver(ArrayRef<std::string> dimensions, Type old) {
    SmallVector<StringAttr> axes;
    for (StringRef dimension : dimensions) {
      dimension.consume_back("...");
      if (dimension != "1") llvm::append_range(axes, kernel.leavesOf(builder.getStringAttr(dimension)));
    }
    return axes.empty() ? old : withAxes(old, axes);
  }
  /// The dimensions in the order asked for; none where it is not a permutation of them.
  std::optional<ArrayAttr> permuted(const std::string &name, Attribute dims) {
    const std::vector<std::string> &order = selection.orders.at(name);
    SmallVector<std::string> declared = dimensionsIn(dims);
    if (order.size() != declared.size() || !std::is_permutation(order.begin(), order.end(), declared.begin())) {
      fail("--order " + name + "=" + llvm::join(order, ",") + ": the dimensions of " + name + " are " +
           quoted(declared));
      return {};
    }
    SmallVector<StringRef> names(order.begin(), order.end());
    return builder.getStrArrayAttr(names);
  }

  void permute() {
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
      if (selection.orders.count(kernel.argumentName(i).str())) permuteArgument(i);
    for (unsigned i = 0; i < kernel.getNumResults(); ++i)
      if (selection.orders.count(kernel.resultName(i).str())) permuteResult(i);
  }
  void permuteArgument(unsigned index) {
    auto dims = permuted(kernel.argumentName(index).str(), kernel.getArgAttr(index, "norm.dims"));
    if (!dims) return;
    kernel.setArgAttr(index, "norm.dims", *dims);
    BlockArgument argument = kernel.getArgument(index);
    Type old = argument.getType(), type = typeOver(dimensionsIn(*dims), old);
    if (type == old) return;
    SmallVector<Type> types(kernel.getArgumentTypes());
    types[index] = type;
    kernel.setFunctionType(builder.getFunctionType(types, kernel.getResultTypes()));
    argument.setType(type);
    builder.setInsertionPointToStart(&kernel.getBody().front());
    Value inOldOrder;
    for (OpOperand &use : llvm::make_early_inc_range(argument.getUses())) {
      if (auto cast = dyn_cast<CastOp>(use.getOwner())) { // convert first: a load stands next to its argument
        Type converted = withAxes(cast.getType(), axesOf(type));
        Value loaded = CastOp::create(builder, cast.getLoc(), converted, argument);
        Value broadcast = BroadcastOp::create(builder, cast.getLoc(), cast.getType(), loaded);
        cast.replaceAllUsesWith(broadcast);
        cast.erase();
      } else {
        if (!inOldOrder) inOldOrder = BroadcastOp::create(builder, argument.getLoc(), old, argument);
        if (use.getOwner() != inOldOrder.getDefiningOp()) use.set(inOldOrder);
      }
    }
  }
  void permuteResult(unsigned index) {
    auto dims = permuted(kernel.resultName(index).str(), kernel.getResultAttr(index, "norm.dims"));
    if (!dims) return;
    kernel.setResultAttr(index, "norm.dims", *dims);
    Type old = kernel.getResultTypes()[index], type = typeOver(dimensionsIn(*dims), old);
    if (type == old) return;
    SmallVector<Type> types(kernel.getResultTypes());
    types[index] = type;
    kernel.setFunctionType(builder.getFunctionType(kernel.getArgumentTypes(), types));
    Operation *end = kernel.getBody().front().getTerminator();
    builder.setInsertionPoint(end);
    Value value = end->getOperand(index);
    if (auto cast = value.getDefiningOp<CastOp>()) { // permute first: a store stands next to its result
      Type before = withAxes(cast.getInput().getType(), axesOf(type));
      Value broadcast = BroadcastOp::create(builder, cast.getLoc(), before, cast.getInput());
      value = CastOp::create(builder, cast.getLoc(), type, broadcast);
    } else {
      value = BroadcastOp::create(builder, value.getLoc(), type, value);
    }
    end->setOperand(index, value);
  }

  void markInplace() {
    std::set<std::string> taken;
    for (const auto &[output, input] : selection.inplace) {
      std::string option = "--inplace " + output + "=" + input + ": ";
      auto result = resultNamed(output), argument = argumentNamed(input);
      if (!result || !argument) {
        fail(option + (result ? input : output) + " is omitted");
        continue;
      }
      if (resultNamed(input) || !taken.insert(input).second) {
        fail(option + "another result takes the memory of " + input);
        continue;
      }
      Attribute dims = kernel.getResultAttr(*result, "norm.dims"), read = kernel.getArgAttr(*argument, "norm.dims");
      if (kernel.getResultTypes()[*result] != kernel.getArgumentTypes()[*argument] || dims != read) {
        fail(option + "they differ in type or in order: " + output + " is " + describe(*result, dims, false) + ", " +
             input + " is " + describe(*argument, read, true));
        continue;
      }
      kernel.setResultAttr(*result, "norm.inplace", builder.getStringAttr(input));
    }
  }
  /// "bf16[n, c]"
  std::string describe(unsigned index, Attribute dims, bool isArgument) {
    std::string text;
    llvm::raw_string_ostream(text) << getElementTypeOrSelf(isArgument ? kernel.getArgumentTypes()[index]
                                                                      : kernel.getResultTypes()[index]);
    return text + "[" + quoted(dimensionsIn(dims)) + "]";
  }
};

/// The pass: the selection from its options, the errors as MLIR's.
struct SpecializePass : impl::SpecializeBase<SpecializePass> {
  using SpecializeBase::SpecializeBase;
  void runOnOperation() override {
    Selection selection;
    auto split = [&](const std::string &text) { return StringRef(text).split('='); };
    for (const std::string &size : sizes)
      if (split(size).second.getAsInteger(10, selection.sizes[split(size).first.str()]))
        return signalPassFailure(), void(getOperation().emitError() << "expected axis=extent, found " << size);
    for (const std::string &rank : ranks)
      if (split(rank).second.getAsInteger(10, selection.ranks[split(rank).first.str()]))
        return signalPassFailure(), void(getOperation().emitError() << "expected pack=rank, found " << rank);
    for (const std::string &order : orders) {
      SmallVector<StringRef> names;
      split(order).second.split(names, '/');
      for (StringRef name : names) selection.orders[split(order).first.str()].push_back(name.str());
    }
    for (const std::string &pair : inplace) selection.inplace[split(pair).first.str()] = split(pair).second.str();
    selection.omit = {omit.begin(), omit.end()};
    if (!passed.empty()) selection.passed.emplace(passed.begin(), passed.end());
    if (!outputs.empty()) selection.outputs.emplace(outputs.begin(), outputs.end());
    Diagnostics diagnostics;
    if (succeeded(specialize(getOperation(), selection, diagnostics))) return;
    for (const Diagnostics::Entry &entry : diagnostics.all()) {
      Location location = getOperation().getLoc();
      if (entry.place.line)
        location = FileLineColLoc::get(&getContext(), entry.place.file, entry.place.line, entry.place.column);
      emitError(location) << entry.message;
    }
    signalPassFailure();
  }
};
} // namespace

LogicalResult specialize(KernelOp kernel, const Selection &selection, Diagnostics &diagnostics) {
  return Specializer(kernel, selection, diagnostics).run();
}

} // namespace normc
