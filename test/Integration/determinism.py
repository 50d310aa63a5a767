"""Equal inputs give equal bits: over thread counts, batch sizes, repeats and positions in the batch."""

import os
import re

import numpy as np

from harness import SPECS, TYPES, Failure, check, finish, normc, run, same_bits

THREADS = (1, 2, 3, 7)


class Kernel:
    """A standard kernel, a batch for it, and which of its outputs belong to one row."""

    def __init__(self, file, row, rows, columns=(), defines=None, kernel=None, parameters=None, options=(), per_row=()):
        self.file, self.row, self.rows, self.columns = file, row, rows, columns
        self.defines, self.kernel, self.options = defines or {}, kernel, list(options)
        self.parameters, self.per_row = parameters or {}, per_row

    def inputs(self, batch):
        rng = np.random.default_rng(11)
        arrays = {name: rng.normal(1, 0.3, shape).astype(np.float32) for name, shape in self.parameters.items()}
        for name, shape in {"x": self.row, **dict(self.per_row)}.items():
            arrays[name] = rng.normal(0.7, 1, (batch, *shape)).astype(np.float32)
        return arrays

    def __call__(self, arrays, outputs, threads=None):
        options = self.options + (["--threads", threads, "--spread"] if threads else [])
        path = os.path.join(SPECS, self.file + ".norm")
        return run(path, arrays, outputs, self.kernel, self.defines, options=options)


LAYER = Kernel("layer_norm", (3001,), ["y", "mean", "rstd"], parameters={"gamma": (3001,), "beta": (3001,)})
GROUP = Kernel(
    "group_norm", (12, 37, 29), ["y", "mean", "rstd"], parameters={"gamma": (12,), "beta": (12,)}, defines={"groups": 4}
)
GROUP_LAST = Kernel(
    "group_norm",
    (37, 29, 12),
    ["y", "mean", "rstd"],
    parameters={"gamma": (12,), "beta": (12,)},
    defines={"groups": 4},
    options=["--order", "x=n,s...,c", "--order", "y=n,s...,c"],
)
RMS = Kernel("rms_norm", (515,), ["y"], parameters={"gamma": (515,)})
QUANTIZED = Kernel("quantized_norm", (130,), ["q", "scale"], parameters={"gamma": (130,)})
BATCH = Kernel("batch_norm", (5, 37, 29), [], ["y", "mean", "rstd"], parameters={"gamma": (5,), "beta": (5,)})
LAYER_BACKWARD = Kernel(
    "layer_norm_backward",
    (1025,),
    ["dx"],
    ["dgamma", "dbeta"],
    parameters={"gamma": (1025,)},
    per_row=(("dy", (1025,)), ("mean", ()), ("rstd", ())),
)
SHORT = Kernel("layer_norm", (37,), ["y", "mean", "rstd"], parameters={"gamma": (37,), "beta": (37,)})


def layer_gradient(features):
    return Kernel(
        "layer_norm",
        (features,),
        ["dx"],
        ["dgamma", "dbeta"],
        kernel="layer_norm_backward",
        parameters={"gamma": (features,)},
        per_row=(("dy", (features,)), ("mean", ()), ("rstd", ())),
    )


SHORT_GRADIENT = layer_gradient(37)
ROWS = {
    "layer_norm": LAYER,
    "group_norm": GROUP,
    "group_norm, channels last": GROUP_LAST,
    "rms_norm": RMS,
    "rms_norm_quantized": QUANTIZED,
    "layer_norm_backward": LAYER_BACKWARD,
    "layer_norm, short rows": SHORT,
    "layer_norm_backward, short rows": SHORT_GRADIENT,
}
ALL = {**ROWS, "batch_norm": BATCH}


def threads(kernel, batch):
    arrays, outputs = kernel.inputs(batch), [*kernel.rows, *kernel.columns]
    first = kernel(arrays, outputs, THREADS[0])
    for count in THREADS[1:]:
        other = kernel(arrays, outputs, count)
        for name in outputs:
            same_bits(f"{name} with {count} threads", other[name], first[name])


