// The kernel and the ops of the value form.
#include "dialect/Norm.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/SmallPtrSet.h"
using namespace mlir;
using namespace norm;

//===----------------------------------------------------------------------===//
// Names in assembly: bare identifiers
//===----------------------------------------------------------------------===//

static ParseResult parseName(OpAsmParser &parser, StringAttr &name) {
  StringRef word;
  if (parser.parseKeyword(&word)) return failure();
  name = parser.getBuilder().getStringAttr(word);
  return success();
}
static void printName(OpAsmPrinter &printer, Operation *, StringAttr name) { printer << name.getValue(); }

static ParseResult parseNames(OpAsmParser &parser, ArrayAttr &names) {
  SmallVector<Attribute> list;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
        StringAttr name;
        if (parseName(parser, name)) return failure();
        list.push_back(name);
        return success();
      }))
    return failure();
  names = parser.getBuilder().getArrayAttr(list);
  return success();
}
static void printNames(OpAsmPrinter &printer, Operation *, ArrayAttr names) {
  printer << "[";
  llvm::interleaveComma(names, printer, [&](Attribute name) { printer << cast<StringAttr>(name).getValue(); });
  printer << "]";
}

/// `at [v = %i, w = %j]`, or nothing.
static ParseResult parsePositions(OpAsmParser &parser, ArrayAttr &names,
                                  SmallVectorImpl<OpAsmParser::UnresolvedOperand> &positions) {
  SmallVector<Attribute> list;
  if (succeeded(parser.parseOptionalKeyword("at")) &&
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
        StringAttr name;
        if (parseName(parser, name) || parser.parseEqual() || parser.parseOperand(positions.emplace_back()))
          return failure();
        list.push_back(name);
        return success();
      }))
    return failure();
  names = parser.getBuilder().getArrayAttr(list);
  return success();
}
static void printPositions(OpAsmPrinter &printer, Operation *, ArrayAttr names, OperandRange positions) {
  if (names.empty()) return;
  printer << "at [";
  llvm::interleaveComma(llvm::zip(names, positions), printer, [&](auto pair) {
    printer << cast<StringAttr>(std::get<0>(pair)).getValue() << " = " << std::get<1>(pair);
  });
  printer << "]";
}

#define GET_OP_CLASSES
#include "dialect/NormOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &state) {
  StringAttr name;
  SmallVector<Attribute> axes;
  if (parser.parseSymbolName(name, getSymNameAttrName(state.name), state.attributes) || parser.parseKeyword("axes") ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, [&]() -> ParseResult {
        AxisAttr axis = AxisAttr::parseBare(parser);
        axes.push_back(axis);
        return success(bool(axis));
      }))
    return failure();
  Builder &builder = parser.getBuilder();
  state.addAttribute(getAxesAttrName(state.name), builder.getArrayAttr(axes));
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<Type> results;
  SmallVector<DictionaryAttr> resultAttrs;
  bool isVariadic = false;
  if (function_interface_impl::parseFunctionSignatureWithArguments(parser, /*allowVariadic=*/false, arguments,
                                                                   isVariadic, results, resultAttrs))
    return failure();
  auto types = llvm::map_to_vector(arguments, [](OpAsmParser::Argument &argument) { return argument.type; });
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(builder.getFunctionType(types, results)));
  call_interface_impl::addArgAndResultAttrs(builder, state, arguments, resultAttrs, getArgAttrsAttrName(state.name),
                                            getResAttrsAttrName(state.name));
  if (parser.parseOptionalAttrDictWithKeyword(state.attributes)) return failure();
  return parser.parseRegion(*state.addRegion(), arguments);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << " ";
  printer.printSymbolName(getSymName());
  printer << " axes(";
  llvm::interleaveComma(getAxes(), printer, [&](Attribute axis) { cast<AxisAttr>(axis).printBare(printer); });
  printer << ") ";
  function_interface_impl::printFunctionSignature(printer, *this, getArgumentTypes(), /*isVariadic=*/false,
                                                  getResultTypes());
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {getSymNameAttrName(), getAxesAttrName(), getFunctionTypeAttrName(),
                                            getArgAttrsAttrName(), getResAttrsAttrName()});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

