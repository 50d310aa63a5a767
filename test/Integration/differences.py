"""Derivatives by finite differences, in double: the oracle of derived kernels."""

import re

import numpy as np

from harness import Failure, normc

# f(-2h), f(-h), f(h), f(2h) of the five-point stencil, over 12 h.
STENCIL = ((-2, 1.0), (-1, -8.0), (1, 8.0), (2, -1.0))
# A kink or a pole within reach of one step is not within reach of the next.
STEPS = (2.0**-9, 2.0**-15, 2.0**-20)


class Signature:
    """A line of `normc check`: parameters, inputs and outputs in their order, by name."""

    def __init__(self, line):
        self.name, parameters, inputs, outputs = re.fullmatch(r"(\w+)(?:<(.*?)>)?\((.*)\) -> \((.*)\)", line).groups()
        self.parameters = dict(
            re.findall(r"(\w+)(?:: (?:type|int|real|bool|method|fn))?(?: = ([^,]+))?", parameters or "")
        )
        item = r"(\w+): (inout )?(\w+)(\[[^\]]*\])?(?: = ([^,]+))?"
        self.inputs = {m[0]: m for m in re.findall(item, inputs)}
        self.outputs = {m[0]: m for m in re.findall(item, outputs)}

    def is_state(self, name):
        return bool(self.inputs[name][1])

    def element(self, name, defines):
        """The element type that a declaration shows, after `defines` and the parameters' defaults."""
        written = (self.inputs.get(name) or self.outputs[name])[2]
        return defines.get(written, self.parameters.get(written, written))


def signatures(path):
    done = normc("check", path)
    if done.returncode != 0:
        raise Failure(done.stderr)
    return {signature.name: signature for signature in map(Signature, done.stdout.splitlines())}


def derivative_along(forward, inputs, directions, cotangents, step):
    """d/dh of Σ cotangent · output where every input moves by h · its direction, and how far it may be from that by
    rounding. `forward` takes arrays and gives arrays; what it gives where the cotangent is 0 does not count."""
    total, magnitude = 0.0, 0.0
    for at, weight in STENCIL:
        moved = {k: v + at * step * directions[k] if k in directions else v for k, v in inputs.items()}
        outputs = forward(moved)
        for name, ct in cotangents.items():
            parts = np.where(ct == 0, 0.0, ct * outputs[name])
            total += weight * np.sum(parts)
            magnitude += np.sum(np.abs(parts))
    return total / (12 * step), magnitude * 2.0**-51 / step


def check_along(gradients, forward, inputs, directions, cotangents):
    """None where the derivative that gradients say is that by differences; else what is wrong."""
    result, magnitude = along(gradients, directions)
    for step in STEPS:
        expected, noise = derivative_along(forward, inputs, directions, cotangents, step)
        if abs(result - expected) <= 1e-8 * magnitude + noise + 1e-10:
            return None
    return f"{result:.12g}, by differences {expected:.12g}"


def along(gradients, directions):
    """The derivative along the directions that gradients say, and the sum of magnitudes."""
    parts = [np.where(directions[k] == 0, 0.0, gradients["d" + k] * directions[k]) for k in directions]
    return sum(float(np.sum(p)) for p in parts), sum(float(np.sum(np.abs(p))) for p in parts)
