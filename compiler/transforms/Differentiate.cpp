// norm-differentiate: from a kernel and what is asked of its gradient to an ordinary kernel.
#include "compiler/transforms/Differentiate.h"
#include "compiler/transforms/Adjoint.h"
#include "compiler/transforms/InvertOutput.h"
#include "compiler/transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
using namespace mlir;
using namespace norm;

namespace normc {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "compiler/transforms/Passes.h.inc"

namespace {
/// The value that is assigned to an output: what its storage type is made of.
Value assigned(Value returned) {
  auto cast = returned.getDefiningOp<CastOp>();
  return cast ? cast.getInput() : returned;
}

/// All values that depend on some arguments, but for what is constant under differentiation.
llvm::DenseSet<Value> dependents(KernelOp kernel, ArrayRef<BlockArgument> arguments) {
  llvm::DenseSet<Value> active(arguments.begin(), arguments.end());
  for (Operation &op : kernel.getBody().front()) {
    bool depends = llvm::any_of(op.getOperands(), [&](Value operand) { return active.contains(operand); });
    if (!depends || isa<StopGradientOp, arith::CmpFOp, arith::CmpIOp>(op)) continue;
    active.insert(op.result_begin(), op.result_end());
  }
  return active;
}

/// Once nothing is derived from a kernel any more, what is given is all that counts.
void dropDefinitions(KernelOp kernel) {
  for (auto select : llvm::make_early_inc_range(kernel.getBody().getOps<arith::SelectOp>()))
    if (Adjoint::isGiven(select)) select.replaceAllUsesWith(select.getTrueValue());
}

SmallVector<StringRef> names(ArrayAttr list) { return llvm::to_vector(list.getAsValueRange<StringAttr>()); }

/// Where the gradient's name stands in a text, then those behind `of`, then those behind `given`: what the front end
/// fuses.
SmallVector<Location> placesOf(GradientOp gradient) {
  size_t count = 1 + gradient.getOf().size() + gradient.getGiven().size();
  auto fused = dyn_cast<FusedLoc>(gradient.getLoc());
  if (fused && fused.getLocations().size() == count) return SmallVector<Location>(fused.getLocations());
  return SmallVector<Location>(count, gradient.getLoc());
}

class Derivation {
public:
  Derivation(GradientOp gradient, KernelOp kernel)
      : gradient(gradient), kernel(kernel), places(placesOf(gradient)), b(places.front(), gradient),
        element(computeType()) {}

  KernelOp run() {
    SmallVector<Type> types, results;
    SmallVector<Attribute> attributes, resultAttributes;
    SmallVector<Location> locations;
    for (auto [name, place] : llvm::zip(names(gradient.getOf()), ArrayRef(places).drop_front())) {
      unsigned i = resultNamed(name);
      types.push_back(kernel.getResultTypes()[i]);
      attributes.push_back(renamed(kernel.getResultAttrDict(i), "d" + name.str()));
      locations.push_back(place);
    }
    for (auto [i, argument] : llvm::enumerate(kernel.getArguments())) {
      types.push_back(argument.getType());
      attributes.push_back(inputAttributes(i));
      locations.push_back(argument.getLoc());
    }
    for (auto [name, place] : llvm::zip(names(gradient.getGiven()), givenPlaces())) {
      unsigned i = resultNamed(name);
      types.push_back(kernel.getResultTypes()[i]);
      attributes.push_back(renamed(kernel.getResultAttrDict(i), name));
      locations.push_back(place);
    }
    for (StringRef name : names(gradient.getWrt())) {
      unsigned i = argumentNamed(name);
      Type type = kernel.getArgumentTypes()[i];
      results.push_back(isMemory(type) ? type : RankedTensorType::get({}, type));
      resultAttributes.push_back(renamed(kernel.getArgAttrDict(i), "d" + name.str()));
    }

    auto derived = KernelOp::create(b, gradient.getSymNameAttr(), kernel.getAxes(),
                                    TypeAttr::get(b.getFunctionType(types, results)), b.getArrayAttr(attributes),
                                    b.getArrayAttr(resultAttributes));
    if (Attribute splits = kernel->getAttr("norm.splits")) derived->setAttr("norm.splits", splits);
    Block *body = b.createBlock(&derived.getBody(), {}, types, locations);
    bool done = fill(body->getArguments(), results);
    return done ? derived : (derived.erase(), KernelOp());
  }

private:
  ArrayRef<Location> givenPlaces() { return ArrayRef(places).take_back(gradient.getGiven().size()); }
  unsigned resultNamed(StringRef name) {
    for (unsigned i = 0; i < kernel.getNumResults(); ++i)
      if (kernel.resultName(i) == name) return i;
    llvm_unreachable("the front end checks the names of a gradient");
  }
  unsigned argumentNamed(StringRef name) {
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
      if (kernel.argumentName(i) == name) return i;
    llvm_unreachable("the front end checks the names of a gradient");
  }
  /// Double where an input of the derived kernel is.
  Type computeType() {
    SmallVector<Type> inputs(kernel.getArgumentTypes());
    for (ArrayAttr list : {gradient.getOf(), gradient.getGiven()})
      for (StringRef name : names(list)) inputs.push_back(kernel.getResultTypes()[resultNamed(name)]);
    bool isDouble = llvm::any_of(inputs, [](Type type) { return getElementTypeOrSelf(type).isF64(); });
    return isDouble ? Type(b.getF64Type()) : b.getF32Type();
  }

