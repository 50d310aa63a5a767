#!/usr/bin/env python3
"""Times normc beside other libraries, on the same arrays: the problems of workloads.txt up to its classes.

    tools/bench/peers.py --threads 1,2 --out build/peers           # every peer that can be imported
    tools/bench/peers.py --only layer_norm --peers torch,onnxruntime --rounds 3

A process for each implementation; in each round each of them runs for a moment, normc among them, and medians count.
Results are compared with normc's. Writes table.md, results.json and roofline.svg to --out. What is needed, in an
interpreter of its own: pip install numpy ml_dtypes matplotlib torch onnxruntime onnx jax openvino onednn-cpu-gomp
"""

import argparse
import functools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
PEERS = ("torch", "inductor", "jax", "onnxruntime", "openvino", "onednn")


class Problem:
    """A problem's line, as far as peers have it. Extents are in memory order."""

    def __init__(self, line):
        self.line = line
        spec, self.type, self.layout, extents, *options = line.split(":")
        self.kernel = spec.split("/")[-1]
        self.extents = [int(extent) for extent in extents.split("x")]
        self.options = dict(option.split("=", 1) for option in options if "=" in option)
        self.way = self.options.get("pass", "fwd")
        self.groups = int(self.options.get("groups", 32))
        self.silu = self.options.get("activation") == "silu"
        self.channels_last = self.layout == "nhwc"
        self.eps = {"batch_norm": 1e-3, "batch_norm_inference": 1e-3, "rms_norm": 1e-6}.get(self.kernel, 1e-5)


def load(folder, name):
    """An array that normc saved; what NumPy does not know is bf16."""
    path = pathlib.Path(folder) / f"{name}.npy"
    if not path.exists():
        return None
    array = np.load(path)
    if array.dtype.kind != "V":
        return array
    import ml_dtypes

    return array.view(ml_dtypes.bfloat16)


def differences(results, folder):
    """The largest difference of each result from normc's, as a share of the largest element."""
    worst = 0.0
    for name, value in results.items():
        expected = load(folder, name)
        if expected is None:
            continue
        expected, value = expected.astype(np.float64), np.asarray(value, np.float64).reshape(expected.shape)
        worst = max(worst, float(np.abs(value - expected).max() / max(np.abs(expected).max(), 1e-30)))
    return worst



def worker(name, threads):
    """Answers the lines of standard input: problems to prepare, and times to take."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    sys.stdout.flush()
    reply = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply

    def answer(**values):
        print(json.dumps(values), file=reply, flush=True)

    import peer_kernels

    try:
        prepare = peer_kernels.load(name, threads)
    except Exception as error:  # not installed, or not for this machine
        return answer(missing=f"{type(error).__name__}: {error}".splitlines()[0])
    answer(version=prepare.version)
    run = None
    for line in sys.stdin:
        command = json.loads(line)
        if "problem" in command:
            run = None
            try:
                problem = Problem(command["problem"])
                arrays = functools.partial(load, command["folder"])
                run, results = prepare(problem, arrays)
                run()
                answer(difference=differences(results(), command["folder"]))
            except Exception as error:
                run = None
                answer(unsupported=f"{type(error).__name__}: {error}".splitlines()[0][:200])
        else:
            answer(seconds=sample(run, command["seconds"]))


def sample(run, duration):
    """The median second of a call, over about that many seconds; short calls many at a time."""
    run()
    begin = time.perf_counter()
    run()
    calls = max(1, int(2e-5 / max(time.perf_counter() - begin, 1e-9)))
    samples = []
    end = time.perf_counter() + duration
    while len(samples) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(calls):
            run()
        samples.append((time.perf_counter() - begin) / calls)
    return statistics.median(samples)


class Peer:
    """A worker process, and what it found."""

    def __init__(self, name, threads):
        self.name = name
        environment = dict(os.environ)
        # Huge pages as normc's arrays have, and memory that is kept from one call to the next.
        environment["THP_MEM_ALLOC_ENABLE"] = "1"
        environment["GLIBC_TUNABLES"] = (
            "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=17179869184"
        )
        environment["LD_LIBRARY_PATH"] = f"{sys.prefix}/lib"  # where wheels of C libraries put them
        environment.update({name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")})
        command = [sys.executable, str(FOLDER / "peers.py"), "--worker", name, "--threads", str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        first = self.read()
        self.missing = first.get("missing")
        self.version = first.get("version")

    def read(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"missing": "the process ended", "unsupported": "the process ended"}

    def ask(self, **command):
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def normc_times(options, line, threads):
    """Microseconds of normc, and of the memory limit, in a process of its own."""
    command = [options.normc, "bench", line, "--threads", str(threads), "--repeat", "3", "--json"]
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, cores)), *command], capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    return report["machine"], report["results"][0]


def measure(options, line, threads, peers):
    """One row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        save = [options.normc, "bench", line, "--threads", "1", "--repeat", "1", "--save", folder]
        subprocess.run(save, capture_output=True, check=True)
        able, row = [], {"problem": line, "threads": threads, "peers": {}}
        for peer in peers:
            found = peer.ask(problem=line, folder=folder)
            if "unsupported" in found:
                row["peers"][peer.name] = {"unsupported": found["unsupported"]}
                continue
            able.append(peer)
            row["peers"][peer.name] = {"difference": found["difference"], "seconds": []}
        kernel, limit = [], []
        for number in range(options.rounds):
            row["machine"], result = normc_times(options, line, threads)
            kernel.append(result["us"])
            limit.append(result["limitUs"])
            for peer in able[number % max(len(able), 1) :] + able[: number % max(len(able), 1)]:
                found = peer.ask(seconds=options.seconds)
                row["peers"][peer.name]["seconds"].append(found.get("seconds", float("inf")))
    row["bytes"] = result["bytes"]
    row["us"], row["limitUs"] = statistics.median(kernel), statistics.median(limit)
    for peer in able:
        entry = row["peers"][peer.name]
        entry["us"] = statistics.median(entry.pop("seconds")) * 1e6
    return row


