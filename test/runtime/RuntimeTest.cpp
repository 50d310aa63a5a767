// Runs one case by name; prints what FileCheck compares. The cases are the functions at the end.
#include "compiler/Isolate.h"
#include "runtime/Cache.h"
#include "runtime/Call.h"
#include "runtime/Replicas.h"
#include "llvm/Support/ErrorHandling.h"
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>
#include <thread>

using namespace normc;
using namespace normc::runtime;

// Counts allocations: a warm run makes none. A sanitizer has its own, and the count stays 0.
static std::atomic<long> allocations{0};
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) && !__has_feature(memory_sanitizer)
void *operator new(size_t bytes) {
  ++allocations;
  if (void *memory = std::malloc(bytes)) return memory;
  std::abort();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }
#endif

namespace {

/// Two phases over the rows of x[n, k]: the sum of each row to the workspace, then y = x * (sum of all rows' sums),
/// which is wrong unless every block of the first phase has ended before the second begins.
std::atomic<int> running{0}, sweeps{0};
bool slow = false, alone = true; // alone: one caller at a time, so that the blocks that run are those of one call

void sumRows(void *const *arguments, const int64_t *extents, void *workspace, int64_t first, int64_t last) {
  ++running;
  if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const auto *x = static_cast<const double *>(arguments[0]);
  for (int64_t row = first; row < last; ++row)
    static_cast<double *>(workspace)[row] = std::accumulate(x + row * extents[1], x + (row + 1) * extents[1], 0.0);
  --running;
}
void scaleRows(void *const *arguments, const int64_t *extents, void *workspace, int64_t first, int64_t last) {
  if (alone && running.load() != 0) std::printf("a phase began before the one before it had ended\n");
  ++sweeps;
  const auto *sums = static_cast<const double *>(workspace);
  double total = std::accumulate(sums, sums + extents[0], 0.0);
  const auto *x = static_cast<const double *>(arguments[0]);
  auto *y = static_cast<double *>(arguments[1]);
  for (int64_t i = first * extents[1]; i < last * extents[1]; ++i) y[i] = x[i] * total;
}
int64_t rows(const int64_t *extents) { return extents[0]; }
int64_t noBlocks(const int64_t *) { return 0; }
void neverRun(void *const *, const int64_t *, void *, int64_t, int64_t) { std::printf("a phase of no blocks ran\n"); }
int64_t rowSums(const int64_t *extents) { return extents[0] * 8; }

std::shared_ptr<const Kernel> makeKernel(std::map<std::string, std::string> inplace = {}) {
  Signature signature;
  signature.kernel = "scale";
  signature.axes.resize(2);
  signature.axes[0].name = "n";
  signature.axes[1].name = "k";
  std::vector<Dimension> dimensions = {{"n", false}, {"k", false}};
  signature.arguments = {{"x", Argument::Role::input, ElementType::f64, dimensions, false},
                         {"y", Argument::Role::output, ElementType::f64, dimensions, true}};
  return Kernel::adopt(signature, {{sumRows, rows}, {neverRun, noBlocks}, {scaleRows, rows}}, rowSums,
                       std::move(inplace));
}

struct Arrays {
  int64_t n, k;
  std::vector<double> x, y;
  std::vector<int64_t> shape;
  Arrays(int64_t n, int64_t k) : n(n), k(k), x(n * k), y(n * k, -1), shape{n, k} {
    for (size_t i = 0; i < x.size(); ++i) x[i] = 1.0 / (static_cast<double>(i) + 3);
  }
  std::vector<TensorView> views() { return {{x.data(), ElementType::f64, shape}, {y.data(), ElementType::f64, shape}}; }
};

const std::vector<std::string> names = {"x", "y"};

void report(const char *what, bool ok, const Diagnostics &diagnostics) {
  std::printf("%s: %s\n%s", what, ok ? "ran" : "refused", diagnostics.format().c_str());
}

int threadsCase() {
  slow = true;
  for (int64_t n : {1, 64, 1000})
    for (unsigned threads : {1u, 2u, 3u, 7u}) {
      ThreadPool pool(threads, true);
      Arrays alone(n, 5), shared(n, 5);
      Diagnostics diagnostics;
      ThreadPool one(1);
      Call first = *Call::bind(makeKernel(), names, diagnostics),
           second = *Call::bind(makeKernel(), names, diagnostics);
      bool ran = first.run(alone.views(), one, diagnostics) && second.run(shared.views(), pool, diagnostics);
      bool equal = alone.y == shared.y;
      unsigned expected = n == 1 ? 1 : 2;
      std::printf("n = %d, %u threads: %s, %s, %s\n", static_cast<int>(n), pool.threads(), ran ? "ran" : "refused",
                  equal ? "equal" : "different", threads == 1 || second.workers() >= expected ? "shared" : "alone");
    }
  return 0;
}

int coverageCase() {
  // Every block once, whatever the counts.
  for (unsigned threads : {1u, 2u, 3u, 7u})
    for (int64_t blocks : {0, 1, 2, 6, 7, 8, 1000, 4097}) {
      ThreadPool pool(threads);
      struct Seen {
        std::vector<std::atomic<int>> counts;
      } seen{std::vector<std::atomic<int>>(blocks)};
      pool.run(
          blocks,
          [](void *context, int64_t first, int64_t last) {
            for (int64_t i = first; i < last; ++i) ++static_cast<Seen *>(context)->counts[i];
          },
          &seen);
      for (const std::atomic<int> &count : seen.counts)
        if (count != 1) std::printf("%u threads, %d blocks: a block ran %d times\n", threads, int(blocks), int(count));
    }
  std::printf("covered\n");
  return 0;
}

int callersCase() {
  // One pool, several callers at once.
  ThreadPool pool(3);
  std::shared_ptr<const Kernel> kernel = makeKernel();
  Arrays truth(33, 9);
  Diagnostics diagnostics;
  ThreadPool one(1);
  Call::bind(kernel, names, diagnostics)->run(truth.views(), one, diagnostics);
  std::atomic<int> wrong{0};
  auto body = [&] {
    Arrays mine(33, 9);
    Diagnostics errors;
    Call call = *Call::bind(kernel, names, errors);
    for (int i = 0; i < 50; ++i)
      if (!call.run(mine.views(), pool, errors) || mine.y != truth.y) ++wrong;
  };
  alone = false;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back(body);
  for (std::thread &caller : callers) caller.join();
  std::printf("%d wrong\n", wrong.load());
  return 0;
}

int warmCase() {
  ThreadPool pool(1);
  Arrays arrays(8, 4);
  Diagnostics diagnostics;
  Call call = *Call::bind(makeKernel(), names, diagnostics);
  std::vector<TensorView> views = arrays.views();
  call.run(views, pool, diagnostics);
  long before = allocations;
  for (int i = 0; i < 10; ++i) call.run(views, pool, diagnostics);
  std::printf("%ld allocations\n", allocations - before);
  Arrays other(3, 2);
  report("other extents", call.run(other.views(), pool, diagnostics), diagnostics);
  std::printf("y[5] = %.4f\n", other.y[5]);
  return 0;
}

int argumentsCase() {
  ThreadPool pool(2);
  auto attempt = [&](const char *what, auto change) {
    Arrays arrays(4, 3);
    std::vector<TensorView> views = arrays.views();
    change(arrays, views);
    Diagnostics diagnostics;
    Call call = *Call::bind(makeKernel(), names, diagnostics);
    std::vector<double> before = arrays.y;
    int swept = sweeps;
    report(what, call.run(views, pool, diagnostics), diagnostics);
    if (arrays.y != before || sweeps != swept) std::printf("something was written\n");
  };
  attempt("type", [](Arrays &, auto &views) { views[0].type = ElementType::f32; });
  attempt("memory", [](Arrays &, auto &views) { views[0].data = nullptr; });
  attempt("alignment", [](Arrays &, auto &views) { views[0].data = static_cast<char *>(views[0].data) + 4; });
  attempt("count", [](Arrays &, auto &views) { views.pop_back(); });
  static const std::vector<int64_t> flat = {12}, wide = {4, 4}, negative = {-1, 3},
                                    huge = {int64_t(1) << 40, int64_t(1) << 40};
  attempt("rank", [](Arrays &, auto &views) { views[1].shape = flat; });
  attempt("extent", [](Arrays &, auto &views) { views[0].shape = wide; });
  attempt("negative", [](Arrays &, auto &views) { views[0].shape = negative, views[1].shape = negative; });
  attempt("huge", [](Arrays &, auto &views) { views[0].shape = huge, views[1].shape = huge; });
  attempt("in place", [](Arrays &, auto &views) { views[1].data = views[0].data; });
  attempt("overlap", [](Arrays &arrays, auto &views) {
    static const std::vector<int64_t> half = {2, 3};
    views[0].shape = views[1].shape = half;
    views[1].data = arrays.x.data() + 3;
  });
  return 0;
}

int namesCase() {
  auto attempt = [&](const char *what, const std::vector<std::string> &given) {
    Diagnostics diagnostics;
    bool bound = Call::bind(makeKernel(), given, diagnostics).has_value();
    report(what, bound, diagnostics);
  };
  attempt("unknown", {"x", "y", "z"});
  attempt("twice", {"x", "y", "x"});
  attempt("missing", {"x"});
  attempt("reversed", {"y", "x"});
  return 0;
}

int inplaceCase() {
  ThreadPool pool(2);
  Arrays apart(6, 4), together(6, 4);
  Diagnostics diagnostics;
  Call call = *Call::bind(makeKernel({{"y", "x"}}), names, diagnostics);
  call.run(apart.views(), pool, diagnostics);
  std::vector<TensorView> views = together.views();
  views[1].data = views[0].data;
  report("in place", call.run(views, pool, diagnostics), diagnostics);
  std::printf("%s\n", together.x == apart.y ? "equal" : "different");
  return 0;
}

int emptyCase() {
  ThreadPool pool(2);
  Arrays empty(0, 4);
  Diagnostics diagnostics;
  Call call = *Call::bind(makeKernel(), names, diagnostics);
  std::vector<TensorView> views = empty.views();
  views[0].data = views[1].data = nullptr;
  report("no elements", call.run(views, pool, diagnostics), diagnostics);
  return 0;
}

int cacheCase() {
  Cache cache;
  std::atomic<int> made{0}, got{0};
  auto make = [&](Diagnostics &) {
    ++made;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return makeKernel();
  };
  std::vector<std::thread> askers;
  for (int i = 0; i < 8; ++i)
    askers.emplace_back([&, i] {
      Diagnostics diagnostics;
      if (cache.find(i % 2 ? "odd" : "even", make, diagnostics)) ++got;
    });
  for (std::thread &asker : askers) asker.join();
  std::printf("%d made, %d got\n", made.load(), got.load());
  for (int i = 0; i < 2; ++i) {
    Diagnostics diagnostics;
    auto fail = [&](Diagnostics &errors) -> std::shared_ptr<const Kernel> {
      errors.error({"broken.norm", 1, 1}, "expected a kernel");
      return nullptr;
    };
    report("failing", cache.find("broken", fail, diagnostics) != nullptr, diagnostics);
  }
  std::printf("%zu kept\n", cache.size());
  return 0;
}

/// How deep the stack is, in calls.
int depth(int calls) {
  volatile char frame[1024];
  frame[calls % 1024] = 1;
  return calls == 0 ? frame[0] : depth(calls - 1) + frame[calls % 1024];
}

#if __has_feature(thread_sanitizer)
constexpr int deep = 50000; // it keeps 65536 calls itself
#else
constexpr int deep = 100000;
#endif

int isolatedCase() {
  auto say = [](const char *what, const std::optional<std::string> &reason) {
    std::printf("%s: %s\n", what, reason ? reason->c_str() : "done");
  };
  say("work", isolate([] {}));
  say("a deep recursion", isolate([] { depth(deep); }));
  say("a fatal error", isolate([] { llvm::report_fatal_error("cannot select"); }));
  say("no memory", isolate([] { llvm::report_bad_alloc_error("out of memory"); }));
  say("work after that", isolate([] {}));
  return 0;
}

/// The sum of all replicas' rows, divided by the number of replicas: one phase before an exchange, one after it.
void sumAll(void *const *arguments, const int64_t *extents, void *workspace, int64_t, int64_t) {
  const auto *x = static_cast<const double *>(arguments[0]);
  for (int64_t column = 0; column < extents[1]; ++column) {
    double &sum = static_cast<double *>(workspace)[column];
    sum = 0;
    for (int64_t row = 0; row < extents[0]; ++row) sum += x[row * extents[1] + column];
  }
}
int64_t exchangeSums(const int64_t *extents, int64_t *place) {
  place[0] = 0;
  place[2] = extents[1] * 8;
  place[1] = (place[2] + 63) / 64 * 64;
  return 1;
}
int64_t exchangeNothing(const int64_t *, int64_t *) { return 0; }
void meanOfReplicas(void *const *arguments, const int64_t *extents, void *workspace, int64_t, int64_t) {
  int64_t place[3];
  exchangeSums(extents, place);
  const auto *all = reinterpret_cast<const double *>(static_cast<char *>(workspace) + place[1]);
  for (int64_t column = 0; column < extents[1]; ++column) {
    double sum = 0;
    for (int64_t replica = 0; replica < extents[2]; ++replica) sum += all[replica * extents[1] + column];
    for (int64_t row = 0; row < extents[0]; ++row)
      static_cast<double *>(arguments[1])[row * extents[1] + column] = sum / static_cast<double>(extents[2]);
  }
}
int64_t oneBlock(const int64_t *) { return 1; }
int64_t sumsOfReplicas(const int64_t *extents) { return (extents[1] * 8 + 63) / 64 * 64 + extents[1] * extents[2] * 8; }

std::shared_ptr<const Kernel> makeReplicated() {
  Signature signature = makeKernel()->signature();
  signature.kernel = "mean";
  signature.acrossReplicas = true;
  signature.commonAxes = {"k"};
  return Kernel::adopt(
      signature,
      {{sumAll, oneBlock, {exchangeNothing, exchangeSums}}, {neverRun, noBlocks}, {meanOfReplicas, oneBlock}},
      sumsOfReplicas);
}

/// Runs a replica for each of the arrays; says how each of them ended.
void runReplicas(const char *what, std::vector<Arrays> &arrays, std::vector<std::vector<TensorView>> views,
                 bool leaves = false) {
  ThreadPool pool(2);
  std::shared_ptr<const Kernel> kernel = makeReplicated();
  Replicas group(static_cast<int64_t>(arrays.size()) + leaves);
  std::vector<Diagnostics> diagnostics(arrays.size());
  std::vector<char> ran(arrays.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < arrays.size(); ++i)
    threads.emplace_back([&, i] {
      Call call = *Call::bind(kernel, names, diagnostics[i]);
      for (int turn = 0; turn < 20; ++turn)
        ran[i] = call.run(views[i], pool, diagnostics[i], &group.communicator(static_cast<int64_t>(i)));
    });
  if (leaves) group.leave();
  for (std::thread &thread : threads) thread.join();
  for (size_t i = 0; i < arrays.size(); ++i) {
    report(what, ran[i], diagnostics[i]);
    if (!ran[i] && std::any_of(arrays[i].y.begin(), arrays[i].y.end(), [](double y) { return y != -1; }))
      std::printf("something was written\n");
  }
}

int replicasCase() {
  auto viewsOf = [](std::vector<Arrays> &arrays) {
    std::vector<std::vector<TensorView>> views;
    for (Arrays &one : arrays) views.push_back(one.views());
    return views;
  };
  std::vector<Arrays> arrays;
  for (int64_t rows : {3, 0, 70, 1}) arrays.emplace_back(rows, 5);
  runReplicas("four", arrays, viewsOf(arrays));
  double sum = 0;
  for (Arrays &one : arrays)
    for (size_t i = 2; i < one.x.size(); i += 5) sum += one.x[i];
  std::printf("%.12f, expected %.12f\n", arrays[3].y[2], sum / 4);
  std::printf("%s\n", arrays[0].y[2] == arrays[3].y[2] ? "equal" : "different");

  std::vector<Arrays> wrong = {{2, 5}, {2, 5}};
  std::vector<std::vector<TensorView>> views = viewsOf(wrong);
  views[1][0].data = nullptr;
  runReplicas("one without memory", wrong, views);

  std::vector<Arrays> unlike = {{2, 5}, {2, 4}};
  runReplicas("other columns", unlike, viewsOf(unlike));

  std::vector<Arrays> left = {{2, 5}, {2, 5}};
  runReplicas("one has left", left, viewsOf(left), /*leaves=*/true);

  // Without a communicator a replica is the whole job; a warm run allocates nothing.
  ThreadPool one(1);
  Diagnostics diagnostics;
  Arrays alone(4, 3);
  Call call = *Call::bind(makeReplicated(), names, diagnostics);
  std::vector<TensorView> its = alone.views();
  report("alone", call.run(its, one, diagnostics), diagnostics);
  Replicas job(1);
  for (Communicator *communicator : {static_cast<Communicator *>(nullptr), &job.communicator(0)}) {
    call.run(its, one, diagnostics, communicator);
    long before = allocations;
    for (int i = 0; i < 10; ++i) call.run(its, one, diagnostics, communicator);
    std::printf("%ld allocations\n", allocations - before);
  }

  // Two that do not give as much.
  Replicas pair(2);
  char all[8];
  bool gathered = true;
  std::thread other([&] { pair.communicator(1).gather("ab", 2, all); });
  char mine[8];
  gathered = pair.communicator(0).gather("abcd", 4, mine);
  other.join();
  std::printf("%s, then %s\n", gathered ? "gathered" : "refused",
              pair.communicator(0).gather("a", 1, mine) ? "gathered" : "refused");
  return 0;
}

} // namespace

int contextCase(const std::string &folder);
int variantsCase();

int main(int count, char **words) {
  const struct {
    const char *name;
    int (*run)();
  } cases[] = {{"threads", threadsCase},   {"coverage", coverageCase},   {"callers", callersCase},
               {"warm", warmCase},         {"arguments", argumentsCase}, {"names", namesCase},
               {"inplace", inplaceCase},   {"empty", emptyCase},         {"cache", cacheCase},
               {"isolated", isolatedCase}, {"replicas", replicasCase},   {"variants", variantsCase}};
  for (const auto &entry : cases)
    if (count == 2 && std::strcmp(words[1], entry.name) == 0) return entry.run();
  if (count == 3 && std::strcmp(words[1], "context") == 0) return contextCase(words[2]);
  std::fprintf(stderr, "usage: runtime-test CASE [FOLDER]\n");
  return 2;
}
