#ifndef NORMC_COMPILER_DEEPSTACK_H
#define NORMC_COMPILER_DEEPSTACK_H
#include <functional>

namespace normc {

/// Runs `work` to its end on a stack deep enough for walking a chain of as many operations as a kernel may have, or on
/// the caller's where the system has no memory for one.
void onDeepStack(const std::function<void()> &work);

} // namespace normc
#endif
