"""What specs/README.md says of gradients, rule by rule: each kernel with numbers that were worked out by hand."""

import os

import numpy as np

from harness import TYPES, Failure, check, compare, finish, normc, run, scratch, shell

NAN, INF = np.nan, np.inf
DEVICES = ("evaluator", "cpu")


def write(text):
    path = os.path.join(scratch(), "rules.norm")
    with open(path, "w", encoding="utf-8") as file:
        file.write('import "activations.norm"\n' + text)
    return path


def floats(arrays):
    return {k: v if isinstance(v, np.ndarray) else np.asarray(v, np.float32) for k, v in arrays.items()}


def rule(title, text, inputs, expected, kernel="g", scalars=None, options=(), defines=None):
    """The gradient `g` of a kernel gives `expected`: {output: numbers}."""

    def test(device):
        results = run(write(text), floats(inputs), list(expected), kernel, defines, scalars, options, device)
        for name, numbers in expected.items():
            compare(name, results[name], np.asarray(numbers, np.float64), 2e-6, 1e-7)

    for device in DEVICES:
        check(f"{title}, on {device}", test, device)


def refused(title, text, message, arguments=(), kernel="g", status=1):
    def test():
        command = ["run", write(text), "-k", kernel, *arguments]
        done = normc(*command)
        if done.returncode != status or message not in done.stderr or "operation" in done.stderr:
            raise Failure(f"status {done.returncode}: {shell(command)}\n{done.stderr}")

    check(title, test)


