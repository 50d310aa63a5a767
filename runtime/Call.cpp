#include "runtime/Call.h"
#include <algorithm>
#include <cassert>
#include <fmt/format.h>

namespace normc::runtime {
namespace {

bool isTensor(const Argument &argument) { return argument.role != Argument::Role::scalar; }

bool isEmpty(std::span<const int64_t> shape) { return std::find(shape.begin(), shape.end(), 0) != shape.end(); }

/// Whether the bytes of a tensor can be counted, zero extents aside.
bool isAddressable(const TensorView &tensor) {
  int64_t bytes = bytesOf(tensor.type);
  for (int64_t extent : tensor.shape)
    if (extent != 0 && __builtin_mul_overflow(bytes, extent, &bytes)) return false;
  return true;
}

/// Of a shape that has been checked.
int64_t elements(std::span<const int64_t> shape) {
  if (isEmpty(shape)) return 0;
  int64_t product = 1;
  for (int64_t extent : shape) product *= extent;
  return product;
}

bool sameShape(const Passed &passed, std::span<const int64_t> shape) {
  return passed.shape && std::equal(passed.shape->begin(), passed.shape->end(), shape.begin(), shape.end());
}

/// The value of an integer or bool that is read and has no axes, on which splits and positions may depend; else 0.
int64_t integerOf(const Argument &argument, const TensorView &tensor) {
  bool isRead = argument.role != Argument::Role::output && tensor.shape.empty();
  return isRead ? integerAt(tensor.type, tensor.data, 0) : 0;
}

/// FNV-1a, of a kernel's name, what it exchanges, and the extents that replicas have in common.
uint64_t fingerprintOf(const Signature &signature, const Variant &variant, const Extents &extents) {
  uint64_t hash = 0xcbf29ce484222325;
  auto add = [&](std::string_view text) {
    for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  add(signature.kernel);
  for (const Phase &phase : variant.phases) // those of another variant of it may stand in other phases
    if (!phase.exchanges.empty()) add("," + std::to_string(phase.exchanges.size()));
  for (size_t row = 0; row < signature.axes.size(); ++row)
    if (const std::string &axis = signature.axes[row].name; signature.commonAxes.contains(axis))
      add("," + axis + "=" + std::to_string(extents.rows[row]));
  return hash;
}

} // namespace

std::optional<Call> Call::bind(std::shared_ptr<const Kernel> kernel, std::span<const std::string> names,
                               Diagnostics &diagnostics) {
  const std::vector<Argument> &arguments = kernel->signature().arguments;
  constexpr size_t unbound = ~size_t(0);
  Call call;
  call.positions.assign(arguments.size(), unbound);
  call.sharesWith.assign(arguments.size(), -1);
  call.pointers.resize(arguments.size());
  call.passed.resize(arguments.size());
  auto indexOf = [&](const std::string &name) -> size_t {
    for (size_t i = 0; i < arguments.size(); ++i)
      if (arguments[i].name == name) return i;
    return unbound;
  };
  bool good = true;
  auto fail = [&](std::string message) {
    diagnostics.error({kernel->signature().kernel}, std::move(message), Fault::usage);
    good = false;
  };
  for (size_t position = 0; position < names.size(); ++position) {
    size_t i = indexOf(names[position]);
    if (i == unbound) {
      std::vector<std::string> known;
      for (const Argument &argument : arguments) known.push_back(argument.name);
      std::string near = nearestName(names[position], known);
      fail(fmt::format("the kernel has no argument `{}`: {}", names[position],
                       near.empty() ? fmt::format("it has {}", fmt::join(known, ", "))
                                    : fmt::format("did you mean `{}`", near)));
    } else if (call.positions[i] != unbound) {
      fail(fmt::format("argument `{}` is named twice", names[position]));
    } else {
      call.positions[i] = position;
    }
  }
  for (size_t i = 0; i < arguments.size(); ++i)
    if (call.positions[i] == unbound) fail(fmt::format("argument `{}` is not passed", arguments[i].name));
  for (const auto &[output, input] : kernel->inplace()) {
    size_t to = indexOf(output), from = indexOf(input);
    if (to != unbound && from != unbound) call.sharesWith[to] = static_cast<int>(from);
  }
  if (!good) return std::nullopt;
  call.callee = std::move(kernel);
  return call;
}

bool Call::checkArguments(std::span<const TensorView> tensors, Diagnostics &diagnostics) {
  const std::vector<Argument> &arguments = callee->signature().arguments;
  bool good = true;
  auto fail = [&](const Argument &argument, std::string message) {
    diagnostics.error({callee->signature().kernel}, fmt::format("argument `{}` {}", argument.name, message));
    good = false;
  };
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Argument &argument = arguments[i];
    const TensorView &tensor = tensors[positions[i]];
    pointers[i] = tensor.data;
    if (tensor.type != argument.type)
      fail(argument, fmt::format("is {}: expected {}", nameOf(tensor.type), nameOf(argument.type)));
    else if (!isTensor(argument) && !tensor.shape.empty())
      fail(argument, fmt::format("has {} dimensions: expected a scalar", tensor.shape.size()));
    else if (auto negative = std::find_if(tensor.shape.begin(), tensor.shape.end(), [](int64_t e) { return e < 0; });
             negative != tensor.shape.end())
      fail(argument, fmt::format("has the extent {}: expected 0 or more", *negative));
    else if (!isAddressable(tensor)) fail(argument, "is larger than any memory");
    else if (!tensor.data && !isEmpty(tensor.shape)) fail(argument, "has no memory");
    else if (reinterpret_cast<uintptr_t>(tensor.data) % static_cast<uintptr_t>(bytesOf(tensor.type)) != 0)
      fail(argument, fmt::format("is not aligned: its address is no multiple of {}", bytesOf(tensor.type)));
  }
  return good;
}

bool Call::checkOverlap(std::span<const TensorView> tensors, Diagnostics &diagnostics) const {
  const std::vector<Argument> &arguments = callee->signature().arguments;
  bool good = true;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].written) continue;
    const TensorView &output = tensors[positions[i]];
    uintptr_t begin = reinterpret_cast<uintptr_t>(output.data);
    uintptr_t end = begin + static_cast<uintptr_t>(elements(output.shape) * bytesOf(output.type));
    for (size_t j = 0; j < arguments.size(); ++j) {
      // Two written ones are compared once.
      if (j == i || (arguments[j].written && j < i)) continue;
      const TensorView &other = tensors[positions[j]];
      uintptr_t otherBegin = reinterpret_cast<uintptr_t>(other.data);
      uintptr_t otherEnd = otherBegin + static_cast<uintptr_t>(elements(other.shape) * bytesOf(other.type));
      if (begin == end || otherBegin == otherEnd || end <= otherBegin || otherEnd <= begin) continue;
      bool same = begin == otherBegin && output.type == other.type &&
                  std::equal(output.shape.begin(), output.shape.end(), other.shape.begin(), other.shape.end());
      bool allowed = sharesWith[i] == static_cast<int>(j) || sharesWith[j] == static_cast<int>(i);
      if (same && allowed) continue;
      diagnostics.error({callee->signature().kernel},
                        fmt::format("arguments `{}` and `{}` overlap in memory: {}", arguments[i].name,
                                    arguments[j].name,
                                    same ? "the kernel was not compiled to run in place"
                                         : "one that is written must be apart, or be the same tensor in place"));
      good = false;
    }
  }
  return good;
}

