"""Random kernels whose results hardly depend on rounding, so that two ways of computing them can be compared.

Values stay of the order of 1, no difference of nearly equal values is divided by, and whatever decides (a condition, a
floor, a conversion inside) is made of values that are exact. `Case.features` says what a case has of the language.
"""

import numpy as np

from harness import TYPES

FLOATS = ("f64", "f32", "f16", "bf16", "f8e4m3", "f8e5m2")
INTEGERS = ("i8", "u8", "i32", "i64", "bool")
UNARY = {
    "abs": "abs({0})", "sqrt": "sqrt(abs({0}) + 0.1)", "rsqrt": "rsqrt(abs({0}) + 0.1)", "exp": "exp(clamp({0}, -3, 1))",
    "log": "log(abs({0}) + 0.5)", "tanh": "tanh({0})", "erf": "erf({0})", "sigmoid": "sigmoid({0})",
    "pow": "pow(abs({0}) + 0.1, 0.75)", "negate": "-({0})", "stop_gradient": "stop_gradient({0})", "fn": "swish({0})",
    "parameter fn": "act({0})", "clamp": "clamp({0}, -eps, 2)", "identity": "identity({0})",
}
BINARY = {
    "+": "({0} + {1})", "-": "({0} - {1})", "*": "({0} * tanh({1}))", "/": "({0} / ({1} * {1} + 0.5))",
    "min": "min({0}, {1})", "max": "max({0}, {1})", "lerp": "lerp({0}, {1}, 0.25)",
}
EXTENTS = (1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 129)


class Value:
    """An expression, the axes it ranges over, its kind (real, integer, bool), and whether every machine gives its bits."""

    def __init__(self, text, axes, kind="real", exact=False):
        self.text, self.axes, self.kind, self.exact = text, frozenset(axes), kind, exact


