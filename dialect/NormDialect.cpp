// The dialect's attributes, type aliases and registration.
#include "dialect/Norm.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/TypeSwitch.h"
using namespace mlir;
using namespace norm;

static StringAttr parseName(AsmParser &parser) {
  StringRef name;
  if (parser.parseKeyword(&name)) return {};
  return StringAttr::get(parser.getContext(), name);
}

static ParseResult parseNameList(AsmParser &parser, SmallVector<StringAttr> &names) {
  StringRef first;
  if (failed(parser.parseOptionalKeyword(&first))) return success(); // `<>`: memory of one element
  names.push_back(StringAttr::get(parser.getContext(), first));
  while (succeeded(parser.parseOptionalComma())) {
    StringAttr name = parseName(parser);
    if (!name) return failure();
    names.push_back(name);
  }
  return success();
}
static void printNameList(AsmPrinter &printer, AxisList names) {
  llvm::interleaveComma(names, printer, [&](StringAttr name) { printer << name.getValue(); });
}

#include "dialect/NormDialect.cpp.inc"
#include "dialect/NormEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/NormAttrs.cpp.inc"

LogicalResult AxesAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                       llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != getNames().size()) // axes_c1
    return emitError() << "names " << getNames().size() << " axes for " << shape.size() << " dimensions";
  if (llvm::any_of(shape, ShapedType::isStatic)) // axes_c2
    return emitError() << "has an extent in a type: extents stand in the kernel's table of axes";
  llvm::SmallPtrSet<Attribute, 8> seen; // axes_c3
  for (StringAttr name : getNames())
    if (!seen.insert(name).second) return emitError() << "names axis " << name << " twice";
  return success();
}

AxisAttr AxisAttr::product(StringAttr name, StringAttr outer, StringAttr inner) {
  return get(name.getContext(), name, ShapedType::kDynamic, outer, inner, StringAttr(), 0, {}, 0);
}
AxisAttr AxisAttr::chunks(StringAttr name, StringAttr whole, int64_t points, AxisList per, int64_t most) {
  return get(name.getContext(), name, ShapedType::kDynamic, StringAttr(), StringAttr(), whole, points, per, most);
}

Attribute AxisAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess()) return {};
  AxisAttr axis = parseBare(parser);
  if (!axis || parser.parseGreater()) return {};
  return axis;
}
void AxisAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printBare(printer);
  printer << ">";
}

AxisAttr AxisAttr::parseBare(AsmParser &parser) {
  StringAttr name = parseName(parser);
  if (!name) return {};
  if (failed(parser.parseOptionalEqual())) return get(parser.getContext(), name);
  int64_t size = 0;
  if (OptionalParseResult literal = parser.parseOptionalInteger(size); literal.has_value()) {
    if (failed(*literal)) return {};
    if (size < 0) return parser.emitError(parser.getCurrentLocation(), "an extent cannot be negative"), AxisAttr();
    return get(parser.getContext(), name, size);
  }
  StringAttr first = parseName(parser);
  if (!first) return {};
  if (succeeded(parser.parseOptionalStar())) {
    StringAttr inner = parseName(parser);
    return inner ? product(name, first, inner) : AxisAttr();
  }
  int64_t points = 0, most = 0;
  SmallVector<StringAttr> per;
  if (parser.parseKeyword("by", " or '*'") || parser.parseInteger(points)) return {};
  if (points < 1) return parser.emitError(parser.getCurrentLocation(), "a chunk has at least one point"), AxisAttr();
  if (succeeded(parser.parseOptionalKeyword("per")) &&
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() -> ParseResult {
        per.push_back(parseName(parser));
        return success(bool(per.back()));
      }))
    return {};
  if (succeeded(parser.parseOptionalKeyword("most")) && parser.parseInteger(most)) return {};
  return chunks(name, first, points, per, most);
}
void AxisAttr::printBare(AsmPrinter &printer) const {
  printer << getName().getValue();
  if (isProduct()) {
    printer << " = " << getOuter().getValue() << " * " << getInner().getValue();
  } else if (isChunks()) {
    printer << " = " << getWhole().getValue() << " by " << getPoints();
    if (!getPer().empty()) {
      printer << " per [";
      printNameList(printer, getPer());
      printer << "]";
    }
    if (getMost()) printer << " most " << getMost();
  } else if (isFixed()) {
    printer << " = " << getSize();
  }
}

namespace {
/// Tensor types print as `!f32_n_k`.
struct TypeAliases : OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;
  AliasResult getAlias(Type type, raw_ostream &os) const override {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || axesOf(tensor).empty()) return AliasResult::NoAlias;
    os << tensor.getElementType();
    for (StringAttr axis : axesOf(tensor)) os << "_" << axis.getValue();
    return AliasResult::FinalAlias;
  }
};
} // namespace

void NormDialect::initialize() {
  addInterfaces<TypeAliases>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/NormAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/NormOps.cpp.inc"
      >();
}

AxisList norm::axesOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    if (auto axes = dyn_cast_or_null<AxesAttr>(tensor.getEncoding())) return axes.getNames();
  return {};
}
bool norm::isMemory(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && (tensor.getRank() == 0 || isa_and_nonnull<AxesAttr>(tensor.getEncoding()));
}
Type norm::withAxes(Type type, AxisList axes) {
  Type element = getElementTypeOrSelf(type);
  if (axes.empty()) return element;
  SmallVector<int64_t> shape(axes.size(), ShapedType::kDynamic);
  return RankedTensorType::get(shape, element, AxesAttr::get(type.getContext(), axes));
}
Type norm::withElement(Type type, Type element) { return withAxes(element, axesOf(type)); }
SmallVector<StringAttr> norm::namesOf(ArrayAttr names) {
  return llvm::map_to_vector(names, [](Attribute name) { return cast<StringAttr>(name); });
}
ArrayAttr norm::arrayOf(MLIRContext *context, AxisList names) {
  return ArrayAttr::get(context, SmallVector<Attribute>(names.begin(), names.end()));
}
