"""A kernel of specs/ beside a formula, in several precisions: what the lists of cases are made of."""

import os

import numpy as np

from harness import NAMES, SPECS, TOLERANCES, TYPES, Failure, compare, run

# What each type parameter is: data, parameters, statistics and state, run-time scalars, the rest.
PRECISIONS = {
    "f32": {},
    "bf16 data": {"T": "bf16"},
    "f16 data": {"T": "f16"},
    "f16": dict.fromkeys("TWSMC", "f16"),
    "bf16": dict.fromkeys("TWSMC", "bf16"),
    "f64": dict.fromkeys("TWSMCR", "f64"),
}

CASES = []


class Case:
    """`inputs`: {name: (type parameter or element type, maker of the array)}; `outputs`: {name: such a type}."""

    def __init__(
        self,
        file,
        kernel,
        inputs,
        formula,
        outputs,
        title="",
        defines=None,
        scalars=None,
        options=(),
        extra=None,
        tolerance=1,
        precisions=tuple(PRECISIONS),
    ):
        self.file, self.kernel, self.inputs, self.formula, self.outputs = file, kernel, inputs, formula, outputs
        self.title = f"{file}: {kernel} {title}".strip()
        self.defines, self.scalars, self.options = defines or {}, scalars or {}, options
        self.extra, self.tolerance, self.precisions = extra or {}, tolerance, precisions
        CASES.append(self)

    def test(self, precision, device):
        types = PRECISIONS[precision]
        type_of = lambda letter: letter if letter in TYPES else types.get(letter, "f32")
        rng = np.random.default_rng(7)
        arrays = {name: (letter, make(rng)) for name, (letter, make) in self.inputs.items()}
        stored = {name: np.asarray(a).astype(TYPES[type_of(letter)]) for name, (letter, a) in arrays.items()}
        # A type parameter that an input shows is inferred, the others are bound.
        shown = {letter for letter, _ in arrays.values()}
        defines = dict(self.defines)
        for letter in sorted(set(self.outputs.values()) | ({"R"} if self.scalars else set())):
            if letter not in TYPES and letter not in shown and letter in types:
                defines[letter] = types[letter]
        path = os.path.join(SPECS, self.file + ".norm")
        results = run(
            path,
            stored,
            list(self.outputs),
            self.kernel,
            defines,
            self.scalars,
            self.options,
            device,
            types={name: type_of(letter) for name, letter in self.outputs.items()},
        )
        exact = {name: v.astype(np.float64) for name, v in stored.items()}
        expected = self.formula(**exact, **self.scalars, **self.extra)
        for name, letter in self.outputs.items():
            kind = type_of(letter)
            if NAMES[results[name].dtype] != kind:
                raise Failure(f"{name} is {NAMES[results[name].dtype]}, expected {kind}")
            if kind not in TOLERANCES:
                compare(name, results[name], expected[name], 0, 0.501)  # the nearest integer
                continue
            rtol, atol = TOLERANCES[kind]
            rounding = kind not in ("f32", "f64")  # then rtol is that of the store
            compare(
                name, results[name], expected[name], rtol * (1 if rounding else self.tolerance), atol * self.tolerance
            )


def normal(*shape, mean=0.7, deviation=1.0):
    return lambda rng: rng.normal(mean, deviation, shape)


def positive(*shape):
    return lambda rng: rng.uniform(0.5, 2, shape)


def affine(*shape):
    return {"gamma": ("W", normal(*shape, mean=1, deviation=0.3)), "beta": ("W", normal(*shape, mean=0))}


def state(*shape):
    return {"moving_mean": ("S", normal(*shape)), "moving_variance": ("S", positive(*shape))}


NORMALIZED = {"y": "T", "mean": "S", "rstd": "S"}
TRAINED = {"y": "T", "moving_mean": "S", "moving_variance": "S"}
