// A context compiles a kernel once for all that shapes its code, and anew where any of that changes.
#include "runtime/Context.h"
#include "runtime/Call.h"
#include <cstdio>
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
