"""Data that are not finite give statistics that are not, wherever they stand: within the sample of a slice or outside of
it, resident or streamed, replicas included; what they do not belong to stays as it is."""

import os

import numpy as np

from harness import SPECS, Failure, check, finish, run, same_bits, scratch

LAST = ["--order", "x=n,s...,c", "--order", "y=n,s...,c"]
FORMS = {
    "layer_norm": ("layer_norm", (3, 300), 0, ["y", "mean", "rstd"], {}, ["--rank", "f=1"]),
    "group_norm": ("group_norm", (3, 4, 300), 0, ["y", "mean", "rstd"], {"groups": 1}, []),
    "group_norm, channels last": ("group_norm", (3, 300, 4), 0, ["y", "mean", "rstd"], {"groups": 1}, LAST),
    "batch_norm": ("batch_norm", (2, 4, 300), 1, ["y", "mean", "rstd", "moving_mean", "moving_variance"], {}, []),
    "batch_norm, channels last": ("batch_norm", (2, 300, 4), 2, ["y", "mean", "rstd", "moving_mean"], {}, LAST),
}


def spoilt(form, target, place, bad):
    spec, shape, axis, outputs, defines, options = FORMS[form]
    x = np.random.default_rng(5).normal(1, 1, shape).astype(np.float32)
    inputs, scalars = {"x": x}, {}
    if spec == "batch_norm":
        inputs |= {name: np.ones(shape[axis], np.float32) for name in ("moving_mean", "moving_variance")}
        scalars = {"momentum": 0.9}
    good, found = (
        run(os.path.join(SPECS, spec + ".norm"), {**inputs, "x": data}, outputs, None, defines, scalars, [*options, *target])
        for data in (x, spoil(x, axis, place, bad))
    )
    for name in outputs:
        along = axis if name == "y" else 0
        first, others = ([slice(None)] * found[name].ndim for _ in range(2))
        first[along], others[along] = 0, slice(1, None)
        if np.isfinite(found[name][tuple(first)]).any():
            raise Failure(f"{name} is finite: {found[name][tuple(first)].ravel()[:4]}")
        same_bits(f"{name} of others", found[name][tuple(others)], good[name][tuple(others)])


def spoil(x, axis, place, bad):
    slices = np.moveaxis(np.array(x), axis, 0)
    slices[0].flat[place] = bad
    return np.ascontiguousarray(np.moveaxis(slices, 0, axis))


LARGEST = """kernel largest(x: f32[b, f], factor: f32[b]) -> (most: f32[b], total: f32[b]) {
  total = sum(x over f)
  most = max(abs(x * factor) over f)
}
"""


def largest_of_none(target):
    """Of no points a maximum is -inf, whatever factor its points would have."""
    path = os.path.join(scratch(), "largest.norm")
    with open(path, "w", encoding="utf-8") as file:
        file.write(LARGEST)
    inputs = {"x": np.zeros((4, 0), np.float32), "factor": np.array([2, 0, np.nan, np.inf], np.float32)}
    found = run(path, inputs, ["most", "total"], options=target)
    same_bits("most", found["most"], np.full(4, -np.inf, np.float32))


def main():
    for target in ("cpu", "cpu:x86-64-v3"):
        check(f"largest of none: {target}", largest_of_none, ["--target", target])
    for form in FORMS:
        for facts in ("", "/resident=64", "/resident=1"):
            for place in (0, 150, -1):
                for bad in (np.nan, np.inf):
                    title = f"{form}{facts}: {bad} at {place}"
                    check(title, spoilt, form, ["--target", "cpu" + facts], place, bad)
    finish()


main()
