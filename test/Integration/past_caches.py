"""Stores past the caches, and what goes beside them, change no bit: channels last, and short rows; small tensors on
targets that hold every cache to be too small, or large enough."""

import os
import platform

import numpy as np

from harness import SPECS, TYPES, check, compare, finish, run, same_bits, scratch

SHAPES = [(1, 7, 9, 64), (2, 11, 6, 128), (5, 13, 10, 72), (3, 1, 3, 256), (4, 9, 9, 24)]
ROWS = [(129, 40), (100, 16), (70, 100), (33, 7), (65, 200), (3, 1), (1, 33), (47, 128)]
PARAMETERS = ["gamma", "beta"]
LEVELS = ["cpu", "x86-64-v3"] if platform.machine() == "x86_64" else ["cpu"]


def results(spec, shape, dtype, kernel, inputs, outputs, facts, threads):
    rng = np.random.default_rng(7)
    wide = [name for name in ("x", "y", "dy", "dx") if name in inputs + outputs]
    of_rows = len(shape) == 2
    orders = [] if of_rows else [text for name in wide for text in ("--order", f"{name}=n,s...,c")]
    groups = 8 if spec == "group_norm" else shape[-1]
    statistics = shape[:1] if of_rows else (shape[0], groups)
    shapes = {"x": shape, "dy": shape, "mean": statistics, "rstd": statistics}
    arrays = {}
    for name in inputs:
        array = rng.normal(0.7, 1, shapes.get(name, shape[-1:])).astype(np.float32)
        arrays[name] = array.astype(TYPES[dtype]) if name in ("x", "dy") else abs(array)
    defines = {"T": dtype, **({"groups": groups} if spec == "group_norm" else {})}
    options = [*orders, "--target", f"cpu/{facts}", "--threads", threads, "--spread"]
    return run(os.path.join(SPECS, spec + ".norm"), arrays, outputs, kernel, defines, options=options)


def equal(*case):
    expected = results(*case, "stream=0", 1)
    for facts, threads in (("stream=1", 1), ("stream=1", 2), ("stream=1/l1=4096", 1)):
        found = results(*case, facts, threads)
        for name in expected:
            same_bits(f"{name}, {facts}, {threads} threads", found[name], expected[name])


def equal_in_other_order(shape, dtype):
    """Slices side by side whose blocks lie in another order where they are stored."""
    spec = os.path.join(scratch(), "norm.norm")
    with open(spec, "w", encoding="utf-8") as file:
        file.write("kernel norm<T = f32>(x: T[a, b, k]) -> y: T[a, b, k] { y = x - mean(x over k) }\n")
    x = np.random.default_rng(7).normal(0.7, 1, shape).astype(TYPES[dtype])
    expected, found = (
        run(spec, {"x": x}, ["y"], options=["--order", "y=b,a,k", "--target", f"cpu/{facts}", "--threads", 1])["y"]
        for facts in ("stream=0", "stream=1")
    )
    same_bits("y", found, expected)


