"""Gradients of generated kernels: against central differences of the forward kernel, and compiled against evaluated.

  gradients.py                       what the tests run; --count and --seed make any number by hand
  gradients.py --seed 1 --only 17 -v one kernel again: its text and its commands

Everything floating is made f64, data without ties; casts then round nothing, and stop_gradient, through which
differences see, is taken out. All floating outputs are differentiated along one random direction of all floating
inputs. Where a step of the differences meets a kink or a jump, the next is shorter; where they do not agree among
themselves, the kernel is passed over. On the CPU, the gradients are to be the evaluator's to ten digits, and so are
those of their own text (normc gradient). The same with data that is not finite here and there, and cotangents that are
0 here and there: what is finite is to be the evaluator's. No bit may depend on threads or on stores past the caches, of
the kernel as generated, in its own types, neither; what is in place is planned by itself, and as exact.
"""

import collections
import os
import re
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Integration"))
from differences import along, derivative_along  # noqa: E402
from fuzz import Case, Failure, arguments, each, raw  # noqa: E402
from harness import TYPES  # noqa: E402
from storage import FLOATS  # noqa: E402

STEPS = (2.0**-12, 2.0**-17, 2.0**-21)


def apart(options):
    """Options without those that let outputs take the memory of inputs."""
    pairs = zip(options[::2], options[1::2])
    return [word for pair in pairs if pair[0] != "--inplace" for word in pair]


