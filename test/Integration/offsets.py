"""The compiled kernel by itself, called through its table of phases: the bits of a row do not depend on where it lies
in memory, at any offset of whole elements within a cache line and past it."""

import ctypes
import os
import subprocess

import numpy as np

from harness import SPECS, TYPES, Failure, check, finish, normc, same_bits, scratch


class Kernel:
    """A shared library that `normc compile` wrote: phases, their numbers of blocks, the size of the workspace."""

    def __init__(self, file, name, options=()):
        path = os.path.join(scratch(), f"{name}-{len(os.listdir(scratch()))}.so")
        spec = os.path.join(SPECS, file + ".norm")
        done = normc("compile", spec, "-k", name, *options, "--target", "cpu", "--emit", "shared", "-o", path)
        if done.returncode != 0:
            raise Failure(done.stderr)
        undefined = subprocess.run(["llvm-nm", "-D", "-u", path], capture_output=True, text=True, check=True).stdout
        if undefined.strip():
            raise Failure(f"calls {undefined}")
        library = ctypes.CDLL(path)
        self.phases = []
        while hasattr(library, f"{name}_phase{len(self.phases)}"):
            number = len(self.phases)
            blocks = getattr(library, f"{name}_blocks{number}")
            blocks.restype = ctypes.c_int64
            self.phases.append((getattr(library, f"{name}_phase{number}"), blocks))
        if not self.phases:
            raise Failure("no phases")
        self.workspace = getattr(library, f"{name}_workspace_bytes")
        self.workspace.restype = ctypes.c_int64

    def __call__(self, arrays, extents):
        pointers = (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))
        sizes = (ctypes.c_int64 * len(extents))(*extents)
        # The workspace starts at a multiple of 64 bytes, and what it holds does not matter.
        memory = np.full(self.workspace(sizes) + 64, 0xFF, np.uint8)
        workspace = ctypes.c_void_p(memory.ctypes.data + -memory.ctypes.data % 64)
        for phase, blocks in self.phases:
            phase(pointers, sizes, workspace, ctypes.c_int64(0), ctypes.c_int64(blocks(sizes)))


def at_offset(array, offset):
    """A copy that begins `offset` elements past a multiple of 64 bytes, with NaN around it."""
    size, item = array.size, array.itemsize
    memory = np.full(size * item + 256, 0xFF, np.uint8)
    start = -memory.ctypes.data % 64 + offset * item
    view = memory[start : start + size * item].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def offsets(kernel, inputs, shapes, extents, dtype):
    """`inputs` and `shapes` (of outputs) in the order of the signature."""
    first = None
    for offset in range(64 // dtype.itemsize + 1):
        outputs = [at_offset(np.zeros(shape, kind), offset) for shape, kind in shapes]
        kernel([at_offset(v, offset) for v in inputs] + outputs, extents)
        if first is None:
            first = [v.copy() for v in outputs]
            if any(np.isnan(v.astype(np.float32)).any() for v in first):
                raise Failure("NaN in the results")
        for number, (one, other) in enumerate(zip(first, outputs)):
            same_bits(f"result {number} at an offset of {offset} elements", other, one)


def main():
    rng = np.random.default_rng(17)
    for name in ("f32", "f16", "bf16", "f64"):
        dtype = TYPES[name]
        kind = TYPES["f64"] if name == "f64" else TYPES["f32"]
        types = ["-D", f"T={name}"] + (["-D", "W=f64", "-D", "S=f64"] if name == "f64" else [])
        draw = lambda *shape, dtype=dtype: rng.normal(0.7, 1, shape).astype(dtype)

        for rows, features in ((3, 5), (2, 67), (2, 1030)):
            inputs = [draw(rows, features), draw(features, dtype=kind), draw(features, dtype=kind)]
            shapes = [((rows, features), dtype), ((rows,), kind), ((rows,), kind)]
            kernel = Kernel("layer_norm", "layer_norm", types)
            check(f"layer_norm of {features} in {name}", offsets, kernel, inputs, shapes, [rows, features], dtype)
        for title, shape, orders in (
            ("channels first", (2, 6, 35), []),
            ("channels last", (2, 35, 6), ["--order", "x=n,s...,c", "--order", "y=n,s...,c"]),
        ):
            inputs = [draw(*shape), draw(6, dtype=kind), draw(6, dtype=kind)]
            shapes = [(shape, dtype), ((2, 3), kind), ((2, 3), kind)]
            kernel = Kernel("group_norm", "group_norm", [*types, "-D", "groups=3", "--omit", "weights", *orders])
            # The leaves n, g, k and s: in the order of the kernel's axes, whatever the order of memory.
            check(f"group_norm, {title}, in {name}", offsets, kernel, inputs, shapes, [2, 3, 2, 35], dtype)
        inputs = [draw(4, 67), draw(4, 67), draw(67, dtype=kind), draw(4, dtype=kind), draw(4, dtype=kind)]
        shapes = [((4, 67), dtype), ((67,), kind), ((67,), kind)]
        kernel = Kernel("layer_norm_backward", "layer_norm_backward", types)
        check(f"layer_norm_backward in {name}", offsets, kernel, inputs, shapes, [4, 67], dtype)
    finish()


main()
