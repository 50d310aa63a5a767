"""How the shapes of a call bind the axes, and what is said where they do not fit."""

import numpy as np

from evaluation import expect, finish, refused

f32 = np.float32


def ones(*shape, dtype=f32):
    return np.ones(shape, dtype)


tensors = "kernel f(x: f32[n, c, s...], g: f32[c, 1], w: f32[n, s...]) -> (y: f32[n, c, s...]) {\n  y = x * g * w\n}\n"
x, g, w = ones(2, 6, 4, 5), ones(6, 1), ones(2, 4, 5)
expect("all agree", tensors, {"x": x, "g": g, "w": w}, {"y": x})
refused("two tensors that disagree", tensors, {"x": x, "g": ones(5, 1), "w": w}, [":1:30: error: axis c is 6 in x, but 5 in g"])
refused("packs that disagree", tensors, {"x": x, "g": g, "w": ones(2, 5, 4)},
        ["axis s... is [4, 5] in x, but [5, 4] in w"])
refused("an unnamed axis", tensors, {"x": x, "g": ones(6, 3), "w": w},
        ["dimension 1 of g is 3, expected 1: its dimensions are [c, 1]"])
refused("a fixed extent", tensors, {"x": x, "g": g, "w": w},
        ["axis c is 8 where the kernel is compiled for it, but 6 in x"], options=["--size", "c=8"])

split = "kernel f<groups = 4>(x: f32[n, c]) -> (y: f32[n, g]) {\n  split c = g * k where g = groups\n  y = sum(x over k)\n}\n"
expect("a split", split, {"x": ones(2, 8)}, {"y": [[2] * 4] * 2})
expect("a split of nothing", split, {"x": ones(2, 0)}, {"y": [[0] * 4] * 2})
refused("a split that does not divide", split, {"x": ones(2, 6)},
        [":2:", "split c = g * k: g = 4 does not divide c = 6 in x"])

dynamic = "kernel f(x: f32[n, c]) -> (y: f32[n, g]) {\n  split c = g * k where k = size(n) * 2\n  y = sum(x over k)\n}\n"
expect("a factor that the call tells", dynamic, {"x": ones(2, 8)}, {"y": [[4] * 2] * 2})
refused("such a factor that does not divide", dynamic, {"x": ones(3, 8)}, [":2:", "k = 6 does not divide c = 8"])
refused("a factor below 1", dynamic, {"x": ones(0, 8)}, [":2:", "k = 0, expected at least 1 (c is 8)"])

declared = "kernel f(x: f32[n, c], g: f32[d]) -> (y: f32[n, c]) {\n  split c = h * d\n  y = x * g\n}\n"
expect("a factor that an input declares", declared, {"x": ones(2, 8), "g": f32([1, 2])}, {"y": [[1, 2] * 4] * 2})
refused("such a factor that does not divide", declared, {"x": ones(2, 8), "g": ones(3)},
        [":2:9: error: split c = h * d: d = 3 does not divide c = 8"])
both = "kernel f(x: f32[n, c], g: f32[d], b: f32[h]) -> (y: f32[n, c]) {\n  split c = h * d\n  y = x * g + b\n}\n"
refused("factors whose product differs", both, {"x": ones(2, 8), "g": ones(2), "b": ones(3)}, [":2:9: error: split c = h * d: h * d is 3 * 2 = 6, but c is 8"])
expect("factors of nothing", both, {"x": ones(2, 0), "g": ones(0), "b": ones(3)}, {"y": np.zeros((2, 0))})

only = "kernel f(x: f32[n, c], g: f32[d]) -> (y: i32[]) {\n  split c = h * d\n  y = size(h)\n}\n"
expect("a factor that takes two unread inputs to tell", only, {"x": ones(3, 8), "g": ones(2)}, {"y": np.int32(4)})

position = "kernel f(x: f32[v, c], i: i32) -> (y: f32[c]) {\n  y = at(x, v = i - 1)\n}\n"
expect("a position", position, {"x": f32([[1], [2], [3]])}, {"y": [3]}, scalars={"i": 3})
for i in (0, 4):
    refused(f"position {i - 1} of 3", position, {"x": ones(3, 1)},
            [":2:", f"at(v = {i - 1}) is out of range: axis v has 3 positions"], scalars={"i": i})

tensor = "kernel f(x: f32[v, c], i: i32[], b: bool) -> (y: f32[c]) {\n  y = at(x, v = where(b, i, 0))\n}\n"
x = f32([[1], [2], [3]])
expect("a position in a tensor", tensor, {"x": x, "i": np.int32(2)}, {"y": [3]}, scalars={"b": "true"})
expect("a position not taken", tensor, {"x": x, "i": np.int32(9)}, {"y": [1]}, scalars={"b": "false"})
refused("a position in a tensor, out of range", tensor, {"x": x, "i": np.int32(-1)}, ["at(v = -1) is out of range"],
        scalars={"b": "true"})

# Everything such an integer may be made of: with 5 positions, or 4, and i = -3 each of these is 4.
arithmetic = "kernel f(x: f32[v], i: i64, n: f32[n]) -> (y: f32) {{\n  y = at(x, v = {position}) + sum(n over n)\n}}\n"
for position in ("1 - i", "abs(i) + 1", "i + 7", "i * -2 - 2", "min(i, 4) + 7", "max(i, 4)",
                 "clamp(i, 4, 9)", "count(over n) + 1", "where(i < 0, 4, 0)", "where(i <= -3, 4, 0)", "where(i == -3, 4, 0)",
                 "where(i != 3, 4, 0)", "where(i > -4, 4, 0)", "where(i >= -3, 4, 0)", "where(not (i > 0), 4, 0)",
                 "where(i > -4 and i < 4, 4, 0)", "where(i > 5 or size(n) == 3, 4, 0)", "where(i, 4, 0)", "(i < 0) * 4",
                 "9223372036854775807 * 2 + 6"):
    text = arithmetic.format(position=position)
    inputs = {"x": f32([0, 0, 0, 0, 7]), "n": np.zeros(3, f32)}
    expect(f"position {position}", text, inputs, {"y": f32(7)}, scalars={"i": -3})
    refused(f"position {position} of 4", text, {**inputs, "x": ones(4)}, ["at(v = 4) is out of range"], scalars={"i": -3})
refused("a position that only results tell", "kernel f(x: f32[v]) -> (y: f32) {\n  y = at(x, v = where(sum(x over v) > 0, 1, 0))\n}\n",
        {"x": ones(4)}, [":2:", "can only follow from extents, parameters and integer inputs"])

ambiguous = "kernel f(x: f32[b..., f...]) -> (y: f32[b...]) {\n  y = sum(x over f...)\n}\n"
expect("an axis that only an omitted input declares",
       "kernel f(x: f32[n], z: f32[n, q] = 0) -> (y: f32[n]) {\n  y = x + sum(z over q)\n}\n", {"x": ones(2)}, {"y": [1, 1]})
refused("an axis that nothing tells",
        "kernel f(x: f32[n], z: f32[n, q] = 0) -> (y: f32[n]) {\n  y = x + count(over q)\n}\n", {"x": ones(2)},
        ["nothing tells the extent of axis q: pass a tensor that has it, or --size q=..."])
expect("a rank that is given", ambiguous, {"x": ones(2, 3)}, {"y": [3, 3]}, options=["--rank", "f=1"])
refused("a rank that nothing tells", ambiguous, {"x": ones(2, 3)}, ["--rank"])
finish()
