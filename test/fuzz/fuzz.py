"""Differential fuzzing: generated kernels, compiled and run, against the evaluator and against values of our own.

  fuzz.py                            what the tests run; --count and --seed make any number by hand
  fuzz.py --seed 1 --only 17 -v      one kernel again: its text, its command, how far off it is
  fuzz.py --count 1000 --jobs 4 --keep DIR

Each kernel runs on the evaluator once and on the CPU twice: the second time with other threads, and past the caches. It
fails where a run fails or does not end; where the bits of the two differ; where a result is farther from the
evaluator's, or the evaluator's from NumPy's, than the kernel's own error analysis allows (values.py). At the end stands
how often each construct, element type, option and form of plan occurred; one that never did is a failure too, from USUAL
kernels on.
"""

import argparse
import collections
import concurrent.futures
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Integration"))
from forms import FORMS, forms_of  # noqa: E402
from generate import FEATURES, Maker  # noqa: E402
from harness import NAMES, TYPES, shell  # noqa: E402
from storage import FLOATS  # noqa: E402

TIMEOUT = 120
USUAL = 100

# By hand, without lit's PATH, the build folder's own normc runs.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ["PATH"] += os.pathsep + os.path.join(ROOT, "build", "bin")


class Failure(Exception):
    pass


class Case:
    def __init__(self, seed, number, folder, verbose=False):
        self.maker = Maker(seed, number)
        self.kernel = self.maker.make()
        self.folder, self.verbose = folder, verbose
        self.spec = os.path.join(folder, "kernel.norm")
        with open(self.spec, "w", encoding="utf-8") as file:
            file.write(self.kernel.text())
        arrays = {t.name: raw(t.array) for t in self.kernel.inputs if t.array is not None}
        self.archive = os.path.join(folder, "inputs.npz")
        np.savez(self.archive, **arrays)
        self.inputs = [word for name in arrays for word in ("--input", f"{name}={self.archive}")]

    def normc(self, *arguments):
        self.command = shell(arguments)
        if self.verbose:
            print(self.command)
        try:
            done = subprocess.run(
                ["normc", *arguments], capture_output=True, text=True, timeout=TIMEOUT, errors="replace"
            )
        except subprocess.TimeoutExpired as late:
            raise Failure(f"no end after {TIMEOUT} s") from late
        if done.returncode != 0:
            raise Failure(f"status {done.returncode}: {done.stderr.strip()[-1500:]}")
        return done.stdout

    def execute(self, device, *options):
        out = os.path.join(self.folder, f"out-{device}-{options[-1] if options else 1}.npz")
        outputs = [word for name in self.kernel.results for word in ("--output", f"{name}={out}:{name}")]
        self.normc("run", self.spec, *self.kernel.options, *self.inputs, *outputs, "--device", device, *options)
        results = {}
        with np.load(out) as archive:
            for name, (tensor, _) in self.kernel.results.items():
                array = archive[name]
                results[name] = array.view(TYPES[tensor.type]) if array.dtype.kind == "V" else array
        return results

    def run(self):
        evaluated = self.execute("evaluator")
        for name, (tensor, v) in self.kernel.results.items():
            expected, allowed = self.maker.expected(tensor, v)
            compare(f"{name} of the evaluator", tensor, evaluated[name], expected, allowed)
        first = self.execute("cpu", "--target", self.kernel.target, "--threads", "1")
        other = self.execute("cpu", *self.otherwise())
        for name, (tensor, v) in self.kernel.results.items():
            _, allowed = self.maker.expected(tensor, v)
            compare(name, tensor, first[name], evaluated[name].astype(np.float64), allowed, self.verbose)
            if first[name].tobytes() != other[name].tobytes():
                raise Failure(f"{name} has other bits than with one thread")
        outputs = ["--omit", ",".join(names)] if (names := self.left_out()) else []
        planned = self.normc(
            "compile",
            self.spec,
            *self.bound(),
            *outputs,
            "--target",
            self.kernel.target,
            "--emit",
            "planned",
            "-o",
            "-",
        )
        return self.kernel.seen | forms_of(planned, self.kernel.extents)

    def otherwise(self):
        """Options that change no bit."""
        threads = self.maker.pick([1, 2, 3, 7])
        self.kernel.seen.add(f"{threads} thread{'s' if threads > 1 else ''}")
        facts = self.maker.pick(["", "/stream=0", "/stream=1", "/stream=1/l1=4096"])
        return ["--target", self.kernel.target + facts, "--threads", str(threads), "--spread"]

    def left_out(self):
        """For compiling, what running tells by what is passed and asked for."""
        names = [t.name for t in self.kernel.inputs if t.default and t.array is None]
        names += [t.name for t in self.kernel.outputs if t.name not in self.kernel.results]
        return names + [t.name for t in self.kernel.inputs if t.state and t.name not in self.kernel.results]

    def bound(self):
        options, words = list(self.kernel.options), []
        while options:
            option, value = options.pop(0), options.pop(0)
            if option not in ("--scalar", "--rank"):
                words += [option, value]
        passed = [t for t in self.kernel.inputs if t.declared_type]
        if passed and not any(word.startswith("T=") for word in words):
            words += ["-D", f"T={passed[0].type}"]
        ranks = [dim for dim in self.maker.dimensions if dim.is_pack]
        return words + [w for dim in ranks for w in ("--rank", f"{dim.name}={len(dim.shape)}")]


