#ifndef NORMC_COMPILER_EMIT_SIGNATUREOF_H
#define NORMC_COMPILER_EMIT_SIGNATUREOF_H
#include "compiler/Diagnostics.h"
#include "compiler/Signature.h"
#include "dialect/Norm.h"

namespace normc {

/// How a specialized kernel in value form is called: its arguments (inputs as declared, then outputs; a state and its
/// update are one), its axes, and what a call has to check. Fails where a split or a position depends on what a call
/// cannot tell beforehand.
std::optional<Signature> signatureOf(norm::KernelOp kernel, Diagnostics &diagnostics);

} // namespace normc
#endif