bool Call::bindShapes(std::span<const TensorView> tensors, int64_t job, Diagnostics &diagnostics) {
  const std::vector<Argument> &arguments = callee->signature().arguments;
  bool same = extents.has_value() && replicas == job && !callee->signature().readsElements;
  for (size_t i = 0; same && i < arguments.size(); ++i) {
    const TensorView &tensor = tensors[positions[i]];
    same = (!isTensor(arguments[i]) || sameShape(passed[i], tensor.shape)) &&
           passed[i].integer == integerOf(arguments[i], tensor);
  }
  if (same) return true;
  extents.reset();
  for (size_t i = 0; i < arguments.size(); ++i) {
    const TensorView &tensor = tensors[positions[i]];
    passed[i] = Passed();
    if (isTensor(arguments[i])) passed[i].shape.emplace(tensor.shape.begin(), tensor.shape.end());
    passed[i].integer = integerOf(arguments[i], tensor);
    if (arguments[i].role != Argument::Role::output) passed[i].data = tensor.data;
  }
  std::optional<Extents> bound = bindExtents(callee->signature(), passed, diagnostics);
  if (!bound) return false;
  replicas = job;
  if (callee->signature().acrossReplicas) bound->leaves.push_back(replicas);
  variant = callee->variant(bound->leaves.data(), diagnostics);
  if (!variant) return false;
  fingerprint = fingerprintOf(callee->signature(), *variant, *bound);
  if (!allocateWorkspace(bound->leaves.data(), diagnostics)) return false;
  int64_t total = 0;
  for (size_t i = 0; i < arguments.size(); ++i)
    total += elements(tensors[positions[i]].shape) * bytesOf(arguments[i].type);
  smallCall = total < smallBytes;
  extents = std::move(bound);
  return true;
}

