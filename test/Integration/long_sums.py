"""Statistics of many values that are not noise: rounding may not add up, in whatever order memory is walked.

Half of the squared deviations of a rectified layer are equal, so that additions to one sum round one way for a long time.
"""

import os
import platform

import numpy as np

from harness import SPECS, check, compare, finish, run

BATCH_NORM = os.path.join(SPECS, "batch_norm.norm")
LAYER_NORM = os.path.join(SPECS, "layer_norm.norm")


def rectified(shape):
    return np.maximum(np.random.default_rng(1).standard_normal(shape), 0).astype(np.float32)


def normalized(x, axes):
    x = x.astype(np.float64)
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)


def channels_first(shape, target):
    x = rectified(shape)
    y = run(BATCH_NORM, {"x": x}, ["y"], defines={"eps": 1e-5}, options=["--target", target])["y"]
    compare("y", y, normalized(x, (0, 2, 3)), 0, 5e-6)


def channels_last(shape, target):
    x = rectified(shape)
    order = ["--order", "x=n,s...,c", "--order", "y=n,s...,c", "--target", target]
    y = run(BATCH_NORM, {"x": x}, ["y"], defines={"eps": 1e-5}, options=order)["y"]
    compare("y", y, normalized(x, (0, 1, 2)), 0, 5e-6)


def rows(shape, target):
    x = rectified(shape)
    y = run(LAYER_NORM, {"x": x}, ["y"], options=["--rank", "f=1", "--target", target])["y"]
    compare("y", y, normalized(x, 1), 0, 5e-6)


for target in ["cpu"] + ["cpu:x86-64-v3"] * (platform.machine() == "x86_64"):
    check(f"many rows of channels, {target}", channels_last, (1, 200, 300, 8), target)
    check(f"many images, channels last, {target}", channels_last, (16, 56, 56, 3), target)
    check(f"large images, {target}", channels_first, (16, 4, 56, 56), target)
    check(f"many small images, {target}", channels_first, (2000, 3, 7, 7), target)
    check(f"one long row, {target}", rows, (2, 100003), target)
    check(f"rows that stay in the cache, {target}", rows, (3, 60001), target)
finish()
