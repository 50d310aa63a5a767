#ifndef NORMC_COMPILER_SCHEDULE_MACHINE_H
#define NORMC_COMPILER_SCHEDULE_MACHINE_H
#include "compiler/Diagnostics.h"
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace normc {

/// What decides the order of a sum, and so the bits of a result. One set for each instruction set level, and none of it
/// is ever measured: two machines of a level give the same bits.
struct TreeFacts {
  unsigned vectorBytes;  // of a register
  unsigned accumulators; // vectors that one reduction keeps in flight
  int64_t residentBytes; // a block's slice up to this is re-read from its worker's own cache
  int64_t chunkElements; // elements a chunk of a split reduction aims at
};

/// How many times as long as they aim at chunks may be where there would be too many: a sum over a chunk of rows stays
/// short enough to be accurate, however many rows there are.
constexpr int64_t chunkGrowth = 16;

/// A target as data: what the planner, the lowering and code generation need to know of it. Every target has a fused
/// multiply-add and conversions between f16 and f32.
struct Machine {
  std::string name;     // "x86-64-v4": the instruction set level
  std::string triple;   // LLVM's
  std::string cpu;      // LLVM's name of the processor
  std::string features; // LLVM's, "+avx2,+fma,..."; empty where the processor says it all
  TreeFacts tree;
  bool maskedStores;       // a partial vector is stored at no extra cost
  int64_t streamBytes;     // what reaches so much memory stores past the caches
  int64_t lineBytes;       // of a cache line
  int64_t l1Bytes;         // of a core, data
  bool isMeasured = false; // this machine as it is, and not what a name says: what has been tuned for it counts
};

/// Reads a target: "cpu" (this machine, measured), "cpu:x86-64-v3", "x86-64-v3", or several joined by commas. Empty
/// where one is unknown or cannot be compiled for: the error (Fault::usage) is in `diagnostics` then. Facts may follow
/// the name, "cpu/stream=0/l1=32768": for tuning, and for tests resident=N: a worker's cache is taken to hold N
/// elements, so that small tensors are streamed.
std::vector<Machine> parseTargets(std::string_view text, Diagnostics &diagnostics);

/// The least that any sweep reaches that stores past the caches, where they usually do so from `streamBytes` on.
constexpr int64_t leastBypassBytes(int64_t streamBytes) { return streamBytes / 4; }

/// Sets the facts of a text such as "stream=0/l1=32768"; false where it is no such text.
bool setFacts(std::string_view text, Machine &machine);

/// This machine, measured once. Null where its processor lacks what every target has.
const Machine *hostMachine();

/// Whether this machine has the instructions of a target.
bool runsHere(const Machine &machine);

} // namespace normc
#endif
