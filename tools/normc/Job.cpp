#include "tools/normc/Job.h"
#include "tools/normc/Replicas.h"
#include <fmt/format.h>
#include <system_error>

namespace normc::cli {

Job::Job(const Options &options, Diagnostics &diagnostics) : options(options), diagnostics(diagnostics) {
  for (Options &replica : replicasOf(options)) all.emplace_back(std::move(replica));
  if (all.size() > 1) group.emplace(static_cast<int64_t>(all.size()));
}

/// Reports what went wrong on any replica: what is wrong with a file names it, the rest says whose it is.
bool Job::collect(bool isGood) {
  for (size_t number = 0; number < all.size(); ++number) {
    for (const Diagnostics::Entry &entry : all[number].errors.all()) {
      bool isSpecs = entry.place.file == options.file || entry.place.line != 0;
      std::string message =
          isSpecs && all.size() > 1 ? fmt::format("replica {}: {}", number, entry.message) : entry.message;
      diagnostics.error(entry.place, std::move(message), entry.fault).notes = entry.notes;
    }
    all[number].errors = Diagnostics();
  }
  return isGood && !diagnostics.any();
}

bool Job::read() {
  bool isGood = true;
  for (Replica &replica : all) isGood &= replica.arguments.read();
  return collect(isGood);
}

std::optional<Selection> Job::select(const Source &source) {
  std::vector<Selection> selections;
  for (Replica &replica : all)
    if (std::optional<Selection> selection = replica.arguments.select(source))
      selections.push_back(std::move(*selection));
  if (!collect(selections.size() == all.size())) return std::nullopt;
  Selection &selection = selections.front();
  for (size_t number = 1; number < all.size(); ++number) {
    const Selection &other = selections[number];
    auto differs = [&](const std::string &name, const std::string &found, const std::string &first) {
      diagnostics.error({all[number].arguments.placeOf(name)},
                        fmt::format("it has {}: input {} has {} on replica 0", found, name, first));
    };
    for (const auto &[name, type] : selection.inputTypes)
      if (auto found = other.inputTypes.find(name); found != other.inputTypes.end() && found->second != type)
        differs(name, fmt::format("{} elements", nameOf(found->second)), fmt::format("{}", nameOf(type)));
    for (const auto &[name, rank] : selection.inputRanks)
      if (int64_t found = other.inputRanks.at(name); found != rank)
        differs(name, fmt::format("{} dimensions", found), fmt::format("{}", rank));
  }
  return collect(true) ? std::optional(std::move(selection)) : std::nullopt;
}

bool Job::bind(const Signature &signature) {
  bool isGood = true;
  std::vector<const Extents *> extents;
  for (Replica &replica : all) {
    bool isBound = replica.arguments.bind(signature);
    isGood &= isBound;
    if (isBound) extents.push_back(&replica.arguments.extents());
  }
  if (!collect(isGood)) return false;
  std::string problem = compareReplicas(signature, extents);
  if (!problem.empty()) diagnostics.error({options.file}, problem);
  return problem.empty();
}

bool Job::prepare(const std::shared_ptr<const runtime::Kernel> &kernel) {
  std::vector<std::string> names;
  for (const Argument &argument : kernel->signature().arguments) names.push_back(argument.name);
  for (size_t number = 0; number < all.size(); ++number) {
    Replica &replica = all[number];
    replica.call = runtime::Call::bind(kernel, names, replica.errors);
    if (replica.call) replica.call->prepare(replica.arguments.views(), replica.errors, communicator(number));
  }
  return collect(true);
}

runtime::Communicator *Job::communicator(size_t number) {
  return group ? &group->communicator(static_cast<int64_t>(number)) : nullptr;
}

void Job::runOne(size_t number) {
  Replica &replica = all[number];
  replica.call->run(replica.arguments.views(), *workersOfRun, replica.errors, communicator(number));
}

bool Job::startThreads() {
  if (!meeting) meeting.emplace(static_cast<ptrdiff_t>(all.size()));
  auto serve = [this](size_t number) {
    for (meeting->arrive_and_wait(); workersOfRun; meeting->arrive_and_wait()) {
      runOne(number);
      meeting->arrive_and_wait();
    }
  };
  try {
    while (threads.size() + 1 < all.size()) threads.emplace_back(serve, threads.size() + 1);
    return true;
  } catch (const std::system_error &) {
    for (size_t absent = threads.size() + 1; absent < all.size(); ++absent) meeting->arrive_and_drop();
    diagnostics.error({"normc"}, fmt::format("no thread for replica {}", threads.size() + 1), Fault::system);
    return false;
  }
}

bool Job::run(runtime::ThreadPool &pool) {
  if (!startThreads()) return false;
  workersOfRun = &pool;
  meeting->arrive_and_wait();
  runOne(0);
  meeting->arrive_and_wait();
  return collect(true);
}

Job::~Job() {
  workersOfRun = nullptr;
  if (meeting) meeting->arrive_and_wait();
  for (std::thread &thread : threads) thread.join();
}

unsigned Job::workers() const {
  unsigned most = 0;
  for (const Replica &replica : all) most = std::max(most, replica.call->workers());
  return most;
}

bool Job::evaluate(const Evaluation &evaluation) {
  std::vector<ReplicaArguments> arguments;
  for (const Replica &replica : all) {
    arguments.push_back({&replica.arguments.extents(), {}});
    for (const runtime::TensorView &tensor : replica.arguments.views()) arguments.back().memory.push_back(tensor.data);
  }
  return evaluation.run(arguments, diagnostics);
}

int64_t Job::bytes() const {
  int64_t total = 0;
  for (const Replica &replica : all) total += replica.arguments.bytes();
  return total;
}

bool Job::keepInputs() {
  bool isGood = true;
  for (Replica &replica : all) isGood &= replica.arguments.keepInputs();
  return collect(isGood);
}

void Job::restore() {
  for (Replica &replica : all) replica.arguments.restore();
}

} // namespace normc::cli
