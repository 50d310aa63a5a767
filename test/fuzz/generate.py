"""Generates kernels: axes and tensors first, with their data; then expressions, whose values are known as they are
written, so that ill-conditioned ones can be turned down; then outputs, and how to run it all.
"""

import numpy as np

from expressions import CONSTRUCTS, Expressions
from harness import TYPES
from kernels import ONE, Dimension, Kernel, Scalar, Tensor
from storage import FLOATS, INTEGERS, stored
from values import Arithmetic

OPTIONS = [
    "--order", "--omit of an input", "--omit of an output", "--omit of an update", "--size", "--rank", "--inplace",
    "-D of an int", "-D of a type", "-D of a real", "-D of a bool", "-D of a fn", "-D of a method", "--runtime-scalar",
    "an import", "NaN and infinities", "a scalar", "a 0-d tensor", "an unnamed axis", "a pack", "a split",
    "a factor of inputs", "state", "no tensor inputs", "an extent of 0", "an extent of 1", "a large extent",
    "a small cache", "x86-64-v3", "1 thread", "2 threads", "3 threads", "7 threads",
    "an output over no axes", "an output with more axes than its value",
]  # fmt: skip
FEATURES = [*CONSTRUCTS, *(f"load {t}" for t in TYPES), *(f"store {t}" for t in TYPES), *OPTIONS]
EXTENTS = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 37, 64, 65, 100, 130, 255, 256, 257, 600, 5000]


