#include "compiler/schedule/Machine.h"
#include "tools/bench/Measure.h"
#include "tools/bench/Workload.h"
#include "tools/normc/Commands.h"
#include "tools/normc/OutputFiles.h"
#include <algorithm>
#include <fmt/format.h>

namespace normc::cli {
namespace {

/// "1 thread: predicted 424.0 us, ... ; measured 519.0 us, ...".
std::string timesOf(bench::Workload &workload, int64_t memoryBytes, unsigned threads, Diagnostics &diagnostics) {
  runtime::ThreadPool pool(threads);
  if (!workload.run(pool, diagnostics)) return {};
  std::vector<bench::Thing> things = {{[&] { workload.run(pool, diagnostics); }}};
  if (workload.overwritesInputs()) things[0].prepare = [&] { workload.restore(); };
  for (bench::Traffic::Way way : bench::Traffic::ways) things.push_back({[&, way] { workload.moveTimed(way, pool); }});
  std::vector<bench::Spread> spreads = bench::measure(things, {}, pool);
  double copy = spreads[1].median;
  for (size_t i = 2; i < spreads.size(); ++i) copy = std::min(copy, spreads[i].median);
  double rate = static_cast<double>(workload.bytes()) / copy, predicted = static_cast<double>(memoryBytes) / rate;
  return fmt::format(
      "  {} thread{}: predicted {:.2f} us, at the {:.1f} GB/s of a copy here; measured {:.2f} us, {:.1f} "
      "GB/s\n",
      pool.threads(), pool.threads() == 1 ? "" : "s", predicted * 1e6, rate / 1e9, spreads[0].median * 1e6,
      static_cast<double>(memoryBytes) / spreads[0].median / 1e9);
}

/// The plan for the extents that it is run with, and what it takes here.
void explainWithTimes(const Options &options, Diagnostics &diagnostics) {
  if (options.target != "cpu")
    return (void)usageError(diagnostics,
                            fmt::format("--time with --target {}: only cpu, this machine, is timed", options.target));
  std::vector<bench::Stage> stages = bench::stagesOf(options, diagnostics);
  if (diagnostics.any()) return;
  std::unique_ptr<bench::Workload> workload =
      bench::Workload::prepare(stages, options.target, std::nullopt, diagnostics);
  if (!workload) return;
  std::optional<Explanation> explanation = workload->explain(0, options.target, diagnostics);
  if (!explanation) return;
  std::string text = explanation->text;
  for (unsigned threads : options.threadCounts)
    if (explanation->memoryBytes) text += timesOf(*workload, *explanation->memoryBytes, threads, diagnostics);
  if (!diagnostics.any()) writeStandardOutput(text, diagnostics);
}

} // namespace

void runExplain(const Options &options, Diagnostics &diagnostics) {
  if (options.time) return explainWithTimes(options, diagnostics);
  std::optional<Source> source = readSource(options, diagnostics);
  if (!source) return;
  std::optional<Explanation> explanation = explain(*source, options.selection, options.target, diagnostics);
  if (explanation) writeStandardOutput(explanation->text, diagnostics);
}

} // namespace normc::cli
