// The math functions and conversions of compiler/cpu by themselves: printed as kernels over arrays for norm-emit, and
// measured against the C library once compiled.
//   norm-math --print | norm-emit --emit shared > math.so && norm-math --measure ./math.so
#include "MathKernels.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include <dlfcn.h>

using namespace llvm;

static cl::opt<bool> print("print", cl::desc("print the kernels, expanded"));
static cl::opt<bool> raw("raw", cl::desc("print the kernels as they are before norm-expand-math"));
static cl::opt<bool> lookups("lookups", cl::desc("as for a target that looks up, AVX-512"));
static cl::opt<std::string> measure("measure", cl::desc("measure the kernels of this shared library"));
static cl::opt<int64_t> stride("stride", cl::desc("take every nth f32, and 10^9 / n f64; 1 takes minutes a function"),
                               cl::init(100003));
static cl::opt<std::string> filter("filter", cl::desc("measure only kernels whose name contains this"));

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "math functions by themselves\n");
  if (print || raw) outs() << normc::printKernels(!raw, lookups);
  if (measure.empty()) return 0;
  void *library = dlopen(measure.c_str(), RTLD_NOW);
  if (!library) {
    errs() << "cannot load " << measure << ": " << dlerror() << "\n";
    return 3;
  }
  bool functions = normc::measureFunctions(library, stride, filter);
  bool conversions = normc::measureConversions(library, stride, filter);
  return functions && conversions ? 0 : 1;
}
