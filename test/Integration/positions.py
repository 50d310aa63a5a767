"""Positions of `at` that stand in an integer tensor: read at each call, checked before anything is written."""

import os

import numpy as np

from harness import Failure, check, compare, finish, run, scratch

X = np.arange(60, dtype=np.float32).reshape(5, 12) ** 2 - 7
T = np.array([3, 1, 4, 0, 2], np.int32)


def spec(body, inputs, outputs):
    path = os.path.join(scratch(), "at.norm")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"kernel f({inputs}) -> ({outputs}) {{\n  {body}\n}}\n")
    return path


def gives(body, inputs, arrays, outputs, expected, options=()):
    text = spec(body, inputs, outputs)
    for device in ("cpu", "evaluator"):
        results = run(text, arrays, list(expected), options=options, device=device)
        for name, value in expected.items():
            compare(f"{name} on {device}", results[name], value, 1e-6, 1e-4)


def refuses(body, inputs, arrays, outputs, message):
    text = spec(body, inputs, outputs)
    for device in ("cpu", "evaluator"):
        try:
            run(text, arrays, ["y"], device=device)
        except Failure as failure:
            if "status 1" not in str(failure) or message not in str(failure):
                raise Failure(f"expected {message}: {failure}") from failure
        else:
            raise Failure(f"{device} took it")


both = {"x": X, "t": T}
tensors = "x: f32[n, c], t: i32[n]"
for body, expected in {
    "y = at(x, n = at(t, n = 0))": X[3],
    "y = at(x, n = at(t, n = at(t, n = 2)))": X[2],
    "y = at(x, n = at(t * 2 - 1, n = 1))": X[1],
    "y = at(x, n = at(index(n) + t, n = 3))": X[3],
    "y = at(x, n = where(at(t, n = 0) > 2, at(t, n = 1), 0))": X[1],
    "y = at(x - mean(x over c), n = at(t, n = size(n) - 1))": X[2] - X[2].mean(),
}.items():
    check(body, gives, body, tensors, both, "y: f32[c]", {"y": expected})
check("sums at a position", gives, "y = x * at(sum(x over c), n = at(t, n = 0))", tensors, both, "y: f32[n, c]",
      {"y": X * X[3].sum()})
check("a split axis", gives, "split c = g * k where g = 3\n  y = at(x, c = at(t, n = 2) + 4)\n  z = at(x, k = at(t, n = 1))",
      tensors, both, "y: f32[n], z: f32[n, g]", {"y": X[:, 8], "z": X.reshape(5, 3, 4)[:, :, 1]})
for dtype, name in ((np.int8, "i8"), (np.uint8, "u8"), (np.int64, "i64"), (np.bool_, "bool")):
    p = np.array([[0, 1, 1], [1, 1, 0]], dtype)
    check(f"elements of {name}", gives, "y = at(x, n = at(at(p, a = 1), b = 1) * 3)", f"x: f32[n, c], p: {name}[a, b]",
          {"x": X, "p": p}, "y: f32[c]", {"y": X[3]})
p = np.array([[0, 1, 2], [3, 4, 0]], np.int32)
check("another order of memory", gives, "y = at(x, n = at(at(p, a = 1), b = 0))", "x: f32[n, c], p: i32[a, b]",
      {"x": X, "p": p.T.copy()}, "y: f32[c]", {"y": X[3]}, ["--order", "p=b,a"])
check("a state that is replaced", gives, "t = t + 1\n  y = x + at(x, n = at(t, n = 0))", "x: f32[n, c], t: inout i32[n]", both,
      "y: f32[n, c]", {"y": X + X[3], "t": T + 1})
check("beyond the end", refuses, "y = at(x, n = at(t, n = 2) + 1)", tensors, both, "y: f32[c]",
      "at(n = 5) is out of range: axis n has 5 positions")
check("an element that is not there", refuses, "y = at(x, n = at(t, n = at(t, n = 2) + 1))", tensors, both, "y: f32[c]",
      "at(n = 5) is out of range")
check("an element of nothing", refuses, "y = at(x, n = at(t, m = 0))", "x: f32[n, c], t: i32[m]",
      {"x": X, "t": T[:0]}, "y: f32[c]", "at(m = 0) is out of range: axis m has 0 positions")
finish()