class Case:
    """One kernel, what it is called with, and how."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.features = set()
        self.inputs, self.scalars, self.defines, self.options = {}, {}, {}, []
        self.statements, self.results = [], {}
        self.hasMoments = False
        self.large = self.chance(0.06)
        self.makeAxes()
        self.declarations = self.makeInputs()
        for _ in range(int(self.random.integers(3, 9))):
            self.addStatement()
        self.addState()
        self.makeOutputs()
        self.makeOptions()

    def chance(self, p):
        return bool(self.random.random() < p)

    def pick(self, things):
        things = list(things)
        return things[int(self.random.integers(len(things)))]

    def some(self, things, least=1):
        things = list(things)
        count = int(self.random.integers(least, len(things) + 1))
        return [things[i] for i in sorted(self.random.permutation(len(things))[:count])]

    def has(self, feature):
        self.features.add(feature)

    # Axes: names of leaves; a pack is one, `c` stands for its parts g and k where it is split.

    def makeAxes(self):
        self.sizes, self.packs = {}, {}
        names = ["n", "c", "h", "s"][: int(self.random.integers(1, 5))]
        most = 400_000 if self.large else 20_000
        for name in names:
            room = max(1, most // max(1, int(np.prod(list(self.sizes.values())))))
            extent = self.pick([e for e in EXTENTS if e <= room])
            if self.large and name == names[-1]:
                extent = int(min(room, 300_000))
            if self.chance(0.02):
                extent = 0
                self.has("extent 0")
            self.sizes[name] = extent
        self.has(f"{len(names)} axes")
        if "s" in names and self.chance(0.7):
            rank = int(self.random.integers(0, 4))
            shape = [self.pick((1, 2, 3, 5)) for _ in range(rank)]
            others = int(np.prod([self.sizes[name] for name in names if name != "s"] + shape[:-1]))
            if self.large and rank:
                shape[-1] = max(1, 200_000 // max(1, others))
            self.packs["s"] = shape
            self.sizes["s"] = int(np.prod(shape))
            self.has("pack")
        self.declared = list(names)
        self.parts = {}
        self.leaves = list(names)
        if "c" in names and self.chance(0.45):
            factors = [g for g in range(1, 9) if self.sizes["c"] % g == 0]
            g = self.pick(factors)
            outer = self.chance(0.5)
            self.sizes["g"] = g if outer else self.sizes["c"] // g
            self.sizes["k"] = self.sizes["c"] // g if outer else g
            how = self.pick(("literal", "parameter"))
            self.defines["groups"] = g
            self.statements.append(f"split c = g * k where {'g' if outer else 'k'} = {g if how == 'literal' else 'groups'}")
            self.parts["c"] = ["g", "k"]
            self.leaves[self.leaves.index("c") : self.leaves.index("c") + 1] = ["g", "k"]
            self.has(f"split by a {how}")

    def spelled(self, axis):
        return axis + "..." if axis in self.packs else axis

    def over(self, axes):
        names = list(axes)
        if {"g", "k"} <= set(names) and self.chance(0.5):
            names = ["c" if a == "g" else a for a in names if a != "k"]
        self.random.shuffle(names)
        return ", ".join(self.spelled(a) for a in names)

    def leavesOf(self, names):
        return [leaf for name in names for leaf in self.parts.get(name, [name])]

    def shapeOf(self, names):
        return [extent for name in names for extent in self.packs.get(name, [self.sizes.get(name, 1)])]

    # Inputs

    def data(self, element, shape):
        if element == "bool":
            return self.random.random(shape) < 0.5
        if element in INTEGERS:
            return self.random.integers(0 if element == "u8" else -4, 5, shape).astype(TYPES[element])
        values = self.random.standard_normal(shape)
        if self.special and values.size and self.chance(0.5):
            flat = values.reshape(-1)
            flat[self.random.integers(values.size)] = self.pick((np.nan, np.inf, -np.inf))
        return np.asarray(values, np.float64).astype(TYPES[element])

    def makeInputs(self):
        self.special = self.chance(0.08)
        if self.special:
            self.has("NaN and infinities")
        texts, self.values, self.dims = [], [], {}
        self.parameter = self.pick(("f32", "f32", "f64", "f64", "f16", "bf16", "f8e4m3", "f8e5m2"))
        self.has(f"T = {self.parameter}")
        for i, name in enumerate(["x", "a", "b", "m"][: int(self.random.integers(1, 5))]):
            dims = list(self.declared) if i == 0 else self.some(self.declared, least=0)
            if i and self.chance(0.3):
                self.random.shuffle(dims)
            if i and self.chance(0.1):
                dims.insert(int(self.random.integers(len(dims) + 1)), "1")
                self.has("unnamed axis")
            element = "T" if i == 0 or self.chance(0.3) else self.pick(FLOATS + INTEGERS)
            default = f" = {self.pick(('0', '1'))}" if i and self.chance(0.4) else ""
            texts.append(f"{name}: {element}[{', '.join(self.spelled(d) for d in dims)}]{default}")
            self.dims[name] = dims
            stored = self.parameter if element == "T" else element
            self.has(f"input {stored}")
            if default and self.chance(0.4):
                self.has("omitted input")
            else:
                self.inputs[name] = self.data(stored, self.shapeOf(dims))
            kind = "bool" if stored == "bool" else "integer" if stored in INTEGERS else "real"
            axes = self.leavesOf(d for d in dims if d != "1")
            self.values.append(Value(name, axes, kind, exact=True))
        if self.chance(0.4):
            texts.append("p: f32")
            self.scalars["p"] = round(float(self.random.uniform(-1, 1)), 3)
            self.values.append(Value("p", (), exact=True))
            self.has("scalar")
        if self.chance(0.2):
            self.state = self.some(self.declared, least=0)
            texts.append(f"r: inout f32[{', '.join(self.spelled(d) for d in self.state)}]")
            self.inputs["r"] = self.data("f32", self.shapeOf(self.state))
            self.dims["r"] = self.state
            self.values.append(Value("r", self.leavesOf(self.state)))
            self.has("state")
        else:
            self.state = None
        return texts

    # Statements

    def operand(self):
        choice = self.random.random()
        if choice < 0.08:
            return Value(self.pick(("0.5", "-1.25", "2", "eps")), (), exact=True)
        named = [axis for axis in self.leaves if axis not in self.packs]
        if choice < 0.14 and named:
            axis = self.pick(named + [name for name in self.parts])
            self.has("index")
            return Value(f"index({axis}) / (size({axis}) + 1)", self.leavesOf([axis]), exact=False)
        if choice < 0.18:
            axes = self.some(self.leaves)
            self.has("count")
            return Value(f"(1 / max(count(over {self.over(axes)}), 1))", ())
        return self.pick(self.values if self.chance(0.5) else self.values[-2:])

    def condition(self):
        exact = [v for v in self.values if v.exact]
        value = self.pick(exact)
        forms = {
            "comparison": f"{value.text} {self.pick(('<', '<=', '>', '>=', '==', '!='))} {self.pick(('0', '0.25', '1'))}",
            "number as a condition": f"{value.text}",
            "not": f"not ({value.text} > 0.5)",
            "and or": f"({value.text} > -0.5 and {value.text} < 1 or {value.text} == 2)",
        }
        form = self.pick(forms)
        axes = value.axes
        text = forms[form]
        named = [axis for axis in self.leaves if axis not in self.packs]
        if named and self.chance(0.2):
            axis = self.pick(named)
            form, text, axes = "integers", f"index({axis}) * 2 < size({axis}) + {self.pick((-1, 0, 3))}", {axis}
        elif self.chance(0.08):
            form, text, axes = "compile-time bool", "flag", set()
        self.has(form)
        return Value(text, axes, "bool", exact=True)

    def addStatement(self):
        choice = self.random.random()
        name = f"v{len(self.statements)}"
        a = self.operand()
        if choice < 0.25:
            op = self.pick(UNARY)
            self.define(name, UNARY[op].format(a.text), a.axes, op)
        elif choice < 0.45:
            op, b = self.pick(BINARY), self.operand()
            self.define(name, BINARY[op].format(a.text, b.text), a.axes | b.axes, op)
        elif choice < 0.53:
            b, c = self.operand(), self.condition()
            self.define(name, f"where({c.text}, {a.text}, {b.text})", a.axes | b.axes | c.axes, "where")
        elif choice < 0.58:
            exact = self.pick([v for v in self.values if v.exact])
            op = self.pick(("floor", "round", "cast"))
            into = self.pick(("bf16", "f16", "f8e4m3", "i8"))
            text = f"cast({exact.text}, {into})" if op == "cast" else f"{op}({exact.text} * 4) / 4"
            self.define(name, text, exact.axes, op)
        elif choice < 0.63:
            axes = [axis for axis in a.axes if axis not in self.packs and self.sizes[axis] > 0]
            if not axes:
                return
            axis = self.pick(sorted(axes))
            position = self.pick(("0", f"size({axis}) - 1", f"min(2, size({axis}) - 1)"))
            self.define(name, f"at({a.text}, {axis} = {position})", a.axes - {axis}, "at")
        elif choice < 0.68:
            condition = self.condition()
            if condition.axes:
                axes = self.some(sorted(condition.axes))
                kind = self.pick(("any", "all"))
                text = f"where({kind}({condition.text} over {self.over(axes)}), {a.text}, 0.5)"
                self.define(name, text, (condition.axes - set(axes)) | a.axes, kind)
        elif choice < 0.82:
            self.addReduction(name, a)
        else:
            self.addMoments(name, a)

    def define(self, name, text, axes, feature):
        self.statements.append(f"let {name} = {text}")
        self.values.append(Value(name, axes))
        self.has(feature)

    def reduced(self, value):
        """Axes to reduce: all of them often, since that is what one meets."""
        return sorted(value.axes) if self.chance(0.3) else self.some(sorted(value.axes))

    def addReduction(self, name, a):
        if not a.axes:
            return
        axes = self.reduced(a)
        kind = self.pick(("sum", "mean", "max", "min"))
        over = self.over(axes)
        text = f"{kind}({a.text} over {over})"
        if kind == "sum":
            text += f" / max(count(over {over}), 1)"
        elif kind != "mean" or any(self.sizes[axis] == 0 for axis in axes):
            text = f"clamp({text}, -9, 9)"
        self.define(name, text, a.axes - set(axes), kind)

    def addMoments(self, name, a):
        if not a.axes or self.special:
            return
        axes = self.reduced(a)
        method = self.pick(("auto", "two_pass", "one_pass", "welford"))
        arguments = f"{a.text} over {self.over(axes)}"
        if self.chance(0.35):
            weight = self.operand()
            if weight.axes <= a.axes:
                arguments += f", weights = abs({weight.text}) + 0.1"
                self.has("weights")
        if method != "auto" or self.chance(0.5):
            arguments += f", method = {method}"
        self.statements.append(f"let {name}, {name}v = moments({arguments})")
        rest = a.axes - set(axes)
        self.values += [Value(name, rest), Value(f"(({a.text} - {name}) * rsqrt({name}v + 0.1))", a.axes)]
        self.has(method)
        self.hasMoments = True

    def addState(self):
        if self.state is None:
            return
        fits = [v for v in self.values if v.axes <= set(self.leavesOf(self.state)) and v.text != "r"]
        if fits:
            self.statements.append(f"r = lerp(r, {self.pick(fits).text}, 0.25)")

    # Outputs and options

    def makeOutputs(self):
        self.outputs = []
        computed = [v for v in self.values if not v.exact and v.text != "r"] or self.values
        for name in ("y", "z", "w")[: int(self.random.integers(1, 4))]:
            value = self.pick(computed[-3:])
            axes = set(value.axes)
            if self.chance(0.3):
                axes |= set(self.some(self.leaves))
                self.has("output broadcast")
            dims = [leaf for leaf in self.leaves if leaf in axes]
            if {"g", "k"} <= axes and self.chance(0.7):
                dims = ["c" if d == "g" else d for d in dims if d != "k"]
            if self.chance(0.3) and len(dims) > 1:
                self.random.shuffle(dims)
                self.has("output in another order")
            element = "T" if self.chance(0.4) else self.pick(FLOATS + INTEGERS)
            stored = self.parameter if element == "T" else element
            text = value.text
            if stored == "bool":
                condition = self.condition()
                text = condition.text if condition.axes <= axes else "flag"
            elif stored in INTEGERS:
                text = f"clamp({text}, -5, 5) * 20"
            self.has(f"output {stored}")
            self.dims[name] = dims
            self.results[name] = stored
            self.outputs.append(f"{name}: {element}[{', '.join(self.spelled(d) for d in dims)}]")
            self.statements.append(f"{name} = {text}")

    def permuted(self, name):
        dims = list(self.dims[name])
        order = [int(i) for i in self.random.permutation(len(dims))]
        self.options += ["--order", f"{name}=" + ",".join(self.spelled(dims[i]) for i in order)]
        if name in self.inputs:
            groups, at = [], 0
            for dim in dims:
                rank = len(self.packs.get(dim, [0]))
                groups.append(list(range(at, at + rank)))
                at += rank
            axes = [axis for i in order for axis in groups[i]]
            self.inputs[name] = np.ascontiguousarray(np.transpose(self.inputs[name], axes)) if axes else self.inputs[name]

    def makeOptions(self):
        self.asked = self.some(self.results)
        if len(self.asked) < len(self.results):
            self.has("output not asked for")
        if self.state is not None and any(s.startswith("r =") for s in self.statements) and self.chance(0.7):
            self.asked.append("r")
            self.results["r"] = "f32"
            self.has("update")
        for name in ["x", *self.asked]:
            if name != "r" and len(self.dims[name]) > 1 and self.chance(0.25):
                self.permuted(name)
                self.has("order of an input" if name == "x" else "order of an output")
        for axis in self.declared:
            if self.chance(0.08):
                self.options += ["--size", f"{axis}={self.sizes[axis]}"]
                self.has("size")
        for pack, shape in self.packs.items():
            if self.chance(0.3):
                self.options += ["--rank", f"{pack}={len(shape)}"]
        if self.chance(0.3):
            self.defines["eps"] = 0.75
        if self.chance(0.3):
            self.defines["act"] = self.pick(("silu", "gelu", "relu", "swish"))
            self.has("-D of a fn")
        if self.chance(0.3):
            self.defines["flag"] = "false"
        self.defines["T"] = self.parameter

    @property
    def text(self):
        body = "\n".join(f"  {statement}" for statement in self.statements)
        return (
            "fn swish(v) = v * sigmoid(v)\n\n"
            "kernel f<T = f32, groups = 1, eps = 0.5, flag = true, act = identity>(\n    "
            + ",\n    ".join(self.declarations)
            + f"\n) -> ({', '.join(self.outputs)}) {{\n{body}\n}}\n"
        )