def raw(array):
    """As normc reads it: bf16 and f8 are raw bytes."""
    return array.view(f"V{array.dtype.itemsize}") if NAMES[array.dtype] in ("bf16", "f8e4m3", "f8e5m2") else array


def compare(name, tensor, result, expected, allowed, verbose=False):
    expected, allowed = np.asarray(expected), np.asarray(allowed)
    if result.shape != expected.shape or result.dtype != TYPES[tensor.type]:
        raise Failure(f"{name} is {result.dtype}{result.shape}, expected {tensor.type}{expected.shape}")
    r = result.astype(np.float64)
    special = ~np.isfinite(expected) | ~np.isfinite(r)
    same = (r == expected) | (np.isnan(r) & np.isnan(expected))
    error = np.abs(r - expected)
    unsure = np.isinf(allowed)
    if tensor.type in FLOATS:
        unsure &= ~(np.isnan(expected) & np.isfinite(r))  # what comes of NaN is none, however far off
    wrong = np.where(special, ~same & ~unsure, ~(error <= allowed))
    if verbose and r.size:
        share = np.where(special | (allowed == 0), 0, error / np.where(allowed == 0, 1, allowed))
        print(f"  {name}: {r.size} elements, at most {share.max():.3f} of what is allowed")
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise Failure(
            f"{name}: {wrong.sum()} of {wrong.size} are off; at {list(at)} {r[at]:.9g}, expected {expected[at]:.9g}, "
            f"{error[at]:.3g} apart, {allowed[at]:.3g} allowed"
        )


def run_one(seed, number, keep, verbose):
    """What a kernel had in it, and what is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="normc-fuzz-") as scratch:
        folder = scratch
        if keep:
            folder = os.path.join(keep, f"{seed}-{number}")
            os.makedirs(folder, exist_ok=True)
        case = Case(seed, number, folder, verbose)
        if verbose:
            print(case.kernel.text())
        try:
            return case.run(), None
        except Failure as failure:
            return (
                case.kernel.seen,
                f"FAIL kernel {number} of seed {seed}: {failure}\n{case.command}\n{case.kernel.text()}",
            )


def arguments(description, count):
    """The command line of a fuzzer, and the numbers of its kernels: `count` where it says nothing."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=count, help="how many kernels")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="just this kernel of the seed's")
    parser.add_argument("--jobs", type=int, default=1, help="kernels at once")
    parser.add_argument("--keep", help="a folder for what each kernel reads and writes")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    return options, range(options.count) if options.only is None else [options.only]


def each(options, numbers, run):
    """What `run` gives for each kernel; failures are printed as they come."""
    one = lambda number: run(options.seed, number, options.keep, options.verbose)
    with concurrent.futures.ThreadPoolExecutor(options.jobs, initializer=lambda: np.seterr(all="ignore")) as pool:
        for result, failure in pool.map(one, numbers):
            if failure:
                print(failure, flush=True)
            yield result, failure


def main():
    options, numbers = arguments(__doc__, USUAL)
    occurred, failed = collections.Counter(), 0
    for seen, failure in each(options, numbers, run_one):
        occurred.update(seen)
        failed += failure is not None
    if options.only is None:
        for feature in [*FEATURES, *FORMS]:
            print(f"{occurred[feature]:6} {feature}")
    absent = [feature for feature in [*FEATURES, *FORMS] if not occurred[feature]]
    if absent and options.only is None and options.count >= USUAL:
        failed += 1
        print(f"FAIL never occurred: {', '.join(absent)}")
    print(f"{len(numbers)} kernels, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
