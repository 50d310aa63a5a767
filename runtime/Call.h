#ifndef NORMC_RUNTIME_CALL_H
#define NORMC_RUNTIME_CALL_H
#include "compiler/Extents.h"
#include "runtime/Buffer.h"
#include "runtime/Communicator.h"
#include "runtime/Kernel.h"
#include <optional>
#include <span>

namespace normc::runtime {

/// An argument as its caller holds it: elements in C order, aligned for their type. A scalar has no dimensions, and its
/// value is in memory too. Nothing is owned.
struct TensorView {
  void *data = nullptr;
  ElementType type = ElementType::f32;
  std::span<const int64_t> shape; // in memory order
};

/// A kernel with its arguments named once: from then on they are passed by position. Keeps the workspace and the
/// extents of the last run, so that a run with the same shapes on one thread neither allocates nor locks. One thread at
/// a time may use a call; a kernel may have many.
class Call {
public:
  /// Binds every argument of the kernel to a position in what `run` takes. A name that the kernel does not have, one
  /// that stands twice, and an argument without a name are errors of usage; the result is empty then.
  static std::optional<Call> bind(std::shared_ptr<const Kernel> kernel, std::span<const std::string> names,
                                  Diagnostics &diagnostics);

  /// Checks types, ranks, extents, alignment and overlap of `tensors`, which are in the order of the names, compiles
  /// the variant of the kernel that they need where it is not compiled yet, and finds memory for a workspace. A run of
  /// tensors with these shapes has less to do then. False with errors.
  bool prepare(std::span<const TensorView> tensors, Diagnostics &diagnostics,
               const Communicator *communicator = nullptr);

  /// Prepares what is not, and runs the kernel. Errors go to `diagnostics`; nothing has been written then, and the
  /// result is false. An output may share an input's memory, all of it, where the kernel was compiled for that.
  ///
  /// A kernel that reduces across replicas takes this replica's `communicator`; without one, this replica is the whole
  /// job. All replicas call this at once. Where one of them fails, all do, and none has written anything, unless the
  /// communicator itself fails on the way.
  bool run(std::span<const TensorView> tensors, ThreadPool &pool, Diagnostics &diagnostics,
           Communicator *communicator = nullptr);

  /// Waking other threads takes longer than one thread takes for less than this much.
  static constexpr int64_t smallBytes = 256 * 1024;

  /// The largest number of threads that took part in one phase of the last run.
  unsigned workers() const { return lastWorkers; }
  const Kernel &kernel() const { return *callee; }

private:
  Call() = default;
  std::shared_ptr<const Kernel> callee;
  std::vector<size_t> positions;    // of the kernel's arguments, in what is passed
  std::vector<int> sharesWith;      // for an output: the argument whose memory it may take; -1
  std::vector<void *> pointers;     // in the order of the kernel's arguments
  std::vector<Passed> passed;       // of the last run that was checked
  std::optional<Extents> extents;   // that follow from it
  const Variant *variant = nullptr; // of the kernel, for them
  bool smallCall = false;           // too small for other threads to help
  int64_t replicas = 0;             // of the job
  uint64_t fingerprint = 0;         // equal on replicas that may run together
  Buffer workspace;
  std::byte *messages = nullptr; // in there, for what replicas exchange
  struct Vote {
    int64_t isGood;
    uint64_t fingerprint;
  };
  std::vector<Vote> votes; // of all replicas
  unsigned lastWorkers = 0;

  bool checkArguments(std::span<const TensorView> tensors, Diagnostics &diagnostics);
  bool checkOverlap(std::span<const TensorView> tensors, Diagnostics &diagnostics) const;
  bool bindShapes(std::span<const TensorView> tensors, int64_t job, Diagnostics &diagnostics);
  bool allocateWorkspace(const int64_t *leaves, Diagnostics &diagnostics);
  bool agree(bool isGood, Communicator &communicator, Diagnostics &diagnostics);
};

} // namespace normc::runtime
#endif
