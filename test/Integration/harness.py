"""What the integration tests share: running normc, comparing with tolerances, counting.

A test is a script: it makes checks through `check` and ends with `finish()`, which prints a line for each failure and a
closing line, and exits 1 where something failed or nothing was checked.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import traceback

import ml_dtypes
import numpy as np

np.seterr(all="ignore")

TYPES = {
    "f64": np.dtype(np.float64),
    "f32": np.dtype(np.float32),
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "f8e4m3": np.dtype(ml_dtypes.float8_e4m3fn),
    "f8e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "i8": np.dtype(np.int8),
    "u8": np.dtype(np.uint8),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "bool": np.dtype(np.bool_),
}
NAMES = {dtype: name for name, dtype in TYPES.items()}

# One rounding to the stored type over f32 (or f64) arithmetic: relative and absolute.
TOLERANCES = {
    "f64": (1e-9, 1e-11),
    "f32": (1e-5, 1e-5),
    "f16": (5e-4, 1e-5),
    "bf16": (4e-3, 1e-5),
    "f8e4m3": (6.4e-2, 1e-3),
    "f8e5m2": (1.3e-1, 1e-4),
}

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SPECS = os.path.join(ROOT, "specs")
DATA = os.path.join(ROOT, "test", "data")

_scratch = None
_passed = 0
_failed = 0


class Failure(Exception):
    """What a check found wrong."""


def scratch():
    """A folder for this process's files; removed at the end."""
    global _scratch
    if _scratch is None:
        _scratch = tempfile.mkdtemp(prefix="normc-test-")
    return _scratch


def text_file(name, text):
    """A file of this process's, such as a spec."""
    path = os.path.join(scratch(), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def save(path, array):
    array = np.asarray(array)
    if array.dtype == TYPES["bf16"]:
        array = array.view("V2")
    elif array.dtype in (TYPES["f8e4m3"], TYPES["f8e5m2"]):
        array = array.view("V1")
    np.save(path, array)


def load(path, dtype=None):
    """An array that normc wrote; raw bytes become `dtype`, bf16 where two bytes wide."""
    array = np.load(path)
    if array.dtype.kind == "V":
        array = array.view(dtype if dtype is not None else TYPES["bf16"])
    return array


def normc(*arguments, timeout=120):
    """Runs normc; gives the finished process, its output as text. A hang is a failure."""
    command = ["normc", *map(str, arguments)]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, errors="replace")
    except subprocess.TimeoutExpired as late:
        raise Failure(f"no end after {timeout} s: {' '.join(command)}") from late


def shell(arguments):
    return "normc " + " ".join(f"'{a}'" if any(c in str(a) for c in " ;<>()*=") else str(a) for a in arguments)


def run(spec, inputs, outputs, kernel=None, defines=None, scalars=None, options=(), device="cpu", types=None):
    """`normc run`: arrays in, arrays out.

    `inputs` maps names to arrays, or to strings passed as they are; `outputs` lists names. Raises Failure with what
    normc said where its status is not 0. `types` gives the element type of outputs stored as raw bytes.
    """
    folder = tempfile.mkdtemp(dir=scratch())
    arguments = ["run", spec]
    if kernel:
        arguments += ["-k", kernel]
    for name, value in (defines or {}).items():
        arguments += ["-D", f"{name}={value}"]
    for name, value in inputs.items():
        if isinstance(value, str):
            arguments += ["--input", f"{name}={value}"]
        else:
            path = os.path.join(folder, f"{name}.npy")
            save(path, value)
            arguments += ["--input", f"{name}={path}"]
    for name, value in (scalars or {}).items():
        arguments += ["--scalar", f"{name}={value}"]
    for name in outputs:
        arguments += ["--output", f"{name}={os.path.join(folder, f'out-{name}.npy')}"]
    arguments += [*options, "--device", device]
    done = normc(*arguments)
    if done.returncode != 0:
        raise Failure(f"status {done.returncode}: {shell(arguments)}\n{done.stderr.strip()[-2000:]}")
    results = {
        name: load(os.path.join(folder, f"out-{name}.npy"), TYPES.get((types or {}).get(name))) for name in outputs
    }
    shutil.rmtree(folder)
    return results


def compare(name, result, expected, rtol, atol):
    """Raises Failure unless |result - expected| <= rtol * |expected| + atol everywhere and NaN and infinities agree."""
    result, expected = np.asarray(result), np.asarray(expected)
    if result.shape != expected.shape:
        raise Failure(f"{name}: shape {result.shape}, expected {expected.shape}")
    r, e = result.astype(np.float64), expected.astype(np.float64)
    special = ~np.isfinite(e) | ~np.isfinite(r)
    same = (r == e) | (np.isnan(r) & np.isnan(e))
    error, allowed = np.abs(r - e), rtol * np.abs(e) + atol
    wrong = np.where(special, ~same, ~(error <= allowed))
    if wrong.any():
        worst = np.where(special, np.inf, error - allowed)[wrong]
        where = tuple(int(i) for i in np.argwhere(wrong)[np.argmax(worst)])
        raise Failure(
            f"{name}: {wrong.sum()} of {wrong.size} are off; at {list(where)} {r[where]:.9g}, expected {e[where]:.9g}, "
            f"{error[where]:.3g} apart, {allowed[where]:.3g} allowed (rtol {rtol:g}, atol {atol:g})"
        )


def same_bits(name, a, b):
    """Raises Failure unless two arrays are the same bytes."""
    if a.shape != b.shape or a.dtype != b.dtype:
        raise Failure(f"{name}: {a.dtype}{a.shape} and {b.dtype}{b.shape}")
    x, y = (np.ascontiguousarray(v).reshape(-1).view(np.uint8).reshape(v.size, v.itemsize) for v in (a, b))
    different = (x != y).any(axis=1)
    if different.any():
        at = np.unravel_index(int(np.argmax(different)), a.shape)
        raise Failure(f"{name}: {different.sum()} of {a.size} differ; at {[int(i) for i in at]} {a[at]!r}, {b[at]!r}")


def check(title, function, *arguments, **named):
    """Counts one check: it passes where `function` returns."""
    global _passed, _failed
    try:
        function(*arguments, **named)
        _passed += 1
    except Failure as failure:
        _failed += 1
        print(f"FAIL {title}: {failure}")
    except Exception:
        _failed += 1
        print(f"FAIL {title}:\n{traceback.format_exc()}")
    sys.stdout.flush()


def finish():
    if _scratch is not None:
        shutil.rmtree(_scratch, ignore_errors=True)
    print(f"{_passed} checks passed, {_failed} failed")
    sys.exit(0 if _failed == 0 and _passed > 0 else 1)
