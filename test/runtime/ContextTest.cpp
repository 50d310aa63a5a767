// A context plans a kernel once for all that shapes its code, and anew where any of that changes; calls compile its
// variants, each of them once.
#include "runtime/Context.h"
#include "runtime/Call.h"
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace normc;
using namespace normc::runtime;

static void write(const std::string &path, const char *text) { std::ofstream(path) << text; }

/// Needs a folder of its own to write to.
int contextCase(const std::string &folder) {
  write(folder + "/twice.norm", "fn twice(a) = a * 2\n");
  Source source;
  source.path = folder + "/k.norm";
  source.text = "import \"twice.norm\"\n"
                "kernel k<T = f32, add = 1.0>(x: T[n]) -> (y: T[n]) {\n  y = twice(x) + add\n}\n";
  Context context(2);
  Diagnostics diagnostics;
  auto kernel = [&](const Selection &selection) { return context.kernel(source, selection, diagnostics); };

  std::vector<std::shared_ptr<const Kernel>> got(4);
  std::vector<std::thread> askers;
  for (std::shared_ptr<const Kernel> &slot : got)
    askers.emplace_back([&slot, &context, &source] {
      Diagnostics errors;
      slot = context.kernel(source, {}, errors);
    });
  for (std::thread &asker : askers) asker.join();
  bool one = got[0] && got[1] == got[0] && got[2] == got[0] && got[3] == got[0];
  std::printf("four at once: %s\n", one ? "one kernel" : "several kernels");
  std::printf("asked again: %s\n", kernel({}) == got[0] ? "the same" : "another");

  auto compare = [&](const char *what, const Selection &selection) {
    std::shared_ptr<const Kernel> other = kernel(selection);
    std::printf("%s: %s\n", what, !other ? "none" : other == got[0] ? "the same" : "another");
  };
  Selection defined, typed, sized;
  defined.defines["add"] = "3";
  typed.inputTypes["x"] = ElementType::f64;
  sized.sizes["n"] = 3;
  compare("a parameter", defined);
  compare("a type", typed);
  compare("an extent", sized);
  write(folder + "/twice.norm", "fn twice(a) = a * 3\n");
  compare("a changed import", {});
  source.importPaths = {folder + "/near", folder};
  source.path = folder + "/elsewhere/k.norm";
  std::shared_ptr<const Kernel> far = kernel({});
  std::printf("an import asked for again: %s\n", kernel({}) == far ? "the same" : "another");
  std::filesystem::create_directory(folder + "/near");
  write(folder + "/near/twice.norm", "fn twice(a) = a * 4\n");
  std::printf("an import that hides another: %s\n", kernel({}) == far ? "the same" : "another");

  float x[3] = {1, 2, 3}, y[3] = {};
  const int64_t shape[1] = {3};
  const std::string names[2] = {"x", "y"};
  const TensorView views[2] = {{x, ElementType::f32, shape}, {y, ElementType::f32, shape}};
  for (const Selection &selection : {Selection(), defined}) {
    std::optional<Call> call = Call::bind(kernel(selection), names, diagnostics);
    bool ran = call->run(views, context.pool(), diagnostics);
    std::printf("%s: %g %g %g\n", ran ? "ran" : "refused", y[0], y[1], y[2]);
  }
  std::printf("errors: %zu\n", diagnostics.all().size());
  source.text += "kernel broken(";
  compare("a broken spec", {});
  std::printf("%s", diagnostics.format().substr(diagnostics.format().find("k.norm")).c_str());
  return 0;
}

/// Rows of 48 fit what is taken to be a worker's cache, rows of 160 do not: a variant for each.
int variantsCase() {
  Source source;
  source.path = "k.norm";
  source.text = "kernel k(x: f32[b, f]) -> (y: f32[b, f]) {\n  let mu, var = moments(x over f)\n  y = x - mu\n}\n";
  Context context(1, "cpu/resident=64");
  Diagnostics diagnostics;
  std::shared_ptr<const Kernel> kernel = context.kernel(source, {}, diagnostics);
  const std::string names[2] = {"x", "y"};
  constexpr int64_t rows = 3, widths[4] = {48, 160, 48, 160};
  std::atomic<int> good = 0;
  std::atomic<const Variant *> used[4] = {};
  auto caller = [&](size_t number) {
    Diagnostics errors;
    Call call = *Call::bind(kernel, names, errors);
    // Each width in turn: this caller's first, then the other.
    for (size_t turn : {number, number + 1}) {
      const int64_t width = widths[turn % 4], shape[2] = {rows, width};
      std::vector<float> x(rows * width), y(rows * width);
      for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % static_cast<size_t>(width));
      const TensorView views[2] = {{x.data(), ElementType::f32, shape}, {y.data(), ElementType::f32, shape}};
      bool right = call.run(views, context.pool(), errors);
      for (size_t i = 0; i < x.size(); ++i) right &= y[i] == x[i] - static_cast<float>(width - 1) / 2;
      good += right;
      if (turn == number) used[number] = kernel->variant(shape, errors);
    }
  };
  std::vector<std::thread> callers;
  for (size_t number = 0; number < 4; ++number) callers.emplace_back(caller, number);
  for (std::thread &thread : callers) thread.join();
  std::printf("%d of 8 right\n", good.load());
  bool shared = used[0] == used[2] && used[1] == used[3];
  std::printf("%s\n", !shared ? "compiled more than once" : used[0] == used[1] ? "one variant" : "two variants");
  const int64_t shape[2][2] = {{rows, 48}, {rows, 160}};
  for (size_t i = 0; i < 2; ++i)
    std::printf("%zu phases, %zu objects, %sworkspace\n", used[i].load()->phases.size(), used[i].load()->code.size(),
                used[i].load()->workspaceBytes(shape[i]) ? "" : "no ");
  return 0;
}
