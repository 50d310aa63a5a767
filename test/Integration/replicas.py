"""Replicas of a job in one process: `normc run` with x@0, x@1, ... against float64 formulas of the concatenated batch, and
one replica that has the whole batch; the same bits on every replica, for any number of threads. Arguments: groups of checks."""

import os
import sys
import tempfile

import numpy as np

from harness import SPECS, TYPES, Failure, check, compare, finish, load, normc, same_bits, save, scratch, shell

SYNC = os.path.join(SPECS, "sync_batch_norm.norm")


def spec(text):
    handle, path = tempfile.mkstemp(suffix=".norm", dir=scratch())
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def job(path, replicas, outputs, common=None, options=(), device="cpu", threads=None, types=None):
    """`normc run` with a list of {name: array}, one for each replica; gives a list of {name: array}."""
    folder = tempfile.mkdtemp(dir=scratch())
    arguments = ["run", path, "--device", device, *options]
    if threads:
        arguments += ["--threads", threads, "--spread"]
    for at, inputs in [("", common or {}), *((f"@{i}", inputs) for i, inputs in enumerate(replicas))]:
        for name, value in inputs.items():
            file = os.path.join(folder, f"{name}{at}.npy")
            save(file, value)
            arguments += ["--input", f"{name}{at}={file}"]
    for i in range(len(replicas)):
        for name in outputs:
            arguments += ["--output", f"{name}@{i}={os.path.join(folder, f'out-{name}@{i}.npy')}"]
    done = normc(*arguments)
    if done.returncode != 0:
        raise Failure(f"status {done.returncode}: {shell(arguments)}\n{done.stderr.strip()[-2000:]}")
    types = types or {}
    return [
        {name: load(os.path.join(folder, f"out-{name}@{i}.npy"), TYPES.get(types.get(name))) for name in outputs}
        for i in range(len(replicas))
    ]


# ---------------------------------------------------------------------------------------------------------------------
# The standard kernel
# ---------------------------------------------------------------------------------------------------------------------

BATCHES = {1: [5], 2: [4, 4], 3: [3, 0, 7], 8: [2, 5, 1, 0, 3, 3, 0, 64]}
OUTPUTS = ["y", "mean", "rstd", "moving_mean", "moving_variance"]


def sync_data(batches, shape, axis, mean=0.7):
    """`shape` is that of one sample, its channels along `axis`."""
    rng = np.random.default_rng(11)
    channels = shape[axis]
    common = {
        "gamma": rng.normal(1, 0.3, channels),
        "beta": rng.normal(0, 1, channels),
        "moving_mean": rng.normal(0, 1, channels),
        "moving_variance": rng.uniform(0.5, 2, channels),
    }
    xs = [rng.normal(mean, 1 + i, (n, *shape)) for i, n in enumerate(batches)]
    return [x.astype(np.float32) for x in xs], {name: v.astype(np.float32) for name, v in common.items()}


def sync_formula(xs, axis, common, unbiased=False, momentum=0.99, eps=1e-3):
    x = np.moveaxis(np.concatenate(xs).astype(np.float64), axis + 1, -1)
    points = x.reshape(-1, x.shape[-1])
    m, v = points.mean(0), points.var(0)
    kept = v * len(points) / max(len(points) - 1, 1) if unbiased else v
    c = {name: value.astype(np.float64) for name, value in common.items()}
    statistics = {
        "mean": m,
        "rstd": 1 / np.sqrt(v + eps),
        "moving_mean": c["moving_mean"] * momentum + m * (1 - momentum),
        "moving_variance": c["moving_variance"] * momentum + kept * (1 - momentum),
    }
    results = []
    for x in xs:
        y = (np.moveaxis(x.astype(np.float64), axis + 1, -1) - m) * statistics["rstd"] * c["gamma"] + c["beta"]
        results.append({"y": np.moveaxis(y, -1, axis + 1), **statistics})
    return results


def compare_jobs(results, expected, rtol=1e-5, atol=1e-5):
    for i, (result, exact) in enumerate(zip(results, expected, strict=True)):
        for name in result:
            compare(f"{name}@{i}", result[name], exact[name], rtol, atol)


