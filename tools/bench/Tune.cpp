// `normc tune`: facts that never change a result, timed for a kernel and its sizes on this machine.
#include "compiler/schedule/Tuning.h"
#include "tools/bench/Measure.h"
#include "tools/bench/Workload.h"
#include "tools/normc/Commands.h"
#include "tools/normc/OutputFiles.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <algorithm>
#include <fmt/format.h>

namespace normc::bench {
namespace {

/// What is tried: outputs that bypass the caches from a size on, always, never; the next block's first sweep before the
/// last sweep of the one at hand where the first cache holds both, hardly ever, nearly always.
std::vector<std::string> candidates(const Machine &machine) {
  std::vector<std::string> facts;
  for (int64_t l1 : {machine.l1Bytes, int64_t(4096), 16 * machine.l1Bytes})
    for (int64_t stream : {machine.streamBytes, int64_t(0), int64_t(1)})
      facts.push_back(fmt::format("stream={}/l1={}", stream, l1));
  return facts;
}

/// Puts a line for a plan into the file; without facts, takes it out.
bool keep(const std::string &key, const std::string &facts, Diagnostics &diagnostics) {
  std::string path = tuningFile();
  if (path.empty()) {
    diagnostics.error({"normc"}, "no folder to keep results in: expected NORMC_CACHE_DIR, XDG_CACHE_HOME or HOME",
                      Fault::system);
    return false;
  }
  std::vector<std::string> lines;
  if (llvm::sys::fs::exists(path)) {
    std::optional<cli::FileContents> contents = cli::readFile(path, diagnostics);
    if (!contents) return false;
    std::string_view left(reinterpret_cast<const char *>(contents->storage.data()), contents->bytes);
    for (size_t end; (end = left.find('\n')) != std::string_view::npos; left.remove_prefix(end + 1))
      if (!left.starts_with(key)) lines.emplace_back(left.substr(0, end + 1));
  }
  if (!facts.empty()) lines.push_back(key + " " + facts + "\n");
  constexpr size_t most = 10000; // the oldest go
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - most);
  llvm::sys::fs::create_directories(llvm::sys::path::parent_path(path)); // writing says what is wrong
  cli::OutputFiles files(diagnostics);
  return files.write(path, {lines.begin(), lines.end()}) && files.commit();
}

/// Times one kernel of a workload with all candidates, in turns.
bool tuneKernel(Workload &workload, size_t number, const cli::Options &options, runtime::ThreadPool &pool,
                Diagnostics &diagnostics) {
  const Machine *machine = hostMachine();
  std::vector<std::string> facts = candidates(*machine);
  std::vector<std::deque<BoundKernel>> kernels;
  for (const std::string &fact : facts) {
    std::optional<std::deque<BoundKernel>> compiled = workload.compileAlso("cpu/" + fact, diagnostics);
    if (!compiled) return false;
    kernels.push_back(std::move(*compiled));
  }
  std::vector<Thing> things;
  for (std::deque<BoundKernel> &candidate : kernels) {
    things.push_back({[&, number] { candidate[number].run(pool, diagnostics); }});
    if (workload.overwritesInputs()) things.back().prepare = [&] { workload.restore(); };
  }
  std::vector<Spread> spreads = measure(things, {.rounds = options.rounds}, pool);
  if (diagnostics.any()) return false;
  size_t best = 0;
  for (size_t i = 1; i < spreads.size(); ++i)
    if (spreads[i].seconds(options.low) < spreads[best].seconds(options.low)) best = i;
  // Differences below are noise, and what is known of the machine suits other sizes too.
  constexpr double least = 1.05;
  double usual = spreads[0].seconds(options.low), gain = usual / spreads[best].seconds(options.low);
  if (gain < least) best = 0;
  std::optional<std::string> plan = workload.planOf(number, diagnostics);
  if (!plan) return false;
  std::string key = tuningKey(*plan, *machine);
  std::string text = fmt::format("{}, {} thread{}, plan {}\n", workload.kernels[number].kernel->signature().kernel,
                                 pool.threads(), pool.threads() == 1 ? "" : "s", key);
  for (size_t i = 0; i < facts.size(); ++i)
    text += fmt::format("  {:<32} {:>10.2f} us{}\n", facts[i], spreads[i].seconds(options.low) * 1e6,
                        i == best && i > 0 ? fmt::format("  kept: {:.2f}x", gain)
                        : i == best        ? "  best, by default"
                                           : "");
  return keep(key, best ? facts[best] : "", diagnostics) && cli::writeStandardOutput(text, diagnostics);
}

} // namespace
} // namespace normc::bench

namespace normc::cli {

void runTune(const Options &options, Diagnostics &diagnostics) {
  using namespace bench;
  if (options.target != "cpu")
    return (void)usageError(diagnostics, fmt::format("--target {}: only cpu, this machine, is tuned", options.target));
  std::vector<std::vector<Stage>> all;
  for (const Problem &problem : problemsOf(options, diagnostics))
    all.push_back(stagesOf(problem, options, diagnostics));
  if (!options.file.empty()) all.push_back(stagesOf(options, diagnostics));
  if (diagnostics.any()) return;
  for (const std::vector<Stage> &stages : all) {
    std::unique_ptr<Workload> workload = Workload::prepare(stages, options.target, std::nullopt, diagnostics);
    if (!workload) return;
    runtime::ThreadPool pool(options.threadCounts.back());
    if (!workload->run(pool, diagnostics)) return;
    for (size_t number = 0; number < workload->kernels.size(); ++number)
      if (workload->kernels[number].timed && !tuneKernel(*workload, number, options, pool, diagnostics)) return;
  }
}

} // namespace normc::cli
