#ifndef NORMC_TOOLS_BENCH_WORKLOAD_H
#define NORMC_TOOLS_BENCH_WORKLOAD_H
#include "runtime/Call.h"
#include "runtime/Context.h"
#include "tools/bench/Problem.h"
#include "tools/bench/Traffic.h"
#include "tools/normc/Npy.h"
#include <deque>

namespace normc::bench {

/// Where arrays begin, in bytes from the begin of a page. Without it each begins elsewhere, on a cache line.
struct Offsets {
  int64_t inputs = 0, outputs = 0;
};

/// One kernel of a workload, bound to its memory.
struct BoundKernel {
  std::shared_ptr<const runtime::Kernel> kernel;
  std::optional<runtime::Call> call;
  std::vector<runtime::TensorView> views; // in the order of the signature
  Traffic traffic{{}, {}};
  bool timed = true;

  bool run(runtime::ThreadPool &pool, Diagnostics &diagnostics) { return call->run(views, pool, diagnostics); }
};

/// The kernels of a problem, compiled, with their tensors in memory of the workload's own: huge pages where the system
/// gives them, every page touched. What inputs are not given is made up.
class Workload {
public:
  /// Null with errors where something is wrong.
  static std::unique_ptr<Workload> prepare(const std::vector<Stage> &stages, const std::string &target,
                                           std::optional<Offsets> offsets, Diagnostics &diagnostics);
  ~Workload();
  Workload(const Workload &) = delete;
  Workload &operator=(const Workload &) = delete;

  std::deque<BoundKernel> kernels; // in order
  double compileSeconds = 0;

  /// Runs all of them, the timed ones alone, or what they cannot do without moving. False on an error.
  bool run(runtime::ThreadPool &pool, Diagnostics &diagnostics);
  bool runTimed(runtime::ThreadPool &pool, Diagnostics &diagnostics);
  void moveTimed(Traffic::Way way, runtime::ThreadPool &pool) const;
  int64_t bytes() const; // that they move

  /// Whether an output takes an input's memory: it is put back, then, before each run that counts.
  bool overwritesInputs() const { return !kept.empty(); }
  void restore();

  /// The same kernels for another target, on the same memory. Empty with errors.
  std::optional<std::deque<BoundKernel>> compileAlso(const std::string &target, Diagnostics &diagnostics);

  /// The plan that a kernel runs by, as the compiler prints it.
  std::optional<std::string> planOf(size_t kernel, Diagnostics &diagnostics) const;
  /// How a kernel is going to run, for the extents that it is run with.
  std::optional<Explanation> explain(size_t kernel, const std::string &target, Diagnostics &diagnostics) const;

  /// Writes every tensor to DIR/NAME.npy.
  bool save(const std::string &folder, Diagnostics &diagnostics) const;

private:
  struct Array {
    std::string name;
    ElementType type;
    std::vector<int64_t> shape;
    int64_t bytes = 0, place = 0; // in memory
    bool output = false;          // of the stage that came first
    std::optional<cli::Tensor> given;
    std::optional<cli::SeedInput> madeUp;
  };
  struct Compiled {
    Source source;
    Selection selection;
    std::shared_ptr<const runtime::Kernel> kernel;
    Extents extents;
    std::map<std::string, size_t> arrays; // by argument
    std::map<std::string, std::array<std::byte, 8>> scalars;
    bool timed = true;
  };
  std::vector<Compiled> compiled;
  std::vector<Array> arrays;
  std::vector<std::pair<std::byte *, std::vector<std::byte>>> kept; // where an input was, and its elements
  std::byte *memory = nullptr;
  size_t memoryBytes = 0;

  Workload() = default;
  bool compileStage(const Stage &stage, const std::string &target, Diagnostics &diagnostics);
  bool bindStage(const Stage &stage, Compiled &compiled, Diagnostics &diagnostics);
  bool allocate(std::optional<Offsets> offsets, Diagnostics &diagnostics);
  std::optional<BoundKernel> bind(Compiled &compiled, Diagnostics &diagnostics);
  const Array *arrayNamed(const std::string &name) const;
};

} // namespace normc::bench
#endif
