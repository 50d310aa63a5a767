#include "runtime/Kernel.h"
#include <algorithm>
#include <cassert>
#include <fmt/format.h>

namespace normc::runtime {
namespace {

std::unique_ptr<Variant> load(const Artifact &artifact, Diagnostics &diagnostics) {
  auto variant = std::make_unique<Variant>();
  for (const std::string &object : artifact.objects) {
    variant->code.push_back(LoadedObject::load(object, diagnostics));
    if (!variant->code.back()) return nullptr;
  }
  bool complete = true;
  auto find = [&]<typename Function>(const std::string &symbol, Function *&function) {
    for (const std::unique_ptr<LoadedObject> &object : variant->code)
      if ((function = object->function<Function>(symbol))) return;
    complete = false;
    diagnostics.error({artifact.signature.kernel}, fmt::format("the compiled code has no function `{}`", symbol),
                      Fault::system);
  };
  for (const PhaseSymbols &symbols : artifact.phases) {
    Phase phase{};
    find(symbols.entry, phase.entry);
    find(symbols.blocks, phase.blocks);
    for (size_t i = 0; i < symbols.exchanges; ++i) find(symbols.exchange(i), phase.exchanges.emplace_back());
    variant->phases.push_back(std::move(phase));
  }
  find(workspaceBytesSymbol(artifact.signature.kernel), variant->workspaceBytes);
  return complete ? std::move(variant) : nullptr;
}

} // namespace

std::shared_ptr<const Kernel> Kernel::adopt(Signature signature, std::vector<Phase> phases,
                                            int64_t (*workspaceBytes)(const int64_t *extents),
                                            std::map<std::string, std::string> inplace) {
  std::shared_ptr<Kernel> kernel(new Kernel);
  kernel->callers = std::move(signature);
  kernel->shared = std::move(inplace);
  kernel->slots.emplace_back().ready = new Variant{std::move(phases), workspaceBytes};
  return kernel;
}

std::shared_ptr<const Kernel> Kernel::of(std::unique_ptr<Plan> plan, std::map<std::string, std::string> inplace) {
  std::shared_ptr<Kernel> kernel(new Kernel);
  kernel->callers = plan->signature();
  kernel->shared = std::move(inplace);
  for (const std::vector<Guard> &guards : plan->variants()) kernel->slots.emplace_back().guards = guards;
  kernel->plan = std::move(plan);
  return kernel;
}

Kernel::~Kernel() {
  for (const Slot &slot : slots) delete slot.ready;
}

const Variant *Kernel::variant(const int64_t *extents, Diagnostics &diagnostics) const {
  auto slot = std::find_if(slots.begin(), slots.end(), [&](const Slot &slot) {
    return std::all_of(slot.guards.begin(), slot.guards.end(),
                       [&](const Guard &guard) { return guard.holds(extents); });
  });
  assert(slot != slots.end() && "one variant applies");
  if (const Variant *ready = slot->ready.load(std::memory_order_acquire)) return ready;
  return compile(*slot, diagnostics);
}

const Variant *Kernel::compile(Slot &slot, Diagnostics &diagnostics) const {
  std::lock_guard lock(mutex);
  if (const Variant *ready = slot.ready) return ready;
  size_t number = 0;
  while (&slots[number] != &slot) ++number;
  std::optional<Artifact> artifact = plan->generate(number, diagnostics);
  std::unique_ptr<Variant> variant = artifact ? load(*artifact, diagnostics) : nullptr;
  if (!variant) return nullptr;
  slot.ready.store(variant.release(), std::memory_order_release);
  if (std::all_of(slots.begin(), slots.end(), [](const Slot &slot) { return slot.ready.load() != nullptr; }))
    plan.reset();
  return slot.ready;
}

} // namespace normc::runtime
