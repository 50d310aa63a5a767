"""Orders of memory, zero extents and element types: a result may not depend on how its tensors lie in memory."""

import itertools
import os

import numpy as np

import formulas as f
from harness import SPECS, TYPES, check, compare, finish, run, text_file

AXES = ["n", "c", "h", "w"]
GROUP = """kernel group_norm<T = f32, groups = 3, eps = 1e-5>(
    x: T[n, c, h, w], gamma: f32[c], beta: f32[c]
) -> (y: T[n, c, h, w], mean: f32[n, g]) {
  split c = g * k where g = groups
  let mu, variance = moments(x over k, h, w)
  mean = mu
  y = (x - mu) * rsqrt(variance + eps) * gamma + beta
}
"""


def group_orders(x_order, y_order, dtype, shape=(3, 6, 5, 7)):
    rng = np.random.default_rng(3)
    x = rng.normal(0.7, 1, shape).astype(dtype)
    gamma, beta = (rng.normal(1, 1, shape[1]).astype(np.float32) for _ in "gb")
    moved = np.ascontiguousarray(x.transpose([AXES.index(a) for a in x_order]))
    options = ["--order", "x=" + ",".join(x_order), "--order", "y=" + ",".join(y_order)]
    spec = text_file("group_norm.norm", GROUP)
    results = run(spec, {"x": moved, "gamma": gamma, "beta": beta}, ["y", "mean"], options=options)
    expected = f.group_norm(x.astype(np.float64), 3, gamma, beta)
    tolerance = {np.float64: (1e-9, 1e-11), np.float32: (1e-5, 1e-5), np.float16: (1e-3, 2e-3)}[dtype]
    y = results["y"].transpose([y_order.index(a) for a in AXES])
    compare("y", y, expected["y"], *tolerance)
    compare("mean", results["mean"], expected["mean"], 1e-5, 1e-5)


def layer_order(x_order, y_order):
    rng = np.random.default_rng(4)
    x = rng.normal(0.7, 1, (5, 4, 3, 9)).astype(np.float32)
    gamma = rng.normal(1, 1, (3, 9)).astype(np.float32)
    lay = lambda v, order: np.ascontiguousarray(v if order == "b...,f..." else v.transpose(2, 3, 0, 1))
    spec = os.path.join(SPECS, "layer_norm.norm")
    options = ["--order", f"x={x_order}", "--order", f"y={y_order}"]
    y = run(spec, {"x": lay(x, x_order), "gamma": gamma}, ["y"], options=options)["y"]
    y = y if y_order == "b...,f..." else y.transpose(2, 3, 0, 1)
    compare("y", y, f.layer_norm(x.astype(np.float64), gamma, features=2)["y"], 1e-5, 1e-5)


PARTS = """kernel parts(
    x: f32[c, n, h], w: f32[{order}]
) -> (y: f32[c, n, h], z: f32[h, n, c]) {{
  split h = p * q where p = 3
  y = x * x + w
  z = x
}}
"""


def parts_elsewhere(order, options):
    """Parts of a split axis, in other places than where a tensor has all of it."""
    rng = np.random.default_rng(5)
    x, w = (rng.normal(0, 1, (16, 17, 3, 2)).astype(np.float32) for _ in "xw")
    moved = np.ascontiguousarray(w.transpose(["cnpq".index(axis) for axis in order]))
    spec = text_file("parts.norm", PARTS.format(order=", ".join(order)))
    results = run(spec, {"x": x.reshape(16, 17, 6), "w": moved}, ["y", "z"], options=options)
    v = x.astype(np.float64)
    compare("y", results["y"], (v * v + w).reshape(16, 17, 6), 1e-6, 1e-6)
    compare("z", results["z"], v.reshape(16, 17, 6).transpose(2, 1, 0), 0, 0)


STORED_APART = """kernel apart(
    x: f32[s, n, c], w: f32[c, s]
) -> (y: f32[c, s, n], z: f32[n, s, k, g]) {
  split c = g * k where g = 8
  let m = sum(x over s)
  y = x * w + m
  z = x - w
}
"""


