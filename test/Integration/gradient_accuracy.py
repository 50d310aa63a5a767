"""How far derived backward kernels in f32 are from the gradient in double.

dx is within 2 ulp of its scale on ordinary data: |dx - exact| <= 2 * 2^-23 * max|dx|, resident or streamed, channels first
or last, with the statistics given as the forward kernel leaves them, or computed again.

Where the mean is 10^4 deviations, that holds of what is computed again to within 4 ulp. A mean that was stored in f32 is
off by up to delta = 5e-4 deviations, and so is every x^ = (x - mean) rstd of the backward pass. That moves
dx = rstd (g - mean(g) - x^ mean(g x^)), where g = dy gamma, by

    rstd delta (|mean(g x^)| + max|x^| |mean(g)|)

beyond 2 ulp of what the formula gives with the statistics as they were stored.

dgamma and dbeta are sums over many rows: their error is a few 2^-24 of the sum of their terms' magnitudes (of x^ as
much as 1, where x is near the mean), however many those are.
"""

import os

import numpy as np

from harness import SPECS, TYPES, Failure, check, finish, run, scratch

ULP = 2.0**-23
GROUPS = 4
# The shape as [outer, groups of channels, channels of a group, inner], what is reduced, whether gamma varies inside.
NORMS = {
    "layer": ("1e-5", [(64, 1, 1024, 1), (64, 1, 771, 1), (3, 1, 30000, 1)], (2, 3)),
    "rms": ("1e-6", [(64, 1, 1024, 1), (3, 1, 30000, 1)], (2, 3)),
    "group": ("1e-5", [(8, GROUPS, 8, 196), (2, GROUPS, 2, 5000)], (2, 3)),
    "instance": ("1e-5", [(8, 16, 1, 196), (2, 3, 1, 20001)], (3,)),
    "batch": ("1e-3", [(32, 16, 1, 196), (2048, 64, 1, 1), (4, 3, 1, 20001)], (0, 3)),
}
# Streamed, in chunks of a few rows of channels: 6000 chunks of a single row are no plan, and their sum is 3 ulp off.
TARGETS = ("cpu", "cpu/resident=64")
LAST = ("x", "dy", "dx")


def mean(values, axes):
    return values.mean(axes, keepdims=True)


class Backward:
    """One problem: its data, its gradient in double, and the derived kernel's."""

    def __init__(self, norm, shape, offset, letter="f32"):
        self.norm, self.letter = norm, letter
        eps, _, self.axes = NORMS[norm]
        rng = np.random.default_rng(7)
        n, g, k, s = shape
        self.flat = (n, k) if norm in ("layer", "rms") else (n, g * k, s)
        draw = lambda center, deviation, shape: rng.normal(center, deviation, shape)
        self.inputs = {
            "x": draw(offset, 1, self.flat).astype(TYPES[letter]),
            "dy": draw(0.1, 1, self.flat).astype(TYPES[letter]),
            "gamma": draw(1, 0.3, g * k).astype(np.float32),
        }
        self.x, self.dy = (self.inputs[name].astype(np.float64).reshape(shape) for name in ("x", "dy"))
        self.gamma = self.inputs["gamma"].astype(np.float64).reshape(1, g, k, 1)
        self.mean = mean(self.x, self.axes) if norm != "rms" else np.zeros((1, 1, 1, 1))
        self.rstd = 1 / np.sqrt(mean((self.x - self.mean) ** 2, self.axes) + float(eps))
        self.defines = {"groups": GROUPS} if norm == "group" else {}
        self.spec = os.path.join(SPECS, f"{norm}_norm.norm")

    def dx(self, center, rstd):
        hat, g = (self.x - center) * rstd, self.dy * self.gamma
        subtracted = mean(g, self.axes) if self.norm != "rms" else 0
        return rstd * (g - subtracted - hat * mean(g * hat, self.axes))

    def given(self):
        """What the forward kernel leaves for the backward one."""
        names = ["mean", "rstd"] if self.norm != "rms" else ["rstd"]
        forward = {name: self.inputs[name] for name in ("x", "gamma")}
        return run(self.spec, forward, names, defines=self.defines)

    def compiled(self, outputs, given, target, last):
        inputs = {name: self.to_memory(v) if last and name in LAST else v for name, v in self.inputs.items()}
        path, kernel = self.spec, f"{self.norm}_norm_backward"
        if not given:
            path, kernel = os.path.join(scratch(), f"{self.norm}.norm"), "recomputing"
            with open(path, "w", encoding="utf-8") as file:
                text = f"gradient recomputing of {self.norm}_norm {{ of y wrt {', '.join(v[1:] for v in outputs)} }}"
                file.write(f'import "{self.spec}"\n{text}\n')
        options = ["--target", target]
        for name in LAST if last else ():
            if name != "dx" or name in outputs:
                options += ["--order", f"{name}=n,s...,c"]
        results = run(path, {**inputs, **given}, outputs, kernel, self.defines, options=options)
        if last and "dx" in outputs:
            results["dx"] = np.moveaxis(results["dx"], -1, 1)
        return {name: v.astype(np.float64) for name, v in results.items()}

    def to_memory(self, v):
        return np.ascontiguousarray(np.moveaxis(v, 1, -1))