def subgradients():
    rule(
        "abs",
        "kernel f(x: f32[n]) -> y: f32[n] { y = abs(x) }\ngradient g of f { of y wrt x }",
        {"dy": [1, 2, 3, 4], "x": [-1, -0.0, 0, 2]},
        {"dx": [-1, 0, 0, 4]},
    )
    rule(
        "clamp passes 1 at its bounds",
        "kernel f(x: f32[n], lo: f32[n], hi: f32[n]) -> y: f32[n] { y = clamp(x, lo, hi) }\n"
        "gradient g of f { of y wrt x, lo, hi }",
        {"dy": [1] * 5, "x": [-1, 0, 0.5, 1, 2], "lo": [0] * 5, "hi": [1] * 5},
        {"dx": [0, 1, 1, 1, 0], "dlo": [1, 0, 0, 0, 0], "dhi": [0, 0, 0, 0, 1]},
    )
    for name, dx in (("min", [1, 0.5, 0]), ("max", [0, 0.5, 1])):
        rule(
            f"equal arguments of {name} take half each",
            f"kernel f(x: f32[n], z: f32[n]) -> y: f32[n] {{ y = {name}(x, z) }}\ngradient g of f {{ of y wrt x, z }}",
            {"dy": [1] * 3, "x": [1, 2, 3], "z": [2, 2, 2]},
            {"dx": dx, "dz": dx[::-1]},
        )
        extreme, other = (5.0, 1.0) if name == "max" else (1.0, 5.0)
        rule(
            f"ties of a {name} share equally",
            f"kernel f(x: f32[n, k]) -> y: f32[n] {{ y = {name}(x over k) }}\ngradient g of f {{ of y wrt x }}",
            {"dy": [3, 1, 0], "x": [[extreme, other, extreme, extreme], [other, extreme, other, other], [extreme] * 4]},
            {"dx": [[1, 0, 1, 1], [0, 1, 0, 0], [0] * 4]},
        )
    rule(
        "ties share over all axes of a reduction",
        "kernel f(x: f32[n, k]) -> y: f32 { y = max(x over n, k) }\ngradient g of f { of y wrt x }",
        {"dy": 6, "x": [[7, 1], [7, 7]]},
        {"dx": [[2, 0], [2, 2]]},
    )
    rule(
        "of NaN no point is the largest: the derivative is not known, unless nothing came in",
        "kernel f(x: f32[n, k]) -> y: f32[n] { y = max(x over k) }\ngradient g of f { of y wrt x }",
        {"dy": [1, 0, 1], "x": [[NAN, 1], [NAN, 1], [1, 1]]},
        {"dx": [[NAN, NAN], [0, 0], [0.5, 0.5]]},
    )
    rule(
        "abs at NaN, as at 0; min, max and clamp pass what they propagate",
        "kernel f(x: f32[n]) -> (y: f32[n], m: f32[n], c: f32[n]) {\n"
        "  y = abs(x)\n  m = max(x, 1)\n  c = clamp(x, 0, 1)\n}\ngradient g of f { of y, m, c wrt x }",
        {"dy": [1, 1], "dm": [2, 2], "dc": [4, 4], "x": [NAN, 3]},
        {"dx": [6, 3]},
    )
    rule(
        "ties with a largest element that is given in fewer bits",
        "kernel f(x: f32[n, k]) -> (y: f32[n, k], m: bf16[n]) {\n  m = max(abs(x) over k)\n  y = x / m\n}\n"
        "gradient g of f { of y, m wrt x given m }",
        # 1.001 is 1 in bf16: x / m takes that, and the elements that share are still those of 1.001.
        {
            "dy": [[0, 0, 1]], "dm": np.asarray([8], TYPES["bf16"]), "m": np.asarray([1], TYPES["bf16"]),
            "x": [[1.001, -1.001, 0.5]],
        },
        {"dx": [[(8 - 0.5) / 2, -(8 - 0.5) / 2, 1]]},
    )
    rule(
        "floor, round and comparisons",
        "kernel f(x: f32[n]) -> y: f32[n] { y = floor(x) + round(x) + where(x > 1, 1, 0) + (x >= 0) }\n"
        "gradient g of f { of y wrt x }",
        {"dy": [1] * 3, "x": [0.3, 1, -2]},
        {"dx": [0] * 3},
    )
    # 3 x + (x through f16 and i32) + |x| + (2 - x²): min(x, 2) is 2 where x is 5, x where it is less.
    rule(
        "the derivative of a cast is 1, through integers and chains",
        "kernel f(x: f32[n]) -> y: f32[n] {\n"
        "  y = cast(x, i8) * 3 + cast(cast(x, f16), i32) + abs(cast(x, i32)) - min(cast(x, i8), 2) * cast(x, i8)\n}\n"
        "gradient g of f { of y wrt x }",
        {"dy": [1, 1], "x": [5.2, -2.7]},
        {"dx": [3 + 1 + 1 - 2, 3 + 1 - 1 + 6]},
    )
    rule(
        "the branch that is not taken does not count",
        "kernel f(x: f32[n]) -> y: f32[n] { y = where(x > 0, log(x), x * 2) + where(x > 0, sqrt(x), 0) }\n"
        "gradient g of f { of y wrt x }",
        {"dy": [1, 1, 1], "x": [4, 0, -2]},
        {"dx": [0.5, 2, 2]},
    )
    rule(
        "stop_gradient",
        "kernel f(x: f32[n]) -> y: f32[n] { y = x * stop_gradient(x * x) + stop_gradient(x) }\n"
        "gradient g of f { of y wrt x }",
        {"dy": [1, 1, 1], "x": [4, 0, -2]},
        {"dx": [16, 0, 4]},
    )
    rule(
        "at, along an axis, a split one and a factor",
        "kernel f(x: f32[n, c]) -> y: f32[n] {\n  split c = g * k where g = 2\n"
        "  y = at(x, c = 3) + at(at(x, g = 1), k = 2) + 10 * at(at(x, c = 1), n = 1)\n}\n"
        "gradient g of f { of y wrt x }",
        {"dy": [1, 2], "x": np.zeros((2, 6), np.float32)},
        {"dx": [[0, 0, 0, 1, 0, 1], [0, 30, 0, 2, 0, 2]]},
    )
    rule(
        "pow",
        "kernel f(x: f32[n], p: f32[n]) -> y: f32[n] { y = pow(x, p) }\ngradient g of f { of y wrt x, p }",
        {"dy": [1] * 7, "x": [0, 0, 0, 2, -2, -2, 0], "p": [0, 1, 2, 0, 2, 3, -1]},
        {"dx": [0, 1, 0, 0, -4, 12, -INF], "dp": [0, 0, 0, np.log(2), NAN, NAN, -INF]},
    )
    rule(
        "a square root of 0",
        "kernel f(x: f32[n], v: f32[n, k]) -> y: f32[n, k] { y = v * sqrt(x) }\ngradient g of f { of y wrt x, v }",
        {"dy": [[1], [1], [0]], "x": [0, 4, 0], "v": [[3], [3], [3]]},
        {"dx": [INF, 0.75, 0], "dv": [[0], [2], [0]]},
    )


