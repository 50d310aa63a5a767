"""Random kernels, compiled and by the evaluator. `differential.py [--seed S] [--count N] [--keep DIR]`

Prints how often each construct, type, option and form of plan occurred; fails where two results differ, where something
is refused, and where, in a run of the usual length or more, something never occurred.
"""

import argparse
import collections
import os
import re

import numpy as np

import generator
from generator import BINARY, FLOATS, INTEGERS, UNARY, Case
from harness import TOLERANCES, TYPES, Failure, check, finish, normc, run, scratch, shell

USUAL = 150
LANGUAGE = {
    *UNARY, *BINARY, "where", "floor", "round", "cast", "at", "index", "count", "any", "all", "sum", "mean", "max", "min",
    "auto", "two_pass", "one_pass", "welford", "weights", "comparison", "number as a condition", "not", "and or", "integers",
    "compile-time bool", "1 axes", "2 axes", "3 axes", "4 axes", "pack", "unnamed axis", "split by a literal",
    "split by a parameter", "extent 0", "scalar", "state", "update", "omitted input", "output broadcast",
    "output in another order", "output not asked for", "NaN and infinities",
}
OPTIONS = {"order of an input", "order of an output", "size", "-D of a fn", "1 threads", "2 threads", "7 threads"}
TYPED = {f"input {t}" for t in FLOATS + INTEGERS} | {f"output {t}" for t in FLOATS + INTEGERS} | {
    f"T = {t}" for t in FLOATS}
# What `normc explain` says of a plan.
PLANS = {
    "one phase": r"\A(?:(?!phase 1).)*\Z",
    "several phases": r"phase 1:",
    "workspace": r"workspace0",
    "a variant for long reductions": r"_streamed",
    "chunks": r"chunks of",
    "a pass inside a pass": r"\n {6,}pass over",
    "a sum": r"\(.*\bsum\b",
    "a max or min": r"\(.*\b(max|min)\b",
    "an any or all": r"\(.*\b(any|all)\b",
    "two reductions in one pass": r"\(\w+, \w+",
}


def forms(path, case):
    arguments = ["explain", path, "--target", "cpu:x86-64-v3"]
    for name, value in case.defines.items():
        arguments += ["-D", f"{name}={value}"]
    for name in ("x", "a", "b", "m"):
        if name not in case.inputs and any(d.startswith(f"{name}:") for d in case.declarations):
            arguments += ["--omit", name]
    for name in case.results:
        if name not in case.asked:
            arguments += ["--omit", name]
    done = normc(*arguments, *case.options)
    if done.returncode != 0:
        raise Failure(f"status {done.returncode}: {shell(arguments)}\n{done.stderr.strip()}\n{case.text}")
    return {form for form, pattern in PLANS.items() if re.search(pattern, done.stdout, re.DOTALL)}


def agree(name, element, double, compiled, evaluated):
    """Equal up to rounding, which may differ by a step of the stored type."""
    if compiled.shape != evaluated.shape or compiled.dtype != evaluated.dtype:
        raise Failure(f"{name}: {compiled.dtype}{compiled.shape}, by the evaluator {evaluated.dtype}{evaluated.shape}")
    a, b = compiled.astype(np.float64), evaluated.astype(np.float64)
    scale = max(1.0, float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0)))
    relative, absolute = TOLERANCES.get(element, (0, 0))
    loose = 1e-8 if double else 2e-3
    if element in INTEGERS:
        relative, absolute = 0, 0 if element == "bool" else 1
        loose = 0
    allowed = 2 * relative * np.abs(b) + absolute + loose * scale
    finite = np.isfinite(a) & np.isfinite(b)
    same = np.where(finite, np.abs(a - b) <= allowed, (a == b) | (np.isnan(a) & np.isnan(b)))
    if not same.all():
        at = tuple(int(i) for i in np.argwhere(~same)[0])
        raise Failure(f"{name}: {int((~same).sum())} of {a.size} differ; at {list(at)} {a[at]:.9g}, by the evaluator "
                      f"{b[at]:.9g}")


def one(seed, seen, keep):
    case = Case(seed)
    path = os.path.join(keep or scratch(), f"case-{seed}.norm")
    with open(path, "w", encoding="utf-8") as file:
        file.write(case.text)
    threads = generator.np.random.default_rng(seed).choice((1, 2, 7))
    features = case.features | {f"{threads} threads"} | forms(path, case)
    types = {name: element for name, element in case.results.items()}
    results = []
    for device, more in (("cpu", ["--threads", str(threads)]), ("evaluator", [])):
        try:
            results.append(run(path, case.inputs, case.asked, defines=case.defines, scalars=case.scalars,
                               options=[*case.options, *more], device=device, types=types))
        except Failure as failure:
            raise Failure(f"{failure}\n{case.text}") from None
    double = any(array.dtype == TYPES["f64"] for array in case.inputs.values())
    for name in case.asked:
        try:
            agree(name, case.results[name], double, results[0][name], results[1][name])
        except Failure as failure:
            raise Failure(f"{failure}\n{case.text}\n{case.options} {case.defines} {case.scalars} "
                          f"{ {n: v.shape for n, v in case.inputs.items()} } {case.asked}") from None
    seen.update(features)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=USUAL)
    parser.add_argument("--keep", help="a folder for the kernels' texts")
    options = parser.parse_args()
    seen = collections.Counter()
    for seed in range(options.seed, options.seed + options.count):
        check(f"seed {seed}", one, seed, seen, options.keep)
    for title, features in (("language", LANGUAGE), ("types", TYPED), ("options", OPTIONS), ("plans", set(PLANS))):
        print(f"{title}: " + ", ".join(f"{feature} {seen[feature]}" for feature in sorted(features)))
        missing = sorted(feature for feature in features if not seen[feature])
        if options.count >= USUAL and missing:
            check(f"{title} never met", fail, f"{', '.join(missing)} never occurred")
    finish()


def fail(message):
    raise Failure(message)


main()
