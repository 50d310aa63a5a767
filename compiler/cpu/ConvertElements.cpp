#include "compiler/cpu/ConvertElements.h"
#include "compiler/cpu/RealBuilder.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace normc;

static bool isByteFloat(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); }

Type normc::memoryType(Type storage) {
  if (storage.isBF16()) return IntegerType::get(storage.getContext(), 16);
  if (isByteFloat(storage) || storage.isInteger(1) || storage.isInteger(8))
    return IntegerType::get(storage.getContext(), 8);
  return storage;
}

namespace {
/// Emits conversions in one shape, a scalar or a vector.
struct Converter {
  OpBuilder &builder;
  Location loc;
  /// Any type of the shape.
  Type shape;

  Type shaped(Type element) const {
    auto vector = dyn_cast<VectorType>(shape);
    return vector ? Type(vector.clone(element)) : element;
  }
  Type integer(unsigned width) const { return shaped(builder.getIntegerType(width)); }
  RealBuilder real(Type element) const { return {builder, loc, shaped(element)}; }
  RealBuilder single() const { return real(builder.getF32Type()); }

  Value number(unsigned width, uint64_t value) const {
    Type type = integer(width);
    TypedAttr attribute = builder.getIntegerAttr(getElementTypeOrSelf(type), APInt(64, value).trunc(width));
    if (auto vector = dyn_cast<VectorType>(type)) attribute = DenseElementsAttr::get(vector, Attribute(attribute));
    return arith::ConstantOp::create(builder, loc, attribute);
  }
  Value zeroExtend(Value value, unsigned width) const {
    return arith::ExtUIOp::create(builder, loc, integer(width), value);
  }
  Value signExtend(Value value, unsigned width) const {
    return arith::ExtSIOp::create(builder, loc, integer(width), value);
  }
  Value truncate(Value value, unsigned width) const {
    return arith::TruncIOp::create(builder, loc, integer(width), value);
  }
  Value bitcast(Value value, Type element) const {
    return arith::BitcastOp::create(builder, loc, shaped(element), value);
  }
  Value extend(Value value, Type element) const {
    return getElementTypeOrSelf(value) == element ? value : arith::ExtFOp::create(builder, loc, shaped(element), value);
  }
  Value differs(Value a, Value b) const { return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, a, b); }

  /// 1 and 0: a select of constants is a mask, where uitofp would convert integers.
  Value realTruth(Value truth, Type element) const {
    RealBuilder b = real(element);
    return b.select(truth, b.real(1), b.real(0));
  }

  Value loadReal(Value stored, Type storage) const;
  Value loadInteger(Value stored, Type storage, Type compute) const;
  Value roundToOdd(Value value) const;
  Value storeReal(Value value, Type storage) const;
  Value storeBfloat(Value value) const;
  Value storeByteFloat(Value value, Type storage) const;
  Value storeWord(Value value, unsigned width, bool isUnsigned) const;
  Value storeInteger(Value value, unsigned width, bool isUnsigned) const;
};
} // namespace

/// A 16-bit or 8-bit floating value as f32; f32 and f64 as they are.
Value Converter::loadReal(Value stored, Type storage) const {
  if (storage.isF32() || storage.isF64()) return stored;
  if (storage.isF16()) return extend(stored, builder.getF32Type());
  RealBuilder b = single();
  if (storage.isBF16()) return b.toReal(b.shiftLeft(zeroExtend(stored, 32), 16));
  // Both f8 types are read through f16, whose denormals cost nothing: e5m2 is its upper byte.
  auto shift = [&](Value value, int by) { return arith::ShLIOp::create(builder, loc, value, number(16, by)); };
  if (isa<Float8E5M2Type>(storage))
    return extend(bitcast(shift(zeroExtend(stored, 16), 8), builder.getF16Type()), builder.getF32Type());
  // The sign extended makes bits 14 and 15; of these the upper one is wanted.
  Value half = arith::AndIOp::create(builder, loc, shift(signExtend(stored, 16), 7), number(16, 0xbf80));
  // NaN is all ones and overflows into the exponent, which is that of a NaN then.
  Value next = arith::AddIOp::create(builder, loc, half, number(16, 0x80));
  Value isNan = arith::AndIOp::create(builder, loc, next, number(16, 0x4000));
  half = arith::OrIOp::create(builder, loc, half, isNan);
  // The exponent's bias is 7, that of f16 is 15.
  return b.mul(extend(bitcast(half, builder.getF16Type()), builder.getF32Type()), b.power(8));
}

