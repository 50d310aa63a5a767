"""Arguments: a folder to work in, the root of the tree."""

import json
import os
import re
import subprocess
import sys

from cli import KERNELS, check, expect, finish, folder, run

folder(sys.argv[1])
ROOT = sys.argv[2]
checks = 0
QUICK = ["--threads", "1", "--repeat", "1"]


def counted(condition, what):
    global checks
    checks += 1
    check(condition, what)


BAD = [
    ("layer_norm", None),  # a file
    ("layer_norm:f32", "expected SPEC\\[/KERNEL\\]:TYPE:LAYOUT:EXTENTS"),
    ("layer_norm:f33:bf:4x8", "expected an element type .*, found `f33`"),
    ("layer_norm:f32:bf:4x8x2", "layout bf has 2 letters, and there are 3 extents"),
    ("layer_norm:f32:bf>b:4x8", "layout b has 1 letters"),
    ("layer_norm:f32:b?:4x8", "expected a letter for each dimension, such as nchw or nchw>nhwc, found `b\\?`"),
    ("layer_norm:f32:bf:4x0", "expected extents of 1 or more joined by `x`, such as 8x256x56x56, found `4x0`"),
    ("layer_norm:f32:bf:4x", "found `4x`"),
    ("layer_norm:f32:bfb:4x8x2", "layout bfb: the dimensions of b... must lie together"),
    ("layer_norm:f32:bz:4x8", "layout bz: expected the axes of xT\\[b..., f...\\], in letters"),
    ("group_norm:f32:nhw:4x8x8", "layout nhw: expected the axes of x"),
    ("group_norm:f32:ncc:4x8x8", "layout ncc: axis c stands twice"),
    ("group_nrm:f32:nchw:1x32x2x2", "no spec `group_nrm`: did you mean `group_norm`"),
    ("layer_norm/layer_nrm:f32:bf:4x8", "layer_nrm"),
    ("layer_norm:f32:bf:4x8:pass=forward", "pass: expected fwd, bwd or fwdbwd, found `forward`"),
    ("layer_norm:f32:bf:4x8:omit=ga mma", "omit: expected names joined by commas"),
    ("layer_norm:f32:bf:4x8:omit=gama", "no input or output `gama`"),
    ("layer_norm:f32:bf:4x8:with=weights", "no input or output `weights`"),
    ("layer_norm:f32:bf:4x8:inplace=y", "inplace: expected OUTPUT=INPUT, found `y`"),
    ("layer_norm:f32:bf:4x8:inplace=y=z", "no input or output `z`"),
    ("layer_norm:f32:bf:4x8:fast", "expected fixed, or NAME=VALUE such as groups=32 or pass=fwdbwd, found `fast`"),
    ("layer_norm:f32:bf:4x8:eps=1:eps=2", "eps stands twice"),
    ("layer_norm:f32:bf:4x8:speed=3", "speed"),
    ("group_norm:f32:nchw:1x30x2x2", "32"),
    ("batch_norm:f32:nchw:1x3x2x2:momentum=much", "momentum: expected a number, found `much`"),
    ("quantized_norm:f32:bf:4x8:pass=bwd", "no kernel"),
]
OPTIONS = [
    ([], "nothing to time: expected a .norm file, a problem such as layer_norm:f32:bf:4096x1024, or --list"),
    ([KERNELS, "layer_norm:f32:bf:4x8"], "both a FILE"),
    (["layer_norm:f32:bf:4x8", "--only", "x"], "--only chooses from a --list"),
    (["layer_norm:f32:bf:4x8", "--cache", "hot"], "--cache: expected warm, cold or warm,cold, found `hot`"),
    (["layer_norm:f32:bf:4x8", "--repeat", "0"], "--repeat: expected an integer from 1 to 10000, found `0`"),
    (["layer_norm:f32:bf:4x8", "--threads", "1,0"], "--threads: expected an integer from 1 to 1024, found `0`"),
    (["layer_norm:f32:bf:4x8", "--offset", "4096"], "--offset: expected bytes from 0 to 4095, such as 0,64"),
    (["layer_norm:f32:bf:4x8", "--offset", "0,2"], "--offset 2: y is f32, whose elements have 4 bytes"),
    (["layer_norm:f32:bf:4x8", "--output", "y=y.npy"], "--output is not an option of this command"),
    ([f"{ROOT}/specs/layer_norm.norm", "--seed-input", "z=4x8:f32"], "the kernel has no input `z`"),
]
for problem, message in BAD:
    if message:
        expect(["bench", problem, *QUICK], 1 if problem == "group_norm:f32:nchw:1x30x2x2" else 2, message)
for arguments, message in OPTIONS:
    expect(["bench", *arguments, *([] if "--repeat" in arguments or "1,0" in arguments else ["--repeat", "1"])], 2, message)

# A list: comments aside, a problem a line; an error has its place; --only chooses; every problem is tried.
with open("list.txt", "w") as file:
    file.write("# a list\nlayer_norm:f32:bf:4x8   # tiny\n\n  rms_norm:f32:bf:4x8\nrms_norm:f32:bf\n")
expect(["bench", "--list", "list.txt", *QUICK], 1, "list.txt:5:1: error: expected SPEC")
with open("list.txt", "w") as file:
    file.write("layer_norm:f32:bf:4x8\ngroup_norm:f32:nchw:1x30x2x2\nrms_norm:f32:bf:4x8\n")