class Maker(Expressions):
    def __init__(self, seed, number):
        self.rng = np.random.default_rng([seed, number])
        self.focus = [FEATURES[(number * step + shift) % len(FEATURES)] for step, shift in ((1, 0), (3, 7), (7, 19))]
        self.kernel = Kernel()
        self.names = 0
        self.bound = {}  # parameters by kind
        self.pool = []
        self.wanted = []  # values that outputs are to have
        self.whole = {}  # split axis → its factors, outer first
        self.dimensions = []

    def chance(self, probability, feature=None):
        return feature in self.focus or self.rng.random() < probability

    def pick(self, items):
        return items[int(self.rng.integers(len(items)))]

    def some(self, items, least=0):
        """A random subset, in order."""
        count = int(self.rng.integers(least, len(items) + 1)) if len(items) >= least else 0
        chosen = set(self.rng.permutation(len(items))[:count].tolist())
        return [item for i, item in enumerate(items) if i in chosen]

    def saw(self, feature):
        self.kernel.seen.add(feature)

    def make(self):
        self.make_axes()
        self.make_inputs()
        self.make_values()
        self.make_outputs()
        self.make_options()
        return self.kernel

    # Axes

    def make_axes(self):
        self.bare = self.chance(0.02, "no tensor inputs")
        if self.bare:
            self.saw("no tensor inputs")
        budget = self.pick([64, 1000, 5000, 20000, 20000])
        large = self.chance(0.02, "a large extent")
        names = iter("n c h w t e".split())
        extents, points = {}, 1
        for place in range(0 if self.bare else int(self.rng.integers(1, 6))):
            name = next(names)
            fits = [e for e in EXTENTS if e * points <= budget] or [1]
            extent = self.pick(fits)
            if large and place == 0:
                extent, self.large = int(self.rng.integers(132000, 200000)), True
                self.saw("a large extent")
            elif self.chance(0.02, "an extent of 0") and place < 2:
                extent = 0
                self.saw("an extent of 0")
            if extent == 1:
                self.saw("an extent of 1")
            if self.chance(0.2, "a pack") and "s" not in extents:
                shape = self.factors(extent, int(self.rng.integers(1, 4))) if extent != 1 or self.chance(0.5) else ()
                extents["s"] = extent
                self.dimensions.append(Dimension("s", ("s",), shape, True))
                self.saw("a pack")
            elif self.chance(0.25, "a split") and extent > 0 and len(self.whole) < 2:
                outer, inner = (f"{name}{part}" for part in "gk")
                extents[outer], extents[inner] = self.factors(extent, 2)
                self.whole[name] = (outer, inner)
                self.dimensions.append(Dimension(name, (outer, inner), (extent,)))
                self.saw("a split")
            else:
                extents[name] = extent
                self.dimensions.append(Dimension(name, (name,), (extent,)))
            points = max(1, points * max(1, extent))
        self.kernel.extents, self.kernel.leaves = extents, tuple(extents)

    def factors(self, extent, count):
        shape = []
        for _ in range(count - 1):
            divisors = [d for d in range(1, min(extent, 700) + 1) if extent % d == 0] or [1]
            shape.append(self.pick(divisors))
            extent //= shape[-1]
        return (*shape, extent)

    def dims_over(self, leaves, factors=False):
        """Dimensions that stand for leaves, in a random order."""
        dims = []
        for dim in self.dimensions:
            have = [leaf for leaf in dim.leaves if leaf in leaves]
            if tuple(have) == dim.leaves and not (factors and len(have) == 2 and self.rng.random() < 0.5):
                dims.append(dim)
            else:
                dims += [Dimension(leaf, (leaf,), (self.kernel.extents[leaf],)) for leaf in have]
        return [dims[i] for i in self.rng.permutation(len(dims))]

    # Inputs

    def make_inputs(self):
        kernel = self.kernel
        self.special = self.chance(0.05, "NaN and infinities")
        count = 0 if self.bare else int(self.rng.integers(1, 6))
        wanted = [f.split()[1] for f in self.focus if f.startswith("load ")]
        for number in range(count):
            leaves = self.leaves_of_input(number)
            name = "xyzuvpq"[number]
            type = wanted.pop() if wanted else self.pick(["f32"] * 6 + ["f16", "bf16"] * 2 + list(TYPES))
            if type == "f64" and "load f64" not in self.focus and self.rng.random() < 0.7:
                type = "f32"
            dims = self.dims_over(leaves)
            if self.chance(0.05, "an unnamed axis") and dims:
                dims.insert(int(self.rng.integers(len(dims) + 1)), ONE)
                self.saw("an unnamed axis")
            tensor = Tensor(name, type, dims)
            if number > 0 and self.chance(0.1, "a 0-d tensor"):
                tensor.dims = []
                self.saw("a 0-d tensor")
            elif number > 0 and type in FLOATS and self.chance(0.12, "state"):
                tensor.state = True
                self.saw("state")
            elif number > 0 and self.chance(0.15, "--omit of an input"):
                tensor.default = self.pick(["0", "1", "0.5"] if type in FLOATS else ["0", "1"])
                if type == "bool":
                    tensor.default = self.pick(["true", "false"])
            self.reorder(tensor)
            kernel.inputs.append(tensor)
        self.declare_wholes()
        self.declare_type()
        self.declare_splits()
        self.make_scalars()
        floating = [item.type for item in [*kernel.inputs, *kernel.scalars]]
        self.double = "f64" in floating
        self.a = Arithmetic(kernel.leaves, kernel.extents, 2.0 ** (-53 if self.double else -24))
        for tensor in kernel.inputs:
            self.fill(tensor)
        for scalar in kernel.scalars:
            kind = "bool" if scalar.type == "bool" else "int" if scalar.type in INTEGERS else "real"
            self.pool.append(self.a.constant(scalar.name, scalar.number, kind))
            self.pool[-1].error = np.zeros_like(self.pool[-1].error)
            kernel.options += ["--scalar", f"{scalar.name}={scalar.written()}"]
        self.require_extents()
        self.inputs = list(self.pool)

    def leaves_of_input(self, number):
        leaves = list(self.kernel.leaves)
        if number == 0 and self.rng.random() < 0.85:
            return leaves
        if self.rng.random() < 0.3:
            return leaves
        if self.chance(0.3, "a factor of inputs"):
            return self.some(leaves, 1)
        dims = self.some(self.dimensions, 1)
        return [leaf for dim in dims for leaf in dim.leaves]

    def reorder(self, tensor):
        if len(tensor.dims) > 1 and self.chance(0.15, "--order"):
            tensor.order = [tensor.dims[i] for i in self.rng.permutation(len(tensor.dims))]
            self.kernel.options += ["--order", f"{tensor.name}={','.join(dim.written for dim in tensor.order)}"]
            self.saw("--order")

    def declare_type(self):
        """A type parameter for some inputs of one type."""
        self.parameter_type = None
        typed = [t for t in self.kernel.inputs if t.type in FLOATS and not t.default]
        if typed and self.chance(0.15, "-D of a type"):
            self.parameter_type = typed[0].type
            self.kernel.parameters.append("T = f32")
            for tensor in typed:
                if tensor.type == self.parameter_type:
                    tensor.declared_type = "T"
            if self.chance(0.5, "-D of a type") or self.parameter_type.startswith("f8"):
                self.kernel.options += ["-D", f"T={self.parameter_type}"]
                self.saw("-D of a type")

    def declare_wholes(self):
        """Every axis is one of an input."""
        written = {dim.name for tensor in self.kernel.inputs if not tensor.default for dim in tensor.dims}
        for dim in [dim for dim in self.dimensions if dim.name not in written]:
            self.kernel.inputs.append(Tensor(f"along_{dim.name}", "f32", [dim]))

    def declare_splits(self):
        declared = {leaf for t in self.kernel.inputs for dim in t.dims for leaf in [dim.name]}
        for whole, (outer, inner) in self.whole.items():
            split = f"split {whole} = {outer} * {inner}"
            given = [part for part in (outer, inner) if part in declared]
            if given:
                self.saw("a factor of inputs")
            if given and self.rng.random() < 0.6:
                self.kernel.statements.append(split)
                continue
            part = self.pick(given or [outer, inner])
            size = str(self.kernel.extents[part])
            if self.chance(0.3, "-D of an int"):
                name = f"count_{part}"
                self.kernel.parameters.append(f"{name} = {self.pick([1, 2])}")
                self.kernel.options += ["-D", f"{name}={size}"]
                self.saw("-D of an int")
                size = name
            self.kernel.statements.append(f"{split} where {part} = {size}")

    def make_scalars(self):
        if self.chance(0.2, "a scalar") or self.bare:
            type = self.pick(["f32", "f32", "f16", "i64", "i32", "bool"])
            number = float(self.pick([0.25, 0.5, -1.5])) if type in FLOATS else int(self.rng.integers(0, 2))
            self.kernel.scalars.append(Scalar("scale", type, number))
            self.saw("a scalar")

    def fill(self, tensor):
        """Data, and the value that reads it."""
        kernel, a = self.kernel, self.a
        shape, type = tensor.shape, tensor.type
        kind = "bool" if type == "bool" else "int" if type in INTEGERS else "real"
        if tensor.default and self.can_do_without(tensor) and self.chance(0.6, "--omit of an input"):
            self.saw("--omit of an input")
            number = {"true": True, "false": False}.get(tensor.default)
            number = number if number is not None else (float if kind == "real" else int)(tensor.default)
            v = a.constant(tensor.name, number, kind)
            self.pool.append(a.make(tensor.name, kind, tensor.leaves, v.value, 0 * v.error))
            return
        self.saw(f"load {type}")
        if kind == "bool":
            array = self.rng.random(shape) < 0.5
        elif kind == "int":
            array = self.rng.integers(0 if type == "u8" else -9, 10, shape)
        else:
            array = self.rng.normal(self.pick([0, 0, 1, 3]), self.pick([0.5, 1, 2]), shape)
            if self.rng.random() < 0.1:
                array = np.round(array)  # ties
            if self.special and array.size:
                array = np.array(array)
                array.flat[self.rng.integers(array.size)] = self.pick([np.nan, np.inf, -np.inf])
                self.saw("NaN and infinities")
        tensor.array = np.asarray(array).astype(TYPES[type])
        value = tensor.array.astype({"bool": bool, "int": np.int64, "real": np.float64}[kind])
        value = tensor.over(value, kernel.leaves, kernel.extents)
        self.pool.append(a.make(tensor.name, kind, tensor.leaves, value, np.zeros(value.shape)))

    def can_do_without(self, tensor):
        others = [t for t in self.kernel.inputs if t is not tensor and not t.default]
        return tensor.type != "f64" and all(any(d in t.dims for t in others) for d in tensor.dims)

    def require_extents(self):
        """--size and --rank where what is passed does not tell."""
        passed = [t for t in self.kernel.inputs if t.array is not None]
        written = {dim.name for t in passed for dim in t.dims}
        packs = [dim for dim in self.dimensions if dim.is_pack]
        sizes = []
        for dim in self.dimensions:
            if dim.name not in written or self.chance(0.08, "--size"):
                sizes.append(f"{dim.name}={int(np.prod(dim.shape))}")
                self.saw("--size")
        if sizes:
            self.kernel.options += ["--size", ",".join(sizes)]
        if packs and self.chance(0.2, "--rank"):
            self.kernel.options += ["--rank", ",".join(f"{dim.name}={len(dim.shape)}" for dim in packs)]
            self.saw("--rank")

    # Values

    def make_values(self):
        for construct in self.focus:
            if construct in CONSTRUCTS:
                for _ in range(20):
                    if self.construct(construct):
                        self.wanted.append(self.pool[-1])
                        break
        steps = int(self.rng.integers(3, 14))
        for _ in range(steps * 3):
            if steps and self.construct(self.pick(list(CONSTRUCTS))):
                steps -= 1
        if self.rng.random() < 0.6:
            self.construct("normalize")
        if self.rng.random() < 0.3:
            self.construct("columns")

    # Outputs

    def make_outputs(self):
        kernel = self.kernel
        wanted = [f.split()[1] for f in self.focus if f.startswith("store ")]
        made = self.pool[len(self.inputs) :] or self.pool
        count = int(self.rng.integers(1, 5))
        dropped = set()
        for number in range(max(count, len(self.wanted))):
            v = (
                self.wanted[number]
                if number < len(self.wanted)
                else made[-1 - min(len(made) - 1, int(self.rng.exponential(len(made) / 3)))]
            )
            if self.chance(0.1, "an output over no axes") and number == 1:
                v = self.over_no_axes(v)
                self.saw("an output over no axes")
            axes = set(v.axes)
            if self.chance(0.1, "an output with more axes than its value"):
                more = [leaf for leaf in kernel.leaves if leaf not in axes]
                if more and self.a.count(axes) * kernel.extents[more[0]] <= 300000:
                    axes.add(self.pick(more))
                    self.saw("an output with more axes than its value")
            type = wanted.pop() if wanted else self.pick(["f32"] * 8 + ["f16", "bf16"] + list(TYPES))
            if type == "f16" and np.any(np.isfinite(v.value) & (np.abs(v.value) > 6e4)):
                type = "f32"
            name = f"out{number}"
            tensor = Tensor(name, type, self.dims_over(axes, factors=True))
            if type == self.parameter_type:
                tensor.declared_type = "T"
            if len(tensor.dims) and self.chance(0.03, "an unnamed axis"):
                tensor.dims.insert(int(self.rng.integers(len(tensor.dims) + 1)), ONE)
            if number and self.chance(0.15, "--omit of an output"):
                dropped.add(name)
                self.saw("--omit of an output")
            else:
                self.reorder(tensor)
                kernel.results[name] = (tensor, v)
                self.saw(f"store {type}")
            kernel.outputs.append(tensor)
            kernel.statements.append(f"{name} = {v.text}")
        self.update_states(made)
        self.share_memory()

    def over_no_axes(self, v):
        if not v.axes:
            return v
        v = self.a.reduce(f"mean({v.text} over {self.written_over(v.axes)})", "mean", v, v.axes)
        self.saw("mean")
        return v

    def update_states(self, made):
        for tensor in self.kernel.inputs:
            if not tensor.state:
                continue
            fits = [v for v in made if v.axes <= set(tensor.leaves)]
            old = next(v for v in self.inputs if v.text == tensor.name)
            v = (
                self.pick(fits)
                if fits
                else self.a.multiply(f"{tensor.name} * 0.5", old, self.a.constant("0.5", 0.5, "real"))
            )
            if self.rng.random() < 0.5:
                quarter = self.a.constant("0.25", 0.25, "real")
                apart = self.a.add("", v, old, -1)
                v = self.a.add(f"lerp({tensor.name}, {v.text}, 0.25)", old, self.a.multiply("", apart, quarter))
                self.saw("lerp")
            self.kernel.statements.append(f"{tensor.name} = {v.text}")
            if self.chance(0.2, "--omit of an update"):
                self.saw("--omit of an update")
            else:
                self.kernel.results[tensor.name] = (tensor, v)
                self.saw(f"store {tensor.type}")

    def share_memory(self):
        for name, (result, _) in self.kernel.results.items():
            for tensor in self.kernel.inputs:
                alike = result.type == tensor.type and result.memory == tensor.memory and result.dims == tensor.dims
                if alike and tensor.array is not None and not tensor.state and not result.state and tensor.dims:
                    if self.chance(0.5, "--inplace"):
                        self.kernel.options += ["--inplace", f"{name}={tensor.name}"]
                        self.saw("--inplace")
                        return

    def make_options(self):
        if self.chance(0.3, "x86-64-v3"):
            self.kernel.target = "x86-64-v3"
            self.saw("x86-64-v3")
        if self.chance(0.4, "a small cache"):
            self.kernel.target += f"/resident={self.pick([1, 64, 1024])}"
            self.saw("a small cache")

    def expected(self, tensor, v):
        """What a result's file holds, and how far from it the compiled kernel's may be."""
        kernel = self.kernel
        value, error = stored(tensor.type, v.value, v.error)
        return (tensor.in_memory(array, kernel.leaves, kernel.extents) for array in (value, error))
