#include "tools/bench/Measure.h"
#include "tools/bench/Traffic.h"
#include "tools/normc/Commands.h"
#include "tools/normc/Job.h"
#include "tools/normc/NpyHeader.h"
#include "tools/normc/OutputFiles.h"
#include "tools/normc/Replicas.h"
#include "tools/normc/Summary.h"
#include <chrono>
#include <cstring>
#include <fmt/format.h>

namespace normc::cli {
namespace {

/// Where an --input and an --output are one file, or two --outputs are.
bool checkPlaces(const Options &options, OutputFiles &files, Diagnostics &diagnostics) {
  std::map<std::string, ArrayPlace> inputs(options.inputs), outputs(options.outputs);
  for (const auto &[replica, arrays] : options.replicas) {
    for (const auto &[name, place] : arrays.inputs) inputs[arrayName(name, replica)] = place;
    for (const auto &[name, place] : arrays.outputs) outputs[arrayName(name, replica)] = place;
  }
  std::map<std::string, std::string> seen; // place → output
  bool good = true;
  for (const auto &[name, place] : outputs) {
    auto [other, added] = seen.try_emplace(place.format(), name);
    if (!added) {
      usageError(diagnostics, fmt::format("outputs {} and {} both go to {}", other->second, name, place.format()));
      good = false;
      continue;
    }
    for (const auto &[input, from] : inputs)
      if (sameFile(place.path, from.path)) {
        usageError(diagnostics, fmt::format("output {} and input {} are one file, {}: input files are never changed",
                                            name, input, place.path));
        good = false;
      }
    for (const auto &[output, to] : outputs)
      if (output < name && to.key.empty() != place.key.empty() && sameFile(to.path, place.path)) {
        usageError(diagnostics, fmt::format("outputs {} and {} both go to {}", output, name, place.path));
        good = false;
      }
    good = good && files.check(place.path);
  }
  return good;
}

bool writeOutputs(const Job &job, const Signature &signature, OutputFiles &files, Diagnostics &diagnostics) {
  std::map<std::string, std::vector<NpzEntry>> archives;
  for (const Job::Replica &replica : job.replicas())
    for (size_t i = 0; i < signature.arguments.size(); ++i) {
      const Argument &argument = signature.arguments[i];
      auto place = replica.options.outputs.find(argument.name);
      if (!argument.written || place == replica.options.outputs.end()) continue;
      const std::vector<int64_t> &shape = replica.arguments.extents().shapes[i];
      const auto *data = static_cast<const std::byte *>(replica.arguments.views()[i].data);
      if (!place->second.key.empty()) {
        archives[place->second.path].push_back({place->second.key, argument.type, &shape, data});
        continue;
      }
      std::string header = npyHeader(argument.type, shape);
      auto bytes = static_cast<size_t>(byteCount(shape, bytesOf(argument.type)).value_or(0));
      if (!files.write(place->second.path, {header, {reinterpret_cast<const char *>(data), bytes}})) return false;
    }
  for (const auto &[path, entries] : archives) {
    std::optional<runtime::Buffer> archive = formatNpz(entries, path, diagnostics);
    if (!archive || !files.write(path, {{reinterpret_cast<const char *>(archive->data()), archive->size()}}))
      return false;
  }
  return files.commit();
}

bool printSummaries(const Job &job, const Signature &signature, Diagnostics &diagnostics) {
  std::string text;
  for (const Job::Replica &replica : job.replicas())
    for (size_t i = 0; i < signature.arguments.size(); ++i) {
      const Argument &argument = signature.arguments[i];
      if (!argument.written) continue;
      text += summarize(arrayName(argument.name, replica.options.replica), argument.type,
                        replica.arguments.extents().shapes[i],
                        static_cast<const std::byte *>(replica.arguments.views()[i].data));
    }
  return writeStandardOutput(text, diagnostics);
}

/// "time: 812.4 us, 126.5 GB/s, 97% of the memory limit (…)".
bool printTime(Job &job, runtime::ThreadPool &pool, double compileSeconds, Diagnostics &diagnostics) {
  unsigned workers = job.workers();
  int64_t bytes = job.bytes();
  std::vector<bench::Thing> things = {{[&] { job.run(pool); },
                                       [&] {
                                         workers = std::max(workers, job.workers());
                                         job.restore();
                                       }}};
  // A copy of as many bytes, where there is memory for it.
  std::optional<runtime::Buffer> from = runtime::Buffer::allocate(static_cast<size_t>(bytes / 2)),
                                 to = runtime::Buffer::allocate(static_cast<size_t>(bytes / 2));
  bench::Traffic traffic({}, {});
  if (from && to) {
    std::memset(from->data(), 1, from->size());
    std::memset(to->data(), 2, to->size());
    bench::Stream read[] = {{from->data(), bytes / 2}}, written[] = {{to->data(), bytes / 2}};
    traffic = bench::Traffic(read, written);
  }
  if (traffic.bytes())
    for (bench::Traffic::Way way : bench::Traffic::ways) things.push_back({[&, way] { traffic.move(way, pool); }});
  std::vector<bench::Spread> spreads = bench::measure(things, {}, pool);
  if (diagnostics.any()) return false;
  double seconds = spreads[0].median;
  std::string text = fmt::format("compile: {:.1f} ms\ntime: {:.2f} us, {:.2f} GB/s", compileSeconds * 1e3,
                                 seconds * 1e6, static_cast<double>(bytes) / seconds / 1e9);
  if (traffic.bytes()) {
    auto limit = std::min_element(spreads.begin() + 1, spreads.end(),
                                  [](const auto &one, const auto &other) { return one.median < other.median; });
    text += fmt::format(", {:.0f}% of the memory limit ({} copy of as many bytes: {:.2f} us, {:.2f} GB/s)",
                        100 * limit->median / seconds,
                        nameOf(bench::Traffic::ways[static_cast<size_t>(limit - spreads.begin() - 1)]),
                        limit->median * 1e6, static_cast<double>(bytes) / limit->median / 1e9);
  }
  text +=
      fmt::format("\nthreads: {}, of which at least {} took part\n", pool.threads(), std::max(workers, job.workers()));
  return writeStandardOutput(text, diagnostics);
}

double secondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

bool runOnCpu(const Options &options, const Source &source, const Selection &selection, Job &job, Signature &signature,
              Diagnostics &diagnostics) {
  runtime::Context context(options.threads, options.target, options.spread);
  auto begin = std::chrono::steady_clock::now();
  std::shared_ptr<const runtime::Kernel> kernel = context.kernel(source, selection, diagnostics);
  double compileSeconds = secondsSince(begin);
  if (!kernel || !job.bind(kernel->signature())) return false;
  signature = kernel->signature();
  begin = std::chrono::steady_clock::now();
  if (!job.prepare(kernel)) return false;
  compileSeconds += secondsSince(begin);
  if (options.time && !job.keepInputs()) return false;
  if (!job.run(context.pool())) return false;
  return !options.time || printTime(job, context.pool(), compileSeconds, diagnostics);
}

bool runOnEvaluator(const Options &options, const Source &source, const Selection &selection, Job &job,
                    Signature &signature, Diagnostics &diagnostics) {
  std::unique_ptr<Evaluation> evaluation = Evaluation::prepare(source, selection, diagnostics);
  if (!evaluation || !job.bind(evaluation->signature())) return false;
  signature = evaluation->signature();
  auto begin = std::chrono::steady_clock::now();
  if (!job.evaluate(*evaluation)) return false;
  double seconds = secondsSince(begin);
  return !options.time || writeStandardOutput(fmt::format("time: {:.2f} us\n", seconds * 1e6), diagnostics);
}

} // namespace

void runKernel(const Options &options, Diagnostics &diagnostics) {
  OutputFiles files(diagnostics);
  std::optional<Source> source = readSource(options, diagnostics);
  if (!source || !checkPlaces(options, files, diagnostics)) return;
  Job job(options, diagnostics);
  if (!job.read()) return;
  std::optional<Selection> selection = job.select(*source);
  if (!selection) return;
  Signature signature;
  bool ran = options.device == Device::cpu ? runOnCpu(options, *source, *selection, job, signature, diagnostics)
                                           : runOnEvaluator(options, *source, *selection, job, signature, diagnostics);
  if (!ran) return;
  if (!selection->outputs) printSummaries(job, signature, diagnostics);
  else writeOutputs(job, signature, files, diagnostics);
}

} // namespace normc::cli
