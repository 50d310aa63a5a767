"""Derived backward kernels are planned as the hand-written ones of specs/ are: `normc explain` says of both the same
phases, the same passes over x, dy and dx, and the same bytes of those. What a pass sums is not compared: a factor that is
constant along a sum of cotangents leaves it, which no text may do to a sum that is written out.
"""

import os
import re
import sys

from harness import SPECS, Failure, check, finish, normc

LAST = ["--order", "x=n,s...,c", "--order", "dy=n,s...,c", "--order", "dx=n,s...,c"]
DERIVED = {"group": ["-D", "groups=8", "--omit", "weights"]}  # what the hand-written one has not

# Norm, kernel, sizes, other options of both.
CASES = [
    ("layer", "layer_norm_backward", "b=4096,f=1024", ["--rank", "b=1,f=1"]),
    ("layer", "layer_norm_backward", "b=64,f=262144", ["--rank", "b=1,f=1"]),
    ("layer", "layer_norm_backward", "b=65536,f=64", ["--rank", "b=1,f=1"]),
    ("layer", "layer_norm_backward", "b=4096,f=1024", ["--rank", "b=1,f=1", "-D", "T=bf16"]),
    ("layer", "layer_norm_backward", "b=4096,f=1024", ["--rank", "b=1,f=1", "--omit", "dgamma,dbeta"]),
    ("rms", "rms_norm_backward", "b=4096,f=1024", ["--rank", "b=1,f=1"]),
    ("rms", "rms_norm_backward", "b=64,f=262144", ["--rank", "b=1,f=1"]),
    ("rms", "rms_norm_backward", "b=65536,f=64", ["--rank", "b=1,f=1"]),
    ("group", "group_norm_backward", "n=32,g=8,k=8,s=3136", ["--rank", "s=1"]),
    ("group", "group_norm_backward", "n=2,g=8,k=8,s=262144", ["--rank", "s=1"]),
    ("group", "group_norm_backward", "n=32,g=8,k=8,s=3136", ["--rank", "s=1", *LAST]),
    ("batch", "batch_norm_backward", "n=32,c=256,s=3136", ["--rank", "s=1"]),
    ("batch", "batch_norm_backward", "n=32,c=256,s=49", ["--rank", "s=1"]),
    ("batch", "batch_norm_backward", "n=32,c=256,s=3136", ["--rank", "s=1", *LAST]),
    ("batch", "batch_norm_backward", "n=8192,c=256,s=1", ["--rank", "s=1"]),
    ("batch", "batch_norm_inference_backward", "n=32,c=256,s=3136", ["--rank", "s=1"]),
]


def plan(spec, kernel, sizes, options):
    arguments = ["explain", spec, "-k", kernel, "--size", sizes, "--target", "cpu:x86-64-v4", *options]
    done = normc(*arguments)
    if done.returncode != 0:
        raise Failure(f"{' '.join(arguments)}\n{done.stderr}")
    lines = done.stdout.splitlines()
    return sections(done.stdout.splitlines()), done.stdout


def sections(lines):
    """What is said of each phase: its blocks, its passes over large tensors, and their bytes in any order. Phases that
    only combine partial sums come last: they stand in the order of the text."""
    phases = []
    for line in lines:
        if re.match(r"  phase ", line):
            phases.append(([line.split(":")[1]], set()))
        elif large := re.findall(r"\b(?:x|dy|dx)\b(?: \(.*\))?", line):
            words = re.match(r" *(pass over [^:]*: vector width \d+|reads|writes)", line)
            if words and words[1].startswith("pass"):
                phases[-1][0].append(f"{re.sub(r' [(](sum|, )*[)]', '', words[0])} {sorted(large)}")
            elif words:
                phases[-1][1].add(line)
    return [p for p in phases if p[1]] + sorted((p for p in phases if not p[1]), key=lambda p: p[0])


def equal(norm, kernel, sizes, options):
    ours = DERIVED.get(norm, [])
    derived_sizes = sizes.replace("g=8,k=8", "c=64") if norm == "group" else sizes
    derived, first = plan(os.path.join(SPECS, f"{norm}_norm.norm"), kernel, derived_sizes, [*options, *ours])
    written, second = plan(os.path.join(SPECS, f"{norm}_norm_backward.norm"), kernel, sizes, options)
    if derived != written or not derived[0][1]:
        raise Failure(f"derived:\n{first}\nwritten by hand:\n{second}")


def main():
    for norm, kernel, sizes, options in CASES:
        if not sys.argv[1:] or norm in sys.argv[1:]:
            check(f"{kernel} of {sizes} {' '.join(options)}", equal, norm, kernel, sizes, options)
    finish()


main()
