"""Gradients of gradients: against central differences of the first, by the evaluator in f64, and compiled.

What is given (mean, rstd) is given for speed: the second derivative goes through its definition, so differences
recompute it.
"""

import os

import numpy as np

from differences import check_along
from harness import SPECS, Failure, check, compare, finish, normc, run, scratch

DOUBLE = {"T": "f64", "W": "f64", "S": "f64"}

# Kernel, its inputs, options, gradients of gradients to derive.
NORMS = {
    "layer_norm": ("layer_norm", {"x": (4, 3, 9), "gamma": (9,), "beta": (9,)}, {}, []),
    "rms_norm": ("rms_norm", {"x": (4, 9), "gamma": (9,)}, {}, []),
    "group_norm": ("group_norm", {"x": (3, 6, 5), "gamma": (6,), "beta": (6,)}, {"groups": 2}, ["--omit", "weights"]),
    "instance_norm": ("instance_norm", {"x": (3, 6, 5), "gamma": (6,), "beta": (6,)}, {"activation": "silu"}, []),
    "batch_norm": ("batch_norm", {"x": (5, 4, 6), "gamma": (4,), "beta": (4,)}, {}, []),
    "batch_norm_inference": (
        "batch_norm",
        {"x": (5, 4, 6), "gamma": (4,), "beta": (4,), "moving_mean": (4,), "moving_variance": (4,)},
        {},
        [],
    ),
}


def write(kernel, file, inputs):
    """`once` derives nothing given, `saved` with mean and rstd; `twice` and `twice_saved` derive those."""
    wrt = [name for name in inputs if not name.startswith("moving")]
    given = {"rms_norm": "given rstd", "batch_norm_inference": ""}.get(kernel, "given mean, rstd")
    again = f"of {', '.join('d' + name for name in wrt)} wrt dy, {', '.join(n for n in wrt if n != 'beta')}"
    path = os.path.join(scratch(), f"twice_{kernel}.norm")
    with open(path, "w", encoding="utf-8") as text:
        text.write(f'import "{os.path.join(SPECS, file)}.norm"\nimport "activations.norm"\n')
        text.write(f"gradient once of {kernel} {{ of y wrt {', '.join(wrt)} }}\n")
        text.write(f"gradient saved of {kernel} {{ of y wrt {', '.join(wrt)} {given} }}\n")
        text.write(f"gradient twice of once {{ {again} }}\ngradient twice_saved of saved {{ {again} }}\n")
        text.write("gradient thrice of twice { of ddy wrt ddx, dy, x }\n")
        text.write("gradient thrice_saved of twice_saved { of ddy wrt ddx, dy, x }\n")
    return path, wrt


class Twice:
    def __init__(self, kernel):
        self.file, shapes, defines, self.options = NORMS[kernel]
        self.kernel = kernel
        self.path, self.wrt = write(kernel, self.file, shapes)
        self.defines = {**DOUBLE, **defines}
        self.rng = rng = np.random.default_rng(9)
        self.inputs = {name: rng.normal(1, 0.5, shape) for name, shape in shapes.items()}
        if "moving_variance" in self.inputs:
            self.inputs["moving_variance"] **= 2
        self.inputs["dy"] = rng.normal(0, 1, shapes["x"])
        self.cotangents = {f"d{name}": rng.normal(0, 1, shapes[name]) for name in self.wrt}
        self.wanted = ["dy", *(name for name in self.wrt if name != "beta")]

    def once(self, inputs):
        outputs = [f"d{name}" for name in self.wrt]
        return run(self.path, inputs, outputs, "once", self.defines, options=self.options, device="evaluator")

    def twice(self, kernel, device):
        inputs = {**{f"d{name}": ct for name, ct in self.cotangents.items()}, **self.inputs}
        if kernel == "twice_saved" and self.kernel != "batch_norm_inference":
            names = ["rstd"] if self.kernel == "rms_norm" else ["mean", "rstd"]
            forward = {k: v for k, v in self.inputs.items() if k != "dy"}
            spec = os.path.join(SPECS, self.file + ".norm")
            inputs |= run(spec, forward, names, self.kernel, self.defines, options=self.options, device="evaluator")
        outputs = [f"d{name}" for name in self.wanted]
        return run(self.path, inputs, outputs, kernel, self.defines, options=self.options, device=device)


def by_differences(kernel):
    twice = Twice(kernel)
    gradients = twice.twice("twice", "evaluator")
    for name in twice.wanted:
        directions = {name: twice.rng.normal(0, 1, twice.inputs[name].shape)}
        if wrong := check_along(gradients, twice.once, twice.inputs, directions, twice.cotangents):
            raise Failure(f"with respect to {name}: {wrong}")
    for variant, device in (("twice", "cpu"), ("twice_saved", "evaluator"), ("twice_saved", "cpu")):
        results = twice.twice(variant, device)
        for name, expected in gradients.items():
            compare(f"{name} of {variant} on {device}", results[name], expected, 0, 1e-12 * np.abs(expected).max())


def closed_form(kernel, axes):
    """dx = rstd (d - mean d - h mean(d h)) with d = dy gamma is linear in dy: ddy = gamma · the same map of ddx."""
    twice = Twice(kernel)
    x, ddx = twice.inputs["x"], twice.cotangents["dx"]
    shape = [-1 if n == twice.inputs["gamma"].size else 1 for n in x.shape] if kernel == "batch_norm" else [1, 1, -1]
    gamma = twice.inputs["gamma"].reshape(shape)
    eps = 1e-5 if kernel == "layer_norm" else 1e-3
    mean = lambda v: v.mean(axes, keepdims=True)
    r = 1 / np.sqrt(x.var(axes, keepdims=True) + eps)
    h = (x - mean(x)) * r
    ddy = gamma * r * (ddx - mean(ddx) - h * mean(ddx * h))
    ddy = ddy + h * twice.cotangents["dgamma"].reshape(shape) + twice.cotangents["dbeta"].reshape(shape)
    compare("ddy", twice.twice("twice", "evaluator")["ddy"], ddy, 1e-11, 1e-11)


def third_order(kernel):
    path, _ = write(kernel, NORMS[kernel][0], NORMS[kernel][1])
    for variant in ("thrice", "thrice_saved"):
        ranks = ["--rank", "b=1,f=1" if kernel == "layer_norm" else "s=1"]
        done = normc("compile", path, "-k", variant, *ranks, "--target", "cpu", "--emit", "object", "-o", os.devnull)
        if done.returncode != 0:
            raise Failure(f"{variant}: {done.stderr}")


def main():
    for kernel in NORMS:
        check(f"{kernel}, by differences", by_differences, kernel)
    check("layer_norm, in closed form", closed_form, "layer_norm", (2,))
    check("batch_norm, in closed form", closed_form, "batch_norm", (0, 2))
    for kernel in ("layer_norm", "batch_norm"):
        check(f"{kernel} of third order", third_order, kernel)
    finish()


main()
