#ifndef NORMC_TOOLS_BENCH_PROBLEM_H
#define NORMC_TOOLS_BENCH_PROBLEM_H
#include "compiler/Compiler.h"
#include "tools/normc/Options.h"

namespace normc::bench {

/// A benchmark as one line of text:
///
///     group_norm:bf16:nchw:8x256x56x56:groups=32
///     SPEC[/KERNEL]:TYPE:LAYOUT:EXTENTS[:OPTION]...
///
/// SPEC is a file of the standard specs, or a path that ends in .norm. TYPE is that of the first input, x. LAYOUT has a
/// letter a dimension, in memory order: axes of x; d, h, w and l are dimensions of its pack. `nchw>nhwc` gives the
/// outputs another order. EXTENTS are in memory order too. An OPTION is one of
///
///     pass=fwd|bwd|fwdbwd    the kernel, its gradient (KERNEL_backward), or one after the other
///     omit=NAME,... with=NAME,...   inputs and outputs to leave out, or to have beside the usual ones
///     inplace=OUTPUT=INPUT   the output takes the input's memory
///     fixed                  specialised for the extents of x
///     NAME=VALUE             a compile-time parameter, or a scalar input
struct Problem {
  enum class Pass : uint8_t { forward, backward, both };
  std::string text, spec, kernel;
  ElementType type = ElementType::f32;
  std::string layout, outputLayout; // equal mostly
  std::vector<int64_t> extents;
  Pass pass = Pass::forward;
  std::set<std::string> omit, with;
  std::map<std::string, std::string> inplace, values;
  bool fixed = false;
};

/// Reads a line. Where it is wrong the result is empty, and `error` says what was found and expected.
std::optional<Problem> parseProblem(std::string_view text, std::string &error);

/// The problems of a file: one a line, from # on a comment. Lines that are wrong are errors with their place.
std::vector<Problem> readProblems(const std::string &path, Diagnostics &diagnostics);

/// Those that the command line names, in words and by a list. Empty with errors.
std::vector<Problem> problemsOf(const cli::Options &options, Diagnostics &diagnostics);

/// A kernel to run, said as on the command line of `normc run`. What is not given of its inputs is made up, or comes
/// from the stage before.
struct Stage {
  cli::Options options;
  std::map<std::string, std::string> cotangents; // inputs that are like an output of the stage before: dy, y
  bool passesAll = false; // inputs that are not omitted, not only those that are given and those that must be
  bool timed = true;
};

/// The stages of a problem: one, or a kernel and its gradient. What does not go with the spec's declarations is an
/// error of usage. `options` are those that the command line gives for all problems.
std::vector<Stage> stagesOf(const Problem &problem, const cli::Options &options, Diagnostics &diagnostics);

/// The stage that a command line says by itself: a file, a selection, and inputs as of `normc run`. Without any input
/// it passes what a problem's line does, each pack with one dimension.
std::vector<Stage> stagesOf(const cli::Options &options, Diagnostics &diagnostics);

} // namespace normc::bench
#endif
