#include "MathKernels.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <limits>
#include <random>

using namespace normc;

ArrayKernel *normc::kernelNamed(void *library, const std::string &name) {
  return reinterpret_cast<ArrayKernel *>(dlsym(library, name.c_str()));
}

bool normc::runWidths(void *library, const std::string &name, const void *a, const void *b, void *out, int64_t n,
                      int64_t sizeIn, int64_t sizeOut) {
  std::vector<char> others(n * sizeOut);
  bool equal = true;
  for (int width : llvm::reverse(kernelWidths)) {
    ArrayKernel *kernel = kernelNamed(library, name + "_" + std::to_string(width));
    if (!kernel) {
      std::printf("%s: no kernel of width %d\n", name.c_str(), width);
      return false;
    }
    if (width == *std::rbegin(kernelWidths)) {
      kernel(a, b, out, n);
      continue;
    }
    kernel(a, b, others.data(), n);
    for (int64_t i = 0; i < n && equal; ++i)
      if (std::memcmp(others.data() + i * sizeOut, static_cast<char *>(out) + i * sizeOut, sizeOut)) {
        equal = false;
        std::printf("%s: width %d differs from width %d at the argument 0x", name.c_str(), width,
                    *std::rbegin(kernelWidths));
        for (int64_t k = sizeIn; k-- > 0;) std::printf("%02x", static_cast<const unsigned char *>(a)[i * sizeIn + k]);
        std::printf("\n");
      }
  }
  return equal;
}

