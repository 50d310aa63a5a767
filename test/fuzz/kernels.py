"""What a generated kernel is: its axes, its tensors, and how it is passed to normc."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Dimension:
    """What is written in brackets: a leaf axis, a pack, a split axis, or an unnamed one of extent 1."""

    name: str
    leaves: tuple
    shape: tuple  # in files: a pack has as many as its rank
    is_pack: bool = False

    @property
    def written(self):
        return self.name + ("..." if self.is_pack else "")


ONE = Dimension("1", (), (1,))


@dataclass
class Tensor:
    name: str
    type: str
    dims: list
    declared_type: str = ""
    order: list = None  # the dimensions in memory, where they are not as declared
    default: str = None
    state: bool = False
    array: np.ndarray = None  # of an input, over its dimensions in memory

    @property
    def memory(self):
        return self.order or self.dims

    @property
    def leaves(self):
        return tuple(leaf for dim in self.dims for leaf in dim.leaves)

    @property
    def shape(self):
        return tuple(extent for dim in self.memory for extent in dim.shape)

    def declaration(self):
        type = f"{self.declared_type or self.type}[{', '.join(dim.written for dim in self.dims)}]"
        state, default = "inout " if self.state else "", f" = {self.default}" if self.default else ""
        return f"{self.name}: {state}{type}{default}"

    def over(self, array, leaves, extents):
        """The elements, a dimension for each leaf of the kernel."""
        memory = [leaf for dim in self.memory for leaf in dim.leaves]
        array = np.reshape(array, [extents[leaf] for leaf in memory])
        ordered = [leaf for leaf in leaves if leaf in memory]
        array = np.transpose(array, [memory.index(leaf) for leaf in ordered])
        return np.reshape(array, [extents[leaf] if leaf in memory else 1 for leaf in leaves])

    def in_memory(self, array, leaves, extents):
        """The other way: broadcast to the tensor's axes, in its order and shape."""
        memory = [leaf for dim in self.memory for leaf in dim.leaves]
        kept = [leaf for leaf in leaves if leaf in memory]
        array = np.broadcast_to(array, [extents[leaf] if leaf in memory else 1 for leaf in leaves])
        array = np.reshape(array, [extents[leaf] for leaf in kept])
        return np.reshape(np.transpose(array, [kept.index(leaf) for leaf in memory]), self.shape)


@dataclass
class Scalar:
    name: str
    type: str
    number: float

    def declaration(self):
        return f"{self.name}: {self.type}"

    def written(self):
        return str(bool(self.number)).lower() if self.type == "bool" else repr(self.number)


@dataclass
class Kernel:
    parameters: list = field(default_factory=list)  # as declared
    functions: list = field(default_factory=list)
    inputs: list = field(default_factory=list)
    scalars: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    statements: list = field(default_factory=list)
    options: list = field(default_factory=list)
    target: str = "cpu"
    results: dict = field(default_factory=dict)  # of each output or state that is asked for: its Value
    extents: dict = field(default_factory=dict)
    leaves: tuple = ()
    seen: set = field(default_factory=set)  # constructs, types and options

    def text(self):
        parameters = f"<{', '.join(self.parameters)}>" if self.parameters else ""
        inputs = ",\n    ".join(item.declaration() for item in [*self.inputs, *self.scalars])
        outputs = ", ".join(item.declaration() for item in self.outputs)
        body = "".join(f"  {statement}\n" for statement in self.statements)
        functions = "".join(f"{function}\n" for function in self.functions)
        return f"{functions}kernel generated{parameters}(\n    {inputs}\n) -> ({outputs}) {{\n{body}}}\n"
