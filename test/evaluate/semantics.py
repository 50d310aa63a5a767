"""The meaning of the language's operations where it is easy to get wrong."""

import math

import numpy as np

from evaluation import expect, finish

inf, nan = np.inf, np.nan
f32 = np.float32


def unary(expression, points):
    values, expected = np.array(points, np.float64).T
    expect(
        expression,
        f"kernel f(x: f64[n]) -> (y: f64[n]) {{\n  y = {expression}\n}}\n",
        {"x": values},
        {"y": expected},
        rtol=1e-15,
    )


def binary(expression, points):
    a, b, expected = np.array(points, np.float64).T
    expect(
        expression,
        f"kernel f(a: f64[n], b: f64[n]) -> (y: f64[n]) {{\n  y = {expression}\n}}\n",
        {"a": a, "b": b},
        {"y": expected},
        rtol=1e-15,
    )


unary("round(x)", [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (nan, nan), (inf, inf)])
unary("floor(x)", [(1.5, 1), (-1.5, -2), (-0.0, 0)])
unary("abs(x)", [(-2, 2), (-inf, inf), (nan, nan)])
unary("rsqrt(x)", [(4, 0.5), (0, inf), (-1, nan), (inf, 0)])
unary("sqrt(x)", [(9, 3), (-1, nan)])
unary("log(x)", [(0, -inf), (-1, nan), (math.e, 1)])
unary("sigmoid(x)", [(0, 0.5), (-1000, 0), (1000, 1), (nan, nan), (2, 1 / (1 + math.exp(-2)))])
unary("erf(x)", [(0.5, math.erf(0.5)), (inf, 1)])
unary("tanh(x)", [(0.5, math.tanh(0.5)), (-inf, -1)])
unary("clamp(x, -1, 2)", [(-3, -1), (3, 2), (0.5, 0.5), (nan, nan)])
unary("where(x, 1, 2)", [(0, 2), (-0.0, 2), (3, 1), (nan, 1)])
unary("where(not x, 1, 2)", [(0, 1), (3, 2)])
unary("(x > 0) + (x > 1)", [(0, 0), (1, 1), (2, 2), (nan, 0)])
binary("min(a, b)", [(1, 2, 1), (nan, 1, nan), (1, nan, nan), (-inf, 3, -inf)])
binary("max(a, b)", [(1, 2, 2), (nan, 1, nan), (1, nan, nan), (-inf, 3, 3)])
binary("pow(a, b)", [(2, 10, 1024), (-8, 3, -512), (0, 0, 1), (-1, 0.5, nan), (2, -1, 0.5)])
binary("lerp(a, b, 0.25)", [(0, 4, 1), (2, 2, 2)])
binary("a / b", [(1, 0, inf), (0, 0, nan), (-1, 4, -0.25)])
binary("where(a == b, 1, 0)", [(1, 1, 1), (nan, nan, 0), (0.0, -0.0, 1)])
binary("where(a != b, 1, 0)", [(1, 1, 0), (nan, nan, 1)])
binary("where(a <= b or a > b, 1, 0)", [(1, 2, 1), (nan, 1, 0)])

integers = (
    "kernel f(a: i64[n], b: i64[n]) -> (s: i64[n], p: i64[n], m: i64[n], r: f64[n]) {\n"
    "  s = a + b\n  p = a * b\n  m = abs(min(a, b))\n  r = a / b\n}\n"
)
with np.errstate(over="ignore"):
    a, b = np.array([2**63 - 1, -7, 5], np.int64), np.array([1, 2, 10], np.int64)
    expect(
        "integers wrap, and / is real",
        integers,
        {"a": a, "b": b},
        {"s": a + b, "p": a * b, "m": np.abs(np.minimum(a, b)), "r": (a.astype(np.float32) / b).astype(np.float64)},
        rtol=1e-6,
    )

