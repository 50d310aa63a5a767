"""Arguments: a folder to work in, the root of the tree."""

import os
import re
import sys

from cli import check, expect, finish, folder, run

folder(sys.argv[1])
SPECS = f"{sys.argv[2]}/specs"
os.environ["NORMC_CACHE_DIR"] = os.path.abspath("cache")
checks = 0


def counted(condition, what):
    global checks
    checks += 1
    check(condition, what)


# Of each kernel and candidate the same bits.
KERNELS = [
    ["layer_norm.norm", "--rank", "f=1", "--seed-input", "x=37x1000:bf16"],
    ["group_norm.norm", "--seed-input", "x=2x64x9x11:f32"],
    ["batch_norm.norm", "--order", "x=n,s...,c", "--order", "y=n,s...,c", "--seed-input", "x=9x5x5x70:f32"],
]
for spec, *arguments in KERNELS:
    results = set()
    for facts in ("", "/stream=0/l1=4096", "/stream=1", "/stream=1/l1=4096", "/stream=1/l1=1048576", "/l1=1048576"):
        done = run(["run", f"{SPECS}/{spec}", *arguments, "--target", f"cpu{facts}", "--output", "y=y.npy"])
        counted(done.returncode == 0, f"{spec} for cpu{facts}: {done.stderr}")
        results.add(open("y.npy", "rb").read())
        os.remove("y.npy")
    counted(len(results) == 1, f"{spec}: other bits for other facts")

# The table: nine candidates, one of them the best.
LINE = "layer_norm:f32:bf:64x256:fixed"
done = run(["tune", LINE, "--threads", "1", "--repeat", "1"])
counted(done.returncode == 0 and not done.stderr, f"{LINE}: {done.stderr}")
rows = re.findall(r"^  stream=\d+/l1=\d+ +\d+\.\d\d us(.*)$", done.stdout, re.M)
counted(len(rows) == 9 and sum(map(bool, rows)) == 1, f"expected nine rows, one of them chosen: {done.stdout}")
key = re.search(r"plan ([0-9a-f]{16})\n", done.stdout).group(1)
kept = os.path.exists("cache/tuned") and open("cache/tuned").read()
counted(("kept:" in done.stdout) == bool(kept) and (not kept or kept.startswith(key)), f"kept: {kept!r}")

# Lines of other plans stay, and a line that is not needed any more goes.
os.makedirs("cache", exist_ok=True)
with open("cache/tuned", "w") as file:
    file.write(f"0000000000000000 stream=0/l1=4096\n{key} stream=3/l1=4096\n")
done = run(["tune", LINE, "--threads", "1", "--repeat", "1"])
text = open("cache/tuned").read()
counted(text.startswith("0000000000000000 ") and "stream=3" not in text, f"the file is {text!r}")

LAYER = f"{SPECS}/layer_norm.norm"
expect(["tune", LAYER, "--target", "cpu:x86-64-v3"], 2, "--target cpu:x86-64-v3: only cpu, this machine, is tuned")
expect(["tune"], 2, "nothing to time")
expect(["tune", "layer_norm:f32:bf:4"], 2, "expected one each")
expect(["run", LAYER, "--target", "cpu/stream=x", "--seed-input", "x=4x4:f32"], 2, "expected facts after its name")
os.environ["NORMC_CACHE_DIR"] = "/proc/none"
expect(["tune", LINE, "--threads", "1", "--repeat", "1"], 3, "/proc/none")

# explain: what the bytes predict, and what is measured.
TIMES = r"memory traffic: 133120 bytes\n  1 thread: predicted \d+\.\d\d us, at the \S+ GB/s of a copy here; measured \S+ us"
expect(["explain", LAYER, "--size", "b=64,f=256", "--omit", "mean,rstd", "--time"], 0, "", TIMES)
expect(["explain", LAYER, "--time", "--target", "cpu:x86-64-v3"], 2, "only cpu, this machine, is timed")

finish(checks + 7)
