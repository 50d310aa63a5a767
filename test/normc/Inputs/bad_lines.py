"""Command lines that are wrong: each is status 2, with a message that says what was found and what was expected."""

import platform
import sys

import numpy as np

from cli import KERNELS, check, expect, finish, folder, run

folder(sys.argv[1])
np.save("x.npy", np.ones((4, 6), np.float32))
x = ["--input", "x=x.npy"]
evaluator = ["--device", "evaluator"]

FOREIGN = "x86-64-v3" if platform.machine() == "aarch64" else "aarch64"

# What stands after `normc`.
LINES = [
    ([], "no command"),
    (["runn", KERNELS], "unknown command `runn`: did you mean `run`"),
    (["frobnicate"], "unknown command `frobnicate`: expected one of check, compile, run, explain"),
    (["--verbose"], "unknown option `--verbose`"),
    (["gradient", KERNELS], "no gradient is named: the file has none"),
    (["gradient", KERNELS, "-k", "scale"], "`scale` is a kernel, not a gradient: the file has none"),
    (["gradient", KERNELS, "--size", "n=2"], "--size is not an option of this command"),
    (["check"], "no FILE"),
    (["check", ""], "FILE is empty"),
    (["check", KERNELS, KERNELS], "more than one FILE"),
    (["check", KERNELS, "-k", "scale"], "-k is not an option of this command"),
    (["compile", KERNELS, "--input", "x=x.npy"], "--input is not an option of this command"),
    (
        ["run", KERNELS, *x, "--target", "cpu/resident=0"],
        "target `cpu/resident=0`: expected facts after its name: `/resident=N`",
    ),
    (["run", KERNELS, *x, "--target", "cpu/cache=4"], "target `cpu/cache=4`: expected facts after its name: `/resident=N`"),
    (["run", KERNELS, *x, "--target", FOREIGN], f"target `{FOREIGN}` does not run here: this machine's level is "),
]

