"""The expressions of generated kernels. Each construct takes values of the pool and adds its own, or gives up where it
does not fit: where nothing of the kind is there, or where the result would be ill-conditioned."""

import numpy as np

from storage import FLOATS, INTEGERS, stored

ULPS = {"tanh": 10, "erf": 10}
LIMIT = 400000  # elements of a value


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def erf(x):
    import math

    return np.vectorize(math.erf, otypes=[float])(x)


class Expressions:
    """Needs: rng, pick, some, chance, saw; pool, inputs; a (Arithmetic); kernel, whole, names."""

    def construct(self, name):
        before = len(self.kernel.statements)
        v = CONSTRUCTS[name](self)
        if v is None:
            del self.kernel.statements[before:]
            return False
        self.saw(name)
        for each in v if isinstance(v, tuple) else (v,):
            self.pool.append(each)
        return True

    # What is taken

    def take(self, kind="real", axes=True):
        """A value of the pool, rather a late one; with axes where asked for."""
        fits = [v for v in self.pool if (kind is None or v.kind == kind) and (not axes or v.axes)]
        if not fits:
            return None
        return fits[-1 - min(len(fits) - 1, int(self.rng.exponential(1 + len(fits) / 3)))]

    def number(self):
        """A real literal without rounding."""
        number = float(self.pick([0.25, 0.5, 0.75, 1.5, 2.0, 3.0, -0.5, -1.25]))
        return self.a.make(f"({number})", "real", (), np.full((1,) * len(self.kernel.leaves), number), np.float64(0))

    def operand(self):
        return self.number() if self.rng.random() < 0.2 else self.take(None if self.rng.random() < 0.2 else "real")

    # What is made

    def good(self, v):
        if v.value.size and self.a.count(v.axes) > LIMIT:
            return False
        if v.kind == "bool":
            return not np.any(np.isinf(v.error)) or np.mean(np.isinf(v.error)) < 0.01
        finite = np.isfinite(v.value)
        magnitude = np.where(finite, np.abs(v.value), 0.0)
        if np.any(magnitude > (1e9 if v.kind == "int" else 2e4)):
            return False
        return bool(np.all(v.error <= 1e-3 * np.maximum(1.0, magnitude)))

    def named(self, v):
        if v is None or not self.good(v):
            return None
        if len(v.text) > 60 or self.rng.random() < 0.7:
            name = f"v{self.names}"
            self.names += 1
            self.kernel.statements.append(f"let {name} = {v.text}")
            v.text = name
        else:
            v.text = f"({v.text})"
        return v

    def guarded(self, v, f, text):
        """Keeps an argument where a function behaves: |v| + 0.5, min(v, 3) and the like."""
        v = f(v)
        v.text = text.format(v.text)
        return v

    def positive(self, v):
        half = self.a.constant("0.5", 0.5, "real")
        text = f"(abs({v.text}) + 0.5)"
        return self.a.add(text, self.a.absolute("", self.a.real(v)), half)

    # Axes

    def written_over(self, leaves):
        """A list of axes after `over`: a split axis by its name or by its parts."""
        names, left = [], [leaf for leaf in self.kernel.leaves if leaf in leaves]
        for whole, parts in self.whole.items():
            if all(part in left for part in parts) and self.rng.random() < 0.7:
                left = [leaf for leaf in left if leaf not in parts]
                names.append(whole)
        names += [leaf + ("..." if self.is_pack(leaf) else "") for leaf in left]
        return ", ".join(names[i] for i in self.rng.permutation(len(names)))

    def is_pack(self, leaf):
        return any(dim.is_pack and leaf in dim.leaves for dim in self.dimensions)

    def some_axes(self, v):
        leaves = [leaf for leaf in self.kernel.leaves if leaf in v.axes]
        return frozenset(self.some(leaves, 1))

    def axis(self, packs=False):
        """An axis by name, with its leaves."""
        names = [(leaf, (leaf,)) for leaf in self.kernel.leaves if packs or not self.is_pack(leaf)]
        names += [(whole, parts) for whole, parts in self.whole.items()]
        return self.pick(names) if names else None

    # Constructs

    def binary(self, operator):
        x, y = self.operand(), self.operand()
        if x is None or y is None or (x.kind == y.kind == "bool"):
            return None
        text = f"{x.text} {operator} {y.text}"
        if operator == "/":
            y = self.positive(y)
            return self.named(self.a.divide(f"{x.text} / {y.text}", x, y))
        if operator == "*":
            return self.named(self.a.multiply(text, x, y))
        return self.named(self.a.add(text, x, y, -1 if operator == "-" else 1))

    def negate(self):
        v = self.take()
        return v and self.named(self.a.negate(f"-{v.text}", v))

    def unary(self, name, f, slope, guard=None):
        v = self.take()
        if v is None:
            return None
        v = guard(v) if guard else v
        return self.named(self.a.function(f"{name}({v.text})", v, f, slope(v), ULPS.get(name, 4)))

    def at_most(self, v, most):
        limit = self.a.constant(str(most), float(most), "real")
        return self.a.extreme(f"min({v.text}, {most})", v, limit, np.minimum)

    def absolute(self):
        v = self.take()
        return v and self.named(self.a.absolute(f"abs({v.text})", v))

    def power(self):
        v = self.take()
        if v is None:
            return None
        v, e = self.positive(v), self.pick([0.5, 1.5, -0.75, 2.0])
        slope = np.abs(e * (v.value - v.error) ** (e - 1)) + np.abs(e * (v.value + v.error) ** (e - 1))
        return self.named(self.a.function(f"pow({v.text}, {e})", v, lambda x: x**e, slope, 8))

    def to_integer(self, name):
        v = self.take()
        f, boundary = (np.floor, 0.0) if name == "floor" else (np.rint, 0.5)
        return v and self.named(self.a.to_integer(f"{name}({v.text})", v, f, boundary))

    def extreme(self, name):
        x, y = self.operand(), self.operand()
        if x is None or y is None or "bool" in (x.kind, y.kind):
            return None
        f = np.minimum if name == "min" else np.maximum
        return self.named(self.a.extreme(f"{name}({x.text}, {y.text})", x, y, f))

    def clamp(self):
        v = self.take()
        if v is None:
            return None
        low, high = (self.a.constant(t, float(t), "real") for t in ("-0.75", "1.25"))
        inner = self.a.extreme("", v, low, np.maximum)
        return self.named(self.a.extreme(f"clamp({v.text}, -0.75, 1.25)", inner, high, np.minimum))

    def lerp(self):
        x, y, t = self.operand(), self.operand(), self.number()
        if x is None or y is None or "bool" in (x.kind, y.kind):
            return None
        step = self.a.multiply("", self.a.add("", self.a.real(y), self.a.real(x), -1), t)
        return self.named(self.a.add(f"lerp({x.text}, {y.text}, {t.text})", self.a.real(x), step))

    def compare(self):
        x, y = self.operand(), self.operand()
        if x is None or y is None or "bool" in (x.kind, y.kind):
            return None
        operator, f = self.pick(
            [
                ("<", np.less),
                ("<=", np.less_equal),
                (">", np.greater),
                (">=", np.greater_equal),
                ("==", np.equal),
                ("!=", np.not_equal),
            ]
        )
        return self.named(self.a.compare(f"{x.text} {operator} {y.text}", x, y, f))

    def logic(self, name):
        x, y = self.take("bool", axes=False) or self.compare(), self.take("bool", axes=False) or self.compare()
        if x is None or y is None:
            return None
        if name == "not":
            return self.named(self.a.negation(f"not {x.text}", x))
        f, decides = (np.logical_and, False) if name == "and" else (np.logical_or, True)
        return self.named(self.a.both(f"{x.text} {name} {y.text}", x, y, f, decides))

    def condition(self):
        return self.take("bool", axes=False) or self.compare()

    def number_as_condition(self):
        c, x, y = self.take(self.pick(["real", "int"])), self.operand(), self.operand()
        if c is None or x is None or y is None or "bool" in (x.kind, y.kind):
            return None
        return self.named(self.a.where(f"where({c.text}, {x.text}, {y.text})", c, x, y))

    def where(self):
        c, x, y = self.condition(), self.operand(), self.operand()
        if c is None or x is None or y is None or "bool" in (x.kind, y.kind):
            return None
        return self.named(self.a.where(f"where({c.text}, {x.text}, {y.text})", c, x, y))

    def size(self):
        axis = self.axis(packs=True)
        if axis is None:
            return None
        return self.named(self.whole_number(f"size({axis[0]})", self.a.count(axis[1])))

    def count(self):
        leaves = frozenset(self.some(list(self.kernel.leaves), 1))
        if not leaves:
            return None
        return self.named(self.whole_number(f"count(over {self.written_over(leaves)})", self.a.count(leaves)))

    def whole_number(self, text, number):
        value = np.full((1,) * len(self.kernel.leaves), number)
        return self.a.make(text, "int", (), value, np.float64(0))

    def index(self):
        axis = self.axis()
        if axis is None:
            return None
        name, leaves = axis
        value = np.zeros((1,) * len(self.kernel.leaves), np.int64)
        for leaf in leaves:
            place, extent = self.kernel.leaves.index(leaf), self.kernel.extents[leaf]
            here = np.reshape(np.arange(extent), [extent if i == place else 1 for i in range(value.ndim)])
            value = value * extent + here
        return self.named(self.a.make(f"index({name})", "int", leaves, value, np.zeros(value.shape)))

    def integers(self):
        """Integer arithmetic, integer to the end."""
        x = self.take("int", axes=False) or self.index()
        y = self.take("int", axes=False)
        if x is None or self.rng.random() < 0.4 or y is None:
            y = self.whole_number(str(self.pick([2, 3, 7])), 0)
            y.value = np.full(y.value.shape, int(y.text))
        if x is None:
            return None
        name, f = self.pick(
            [("+", np.add), ("-", np.subtract), ("*", np.multiply), ("min", np.minimum), ("max", np.maximum)]
        )
        text = f"{name}({x.text}, {y.text})" if name in ("min", "max") else f"{x.text} {name} {y.text}"
        return self.named(self.a.integer(text, (x, y), f(x.value, y.value)))

    def at(self):
        v, axis = self.take(None), self.axis()
        if v is None or axis is None or not set(axis[1]) <= v.axes:
            return None
        name, leaves = axis
        extent = self.a.count(leaves)
        if extent == 0:
            return None
        position = int(self.rng.integers(extent))
        text = f"size({name}) - {extent - position}" if self.rng.random() < 0.3 else str(position)
        return self.named(self.a.at(f"at({v.text}, {name} = {text})", v, leaves, position))

    def cast(self):
        v = self.take()
        if v is None:
            return None
        type = self.pick(["f16", "bf16", "f8e4m3", "f8e5m2", "f32", "i8", "u8", "i32"])
        if type in FLOATS and np.any(np.isfinite(v.value) & (np.abs(v.value) > 400)):
            return None
        value, error = stored(type, v.value, v.error)
        if type in INTEGERS:
            if np.any(error):
                return None
            return self.named(self.a.make(f"cast({v.text}, {type})", "int", v.axes, value.astype(np.int64), 0 * error))
        # An ulp of a narrow type is large: what is made of it must not amplify it.
        if np.mean(error > v.error + 1e-3) > 0.2 and self.rng.random() < 0.8:
            return None
        return self.named(self.a.make(f"cast({v.text}, {type})", "real", v.axes, value, error))

    def stop_gradient(self):
        v = self.take()
        return v and self.named(self.a.make(f"stop_gradient({v.text})", v.kind, v.axes, v.value, v.error))

    def reduce(self, name):
        v = self.take(None) if name in ("sum", "mean") else self.take()
        if v is None:
            return None
        if name in ("any", "all"):
            v = self.take("bool") or v
        over = self.some_axes(v)
        if name == "sum" and v.kind == "real" and self.a.count(over) > 300:
            part = self.a.constant("0.01", 0.01, "real")
            v = self.a.multiply(f"{v.text} * 0.01", v, part)
        return self.named(self.a.reduce(f"{name}({v.text} over {self.written_over(over)})", name, v, over))

    def moments(self, method):
        v = self.take()
        if v is None or self.special:  # of what is not finite, statistics are not finite: more is not promised
            return None
        over = self.some_axes(v)
        weights = None
        if self.chance(0.3, "weights"):
            weights = self.take()
            weights = self.positive(weights) if weights is not None and weights.axes <= v.axes else None
        mean, variance = self.a.moments(v, over, weights, method)
        if not self.good(mean) or not self.good(variance):
            return None
        extra = f", weights = {weights.text}" if weights is not None else ""
        if weights is not None:
            self.saw("weights")
        if method != "auto" or self.rng.random() < 0.3:
            extra += f", method = {self.parameter('method', method) if self.chance(0.2, '-D of a method') else method}"
        mean.text, variance.text = f"m{self.names}", f"s{self.names}"
        self.names += 1
        statement = f"let {mean.text}, {variance.text} = moments({v.text} over {self.written_over(over)}{extra})"
        self.kernel.statements.append(statement)
        return mean, variance

    def weights(self):
        return self.moments(self.pick(["auto", "two_pass", "one_pass", "welford"]))

    def normalize(self):
        """What the norms do: an input minus its mean, by its deviation, and an affine map."""
        inputs = [v for v in self.inputs if v.kind == "real" and v.axes]
        if not inputs or self.special:
            return None
        x = max(inputs, key=lambda v: len(v.axes))
        over = self.some_axes(x)
        mean, variance = self.a.moments(x, over, None, "auto")
        mean.text, variance.text = f"m{self.names}", f"s{self.names}"
        self.names += 1
        eps = self.a.constant("0.125", 0.125, "real")
        deviation = self.a.add("", variance, eps)
        slope = 0.5 * np.maximum(0.1, deviation.value - deviation.error) ** -1.5
        rstd = self.a.function("", deviation, lambda d: d**-0.5, slope)
        y = self.a.multiply("", self.a.add("", x, mean, -1), rstd)
        text = f"({x.text} - {mean.text}) * rsqrt({variance.text} + 0.125)"
        others = [v for v in self.inputs if v.kind == "real" and v is not x and v.axes]
        if others and self.rng.random() < 0.7:
            gamma, beta = self.pick(others), self.pick(others)
            y = self.a.add("", self.a.multiply("", y, gamma), beta)
            text += f" * {gamma.text} + {beta.text}"
        y.text = text
        if not self.good(mean) or not self.good(variance) or not self.good(y):
            return None
        self.kernel.statements.append(
            f"let {mean.text}, {variance.text} = moments({x.text} over {self.written_over(over)})"
        )
        y = self.named(y)
        return mean, variance, y

    def columns(self):
        """Two sums of one product over different axes, as gradients of rows and of parameters are."""
        x, y = self.take(), self.take()
        if x is None or y is None or len(x.axes | y.axes) < 2:
            return None
        product = self.named(
            self.a.multiply(
                f"{x.text} * {y.text} * 0.0625", self.a.multiply("", x, y), self.a.constant("", 0.0625, "real")
            )
        )
        if product is None:
            return None
        leaves = [leaf for leaf in self.kernel.leaves if leaf in product.axes]
        rows = frozenset(self.some(leaves[:-1], 1))
        results = []
        for over in (rows, product.axes - rows):
            v = self.a.reduce(f"sum({product.text} over {self.written_over(over)})", "sum", product, over)
            results.append(self.named(v))
        return None if None in results else (product, *results)

    def fn(self):
        v = self.take()
        if v is None:
            return None
        function = "fn halved(a, b) = a * 0.5 + min(b, 1)"
        if function not in self.kernel.functions:
            self.kernel.functions.append(function)
        half, one = self.a.constant("", 0.5, "real"), self.a.constant("", 1.0, "real")
        least = self.a.extreme("", v, one, np.minimum)
        return self.named(self.a.add(f"halved({v.text}, {v.text})", self.a.multiply("", v, half), least))

    # Parameters

    def parameter(self, kind, value):
        """The name of a compile-time parameter that is bound to a value; a real one may be a scalar of the run."""
        name = f"a_{kind}_{value}".replace("-", "minus").replace(".", "_")
        self.saw(f"-D of a {kind}")
        if name not in self.bound:
            default = {"method": "auto", "real": "0.125", "bool": "false", "fn": "identity"}[kind]
            self.kernel.parameters.append(f"{name} = {default}" if kind != "method" else f"{name}: method = auto")
            self.bound[name] = value
            if kind == "real" and self.chance(0.4, "--runtime-scalar"):
                self.kernel.options += ["--runtime-scalar", name, "--scalar", f"{name}={value}"]
                self.saw("--runtime-scalar")
            else:
                self.kernel.options += ["-D", f"{name}={str(value).lower()}"]
        return name

    def real_parameter(self):
        v, number = self.take(), float(self.pick([0.75, -1.5, 3.0]))
        if v is None:
            return None
        factor = self.a.constant(self.parameter("real", number), number, "real")
        return self.named(self.a.multiply(f"{v.text} * {factor.text}", v, factor))

    def bool_parameter(self):
        """Only the branch that is taken counts, whatever the other is."""
        x, y, choice = self.take(), self.take(), bool(self.rng.integers(2))
        if x is None or y is None:
            return None
        text = f"where({self.parameter('bool', choice)}, {x.text}, {y.text})"
        v = x if choice else y
        return self.named(self.a.make(text, "real", x.axes | y.axes, v.value, v.error))

    def activation(self, name, text):
        v = self.take()
        if v is None:
            return None
        if name == "relu":
            zero = self.a.constant("", 0.0, "real")
            return self.named(self.a.extreme(f"{text}({v.text})", v, zero, np.maximum))
        gate = self.a.function("", v, sigmoid, 0.25)
        return self.named(self.a.multiply(f"{text}({v.text})", v, gate))

    def fn_parameter(self):
        name = self.pick(["relu", "silu"])
        return self.activation(name, self.parameter("fn", name))

    def imported(self):
        line = 'import "activations.norm"'
        if line not in self.kernel.functions:
            self.kernel.functions.insert(0, line)
        self.saw("an import")
        name = self.pick(["relu", "silu"])
        return self.activation(name, name)

    def identity(self):
        v = self.take()
        return v and self.named(self.a.make(f"identity({v.text})", v.kind, v.axes, v.value, v.error))


