"""Archives that are damaged, or that lack what is asked for: status 1 and a message, whatever the damage."""

import io
import random
import struct
import sys
import zipfile

import numpy as np

from cli import KERNELS, check, expect, finish, folder, run

folder(sys.argv[1])
values = np.arange(600, dtype=np.float32).reshape(20, 30)


def archive(save, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


stored = archive(np.savez, x=values, gamma=values[0])
deflated = archive(np.savez_compressed, x=values, gamma=values[0])


def attempt(contents, key=""):
    with open("a.npz", "wb") as file:
        file.write(contents)
    return ["run", KERNELS, "-k", "copy", "--device", "evaluator", "--input", f"x=a.npz{key}", "--output", "y=out.npy"]


def changed(contents, at, by):
    return contents[:at] + by + contents[at + len(by) :]


def packed(name, data, method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr(name, data)
    return buffer.getvalue()


expect(attempt(stored, ":z"), 1, r"a.npz:z: error: the archive has no array `z`: it has x, gamma")
expect(attempt(stored, ":gama"), 1, "no array `gama`: did you mean `gamma`")
expect(attempt(archive(np.savez)), 1, "the archive has no array `x`: it is empty")
expect(attempt(b""), 1, "no array `x`: it is empty")
expect(attempt(b"PK"), 1, "damaged archive")
expect(attempt(values.tobytes()), 1, "damaged archive")
for contents in (stored, deflated):
    for size in (10, len(contents) // 2, len(contents) - 30, len(contents) - 1):
        expect(attempt(contents[:size]), 1, "damaged archive")
# A byte of the data, which the checksum finds.
expect(attempt(changed(stored, stored.index(values.tobytes()) + 50, b"\x7f")), 1, "damaged archive")
data = deflated.index(b"x.npy") + 60
expect(attempt(changed(deflated, data, bytes(8))), 1, "damaged archive")
# A size that the compressed bytes cannot have.
at = deflated.rindex(b"PK\1\2", 0, deflated.index(b"gamma.npy", deflated.index(b"PK\1\2")))
expect(attempt(changed(deflated, at + 24, struct.pack("<I", 2**31))), 1, "damaged archive")
# What is in it is no array.
expect(attempt(packed("x.npy", b"hello", zipfile.ZIP_STORED)), 1, "a.npz:x: error: not a .npy file")
expect(attempt(packed("x.npy", b"", zipfile.ZIP_STORED)), 1, "a.npz:x: error: the file is empty")
expect(attempt(packed("x", b"hello" * 100, zipfile.ZIP_DEFLATED)), 1, "a.npz:x: error: not a .npy file")
buffer = io.BytesIO()
np.save(buffer, values)
expect(attempt(packed("x.npy", buffer.getvalue()[:-1], zipfile.ZIP_DEFLATED)), 1, "truncated")
expect(attempt(packed("x.npy", buffer.getvalue(), zipfile.ZIP_BZIP2)), 1, "compressed by method 12: normc reads")
expect(attempt(packed("x.npy", bytes(2 * 10**8), zipfile.ZIP_DEFLATED)), 1, "not a .npy file")
expect(["run", KERNELS, "-k", "copy", "--input", "x=none.npz:x"], 3, "none.npz: error: cannot open the file")

# Bytes changed at random: read as it is or refused, and never anything else.
random.seed(1)
statuses = set()
for number in range(60):
    contents = bytearray(random.choice((stored, deflated)))
    for _ in range(random.randint(1, 4)):
        contents[random.randrange(len(contents))] = random.randrange(256)
    statuses.add(run(attempt(bytes(contents))).returncode)
check(statuses <= {0, 1}, f"statuses {statuses}")
check(1 in statuses, "no damage was found")

finish(25)