def inputs_and_outputs():
    both = (
        "kernel f(x: f32[n], s: f32, t: f32[], i: i32) -> (y: f32[n], z: f32, u: f32[n]) {\n"
        "  y = x * s + t * i\n  z = s * s\n  u = x * x\n}\n"
        "gradient g of f { of y, z wrt x, s, t }\ngradient h of g { of dx, ds wrt dy, dz, x, s }\n"
        "gradient only_z of f { of z wrt x, s, t }"
    )
    some = {"dy": [1, 2], "dz": 1, "x": [4, 5], "t": 2}
    rule(
        "two outputs, a scalar, a tensor without axes; what is not under `of` has no share",
        both,
        some,
        {"dx": [2, 4], "ds": 4 + 10 + 4, "dt": 9},
        scalars={"s": 2, "i": 3},
    )
    rule(
        "of the gradient with respect to a scalar",
        both,
        {**some, "ddx": [1, 1], "dds": 1},
        {"ddy": [2 + 4, 2 + 5], "ddz": 4, "dx": [1, 2], "ds": 3 + 2},
        "h",
        scalars={"s": 2, "i": 3},
    )
    rule(
        "where the output does not depend on an input",
        both,
        {"dz": 3, "x": [4, 5], "t": 2},
        {"dx": [0, 0], "ds": 12, "dt": 0},
        "only_z",
        scalars={"s": 2},
    )
    rule(
        "integers and bools beside floating inputs, and state",
        "kernel f(x: f32[n], i: i32[n], m: bool[n], s: inout f32[n]) -> y: f32[n] {\n"
        "  s = x\n  y = where(m, x * i * s, -x)\n}\ngradient g of f { of y wrt x }",
        {
            "dy": [1, 1],
            "x": [4, 5],
            "i": np.array([3, 4], np.int32),
            "m": np.array([True, False]),
            "s": [7, 8],
        },
        {"dx": [21, -1]},
    )
    rule(
        "an f64 cotangent of an f32 input",
        "kernel f(x: f32[n]) -> (y: f64[n], m: f64) {\n  m = mean(x over n)\n  y = (x - m) * x\n}\n"
        "gradient g of f { of y wrt x given m }",
        {"dy": np.array([1.0, 1.0]), "x": [4, 5], "m": np.array(4.5)},
        {"dx": [8 - 4.5 - 4.5, 10 - 4.5 - 4.5]},
    )
    rule(
        "an f64 output that is not asked about",
        "kernel f(x: f32[n]) -> (y: f32[n], m: f64) {\n  m = mean(x over n)\n  y = (x - m) * x\n}\n"
        "gradient g of f { of y wrt x }",
        {"dy": [1, 1], "x": [4, 5]},
        {"dx": [8 - 4.5 - 4.5, 10 - 4.5 - 4.5]},
    )
    integers = (
        "kernel f(x: f32[n]) -> (y: f32[n], q: i8[n], m: bool[n]) {\n  q = round(x)\n  let positive = x > 0\n"
        "  m = positive\n  y = x * q * q + where(positive, x, 0)\n}\ngradient g of f { of y wrt x given q, m }"
    )
    rule(
        "integers and bools that are given",
        integers,
        {"dy": [1, 1], "x": [4, 5], "q": np.array([3, -4], np.int8), "m": np.array([False, True])},
        {"dx": [9, 16 + 1]},
    )
    for method in ("two_pass", "one_pass", "welford"):
        # mean 2.5, variance 2.75 of 1 and 4 at weights 1 and 1, of 1, 2, 5 at weights 1, 2, 1.
        rule(
            f"moments by {method}, and their weights",
            "kernel f<by: method>(x: f32[k], w: f32[k]) -> (m: f32, v: f32) {\n"
            "  let mean, variance = moments(x over k, weights = w, method = by)\n  m = mean\n  v = variance\n}\n"
            "gradient of_m of f { of m wrt x, w }\ngradient of_v of f { of v wrt x, w }",
            {"dv": 4, "x": [1, 2, 5], "w": [1, 2, 1]},
            {"dx": [-3, -2, 5], "dw": [2.25 - 2.25, 0.25 - 2.25, 6.25 - 2.25]},
            "of_v",
            defines={"by": method},
        )
    for shape in ((0, 3), (3, 0)):
        nothing = np.zeros(shape, np.float32)
        rule(
            f"extents of {shape}",
            "kernel f(x: f32[n, k], w: f32[k]) -> y: f32[n, k] {\n"
            "  let m, v = moments(x over k)\n  y = (x - m) * rsqrt(v + 1) * w\n}\ngradient g of f { of y wrt x, w }",
            {"dy": nothing, "x": nothing, "w": np.ones(shape[1], np.float32)},
            {"dx": nothing, "dw": np.zeros(shape[1])},
        )


