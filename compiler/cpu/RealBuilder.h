#ifndef NORMC_COMPILER_CPU_REALBUILDER_H
#define NORMC_COMPILER_CPU_REALBUILDER_H
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

namespace normc {

/// Emits arithmetic on one shape of real numbers, a scalar or a vector of f32 or f64, and on their bit patterns.
class RealBuilder {
public:
  using Value = mlir::Value;

  /// `lookups`: AVX-512 has a register of 16 f32 looked up, scaled and bounded by one instruction each.
  RealBuilder(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type, bool lookups = false)
      : builder(builder), loc(loc), lookups(lookups), type(type), element(llvm::cast<mlir::FloatType>(mlir::getElementTypeOrSelf(type))),
        bitsElement(builder.getIntegerType(element.getWidth())), bitsType(shaped(bitsElement)) {}

  mlir::OpBuilder &getBuilder() const { return builder; }
  mlir::Location getLoc() const { return loc; }
  mlir::Type getType() const { return type; }
  bool hasLookups() const { return lookups && !isDouble(); }
  bool isDouble() const { return element == builder.getF64Type(); }
  /// Stored bits of the significand: 23 or 52.
  int mantissa() const { return isDouble() ? 52 : 23; }
  int64_t bias() const { return isDouble() ? 1023 : 127; }
  /// `element` in the shape of this builder's numbers.
  mlir::Type shaped(mlir::Type element) const {
    auto vector = llvm::dyn_cast<mlir::VectorType>(type);
    return vector ? mlir::Type(vector.clone(element)) : element;
  }
  /// A builder for other numbers in the same shape.
  RealBuilder like(mlir::Type element) const { return {builder, loc, shaped(element)}; }

  Value real(double value) const { return constant(type, builder.getFloatAttr(element, value)); }
  Value bits(int64_t value) const {
    llvm::APInt pattern = llvm::APInt(64, uint64_t(value)).trunc(isDouble() ? 64 : 32);
    return constant(bitsType, builder.getIntegerAttr(bitsElement, pattern));
  }
  /// 2^exponent, exact.
  Value power(int exponent) const { return real(std::ldexp(1.0, exponent)); }

  Value add(Value a, Value b) const { return mlir::arith::AddFOp::create(builder, loc, a, b); }
  Value sub(Value a, Value b) const { return mlir::arith::SubFOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) const { return mlir::arith::MulFOp::create(builder, loc, a, b); }
  Value div(Value a, Value b) const { return mlir::arith::DivFOp::create(builder, loc, a, b); }
  Value fma(Value a, Value b, Value c) const { return mlir::math::FmaOp::create(builder, loc, a, b, c); }
  Value sqrt(Value a) const { return mlir::math::SqrtOp::create(builder, loc, a); }
  Value abs(Value a) const { return mlir::math::AbsFOp::create(builder, loc, a); }
  Value neg(Value a) const { return mlir::arith::NegFOp::create(builder, loc, a); }
  Value roundEven(Value a) const { return mlir::math::RoundEvenOp::create(builder, loc, a); }
  Value copySign(Value magnitude, Value sign) const {
    return mlir::math::CopySignOp::create(builder, loc, magnitude, sign);
  }
  /// coefficients[0] + coefficients[1] x + ..., by Horner's rule.
  Value polynomial(Value x, llvm::ArrayRef<double> coefficients) const {
    Value sum = real(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back())) sum = fma(sum, x, real(coefficient));
    return sum;
  }

  Value toBits(Value a) const { return mlir::arith::BitcastOp::create(builder, loc, bitsType, a); }
  Value toReal(Value a) const { return mlir::arith::BitcastOp::create(builder, loc, type, a); }
  Value addBits(Value a, Value b) const { return mlir::arith::AddIOp::create(builder, loc, a, b); }
  Value subBits(Value a, Value b) const { return mlir::arith::SubIOp::create(builder, loc, a, b); }
  Value andBits(Value a, Value b) const { return mlir::arith::AndIOp::create(builder, loc, a, b); }
  Value orBits(Value a, Value b) const { return mlir::arith::OrIOp::create(builder, loc, a, b); }
  Value shiftLeft(Value a, int by) const { return mlir::arith::ShLIOp::create(builder, loc, a, bits(by)); }
  Value shiftRight(Value a, int by) const { return mlir::arith::ShRUIOp::create(builder, loc, a, bits(by)); }

  /// Comparisons are false where an operand is NaN, differ excepted.
  Value less(Value a, Value b) const { return compare(mlir::arith::CmpFPredicate::OLT, a, b); }
  Value lessOrEqual(Value a, Value b) const { return compare(mlir::arith::CmpFPredicate::OLE, a, b); }
  Value equal(Value a, Value b) const { return compare(mlir::arith::CmpFPredicate::OEQ, a, b); }
  Value differ(Value a, Value b) const { return compare(mlir::arith::CmpFPredicate::UNE, a, b); }
  Value isNan(Value a) const { return compare(mlir::arith::CmpFPredicate::UNO, a, a); }
  Value both(Value a, Value b) const { return mlir::arith::AndIOp::create(builder, loc, a, b); }
  Value either(Value a, Value b) const { return mlir::arith::OrIOp::create(builder, loc, a, b); }
  Value select(Value condition, Value a, Value b) const {
    return mlir::arith::SelectOp::create(builder, loc, condition, a, b);
  }
  /// The smaller and the larger of x and a bound; a NaN stays. One instruction on x86, where maximumf is several.
  Value atMost(Value x, Value bound) const { return select(less(bound, x), bound, x); }
  Value atLeast(Value x, Value bound) const { return select(less(x, bound), bound, x); }

private:
  Value constant(mlir::Type type, mlir::Attribute value) const {
    if (auto vector = llvm::dyn_cast<mlir::VectorType>(type)) value = mlir::DenseElementsAttr::get(vector, value);
    return mlir::arith::ConstantOp::create(builder, loc, type, llvm::cast<mlir::TypedAttr>(value));
  }
  Value compare(mlir::arith::CmpFPredicate predicate, Value a, Value b) const {
    return mlir::arith::CmpFOp::create(builder, loc, predicate, a, b);
  }

  mlir::OpBuilder &builder;
  mlir::Location loc;
  bool lookups;
  mlir::Type type;
  mlir::FloatType element;
  mlir::Type bitsElement, bitsType;
};

} // namespace normc
#endif
