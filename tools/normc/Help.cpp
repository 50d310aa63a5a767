#include "compiler/schedule/Machine.h"
#include "runtime/ThreadPool.h"
#include "tools/normc/Commands.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/TargetParser/Host.h"
#include <fmt/format.h>

namespace normc::cli {
namespace {

constexpr std::string_view overview =
    R"(normc compiles normalization layers, written as formulas over named axes, to fast code.

usage: normc COMMAND FILE [options]

commands
  check      parse and verify FILE; print each kernel's signature
  compile    write a stage of the compilation, an object file or a shared library
  run        run a kernel on .npy files and write its results
  explain    print the axes, the phases, the passes and the bytes moved
  gradient   print a derived kernel as text
  fmt        lay files out in the canonical way
  bench      time kernels beside the memory limit of this machine
  tune       time a kernel's variants here; the compiler remembers the best
  normc COMMAND --help says more; normc --version names the versions and devices

a first run, without a file of data
  normc run specs/group_norm.norm --seed-input x=64x16x112x112:f32 -D groups=4 --time

exit status
  0  done
  1  the spec or the data is wrong; the diagnostic is on standard error
  2  the command line is wrong: an unknown command, option, kernel, parameter, input, output or target
  3  the device or the system failed: a file that cannot be opened or written, no memory
)";

constexpr std::string_view checkHelp = R"(usage: normc check FILE [-I DIR]

Parses and verifies every kernel of FILE and what it imports, and prints each kernel's signature.

  normc check specs/layer_norm.norm
)";

constexpr std::string_view compileHelp =
    R"(usage: normc compile FILE [selection] [--target T] [--emit KIND,...] [-o OUT]

Compiles one kernel. KIND is a stage, in the order of the compilation
  ast norm specialized collapsed decomposed planned vector llvm asm
or a product: object (the default), shared. Stages are text, and go to standard output without -o; a
product needs -o. With several kinds, OUT is what the files' names begin with: -o ln --emit
planned,object writes ln.planned.mlir and ln.o.

  normc compile specs/layer_norm.norm --emit planned
  normc compile specs/group_norm.norm -D groups=8 -D T=bf16 --target cpu:x86-64-v3 -o group_norm.o
  normc compile specs/batch_norm.norm --rank s=2 --order x=n,s...,c --order y=n,s...,c --dump-stages stages
)";

constexpr std::string_view runHelp =
    R"(usage: normc run FILE [selection] --input NAME=FILE... [--scalar NAME=NUMBER...] [--output NAME=FILE...]

Runs one kernel. Element types, ranks and extents are those of the inputs; no type is converted. An
optional input that is not passed is omitted. With --output, outputs that are not named are not
computed; with none, each result's shape, mean, deviation, least and greatest element are printed.
State (inout) is an --input, and an --output where its update is wanted.

Arrays are .npy files, or in .npz archives: x=all.npz is its array x, x=all.npz:key another. bf16
and f8 are as NumPy stores ml_dtypes (|V2, |V1). Dimensions are in memory order, as --order lists
them. Input files are never changed; output files appear whole or not at all, and an archive that is
written is made anew. A file that cannot be opened is status 3, one that is damaged status 1.

Replicas of a job, for reductions across them: x@0=a.npy, x@1=b.npy give each its own input,
y@1=y.npy writes the output of one; an input without a number is that of all.

--seed-input makes an input: SHAPE is extents joined by x (none: 0-d), TYPE an element type, DIST
normal(MEAN,DEVIATION) or uniform(LOWER,UPPER). Without DIST, floats are normal(0,1), integers
uniform(0,10) and bools uniform(0,2), where UPPER itself does not occur. An element depends on the
input's name, its position and DIST alone: the same command gives the same data.

Replicas of a job run in one process where inputs are given for each: x@0=a.npy, x@1=b.npy, numbered
from 0. An input without a number is the same for all of them, a scalar always is; each replica has
outputs of its own, y@0=y.npy. Where one of them fails, all do.

--time prints the time of a run, the bytes of the inputs and outputs a second, and their share of
the memory limit: that of the faster of an ordinary and a cache-bypassing copy of as many bytes, by
as many threads, measured beside it.

  normc run specs/layer_norm.norm --rank f=1 --input x=x.npy --input gamma=gamma.npy --output y=y.npy
  normc run specs/group_norm.norm -D groups=4 --seed-input x=64x16x112x112:f32 --time
  normc run specs/sync_batch_norm.norm --rank s=2 --input x@0=a.npy --input x@1=b.npy --output y@0=y.npy
  normc run specs/batch_norm.norm --input x=x.npy --input moving_mean=mm.npy \
      --input moving_variance=mv.npy --scalar momentum=0.9 --output y=y.npy --output moving_mean=new.npz:mean
)";

constexpr std::string_view explainHelp = R"(usage: normc explain FILE [selection] [--target T]

Prints how one kernel is going to run: its axes, phases and blocks, each pass with its vector width,
and the bytes that it moves.

--time adds what the bytes predict, at the rate of a copy on this machine, and what is measured: for the
extents of --size, and for chosen ones where there are none; inputs are passed as by normc bench.

  normc explain specs/group_norm.norm -D groups=8 --size c=256
  normc explain specs/layer_norm.norm --size b=4096,f=1024 --time
)";