LAYOUTS = {
    "channels first": ((6, 3, 5), 0, []),
    "channels last": ((3, 5, 6), 2, ["--order", "x=n,s...,c", "--order", "y=n,s...,c"]),
    "no positions": ((37,), 0, []),
}


def standard(count, layout, options, device):
    shape, axis, order = LAYOUTS[layout]
    xs, common = sync_data(BATCHES[count], shape, axis)
    results = job(SYNC, [{"x": x} for x in xs], OUTPUTS, common, [*order, *options], device)
    unbiased = "unbiased=true" in options
    compare_jobs(results, sync_formula(xs, axis, common, unbiased))
    for i, result in enumerate(results[1:]):
        for name in OUTPUTS[1:]:
            same_bits(f"{name}@0 and {name}@{i + 1}", results[0][name], result[name])


def whole_batch(count, options):
    """The replicas' results are those of one that has the whole batch, rounding aside."""
    xs, common = sync_data(BATCHES[count], (6, 3, 5), 0)
    parts = job(SYNC, [{"x": x} for x in xs], OUTPUTS, common, options)
    whole = job(SYNC, [{"x": np.concatenate(xs)}], OUTPUTS, common, options)[0]
    compare("y", np.concatenate([part["y"] for part in parts]), whole["y"], 1e-6, 2e-6)
    for name in OUTPUTS[1:]:
        compare(name, parts[0][name], whole[name], 1e-6, 1e-6)


def threads(options):
    """No bit depends on the number of threads, nor on who comes when."""
    xs, common = sync_data([9, 0, 33, 2], (40, 7, 9), 0)
    runs = [job(SYNC, [{"x": x} for x in xs], OUTPUTS, common, options, threads=n) for n in (1, 2, 3, 7, 7)]
    for other in runs[1:]:
        for i, result in enumerate(other):
            for name in OUTPUTS:
                same_bits(f"{name}@{i}", runs[0][i][name], result[name])


def large_mean():
    """Means of 10^4 deviations, and another on each replica: nothing cancels."""
    xs, common = sync_data([40, 1, 23], (5, 6, 6), 0, mean=1e4)
    xs = [x + np.float32(3 * i) for i, x in enumerate(xs)]
    results = job(SYNC, [{"x": x} for x in xs], ["y"], common)
    compare_jobs(results, [{"y": part["y"]} for part in sync_formula(xs, 0, common)], 0, 1e-3)


def all_empty():
    """No point on any replica: statistics are NaN, the state stays as it is."""
    xs, common = sync_data([0, 0], (4, 2, 2), 0)
    for result in job(SYNC, [{"x": x} for x in xs], OUTPUTS, common):
        same_bits("moving_mean", result["moving_mean"], common["moving_mean"])
        same_bits("moving_variance", result["moving_variance"], common["moving_variance"])
        compare("mean", result["mean"], np.full(4, np.nan), 0, 0)


def precisions(letter):
    xs, common = sync_data([3, 0, 9], (6, 3, 5), 0)
    dtype = TYPES[letter]
    xs = [x.astype(dtype) for x in xs]
    parameters = common if letter == "f64" else {}
    options = ["-D", f"T={letter}"]
    if letter == "f64":
        common = {name: v.astype(np.float64) for name, v in common.items()}
        options += ["-D", "W=f64", "-D", "S=f64", "-D", "R=f64"]
    results = job(SYNC, [{"x": x} for x in xs], ["y"], common, options, types={"y": letter})
    exact = sync_formula(xs, 0, common)
    rtol, atol = {"f64": (1e-12, 1e-12), "f16": (1e-3, 1e-4), "bf16": (8e-3, 1e-4)}[letter]
    compare_jobs(results, [{"y": part["y"]} for part in exact], rtol, atol)