bool Call::allocateWorkspace(const int64_t *leaves, Diagnostics &diagnostics) {
  constexpr int64_t line = Buffer::alignment;
  int64_t bytes = (variant->workspaceBytes(leaves) + line - 1) / line * line;
  assert(bytes >= 0 && "a kernel's workspace has a size");
  int64_t total = bytes + (replicas > 1 ? (1 + replicas) * messageBytes(variant->phases, leaves) : 0);
  if (workspace.size() < static_cast<size_t>(total)) {
    std::optional<Buffer> larger = Buffer::allocate(static_cast<size_t>(total));
    if (!larger) {
      diagnostics.error({callee->signature().kernel}, fmt::format("no memory for a workspace of {} bytes", total),
                        Fault::system);
      return false;
    }
    workspace = std::move(*larger);
  }
  messages = workspace.data() + bytes;
  return true;
}

/// Whether all replicas may go on: no replica writes anything before all have said so.
bool Call::agree(bool isGood, Communicator &communicator, Diagnostics &diagnostics) {
  Vote mine = {isGood, isGood ? fingerprint : 0};
  votes.resize(static_cast<size_t>(communicator.replicas()));
  auto fail = [&](std::string message, Fault fault) {
    if (isGood) diagnostics.error({callee->signature().kernel}, std::move(message), fault);
    return false;
  };
  if (!communicator.gather(&mine, sizeof mine, votes.data()))
    return fail("another replica of the job has left it", Fault::system);
  for (size_t replica = 0; replica < votes.size(); ++replica)
    if (!votes[replica].isGood) return fail(fmt::format("replica {} of the job failed", replica), Fault::spec);
  for (size_t replica = 0; replica < votes.size(); ++replica)
    if (votes[replica].fingerprint != fingerprint)
      return fail(fmt::format("replica {} runs another kernel than replica {}, or has other extents of what is reduced "
                              "across replicas ({})",
                              replica, communicator.number(), fmt::join(callee->signature().commonAxes, ", ")),
                  Fault::spec);
  return true;
}

bool Call::run(std::span<const TensorView> tensors, ThreadPool &pool, Diagnostics &diagnostics,
               Communicator *communicator) {
  if (communicator && (communicator->replicas() == 1 || !callee->signature().acrossReplicas)) communicator = nullptr;
  bool isGood = prepare(tensors, diagnostics, communicator);
  if (communicator) isGood = agree(isGood, *communicator, diagnostics);
  if (!isGood) return false;
  bool alone = smallCall && !pool.spreads();
  std::optional<unsigned> ran = runPhases(variant->phases, pointers.data(), extents->leaves.data(), workspace.data(),
                                          alone ? nullptr : &pool, communicator, messages);
  if (!ran) {
    diagnostics.error({callee->signature().kernel}, "another replica of the job left it on the way", Fault::system);
    return false;
  }
  lastWorkers = *ran;
  return true;
}

bool Call::prepare(std::span<const TensorView> tensors, Diagnostics &diagnostics, const Communicator *communicator) {
  if (tensors.size() != positions.size()) {
    diagnostics.error({callee->signature().kernel},
                      fmt::format("{} arguments passed: expected {}", tensors.size(), positions.size()), Fault::usage);
    return false;
  }
  int64_t job = communicator && callee->signature().acrossReplicas ? communicator->replicas() : 1;
  return checkArguments(tensors, diagnostics) && bindShapes(tensors, job, diagnostics) &&
         checkOverlap(tensors, diagnostics);
}

} // namespace normc::runtime
