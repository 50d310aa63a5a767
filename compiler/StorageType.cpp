#include "compiler/StorageType.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"
using namespace mlir;

namespace normc {

Type storageType(MLIRContext *context, ElementType element) {
  switch (element) {
  case ElementType::f64:
    return Float64Type::get(context);
  case ElementType::f32:
    return Float32Type::get(context);
  case ElementType::f16:
    return Float16Type::get(context);
  case ElementType::bf16:
    return BFloat16Type::get(context);
  case ElementType::f8e4m3:
    return Float8E4M3FNType::get(context);
  case ElementType::f8e5m2:
    return Float8E5M2Type::get(context);
  case ElementType::i8:
    return IntegerType::get(context, 8);
  case ElementType::u8:
    return IntegerType::get(context, 8, IntegerType::Unsigned);
  case ElementType::i32:
    return IntegerType::get(context, 32);
  case ElementType::i64:
    return IntegerType::get(context, 64);
  case ElementType::boolean:
    return IntegerType::get(context, 1);
  }
  llvm_unreachable("every element type has a storage type");
}

std::optional<ElementType> elementTypeOf(Type type) {
  for (ElementType element : elementTypes())
    if (storageType(type.getContext(), element) == getElementTypeOrSelf(type)) return element;
  return std::nullopt;
}

} // namespace normc