def workers():
    """That the threads above are not one: of seven, more than one takes part in a call of some milliseconds."""
    spec = os.path.join(SPECS, "layer_norm.norm")
    arguments = ["run", spec, "--seed-input", "x=8192x1024:f32", "--rank", "f=1", "--threads", 7, "--time"]
    most, tries = 0, 0
    while most < 2 and tries < 20:  # on a busy machine the others may come too late for any work
        tries += 1
        done = normc(*arguments)
        found = re.search(r"of which (?:at least )?(\d+) took part", done.stdout)
        if done.returncode != 0 or not found:
            raise Failure(f"status {done.returncode}, no count of threads: {done.stdout}{done.stderr}")
        most = max(most, int(found.group(1)))
    if most < 2:
        raise Failure("one thread did all the work")


def row_alone(kernel):
    """Some row by itself, and within batches of 2, 33 and 1000, at the beginning, in the middle and at the end."""
    arrays = kernel.inputs(1000)
    names = ["x", *dict(kernel.per_row)]
    cut = lambda start, count: {n: v[start : start + count] if n in names else v for n, v in arrays.items()}
    alone = {row: kernel(cut(row, 1), kernel.rows) for row in (0, 32, 517, 999)}
    for batch in (2, 33, 1000):
        for row in alone:
            start = min(max(0, row - batch // 2), 1000 - batch)
            results = kernel(cut(start, batch), kernel.rows)
            for name in kernel.rows:
                same_bits(
                    f"{name} of row {row} in a batch of {batch}",
                    results[name][row - start : row - start + 1],
                    alone[row][name],
                )


def equal_columns(kernel):
    """Every element of a constant row, the tail's too, gives the same bits."""
    arrays = kernel.inputs(3)
    arrays["x"][:] = np.float32(0.1)
    arrays["x"][:, ::2] = np.float32(-0.7)
    for name in ("gamma", "beta"):
        arrays[name][:] = np.float32(1.3)
    y = kernel(arrays, ["y"])["y"]
    for start in (0, 1):
        values = np.unique(y[:, start::2])
        if len(values) != 1:
            raise Failure(f"equal elements of x give {len(values)} values of y: {values[:4]}")


def bad_row(kernel, bad):
    """A row that is no number and whose cotangent is 0 leaves every bit of the sums over rows, and of other rows."""
    arrays = kernel.inputs(2000)
    for name in ("x", "dy"):
        arrays[name] = arrays[name].astype(TYPES["bf16"])
    arrays["dy"][40] = 0
    good = kernel(arrays, ["dx", *kernel.columns])
    arrays["x"][40] = bad
    found = kernel(arrays, ["dx", *kernel.columns])
    for name in found:
        keep = np.arange(len(good[name])) != (40 if name == "dx" else -1)
        same_bits(name, found[name][keep], good[name][keep])


def beside_others(kernel):
    """A row whose sums are not finite does not change the others, zeros and their signs among them."""
    arrays = kernel.inputs(77)
    arrays["gamma"][::2] *= -1
    arrays["dy"][::3] = 0
    arrays["dy"][1::3, 5:] = 0
    expected = kernel(arrays, ["dx"])["dx"]
    for row in (1, 40, 76):
        x = arrays["x"].copy()
        x[row, 3] = np.nan
        dx = kernel({**arrays, "x": x}, ["dx"])["dx"]
        same_bits(f"dx beside row {row}", np.delete(dx, row, axis=0), np.delete(expected, row, axis=0))


def main():
    for title, kernel in ALL.items():
        for batch in (1, 64):
            check(f"{title}, {batch} rows, with {THREADS} threads", threads, kernel, batch)
    check("more than one thread takes part", workers)
    for title, kernel in ROWS.items():
        check(f"a row of {title} alone and in batches", row_alone, kernel)
    check("equal elements of layer_norm", equal_columns, LAYER)
    check("equal elements of short rows", equal_columns, SHORT)
    for title, kernel in (("a row", layer_gradient(1025)), ("a short row", SHORT_GRADIENT)):
        for bad in (np.nan, np.inf):
            check(f"{title} of {bad} without a cotangent", bad_row, kernel, bad)
        check(f"rows beside {title} that is not finite", beside_others, kernel)
    finish()


main()