Value Converter::loadInteger(Value stored, Type storage, Type compute) const {
  if (storage.isInteger(1)) {
    Value truth = differs(stored, number(8, 0));
    if (compute.isInteger(1)) return truth;
    if (isa<IntegerType>(compute)) return zeroExtend(truth, 64);
    return realTruth(truth, compute);
  }
  if (compute.isInteger(1)) return differs(stored, number(storage.getIntOrFloatBitWidth(), 0));
  bool isUnsigned = storage.isUnsignedInteger();
  if (isa<IntegerType>(compute)) {
    if (storage.isInteger(64)) return stored;
    return isUnsigned ? zeroExtend(stored, 64) : signExtend(stored, 64);
  }
  // Processors convert 32-bit integers; fewer bits are widened by us, so that no intermediate of 64 appears.
  Value wide = stored;
  if (storage.isInteger(8)) wide = isUnsigned ? zeroExtend(stored, 32) : signExtend(stored, 32);
  return arith::SIToFPOp::create(builder, loc, shaped(compute), wide);
}

Value normc::loadConvert(OpBuilder &builder, Location loc, Value stored, Type storage, Type compute) {
  Converter c{builder, loc, stored.getType()};
  if (isa<IntegerType>(storage)) return c.loadInteger(stored, storage, compute);
  Value value = c.loadReal(stored, storage);
  if (isa<FloatType>(compute)) return c.extend(value, compute);
  assert(compute.isInteger(1) && "a floating input is computed with as a floating value or as a condition");
  RealBuilder b = c.real(getElementTypeOrSelf(value));
  return b.differ(value, b.real(0));
}

/// An f64 as f32, truncated, with the last bit set where that lost something: rounding it again to a type of at most 22
/// bits of significand rounds the f64 once.
Value Converter::roundToOdd(Value value) const {
  RealBuilder from = real(builder.getF64Type()), to = single();
  Value rounded = arith::TruncFOp::create(builder, loc, to.getType(), value);
  Value back = extend(rounded, builder.getF64Type());
  // Ordered comparisons: a NaN stays as it was rounded.
  Value above = from.less(from.abs(value), from.abs(back));
  Value inexact = from.either(above, from.less(from.abs(back), from.abs(value)));
  Value bits = to.toBits(rounded);
  bits = to.select(above, to.subBits(bits, to.bits(1)), bits);
  return to.toReal(to.select(inexact, to.orBits(bits, to.bits(1)), bits));
}

/// An f32 as the i16 of a bf16.
Value Converter::storeBfloat(Value value) const {
  RealBuilder b = single();
  Value bits = b.toBits(value);
  Value odd = b.andBits(b.shiftRight(bits, 16), b.bits(1));
  Value rounded = b.addBits(b.addBits(bits, b.bits(0x7fff)), odd);
  // A NaN is made quiet, so that its lower half may go.
  Value result = b.select(b.isNan(value), b.orBits(bits, b.bits(0x400000)), rounded);
  return truncate(b.shiftRight(result, 16), 16);
}

normc::ByteFloat::ByteFloat(Type storage) {
  bool wide = isa<Float8E5M2Type>(storage);
  int mantissa = wide ? 2 : 3, bias = wide ? 15 : 7;
  dropped = 23 - mantissa, leastExponent = 1 - bias, largest = wide ? 57344 : 448;
  // The exponent follows the significand, and of both only the low byte is kept. The offset between the exponents is
  // added to that power.
  int64_t offset = -((128 - bias) << mantissa) & 0xff;
  rounding = std::ldexp(1.0, dropped) + std::ldexp(double(offset), dropped - 23);
}

/// An f32 as the i8 of an f8, saturating.
Value Converter::storeByteFloat(Value value, Type storage) const {
  ByteFloat to(storage);
  RealBuilder b = single();
  Value magnitude = b.atMost(b.abs(value), b.real(to.largest));
  // Added to a power of 2 that many times its own, or the least normal one, the magnitude is rounded where it must be.
  Value power = b.andBits(b.toBits(b.atLeast(magnitude, b.power(to.leastExponent))), b.bits(0x7f800000));
  Value rounded = b.fma(b.toReal(power), b.real(to.rounding), magnitude);
  Value result = b.addBits(b.toBits(rounded), b.shiftRight(power, to.dropped));
  // The upper byte has the sign; of a NaN it is all ones besides, which is NaN in either type.
  Value upper = b.shiftRight(b.toBits(value), 24);
  Value number = b.orBits(result, b.andBits(upper, b.bits(0x80)));
  return truncate(b.select(b.isNan(value), upper, number), 8);
}

