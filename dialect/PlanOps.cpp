// The plan's ops: norm.phase, norm.pass, norm.load, norm.store.
#include "dialect/Norm.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/SmallPtrSet.h"
using namespace mlir;
using namespace norm;

void YieldOp::build(OpBuilder &, OperationState &) {}

GuardedProduct::GuardedProduct(Value of) : where(of.getDefiningOp<arith::SelectOp>()) {
  if (where && !where->hasAttr(attribute)) where = {};
  multiply = (where ? where.getTrueValue() : of).getDefiningOp<arith::MulFOp>();
}
SmallVector<StringAttr> norm::boundAt(Operation *op) {
  SmallVector<StringAttr> bound;
  for (Operation *parent = op->getParentOp(); parent && !isa<KernelOp>(parent); parent = parent->getParentOp()) {
    ArrayAttr axes;
    if (auto pass = dyn_cast<PassOp>(parent)) axes = pass.getAxes();
    if (auto phase = dyn_cast<PhaseOp>(parent)) axes = phase.getAxes();
    if (!axes) continue;
    auto names = namesOf(axes);
    bound.insert(bound.begin(), names.begin(), names.end());
  }
  return bound;
}

/// The axes that are bound where `op` stands, and what they are products of.
static llvm::SmallPtrSet<Attribute, 8> boundNames(Operation *op) {
  llvm::SmallPtrSet<Attribute, 8> names;
  auto kernel = op->getParentOfType<KernelOp>();
  for (StringAttr name : boundAt(op))
    for (StringAttr part : kernel ? kernel.namesWithin(name) : SmallVector<StringAttr>{name}) names.insert(part);
  return names;
}

//===----------------------------------------------------------------------===//
// Phase and pass
//===----------------------------------------------------------------------===//

static LogicalResult verifyDeclared(Operation *op, ArrayAttr axes, llvm::SmallPtrSet<Attribute, 8> bound) {
  auto kernel = op->getParentOfType<KernelOp>();
  for (StringAttr name : namesOf(axes)) {
    if (!kernel || !kernel.getAxis(name))
      return op->emitOpError() << "sweeps over " << name << ", which is not declared";
    for (StringAttr part : kernel.namesWithin(name)) // phase_c1, pass_c1
      if (!bound.insert(part).second) return op->emitOpError() << "binds " << part << ", which is bound already";
  }
  return success();
}
LogicalResult PhaseOp::verify() { return verifyDeclared(*this, getAxes(), {}); }

LogicalResult ExchangeOp::verify() {
  for (Value memory : {getMine(), getAll()}) // exchange_c1
    if (!memory.getDefiningOp<WorkspaceOp>()) return emitOpError("exchanges memory that is not workspace");
  return verifyGathered(*this, getMine().getType(), getAll().getType()); // exchange_c1, exchange_c2
}