def equal_end_to_end(shape, dtype, level):
    """Maps whose channels end off a vector, channels first, and their gradient: past the caches vectors go on from one
    to the next."""
    rng = np.random.default_rng(7)
    n, c, _ = shape
    arrays = {name: rng.normal(0.7, 1, shape).astype(TYPES[dtype]) for name in ("x", "dy")}
    rows = {name: abs(rng.normal(0.7, 1, c)).astype(np.float32) for name in ("gamma", "beta", "moving_mean")}
    rows["moving_variance"] = rows["gamma"] + 1
    groups = {name: abs(rng.normal(0.7, 1, (n, c // 3))).astype(np.float32) for name in ("mean", "rstd")}
    given = {**arrays, **rows, **groups}
    for spec, kernel, inputs, output in (
        ("group_norm", "group_norm", ["x", "gamma", "beta"], "y"),
        ("group_norm", "group_norm_backward", ["x", "dy", "gamma", "mean", "rstd"], "dx"),
        ("batch_norm", "batch_norm_inference", ["x", *rows], "y"),
    ):
        defines = {"T": dtype, **({"groups": c // 3} if spec == "group_norm" else {})}
        expected, *found = (
            run(os.path.join(SPECS, spec + ".norm"), {name: given[name] for name in inputs}, [output], kernel, defines,
                options=["--target", f"{level}/{facts}", "--threads", threads, "--spread"])[output]
            for facts, threads in (("stream=0", 1), ("stream=1", 1), ("stream=1", 2))
        )
        for each in found:
            same_bits(f"{kernel}: {output}", each, expected)


def equal_in_tiles(shape, dtype, level, to_last):
    """Channels first to last, or back: tiles past the caches, of whole lines and others, and strips of any length."""
    rng = np.random.default_rng(7)
    n, c, points = shape
    x = rng.normal(0.7, 1, shape).astype(TYPES[dtype])
    rows = [rng.uniform(1, 2, c).astype(np.float32) for _ in range(4)]
    names = ["x", "gamma", "beta", "moving_mean", "moving_variance"]
    first, last = ["n,c,s...", "n,s...,c"] if to_last else ["n,s...,c", "n,c,s..."]
    passed = x if to_last else np.ascontiguousarray(x.transpose(0, 2, 1))
    expected, *found = (
        run(os.path.join(SPECS, "batch_norm.norm"), dict(zip(names, [passed, *rows])), ["y"], "batch_norm_inference",
            {"T": dtype}, options=["--order", f"x={first}", "--order", f"y={last}", "--target", f"{level}/{facts}",
                                   "--threads", threads, "--spread"])["y"]
        for facts, threads in (("stream=0", 1), ("stream=1", 1), ("stream=1", 2), ("stream=1/l1=4096", 1),
                               ("stream=4000000", 1))
    )
    for each in found:
        same_bits("y", each, expected)
    gamma, beta, mean, variance = (row.astype(np.float64)[:, None] for row in rows)
    values = (x.astype(np.float64) - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    tolerance = {"f32": 1e-5, "bf16": 2**-8, "f16": 2**-11}[dtype]
    compare("y", expected.astype(np.float64), values.transpose(0, 2, 1) if to_last else values, tolerance, 2e-5)


def equal_as_one(channels, dtype):
    """Rows end to end, channels last: several as one, from a multiple of their number on in each thread's part."""
    rng = np.random.default_rng(7)
    x = rng.normal(0.7, 1, (3, 61, 53, channels)).astype(TYPES[dtype])
    rows = [rng.uniform(1, 2, channels).astype(np.float32) for _ in range(4)]
    inputs = dict(zip(["x", "gamma", "beta", "moving_mean", "moving_variance"], [x, *rows]))
    spec, orders = os.path.join(SPECS, "batch_norm.norm"), ["--order", "x=n,s...,c", "--order", "y=n,s...,c"]
    expected, *found = (
        run(spec, inputs, ["y"], "batch_norm_inference", {"T": dtype},
            options=[*orders, "--target", f"cpu/{facts}", "--threads", threads])["y"]
        for facts, threads in (("stream=0", 1), ("stream=1", 1), ("stream=1", 2), ("stream=1/l1=4096", 1))
    )
    for each in found:
        same_bits("y", each, expected)
    gamma, beta, mean, variance = (row.astype(np.float64) for row in rows)
    values = (x.astype(np.float64) - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    tolerance = {"f32": 1e-5, "bf16": 2**-8, "f16": 2**-11}[dtype]
    compare("y", expected.astype(np.float64), values, tolerance, 2e-5)


def main():
    for dtype in ("f32", "bf16", "f16"):
        for channels in (1, 3, 17, 24, 64, 72, 130):
            check(f"several rows as one, {dtype}, {channels} channels", equal_as_one, channels, dtype)
    for dtype in ("f32", "bf16", "f16"):
        for shape in ((2, 6, 196), (3, 3, 65), (2, 12, 361), (1, 30, 129), (2, 6, 1021), (1, 3, 4095)):
            for level in LEVELS:
                check(f"end to end {dtype} {shape} {level}", equal_end_to_end, shape, dtype, level)
    for dtype in ("f32", "bf16", "f16"):
        for shape in ((2, 64, 128), (1, 256, 96), (2, 40, 49), (1, 130, 67), (1, 16, 1100), (3, 20, 33)):
            for level in LEVELS:
                for to_last in (True, False):
                    title = f"tiles {dtype} {shape} {level} {'to' if to_last else 'from'} channels last"
                    check(title, equal_in_tiles, shape, dtype, level, to_last)
    for dtype in ("f32", "bf16"):
        for shape in ((2, 50, 8), (4, 33, 24), (3, 5, 32)):
            check(f"other order {dtype} {shape}", equal_in_other_order, shape, dtype)
    for spec in ("group_norm", "instance_norm"):
        for dtype in ("f32", "bf16", "f16"):
            for shape in SHAPES if dtype != "f16" else SHAPES[1:3]:
                title = f"{spec} {dtype} {shape}"
                check(title, equal, spec, shape, dtype, spec, ["x", *PARAMETERS], ["y", "mean", "rstd"])
        for shape in SHAPES:
            inputs, outputs = ["x", "dy", "gamma", "mean", "rstd"], ["dx", "dgamma", "dbeta"]
            check(f"{spec} backward {shape}", equal, spec, shape, "f32", spec + "_backward", inputs, outputs)
    for dtype in ("f32", "bf16"):
        for shape in ROWS:
            title = f"layer_norm {dtype} {shape}"
            check(title, equal, "layer_norm", shape, dtype, "layer_norm", ["x", *PARAMETERS], ["y", "mean", "rstd"])
            inputs, outputs = ["x", "dy", "gamma", "mean", "rstd"], ["dx", "dgamma", "dbeta"]
            check(f"{title} backward", equal, "layer_norm", shape, dtype, "layer_norm_backward", inputs, outputs)
    finish()


main()
