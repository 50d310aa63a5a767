#include "MathKernels.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>

using namespace normc;
using llvm::APFloat;

namespace {
struct Storage {
  const char *name;
  int bytes;
  const llvm::fltSemantics *semantics; // null for integers
  double saturates = 0;                // at this, where it does
  int64_t lowest = 0, largest = 0;     // of an integer

  bool isBool() const { return !semantics && largest == 1; }
};

constexpr int64_t int64Least = std::numeric_limits<int64_t>::min(), int64Most = std::numeric_limits<int64_t>::max();

std::vector<Storage> storages() {
  return {{"f64", 8, &APFloat::IEEEdouble()},
          {"f32", 4, &APFloat::IEEEsingle()},
          {"f16", 2, &APFloat::IEEEhalf()},
          {"bf16", 2, &APFloat::BFloat()},
          {"f8e4m3", 1, &APFloat::Float8E4M3FN(), 448},
          {"f8e5m2", 1, &APFloat::Float8E5M2(), 57344},
          {"i8", 1, nullptr, 0, -128, 127},
          {"u8", 1, nullptr, 0, 0, 255},
          {"i32", 4, nullptr, 0, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()},
          {"i64", 8, nullptr, 0, int64Least, int64Most},
          {"bool", 1, nullptr, 0, 0, 1}};
}

template <class T> const char *nameOfType() {
  return std::is_same_v<T, float> ? "f32" : std::is_same_v<T, double> ? "f64" : sizeof(T) == 8 ? "i64" : "bool";
}

double valueOf(const Storage &storage, uint64_t bits) {
  APFloat value(*storage.semantics, llvm::APInt(storage.bytes * 8, bits, false, true));
  bool lost;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

int64_t integerOf(const Storage &storage, uint64_t bits) {
  if (storage.isBool()) return bits != 0;
  if (storage.lowest == 0) return int64_t(bits);
  int unused = 64 - 8 * storage.bytes;
  return int64_t(bits << unused) >> unused;
}

/// What a load must give.
template <class T> T loaded(const Storage &storage, uint64_t bits) {
  if (storage.semantics) return std::is_same_v<T, uint8_t> ? T(valueOf(storage, bits) != 0) : T(valueOf(storage, bits));
  int64_t value = integerOf(storage, bits);
  return std::is_same_v<T, uint8_t> ? T(value != 0) : T(value);
}

/// What a store must leave in memory; a NaN as all bits set.
template <class T> uint64_t stored(const Storage &storage, T value) {
  if (storage.isBool()) return value != 0;
  if (storage.semantics) {
    double exact = std::is_same_v<T, int64_t> && storage.bytes < 8 ? double(float(value)) : double(value);
    if (std::isnan(exact)) return ~uint64_t(0);
    if (storage.saturates != 0) exact = std::fmin(std::fmax(exact, -storage.saturates), storage.saturates);
    APFloat result(exact);
    bool lost;
    result.convert(*storage.semantics, APFloat::rmNearestTiesToEven, &lost);
    return result.bitcastToAPInt().getZExtValue();
  }
  uint64_t mask = storage.bytes == 8 ? ~uint64_t(0) : (uint64_t(1) << 8 * storage.bytes) - 1;
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) return 0;
    long double rounded = std::nearbyint(static_cast<long double>(value));
    if (rounded < storage.lowest) return storage.lowest & mask;
    if (rounded > storage.largest) return storage.largest & mask;
    return int64_t(rounded) & mask;
  } else {
    return std::min(std::max(int64_t(value), storage.lowest), storage.largest) & mask;
  }
}

/// Numbers near where roundings change: each value of a narrow type, the middle between it and the next, the neighbours
/// of that; and numbers of all magnitudes.
template <class T> std::vector<T> arguments(int64_t stride) {
  std::vector<T> result;
  if constexpr (std::is_floating_point_v<T>) {
    for (const Storage &storage : storages()) {
      if (!storage.semantics || storage.bytes > 2) continue;
      for (uint64_t bits = 0; bits + 1 < uint64_t(1) << 8 * storage.bytes; ++bits) {
        double value = valueOf(storage, bits), middle = (value + valueOf(storage, bits + 1)) / 2;
        result.push_back(T(value));
        if (std::isfinite(middle))
          for (T end : {T(-INFINITY), T(INFINITY)}) result.push_back(std::nextafter(T(middle), end));
        result.push_back(T(middle));
      }
    }
    for (int64_t i = -600; i <= 600; ++i) result.push_back(T(i) / 2);
    for (int exponent : {7, 8, 31, 32, 63, 64})
      for (T x : {std::ldexp(T(1), exponent), -std::ldexp(T(1), exponent)})
        for (T y : {x, std::nextafter(x, T(0)), std::nextafter(x, 2 * x), x + 1, x - 1, x + T(0.5), x - T(0.5)})
          result.push_back(y);
  }
  std::mt19937_64 random(20240229);
  int64_t count = sizeof(T) == 1 ? 256 : std::max<int64_t>(100000, (int64_t(1) << 32) / stride);
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = random();
    T value;
    if (std::is_same_v<T, int64_t>) bits = uint64_t(int64_t(bits) >> (random() % 64));
    if (sizeof(T) == 1) bits &= 1;
    if (sizeof(T) == 8 && std::is_floating_point_v<T> && i % 2)
      value = T(std::ldexp(double(int64_t(bits)), int(random() % 200) - 150));
    else std::memcpy(&value, &bits, sizeof value);
    result.push_back(value);
  }
  if (std::is_integral_v<T> && sizeof(T) == 8)
    for (int64_t x : {int64Least, int64Most, int64_t(127), int64_t(128), int64_t(-128), int64_t(-129), int64_t(255),
                      int64_t(256), int64_t(-1), int64_t(0), int64_t(1) << 31, -(int64_t(1) << 31) - 1})
      result.push_back(T(x));
  while (result.size() % 16) result.push_back(T(0));
  return result;
}