def _rsqrt_slope(v):
    return 0.5 * np.maximum(1e-3, v.value - v.error) ** -1.5


E = Expressions
CONSTRUCTS = {
    **{op: (lambda self, op=op: E.binary(self, op)) for op in ("+", "-", "*", "/")},
    "unary -": E.negate,
    "abs": E.absolute,
    "sqrt": lambda self: self.unary(
        "sqrt", np.sqrt, lambda v: 0.5 * np.maximum(1e-3, v.value - v.error) ** -0.5, self.positive
    ),
    "rsqrt": lambda self: self.unary("rsqrt", lambda x: x**-0.5, _rsqrt_slope, self.positive),
    "exp": lambda self: self.unary("exp", np.exp, lambda v: np.exp(v.value + v.error), lambda v: self.at_most(v, 3)),
    "log": lambda self: self.unary("log", np.log, lambda v: 1 / np.maximum(1e-3, v.value - v.error), self.positive),
    "tanh": lambda self: self.unary("tanh", np.tanh, lambda v: 1.0),
    "erf": lambda self: self.unary("erf", erf, lambda v: 1.13),
    "sigmoid": lambda self: self.unary("sigmoid", sigmoid, lambda v: 0.25),
    "pow": E.power,
    "floor": lambda self: self.to_integer("floor"),
    "round": lambda self: self.to_integer("round"),
    "min(a, b)": lambda self: self.extreme("min"),
    "max(a, b)": lambda self: self.extreme("max"),
    "clamp": E.clamp,
    "lerp": E.lerp,
    "comparison": E.compare,
    "and": lambda self: self.logic("and"),
    "or": lambda self: self.logic("or"),
    "not": lambda self: self.logic("not"),
    "where": E.where,
    "size": E.size,
    "count": E.count,
    "index": E.index,
    "integer arithmetic": E.integers,
    "at": E.at,
    "cast": E.cast,
    "stop_gradient": E.stop_gradient,
    **{name: (lambda self, name=name: self.reduce(name)) for name in ("sum", "mean", "max", "min", "any", "all")},
    **{
        f"moments by {method}": (lambda self, method=method: self.moments(method))
        for method in ("auto", "two_pass", "one_pass", "welford")
    },
    "weights": E.weights,
    "normalize": E.normalize,
    "columns": E.columns,
    "fn": E.fn,
    "identity": E.identity,
    "number as a condition": E.number_as_condition,
    "a real parameter": E.real_parameter,
    "a bool parameter": E.bool_parameter,
    "a fn parameter": E.fn_parameter,
    "an imported fn": E.imported,
}
