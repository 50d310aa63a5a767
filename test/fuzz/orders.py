"""Generates kernels over a split axis whose tensors have their axes in all orders, whole or in parts.

    PATH=build/bin:$PATH python3 test/fuzz/orders.py [COUNT [SEED]]

What is computed is little; where it lies is what is tried: inputs and outputs of several orders, parts of the split in
other places, outputs in place, extents fixed or not, plans of several targets. Results are compared with NumPy's in
double: f32 sums of at most 65 * 33 * 5 normal numbers err by less than 10^-3.
"""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Integration"))
from harness import check, compare, finish, run, text_file  # noqa: E402

LEAVES = "ngks"
REDUCED = ["", "k, s", "c", "s", "n, s", "n", "c, s", "g"]
TARGETS = ["cpu", "cpu:x86-64-v3", "cpu/resident=64", "cpu/stream=1"]


def leaves_of(order):
    return "".join("gk" if axis == "c" else axis for axis in order)


def laid_out(array, order, extents):
    """An array over the leaves as memory has it."""
    moved = np.ascontiguousarray(array.transpose([LEAVES.index(leaf) for leaf in leaves_of(order)]))
    return moved.reshape([extents[axis] for axis in order])


class Case:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.extents = {
            "n": self.pick([1, 2, 3, 5]),
            "g": self.pick([1, 2, 3, 4, 8]),
            "k": self.pick([1, 2, 3, 5, 16, 33]),
            "s": self.pick([1, 3, 7, 17, 64, 65]),
        }
        self.extents["c"] = self.extents["g"] * self.extents["k"]
        self.x, self.y, self.z = (self.order(self.rng.random() < whole) for whole in (1, 0.6, 0.5))
        self.w = [axis for axis in self.order(self.rng.random() < 0.5) if self.rng.random() < 0.7]
        self.over = self.pick(REDUCED)
        self.scales = bool(self.over) and self.rng.random() < 0.5
        self.outputs = self.pick([["y", "z"], ["y", "z"], ["y"], ["z"]])
        self.options = self.chosen_options()

    def pick(self, choices):
        return choices[self.rng.integers(len(choices))]

    def order(self, whole):
        axes = ["n", "s", *(["c"] if whole else ["g", "k"])]
        self.rng.shuffle(axes)
        return axes

    def chosen_options(self):
        options = ["--target", self.pick(TARGETS), "--threads", self.pick(["1", "2"])]
        for name in self.outputs:
            if getattr(self, name) == self.x and "--inplace" not in options and self.rng.random() < 0.7:
                options += ["--inplace", f"{name}=x"]
        if self.rng.random() < 0.3:
            options += ["--size", ",".join(f"{axis}={self.extents[axis]}" for axis in "ns")]
        return options

    def text(self):
        x, w, y, z = (", ".join(order) for order in (self.x, self.w, self.y, self.z))
        mean = f"  let m = sum(x over {self.over})\n" if self.over else ""
        return (
            f"kernel orders(x: f32[{x}], w: f32[{w}]) -> (y: f32[{y}], z: f32[{z}]) {{\n"
            f"  split c = g * k where g = {self.extents['g']}\n{mean}"
            f"  y = x * w{' + m' if self.over else ''}\n  z = x - w{' * m' if self.scales else ''}\n}}\n"
        )

    def run(self):
        shape = [self.extents[leaf] for leaf in LEAVES]
        x, w = (self.rng.standard_normal(shape).astype(np.float32) for _ in "xw")
        has = leaves_of(self.w)
        w = w[tuple(slice(None) if leaf in has else slice(0, 1) for leaf in LEAVES)]
        flat = w.transpose([LEAVES.index(leaf) for leaf in has] + [i for i, leaf in enumerate(LEAVES) if leaf not in has])
        inputs = {
            "x": laid_out(x, self.x, self.extents),
            "w": np.ascontiguousarray(flat).reshape([self.extents[axis] for axis in self.w]),
        }
        results = run(text_file("orders.norm", self.text()), inputs, self.outputs, options=self.options)
        v, total = x.astype(np.float64), 0
        if self.over:
            axes = tuple(LEAVES.index(leaf) for leaf in leaves_of(self.over.split(", ")))
            total = v.sum(axes, keepdims=True)
        expected = {"y": v * w + total, "z": v - w * (total if self.scales else 1)}
        for name in self.outputs:
            wanted = laid_out(expected[name] + 0 * v, getattr(self, name), self.extents)
            compare(name, results[name], wanted, 1e-5, 1e-3)


def main():
    count, seed = (int(value) for value in (sys.argv[1:] + ["200", "1"][len(sys.argv) - 1 :]))
    for number in range(seed, seed + count):
        case = Case(number)
        check(f"seed {number}, {' '.join(case.options)}:\n{case.text()}", case.run)
    finish()


if __name__ == "__main__":
    main()