AxisAttr KernelOp::getAxis(StringAttr name) {
  for (Attribute axis : getAxes())
    if (cast<AxisAttr>(axis).getName() == name) return cast<AxisAttr>(axis);
  return {};
}
SmallVector<StringAttr> KernelOp::leavesOf(StringAttr name) {
  AxisAttr axis = getAxis(name);
  if (!axis || !axis.isProduct()) return {name};
  SmallVector<StringAttr> leaves = leavesOf(axis.getOuter());
  llvm::append_range(leaves, leavesOf(axis.getInner()));
  return leaves;
}
SmallVector<StringAttr> KernelOp::namesWithin(StringAttr name) {
  SmallVector<StringAttr> names = {name};
  if (AxisAttr axis = getAxis(name); axis && axis.isProduct())
    for (StringAttr part : {axis.getOuter(), axis.getInner()}) llvm::append_range(names, namesWithin(part));
  return names;
}
StringAttr KernelOp::unusedAxis(const Twine &base) {
  auto name = StringAttr::get(getContext(), base);
  while (getAxis(name)) name = StringAttr::get(getContext(), name.getValue() + "_");
  return name;
}
StringAttr KernelOp::productOf(StringAttr outer, StringAttr inner) {
  for (AxisAttr axis : getAxes().getAsRange<AxisAttr>())
    if (axis.isProduct() && axis.getOuter() == outer && axis.getInner() == inner) return axis.getName();
  return {};
}
void KernelOp::setAxis(AxisAttr axis) {
  SmallVector<Attribute> table(getAxes().begin(), getAxes().end());
  auto *row = llvm::find_if(table, [&](Attribute a) { return cast<AxisAttr>(a).getName() == axis.getName(); });
  if (row != table.end()) *row = axis;
  else table.push_back(axis);
  setAxesAttr(ArrayAttr::get(getContext(), table));
}
StringRef KernelOp::argumentName(unsigned index) {
  auto name = getArgAttrOfType<StringAttr>(index, "norm.name");
  return name ? name.getValue() : StringRef();
}
StringRef KernelOp::resultName(unsigned index) {
  auto name = getResultAttrOfType<StringAttr>(index, "norm.name");
  return name ? name.getValue() : StringRef();
}

LogicalResult KernelOp::verify() {
  llvm::SmallPtrSet<Attribute, 8> declared;
  for (Attribute attribute : getAxes()) {
    auto axis = cast<AxisAttr>(attribute);
    SmallVector<StringAttr> parts(axis.getPer());
    for (StringAttr part : {axis.getOuter(), axis.getInner(), axis.getWhole()})
      if (part) parts.push_back(part);
    for (StringAttr part : parts) // kernel_c2
      if (!declared.contains(part))
        return emitOpError() << "axis " << axis.getName() << " is made of " << part
                             << ", which is not declared before it";
    if (!declared.insert(axis.getName()).second) // kernel_c1
      return emitOpError() << "declares axis " << axis.getName() << " twice";
  }
  llvm::SmallPtrSet<Attribute, 8> used;
  auto verifyAxes = [&](Operation *op, Type type) -> LogicalResult { // kernel_c3
    for (StringAttr name : axesOf(type)) {
      if (!declared.contains(name))
        return op->emitOpError() << "ranges over axis " << name << ", which is not declared";
      used.insert(name);
    }
    return success();
  };
  for (Type type : getArgumentTypes())
    if (failed(verifyAxes(*this, type))) return failure();
  for (unsigned i = 0; i < getNumArguments(); ++i) // kernel_c4
    if (argumentName(i).empty()) return emitOpError() << "argument " << i << " has no norm.name";
  for (unsigned i = 0; i < getNumResults(); ++i)
    if (resultName(i).empty()) return emitOpError() << "result " << i << " has no norm.name";
  WalkResult result = getBody().walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (failed(verifyAxes(op, type))) return WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (result.wasInterrupted()) return failure();
  for (Attribute name : used)
    for (StringAttr leaf : leavesOf(cast<StringAttr>(name)))
      if (leaf != name && used.contains(leaf))
        return emitOpError() << "has values over " << name << " and over " << leaf << ", which is a part of it";
  return success();
}

