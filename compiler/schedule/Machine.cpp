#include "compiler/schedule/Machine.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include <algorithm>
#include <array>
#include <unistd.h>

using namespace llvm;

namespace normc {
namespace {

constexpr int64_t KiB = 1024, MiB = 1024 * KiB;

struct Level {
  const char *name, *triple, *cpu, *features;
  TreeFacts tree;
  bool maskedStores;
  int64_t streamBytes, lineBytes, l1Bytes;
};

// The accumulators of two sums and the values of a step fit the registers: 8 of 32 with AVX-512 and NEON, 4 of 16
// below. Resident slices fit the smallest L2 that comes with a level, beside what else lives there.
// clang-format off
constexpr std::array<Level, 3> levels = {{
    {.name = "x86-64-v3", .triple = "x86_64-unknown-linux-gnu", .cpu = "x86-64-v3", .features = "",
     .tree = {.vectorBytes = 32, .accumulators = 4, .residentBytes = 128 * KiB,
              .chunkElements = 16384},
     .maskedStores = false, .streamBytes = 16 * MiB,
     .lineBytes = 64, .l1Bytes = 32 * KiB},
    {.name = "x86-64-v4", .triple = "x86_64-unknown-linux-gnu", .cpu = "x86-64-v4", .features = "",
     .tree = {.vectorBytes = 64, .accumulators = 4, .residentBytes = 512 * KiB,
              .chunkElements = 65536},
     .maskedStores = true, .streamBytes = 16 * MiB,
     .lineBytes = 64, .l1Bytes = 32 * KiB},
    {.name = "aarch64", .triple = "aarch64-unknown-linux-gnu", .cpu = "generic", .features = "+neon",
     .tree = {.vectorBytes = 16, .accumulators = 8, .residentBytes = 256 * KiB,
              .chunkElements = 16384},
     .maskedStores = false, .streamBytes = 16 * MiB,
     .lineBytes = 64, .l1Bytes = 64 * KiB},
}};
// clang-format on

Machine machineOf(const Level &level) {
  return {level.name,         level.triple,      level.cpu,       level.features, level.tree,
          level.maskedStores, level.streamBytes, level.lineBytes, level.l1Bytes};
}

const Level *levelNamed(std::string_view name) {
  auto found = std::find_if(levels.begin(), levels.end(), [&](const Level &level) { return name == level.name; });
  return found == levels.end() ? nullptr : &*found;
}

/// The level whose instructions this machine has, null where it is below all of them.
const Level *hostLevel(const StringMap<bool> &features) {
  if (Triple(sys::getProcessTriple()).isAArch64()) return levelNamed("aarch64");
  auto has = [&](std::initializer_list<StringRef> names) {
    return std::all_of(names.begin(), names.end(), [&](StringRef name) { return features.lookup(name); });
  };
  if (!has({"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"})) return nullptr;
  return levelNamed(has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}) ? "x86-64-v4" : "x86-64-v3");
}

std::optional<Machine> measureHost() {
  StringMap<bool> features = sys::getHostCPUFeatures();
  const Level *level = hostLevel(features);
  if (!level) return std::nullopt;
  Machine machine = machineOf(*level);
  machine.triple = sys::getProcessTriple();
  machine.cpu = sys::getHostCPUName().str();
  // The map has no order of its own, but equal machines must have equal keys.
  std::vector<std::string> signedNames;
  for (const auto &feature : features) signedNames.push_back((feature.second ? "+" : "-") + feature.first().str());
  std::sort(signedNames.begin(), signedNames.end());
  machine.features = join(signedNames, ",");
  machine.isMeasured = true;
  auto measure = [](int64_t &bytes, int name) {
    if (long value = sysconf(name); value > 0) bytes = value;
  };
  measure(machine.l1Bytes, _SC_LEVEL1_DCACHE_SIZE);
  measure(machine.lineBytes, _SC_LEVEL1_DCACHE_LINESIZE);
  // Of a large last cache other cores have most, and what bypasses it costs less than what pushes theirs out.
  int64_t lastBytes = 2 * machine.streamBytes;
  measure(lastBytes, _SC_LEVEL3_CACHE_SIZE);
  machine.streamBytes = std::clamp(lastBytes / 2, 8 * MiB, machine.streamBytes);
  return machine;
}