# What stands after `normc run KERNELS --input x=x.npy`.
RUNS = [
    (["--inptu", "x=x.npy"], "unknown option --inptu: did you mean `--input`"),
    (["-input", "x=x.npy"], "unknown option -input: did you mean `--input`"),
    (["--xyzzy"], "unknown option --xyzzy: --help lists them"),
    (["--xyzzy=3"], "unknown option --xyzzy: "),
    (["-q"], "unknown option -q"),
    (["--input"], "--input is the last word: expected NAME=FILE after it"),
    (["--input="], "--input is empty: expected NAME=FILE"),
    (["--input", "x.npy"], "--input expects NAME=FILE, found `x.npy`"),
    (["--input", "=x.npy"], "--input expects NAME=FILE, found `=x.npy`"),
    (["--input", "x="], "--input expects NAME=FILE, found `x=`"),
    (["--input", "a b=x.npy"], "`a b` is not a name"),
    (["--input", "x=x.npy"], "--input x stands twice"),
    (["--input", "gamma=a.npz:"], "no key after the colon"),
    (["--input", "x@0=x.npy"], "input x is given for all replicas, and for some by their numbers"),
    (["--input", "gamma@1=g.npy"], "replica 0 has no input, but replica 1 has: .* without gaps"),
    (["--seed-input", "gamma@0=6:f32", "--seed-input", "gamma@2=6:f32"], "replica 1 has no input, but replica 2 has"),
    (["--input", "gamma@0=g.npy", "--seed-input", "gamma@0=6:f32"], "both --input and --seed-input give `gamma`"),
    (["--input", "gamma@0=g.npy", "--input", "gamma@0=g.npy"], "--input gamma@0 stands twice"),
    (
        ["--input", "gamma@0=g.npy", "--input", "beta@0=g.npy", "--input", "gamma@1=g.npy"],
        "input beta is given for other replicas, but not for replica 1: --input beta@1=FILE",
    ),
    (["--input", "gamma@=g.npy"], "gamma: expected the number of a replica behind the @, from 0 to 1023, found ``"),
    (["--input", "gamma@-1=g.npy"], "found `-1`"),
    (["--input", "gamma@1024=g.npy"], "found `1024`"),
    (["--input", "gamma@one=g.npy"], "found `one`"),
    (["--input", "@1=g.npy"], "--input expects NAME=FILE, found `=g.npy`"),
    (["--output", "y@1=y.npy"], "--output y@1: there is no replica 1: the inputs are of one replica, 0"),
    (
        ["--seed-input", "gamma@0=6:f32", "--seed-input", "gamma@1=6:f32", "--output", "y@2=y.npy"],
        "--output y@2: there is no replica 2: the inputs are of replicas 0 to 1",
    ),
    (
        ["--seed-input", "gamma@0=6:f32", "--seed-input", "gamma@1=6:f32", "--output", "y=y.npy"],
        "--output y: each replica has its own: write y@0=FILE",
    ),
    (
        ["--seed-input", "gamma@0=6:f32", "--output", "y@0=y.npy", "--output", "y=z.npy"],
        "--output y and --output y@0: the one for all replicas",
    ),
    (
        [
            "--seed-input",
            "gamma@0=6:f32",
            "--seed-input",
            "gamma@1=6:f32",
            "--output",
            "y@0=y.npy",
            "--output",
            "y@1=y.npy",
        ],
        "outputs y@0 and y@1 both go to y.npy",
    ),
    (["--scalar", "shift@0=1"], "--scalar `shift@0` names a replica: --scalar is the same for all of them"),
    (["--input", "gama=x.npy"], "no input `gama`: did you mean `gamma`"),
    (["--input", "y=x.npy"], "y: it is an output of the kernel"),
    (["--input", "shift=x.npy"], "shift: it is a scalar: pass it with --scalar shift"),
    (["--output", "z=z.npy"], "no output `z`"),
    (["--output", "totl=z.npy"], "no output `totl`: did you mean `total`"),
    (["--output", "gamma=z.npy"], "gamma: it is an input of the kernel"),
    (["--output", "y=y.npy", "--output", "y=z.npy"], "--output y stands twice"),
    (["--output", "y=y.npy", "--output", "total=y.npy"], "outputs total and y both go to y.npy"),
    (["--output", "y=y.npz", "--output", "total=y.npz:y"], "outputs total and y both go to y.npz:y"),
    (["--output", "y=x.npy"], "output y and input x are one file, x.npy"),
    (["--output", "y=./x.npy"], "are one file"),
    (["--scalar", "shift"], "--scalar expects NAME=NUMBER, found `shift`"),
    (["--scalar", "shift=abc"], "shift: expected a number, inf, nan, true or false, found `abc`"),
    (["--scalar", "shift=1e"], "expected a number"),
    (["--scalar", "shift=0x10"], "expected a number"),
    (["--scalar", "shift=infinity"], "expected a number"),
    (["--scalar", "shift= 1"], "expected a number"),
    (["--scalar", "shift=1", "--scalar", "shift=2"], "--scalar shift stands twice"),
    (["--scalar", "shft=1"], "no scalar `shft`: did you mean `shift`"),
    (["--scalar", "gamma=1"], "gamma: it is a tensor: pass it with --input"),
    (["--scalar", "shift=true"], "shift: it is f32: expected a number, found `true`"),
    (["--scalar", "steps=1.5"], "steps: it is i32: expected an integer, found `1.5`"),
    (["--scalar", "steps=nan"], "steps: it is i32: expected an integer, found `nan`"),
    (["--scalar", "steps=2147483648"], "steps: it does not fit in i32, found `2147483648`"),
    (["--scalar", "steps=1e300"], "steps: it is i32: expected an integer"),
    (["--scalar", "flip=2"], "flip: it is a bool: expected true or false, found `2`"),
    (["-k", "grouped", "--scalar", "unread=256"], "--scalar unread: it does not fit in u8, found `256`"),
    (["-D", "factor"], "-D expects NAME=VALUE, found `factor`"),
    (["-D", "factor="], "-D expects NAME=VALUE"),
    (["-D", "=3"], "-D expects NAME=VALUE"),
    (["-D", "2x=3"], "`2x` is not a name"),
    (["-D", "factor=1", "-D", "factor=2"], "-D factor stands twice"),
    (["-D", "facto=3"], "facto"),
    (["-D", "T=f31"], "f31"),
    (["-D", "factor=abc"], "abc"),
    (["-k", "scal"], "scal"),
    (["-k", "scale", "-k", "copy"], "-k stands twice, with `scale` and `copy`"),
    (["--size", "k=x"], "--size k: expected an integer from 0 to .*, found `x`"),
    (["--size", "k=-1"], "--size k: expected an integer from 0 to .*, found `-1`"),
    (["--size", "k=1.5"], "found `1.5`"),
    (["--size", "k=99999999999999999999"], "found `99999999999999999999`"),
    (["--size", "k=9223372036854775807"], "found `9223372036854775807`"),
    (["--size", "k"], "--size expects AXIS=N, found `k`"),
    (["--size", "k=6,"], "--size expects AXIS=N, found ``"),
    (["--size", "k=6,k=7"], "--size k stands twice, with 6 and 7"),
    (["--size", "w=6"], "w"),
    (["--rank", "k=65"], "--rank k: expected an integer from 0 to 64, found `65`"),
    (["--rank", "k=-1"], "--rank k: expected an integer"),
    (["--rank", "s=2"], "s"),
    (["--order", "x"], "--order expects NAME=AXIS,AXIS,..., found `x`"),
    (["--order", "x=n,,k"], "--order x: expected axes joined by commas"),
    (["--order", "x=n k"], "--order x: expected axes"),
    (["--order", "x=k,n", "--order", "x=n,k"], "--order x stands twice"),
    (["--order", "x=n"], "x"),
    (["--order", "x=n,k,k"], "x"),
    (["--order", "x=n,w"], "w"),
    (["--order", "w=n,k"], "w"),
    (["--omit", "ga mma"], "--omit expects names joined by commas"),
    (["--omit", "gamma,"], "--omit expects names"),
    (["--omit", "gama"], "gama"),
    (["--omit", "x"], "x"),
    (["--omit", "y", "--output", "y=y.npy"], "--omit y"),
    (["--omit", "gamma", "--seed-input", "gamma=6:f32"], "gamma"),
    (["--omit", "shift", "--scalar", "shift=1"], "shift"),
    (["--inplace", "y"], "--inplace expects OUTPUT=INPUT"),
    (["--inplace", "y=x", "--inplace", "y=gamma"], "--inplace y stands twice"),
    (["--inplace", "z=x"], "z"),
    (["--inplace", "y=w"], "w"),
    (["--runtime-scalar", "gamma"], "gamma"),
    (["--runtime-scalar", "T"], "T"),
    (["--device", "gpu"], "unknown device `gpu`"),
    (["--device", "cpus"], "unknown device `cpus`: did you mean `cpu`"),
    (["--device", "cuda:x"], "unknown device `cuda:x`"),
    (["--threads", "0"], "--threads: expected an integer from 1 to 1024, found `0`"),
    (["--threads", "-3"], "found `-3`"),
    (["--threads", "two"], "found `two`"),
    (["--threads", "100000000000000000000"], "found `100000000000000000000`"),
    (["--threads", "1000000"], "found `1000000`"),
    (["--time=yes"], "--time takes no value"),
    (["--seed-input", "x=4x6:f32"], "both --input and --seed-input give `x`"),
    (["--seed-input", "gamma=6"], "gamma: expected SHAPE:TYPE"),
    (["--seed-input", "gamma=6:f33"], "expected an element type .*, found `f33`"),
    (["--seed-input", "gamma=6x:f32"], "expected extents of 0 or more joined by `x`, .*, found `6x`"),
    (["--seed-input", "gamma=-6:f32"], "found `-6`"),
    (
        ["--seed-input", "gamma=6:f32:cauchy"],
        "expected normal\\(MEAN,DEVIATION\\) or uniform\\(LOWER,UPPER\\), found `cauchy`",
    ),
    (["--seed-input", "gamma=6:f32:normal(0)"], "found `normal\\(0\\)`"),
    (["--seed-input", "gamma=6:f32:normal(0,inf)"], "found `normal\\(0,inf\\)`"),
    (["--seed-input", "gamma=6:f32:uniform(3,2)"], "expected a lower bound up to the upper one, found `uniform\\(3,2\\)`"),
    (["--seed-input", "gamma=6:f32:normal(0,1):7"], "expected SHAPE:TYPE"),
    (["--seed-input", "gamma"], "--seed-input expects NAME=SHAPE:TYPE"),
]

