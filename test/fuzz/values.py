"""Values of generated kernels, each with a bound on how far correct code may be from it: running error analysis.

A value is computed here in double. Compiled code computes in f32 (or f64), evaluates sums in another order, and has
functions that are within so many ulp. `error` bounds what may follow from that, element by element, to first order in
the unit roundoff: |compiled - value| <= error. Where a decision (a comparison, a rounding to an integer) is too close
to call, the bound covers both outcomes. So the tolerance of a comparison follows from the kernel, and is tight where
the kernel is well conditioned.

Arrays have a dimension for each leaf axis of the kernel, in one order, of extent 1 where the value lacks the axis.
"""

from dataclasses import dataclass

import numpy as np

TINY = 2.0**-120  # below it results may be denormal on the way, and flush


@dataclass
class Value:
    text: str
    kind: str  # real, int or bool
    axes: frozenset
    value: np.ndarray
    error: np.ndarray  # of a bool: 0 where it is certain, inf where it is not


class Arithmetic:
    """The operations, for kernels whose compute type has a unit roundoff of `unit`."""

    def __init__(self, leaves, extents, unit):
        self.leaves, self.extents, self.unit = leaves, extents, unit

    def shape(self, axes):
        return tuple(self.extents[leaf] if leaf in axes else 1 for leaf in self.leaves)

    def places(self, axes):
        return tuple(i for i, leaf in enumerate(self.leaves) if leaf in axes)

    def full(self, array, axes):
        return np.broadcast_to(array, self.shape(axes))

    def make(self, text, kind, axes, value, error):
        if kind == "real":
            error = np.where(np.isfinite(value), np.nan_to_num(error, nan=0.0, posinf=np.inf), 0.0)
        return Value(text, kind, frozenset(axes), self.full(value, axes), self.full(error, axes))

    def real(self, v):
        """An int or a bool where it meets a real."""
        if v.kind == "real":
            return v
        value = v.value.astype(np.float64)
        if v.kind == "bool":
            return self.make(v.text, "real", v.axes, value, np.where(np.isinf(v.error), 1.0, 0.0))
        inexact = np.abs(value) * 2 * self.unit > 1
        return self.make(v.text, "real", v.axes, value, np.where(inexact, self.unit * np.abs(value), 0.0))

    def constant(self, text, number, kind):
        value = np.full((1,) * len(self.leaves), number)
        error = self.unit * abs(number) if kind == "real" else 0.0
        return self.make(text, kind, (), value, np.full(value.shape, error))

    # Elementwise

    def pointwise(self, text, operands, value, error, ulps=1.0):
        axes = frozenset().union(*(v.axes for v in operands))
        return self.make(text, "real", axes, value, error + ulps * self.unit * np.abs(value) + TINY)

    def add(self, text, a, b, sign=1):
        if a.kind == b.kind == "int":
            return self.integer(text, (a, b), a.value + sign * b.value)
        a, b = self.real(a), self.real(b)
        return self.pointwise(text, (a, b), a.value + sign * b.value, a.error + b.error)

    def multiply(self, text, a, b):
        if a.kind == b.kind == "int":
            return self.integer(text, (a, b), a.value * b.value)
        a, b = self.real(a), self.real(b)
        error = np.abs(a.value) * b.error + np.abs(b.value) * a.error + a.error * b.error
        return self.pointwise(text, (a, b), a.value * b.value, error)

    def divide(self, text, a, b):
        a, b = self.real(a), self.real(b)
        value = a.value / b.value
        margin = np.abs(b.value) - b.error
        error = np.where(margin > 0, (a.error + np.abs(value) * b.error) / margin, np.inf)
        return self.pointwise(text, (a, b), value, error, ulps=4)

    def integer(self, text, operands, value):
        axes = frozenset().union(*(v.axes for v in operands))
        return self.make(text, "int", axes, value, np.zeros(np.shape(value)))

    def negate(self, text, a):
        return self.make(text, a.kind, a.axes, -a.value, a.error)

    def function(self, text, a, f, slope, ulps=4.0):
        """f(a), where `slope` bounds |f'| near a: an array or a number."""
        a = self.real(a)
        return self.pointwise(text, (a,), f(a.value), slope * a.error, ulps)

    def absolute(self, text, a):
        if a.kind == "int":
            return self.integer(text, (a,), np.abs(a.value))
        return self.make(text, "real", a.axes, np.abs(a.value), a.error)

    def to_integer(self, text, a, f, boundary):
        """floor or round: certain unless a boundary is nearer than the error."""
        a = self.real(a)
        value = f(a.value)
        away = np.abs(a.value - (np.floor(a.value - boundary + 0.5) + boundary))
        error = np.where((away <= a.error) & (a.error > 0), a.error + 1, 0.0)
        return self.make(text, "real", a.axes, value, error)

    def extreme(self, text, a, b, f):
        if a.kind == b.kind == "int":
            return self.integer(text, (a, b), f(a.value, b.value))
        a, b = self.real(a), self.real(b)
        return self.make(text, "real", a.axes | b.axes, f(a.value, b.value), np.maximum(a.error, b.error))

    # Decisions

    def boolean(self, text, axes, value, certain):
        return self.make(text, "bool", axes, value, np.where(certain, 0.0, np.inf))

    def condition(self, v):
        if v.kind == "bool":
            return v
        certain = (v.error == 0) | (np.abs(v.value) > v.error) | np.isnan(v.value)
        return self.boolean(v.text, v.axes, v.value != 0, certain)

    def compare(self, text, a, b, f):
        if not a.kind == b.kind == "int":
            a, b = self.real(a), self.real(b)
        error = a.error + b.error
        apart = np.abs(a.value - b.value)
        certain = (error == 0) | (apart > error) | ~np.isfinite(apart)
        return self.boolean(text, a.axes | b.axes, f(a.value, b.value), certain)

    def both(self, text, a, b, f, decides):
        """and, or: certain where both are, or one that `decides` is."""
        a, b = self.condition(a), self.condition(b)
        sure_a, sure_b = np.isfinite(a.error), np.isfinite(b.error)
        certain = (sure_a & sure_b) | (sure_a & (a.value == decides)) | (sure_b & (b.value == decides))
        return self.boolean(text, a.axes | b.axes, f(a.value, b.value), certain)

    def negation(self, text, a):
        a = self.condition(a)
        return self.boolean(text, a.axes, np.logical_not(a.value), np.isfinite(a.error))

    def where(self, text, c, a, b):
        c = self.condition(c)
        kind = "int" if a.kind == b.kind == "int" else "real"
        if kind == "real":
            a, b = self.real(a), self.real(b)
        axes = c.axes | a.axes | b.axes
        value = np.where(c.value, a.value, b.value)
        certain = np.isfinite(c.error)
        error = np.where(c.value, a.error, b.error)
        either = np.maximum(a.error, b.error) + np.abs(a.value - b.value)
        return self.make(text, kind, axes, value, np.where(certain, error, either))

    # Reductions

    def growth(self, points):
        """Error of a sum of so many terms, of the sum of their magnitudes: four deviations of a random walk."""
        return (12 + 4 * np.sqrt(points)) * self.unit

    def count(self, axes):
        return int(np.prod([self.extents[leaf] for leaf in axes], dtype=np.int64))

    def total(self, value, places):
        return np.sum(value, axis=places, keepdims=True)

    def reduce(self, text, kind, v, over):
        """sum, mean, max, min, any or all over leaf axes."""
        places, rest = self.places(over), v.axes - over
        if kind in ("any", "all"):
            v = self.condition(v)
            value = (np.any if kind == "any" else np.all)(v.value, axis=places, keepdims=True)
            certain = np.isfinite(v.error)
            decided = np.any(certain & (v.value == (kind == "any")), axis=places, keepdims=True)
            return self.boolean(text, rest, value, decided | np.all(certain, axis=places, keepdims=True))
        v = self.real(v)
        if kind in ("max", "min"):
            f, start = (np.max, -np.inf) if kind == "max" else (np.min, np.inf)
            value = f(v.value, axis=places, keepdims=True, initial=start)
            return self.make(text, "real", rest, value, np.max(v.error, axis=places, keepdims=True, initial=0))
        points = self.count(over)
        value = self.total(v.value, places)
        error = self.total(v.error, places) + self.growth(points) * self.total(np.abs(v.value), places)
        if kind == "mean":
            value, error = value / points, error / points + 4 * self.unit * np.abs(value / points)
        return self.make(text, "real", rest, value, error + TINY)

    def moments(self, v, over, weights, method):
        places, rest = self.places(over), v.axes - over
        v = self.real(v)
        one = np.ones((1,) * len(self.leaves))
        w = self.real(weights) if weights is not None else self.make("", "real", (), one, 0 * one)
        x, wx = self.full(v.value, v.axes), self.full(w.value, v.axes)
        weight = self.total(wx, places)
        growth = self.growth(self.count(over))

        def average(values):
            return self.total(values, places) / weight

        mean = average(wx * x)
        # A perturbation of a weight moves the mean by its share of the deviation; the deviations' own mean corrects it.
        deviation = np.abs(x - mean)
        mean_error = average(np.abs(wx) * v.error + w.error * deviation) + 8 * self.unit * np.abs(mean)
        magnitude = average(np.abs(wx) * np.abs(x))
        mean_error = mean_error + growth * magnitude
        variance = average(wx * deviation**2)
        variance_error = average(np.abs(wx) * 2 * deviation * (v.error + mean_error) + w.error * deviation**2)
        variance_error = variance_error + 2 * growth * variance + mean_error**2
        if method == "one_pass":
            squares = average(np.abs(wx) * x**2)
            variance_error = variance_error + 2 * growth * squares + 4 * np.abs(mean) * mean_error
        rest = frozenset(rest)
        return (
            self.make("", "real", rest, mean, mean_error + TINY),
            self.make("", "real", rest, variance, variance_error + TINY),
        )

    def at(self, text, v, leaves, position):
        """One position along an axis, of which `leaves` are the parts, outermost first."""
        value, error = v.value, v.error
        for leaf in reversed(leaves):
            place = self.leaves.index(leaf)
            here = position % self.extents[leaf]
            position //= self.extents[leaf]
            value, error = np.take(value, [here], axis=place), np.take(error, [here], axis=place)
        return self.make(text, v.kind, v.axes - frozenset(leaves), value, error)
