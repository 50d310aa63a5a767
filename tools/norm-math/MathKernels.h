#ifndef NORMC_TOOLS_NORM_MATH_MATHKERNELS_H
#define NORMC_TOOLS_NORM_MATH_MATHKERNELS_H
#include <cstdint>
#include <string>
#include <vector>

/// Kernels that apply one function to arrays, so that what compiler/cpu emits can be looked at, compiled and measured.
namespace normc {

/// `void NAME(const void *a, const void *b, void *out, int64_t n)`; unary functions ignore b. n is a multiple of the
/// width. The name is `exp_f32_16`, and `load_bf16_f32_16`, `store_f32_bf16_16` for conversions: bools of computation
/// are bytes here.
using ArrayKernel = void(const void *a, const void *b, void *out, int64_t n);

/// Vector lengths of the kernels; 1 is scalar code.
inline constexpr int kernelWidths[] = {1, 4, 16};

/// The module of all kernels, as text; `expand` runs norm-expand-math on it, with or without `lookups`.
std::string printKernels(bool expand, bool lookups);

/// Measure the kernels of a shared library. Every `stride`th f32 is an argument, 10^9 / stride f64. Prints a line each;
/// false where one exceeds its limit, or scalar and vector forms differ. Only those whose name contains `filter`.
bool measureFunctions(void *library, int64_t stride, const std::string &filter);
bool measureConversions(void *library, int64_t stride, const std::string &filter);

/// The kernel of a library; null where it is missing.
ArrayKernel *kernelNamed(void *library, const std::string &name);

/// Runs a kernel in all its widths on the same arguments, `size` bytes an element of each array; the widest fills
/// `out`. False where the results differ, which is printed.
bool runWidths(void *library, const std::string &name, const void *a, const void *b, void *out, int64_t n,
               int64_t sizeIn, int64_t sizeOut);

} // namespace normc
#endif