def parts_stored_elsewhere(count, options):
    """Parts of a split axis, in other places in a second output."""
    rng = np.random.default_rng(6)
    x, w = rng.normal(0, 1, (7, count, 128)).astype(np.float32), rng.normal(0, 1, (128, 7)).astype(np.float32)
    results = run(text_file("stored.norm", STORED_APART), {"x": x, "w": w}, ["y", "z"], options=options)
    v, u = x.astype(np.float64), w.astype(np.float64).T[:, None]
    compare("y", results["y"], (v * u + v.sum(0)).transpose(2, 0, 1), 1e-5, 1e-5)
    compare("z", results["z"], (v - u).transpose(1, 0, 2).reshape(count, 7, 8, 16).swapaxes(2, 3), 1e-6, 1e-6)


SPREAD = """kernel spread(
    x: f32[n, s, c], w: f32[c]
) -> (y: f32[n, c, s], z: f32[c, s, n]) {
  split c = g * k where g = 4
  let m = sum(x over k, s)
  y = x * w + m
  z = x - w
}
"""


def spread_over_short_rows(options):
    """What groups have in common, beside rows of one channel each that are turned over."""
    rng = np.random.default_rng(7)
    x, w = rng.normal(0, 1, (2, 64, 128)).astype(np.float32), rng.normal(0, 1, 128).astype(np.float32)
    results = run(text_file("spread.norm", SPREAD), {"x": x, "w": w}, ["y", "z"], options=options)
    v = x.astype(np.float64)
    m = np.repeat(v.reshape(2, 64, 4, 32).sum((1, 3)), 32, axis=1)
    compare("y", results["y"], (v * w).transpose(0, 2, 1) + m[:, :, None], 1e-4, 1e-5)
    compare("z", results["z"], (v - w).transpose(2, 1, 0), 1e-6, 1e-6)


REDUCE = """kernel reduce(
    x: f32[a, b, c]
) -> (total: f32[{kept}], largest: f32[{kept}], least: f32[{kept}], variance: f32[{kept}]) {{
  let mu, v = moments(x over {over})
  total = sum(x over {over})
  largest = max(x over {over})
  least = min(x over {over})
  variance = v
}}
"""


def reduction(over, order, shape):
    """Any axes, in any order of memory, of any extents."""
    axes = ["a", "b", "c"]
    kept = [a for a in axes if a not in over]
    x = np.random.default_rng(5).normal(0.7, 1, shape).astype(np.float32)
    moved = np.ascontiguousarray(x.transpose([axes.index(a) for a in order]))
    spec = text_file("reduce.norm", REDUCE.format(kept=", ".join(kept), over=", ".join(over)))
    names = ["total", "largest", "least", "variance"]
    results = run(spec, {"x": moved}, names, options=["--order", "x=" + ",".join(order)])
    v, where = x.astype(np.float64), tuple(axes.index(a) for a in over)
    with np.errstate(all="ignore"):
        mean = v.sum(where, keepdims=True) / np.prod([shape[i] for i in where])
        variance = ((v - mean) ** 2).sum(where) / np.prod([shape[i] for i in where])
    expected = {
        "total": v.sum(where),
        "largest": v.max(where, initial=-np.inf),
        "least": v.min(where, initial=np.inf),
        "variance": variance,
    }
    for name in names:
        compare(name, results[name], expected[name], 1e-5, 2e-5)


def zero_extents(spec, shapes, outputs, defines, rank):
    inputs = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
    options = ["--rank", rank] if rank else []
    results = run(os.path.join(SPECS, spec + ".norm"), inputs, list(outputs), defines=defines, options=options)
    for name, expected in outputs.items():
        compare(name, results[name], expected, 1e-6, 1e-6)


CONVERT = """kernel convert<T: type, U = f32>(x: T[n]) -> y: U[n] {
  y = x
}
"""


def conversion(source, target):
    """A load and a store between any two element types: to nearest even, saturating where language.md says so."""
    floating = lambda name: name[0] in "fb" and name != "bool"
    specials = [np.nan, np.inf, -np.inf] if floating(source) else []
    values = np.array(
        [0, 1, -1, 0.5, 1.5, 2.5, -2.5, 3.14159, 100, 127.5, -128.6, 255.5, 300, 1e5, -1e5, 1e-3, *specials]
    )
    if source == "bool":
        x = np.array([True, False, True, True, False])
    elif not floating(source):
        info = np.iinfo(TYPES[source])
        x = np.clip(np.rint(values), info.min, min(info.max, 2**31 - 1)).astype(TYPES[source])
    else:
        x = values.astype(TYPES[source])
    spec = text_file("convert.norm", CONVERT)
    y = run(spec, {"x": x}, ["y"], defines={"T": source, "U": target}, types={"y": target})["y"]
    v = x.astype(np.float64)
    if source != "f64":
        v = v.astype(np.float32).astype(np.float64)  # the compute type
    if target == "bool":
        expected = v != 0
    elif target in ("f8e4m3", "f8e5m2"):
        most = 448 if target == "f8e4m3" else 57344
        expected = np.clip(v, -most, most).astype(TYPES[target])
    elif floating(target):
        expected = v.astype(TYPES[target])
    else:
        info = np.iinfo(TYPES[target])
        low, high = float(info.min), float(info.max)
        rounded = np.clip(np.rint(np.nan_to_num(v, nan=0, posinf=high, neginf=low)), low, high)
        expected = np.array([min(max(int(r), info.min), info.max) for r in rounded]).astype(TYPES[target])
    compare(f"{source} to {target}", y, expected, 0, 0)


