// `normc bench`: problems one after another, each for every number of threads, warm and cold.
#include "compiler/schedule/Machine.h"
#include "tools/bench/Measure.h"
#include "tools/bench/Workload.h"
#include "tools/normc/Commands.h"
#include "tools/normc/OutputFiles.h"
#include "llvm/Support/JSON.h"
#include "llvm/TargetParser/Host.h"
#include <algorithm>
#include <fmt/format.h>
#include <fstream>

namespace normc::bench {
namespace {

struct Result {
  std::string problem;
  unsigned threads = 1, workers = 1;
  bool cold = false;
  int64_t bytes = 0;
  double compileSeconds = 0;
  Spread kernel, baseline;
  std::array<Spread, Traffic::ways.size()> copies;

  bool low = false; // what counts is the fast tenth

  double seconds() const { return kernel.seconds(low); }
  double bytesPerSecond() const { return static_cast<double>(bytes) / seconds(); }
  size_t fastest() const {
    auto less = [&](const Spread &one, const Spread &other) { return one.seconds(low) < other.seconds(low); };
    return static_cast<size_t>(std::min_element(copies.begin(), copies.end(), less) - copies.begin());
  }
  double limit() const { return copies[fastest()].seconds(low); }
};

/// The processor's own name, where the system tells it.
std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (size_t at = line.find(": "); at != std::string::npos) return line.substr(at + 2);
  return "unknown processor";
}

std::string machineText() {
  return fmt::format("{} ({}), {} core{}, last cache {:.0f} MiB", processorName(), llvm::sys::getHostCPUName().str(),
                     runtime::ThreadPool::cores(), runtime::ThreadPool::cores() == 1 ? "" : "s",
                     static_cast<double>(lastCacheBytes()) / (1 << 20));
}

/// The level that every machine of this one's kind has.
std::string baselineTarget() {
  const Machine *host = hostMachine();
  return host && host->name == "aarch64" ? "cpu:aarch64" : "cpu:x86-64-v3";
}

constexpr std::string_view rowFormat = "{:<60} {:>7} {:>5} {:>10} {:>8} {:>10} {:>8}{}\n";

std::string head(const cli::Options &options) {
  return fmt::format("machine: {}\n", machineText()) +
         fmt::format(fmt::runtime(rowFormat), "problem", "threads", "cache", "us", "GB/s", "limit us", "of limit",
                     options.baseline ? fmt::format("  {} us", baselineTarget()) : "");
}

std::string row(const Result &result, const cli::Options &options) {
  std::string more = options.baseline ? fmt::format("  {:>16.2f}", result.baseline.seconds(result.low) * 1e6) : "";
  if (result.kernel.isNoisy() || result.copies[result.fastest()].isNoisy()) more += "  noisy";
  return fmt::format(fmt::runtime(rowFormat), result.problem, result.threads, result.cold ? "cold" : "warm",
                     fmt::format("{:.2f}", result.seconds() * 1e6),
                     fmt::format("{:.1f}", result.bytesPerSecond() / 1e9), fmt::format("{:.2f}", result.limit() * 1e6),
                     fmt::format("{:.0f}%", 100 * result.limit() / result.seconds()), more);
}

void writeJson(llvm::json::OStream &json, const Result &result, const cli::Options &options) {
  auto spread = [&](llvm::StringRef name, const Spread &spread) {
    json.attributeObject(name, [&] {
      json.attribute("us", spread.median * 1e6);
      json.attribute("lowUs", spread.low * 1e6);
      json.attribute("highUs", spread.high * 1e6);
      json.attribute("samples", spread.samples);
      json.attribute("callsPerSample", spread.calls);
    });
  };
  json.object([&] {
    json.attribute("problem", result.problem);
    json.attribute("threads", result.threads);
    json.attribute("workers", result.workers);
    json.attribute("cache", result.cold ? "cold" : "warm");
    json.attribute("bytes", result.bytes);
    json.attribute("us", result.seconds() * 1e6);
    json.attribute("gigabytesPerSecond", result.bytesPerSecond() / 1e9);
    json.attribute("limitUs", result.limit() * 1e6);
    json.attribute("limitBy", nameOf(Traffic::ways[result.fastest()]));
    json.attribute("ofLimit", result.limit() / result.seconds());
    json.attribute("compileMs", result.compileSeconds * 1e3);
    spread("kernel", result.kernel);
    for (size_t way = 0; way < Traffic::ways.size(); ++way) spread(nameOf(Traffic::ways[way]), result.copies[way]);
    if (!options.baseline) return;
    json.attribute("baselineTarget", baselineTarget());
    spread("baseline", result.baseline);
  });
}

/// What is printed, as soon as it is known in a table, or at the end.
class Report {
public:
  Report(const cli::Options &options, Diagnostics &diagnostics) : options(options), diagnostics(diagnostics) {
    if (!options.json) {
      cli::writeStandardOutput(head(options), diagnostics);
      return;
    }
    json.emplace(stream, 2);
    json->objectBegin();
    json->attribute("machine", machineText());
    json->attributeBegin("results");
    json->arrayBegin();
  }
  void add(const Result &result) {
    if (json) writeJson(*json, result, options);
    else cli::writeStandardOutput(row(result, options), diagnostics);
  }
  void finish() {
    if (!json) return;
    json->arrayEnd();
    json->attributeEnd();
    json->objectEnd();
    cli::writeStandardOutput(text + "\n", diagnostics);
  }

private:
  const cli::Options &options;
  Diagnostics &diagnostics;
  std::string text;
  llvm::raw_string_ostream stream{text};
  std::optional<llvm::json::OStream> json;
};

bool benchOne(const std::string &name, const std::vector<Stage> &stages, const cli::Options &options, Report &report,
              Diagnostics &diagnostics) {
  std::optional<Offsets> offsets;
  if (options.offsets) offsets = Offsets{options.offsets->first, options.offsets->second};
  std::unique_ptr<Workload> workload = Workload::prepare(stages, options.target, offsets, diagnostics);
  if (!workload) return false;
  std::optional<std::deque<BoundKernel>> others;
  if (options.baseline && !(others = workload->compileAlso(baselineTarget(), diagnostics))) return false;
  for (unsigned threads : options.threadCounts) {
    runtime::ThreadPool pool(threads);
    if (!workload->run(pool, diagnostics)) return false;
    if (!options.save.empty() && threads == options.threadCounts[0] && !workload->save(options.save, diagnostics))
      return false;
    Result result;
    result.problem = name;
    result.threads = pool.threads();
    result.bytes = workload->bytes();
    result.low = options.low;
    result.compileSeconds = workload->compileSeconds;
    std::vector<Thing> things = {{[&] { workload->runTimed(pool, diagnostics); }}};
    if (workload->overwritesInputs()) things[0].prepare = [&] { workload->restore(); };
    for (Traffic::Way way : Traffic::ways) things.push_back({[&, way] { workload->moveTimed(way, pool); }});
    if (others)
      things.push_back({[&] {
                          for (BoundKernel &kernel : *others)
                            if (kernel.timed) kernel.run(pool, diagnostics);
                        },
                        things[0].prepare});
    for (bool cold : {false, true}) {
      if (!(cold ? options.cold : options.warm)) continue;
      std::vector<Spread> spreads = measure(things, {.rounds = options.rounds, .cold = cold}, pool);
      if (diagnostics.any()) return false;
      result.cold = cold;
      result.kernel = spreads[0];
      std::copy_n(spreads.begin() + 1, Traffic::ways.size(), result.copies.begin());
      if (others) result.baseline = spreads.back();
      for (const BoundKernel &kernel : workload->kernels)
        result.workers = std::max(result.workers, kernel.call->workers());
      report.add(result);
    }
  }
  return true;
}

} // namespace
} // namespace normc::bench

namespace normc::cli {

void runBench(const Options &given, Diagnostics &diagnostics) {
  using namespace bench;
  Options options = given;
  std::vector<Problem> problems = problemsOf(options, diagnostics);
  if (diagnostics.any()) return;
  Report report(options, diagnostics);
  auto bench = [&](const std::string &name, auto &&stagesOf) {
    Diagnostics errors; // of one problem: the others are timed all the same
    std::vector<Stage> stages = stagesOf(errors);
    if (!errors.any()) benchOne(name, stages, options, report, errors);
    diagnostics.append(errors);
  };
  if (!options.file.empty())
    bench(options.selection.kernel.empty() ? options.file : options.file + " -k " + options.selection.kernel,
          [&](Diagnostics &errors) { return stagesOf(options, errors); });
  for (const Problem &problem : problems)
    bench(problem.text, [&](Diagnostics &errors) { return stagesOf(problem, options, errors); });
  report.finish();
}

} // namespace normc::cli