def ranked(row):
    """The peers that have the problem, the fastest first."""
    found = [(entry["us"], name, entry["difference"]) for name, entry in row["peers"].items() if "us" in entry]
    return sorted(found)


def wrong(row, difference):
    return difference > (5e-2 if ":bf16:" in row["problem"] or ":f16:" in row["problem"] else 2e-3)


def table(rows, versions):
    lines = [f"Machine: {rows[0]['machine']}. Peers: {', '.join(f'{n} {v}' for n, v in versions.items())}.", ""]
    lines += ["| problem | threads | limit us | normc us | fastest peer us | next | normc is |", "|---|---|---|---|---|---|---|"]
    factors = []
    for row in rows:
        peers = [peer for peer in ranked(row) if not wrong(row, peer[2])]
        shown = [f"{name} {us:.1f} ({100 * row['limitUs'] / us:.0f} %)" for us, name, _ in peers] + ["", ""]
        factor = peers[0][0] / row["us"] if peers else None
        left_out = [f"{name} is {apart:.1g} apart" for _, name, apart in ranked(row) if wrong(row, apart)]
        if factor:
            factors.append(factor)
        lines.append(
            f"| {row['problem']} | {row['threads']} | {row['limitUs']:.1f} | {row['us']:.1f} "
            f"({100 * row['limitUs'] / row['us']:.0f} %) | {shown[0]} | {shown[1]} | "
            + "; ".join([f"{factor:.2f}x faster"] * bool(factor) + left_out)
            + " |"
        )
    if factors:
        lines += ["", f"Geometric mean over the fastest peer: {statistics.geometric_mean(factors):.2f}x."]
    return "\n".join(lines) + "\n"


def roofline(rows, path):
    """Bytes a second over bytes: the limit as the roof, normc and the fastest peer of each problem below it."""
    try:
        import matplotlib

        matplotlib.use("svg")
        from matplotlib import pyplot
    except ImportError as error:
        return print(f"no picture: {error}")
    counts = sorted({row["threads"] for row in rows})
    figure, panels = pyplot.subplots(1, len(counts), figsize=(7 * len(counts), 4.5), squeeze=False, sharey=True)
    for panel, threads in zip(panels[0], counts):
        chosen = sorted((row for row in rows if row["threads"] == threads), key=lambda row: row["bytes"])
        rate = lambda row, us: row["bytes"] / us / 1e3
        roof = {}
        for row in chosen:
            roof.setdefault(row["bytes"], []).append(rate(row, row["limitUs"]))
        panel.plot(list(roof), [statistics.median(rates) for rates in roof.values()], "k-", label="memory limit")
        panel.plot([r["bytes"] for r in chosen], [rate(r, r["us"]) for r in chosen], "o", color="tab:green", label="normc")
        best = [(row, [p for p in ranked(row) if not wrong(row, p[2])]) for row in chosen]
        best = [(row, peers[0][0]) for row, peers in best if peers]
        panel.plot([r["bytes"] for r, _ in best], [rate(r, us) for r, us in best], "x", color="tab:red",
                   label="fastest peer")
        panel.set(xscale="log", yscale="log", xlabel="bytes that must move",
                  title=f"{threads} thread{'s' if threads > 1 else ''}")
        panel.grid(True, which="both", alpha=0.3)
        panel.legend()
    panels[0][0].set_ylabel("GB/s")
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", default="1", help="numbers of threads, joined by commas")
    parser.add_argument("--only", default="", help="problems with one of these texts in their line, joined by commas")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="that each implementation runs in a round")
    parser.add_argument("--normc", default=str(FOLDER.parent.parent / "build" / "bin" / "normc"))
    parser.add_argument("--list", default=str(FOLDER / "workloads.txt"))
    parser.add_argument("--out", default="peers", help="a folder for table.md, results.json and roofline.svg")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker(options.worker, int(options.threads))

    text = pathlib.Path(options.list).read_text().split("# classes")[0]
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    lines = [line for line in lines if line and any(part in line for part in options.only.split(","))]
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    rows, versions = [], {}
    for threads in map(int, options.threads.split(",")):
        peers = []
        for name in options.peers.split(","):
            peer = Peer(name, threads)
            if peer.missing:
                print(f"{name} is left out: {peer.missing}")
                peer.close()
                continue
            versions[name] = peer.version
            peers.append(peer)
        for line in lines:
            row = measure(options, line, threads, peers)
            rows.append(row)
            best = "  ".join(f"{name} {us:.1f}" for us, name, _ in ranked(row))
            print(f"{line:60} {threads}  limit {row['limitUs']:.1f}  normc {row['us']:.1f}  {best}", flush=True)
            (out / "results.json").write_text(json.dumps(rows, indent=1))
        for peer in peers:
            peer.close()
    (out / "table.md").write_text(table(rows, versions))
    roofline(rows, out / "roofline.svg")
    print((out / "table.md").read_text())


if __name__ == "__main__":
    main()
