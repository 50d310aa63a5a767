#ifndef NORMC_TOOLS_NORMC_JOB_H
#define NORMC_TOOLS_NORMC_JOB_H
#include "runtime/Context.h"
#include "runtime/Replicas.h"
#include "tools/normc/Arguments.h"
#include <barrier>
#include <deque>
#include <thread>

namespace normc::cli {

/// The replicas of one run, one mostly: their arguments, and their calls of one kernel.
class Job {
public:
  Job(const Options &options, Diagnostics &diagnostics);
  ~Job();

  /// Reads the inputs of all. False with errors where one cannot be read.
  bool read();
  /// What the command line selects, for the one kernel that all replicas run.
  std::optional<Selection> select(const Source &source);
  /// Finds the extents of each replica, and allocates its outputs.
  bool bind(const Signature &signature);

  /// Calls of a kernel, to be run with these arguments: what they need of it is compiled.
  bool prepare(const std::shared_ptr<const runtime::Kernel> &kernel);
  /// Runs it on all replicas at once, each driven by a thread of its own, which stays. Where one fails, all do.
  bool run(runtime::ThreadPool &pool);
  /// The largest number of threads that took part in a phase of one replica.
  unsigned workers() const;

  bool evaluate(const Evaluation &evaluation);

  int64_t bytes() const;
  bool keepInputs();
  void restore();

  struct Replica {
    Options options;
    Diagnostics errors;
    Arguments arguments{options, errors};
    std::optional<runtime::Call> call;
    explicit Replica(Options options) : options(std::move(options)) {}
  };
  const std::deque<Replica> &replicas() const { return all; }

private:
  const Options &options;
  Diagnostics &diagnostics;
  std::deque<Replica> all;
  std::optional<runtime::Replicas> group; // where there are several

  // The threads of all replicas but the first: they meet as a run begins, and as it ends.
  std::vector<std::thread> threads;
  std::optional<std::barrier<>> meeting;
  runtime::ThreadPool *workersOfRun = nullptr; // none: the threads are to end

  bool startThreads();
  void runOne(size_t number);
  runtime::Communicator *communicator(size_t number); // null where there is one replica
  bool collect(bool isGood);
};

} // namespace normc::cli
#endif
