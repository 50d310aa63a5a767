"""Writes kernels of many operations into a folder: one deep chain, one long sum."""

import os
import sys

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def write(name, statements):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write("kernel k(x: f32[n]) -> y: f32[n] {\n  " + "\n  ".join(statements) + "\n}\n")


steps = 20000
write(
    "chain.norm", ["let a0 = x", *(f"let a{i} = a{i - 1} * {1 / i} + x" for i in range(1, steps)), f"y = a{steps - 1}"]
)
write("sum.norm", ["y = " + " + ".join(f"x * {i}" for i in range(4000))])
