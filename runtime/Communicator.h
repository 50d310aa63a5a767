#ifndef NORMC_RUNTIME_COMMUNICATOR_H
#define NORMC_RUNTIME_COMMUNICATOR_H
#include <cstdint>

namespace normc::runtime {

/// What joins a replica with the others of its job. Each replica has its own, for one thread at a time.
///
/// Compiled code combines what is gathered, by the same instructions on each replica and in the order of their numbers:
/// results do not depend on who comes when, and are the same bits everywhere. So this is all that a way of
/// communicating has to know.
class Communicator {
public:
  virtual ~Communicator() = default;

  /// How many replicas the job has, and which of them this is, from 0.
  virtual int64_t replicas() const = 0;
  virtual int64_t number() const = 0;

  /// Gives `bytes` bytes to all replicas, and takes at `all` what each of them gives, in the order of their numbers.
  /// Every replica calls this equally often, with equally many bytes; it returns when all have. False where one has
  /// left the job, or gives another number of bytes: then, and from then on, there is nothing at `all`.
  virtual bool gather(const void *mine, int64_t bytes, void *all) = 0;
};

} // namespace normc::runtime
#endif