constexpr std::string_view gradientHelp = R"(usage: normc gradient FILE [-k GRADIENT] [-D NAME=VALUE...]

Derives a gradient and prints it as a kernel of its own, in the language of FILE: compiled, it gives
the same results. Its parameters are bound, by -D or their defaults.

  normc gradient specs/layer_norm.norm -k layer_norm_backward
  normc gradient specs/group_norm.norm -k group_norm_backward -D groups=8 -D activation=silu
)";

constexpr std::string_view benchHelp =
    R"(usage: normc bench PROBLEM...
       normc bench --list LIST [--only TEXT,...]
       normc bench FILE [selection] [--seed-input NAME=SHAPE:TYPE...] [--input NAME=FILE...]

Times kernels beside the memory limit of this machine: the fastest of three copies (the C library's,
plain stores, stores that bypass the caches) that read each full-sized input once and write each
full-sized output once, in the same memory, by as many threads, in turns with the kernel. Times are
medians; a copy of two inputs to one output reads both. Calls go through the runtime, bound once.

A PROBLEM is SPEC[/KERNEL]:TYPE:LAYOUT:EXTENTS[:OPTION]..., such as
  group_norm:bf16:nchw:8x256x56x56:groups=32
SPEC is a standard spec or a path that ends in .norm. TYPE is that of the first input, x. LAYOUT has a
letter a dimension, in memory order: the axes of x; d, h, w, l are dimensions of its pack. nchw>nhwc
gives the outputs another order. An OPTION is one of
  pass=fwd|bwd|fwdbwd    the kernel, its gradient (KERNEL_backward), or one after the other
  omit=NAME,...          inputs and outputs to leave out
  with=NAME,...          those to have beside the usual ones: optional inputs that come with the data
                         (a mask, weights), and outputs that only a gradient takes
  inplace=OUTPUT=INPUT   the output takes the input's memory
  fixed                  specialised for the extents of x
  NAME=VALUE             a compile-time parameter, or a scalar input

With a FILE, inputs are passed as to normc run, and those that are needed and not given are made up.
Without any input, those that a PROBLEM passes are made up: --size says their extents, and axes without
a size share 2^22 points.

  normc bench layer_norm:f32:bf:4096x1024 layer_norm:f32:bf:4096x1024:pass=fwdbwd --threads 1,2
  normc bench --list tools/bench/workloads.txt --only group_norm --json
  normc bench specs/group_norm.norm -D groups=8 --seed-input x=8x64x56x56:bf16 --cache warm,cold
  normc bench specs/layer_norm.norm --size b=512,f=4096 --baseline
)";

constexpr std::string_view fmtHelp = R"(usage: normc fmt FILE... [--check]

Lays each FILE out in the canonical way, in place: indentation, spaces, blank lines, the columns of types.
Names, comments, and where an expression goes on in another line stay as they are, and so does what the
file means. A file that does not parse is left alone, with status 1.

  normc fmt specs/layer_norm.norm
  normc fmt --check specs/*.norm
)";

constexpr std::string_view tuneHelp =
    R"(usage: normc tune FILE [selection] [--seed-input NAME=SHAPE:TYPE...]
       normc tune PROBLEM...

Times a kernel for its sizes on this machine with other facts about it: from how many bytes on outputs
bypass the caches, and what the first cache holds. What is better than the usual by a twentieth is kept in
$NORMC_CACHE_DIR/tuned, or in normc/tuned below $XDG_CACHE_HOME or ~/.cache, for the kernel's plan on this
processor: from then on whoever compiles it for cpu gets it. No result changes by a bit. Sizes and problems
are said as to normc bench.

  normc tune group_norm:bf16:nchw:8x256x56x56:groups=32 --threads 2
  normc tune specs/layer_norm.norm --size b=512,f=4096
)";

std::string options(Command command) {
  std::string text = "\noptions\n";
  for (const OptionRow &row : optionRows())
    if (row.commands & command && !row.help.empty())
      text += fmt::format("  {:<38} {}\n", fmt::format("{} {}", row.name, row.argument), row.help);
  text += fmt::format("  {:<38} {}\n", "--help", "this text");
  return text;
}

} // namespace

std::string helpText() { return std::string(overview); }

std::string helpText(Command command) {
  switch (command) {
  case checkCommand:
    return std::string(checkHelp) + options(command);
  case compileCommand:
    return std::string(compileHelp) + options(command);
  case runCommand:
    return std::string(runHelp) + options(command);
  case explainCommand:
    return std::string(explainHelp) + options(command);
  case gradientCommand:
    return std::string(gradientHelp) + options(command);
  case fmtCommand:
    return std::string(fmtHelp) + options(command);
  case tuneCommand:
    return std::string(tuneHelp) + options(command);
  case benchCommand:
    return std::string(benchHelp) + options(command);
  }
  __builtin_unreachable();
}

std::string versionText() {
  const Machine *host = hostMachine();
  return fmt::format("normc {}\nLLVM {}\nhost target: {} ({}, {})\ndevices: cpu ({} cores), evaluator\n", NORMC_VERSION,
                     LLVM_VERSION_STRING, llvm::sys::getProcessTriple(),
                     host ? "cpu:" + host->name : "no target of this version", std::string(llvm::sys::getHostCPUName()),
                     runtime::ThreadPool::cores());
}

} // namespace normc::cli