bool report(const std::string &name, bool equal, int64_t wrong, int64_t count, uint64_t argument) {
  bool good = equal && wrong == 0;
  std::printf("%-18s %s %lld of %lld wrong", name.c_str(), good ? "good:" : "BAD: ", static_cast<long long>(wrong),
              static_cast<long long>(count));
  if (wrong) std::printf(", of 0x%llx the last", static_cast<unsigned long long>(argument));
  std::printf("\n");
  return good;
}

template <class T> bool measureLoads(void *library, const std::string &filter) {
  bool good = true;
  for (const Storage &storage : storages()) {
    std::string name = std::string("load_") + storage.name + "_" + nameOfType<T>();
    bool absent = (storage.bytes == 8 && storage.semantics && std::is_same_v<T, float>) ||
                  (storage.semantics && std::is_same_v<T, int64_t>);
    if (absent || name.find(filter) == std::string::npos) continue;
    // All patterns of a narrow type, random ones of a wide.
    int64_t count = 65536;
    std::vector<uint8_t> in(count * storage.bytes);
    std::mt19937_64 random(20240229);
    auto pattern = [&](int64_t i) { return storage.bytes <= 2 ? uint64_t(i) : random(); };
    for (int64_t i = 0; i < count; ++i) {
      uint64_t bits = pattern(i);
      std::memcpy(&in[i * storage.bytes], &bits, storage.bytes);
    }
    std::vector<T> out(count);
    bool equal = runWidths(library, name, in.data(), in.data(), out.data(), count, storage.bytes, sizeof(T));
    int64_t wrong = 0;
    uint64_t last = 0;
    for (int64_t i = 0; i < count; ++i) {
      uint64_t bits = 0;
      std::memcpy(&bits, &in[i * storage.bytes], storage.bytes);
      T expected = loaded<T>(storage, bits);
      bool nans = expected != expected && out[i] != out[i];
      if (!nans && std::memcmp(&expected, &out[i], sizeof(T)) != 0) ++wrong, last = bits;
    }
    good &= report(name, equal, wrong, count, last);
  }
  return good;
}

template <class T> bool measureStores(void *library, int64_t stride, const std::string &filter) {
  bool good = true;
  std::vector<T> in = arguments<T>(stride);
  int64_t count = in.size();
  for (const Storage &storage : storages()) {
    std::string name = std::string("store_") + nameOfType<T>() + "_" + storage.name;
    if (name.find(filter) == std::string::npos) continue;
    std::vector<uint8_t> out(count * storage.bytes);
    bool equal = runWidths(library, name, in.data(), in.data(), out.data(), count, sizeof(T), storage.bytes);
    int64_t wrong = 0;
    uint64_t last = 0;
    for (int64_t i = 0; i < count; ++i) {
      uint64_t bits = 0, expected = stored<T>(storage, in[i]);
      std::memcpy(&bits, &out[i * storage.bytes], storage.bytes);
      bool nans = storage.semantics && expected == ~uint64_t(0) && std::isnan(valueOf(storage, bits));
      if (nans || bits == expected) continue;
      ++wrong;
      std::memcpy(&last, &in[i], sizeof(T));
    }
    good &= report(name, equal, wrong, count, last);
  }
  return good;
}
} // namespace

bool normc::measureConversions(void *library, int64_t stride, const std::string &filter) {
  bool good = measureLoads<float>(library, filter);
  good &= measureLoads<double>(library, filter);
  good &= measureLoads<int64_t>(library, filter);
  good &= measureLoads<uint8_t>(library, filter);
  good &= measureStores<float>(library, stride, filter);
  good &= measureStores<double>(library, stride, filter);
  good &= measureStores<int64_t>(library, stride, filter);
  return measureStores<uint8_t>(library, stride, filter) && good;
}