COMPILES = [
    (["--emit", "planed"], "unknown stage `planed`: did you mean `planned`"),
    (["--emit", "zzz"], "expected ast, norm, specialized"),
    (["--emit", "ptx"], "this version does not have that stage yet"),
    (["--emit", "ast,"], "unknown stage ``"),
    (["--emit", "object"], "--emit object needs -o OUT"),
    (["--emit", "shared", "-o", "-"], "--emit shared needs -o OUT"),
    ([], "--emit object needs -o OUT"),
    (["--stop-after", "object"], "--stop-after: unknown stage `object`"),
    (["--stop-after", "norm", "--emit", "planned"], "--stop-after norm comes before --emit planned"),
    (
        ["--stop-after", "norm", "--emit", "object", "-o", "out.o"],
        "--stop-after norm stands in the way of --emit object",
    ),
    (["--emit", "asm", "--target", "pdp11"], "pdp11"),
    (["--emit", "asm", "--target", "cpu:x86-64-v9"], "v9"),
    (["--emit", "asm", "--target", "cuda:sm_90"], "cuda:sm_90|sm_90"),
    (["--emit", "asm", "-k", "nothing"], "nothing"),
]

for arguments, message in LINES:
    expect(arguments, 2, message)
for arguments, message in RUNS:
    # The last device wins nothing: one alone is given.
    device = [] if "--device" in arguments else evaluator
    expect(["run", KERNELS, *x, *device, *arguments], 2, message)
for arguments, message in COMPILES:
    expect(["compile", KERNELS, *arguments], 2, message)

# Several mistakes are said at once.
done = run(["run", KERNELS, *x, "--threads", "0", "--scalar", "shift=abc", "--size", "k=-1"])
check(done.returncode == 2 and done.stderr.count("error:") == 3, f"expected three errors, found {done.stderr}")

finish(len(LINES) + len(RUNS) + len(COMPILES) + 1)