Value Converter::storeReal(Value value, Type storage) const {
  Type element = getElementTypeOrSelf(value);
  if (storage == element) return value;
  if (storage.isF64()) return extend(value, storage);
  if (storage.isF32()) return arith::TruncFOp::create(builder, loc, shaped(storage), value);
  Value narrow = element.isF64() ? roundToOdd(value) : value;
  if (storage.isF16()) return arith::TruncFOp::create(builder, loc, shaped(storage), narrow);
  return storage.isBF16() ? storeBfloat(narrow) : storeByteFloat(narrow, storage);
}

/// An f32 as the lower bits of 32: rounded by one instruction. It makes 0 of NaN, or on x86 the least of 32 bits, whose
/// lower ones are 0 too.
Value Converter::storeWord(Value value, unsigned width, bool isUnsigned) const {
  RealBuilder b = single();
  Value bounded = b.atLeast(value, b.real(isUnsigned ? 0 : -std::ldexp(1.0, width - 1)));
  bounded = b.atMost(bounded, b.real(std::ldexp(1.0, isUnsigned ? width : width - 1) - 1));
  return LLVM::CallIntrinsicOp::create(builder, loc, integer(32), builder.getStringAttr("llvm.lrint"),
                                       ValueRange{bounded})
      .getResult(0);
}

/// A floating value as an integer: rounded, saturated, NaN as 0.
Value Converter::storeInteger(Value value, unsigned width, bool isUnsigned) const {
  RealBuilder b = real(getElementTypeOrSelf(value));
  double lowest = isUnsigned ? 0 : -std::ldexp(1.0, width - 1);
  double above = std::ldexp(1.0, isUnsigned ? width : width - 1);
  // Where the largest integer is a floating value too, the bound is that value; else it is reached by a select.
  if (width < unsigned(b.mantissa())) {
    if (!b.isDouble()) return truncate(storeWord(value, width, isUnsigned), width);
    Value bounded = b.atMost(b.atLeast(value, b.real(lowest)), b.real(above - 1));
    // Adding 1.5 * 2^mantissa rounds to an integer and leaves it in the low bits.
    Value shifted = b.add(bounded, b.real(std::ldexp(1.5, b.mantissa())));
    return truncate(b.toBits(b.select(b.isNan(value), b.real(0), shifted)), width);
  }
  value = b.atLeast(b.select(b.isNan(value), b.real(0), value), b.real(lowest));
  Value rounded = b.roundEven(value);
  Value fits = b.less(rounded, b.real(above));
  Value result = arith::FPToSIOp::create(builder, loc, integer(width), b.select(fits, rounded, b.real(0)));
  int64_t largest = width == 64 ? std::numeric_limits<int64_t>::max() : (int64_t(1) << (width - 1)) - 1;
  return arith::SelectOp::create(builder, loc, fits, result, number(width, largest));
}

Value normc::roundToInteger(OpBuilder &builder, Location loc, Value value, Type storage) {
  Converter c{builder, loc, value.getType()};
  return c.storeWord(value, storage.getIntOrFloatBitWidth(), storage.isUnsignedInteger());
}

Value normc::storeConvert(OpBuilder &builder, Location loc, Value value, Type storage) {
  Converter c{builder, loc, value.getType()};
  Type compute = getElementTypeOrSelf(value);
  if (isa<FloatType>(compute)) {
    if (isa<FloatType>(storage)) return c.storeReal(value, storage);
    if (!storage.isInteger(1))
      return c.storeInteger(value, storage.getIntOrFloatBitWidth(), storage.isUnsignedInteger());
    RealBuilder b = c.real(compute);
    return c.zeroExtend(b.differ(value, b.real(0)), 8);
  }
  if (compute.isInteger(1)) {
    if (isa<FloatType>(storage)) {
      Type wide = storage.isF64() ? storage : Type(builder.getF32Type());
      return c.storeReal(c.realTruth(value, wide), storage);
    }
    return c.zeroExtend(value, memoryType(storage).getIntOrFloatBitWidth());
  }
  if (storage.isInteger(64)) return value;
  if (storage.isInteger(1)) return c.zeroExtend(c.differs(value, c.number(64, 0)), 8);
  if (isa<FloatType>(storage)) {
    Type wide = storage.isF64() ? storage : Type(builder.getF32Type());
    return c.storeReal(arith::SIToFPOp::create(builder, loc, c.shaped(wide), value), storage);
  }
  unsigned width = storage.getIntOrFloatBitWidth();
  bool isUnsigned = storage.isUnsignedInteger();
  int64_t lowest = isUnsigned ? 0 : -(int64_t(1) << (width - 1));
  int64_t largest = (int64_t(1) << (isUnsigned ? width : width - 1)) - 1;
  value = arith::MaxSIOp::create(builder, loc, value, c.number(64, lowest));
  return c.truncate(arith::MinSIOp::create(builder, loc, value, c.number(64, largest)), width);
}
