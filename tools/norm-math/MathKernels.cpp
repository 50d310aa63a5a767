#include "MathKernels.h"
#include "compiler/StorageType.h"
#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/Passes.h"
#include "compiler/cpu/RealBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using Unary = llvm::function_ref<Value(OpBuilder &, Location, Value, Value)>;

namespace {
struct KernelWriter {
  OpBuilder builder;
  Location loc;

  /// A kernel from elements of `in` to elements of `out`, both as memory holds them.
  void kernel(const std::string &name, int width, Type in, Type out, Unary body) {
    OpBuilder::InsertionGuard guard(builder);
    Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
    Type index = builder.getI64Type();
    auto type = builder.getFunctionType({pointer, pointer, pointer, index}, {});
    auto function = func::FuncOp::create(builder, loc, name + "_" + std::to_string(width), type);
    Block *entry = function.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    Value zero = arith::ConstantIntOp::create(builder, loc, 0, 64);
    Value step = arith::ConstantIntOp::create(builder, loc, width, 64);
    auto loop = scf::ForOp::create(builder, loc, zero, entry->getArgument(3), step);
    func::ReturnOp::create(builder, loc);
    builder.setInsertionPointToStart(loop.getBody());
    auto address = [&](int argument, Type element) -> Value {
      return LLVM::GEPOp::create(builder, loc, pointer, element, entry->getArgument(argument), loop.getInductionVar());
    };
    auto load = [&](int argument) -> Value {
      return LLVM::LoadOp::create(builder, loc, shaped(in, width), address(argument, in),
                                  in.getIntOrFloatBitWidth() / 8);
    };
    Value result = body(builder, loc, load(0), load(1));
    LLVM::StoreOp::create(builder, loc, result, address(2, out), out.getIntOrFloatBitWidth() / 8);
  }

  static Type shaped(Type element, int width) { return width == 1 ? element : Type(VectorType::get({width}, element)); }

  static Value one(OpBuilder &b, Location loc, Type type) {
    auto element = b.getFloatAttr(getElementTypeOrSelf(type), 1);
    auto vector = dyn_cast<VectorType>(type);
    return arith::ConstantOp::create(
        b, loc, vector ? TypedAttr(DenseElementsAttr::get(vector, Attribute(element))) : TypedAttr(element));
  }

