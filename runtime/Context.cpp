#include "runtime/Context.h"
#include "compiler/schedule/Machine.h"

namespace normc::runtime {
namespace {

std::string hostName() {
  const Machine *host = hostMachine();
  return host ? host->name : "below all of them";
}

} // namespace

std::shared_ptr<const Kernel> Context::kernel(const Source &source, const Selection &selection,
                                              Diagnostics &diagnostics) {
  return cache.find(
      keys.of(source, selection, target),
      [&](Diagnostics &errors) -> std::shared_ptr<const Kernel> {
        for (const Machine &machine : parseTargets(target, errors))
          if (!runsHere(machine))
            errors.error({}, "target `" + target + "` does not run here: this machine's level is " + hostName(),
                         Fault::usage);
        if (errors.any()) return nullptr;
        std::unique_ptr<Plan> plan = Plan::prepare(source, selection, target, errors);
        return plan ? Kernel::of(std::move(plan), selection.inplace) : nullptr;
      },
      diagnostics);
}

} // namespace normc::runtime
