"""Short runs in memory (small maps, channels first) beside longer ones: BatchNorm and its gradient, its inference, and
GroupNorm around the extents at which plans change, against the same formulas in double."""

import os

import ml_dtypes
import numpy as np

from harness import SPECS, check, compare, finish, run

SPEC = os.path.join(SPECS, "batch_norm.norm")
EPS = 1e-3


def arrays(shape):
    rng = np.random.default_rng(sum(shape))
    x, dy = (rng.normal(mean, 2, shape).astype(np.float32) for mean in (5, 0))
    gamma, beta = (rng.normal(1, 1, shape[1]).astype(np.float32) for _ in "gb")
    return x, dy, gamma, beta


def forward(shape):
    x, _, gamma, beta = arrays(shape)
    state = {"moving_mean": np.zeros(shape[1], np.float32), "moving_variance": np.ones(shape[1], np.float32)}
    results = run(SPEC, {"x": x, "gamma": gamma, "beta": beta, **state}, ["y", "mean", "rstd"], kernel="batch_norm",
                  scalars={"momentum": 0.9})
    v, per = x.astype(np.float64), (0, 2)
    mean, rstd = v.mean(per), 1 / np.sqrt(v.var(per) + EPS)
    spread = lambda a: a[None, :, None]
    # Of a few points with a small variance rstd is up to 1/sqrt(EPS) times the error of a mean of 5.
    compare("mean", results["mean"], mean, 1e-6, 1e-6)
    compare("rstd", results["rstd"], rstd, 2e-5, 0)
    compare("y", results["y"], (v - spread(mean)) * spread(rstd * gamma) + spread(beta), 2e-5, 5e-5)


def backward(shape):
    x, dy, gamma, _ = arrays(shape)
    v, d, per = x.astype(np.float64), dy.astype(np.float64), (0, 2)
    mean, rstd = v.mean(per).astype(np.float32), (1 / np.sqrt(v.var(per) + EPS)).astype(np.float32)
    inputs = {"dy": dy, "x": x, "gamma": gamma, "mean": mean, "rstd": rstd}
    results = run(SPEC, inputs, ["dx", "dgamma", "dbeta"], kernel="batch_norm_backward")
    spread = lambda a: a.astype(np.float64)[None, :, None]
    normal = (v - spread(mean)) * spread(rstd)
    dbeta, dgamma = d.sum(per), (d * normal).sum(per)
    points = shape[0] * shape[2]
    dx = spread(gamma * rstd) * (d - spread(dbeta) / points - normal * spread(dgamma) / points)
    scale = np.abs(spread(gamma * rstd) * d).max()  # of its terms: of two points they cancel
    # Sums of so many terms of size 2 and 4, each rounded: the error of a sum in f32.
    compare("dbeta", results["dbeta"], dbeta, 1e-5, 2e-6 * points**0.5)
    compare("dgamma", results["dgamma"], dgamma, 1e-5, 1e-5 * points**0.5)
    compare("dx", results["dx"], dx, 1e-5, 1e-5 * scale)


def grouped(shape, groups, dtype):
    """What is the same along a run is read for many runs at once: no vector may reach over the end of gamma."""
    x, _, gamma, beta = arrays(shape)
    x, mask = x.astype(dtype), dtype != np.float32
    spec = os.path.join(SPECS, "group_norm.norm")
    options = ["-D", f"groups={groups}", "-D", f"T={'f32' if dtype == np.float32 else 'bf16'}"]
    y = run(spec, {"x": x, "gamma": gamma, "beta": beta}, ["y"], kernel="group_norm", options=options)["y"]
    v = x.astype(np.float64).reshape(shape[0], groups, -1)
    normal = (v - v.mean(-1, keepdims=True)) / np.sqrt(v.var(-1, keepdims=True) + 1e-5)
    expected = normal.reshape(shape) * gamma[:, None] + beta[:, None]
    # f32 as above; a bf16 has 8 bits.
    compare("y", y.astype(np.float64), expected, 2**-8 if mask else 2e-5, 1e-2 if mask else 5e-4)


def inference(shape):
    x, _, gamma, beta = arrays(shape)
    mean, variance = (np.random.default_rng(i).uniform(1, 2, shape[1]).astype(np.float32) for i in (1, 2))
    inputs = {"x": x, "gamma": gamma, "beta": beta, "moving_mean": mean, "moving_variance": variance}
    y = run(SPEC, inputs, ["y"], kernel="batch_norm_inference")["y"]
    spread = lambda a: a.astype(np.float64)[None, :, None]
    expected = (x - spread(mean)) / np.sqrt(spread(variance) + EPS) * spread(gamma) + spread(beta)
    compare("y", y, expected, 1e-5, 1e-5)  # five roundings of f32


def main():
    # A lane each, a vector and a bit, the 7x7 map, the last short run and the first longer one, the last row that is
    # reduced by itself and the first that is not; few rows and more than one block takes; channels that fill no block, and
    # several.
    shapes = [(n, c, s) for s in (1, 2, 17, 49, 63, 64, 200, 256, 257) for n, c in ((2, 3), (9, 40))]
    shapes += [(1030, 5, 3), (1100, 1, 1), (65, 600, 4)]
    for shape in shapes:
        text = "x".join(map(str, shape))
        check(f"forward {text}", forward, shape)
        check(f"backward {text}", backward, shape)
        check(f"inference {text}", inference, shape)
    # Fewer channels than lanes, a group's channels that fill no vector, slices short and long, runs of a point to the
    # last short one.
    for s in (1, 2, 3, 4, 5, 7, 9, 16, 49, 63, 64):
        for n, c, groups in ((3, 6, 2), (2, 40, 8), (5, 66, 3), (2, 640, 2)):
            for dtype in (np.float32, ml_dtypes.bfloat16):
                check(f"group_norm {n}x{c}x{s}, {groups} groups, {dtype.__name__}", grouped, (n, c, s), groups, dtype)
    check("group_norm of more than a worker's cache holds", grouped, (1, 4001 * 3, 11), 3, np.float32)
    finish()


main()