statistics = """kernel f<method = auto>(x: f64[n, k]) -> (s: f64[n], a: f64[n], hi: f64[n], lo: f64[n], some: bool[n],
    every: bool[n], m: f64[n], v: f64[n]) {
  s = sum(x over k)
  a = mean(x over k)
  hi = max(x over k)
  lo = min(x over k)
  some = any(x > 0 over k)
  every = all(x > 0 over k)
  let mu, variance = moments(x over k, method = method)
  m = mu
  v = variance
}
"""
expect(
    "reductions over no elements",
    statistics,
    {"x": np.zeros((2, 0))},
    {
        "s": [0, 0],
        "a": [nan, nan],
        "hi": [-inf, -inf],
        "lo": [inf, inf],
        "some": [0, 0],
        "every": [1, 1],
        "m": [nan, nan],
        "v": [nan, nan],
    },
)
expect("no rows", statistics, {"x": np.zeros((0, 3))}, {name: np.zeros(0) for name in ("s", "a", "hi", "lo", "m", "v")})
x = np.array([[1, 2, 3, 6], [nan, 1, -1, 0], [inf, 1, 2, 3], [-2, -2, -2, -2]])
for method in ("two_pass", "one_pass", "welford"):
    expect(
        f"reductions and {method} moments",
        statistics,
        {"x": x},
        {
            "s": [12, nan, inf, -8],
            "a": [3, nan, inf, -2],
            "hi": [6, nan, inf, -2],
            "lo": [1, nan, 1, -2],
            "some": [1, 1, 1, 0],
            "every": [1, 0, 1, 0],
            "m": [3, nan, inf, -2],
            "v": [3.5, nan, nan, 0],
        },
        defines={"method": method},
    )

weighted = (
    "kernel f(x: f64[n, k], w: f64[n, k]) -> (m: f64[n], v: f64[n]) {\n"
    "  let mu, variance = moments(x over k, weights = w)\n  m = mu\n  v = variance\n}\n"
)
expect(
    "weighted moments",
    weighted,
    {"x": np.array([[1.0, 5, 100], [1, 2, 3], [nan, 1, 2]]), "w": np.array([[3.0, 1, 0], [0, 0, 0], [0, 1, 1]])},
    {"m": [2, nan, nan], "v": [3, nan, nan]},
)
weights = """kernel f(x: f64[n, k], w: f64[k]) -> (m: f64[n]) {
  let mu, variance = moments(x over k, weights = w)
  m = mu
}
"""
expect(
    "weights broadcast by name", weights, {"x": np.array([[1.0, 3], [5, 9]]), "w": np.array([1.0, 3])}, {"m": [2.5, 8]}
)

axes = """kernel f(x: f64[n, c], i: i32) -> (y: f64[n, c], at_c: f64[n], rows: i64[n], points: f64[n, c]) {
  split c = g * k where g = 2
  y = x + index(c) * 10 + index(g) * 100 + index(k) * 1000
  at_c = at(x, c = i)
  rows = index(n) * count(over g, k) + size(c)
  points = sum(x over g) + sum(x over k)
}
"""
x = np.arange(12.0).reshape(2, 6)
g, k = np.repeat([0, 1], 3), np.tile([0, 1, 2], 2)
v = x.reshape(2, 2, 3)
expect(
    "positions, sizes and splits",
    axes,
    {"x": x},
    {
        "y": x + np.arange(6) * 10 + g * 100 + k * 1000,
        "at_c": x[:, 4],
        "rows": [6, 12],
        "points": (v.sum(1, keepdims=True) + v.sum(2, keepdims=True)).reshape(2, 6),
    },
    scalars={"i": 4},
)

packs = (
    "kernel f(x: f32[b..., f...], g: f32[f...]) -> (y: f32[b..., f...], m: f32[b...]) {\n"
    "  m = mean(x over f...)\n  y = (x - m) * g\n}\n"
)
x, gamma = np.arange(48, dtype=f32).reshape(2, 2, 3, 4), np.arange(12, dtype=f32).reshape(3, 4)
mean = x.reshape(2, 2, 12).mean(2)
expect(
    "packs of two axes", packs, {"x": x, "g": gamma}, {"y": (x - mean[:, :, None, None]) * gamma, "m": mean}, rtol=1e-6
)
expect("packs of no axes", packs, {"x": f32(3), "g": f32(2)}, {"y": f32(0), "m": f32(3)})
expect(
    "orders",
    packs,
    {"x": x.transpose(2, 3, 0, 1).copy(), "g": gamma},
    {"y": ((x - mean[:, :, None, None]) * gamma), "m": mean},
    rtol=1e-6,
    options=["--order", "x=f...,b..."],
)

state = (
    "kernel f(x: f32[n], momentum: f32, total: inout f32[n]) -> (y: f32[n]) {\n"
    "  total = lerp(total, x, momentum)\n  y = total\n}\n"
)
expect(
    "state is read as it was on entry",
    state,
    {"x": f32([4, 8]), "total": f32([0, 4])},
    {"y": [0, 4], "total": [1, 5]},
    scalars={"momentum": 0.25},
)
finish()
