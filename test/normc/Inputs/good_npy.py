"""Arrays as NumPy writes them go in, arrays that NumPy reads come out: every type, version, order and place."""

import os
import sys
import zipfile

import ml_dtypes
import numpy as np

from cli import KERNELS, check, expect, finish, folder

folder(sys.argv[1])
device = ["--device", sys.argv[2]]

FLOATS = {
    "f64": np.float64,
    "f32": np.float32,
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f8e4m3": ml_dtypes.float8_e4m3fn,
    "f8e5m2": ml_dtypes.float8_e5m2,
}


def run(kernel, *more, made=("out.npy",), output="y=out.npy"):
    for path in made:
        if os.path.exists(path):
            os.remove(path)
    expect(["run", KERNELS, "-k", kernel, *more, "--output", output, *device], 0, made=made)


# Types: twice the value of each, with the type of the data, or of -D where NumPy does not tell.
for name, dtype in FLOATS.items():
    values = np.array([0, -0.0, 1, -2.5, 0.375, np.nan], dtype)
    for spelling in ("as it is", "void"):
        if spelling == "void":
            values = (
                values.view(f"V{np.dtype(dtype).itemsize}")
                if dtype not in (np.float64, np.float32, np.float16)
                else values
            )
        np.save("x.npy", values)
        run("floats", "--input", "x=x.npy", *(["-D", f"T={name}"] if name.startswith("f8") else []))
        out = np.load("out.npy")
        kind = {"bf16": "V2", "f8e4m3": "V1", "f8e5m2": "V1"}.get(name)
        check(out.dtype == (np.dtype(kind) if kind else np.dtype(dtype)), f"{name}: type {out.dtype}")
        got = out.view(dtype).astype(np.float64)
        wanted = values.view(dtype).astype(np.float64) * 2
        check(np.array_equal(got, wanted, equal_nan=True), f"{name}: {got}")
        check(np.signbit(got[1]), f"{name}: the sign of -0")

np.save("x.npy", np.array([1, 2, -3], ml_dtypes.float8_e4m3fn).view("V1"))
run("eights", "--input", "x=x.npy")
check(list(np.load("out.npy").view(ml_dtypes.float8_e4m3fn).astype(float)) == [2, 4, -6], "a kernel's own f8")

np.save("x.npy", np.array([True, False, True]))
run("bools", "--input", "x=x.npy")
check(list(np.load("out.npy")) == [False, True, False], "bools")

# No dimensions.
np.save("x.npy", np.float32(1.5))
np.save("y.npy", np.int64(2**62))
expect(
    [
        "run",
        KERNELS,
        "-k",
        "point",
        "--input",
        "x=x.npy",
        "--input",
        "y=y.npy",
        "--output",
        "z=z.npy",
        "--output",
        "w=w.npy",
        *device,
    ],
    0,
    made=("z.npy", "w.npy"),
)
z, w = np.load("z.npy"), np.load("w.npy")
check(z.shape == () and z == 3 and w.shape == () and w == 2**62 + 1, f"0-d: {z} {w}")

# No elements.
np.save("x.npy", np.zeros((0, 3), np.float32))
run("copy", "--input", "x=x.npy")
check(np.load("out.npy").shape == (0, 3), "no elements")

# Versions, orders and a header that does not end at a multiple of 64 bytes.
values = np.arange(12, dtype=np.float32).reshape(3, 4)
for version in ((1, 0), (2, 0), (3, 0)):
    with open("x.npy", "wb") as file:
        np.lib.format.write_array(file, values, version)
    run("copy", "--input", "x=x.npy")
    check(np.array_equal(np.load("out.npy"), values), f"version {version}")
for what, array in {
    "fortran": np.asfortranarray(values),
    "big endian": values.astype(">f4"),
    "both": np.asfortranarray(values.astype(">f4")),
    "fortran, one row": np.asfortranarray(values[:1]),
}.items():
    np.save("x.npy", array)
    run("copy", "--input", "x=x.npy")
    check(np.array_equal(np.load("out.npy"), array), what)
header = b"{\"shape\":(3,4L),'fortran_order':False,'descr':'<f4'}"
with open("x.npy", "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + bytes([len(header), 0]) + header + values.tobytes())
run("copy", "--input", "x=x.npy")
check(np.array_equal(np.load("out.npy"), values), "an unpadded header of Python 2")

# Archives: the default key, another key, deflated; several outputs in one.
np.savez("stored.npz", x=values, other=values + 1)
np.savez_compressed("deflated.npz", x=values, other=values + 1)
for archive in ("stored.npz", "deflated.npz"):
    run("copy", "--input", f"x={archive}")
    check(np.array_equal(np.load("out.npy"), values), archive)
    run("copy", "--input", f"x={archive}:other")
    check(np.array_equal(np.load("out.npy"), values + 1), f"{archive}:other")
run("scale", "--input", "x=stored.npz", "--output", "total=all.npz:sum of x", made=("all.npz",), output="y=all.npz")
with np.load("all.npz") as archive:
    check(sorted(archive) == ["sum of x", "y"], sorted(archive))
    check(
        np.array_equal(archive["y"], 2 * values) and np.array_equal(archive["sum of x"], 2 * values.sum(1)), "archive"
    )
with zipfile.ZipFile("all.npz") as archive:  # equal arrays are equal bytes, whenever they are written
    check({entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}, "the time of an entry")

# An input is left as it was, state and in-place ones as well.
np.save("average.npy", np.full(4, 8, np.float32))
np.save("x.npy", values)
before = open("average.npy", "rb").read(), open("x.npy", "rb").read()
run(
    "tracked",
    "--input",
    "x=x.npy",
    "--input",
    "average=average.npy",
    "--scalar",
    "momentum=0.5",
    "--output",
    "average=new.npy",
    made=("out.npy", "new.npy"),
)
check(np.array_equal(np.load("new.npy"), (values.mean(0) + 8) / 2), "state")
run("copy", "--input", "x=x.npy", "--inplace", "y=x")
check(np.array_equal(np.load("out.npy"), values), "in place")
check(before == (open("average.npy", "rb").read(), open("x.npy", "rb").read()), "an input file was changed")
# Where no output names it, its update is left out, and it need not be passed.
run("tracked", "--input", "x=x.npy", "--scalar", "momentum=0.5")
expect(
    ["run", KERNELS, "-k", "tracked", "--input", "x=x.npy", "--scalar", "momentum=0.5", *device], 0, stdout="^y: .*\n$"
)

# Scalars and defaults.
for scalars, wanted in {
    (): 2 * values,
    ("shift=-1.5",): 2 * values - 1.5,
    ("shift=inf",): values + np.inf,
    ("steps=3", "flip=true"): -(2 * values + 3),
    ("steps=1e1", "flip=0"): 2 * values + 10,
}.items():
    run("scale", "--input", "x=x.npy", *[word for scalar in scalars for word in ("--scalar", scalar)])
    check(np.array_equal(np.load("out.npy"), wanted), scalars)
run("scale", "--input", "x=x.npy", "--runtime-scalar", "factor", "--scalar", "factor=-1")
check(np.array_equal(np.load("out.npy"), -values), "a parameter at run time")

finish(60)