def near(result, exact, ulps, extra=0.0):
    exact = np.broadcast_to(exact, result.shape)
    error, scale = np.abs(result - exact), np.abs(exact).max()
    if not (error <= ulps * ULP * scale + extra).all():
        raise Failure(f"dx is {error.max() / scale / ULP:.3g} ulp of its scale off")


def ordinary(backward, given, target, last):
    dx = backward.compiled(["dx"], given, target, last)["dx"].reshape(backward.x.shape)
    near(dx, backward.dx(backward.mean, backward.rstd), 2)


def far(backward, given, target, last):
    dx = backward.compiled(["dx"], given, target, last)["dx"].reshape(backward.x.shape)
    exact = backward.dx(backward.mean, backward.rstd)
    if not given:
        return near(dx, exact, 4)
    center, rstd = (given[name].astype(np.float64).reshape(backward.rstd.shape) for name in ("mean", "rstd"))
    near(dx, backward.dx(center, rstd), 2)
    hat, g = (backward.x - center) * rstd, backward.dy * backward.gamma
    reach = lambda v: np.abs(mean(v, backward.axes))
    delta = 5e-4 * rstd
    near(dx, exact, 2, rstd * delta * (reach(g * hat) + np.abs(hat).max(backward.axes, keepdims=True) * reach(g)))


def parameters(backward, target, last):
    hat = (backward.x - backward.mean) * backward.rstd
    results = backward.compiled(["dgamma", "dbeta"], {}, target, last)
    for name, terms in (("dgamma", backward.dy * hat), ("dbeta", backward.dy)):
        error = np.abs(results[name].reshape(-1) - terms.sum((0, 3)).reshape(-1))
        share = error / (np.abs(terms) + np.abs(backward.dy)).sum((0, 3)).reshape(-1) * 2**24
        if share.max() > 4:
            raise Failure(f"{name} is {share.max():.3g} roundings of its terms' magnitudes off")


def main():
    for norm, (_, shapes, _) in NORMS.items():
        layouts = (False, True) if norm in ("group", "instance", "batch") else (False,)
        for shape in shapes:
            for offset, test in ((2, ordinary), *([(1e4, far)] if norm != "rms" else [])):
                backward = Backward(norm, shape, offset)
                for given in (backward.given(), {}):
                    for target in TARGETS:
                        for last in layouts:
                            title = f"{norm} {shape} about {offset}, {'given' if given else 'recomputed'}, {target}, {last}"
                            check(title, test, backward, given, target, last)
    for letter in ("f32", "bf16"):
        for norm, shape in (("layer", (70001, 1, 17, 1)), ("layer", (5, 1, 7001, 1)), ("batch", (70001, 5, 1, 1))):
            backward = Backward(norm, shape, 0.5, letter)
            for target in TARGETS:
                check(f"parameters of {norm} {shape}, {letter}, {target}", parameters, backward, target, False)
    finish()


main()