class Gradient(Case):
    """A generated kernel and `derived`, its gradient."""

    def __init__(self, seed, number, folder, double, verbose=False):
        super().__init__(seed, number, folder, verbose)
        self.rng = np.random.default_rng([seed, number, 1])
        kernel = self.kernel
        self.text = kernel.text()
        if double:
            self.make_double()
        self.wrt = [t for t in kernel.inputs if t.type in FLOATS and not t.state and t.array is not None]
        self.of = {
            name: tensor
            for name, (tensor, _) in kernel.results.items()
            if tensor.type in FLOATS and not any(t.name == name for t in kernel.inputs)
        }
        self.arrays = {t.name: t.array for t in kernel.inputs if t.array is not None}
        clauses = f"of {', '.join(self.of)}\n  wrt {', '.join(t.name for t in self.wrt)}"
        with open(self.spec, "w", encoding="utf-8") as file:
            file.write(f"{self.text}gradient derived of generated {{\n  {clauses}\n}}\n")

    def make_double(self):
        kernel = self.kernel
        for tensor in [*kernel.inputs, *kernel.outputs, *kernel.scalars]:
            if tensor.type in FLOATS:
                tensor.type = "f64"
        for tensor in kernel.inputs:
            if tensor.array is not None and tensor.type == "f64":
                exact = tensor.array.astype(np.float64)
                tensor.array = exact + self.rng.normal(0, 1e-3, exact.shape)
        kernel.options = ["T=f64" if re.fullmatch(r"T=\w+", o) else o for o in kernel.options]
        text = kernel.text().replace("T = f32", "T = f64").replace("stop_gradient(", "(")
        self.text = re.sub(r", (f16|bf16|f8e4m3|f8e5m2|f32|i8|u8|i32)\)", ", f64)", text)

    def execute_with(self, arrays, outputs, device, options, *more):
        archive = os.path.join(self.folder, "arrays.npz")
        np.savez(archive, **{name: raw(a) for name, a in arrays.items()})
        out = os.path.join(self.folder, "out.npz")
        words = [w for name in arrays for w in ("--input", f"{name}={archive}")]
        words += [w for name in outputs for w in ("--output", f"{name}={out}:{name}")]
        self.normc("run", self.spec, *options, *words, "--device", device, *more)
        with np.load(out) as results:
            return {name: results[name] for name in outputs}

    def forward(self, arrays):
        return self.execute_with(arrays, self.of, "evaluator", ["-k", "generated", *apart(self.kernel.options)])

    def options_of_gradient(self):
        """Orders of outputs are those of cotangents; what is in place, and inputs that nothing needs, are not said."""
        words, options = ["-k", "derived"], list(self.kernel.options)
        outputs = {t.name for t in self.kernel.outputs}
        while options:
            option, value = options.pop(0), options.pop(0)
            name = value.split("=")[0]
            if option == "--inplace" or (option == "--order" and name in outputs and name not in self.of):
                continue
            if option == "--order":
                words += ["--order", f"d{value}"]
                if name in outputs:
                    continue
                if not any(t.name == name for t in self.wrt):
                    del words[-2:]
            words += [option, value]
        return words

    def gradients(self, arrays, cotangents, device, *more):
        both = {**{f"d{name}": ct for name, ct in cotangents.items()}, **arrays}
        return self.execute_with(both, [f"d{t.name}" for t in self.wrt], device, self.options_of_gradient(), *more)

    def compiled(self, arrays, cotangents, *options):
        """The gradients on the CPU, in two ways that give the same bits."""
        alone = ["--target", self.kernel.target, "--threads", "1"]
        first = self.gradients(arrays, cotangents, "cpu", *options, *alone)
        other = self.gradients(arrays, cotangents, "cpu", *options, *self.otherwise())
        for name in first:
            if first[name].tobytes() != other[name].tobytes():
                raise Failure(f"{name} has other bits than with one thread")
        return first

    def in_place(self):
        """Options for some gradients to take the memory of inputs or cotangents that are alike."""
        words, taken = [], set()
        sources = [(t.name, t) for t in self.kernel.inputs if t.name in self.arrays and not t.state]
        sources += [(f"d{name}", tensor) for name, tensor in self.of.items()]
        for t in self.wrt:
            alike = [
                name
                for name, source in sources
                if (source.type, source.dims, source.memory) == (t.type, t.dims, t.memory) and name not in taken
            ]
            if alike and t.dims and self.rng.random() < 0.7:
                source = self.maker.pick(alike)
                taken.add(source)
                words += ["--inplace", f"d{t.name}={source}"]
        return words

    def printed(self, arrays, cotangents):
        """The gradients by their own text, in which the parameters are bound."""
        words = self.options_of_gradient()
        pairs = list(zip(words[::2], words[1::2]))
        binding = ("-k", "-D", "--runtime-scalar")
        text = self.normc("gradient", self.spec, *(word for pair in pairs if pair[0] in binding for word in pair))
        both = {**{f"d{name}": ct for name, ct in cotangents.items()}, **arrays}
        options = [word for pair in pairs if pair[0] == "-k" or pair[0] not in binding for word in pair]
        spec, self.spec = self.spec, os.path.join(self.folder, "printed.norm")
        with open(self.spec, "w", encoding="utf-8") as file:
            file.write(text)
        results = self.execute_with(both, [f"d{t.name}" for t in self.wrt], "evaluator", options)
        self.spec = spec
        return results

    def cotangents(self, outputs):
        numbers = {}
        for name, tensor in self.of.items():
            v = outputs[name]
            v = v.view(TYPES[tensor.type]) if v.dtype.kind == "V" else v
            numbers[name] = np.where(np.isfinite(v.astype(np.float64)), self.rng.normal(0, 1, v.shape), 0)
            numbers[name] = np.asarray(numbers[name]).astype(TYPES[tensor.type])
        return numbers

    def run_double(self):
        """What was seen: passed over or not."""
        if not self.of or not self.wrt:
            return "nothing to derive"
        cotangents = self.cotangents(self.forward(self.arrays))
        gradients = self.gradients(self.arrays, cotangents, "evaluator")
        for name, result in self.printed(self.arrays, cotangents).items():
            self.near(f"{name} by its text", result, gradients[name])
        for name, result in self.compiled(self.arrays, cotangents, *self.in_place()).items():
            self.near(name, result, gradients[name])
        self.run_spoilt(cotangents)
        directions = {t.name: self.rng.normal(0, 1, t.array.shape) for t in self.wrt}
        result, magnitude = along(gradients, directions)
        if not np.isfinite(result):
            return "not finite"
        estimates = []
        for step in STEPS:
            expected, noise = derivative_along(self.forward, self.arrays, directions, cotangents, step)
            if abs(result - expected) <= 1e-7 * magnitude + noise + 1e-9:
                return "equal"
            estimates.append(expected)
        # With one more kink within reach of the shortest step, the last two are as far apart as they are from the result.
        if abs(estimates[-1] - estimates[-2]) > 0.1 * abs(result - expected):
            return "passed over"
        raise Failure(f"the derivative is {result:.12g}, by differences {expected:.12g}")

    def run_spoilt(self, cotangents):
        spoilt = {name: np.array(array) for name, array in self.arrays.items()}
        for t in self.wrt:
            if self.rng.random() < 0.5 and spoilt[t.name].size:
                bad = self.maker.pick([np.nan, np.inf, -np.inf])
                spoilt[t.name].flat[self.rng.integers(spoilt[t.name].size, size=3)] = bad
        masked = {name: np.where(self.rng.random(ct.shape) < 0.5, 0, ct) for name, ct in cotangents.items()}
        gradients = self.gradients(spoilt, masked, "evaluator")
        for name, result in self.compiled(spoilt, masked).items():
            both = [np.where(np.isfinite(numbers), numbers, np.nan) for numbers in (result, gradients[name])]
            self.near(f"{name} of spoilt data", *both)

    def near(self, name, result, expected):
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
        wrong = ~(np.abs(result - expected) <= 1e-10 * max(scale, 1)) & ~(np.isnan(result) & np.isnan(expected))
        wrong &= result != expected
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise Failure(f"{name}{list(at)} is {result[at]:.12g}, by the evaluator {expected[at]:.12g}, of {scale:.6g}")

    def run_as_generated(self):
        if self.of and self.wrt:
            cotangents = self.cotangents(self.forward(self.arrays))
            self.compiled(self.arrays, cotangents)


def run_one(seed, number, keep, verbose):
    with tempfile.TemporaryDirectory(prefix="normc-fuzz-") as scratch:
        folder = os.path.join(keep, f"{seed}-{number}") if keep else scratch
        os.makedirs(folder, exist_ok=True)
        case = None
        try:
            case = Gradient(seed, number, folder, False, verbose)
            case.run_as_generated()
            case = Gradient(seed, number, folder, True, verbose)
            if verbose:
                print(case.text)
            return case.run_double(), None
        except Failure as failure:
            with open(case.spec, encoding="utf-8") as text:
                return "failed", f"FAIL kernel {number} of seed {seed}: {failure}\n{case.command}\n{text.read()}"


def main():
    options, numbers = arguments(__doc__, 30)
    ends = collections.Counter(end for end, _ in each(options, numbers, run_one))
    print(", ".join(f"{count} {end}" for end, count in ends.items()))
    few = options.only is None and ends["equal"] < 0.6 * len(numbers)
    if few:
        print("FAIL too few were compared")
    sys.exit(bool(ends["failed"] or few))


if __name__ == "__main__":
    main()
