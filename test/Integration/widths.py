"""No standard kernel runs point by point: in the code for a machine with masks, tails included, every innermost loop that
touches memory works on vectors, and `normc explain` says how wide they are."""

import os
import re

from harness import SPECS, Failure, check, finish, normc, scratch

TARGET = "cpu:x86-64-v4"
LAST = ["--order", "x=n,s...,c", "--order", "y=n,s...,c"]
# Parameters without a default.
BOUND = {"ghost_batch_norm": ["-D", "virtual_batch_size=4"], "batch_renorm": ["-D", "virtual_batch_size=4"]}


def innermost_loops(text):
    """The bodies of scf.for loops without loops inside, as lists of lines; printed MLIR has an op or a brace a line."""
    stack, bodies = [], []
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("}"):
            if stack:
                kind, inner, body = stack.pop()
                if kind == "for" and inner:
                    bodies.append(body)
        elif not words.endswith("{"):
            for entry in stack:
                entry[2].append(words)
        if words.endswith("{"):
            is_loop = "scf.for" in words
            if is_loop:
                for entry in stack:
                    entry[1] = False
            stack.append(["for" if is_loop else "other", True, []])
    return bodies


def vectorized(path, kernel, options, element_bytes):
    code = os.path.join(scratch(), "code.mlir")
    selected = [path, "-k", kernel, *options, "--target", TARGET]
    done = normc("compile", *selected, "--emit", "vector", "-o", code)
    if done.returncode != 0:
        raise Failure(f"status {done.returncode}: {done.stderr.strip()}")
    with open(code, encoding="utf-8") as file:
        loops = innermost_loops(file.read())
    memory = re.compile(r"llvm\.(load|store)|llvm\.intr\.masked")
    touching = [body for body in loops if any(memory.search(line) for line in body)]
    if not touching:
        raise Failure("no loop touches memory")
    for body in touching:
        # The one block of a phase that tells other replicas a single number.
        is_number = all("[%c0_i64" in line for line in body if "getelementptr" in line)
        if not is_number and not any("vector<" in line for line in body):
            raise Failure("a loop over single points:\n" + "\n".join(body[:12]))
    done = normc("explain", *selected)
    widths = [int(width) for width in re.findall(r"vector width (\d+)", done.stdout)]
    if done.returncode != 0 or not widths or set(widths) != {64 // element_bytes}:
        raise Failure(f"explain says {sorted(set(widths))}, expected {64 // element_bytes}\n{done.stderr}")


def main():
    for name in sorted(os.listdir(SPECS)):
        path = os.path.join(SPECS, name)
        stem, extension = os.path.splitext(name)
        if extension != ".norm":
            continue
        with open(path, encoding="utf-8") as file:
            kernels = re.findall(r"^kernel (\w+)<[^(]*\(\s*((?:.|\n)*?)\n\) ->", file.read(), re.MULTILINE)
        for kernel, inputs in kernels:
            bound = BOUND.get(stem, []) if "ghost" in kernel else []
            check(f"{kernel} in f32", vectorized, path, kernel, bound, 4)
            if re.search(r"x: +T\[n, c, s\.\.\.\]", inputs) and "dy:" not in inputs:
                check(f"{kernel} in f32, channels last", vectorized, path, kernel, [*bound, *LAST], 4)
        if stem in ("layer_norm", "group_norm", "batch_norm"):
            types = ["-D", "T=f64", "-D", "W=f64", "-D", "S=f64"]
            check(f"{stem} in f64", vectorized, path, stem, types, 8)
    finish()


if __name__ == "__main__":
    main()