def backward(count, options, device):
    """The derived kernel: each replica's dgamma and dbeta are its own share, dx knows of all."""
    xs, common = sync_data(BATCHES[count], (6, 3, 5), 0)
    rng = np.random.default_rng(5)
    dys = [rng.normal(0, 1, x.shape).astype(np.float32) for x in xs]
    inputs = [{"x": x, "dy": dy} for x, dy in zip(xs, dys, strict=True)]
    exact = sync_formula(xs, 0, common)[0]
    given = {name: exact[name].astype(np.float32) for name in ("mean", "rstd")}
    results = job(
        SYNC, inputs, ["dx", "dgamma", "dbeta"], {"gamma": common["gamma"], **given},
        ["-k", "sync_batch_norm_backward", *options], device,
    )
    axes = (0, 2, 3)
    per_channel = lambda v: v[None, :, None, None].astype(np.float64)
    mean, rstd, gamma = (per_channel(v) for v in (exact["mean"], exact["rstd"], common["gamma"]))
    hats = [(x - mean) * rstd for x in xs]
    points = sum(x.size // 6 for x in xs)
    g = [dy * gamma for dy in dys]
    a = sum(v.sum(axes, keepdims=True) for v in g) / points
    b = sum((v * hat).sum(axes, keepdims=True) for v, hat in zip(g, hats, strict=True)) / points
    for i, result in enumerate(results):
        compare(f"dx@{i}", result["dx"], rstd * (g[i] - a - hats[i] * b), 1e-5, 1e-5)
        compare(f"dgamma@{i}", result["dgamma"], (dys[i] * hats[i]).sum(axes), 1e-5, 5e-5)
        compare(f"dbeta@{i}", result["dbeta"], dys[i].sum(axes, dtype=np.float64), 1e-5, 5e-5)


# ---------------------------------------------------------------------------------------------------------------------
# Every reduction
# ---------------------------------------------------------------------------------------------------------------------

REDUCTIONS = """
kernel reductions(x: f32[n, c], w: f32[n, c] = 1) -> (
    sums: f32[c], means: f32[c], most: f32[c], least: f32[c], everything: f32[], points: i64[], rows: f32[n],
    mean: f32[c], variance: f32[c], spread: f32[], far: f32[n, c]) {
  sums = sum(x over n across replicas)
  means = mean(x over n across replicas)
  most = max(x over n across replicas)
  least = min(x over n across replicas)
  everything = sum(x over n, c across replicas)
  points = count(over n across replicas)
  let mu, v = moments(x over n across replicas, weights = w)
  mean = mu
  variance = v
  // A second exchange, of what depends on the first, and a third.
  let distance = max(abs(x - mu) over n, c across replicas)
  spread = sum(where(abs(x - mu) > distance / 2, 1, 0) over n, c across replicas)
  far = (x - mu) / distance
  rows = sum(x over c) / everything
}
"""


def reductions(batches, method, weighted, options, device):
    rng = np.random.default_rng(3)
    xs = [rng.normal(2, 1, (n, 7)).astype(np.float32) for n in batches]
    ws = [rng.uniform(0, 2, (n, 7)).astype(np.float32) for n in batches]
    ws = [np.where(rng.uniform(size=w.shape) < 0.3, 0, w).astype(np.float32) for w in ws]
    path = spec(REDUCTIONS.replace("weights = w", f"weights = w, method = {method}"))
    names = "sums means most least everything points rows mean variance spread far".split()
    inputs = [{"x": x, "w": w} if weighted else {"x": x} for x, w in zip(xs, ws, strict=True)]
    results = job(path, inputs, names, options=options, device=device)
    x = np.concatenate(xs).astype(np.float64)
    w = np.concatenate(ws).astype(np.float64) if weighted else np.ones_like(x)
    mu = (w * x).sum(0) / w.sum(0)
    distance = np.abs(x - mu).max()
    common = {
        "sums": x.sum(0), "means": x.mean(0), "most": x.max(0), "least": x.min(0), "everything": x.sum(),
        "points": np.int64(len(x)), "mean": mu, "variance": (w * (x - mu) ** 2).sum(0) / w.sum(0),
        "spread": (np.abs(x - mu) > distance / 2).sum(),
    }
    own = [{**common, "rows": x.sum(1, dtype=np.float64) / common["everything"], "far": (x - mu) / distance} for x in xs]
    compare_jobs(results, own, 1e-5, 1e-5 if method != "one_pass" else 1e-4)
    for result in results[1:]:
        for name in common:
            same_bits(name, results[0][name], result[name])


GRADIENTS = """
kernel spread(x: f32[n, c], w: f32[n, c] = 1) -> (y: f32[n, c]) {
  let mu, v = moments(x over n across replicas, weights = w)
  let most = max(abs(x - mu) over n, c across replicas)
  let square = mean(x * x over n across replicas)
  y = (x - mu) * rsqrt(v + 0.1) / most + 0.1 * square * x
}

gradient spread_backward of spread {
  of  y
  wrt x, w
}

gradient spread_twice of spread_backward {
  of  dx
  wrt dy
}
"""


def gradients(kernel, weighted, options, device):
    """Derivatives through statistics of all replicas: those of the whole batch, shared out."""
    rng = np.random.default_rng(17)
    draw = lambda n: rng.normal(1, 2, (n, 5)).astype(np.float32)
    names = {"spread_backward": ["dy"], "spread_twice": ["ddx", "dy"]}[kernel]
    outputs = {"spread_backward": ["dx", "dw"] if weighted else ["dx"], "spread_twice": ["ddy"]}[kernel]
    inputs = [{name: draw(n) for name in ["x", *names]} for n in (4, 0, 9, 1)]
    if weighted:
        for one in inputs:
            one["w"] = np.abs(draw(len(one["x"])))
    options = ["-k", kernel, *options, *([] if weighted else ["--omit", "w"])]
    whole = {name: np.concatenate([one[name] for one in inputs]) for name in inputs[0]}
    exact = job(path := spec(GRADIENTS), [whole], outputs, options=options, device="evaluator")[0]
    parts = job(path, inputs, outputs, options=options, device=device)
    for name in outputs:
        compare(name, np.concatenate([part[name] for part in parts]), exact[name], 2e-5, 2e-5)


def ghost(device):
    """Ghost batches of all replicas: the statistics of a ghost batch are those of its members on each of them."""
    path = spec(
        "kernel ghost(x: f32[n, c, s...]) -> (y: f32[n, c, s...], mean: f32[v, c], first: f32[c]) {\n"
        "  split n = v * b where v = 3\n"
        "  let mu, variance = moments(x over b, s... across replicas)\n"
        "  mean = mu\n  first = at(mu, v = 0)\n  y = (x - mu) * rsqrt(variance + 1e-3)\n}\n"
    )
    rng = np.random.default_rng(8)
    xs = [rng.normal(1, 2, (n, 5, 4)).astype(np.float32) for n in (6, 3, 12)]
    parts = [x.astype(np.float64).reshape(3, -1, 5, 4) for x in xs]
    whole = np.concatenate(parts, axis=1)
    mu, v = whole.mean((1, 3)), whole.var((1, 3))
    results = job(path, [{"x": x} for x in xs], ["y", "mean", "first"], device=device)
    expected = [
        {"y": ((p - mu[:, None, :, None]) / np.sqrt(v + 1e-3)[:, None, :, None]).reshape(x.shape), "mean": mu,
         "first": mu[0]}
        for p, x in zip(parts, xs, strict=True)
    ]
    compare_jobs(results, expected)


def non_finite(device):
    """What is not finite on one replica shows on all; an extremum propagates NaN."""
    path = spec(
        "kernel k(x: f32[n, c]) -> (m: f32[c], v: f32[c], most: f32[c]) {\n"
        "  let mu, variance = moments(x over n across replicas)\n"
        "  m = mu\n  v = variance\n  most = max(x over n across replicas)\n}\n"
    )
    xs = [np.ones((3, 4), np.float32), np.ones((2, 4), np.float32), np.zeros((0, 4), np.float32)]
    xs[1][0] = [np.nan, np.inf, -np.inf, 2]
    nan, inf = np.nan, np.inf
    expected = {"m": [nan, inf, -inf, 1.2], "v": [nan, nan, nan, 0.16], "most": [nan, inf, 1, 2]}
    results = job(path, [{"x": x} for x in xs], ["m", "v", "most"], device=device)
    for result in results:
        for name, exact in expected.items():
            compare(name, result[name], np.array(exact), 1e-6, 1e-6)


def large_count(device):
    """Counts are exact where a float is not."""
    path = spec("kernel k(x: u8[n]) -> (points: i64[]) {\n  points = count(over n across replicas)\n}\n")
    folder = tempfile.mkdtemp(dir=scratch())
    seeds = ["--seed-input", "x@0=16777217:u8", "--seed-input", "x@1=2:u8", "--seed-input", "x@2=0:u8"]
    file = os.path.join(folder, "points.npy")
    done = normc("run", path, *seeds, "--output", f"points@2={file}", "--device", device)
    if done.returncode != 0 or np.load(file) != 16777219:
        raise Failure(f"{done.stderr}, {np.load(file) if done.returncode == 0 else ''}")


def apart(device):
    """A kernel without anything across replicas runs on each by itself; without --output, all are summed up."""
    path = spec("kernel k(x: f32[n, c]) -> (y: f32[n, c], s: f32[n]) {\n  y = x + 1\n  s = sum(x over c)\n}\n")
    xs = [np.full((2, 3), i, np.float32) for i in range(3)]
    xs[1] = np.ones((4, 1), np.float32)
    for i, result in enumerate(job(path, [{"x": x} for x in xs], ["y", "s"], device=device)):
        compare(f"y@{i}", result["y"], xs[i] + 1, 0, 0)
        compare(f"s@{i}", result["s"], xs[i].sum(1), 0, 0)
    seeds = ["--seed-input", "x@0=4x4:f32", "--seed-input", "x@1=4x4:f32"]
    done = normc("run", path, *seeds, "--device", device)
    lines = done.stdout.splitlines()
    if [line.split(":")[0] for line in lines] != ["y@0", "s@0", "y@1", "s@1"]:
        raise Failure(f"printed {done.stdout}{done.stderr}")
    if lines[0].split(",")[1:] == lines[2].split(",")[1:]:
        raise Failure("two replicas' seed inputs are the same")


def timed():
    seeds = ["--seed-input", "x@0=4x4:f32", "--seed-input", "x@1=9x4:f32"]
    done = normc("run", SYNC, "--rank", "s=0", *seeds, "--time")
    if done.returncode != 0 or "GB/s" not in done.stdout or "mean@1" not in done.stdout:
        raise Failure(f"{done.stdout}{done.stderr}")


# ---------------------------------------------------------------------------------------------------------------------
# What is wrong with one replica
# ---------------------------------------------------------------------------------------------------------------------


def refused(arrays, status, message, device, options=()):
    """`arrays` by name, one of them perhaps wrong: an error that says which, and nothing is left behind."""
    folder = tempfile.mkdtemp(dir=scratch())
    path = spec(
        "kernel k(x: f32[n, c], gamma: f32[c] = 1, moving: inout f32[c] = 0) -> (y: f32[n, c]) {\n"
        "  let mu = mean(x over n across replicas)\n  moving = lerp(moving, mu, 0.5)\n  y = (x - mu) * gamma\n}\n"
    )
    arguments = ["run", path, "--device", device, *options]
    for name, array in arrays.items():
        file = os.path.join(folder, f"{name}.npy")
        if array is not None:
            save(file, array)
        arguments += ["--input", f"{name}={file}"]
    out = tempfile.mkdtemp(dir=scratch())
    for i in range(2):
        for name in ("y", "moving"):
            arguments += ["--output", f"{name}@{i}={os.path.join(out, f'{name}{i}.npy')}"]
    done = normc(*arguments)
    if done.returncode != status or message not in done.stderr:
        raise Failure(f"status {done.returncode}, expected {status} and '{message}': {shell(arguments)}\n{done.stderr}")
    if os.listdir(out):
        raise Failure(f"left behind: {os.listdir(out)}")


def errors(device):
    ones = lambda *shape: np.ones(shape, np.float32)
    good = {"x@0": ones(2, 3), "x@1": ones(4, 3), "moving": ones(3)}
    cases = [
        ({"x@1": ones(4, 5)}, 1, "replica 1: axis c is 5 in x, but 3 in moving"),
        ({"x@1": ones(4, 5), "moving": None}, 3, "moving.npy: error: "),
        ({"x@1": ones(4)}, 1, "x@1.npy: error: its shape is 4: input x is f32[n, c], of 2 dimensions"),
        ({"x@1": np.ones((4, 3))}, 1, "x@1.npy: error: its elements are f64: input x is f32[n, c]"),
        ({"x@1": None}, 3, "x@1.npy: error: "),
        ({"moving": ones(4)}, 1, "replica 0: axis c is 3 in x, but 4 in moving"),
    ]
    for change, status, message in cases:
        check(f"{device}: {message}", refused, {**good, **change}, status, message, device)
    each = {"x@0": ones(2, 3), "x@1": ones(4, 5), "moving@0": ones(3), "moving@1": ones(5)}
    message = "axis c is 3 on replica 0, but 5 on replica 1: what is reduced across replicas"
    check(f"{device}: {message}", refused, each, 1, message, device)


def type_parameters(device):
    """One kernel runs on all replicas: their inputs have one type, and one rank."""
    path = spec("kernel k<T = f32>(x: T[s..., c]) -> (y: T[s..., c]) {\n  y = x - mean(x over s... across replicas)\n}\n")
    for other, message in [
        (np.ones((2, 3)), "x@1.npy: error: it has f64 elements: input x has f32 on replica 0"),
        (np.ones((2, 1, 3), np.float32), "x@1.npy: error: it has 3 dimensions: input x has 2 on replica 0"),
    ]:
        try:
            job(path, [{"x": np.ones((2, 3), np.float32)}, {"x": other}], ["y"], device=device)
        except Failure as failure:
            if message not in str(failure):
                raise
        else:
            raise Failure(f"expected {message}")


SMALL = ["--target", "cpu/resident=64"]  # some of the replicas stream, others do not


def check_standard():
    for count in BATCHES:
        for layout in LAYOUTS:
            check(f"{count} replicas, {layout}, evaluator", standard, count, layout, [], "evaluator")
            for options in ([], SMALL, ["-D", "unbiased=true"]):
                check(f"{count} replicas, {layout}, {options}", standard, count, layout, options, "cpu")
        for options in ([], SMALL):
            check(f"{count} replicas beside the whole batch, {options}", whole_batch, count, options)
            check(f"{count} replicas backward, {options}", backward, count, options, "cpu")
        check(f"{count} replicas backward, evaluator", backward, count, [], "evaluator")
    for options in ([], SMALL):
        check(f"threads, {options}", threads, options)
    check("large mean", large_mean)
    check("all empty", all_empty)
    for letter in ("f64", "f16", "bf16"):
        check(f"in {letter}", precisions, letter)
    check("timed", timed)


def check_reductions():
    for device, options in (("cpu", []), ("cpu", SMALL), ("evaluator", [])):
        for batches in (BATCHES[3], BATCHES[8]):
            for method in ("auto", "two_pass", "one_pass", "welford"):
                for weighted in (False, True):
                    title = f"reductions of {batches} on {device}, {method}, {weighted}, {options}"
                    check(title, reductions, batches, method, weighted, options, device)


def check_others():
    for device in ("cpu", "evaluator"):
        for kernel in ("spread_backward", "spread_twice"):
            for weighted in (False, True):
                for options in ([], SMALL) if device == "cpu" else ([],):
                    title = f"{kernel} on {device}, {'weighted, ' * weighted}{options}"
                    check(title, gradients, kernel, weighted, options, device)
        check(f"ghost batches on {device}", ghost, device)
        check(f"not finite, on {device}", non_finite, device)
        check(f"large counts on {device}", large_count, device)
        check(f"apart, on {device}", apart, device)
        check(f"type parameters, {device}", type_parameters, device)
        errors(device)


for group in sys.argv[1:]:
    {"standard": check_standard, "reductions": check_reductions, "others": check_others}[group]()
finish()
