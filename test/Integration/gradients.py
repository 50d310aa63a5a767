"""Gradients of every kernel of specs/ that has a floating output, with respect to every floating input.

Each is derived here, without `given`, run by the evaluator in f64 and compared with central differences of the forward
kernel along a random direction; then on the CPU in single and half precision, compared with the evaluator.

Arguments: the files whose kernels to test (`group_norm batch_norm`), or `all`.
"""

import os
import sys

import numpy as np

from cases import cases_of
from differences import check_along, signatures
from harness import NAMES, SPECS, TYPES, Failure, check, compare, finish, run, scratch

FLOATS = ("f64", "f32", "f16", "bf16")
# 16 ulp of the largest element or cotangent in f32: rows of few elements, or of variance 0, are sums that cancel.
# Another ulp of the element where it is stored in half precision.
UNITS = {"f32": 2.0**-19, "f16": 2.0**-10, "bf16": 2.0**-7}


def without_stop_gradient(path):
    """The same text for differences, which see through stop_gradient."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if "stop_gradient(" not in text:
        return path
    path = os.path.join(scratch(), os.path.basename(path))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("stop_gradient(", "("))
    return path


class Derived:
    """A case's kernel and its gradient, all types but those of integers and masks being `kind`."""

    def __init__(self, case, kind):
        self.case, self.kind = case, kind
        self.path = os.path.join(SPECS, case.file + ".norm")
        if kind == "f64":
            self.path = without_stop_gradient(self.path)
        s = signatures(self.path)[case.kernel]
        self.defines = dict(case.defines)
        for name, default in s.parameters.items():
            if default in TYPES:
                self.defines[name] = kind
        rng = np.random.default_rng(11)
        self.inputs = {}
        for name, (letter, make) in case.inputs.items():
            type = letter if letter in TYPES else kind
            self.inputs[name] = np.asarray(make(rng)).astype(TYPES[type])
            if letter in TYPES and s.inputs[name][2] in self.defines:
                self.defines[s.inputs[name][2]] = letter
        floating = lambda name: s.element(name, self.defines) in FLOATS
        self.of = [name for name in s.outputs if floating(name)]
        self.wrt = [name for name in self.inputs if floating(name) and not s.is_state(name)]
        # A gradient has no updates to omit.
        self.bare_options = []
        for option, value in zip(case.options[::2], case.options[1::2]):
            if option != "--omit":
                self.bare_options += [option, value]

    def write(self):
        path = os.path.join(scratch(), f"derived_{self.case.kernel}.norm")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'import "{self.path}"\n')
            if "activation" in self.defines:
                file.write('import "activations.norm"\n')
            file.write(f"gradient derived of {self.case.kernel} {{\n  of {', '.join(self.of)}\n  wrt {', '.join(self.wrt)}\n}}\n")
        return path

    def forward(self, inputs):
        return run(self.path, inputs, self.of, self.case.kernel, self.defines, self.case.scalars, self.case.options, "evaluator")

    def gradients(self, inputs, cotangents, device):
        arrays = {**{"d" + name: ct for name, ct in cotangents.items()}, **inputs}
        types = {"d" + name: self.kind for name in self.wrt}
        return run(
            self.write(), arrays, list(types), "derived", self.defines, self.case.scalars, self.bare_options, device, types
        )

    def cotangents(self, rng):
        outputs = self.forward(self.inputs)
        draw = lambda v: np.where(np.isfinite(v), rng.normal(0, 1, v.shape), 0)
        return {name: draw(v).astype(TYPES[self.kind]) for name, v in outputs.items()}


def against_differences(case):
    derived = Derived(case, "f64")
    rng = np.random.default_rng(5)
    cotangents = derived.cotangents(rng)
    gradients = derived.gradients(derived.inputs, cotangents, "evaluator")
    failures = []
    together = {name: rng.normal(0, 1, derived.inputs[name].shape) for name in derived.wrt}
    for name in [None, *derived.wrt]:
        # All inputs at once; where that fails, which of them.
        directions = together if name is None else {name: together[name]}
        wrong = check_along(gradients, derived.forward, derived.inputs, directions, cotangents)
        if not wrong and name is None:
            return
        if wrong:
            failures.append(f"along {name or 'all'}: {wrong}")
    raise Failure("; ".join(failures))


def as_declared(case):
    """The spec's own gradient, with what it has given, is the one that is derived here."""
    derived = Derived(case, "f64")
    declared = signatures(derived.path).get(f"{case.kernel}_backward")
    if not declared:
        return
    cotangents = derived.cotangents(np.random.default_rng(5))
    cotangents = {name: ct if f"d{name}" in declared.inputs else 0 * ct for name, ct in cotangents.items()}
    expected = derived.gradients(derived.inputs, cotangents, "evaluator")
    given = [name for name in declared.inputs if name in derived.of]
    arrays = {"d" + name: ct for name, ct in cotangents.items() if f"d{name}" in declared.inputs}
    arrays |= {name: array for name, array in derived.inputs.items() if name in declared.inputs}
    if given:
        arrays |= {name: array for name, array in derived.forward(derived.inputs).items() if name in given}
    scalars = {name: value for name, value in case.scalars.items() if name in declared.inputs}
    wanted = [name for name in declared.outputs if name in expected]
    options = list(derived.bare_options)
    for name in declared.outputs:
        if name not in expected:
            options += ["--omit", name[1:]]  # left out only explicitly, with its gradient
    results = run(derived.path, arrays, wanted, declared.name, derived.defines, scalars, options, "evaluator")
    for name, result in results.items():
        compare(name, result, expected[name], 0, 1e-11 * max(1, np.abs(expected[name]).max(initial=0)))


def on_the_cpu(case, kind):
    derived = Derived(case, kind)
    cotangents = derived.cotangents(np.random.default_rng(5))
    expected = derived.gradients(derived.inputs, cotangents, "evaluator")
    results = derived.gradients(derived.inputs, cotangents, "cpu")
    for name, e in expected.items():
        r = results[name]
        if NAMES[r.dtype] != kind or r.shape != e.shape:
            raise Failure(f"{name} is {NAMES[r.dtype]}{r.shape}, expected {kind}{e.shape}")
        e, r = e.astype(np.float64), r.astype(np.float64)
        if (np.isfinite(e) != np.isfinite(r)).any():
            raise Failure(f"{name}: not finite at other places")
        error, scale = (np.nan_to_num(v) for v in (np.abs(r - e), np.abs(e)))
        largest = max([scale.max(initial=0), *(np.abs(ct).max(initial=0) for ct in cotangents.values())])
        allowed = UNITS["f32"] * largest + (UNITS[kind] * scale if kind != "f32" else 0)
        if (error > allowed).any():
            raise Failure(f"{name}: off by {error.max():.3g}, {error.max() / largest * 2**23:.3g} ulp of the largest")


def main():
    seen, tried = set(), set()
    for case in cases_of(sys.argv[1:]):
        if "walk-through" in case.title or case.title in seen:
            continue
        seen.add(case.title)
        derived = Derived(case, "f64")
        if not derived.of:
            continue
        check(f"{case.title}, against differences", against_differences, case)
        check(f"{case.title}, as declared", as_declared, case)
        # How elements are stored is the same thing in every case of a kernel.
        kinds = ("f32",) if case.kernel in tried else UNITS
        tried.add(case.kernel)
        for kind in kinds:
            check(f"{case.title}, {kind} on the cpu", on_the_cpu, case, kind)
    finish()


main()