bool setFact(StringRef fact, Machine &machine) {
  auto take = [&](StringRef name, int64_t least, int64_t most, int64_t &value) {
    return fact.consume_front(name) && !fact.getAsInteger(10, value) && value >= least && value <= most;
  };
  int64_t elements = 0;
  if (take("resident=", 1, MiB, elements)) {
    machine.tree.residentBytes = 4 * elements;
    machine.tree.chunkElements = std::max<int64_t>(1, elements / 4);
    return true;
  }
  return take("stream=", 0, int64_t(1) << 40, machine.streamBytes) || take("l1=", 4 * KiB, MiB * KiB, machine.l1Bytes);
}

bool isGpu(StringRef name) { return name == "cuda" || name.starts_with("cuda:") || name.starts_with("sm_"); }

} // namespace

const Machine *hostMachine() {
  static const std::optional<Machine> machine = measureHost();
  return machine ? &*machine : nullptr;
}

bool setFacts(std::string_view text, Machine &machine) {
  SmallVector<StringRef> facts;
  StringRef(text).split(facts, '/');
  return all_of(facts, [&](StringRef fact) { return setFact(fact, machine); });
}

bool runsHere(const Machine &machine) {
  const Machine *host = hostMachine();
  if (!host) return false;
  const Level *level = levelNamed(machine.name), *most = levelNamed(host->name);
  return level && StringRef(level->triple) == most->triple &&
         level <= most; // the table has the levels of one kind in order
}

/// The names that parseTargets knows.
static std::vector<std::string> targetNames() {
  std::vector<std::string> names = {"cpu"};
  for (const Level &level : levels) {
    names.push_back(std::string("cpu:") + level.name);
    names.push_back(level.name);
  }
  return names;
}

std::vector<Machine> parseTargets(std::string_view text, Diagnostics &diagnostics) {
  std::vector<Machine> machines;
  bool good = true;
  auto fail = [&](const std::string &message, Fault fault = Fault::usage) {
    diagnostics.error({}, message, fault);
    good = false;
  };
  SmallVector<StringRef> names;
  StringRef(text).split(names, ',');
  for (StringRef name : names) {
    name = name.trim();
    StringRef whole = name, facts;
    std::tie(name, facts) = name.split('/');
    StringRef level = name;
    level.consume_front("cpu:");
    if (name == "cpu") {
      if (const Machine *host = hostMachine()) machines.push_back(*host);
      else
        fail("this machine's processor (" + sys::getHostCPUName().str() +
                 ") is below x86-64-v3: AVX2, FMA and F16C are required",
             Fault::system);
    } else if (const Level *named = levelNamed(level)) {
      machines.push_back(machineOf(*named));
    } else if (isGpu(name)) {
      fail("target `" + name.str() + "` is not available: this compiler generates code for cpu targets only");
    } else {
      std::string nearest = nearestName(name, targetNames());
      fail("unknown target `" + name.str() + "`" +
           (nearest.empty() ? ": expected one of " + join(targetNames(), ", ") : ": did you mean `" + nearest + "`"));
    }
    if (!good || !whole.contains('/')) continue;
    machines.back().isMeasured = false; // said, not found
    if (!setFacts(facts, machines.back()))
      fail("target `" + whole.str() + "`: expected facts after its name: `/resident=N` with N from 1 to " +
           std::to_string(MiB) + ", `/stream=N` or `/l1=N`");
  }
  return good ? machines : std::vector<Machine>();
}

} // namespace normc