// %s, %m = norm.pass [k, s] (sum, max) { ... norm.yield %a, %b : f32, f32 }
ParseResult PassOp::parse(OpAsmParser &parser, OperationState &state) {
  Builder &builder = parser.getBuilder();
  SmallVector<Attribute> axes;
  SmallVector<int32_t> kinds;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
        StringRef name;
        if (parser.parseKeyword(&name)) return failure();
        axes.push_back(builder.getStringAttr(name));
        return success();
      }))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("sample"))) {
    StringRef name;
    if (parser.parseKeyword(&name)) return failure();
    state.addAttribute(getSampleAttrName(state.name), builder.getStringAttr(name));
  }
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::OptionalParen, [&]() -> ParseResult {
        StringRef word;
        SMLoc location = parser.getCurrentLocation();
        if (parser.parseKeyword(&word)) return failure();
        std::optional<ReduceKind> kind = symbolizeReduceKind(word);
        if (!kind) return parser.emitError(location, "expected sum, max, min, any or all");
        kinds.push_back(int32_t(*kind));
        return success();
      }))
    return failure();
  state.addAttribute(getAxesAttrName(state.name), builder.getArrayAttr(axes));
  state.addAttribute(getKindsAttrName(state.name), builder.getDenseI32ArrayAttr(kinds));
  Region *body = state.addRegion();
  if (parser.parseRegion(*body)) return failure();
  ensureTerminator(*body, builder, state.location);
  state.addTypes(body->front().getTerminator()->getOperandTypes());
  return parser.parseOptionalAttrDict(state.attributes);
}
void PassOp::print(OpAsmPrinter &printer) {
  printer << " [";
  llvm::interleaveComma(getAxes(), printer, [&](Attribute name) { printer << cast<StringAttr>(name).getValue(); });
  printer << "] ";
  if (std::optional<StringRef> sample = getSample()) printer << "sample " << *sample << " ";
  if (!getKinds().empty()) {
    printer << "(";
    llvm::interleaveComma(getKinds(), printer, [&](int32_t kind) { printer << stringifyReduceKind(ReduceKind(kind)); });
    printer << ") ";
  }
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/getNumResults() != 0);
  printer.printOptionalAttrDict((*this)->getAttrs(), {getAxesAttrName(), getKindsAttrName(), getSampleAttrName()});
}
LogicalResult PassOp::verify() {
  if (failed(verifyDeclared(*this, getAxes(), boundNames(*this)))) return failure();
  if (failed(verifySample(*this, getSampleAttr(), getAxes()))) return failure(); // pass_c4
  auto yielded = getBody().front().getTerminator()->getOperandTypes();
  if (getKinds().size() != yielded.size()) // pass_c2
    return emitOpError() << "yields " << yielded.size() << " values for " << getKinds().size() << " reductions";
  if (yielded != getResultTypes()) return emitOpError() << "yields " << yielded << " for results " << getResultTypes();
  for (auto [kind, type] : llvm::zip(getKinds(), yielded)) { // pass_c3
    if (StringRef expected = expectedElement(ReduceKind(kind), type); !expected.empty())
      return emitOpError() << stringifyReduceKind(ReduceKind(kind)) << " takes " << expected << ", not " << type;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Load and store
//===----------------------------------------------------------------------===//

static LogicalResult verifyPoint(Operation *op, Type memory, ArrayAttr given) {
  auto bound = boundNames(op);
  if (given)
    for (StringAttr name : namesOf(given)) bound.insert(name);
  for (StringAttr name : axesOf(memory)) // load_c1, store_c1
    if (!bound.contains(name))
      return op->emitOpError() << "needs a point of axis " << name << ", which no phase or pass around it binds";
  return success();
}
LogicalResult LoadOp::verify() {
  if (getAt().size() != getPositions().size())
    return emitOpError() << "gives " << getPositions().size() << " positions for " << getAt().size() << " axes";
  return verifyPoint(*this, getFrom().getType(), getAt());
}
LogicalResult StoreOp::verify() {
  if (getKind() && !getTo().getDefiningOp<WorkspaceOp>()) // store_c3
    return emitOpError("combines into memory that is not workspace");
  if (auto phase = (*this)->getParentOfType<PhaseOp>()) { // store_c2
    auto kernel = phase->getParentOfType<KernelOp>();
    for (StringAttr name : namesOf(phase.getAxes())) {
      AxisAttr axis = kernel ? kernel.getAxis(name) : AxisAttr();
      StringAttr whole = axis && axis.isChunks() ? axis.getWhole() : name;
      for (StringAttr leaf : kernel.leavesOf(whole))
        if (AxisList axes = axesOf(getTo().getType());
            !llvm::is_contained(axes, leaf) && !llvm::is_contained(axes, name) && !llvm::is_contained(axes, whole))
          return emitOpError() << "writes the same place from every block of " << name;
    }
  }
  return verifyPoint(*this, getTo().getType(), {});
}
