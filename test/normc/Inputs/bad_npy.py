"""Files that are no .npy, or lie about what they hold: each is status 1, with a message that says why."""

import struct
import sys

import numpy as np

from cli import KERNELS, check, expect, finish, folder

folder(sys.argv[1])


def npy(header, data=b"", version=(1, 0), length=None, magic=b"\x93NUMPY"):
    if isinstance(header, dict):
        header = repr(header)
    text = header.encode("latin1") + b"\n"
    size = len(text) if length is None else length
    return magic + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", size) + text + data


def head(descr="<f4", order=False, shape=(2, 3), **more):
    return {"descr": descr, "fortran_order": order, "shape": shape, **more}


good = np.arange(6, dtype=np.float32).reshape(2, 3)
data = good.tobytes()

CASES = [
    ("nothing", b"", "the file is empty"),
    ("text", b"hello, world\n", "not a .npy file"),
    ("three bytes", b"\x93NU", "not a .npy file"),
    ("only the magic", b"\x93NUMPY", "truncated"),
    ("no length", b"\x93NUMPY\x01\x00", "truncated"),
    ("half a length", b"\x93NUMPY\x02\x00\x10\x00", "truncated"),
    ("version 0", npy(head(), data, (0, 0)), "version 0.0"),
    ("version 4", npy(head(), data, (4, 0)), "version 4.0"),
    ("version 1.1", npy(head(), data, (1, 1)), "version 1.1"),
    ("long header", npy(head(), data, length=60000), "truncated: the header says it is 60000 bytes"),
    ("huge header", npy(head(), data, (2, 0), length=0xFFFFFFFF), "truncated: the header says it is 4294967295 bytes"),
    ("short header", npy(head(), data, length=20), "malformed header"),
    ("no header", npy("", data), "malformed header: expected `{`"),
    ("a list", npy("[1, 2]", data), "expected `{`"),
    ("no descr", npy("{'fortran_order': False, 'shape': (2, 3)}", data), "no `descr`"),
    ("no order", npy("{'descr': '<f4', 'shape': (2, 3)}", data), "no `fortran_order`"),
    ("no shape", npy("{'descr': '<f4', 'fortran_order': False}", data), "no `shape`"),
    (
        "two shapes",
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'shape': (2, 3)}", data),
        "`shape` stands twice",
    ),
    ("another key", npy(head(extra=1), data), "unknown key `extra`"),
    ("no quotes", npy("{descr: '<f4'}", data), "expected a key in quotes"),
    ("open quote", npy("{'descr: <f4}", data), "expected a key in quotes"),
    ("no colon", npy("{'descr' '<f4'}", data), "expected `:`"),
    ("no comma", npy("{'descr': '<f4' 'shape': (2, 3)}", data), "expected `}`"),
    ("not closed", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)", data), "found its end"),
    ("more behind", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} + 1", data), "text after"),
    ("code", npy("{'descr': __import__('os')}", data), "`descr` is not a string"),
    ("order 1", npy("{'descr': '<f4', 'fortran_order': 1, 'shape': (2, 3)}", data), "neither True nor False"),
    ("shape of text", npy(head(shape="2x3"), data), "`shape` is not a tuple"),
    ("shape without comma", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6)}", data), "not a tuple"),
    ("shape of floats", npy(head(shape=(2.0, 3.0)), data), "expected `,` or `\\)`"),
    ("shape of names", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (n, k)}", data), "not an integer"),
    ("negative extent", npy(head(shape=(-2, 3)), data), "extent -2 in `shape` is negative"),
    ("two negative extents", npy(head(shape=(-2, -3)), data), "negative"),
    ("extent of 2^64", npy(head(shape=(2**64, 3)), data), "does not fit in 64 bits"),
    ("product over 2^64", npy(head(shape=(2**40, 2**40)), data), "larger than any memory"),
    ("product of exactly 2^64", npy(head(shape=(2**32, 2**32)), data), "larger than any memory"),
    ("bytes over 2^62", npy(head(shape=(2**31, 2**31)), data), "larger than any memory"),
    ("no elements, huge", npy(head(shape=(0, 2**62, 2**62)), b""), "larger than any memory"),
    ("65 dimensions", npy(head(shape=(1,) * 65), b"1234"), "more than 64 dimensions"),
    ("an element too few", npy(head(), data[:-4]), "truncated: .*needs 24 bytes of data, and the file has 20"),
    ("a byte too few", npy(head(), data[:-1]), "truncated"),
    ("no data", npy(head()), "truncated"),
    ("a terabyte claimed", npy(head(shape=(2**20, 2**18)), data), "truncated: .*needs 1099511627776"),
    ("a byte too many", npy(head(), data + b"\0"), "trailing bytes"),
    ("twice the data", npy(head(), data + data), "trailing bytes"),
    ("objects", npy(head(descr="|O"), data), "are Python objects"),
    ("pickled", npy(head(descr="O"), b"\x80\x04."), "are Python objects"),
    ("structured", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", data), "structured"),
    ("unicode", npy(head(descr="<U1"), data), "are text"),
    ("bytes", npy(head(descr="|S4"), data), "are text"),
    ("complex", npy(head(descr="<c8", shape=(3,)), data), "are complex"),
    ("dates", npy(head(descr="<M8[s]", shape=(3,)), data), "are dates"),
    ("long doubles", npy(head(descr="<f16", shape=(1,)), data), "does not have"),
    ("i16", npy(head(descr="<i2", shape=(12,)), data), "does not have"),
    ("u32", npy(head(descr="<u4"), data), "does not have"),
    ("u64", npy(head(descr="<u8", shape=(3,)), data), "does not have"),
    ("V4", npy(head(descr="|V4"), data), "raw bytes"),
    ("no such type", npy(head(descr="<q9"), data), "no element type"),
    ("no type", npy(head(descr=""), data), "no element type"),
    ("no byte order", npy(head(descr="|f4"), data), "has no byte order"),
    (
        "bf16 as f32",
        npy(head(descr="|V2"), data[:12]),
        "its elements are bf16: input x is f32\\[n, k\\], and no type is converted",
    ),
    ("f64 as f32", npy(head(descr="<f8"), data + data), "its elements are f64: input x is f32"),
    ("i32 as f32", npy(head(descr="<i4"), data), "its elements are i32: input x is f32"),
    ("f8 as f32", npy(head(descr="|V1"), data[:6]), "input x is f32"),
    ("one dimension", npy(head(shape=(6,)), data), "its shape is 6: input x is f32\\[n, k\\], of 2 dimensions"),
    ("three dimensions", npy(head(shape=(1, 2, 3)), data), "its shape is 1x2x3: input x is f32"),
    ("no dimensions", npy(head(shape=()), data[:4]), "its shape is 0-d: input x is f32"),
    ("a control character", npy("{'\x01\x02': 3}", data), r"unknown key `\?\?`"),
]