LogicalResult ReturnOp::verify() {
  auto kernel = cast<KernelOp>((*this)->getParentOp());
  if (getOperandTypes() != kernel.getResultTypes()) // return_c1
    return emitOpError() << "gives " << getOperandTypes() << ", but the kernel's results are "
                         << kernel.getResultTypes();
  return success();
}

LogicalResult FactorOp::verify() {
  auto kernel = (*this)->getParentOfType<KernelOp>();
  AxisAttr whole = kernel ? kernel.getAxis(getWholeAttr()) : AxisAttr();
  if (!whole || !whole.isProduct() ||
      (whole.getOuter() != getAxisAttr() && whole.getInner() != getAxisAttr())) // factor_c1
    return emitOpError() << getWholeAttr() << " is not a product with factor " << getAxisAttr();
  return success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static AxisAttr axisNamed(Operation *op, StringAttr name) {
  auto kernel = op->getParentOfType<KernelOp>();
  return kernel ? kernel.getAxis(name) : AxisAttr();
}

bool norm::isElementwise(Operation *op) {
  return op->getNumResults() == 1 && op->getNumOperands() > 0 && op->getNumRegions() == 0 &&
         (op->hasTrait<OpTrait::Elementwise>() || isa<CastOp, StopGradientOp>(op));
}
TypedAttr norm::constantOf(Value value) {
  if (auto broadcast = value.getDefiningOp<BroadcastOp>()) value = broadcast.getInput();
  TypedAttr constant;
  return matchPattern(value, m_Constant(&constant)) ? constant : TypedAttr();
}
Value norm::broadcastTo(OpBuilder &builder, Location location, Value value, AxisList axes) {
  Type type = withAxes(value.getType(), axes);
  return value.getType() == type ? value : BroadcastOp::create(builder, location, type, value);
}
LogicalResult BroadcastOp::verify() {
  if (getElementTypeOrSelf(getInput()) != getElementTypeOrSelf(getType())) // broadcast_c1
    return emitOpError() << "changes the element type from " << getElementTypeOrSelf(getInput()) << " to "
                         << getElementTypeOrSelf(getType());
  for (StringAttr name : axesOf(getInput().getType())) { // broadcast_c2
    AxisAttr axis = axisNamed(*this, name);
    bool covered = axis && axis.isChunks() && llvm::is_contained(axesOf(getType()), axis.getWhole());
    if (!covered && !llvm::is_contained(axesOf(getType()), name)) return emitOpError() << "drops axis " << name;
  }
  return success();
}
OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType()) return getInput();
  if (auto inner = getInput().getDefiningOp<BroadcastOp>()) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return {};
}

/// The axes a reduction leaves, in order, then the chunk axes it stops at.
static LogicalResult inferReduced(std::optional<Location> location, Type input, ArrayAttr over, ArrayAttr into,
                                  SmallVectorImpl<Type> &results, unsigned count) {
  SmallVector<StringAttr> kept(axesOf(input));
  for (StringAttr name : namesOf(over)) {
    if (llvm::count(over, name) > 1) // reduce_c3, moments_c3
      return emitOptionalError(location, "reduces over ", name, " twice");
    auto *axis = llvm::find(kept, name);
    if (axis == kept.end()) // reduce_c1, moments_c1
      return emitOptionalError(location, "reduces over ", name, ", which the value does not range over");
    kept.erase(axis);
  }
  if (into)
    for (StringAttr chunk : namesOf(into)) kept.push_back(chunk);
  results.append(count, withAxes(input, kept));
  return success();
}
LogicalResult ReduceOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                         SmallVectorImpl<Type> &results) {
  return inferReduced(location, adaptor.getInput().getType(), adaptor.getOver(), adaptor.getInto(), results, 1);
}
LogicalResult MomentsOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                          SmallVectorImpl<Type> &results) {
  return inferReduced(location, adaptor.getInput().getType(), adaptor.getOver(), ArrayAttr(), results, 2);
}

