#ifndef NORMC_RUNTIME_REPLICAS_H
#define NORMC_RUNTIME_REPLICAS_H
#include "runtime/Communicator.h"
#include <condition_variable>
#include <mutex>
#include <vector>

namespace normc::runtime {

/// A job whose replicas are threads of this process: each runs its own call, with its own communicator. Outlives what
/// its communicators are used for.
class Replicas {
public:
  explicit Replicas(int64_t count);
  Replicas(const Replicas &) = delete;
  Replicas &operator=(const Replicas &) = delete;

  Communicator &communicator(int64_t number) { return members[static_cast<size_t>(number)]; }

  /// Some replica will not come, or not again: those that wait for it fail. Not for one that is in `gather`.
  void leave();

private:
  class Member : public Communicator {
  public:
    Member(Replicas &job, int64_t index) : job(job), index(index) {}
    int64_t replicas() const override { return static_cast<int64_t>(job.members.size()); }
    int64_t number() const override { return index; }
    bool gather(const void *mine, int64_t bytes, void *all) override { return job.gather(index, mine, bytes, all); }

  private:
    Replicas &job;
    int64_t index;
  };
  struct Given {
    const void *data = nullptr;
    int64_t bytes = 0;
  };

  bool gather(int64_t index, const void *mine, int64_t bytes, void *all);
  bool meet(std::unique_lock<std::mutex> &lock);

  std::vector<Member> members;
  std::vector<Given> given;
  std::mutex mutex;
  std::condition_variable changed;
  size_t arrived = 0;
  uint64_t turn = 0; // counts how often all have met
  bool broken = false;
};

} // namespace normc::runtime
#endif
