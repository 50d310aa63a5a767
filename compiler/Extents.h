#ifndef NORMC_COMPILER_EXTENTS_H
#define NORMC_COMPILER_EXTENTS_H
#include "compiler/Diagnostics.h"
#include "compiler/Signature.h"
#include <functional>
#include <map>

namespace normc {

/// What a call passes for one argument of a signature.
struct Passed {
  std::optional<std::vector<int64_t>>
      shape;                  // in memory order; none for what the callee is to allocate, and for scalars
  int64_t integer = 0;        // the value of an integer or bool without axes
  const void *data = nullptr; // the elements of an integer or bool that is read; null: unknown
};

/// The extents of one call.
struct Extents {
  std::vector<int64_t> rows;                // of every row of the signature's table
  std::vector<int64_t> leaves;              // of the leaves, in order: what compiled code takes first
  std::vector<std::vector<int64_t>> shapes; // of every argument, in memory order, packs written out
};

/// Binds every axis from the shapes of the tensors passed (parallel to `signature.arguments`), checks that they agree,
/// that the splits divide and that positions lie in their axes. Errors go to `diagnostics`; the result is empty then.
/// Any thread may call it.
std::optional<Extents> bindExtents(const Signature &signature, const std::vector<Passed> &passed,
                                   Diagnostics &diagnostics);

/// One replica's part of a call: dense memory in the order of the signature's arguments (a scalar's points at its
/// value), of the shapes in `extents`.
struct ReplicaArguments {
  const Extents *extents = nullptr;
  std::vector<void *> memory;
};

/// Where replicas of a job disagree on an axis that must have one extent on all of them (`signature.commonAxes`): the
/// message; empty where they do not.
std::string compareReplicas(const Signature &signature, const std::vector<const Extents *> &replicas);

/// Derives what follows from `whole = outer * inner`. Gives a message, with the numbers, where they contradict each
/// other; empty otherwise.
std::string solveSplit(const AxisRow &row, std::optional<int64_t> &whole, std::optional<int64_t> &outer,
                       std::optional<int64_t> &inner);

/// The value of an expression; none while a size it needs is unknown, or where an element it needs does not exist.
/// `sizes` looks extents up, `inputs` an element of an integer input (0: that of one without axes). A division that is
/// not exact sets `error`.
std::optional<int64_t> evaluate(const IntegerExpression &expression,
                                const std::function<std::optional<int64_t>(const std::string &)> &sizes,
                                const std::function<std::optional<int64_t>(const std::string &, int64_t)> &inputs,
                                std::string &error);

/// An element of memory of an integer type or bool; 0 of another type.
int64_t integerAt(ElementType type, const void *memory, int64_t element);

/// The number of elements, none where it does not fit in 63 bits.
std::optional<int64_t> elementsOf(const std::vector<int64_t> &shape);

/// "file:line:col" taken apart; a place without a line where the text is not of that form.
Place parsePlace(const std::string &text);

} // namespace normc
#endif