NORM = """kernel f<activation = identity>(x: f32[n, k], w: f32[k] = 1, b: f32[k] = 0) -> (y: f32[n, k], mean: f32[n], rstd: f32[n]) {
  let m, v = moments(x over k)
  mean = m
  rstd = rsqrt(v + 0.25)
  y = activation((x - m) * rstd * w + b)
}
gradient g of f { of y wrt x, w, b }
gradient saved of f { of y wrt x, w, b given mean, rstd }
gradient in_place of f { of y wrt x, w, b given y, rstd }
"""


def norm(x, w, b, dy):
    """In float64, with eps = 1/4."""
    m = x.mean(-1, keepdims=True)
    r = 1 / np.sqrt(x.var(-1, keepdims=True) + 0.25)
    h, d = (x - m) * r, dy * w
    dx = r * (d - d.mean(-1, keepdims=True) - h * (d * h).mean(-1, keepdims=True))
    return {
        "y": h * w + b, "mean": m[:, 0], "rstd": r[:, 0], "dx": dx, "dw": (dy * h).sum(0), "db": dy.sum(0)
    }  # fmt: skip


def given_and_omitted():
    rng = np.random.default_rng(3)
    x, dy = rng.normal(1, 1, (5, 37)).astype(np.float32), rng.normal(0, 1, (5, 37)).astype(np.float32)
    w, b = rng.uniform(0.5, 2, 37).astype(np.float32), rng.normal(0, 1, 37).astype(np.float32)
    exact = norm(*(v.astype(np.float64) for v in (x, w, b, dy)))
    asked = ("dx", "dw", "db")

    def near(title, inputs, names, kernel, options=(), expected=exact):
        def test(device):
            results = run(write(NORM), floats(inputs), list(names), kernel, options=options, device=device)
            for name in names:
                compare(name, results[name], expected[name], 0, 3e-6 * np.abs(expected[name]).max())

        for device in DEVICES:
            check(f"{title}, on {device}", test, device)

    all_inputs = {"dy": dy, "x": x, "w": w, "b": b}
    statistics = {"mean": exact["mean"].astype(np.float32), "rstd": exact["rstd"].astype(np.float32)}
    near("nothing given", all_inputs, asked, "g")
    near("what the derivative does not need may be left out", {"dy": dy, "x": x, "w": w}, asked, "g")
    near("mean and rstd given", {**all_inputs, **statistics}, asked, "saved")
    near("dx alone", {**all_inputs, **statistics}, ("dx",), "saved")
    near("db alone needs no more than dy", {"dy": dy}, ("db",), "saved")
    y = {"y": exact["y"].astype(np.float32), "rstd": statistics["rstd"]}
    near("y and rstd given: x is not needed", {"dy": dy, "w": w, "b": b, **y}, asked, "in_place")
    near("y and rstd given: x may be passed", {"dy": dy, "x": x * 0, "w": w, "b": b, **y}, asked, "in_place")
    ones = norm(*(v.astype(np.float64) for v in (x, w * 0 + 1, b, dy)))
    near("w omitted", {"dy": dy, "x": x}, ("dx", "db"), "g", ["--omit", "w"], ones)
    # What is given counts, whatever the definition would give.
    twice = {"mean": statistics["mean"], "rstd": statistics["rstd"] * 2}
    scaled = {"dw": 2 * exact["dw"]}
    near("what is given replaces the value", {**all_inputs, **twice}, ("dw",), "saved", (), scaled)

    folder = scratch()
    for name, array in {**all_inputs, **statistics}.items():
        np.save(os.path.join(folder, f"{name}.npy"), array)
    passing = lambda *names: [word for n in names for word in ("--input", f"{n}={folder}/{n}.npy")]
    out = ["--output", f"dx={folder}/out.npy"]
    refused("w is needed", NORM, "input w is required", [*passing("dy", "x"), *out])
    refused("mean is needed", NORM, "input mean is required", [*passing("dy", "x", "w", "rstd"), *out], "saved")
    refused(
        "the gradient of what is omitted",
        NORM,
        "its gradient dw is asked for",
        [*passing("dy", "x"), "--omit", "w", "--output", f"dw={folder}/out.npy"],
        status=2,
    )
    refused(
        "an output that cannot be undone",
        NORM,
        "rules.norm:10:49: error: `y` is given, but what it is computed from cannot be recovered",
        [*passing("dy", "x", "w"), "-D", "activation=silu"],
        "in_place",
    )


