"""Short runs in memory (small maps, channels first) beside longer ones: BatchNorm and its gradient around the extents at
which plans change, against the same formulas in double."""

import os

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


def main():
    # A lane each, a vector and a bit, the 7x7 map, the last short run and the first long one; few rows and more than one
    # block takes; channels that fill no block, and several.
    shapes = [(n, c, s) for s in (1, 2, 17, 49, 128, 129, 200) for n, c in ((2, 3), (9, 40))]
    shapes += [(1030, 5, 3), (1100, 1, 1), (65, 600, 4)]
    for shape in shapes:
        text = "x".join(map(str, shape))
        check(f"forward {text}", forward, shape)
        check(f"backward {text}", backward, shape)
    finish()


main()