def main():
    permutations = list(itertools.permutations(AXES))
    for i, order in enumerate(permutations):
        # Each order of x with its own order of y, so that every order of both occurs without all 576 pairs.
        group_title = f"group_norm, x in {','.join(order)}, y in {','.join(permutations[-1 - i])}"
        check(group_title, group_orders, order, permutations[-1 - i], np.float32)
        check(f"group_norm, both in {','.join(order)}", group_orders, order, order, np.float32)
    for order in permutations[::5]:
        check(f"group_norm in f64, x in {','.join(order)}", group_orders, order, AXES, np.float64)
    last = ["n", "h", "w", "c"]
    for x_order, y_order in ((last, AXES), (AXES, last)):  # tiles of channels that many groups share, and what is left
        for dtype in (np.float32, np.float16):
            title = f"group_norm of 75 channels of {dtype.__name__}, x in {','.join(x_order)}, y in {','.join(y_order)}"
            check(title, group_orders, x_order, y_order, dtype, (2, 75, 9, 19))
    for x_order, y_order in itertools.product(["b...,f...", "f...,b..."], repeat=2):
        check(f"layer_norm, x in {x_order}, y in {y_order}", layer_order, x_order, y_order)
    for order in itertools.permutations("cnpq"):
        for options in ([], ["--inplace", "y=x"]):
            check(f"parts in the order {','.join(order)}, {options}", parts_elsewhere, order, options)
    for target in ("cpu", "cpu:x86-64-v3"):
        for count, fixed in itertools.product((1, 3), (False, True)):
            options = ["--target", target, *(["--size", f"n={count},s=7"] if fixed else [])]
            check(f"a second output in parts, {options}, {count} samples", parts_stored_elsewhere, count, options)
        for sizes in ([], ["--size", "s=64"]):
            check(f"groups beside short rows, {target}, {sizes}", spread_over_short_rows, ["--target", target, *sizes])
    for size in (1, 2, 3):
        for over in itertools.combinations("abc", size):
            for order, shape in (("abc", (3, 17, 33)), ("cab", (65, 2, 5)), ("bca", (4, 1, 70))):
                check(f"reduction over {over} in {order} of {shape}", reduction, over, order, shape)
            check(f"reduction over {over} of (3, 0, 5)", reduction, over, "abc", (3, 0, 5))
    nan, empty = np.nan, np.zeros
    check(
        "layer_norm of no rows",
        zero_extents,
        "layer_norm",
        {"x": (0, 5)},
        {"y": empty((0, 5)), "mean": empty(0)},
        {},
        "f=1",
    )
    check(
        "layer_norm of no features",
        zero_extents,
        "layer_norm",
        {"x": (3, 0)},
        {"y": empty((3, 0)), "mean": np.full(3, nan), "rstd": np.full(3, nan)},
        {},
        "f=1",
    )
    check(
        "group_norm of no positions",
        zero_extents,
        "group_norm",
        {"x": (2, 6, 0)},
        {"y": empty((2, 6, 0)), "mean": np.full((2, 3), nan)},
        {"groups": 3},
        None,
    )
    check(
        "group_norm of no channels",
        zero_extents,
        "group_norm",
        {"x": (2, 0, 4)},
        {"y": empty((2, 0, 4)), "mean": np.full((2, 3), nan)},
        {"groups": 3},
        None,
    )
    check(
        "group_norm of no samples",
        zero_extents,
        "group_norm",
        {"x": (0, 6, 4)},
        {"y": empty((0, 6, 4)), "mean": empty((0, 3))},
        {"groups": 3},
        None,
    )
    for source, target in itertools.product(TYPES, repeat=2):
        check(f"{source} to {target}", conversion, source, target)
    finish()


main()