namespace {
/// A real number wide enough to judge a T by.
template <class T> struct Judge;
template <> struct Judge<float> {
  using Wide = double;
  using Bits = uint32_t;
  static constexpr const char *name = "f32";
};
template <> struct Judge<double> {
  using Wide = long double;
  using Bits = uint64_t;
  static constexpr const char *name = "f64";
};

/// The distance of `got` from the exact value in units of the latter's last place. Denormal values may be flushed.
template <class T> double ulps(T got, typename Judge<T>::Wide exact) {
  using Wide = typename Judge<T>::Wide;
  using Limits = std::numeric_limits<T>;
  if (std::isnan(exact)) return std::isnan(got) ? 0 : INFINITY;
  if (std::isnan(got)) return INFINITY;
  const Wide beyond = std::ldexp(Wide(1), Limits::max_exponent);
  Wide value = std::isinf(got) ? std::copysign(beyond, Wide(got)) : Wide(got);
  if (std::fabs(exact) > beyond) exact = std::copysign(beyond, exact);
  if (std::fabs(exact) < Limits::min() && got == 0) return 0;
  if (exact == 0) return got == 0 && std::signbit(got) == std::signbit(exact) ? 0 : INFINITY;
  int exponent = std::max(std::ilogb(exact), Limits::min_exponent - 1);
  if (std::fabs(exact) == beyond) exponent = Limits::max_exponent - 1;
  return std::fabs(double((value - exact) / std::ldexp(Wide(1), exponent - Limits::digits + 1)));
}

template <class T> struct Function {
  using Wide = typename Judge<T>::Wide;
  const char *name;
  double limit;
  std::function<Wide(Wide, Wide)> exact;
  bool binary = false;
  /// Below it a factor of the result is denormal: the result may be 0.
  double flushesBelow = -std::numeric_limits<double>::infinity();
};

template <class T> std::vector<Function<T>> functions() {
  using Wide = typename Judge<T>::Wide;
  const Wide one = 1;
  return {
      {"exp", 2, [](Wide x, Wide) { return std::exp(x); }},
      {"oneplusexp", 2, [=](Wide x, Wide) { return one + std::exp(x); }},
      {"sumandexp", 2, [=](Wide x, Wide) { return one + std::exp(x); }},
      {"sigmoid", 2, [=](Wide x, Wide) { return one / (one + std::exp(-x)); }},
      {"twosigmoid", 2.5, [=](Wide x, Wide) { return 2 * one / (one + std::exp(-x)); }},
      {"silu", 3, [=](Wide x, Wide) { return x / (one + std::exp(-x)); }, false,
       double(std::log(std::numeric_limits<T>::min()))},
      {"log1pexp", 4, [](Wide x, Wide) { return std::log1p(std::exp(-std::fabs(x))); }},
      {"expm1", 3, [](Wide x, Wide) { return std::expm1(x); }},
      {"log", 2, [](Wide x, Wide) { return std::log(x); }},
      {"tanh", 5, [](Wide x, Wide) { return std::tanh(x); }},
      {"erf", 5, [](Wide x, Wide) { return std::erf(x); }},
      {"sqrt", 0.5, [](Wide x, Wide) { return std::sqrt(x); }},
      {"rsqrt", 2, [=](Wide x, Wide) { return one / std::sqrt(x); }},
      {"floor", 0, [](Wide x, Wide) { return std::floor(x); }},
      {"round", 0, [](Wide x, Wide) { return std::nearbyint(x); }},
      {"abs", 0, [](Wide x, Wide) { return std::fabs(x); }},
      {"pow", 2, [](Wide x, Wide y) { return std::pow(x, y); }, true},
      {"max", 0,
       [](Wide x, Wide y) {
         return std::isnan(x) || std::isnan(y) ? x + y : x < y ? y : y < x ? x : std::signbit(x) ? y : x;
       },
       true},
      {"min", 0,
       [](Wide x, Wide y) {
         return std::isnan(x) || std::isnan(y) ? x + y : y < x ? y : x < y ? x : std::signbit(x) ? x : y;
       },
       true},
  };
}

/// Arguments, a block at a time: all bit patterns of f32 at a stride; for f64, and for pairs, random ones of three
/// kinds; and before them the product of special values.
template <class T> class Arguments {
public:
  using Bits = typename Judge<T>::Bits;
  static constexpr int64_t block = 4096;
  Arguments(int64_t stride, bool binary) : stride(stride), sweeps(sizeof(T) == 4 && !binary), binary(binary) {
    total = sweeps ? (int64_t(1) << 32) / stride + 1 : 1000000000 / stride + 1;
    using Limits = std::numeric_limits<T>;
    for (T x : {T(0),
                T(1),
                T(0.5),
                T(2),
                T(3),
                T(4),
                T(1.5),
                T(0.99999),
                T(1.00001),
                T(1000.5),
                T(1001),
                T(1e30),
                Limits::max(),
                Limits::min(),
                Limits::min() / 2,
                Limits::denorm_min(),
                Limits::infinity(),
                Limits::quiet_NaN(),
                std::nextafter(T(1), T(0)),
                std::nextafter(T(1), T(2)),
                T(127),
                T(128),
                T(126),
                std::ldexp(T(1), Limits::digits) - 1,
                std::ldexp(T(1), Limits::digits),
                T(1) / 3})
      for (T sign : {T(1), T(-1)}) special.push_back(sign * x);
    // Where exp overflows and where its results become denormal.
    for (T end : {std::log(Limits::max()), std::log(Limits::min())}) {
      T x = end;
      for (int i = 0; i < 4; ++i) x = std::nextafter(x, T(0));
      for (int i = 0; i < 8; ++i, x = std::nextafter(x, 2 * end))
        for (T sign : {T(1), T(-1)}) special.push_back(sign * x);
    }
  }
  /// False when there are no more.
  bool next(std::vector<T> &a, std::vector<T> &b) {
    int64_t specials = binary ? special.size() * special.size() : special.size();
    if (done >= total + specials) return false;
    a.resize(block), b.resize(block);
    for (int64_t i = 0; i < block; ++i, ++done) {
      if (done < specials) {
        a[i] = special[done % special.size()], b[i] = special[done / special.size() % special.size()];
      } else if (sweeps) {
        Bits bits = Bits((done - specials) * stride);
        std::memcpy(&a[i], &bits, sizeof bits);
        b[i] = a[i];
      } else {
        draw(a[i], b[i]);
      }
    }
    return true;
  }

private:
  T pattern() {
    Bits bits = Bits(random());
    T value;
    std::memcpy(&value, &bits, sizeof bits);
    return value;
  }
  T uniform(T low, T high) { return low + (high - low) * T(double(random() >> 11) * 0x1p-53); }
  void draw(T &x, T &y) {
    const T range = std::numeric_limits<T>::max_exponent;
    switch (random() % 4) {
    case 0:
      x = pattern(), y = pattern();
      break;
    case 1:
      x = uniform(-range, range), y = uniform(-range, range);
      break;
    case 2:
      x = std::ldexp(uniform(-2, 2), int(random() % 48) - 40), y = T(int64_t(random() % 200) - 100);
      break;
    // Pairs whose power is finite, all over the range.
    case 3:
      x = std::fabs(random() % 2 ? pattern() : std::ldexp(uniform(1, 2), int(random() % 5) - 2));
      y = uniform(-range - 20, range) / std::log2(x);
      if (random() % 2) y = std::nearbyint(y), x = random() % 2 ? x : -x;
    }
  }

  int64_t stride, total, done = 0;
  bool sweeps, binary;
  std::vector<T> special;
  std::mt19937_64 random{20240229};
};

template <class T> bool measure(void *library, int64_t stride, const std::string &filter) {
  bool good = true;
  for (const Function<T> &function : functions<T>()) {
    std::string name = std::string(function.name) + "_" + Judge<T>::name;
    if (name.find(filter) == std::string::npos) continue;
    Arguments<T> arguments(stride, function.binary);
    std::vector<T> a, b, out(Arguments<T>::block);
    double worst = 0;
    T worstA = 0, worstB = 0, worstGot = 0;
    int64_t count = 0;
    bool equal = true;
    while (arguments.next(a, b)) {
      equal &= runWidths(library, name, a.data(), b.data(), out.data(), out.size(), sizeof(T), sizeof(T));
      for (size_t i = 0; i < out.size(); ++i) {
        if (out[i] == 0 && a[i] < function.flushesBelow) continue;
        double error = ulps<T>(out[i], function.exact(a[i], b[i]));
        if (error > worst) worst = error, worstA = a[i], worstB = b[i], worstGot = out[i];
      }
      count += out.size();
    }
    bool within = worst <= function.limit;
    good = good && within && equal;
    std::printf("%-15s %s max %.3f ulp (limit %g) of %lld", name.c_str(), within && equal ? "good:" : "BAD: ", worst,
                function.limit, static_cast<long long>(count));
    if (worst > 0) std::printf(", at %a", double(worstA));
    if (worst > 0 && function.binary) std::printf(" and %a", double(worstB));
    std::printf(worst > 0 ? ": %a\n" : "\n", double(worstGot));
    std::fflush(stdout);
  }
  return good;
}
} // namespace

bool normc::measureFunctions(void *library, int64_t stride, const std::string &filter) {
  bool single = measure<float>(library, stride, filter);
  return measure<double>(library, stride, filter) && single;
}
