"""Output files appear whole or not at all, and what the system refuses is status 3."""

import os
import stat
import sys

import numpy as np

from cli import KERNELS, check, expect, finish, folder

folder(sys.argv[1])
values = np.arange(12, dtype=np.float32).reshape(3, 4)
np.save("x.npy", values)
run = ["run", KERNELS, "--device", "evaluator", "--input", "x=x.npy"]

# Places where nothing can be written: said before anything is.
os.mkdir("folder")
for place, message in {
    "folder": "cannot write the file: it is a directory",
    "folder/": "it is a directory",
    "none/y.npy": "there is no directory `none`",
    "none/y.npz": "there is no directory `none`",
    "x.npy/y.npy": "there is no directory `x.npy`",
    "new/": "cannot write the file",
    "/proc/y.npy": "cannot write the file",
    "a" * 300 + ".npy": "cannot write the file",
}.items():
    expect([*run, "--output", f"y={place}"], 3, message)
    # One good output beside a bad one: neither appears.
    expect([*run, "--output", "total=total.npy", "--output", f"y={place}"], 3, message)
if os.geteuid() != 0:
    os.mkdir("locked", 0o500)
    expect([*run, "--output", "y=locked/y.npy"], 3, "Permission denied")
if os.path.exists("/dev/full"):
    expect([*run, "--output", "y=/dev/full"], 3, "No space left")

# Inputs that cannot be read.
expect(["run", KERNELS, "--input", "x=none.npy"], 3, "none.npy: error: cannot open the file: No such file")
expect(["run", KERNELS, "--input", "x=folder"], 3, "it is a directory")
expect(["run", "none.norm", "--input", "x=x.npy"], 3, "none.norm: error: cannot open the file")
expect(["run", KERNELS, "--input", "x=/dev/zero"], 3, "it is a device")
with open("long.norm", "w") as file:
    file.write("// " + "x" * (5 << 20))
expect(["check", "long.norm"], 1, "long.norm: error: the file has 5242883 bytes: a spec has at most 4194304")
expect(["check", "folder"], 3, "it is a directory")
expect(["check", "x.npy"], 1, "x.npy:1")
expect(["run", KERNELS, "--seed-input", "x=100000000x100000000:f32"], 3, "no memory for a tensor")
expect(["run", KERNELS, "--seed-input", "x=4000000000x4000000000:f32"], 1, "larger than any memory")

# A device that is not there.
for device in ("cuda", "cuda:0", "cuda:12"):
    expect(["run", KERNELS, "--input", "x=x.npy", "--device", device], 3, f"device {device}: this version has no CUDA")

# A failed run leaves an older result as it was.
with open("y.npy", "wb") as file:
    file.write(b"older")
np.save("wrong.npy", np.ones(5, np.float32))
expect([*run, "--input", "gamma=wrong.npy", "--output", "y=y.npy"], 1, "axis k")
check(open("y.npy", "rb").read() == b"older", "a failed run changed its output")

# A good one replaces it, with the rights that a new file has, and through a link.
os.remove("y.npy")
os.symlink("folder/target.npy", "link.npy")
np.save("folder/target.npy", np.zeros(3))
expect([*run, "--output", "y=link.npy", "--output", "total=total.npy"], 0, made=["total.npy"])
check(os.path.islink("link.npy"), "a link was replaced")
check(np.array_equal(np.load("folder/target.npy"), 2 * values), "the link's target")
umask = os.umask(0)
os.umask(umask)
check(stat.S_IMODE(os.stat("total.npy").st_mode) == 0o666 & ~umask, "the rights of a new file")
check(sorted(os.listdir("folder")) == ["target.npy"], os.listdir("folder"))

# Where there is no ordinary file, it is written to as it is.
expect([*run, "--output", "y=/dev/null"], 0)
check(stat.S_ISCHR(os.stat("/dev/null").st_mode), "/dev/null")

finish(30)
