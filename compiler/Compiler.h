#ifndef NORMC_COMPILER_COMPILER_H
#define NORMC_COMPILER_COMPILER_H
#include "compiler/Diagnostics.h"
#include "compiler/Extents.h"
#include "compiler/Selection.h"
#include "compiler/emit/Artifact.h"
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace normc {

/// A spec to compile: a file and where its imports are looked up after its own folder.
struct Source {
  std::string path;
  std::string text;
  std::vector<std::string> importPaths;
};

/// Sees the kernel after each stage; `text` writes it, which takes time. Stages by name, in order: ast norm specialized
/// collapsed decomposed planned vector llvm asm. Returning false stops the compilation there (no error).
using StageObserver = std::function<bool(std::string_view stage, const std::function<std::string()> &text)>;

/// Compiles one kernel of a spec for a target ("cpu", "cpu:x86-64-v3", ...), into one object. Errors go to
/// `diagnostics`; the result is empty then, or where the observer stopped. Any thread may call it.
std::optional<Artifact> compile(const Source &source, const Selection &selection, std::string_view target,
                                Diagnostics &diagnostics, const StageObserver &observer = {});

/// How one kernel of a spec is going to run on a target.
struct Explanation {
  std::string text;                   // for people: axes, phases, blocks, passes, bytes moved
  std::optional<int64_t> memoryBytes; // moved to and from memory, where all extents are fixed
};
std::optional<Explanation> explain(const Source &source, const Selection &selection, std::string_view target,
                                   Diagnostics &diagnostics);

/// A gradient of a spec as a kernel of its own, in `.norm` text: derived and simplified, its parameters bound. Without
/// a name in the selection, the file's only gradient.
std::optional<std::string> gradientText(const Source &source, const Selection &selection, Diagnostics &diagnostics);

/// A kernel up to its plan, and machine code for one variant of it after the other: for who compiles what a call needs
/// when it needs it. Any thread may call it; one at a time compiles.
class Plan {
public:
  /// Null with errors where the spec, the selection or the target is wrong.
  static std::unique_ptr<Plan> prepare(const Source &source, const Selection &selection, std::string_view target,
                                       Diagnostics &diagnostics);
  ~Plan();

  const Signature &signature() const;
  /// The guards of each variant. For each call those of exactly one variant hold, all of them.
  const std::vector<std::vector<Guard>> &variants() const;
  /// One variant's plan as the compiler prints it; empty where LLVM gave up before.
  std::string text(size_t variant);
  /// The code of one variant: its phases alone. Empty with errors, ours, where that fails.
  std::optional<Artifact> generate(size_t variant, Diagnostics &diagnostics);

private:
  struct State;
  Plan();
  std::unique_ptr<State> state;
};

/// A kernel in the hands of the evaluator, which executes it naively and in double: the oracle of the tests. Prepared
/// once, it may be run any number of times, by one thread at a time.
class Evaluation {
public:
  /// Null with errors where the spec or the selection is wrong.
  static std::unique_ptr<Evaluation> prepare(const Source &source, const Selection &selection,
                                             Diagnostics &diagnostics);
  ~Evaluation();

  const Signature &signature() const;
  /// Of all replicas of a job, one mostly. Nothing is written before everything is computed. False on an error.
  bool run(std::span<const ReplicaArguments> replicas, Diagnostics &diagnostics) const;

private:
  struct State;
  Evaluation();
  std::unique_ptr<State> state;
};

} // namespace normc
#endif