  Attribute renamed(DictionaryAttr old, StringRef name) {
    NamedAttrList list;
    list.set("norm.name", b.getStringAttr(name));
    list.set("norm.dims", old.get("norm.dims"));
    return list.getDictionary(b.getContext());
  }
  /// State is a plain input; what is differentiated with respect to is left out only explicitly, with its gradient.
  Attribute inputAttributes(unsigned i) {
    NamedAttrList list(kernel.getArgAttrDict(i));
    list.erase("norm.state");
    list.erase("norm.gradient");
    for (StringRef name : names(gradient.getWrt()))
      if (kernel.argumentName(i) == name) list.set("norm.gradient", b.getStringAttr("d" + name));
    return list.getDictionary(b.getContext());
  }

  /// An argument in the element type of what it stands for.
  Value load(BlockArgument argument, Type as) {
    AxisList axes = axesOf(argument.getType());
    Type stored = getElementTypeOrSelf(argument.getType()), element = getElementTypeOrSelf(as);
    bool isTruth = stored.isInteger(1), throughInteger = isa<IntegerType>(stored) && isa<FloatType>(element);
    Type loaded = withAxes(throughInteger && !isTruth ? b.getI64Type() : throughInteger ? stored : element, axes);
    Value value = argument;
    if (argument.getType() != loaded) value = CastOp::create(b, argument.getLoc(), loaded, argument);
    if (!throughInteger) return value;
    Type real = withAxes(element, axes);
    if (isTruth) return arith::UIToFPOp::create(b, argument.getLoc(), real, value);
    return arith::SIToFPOp::create(b, argument.getLoc(), real, value);
  }

  bool fill(ArrayRef<BlockArgument> arguments, ArrayRef<Type> results) {
    size_t cotangents = gradient.getOf().size(), inputs = kernel.getNumArguments();
    Operation *returned = kernel.getBody().front().getTerminator();
    SmallVector<BlockArgument> wrt;
    for (StringRef name : names(gradient.getWrt())) wrt.push_back(kernel.getArgument(argumentNamed(name)));
    llvm::DenseSet<Value> active = dependents(kernel, wrt);
    Adjoint adjoint(b, element, active);

    for (auto [argument, copy] : llvm::zip(kernel.getArguments(), arguments.slice(cotangents, inputs)))
      adjoint.define(argument, copy);
    llvm::DenseMap<Value, Value> given; // what is assigned to an output that is given, and that output
    for (auto [name, argument] : llvm::zip(names(gradient.getGiven()), arguments.drop_front(cotangents + inputs))) {
      Value value = assigned(returned->getOperand(resultNamed(name)));
      given[value] = load(argument, value.getType());
    }
    for (Operation &op : kernel.getBody().front().without_terminator()) {
      adjoint.forward(op);
      for (Value result : op.getResults())
        if (Value value = given.lookup(result)) adjoint.define(result, adjoint.given(value, adjoint.primal(result)));
    }
    for (auto [name, place] : llvm::zip(names(gradient.getGiven()), givenPlaces()))
      if (!invert(returned->getOperand(resultNamed(name)), name, place, adjoint)) return false;

    for (auto [name, argument] : llvm::zip(names(gradient.getOf()), arguments))
      adjoint.add(assigned(returned->getOperand(resultNamed(name))), {{load(argument, element)}});
    for (Operation &op : llvm::reverse(kernel.getBody().front().without_terminator())) adjoint.reverse(op);

    b.setLoc(places.front());
    SmallVector<Value> stored;
    for (auto [argument, type] : llvm::zip(wrt, results)) {
      Value value = adjoint.total(argument);
      stored.push_back(value.getType() == type ? value : Value(CastOp::create(b, type, value)));
    }
    ReturnOp::create(b, stored);
    return true;
  }

  /// Where nothing but the output reads the value, what it was computed from is recovered from it.
  bool invert(Value returned, StringRef name, Location place, Adjoint &adjoint) {
    Value value = assigned(returned);
    bool isRead = llvm::any_of(value.getUsers(), [](Operation *user) { return !isa<CastOp, ReturnOp>(user); });
    if (isRead || invertOutput(value, adjoint, b)) return true;
    auto error = mlir::emitError(place) // without the op
                 << "`" << name << "` is given, but what it is computed from cannot be recovered from it: give other "
                 << "outputs, or pass the inputs alone";
    error.attachNote(value.getLoc()) << "this cannot be undone";
    return false;
  }

  GradientOp gradient;
  KernelOp kernel;
  SmallVector<Location> places;
  ImplicitLocOpBuilder b;
  Type element;
};

struct DifferentiatePass : impl::DifferentiateBase<DifferentiatePass> {
  void runOnOperation() override {
    for (auto gradient : llvm::make_early_inc_range(getOperation().getOps<GradientOp>()))
      if (!differentiate(gradient)) return signalPassFailure();
  }
};
} // namespace

KernelOp differentiate(GradientOp gradient) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(gradient, gradient.getKernelAttr());
  if (!kernel) {
    gradient.emitError() << "no kernel " << gradient.getKernel() << " to derive";
    return {};
  }
  KernelOp derived = Derivation(gradient, kernel).run();
  if (!derived) return {};
  gradient.erase(), kernel.erase();
  auto others = derived->getParentOfType<ModuleOp>().getOps<GradientOp>();
  if (llvm::none_of(others, [&](GradientOp other) { return other.getKernel() == derived.getSymName(); }))
    dropDefinitions(derived);
  return derived;
}

} // namespace normc