  void functions(Type type, int width) {
    std::string suffix = type.isF64() ? "_f64" : "_f32";
    auto add = [&](const char *name, Unary body) { kernel(name + suffix, width, type, type, body); };
#define UNARY(NAME, OP) add(NAME, [](OpBuilder &b, Location loc, Value x, Value) { return OP::create(b, loc, x); });
#define BINARY(NAME, OP)                                                                                               \
  add(NAME, [](OpBuilder &b, Location loc, Value x, Value y) { return OP::create(b, loc, x, y); });
    UNARY("exp", math::ExpOp)
    UNARY("log", math::LogOp)
    UNARY("tanh", math::TanhOp)
    UNARY("erf", math::ErfOp)
    UNARY("sqrt", math::SqrtOp)
    UNARY("rsqrt", math::RsqrtOp)
    UNARY("floor", math::FloorOp)
    UNARY("round", math::RoundEvenOp)
    UNARY("abs", math::AbsFOp)
    BINARY("pow", math::PowFOp)
    BINARY("max", arith::MaximumFOp)
    BINARY("min", arith::MinimumFOp)
#undef UNARY
#undef BINARY
    auto onePlusExp = [](OpBuilder &b, Location loc, Value x) -> Value {
      return arith::AddFOp::create(b, loc, one(b, loc, x.getType()), math::ExpOp::create(b, loc, x));
    };
    add("oneplusexp", [&](OpBuilder &b, Location loc, Value x, Value) { return onePlusExp(b, loc, x); });
    // The larger of the sum and its second term is the sum.
    add("sumandexp", [&](OpBuilder &b, Location loc, Value x, Value) -> Value {
      Value exp = math::ExpOp::create(b, loc, x), sum = arith::AddFOp::create(b, loc, one(b, loc, x.getType()), exp);
      return arith::MaximumFOp::create(b, loc, sum, exp);
    });
    auto sigmoid = [&](OpBuilder &b, Location loc, Value x, Value) -> Value {
      Value sum = onePlusExp(b, loc, arith::NegFOp::create(b, loc, x));
      return arith::DivFOp::create(b, loc, one(b, loc, x.getType()), sum);
    };
    add("sigmoid", sigmoid);
    add("silu", [&](OpBuilder &b, Location loc, Value x, Value y) -> Value {
      return arith::MulFOp::create(b, loc, x, sigmoid(b, loc, x, y));
    });
    // Exactly twice the logistic function of a product: its error before the quotient is rounded shows.
    add("twosigmoid", [&](OpBuilder &b, Location loc, Value x, Value y) -> Value {
      Value two = arith::AddFOp::create(b, loc, one(b, loc, x.getType()), one(b, loc, x.getType()));
      return arith::MulFOp::create(b, loc, two, sigmoid(b, loc, x, y));
    });
    // As the activations have them.
    add("log1pexp", [&](OpBuilder &b, Location loc, Value x, Value) -> Value {
      Value exp = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, math::AbsFOp::create(b, loc, x)));
      Value unit = one(b, loc, x.getType()), sum = arith::AddFOp::create(b, loc, unit, exp);
      Value product = arith::MulFOp::create(b, loc, math::LogOp::create(b, loc, sum), exp);
      Value quotient = arith::DivFOp::create(b, loc, product, arith::SubFOp::create(b, loc, sum, unit));
      Value isOne = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum, unit);
      return arith::SelectOp::create(b, loc, isOne, exp, quotient);
    });
    add("expm1", [&](OpBuilder &b, Location loc, Value x, Value) -> Value {
      Value unit = one(b, loc, x.getType());
      Value two = normc::RealBuilder(b, loc, x.getType()).real(2),
            half = normc::RealBuilder(b, loc, x.getType()).real(0.5);
      Value tanh = math::TanhOp::create(b, loc, arith::MulFOp::create(b, loc, x, half));
      Value twice = arith::MulFOp::create(b, loc, tanh, two);
      return arith::DivFOp::create(b, loc, twice, arith::SubFOp::create(b, loc, unit, tanh));
    });
  }

  void conversions(StringRef name, Type storage, int width) {
    Type memory = normc::memoryType(storage), byte = builder.getI8Type();
    std::pair<const char *, Type> computes[] = {{"f32", builder.getF32Type()},
                                                {"f64", builder.getF64Type()},
                                                {"i64", builder.getI64Type()},
                                                {"bool", builder.getI1Type()}};
    for (auto [computeName, compute] : computes) {
      Type held = compute.isInteger(1) ? byte : compute;
      bool narrows = storage.isF64() && compute.isF32(), truncates = isa<FloatType>(storage) && compute.isInteger(64);
      if (!narrows && !truncates)
        kernel(("load_" + name + "_" + computeName).str(), width, memory, held,
               [&](OpBuilder &b, Location loc, Value x, Value) {
                 Value value = normc::loadConvert(b, loc, x, storage, compute);
                 if (compute == held) return value;
                 return Value(arith::ExtUIOp::create(b, loc, shaped(byte, width), value));
               });
      kernel((llvm::Twine("store_") + computeName + "_" + name).str(), width, held, memory,
             [&](OpBuilder &b, Location loc, Value x, Value) {
               if (compute != held) x = arith::TruncIOp::create(b, loc, shaped(compute, width), x);
               return normc::storeConvert(b, loc, x, storage);
             });
    }
  }
};
} // namespace

std::string normc::printKernels(bool expand, bool lookups) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect>();
  OpBuilder builder(&context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, loc);
  builder.setInsertionPointToStart(module->getBody());
  KernelWriter writer{builder, loc};
  for (int width : kernelWidths) {
    writer.functions(builder.getF32Type(), width);
    writer.functions(builder.getF64Type(), width);
    for (normc::ElementType element : normc::elementTypes())
      writer.conversions(normc::nameOf(element), normc::storageType(&context, element), width);
  }
  if (expand) {
    PassManager passes(&context);
    ExpandMathOptions options;
    options.lookups = lookups;
    passes.addPass(createExpandMath(options));
    if (failed(passes.run(*module))) return {};
  }
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  return text;
}