for name, contents, message in CASES:
    path = name.replace(" ", "-").replace("^", "") + ".npy"
    with open(path, "wb") as file:
        file.write(contents)
    done = expect(["run", KERNELS, "-k", "copy", "--input", f"x={path}", "--output", "y=out.npy"], 1, message)
    check(path + ": error:" in done.stderr, f"{name}: the culprit is not named")

# Two files that disagree: both are named, and nothing is written.
np.save("x.npy", good)
np.save("gamma.npy", np.ones(4, np.float32))
expect(
    ["run", KERNELS, "--input", "x=x.npy", "--input", "gamma=gamma.npy", "--output", "y=out.npy"],
    1,
    r"kernels.norm:\d+:\d+: error: axis k is 3 in x, but 4 in gamma\n.*gamma: .*\n +\^\n",
)
np.save("odd.npy", np.ones((2, 5), np.float32))
expect(["run", KERNELS, "-k", "grouped", "--input", "x=odd.npy", "--output", "y=out.npy"], 1, "5.*2|2.*5")

# The bytes of a bool are 0 or 1.
with open("bools.npy", "wb") as file:
    file.write(npy(head(descr="|b1", shape=(3,)), b"\0\2\1"))
expect(["run", KERNELS, "-k", "bools", "--input", "x=bools.npy", "--output", "y=out.npy"], 1, "element 1 .*byte 2")

# An f8 file does not say which f8 it is.
with open("eights.npy", "wb") as file:
    file.write(npy(head(descr="|V1", shape=(3,)), b"\x38\x40\x44"))
expect(["run", KERNELS, "-k", "floats", "--input", "x=eights.npy", "--output", "y=out.npy"], 1, "-D T=f8e4m3")

finish(2 * len(CASES) + 4)