def zero_cotangents():
    """A row that is not finite, or overflows on the way, and whose dy is 0, leaves no trace."""
    rng = np.random.default_rng(4)
    # The second is streamed: a row is longer than what stays in fast memory.
    for rows, columns in ((6, 37), (40, 1000), (3, 300000)):
        x, dy = rng.normal(1, 1, (rows, columns)), rng.normal(0, 1, (rows, columns))
        w, b = rng.uniform(0.5, 2, columns), rng.normal(0, 1, columns)
        x, dy, w, b = (v.astype(np.float32) for v in (x, dy, w, b))
        dy[1] = 0
        exact = norm(*(v.astype(np.float64) for v in (x, w, b, dy)))
        spoiled = {"NaN": np.full(columns, np.nan), "infinity": x[1] * np.inf, "overflow": x[1] * 1e38}
        statistics = {"mean": exact["mean"].astype(np.float32), "rstd": exact["rstd"].astype(np.float32)}
        statistics["mean"][1] = statistics["rstd"][1] = np.nan
        for kernel, given in (("g", {}), ("saved", statistics)):
            for title, row in spoiled.items():
                poisoned = x.copy()
                poisoned[1] = row

                def test(device):
                    inputs = {"dy": dy, "x": poisoned, "w": w, "b": b, **given}
                    results = run(write(NORM), inputs, ["dx", "dw", "db"], kernel, device=device)
                    for name, result in results.items():
                        compare(name, result, exact[name], 0, 1e-5 * np.abs(exact[name]).max())
                    if results["dx"][1].any():
                        raise Failure("dx is not 0 where dy is")

                for device in DEVICES if columns < 1000 else DEVICES[1:]:
                    check(f"{title} in a row of {columns} whose dy is 0, {kernel}, on {device}", test, device)


def zero_cotangents_at_points():
    """Points that are not finite, and whose dy is 0, spoil nothing but dx there."""
    rng = np.random.default_rng(5)
    for rows, columns in ((5, 37), (40, 1000), (20, 5000)):  # a step, many; rows in groups
        x, dy = rng.normal(1, 1, (rows, columns)), rng.normal(0, 1, (rows, columns))
        w, b = rng.uniform(0.5, 2, columns), rng.normal(0, 1, columns)
        x, dy, w, b = (v.astype(np.float32) for v in (x, dy, w, b))
        last = columns - 1
        bad = np.zeros((rows, columns), bool)
        bad[1, 3] = bad[2, last] = bad[4, 20] = bad[4, 21] = True
        dy[bad] = dy[:, 5] = 0
        exact = norm(*(v.astype(np.float64) for v in (x, w, b, dy)))
        given = {"mean": exact["mean"].astype(np.float32), "rstd": exact["rstd"].astype(np.float32)}
        spoiled, infinite = x.copy(), w.copy()
        spoiled[1, 3], spoiled[2, last], spoiled[4, 20], spoiled[4, 21] = NAN, INF, INF, -INF
        infinite[5] = INF  # no row has a dy there

        def test(device):
            inputs = {"dy": dy, "x": spoiled, "w": infinite, "b": b, **given}
            results = run(write(NORM), inputs, ["dx", "dw", "db"], "saved", device=device)
            results["dx"][bad] = exact["dx"][bad]
            for name, result in results.items():
                compare(name, result, exact[name], 0, 1e-5 * np.abs(exact[name]).max())

        for device in DEVICES:
            check(f"points of rows of {columns} that are not finite, on {device}", test, device)


for group in (subgradients, inputs_and_outputs, given_and_omitted, zero_cotangents, zero_cotangents_at_points):
    group()
finish()