/// Each chunk axis of a reduction divides an axis it reduces (moments_c5).
static LogicalResult verifyInto(Operation *op, ArrayAttr over, ArrayAttr into) {
  for (StringAttr name : namesOf(into)) {
    AxisAttr axis = axisNamed(op, name);
    if (!axis || !axis.isChunks() || !llvm::is_contained(namesOf(over), axis.getWhole()))
      return op->emitOpError() << name << " does not name the chunks of a reduced axis";
  }
  return success();
}
LogicalResult norm::verifySample(Operation *op, StringAttr sample, ArrayAttr axes) {
  auto kernel = op->getParentOfType<KernelOp>();
  auto isAxis = [&](StringAttr name) { return llvm::is_contained(namesOf(axes), name); };
  AxisAttr row = sample && kernel ? kernel.getAxis(sample) : AxisAttr();
  bool isOfBoth = row && row.isProduct() && isAxis(row.getOuter()) && isAxis(row.getInner());
  if (sample && !isAxis(sample) && !isOfBoth)
    return op->emitOpError() << "takes a sample along " << sample << ", which is none of its axes";
  return success();
}
StringRef norm::expectedElement(ReduceKind kind, Type element) {
  if (kind == ReduceKind::any || kind == ReduceKind::all) return element.isInteger(1) ? "" : "i1";
  if (isa<FloatType>(element)) return "";
  if (kind == ReduceKind::sum) return element.isInteger(64) ? "" : "a float or i64";
  return "a float";
}
TypedAttr norm::neutralOf(ReduceKind kind, Type element) {
  auto real = dyn_cast<FloatType>(element);
  if (!real) return Builder(element.getContext()).getIntegerAttr(element, kind == ReduceKind::all);
  const llvm::fltSemantics &semantics = real.getFloatSemantics();
  return FloatAttr::get(real, kind == ReduceKind::sum ? APFloat::getZero(semantics)
                                                      : APFloat::getInf(semantics, kind == ReduceKind::max));
}
LogicalResult ReduceOp::verify() {
  Type element = getElementTypeOrSelf(getInput());
  if (StringRef expected = expectedElement(getKind(), element); !expected.empty()) // reduce_c2
    return emitOpError() << stringifyReduceKind(getKind()) << " takes " << expected << ", not " << element;
  if (failed(verifySample(*this, getSampleAttr(), getOver()))) return failure(); // reduce_c4
  return verifyInto(*this, getOver(), getInto());
}
LogicalResult AllReduceOp::verify() {
  Type element = getElementTypeOrSelf(getInput());
  if (getKind() == ReduceKind::any || getKind() == ReduceKind::all) // all_reduce_c1
    return emitOpError() << stringifyReduceKind(getKind()) << " does not run across replicas";
  if (StringRef expected = expectedElement(getKind(), element); !expected.empty()) // all_reduce_c1
    return emitOpError() << stringifyReduceKind(getKind()) << " takes " << expected << ", not " << element;
  return success();
}
LogicalResult norm::verifyGathered(Operation *op, Type one, Type all) {
  AxisList axes = axesOf(all);
  if (getElementTypeOrSelf(one) != getElementTypeOrSelf(all) || axes.empty() || axes.drop_front() != axesOf(one))
    return op->emitOpError() << "gathers " << one << " to " << all
                             << ", which is not the same over an axis of replicas";
  return success();
}
LogicalResult AllGatherOp::verify() {
  AxisAttr axis = axisNamed(*this, getAxisAttr());
  if (!axis || !axis.isLeaf()) // all_gather_c1
    return emitOpError() << "gathers over " << getAxisAttr() << ", which is no leaf of the table";
  if (failed(verifyGathered(*this, getInput().getType(), getType()))) return failure(); // all_gather_c2
  if (axesOf(getType()).front() != getAxisAttr())
    return emitOpError() << "gathers over " << getAxisAttr() << ", but the result ranges over "
                         << axesOf(getType()).front() << " first";
  return success();
}
LogicalResult MomentsOp::verify() {
  if (getWeights() && getWeights().getType() != getInput().getType()) // moments_c2
    return emitOpError() << "weights are " << getWeights().getType() << ", but the value is " << getInput().getType();
  if (!isa<FloatType>(getElementTypeOrSelf(getInput()))) // moments_c4
    return emitOpError() << "takes a float, not " << getElementTypeOrSelf(getInput());
  if (failed(verifySample(*this, getSampleAttr(), getOver()))) return failure(); // moments_c6
  SmallVector<StringAttr> chunks = namesOf(getThrough());
  llvm::erase_if(chunks, [&](StringAttr name) { return llvm::is_contained(namesOf(getOver()), name); });
  return verifyInto(*this, getOver(), arrayOf(getContext(), chunks));
}