expect(["bench", "--list", "list.txt", *QUICK], 1, "32", "(?s)layer_norm:f32:bf:4x8 .*rms_norm:f32:bf:4x8 ")
expect(["bench", "--list", "list.txt", "--only", "rms,batch", *QUICK], 0, "", "limit\nrms_norm:f32:bf:4x8 [^\n]*\n$")
expect(["bench", "--list", "list.txt", "--only", "batch", *QUICK], 2, "no problem of list.txt is among those of --only")
expect(["bench", "--list", "none.txt", *QUICK], 3, "none.txt")

# The table.
ROW = r" +\d+ +(warm|cold) +\d+\.\d\d +\d+\.\d +\d+\.\d\d +\d+%( +\d+\.\d\d)?(  noisy)?\n"
expect(
    ["bench", "layer_norm:bf16:bf:4x80", "--threads", "1,2", "--repeat", "1", "--cache", "warm,cold"],
    0,
    "",
    rf"^machine: .*\nproblem +threads cache +us +GB/s +limit us of limit\n(layer_norm:bf16:bf:4x80{ROW}){{4}}$",
)
expect(["bench", "layer_norm:f32:bf:4x80", "--baseline", "--low", *QUICK], 0, "", rf"cpu:\S+ us\n\S+{ROW}$")

# JSON: valid, and the bytes those of x and y, or of x, dy and dx.
PROBLEMS = {
    "layer_norm:bf16:bf:16x1024": 2 * 2 * 16 * 1024,
    "layer_norm:f32:bf:16x1024:pass=bwd": 3 * 4 * 16 * 1024,
    "layer_norm:f32:bf:16x1024:pass=fwdbwd": 5 * 4 * 16 * 1024,
    "batch_norm:f32:nchw:2x3x4x5:momentum=0.9": 2 * 4 * 120,
    "group_norm:f32:nchw>nhwc:2x32x4x4:activation=silu:fixed": 2 * 4 * 1024,
    "batch_norm/batch_norm_inference:f32:nhwc:2x4x4x32:inplace=y=x": 2 * 4 * 1024,
}
done = run(["bench", *PROBLEMS, "--json", "--baseline", *QUICK])
counted(done.returncode == 0 and not done.stderr, f"bench --json: {done.returncode} {done.stderr}")
report = json.loads(done.stdout)
counted(report["machine"], "the machine has no name")
counted([result["problem"] for result in report["results"]] == list(PROBLEMS), "the results are not those asked for")
for result in report["results"]:
    name = result["problem"]
    counted(result["bytes"] == PROBLEMS[name], f"{name}: {result['bytes']} bytes, expected {PROBLEMS[name]}")
    for entry in ("kernel", "library", "ordinary", "cache-bypassing", "baseline"):
        spread = result[entry]
        counted(0 < spread["lowUs"] <= spread["us"] <= spread["highUs"], f"{name}: {entry} is {spread}")
    copies = [result[entry]["us"] for entry in ("library", "ordinary", "cache-bypassing")]
    counted(result["limitUs"] == min(copies), f"{name}: the limit is not the fastest copy")
    counted(abs(result["ofLimit"] - result["limitUs"] / result["us"]) < 1e-9, f"{name}: of limit")

# What is timed is what `normc run` computes, from the inputs that are saved.
SAVED = [
    ("layer_norm:f32:bf:7x100", "layer_norm", ["--rank", "f=1", "--omit", "mean,rstd"], "x gamma beta", "y"),
    ("group_norm:bf16:nhwc:2x3x3x64:activation=silu", "group_norm",
     ["-D", "activation=silu", "--order", "x=n,s...,c", "--order", "y=n,s...,c", "--omit", "mean,rstd,weights"],
     "x gamma beta", "y"),
    ("layer_norm:f32:bf:7x100:pass=bwd", "layer_norm", ["-k", "layer_norm_backward", "--rank", "f=1"],
     "x dy gamma mean rstd", "dx dgamma dbeta"),
]
for problem, spec, selection, inputs, outputs in SAVED:
    for threads in ("1", "3"):
        os.makedirs("saved", exist_ok=True)
        done = run(["bench", problem, "--threads", threads, "--repeat", "1", "--save", "saved"])
        counted(done.returncode == 0, f"{problem}: {done.stderr}")
        arguments = ["run", f"{ROOT}/specs/{spec}.norm", *selection]
        for name in inputs.split():
            arguments += ["--input", f"{name}=saved/{name}.npy"]
        for name in outputs.split():
            arguments += ["--output", f"{name}={name}.npy"]
        done = run(arguments)
        counted(done.returncode == 0, f"{problem}: {done.stderr}")
        for name in outputs.split():
            same = open(f"{name}.npy", "rb").read() == open(f"saved/{name}.npy", "rb").read()
            counted(same, f"{problem}, {threads} threads: {name} is not what normc run computes")
            os.remove(f"{name}.npy")

# A file by itself: its sizes are chosen, or given; inputs as of normc run.
LAYER = f"{ROOT}/specs/layer_norm.norm"
expect(["bench", LAYER, "--size", "b=4,f=80", *QUICK], 0, "", "layer_norm.norm +1 +warm")
expect(["bench", LAYER, "--seed-input", "x=4x80:bf16", "--rank", "f=1", "-k", "layer_norm", *QUICK], 0, "", "-k layer_norm +1")
expect(["bench", LAYER, "-k", "layer_norm_backward", "--seed-input", "x=4x80:bf16", "--rank", "f=1", *QUICK], 0)

# Every problem of the list in the tree reads well.
for line in open(f"{ROOT}/tools/bench/workloads.txt"):
    line = line.split("#")[0].strip()
    counted(not line or re.fullmatch(r"\w+(/\w+)?:\w+:[a-z]+(>[a-z]+)?:\d+(x\d+)*(:\w+(=\w+)?)*", line), line)

finish(checks + len(BAD) - 1 + len(OPTIONS) + 10)