static LogicalResult verifyDeclared(Operation *op, ArrayRef<StringAttr> names) {
  for (StringAttr name : names)
    if (!axisNamed(op, name)) return op->emitOpError() << "names axis " << name << ", which is not declared";
  return success();
}
LogicalResult SizeOp::verify() { return verifyDeclared(*this, namesOf(getAxes())); } // size_c1

LogicalResult PointsOp::verify() {
  for (StringAttr name : namesOf(getChunks())) // points_c1
    if (AxisAttr axis = axisNamed(*this, name); !axis || !axis.isChunks())
      return emitOpError() << name << " does not name chunks";
  return success();
}

LogicalResult SampledOp::verify() {
  if (failed(verifyDeclared(*this, namesOf(getOver())))) return failure();       // sampled_c1
  if (failed(verifySample(*this, getSampleAttr(), getOver()))) return failure(); // sampled_c3
  return verifyInto(*this, getOver(), getInto());                                // sampled_c2
}

LogicalResult IndexOp::verify() {
  if (failed(verifyDeclared(*this, getAxisAttr()))) return failure(); // index_c1
  Type point = IntegerType::get(getContext(), 64);
  bool inPlan = (*this)->getParentOfType<PhaseOp>() != nullptr;
  Type wanted = inPlan ? point : withAxes(point, (*this)->getParentOfType<KernelOp>().leavesOf(getAxisAttr()));
  if (getType() != wanted) return emitOpError() << "gives " << getType() << ", expected " << wanted; // index_c2
  return success();
}

LogicalResult AtOp::verify() {
  auto kernel = (*this)->getParentOfType<KernelOp>();
  SmallVector<StringAttr> rest(axesOf(getInput().getType()));
  for (StringAttr leaf : kernel ? kernel.leavesOf(getAxisAttr()) : SmallVector<StringAttr>{getAxisAttr()}) {
    auto *axis = llvm::find(rest, leaf);
    if (axis == rest.end()) return emitOpError() << "the value does not range over " << leaf; // at_c1
    rest.erase(axis);
  }
  if (withAxes(getInput().getType(), rest) != getType()) // at_c2
    return emitOpError() << "gives " << getType() << " where " << withAxes(getInput().getType(), rest) << " is left";
  return success();
}

LogicalResult CastOp::verify() {
  if (axesOf(getInput().getType()) != axesOf(getType())) // cast_c1
    return emitOpError() << "changes the axes of " << getInput().getType() << " to those of " << getType();
  return success();
}
/// Every value of the storage type is one of the other type.
static bool isExact(Type from, Type to) {
  from = getElementTypeOrSelf(from);
  to = getElementTypeOrSelf(to);
  if (from == to || from.isInteger(1)) return true;
  if (isa<FloatType>(from))
    return isa<FloatType>(to) &&
           (from.getIntOrFloatBitWidth() < 32 ? to.getIntOrFloatBitWidth() >= 32 : from.isF32() && to.isF64());
  return to.isInteger(64) || (from.isInteger(8) && (to.isF32() || to.isF64())) || (from.isInteger(32) && to.isF64());
}
OpFoldResult CastOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType()) return getInput();
  // A value that came from a storage type is as a store to that type and a load from it would leave it.
  auto stored = getInput().getDefiningOp<CastOp>();
  auto loaded = stored ? stored.getInput().getDefiningOp<CastOp>() : CastOp();
  if (loaded && loaded.getType() == getType() && loaded.getInput().getType() == stored.getType() &&
      isExact(stored.getType(), getType()))
    return stored.getInput();
  return {};
}
