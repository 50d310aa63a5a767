"""What the evaluator's tests share: a spec given as text, run on the evaluator, its outputs compared exactly."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Integration"))

from harness import Failure, check, compare, finish, run, scratch  # noqa: E402

__all__ = ["evaluate", "expect", "finish", "refused"]


def write(text):
    path = os.path.join(scratch(), "kernel.norm")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def evaluate(text, inputs, outputs, **named):
    return run(write(text), inputs, outputs, device="evaluator", **named)


def expect(title, text, inputs, expected, rtol=0, **named):
    """The outputs are these: equal where `rtol` is 0, NaN where NaN is expected."""

    def compared():
        results = evaluate(text, inputs, list(expected), **named)
        for name, value in expected.items():
            compare(name, results[name], np.asarray(value), rtol, 0)

    check(title, compared)


def refused(title, text, inputs, patterns, **named):
    """Running it is refused, with a message that holds every one of the texts."""

    def tried():
        try:
            evaluate(text, inputs, ["y"], **named)
        except Failure as failure:
            missing = [pattern for pattern in patterns if pattern not in str(failure)]
            if missing or "status 1" not in str(failure):
                raise Failure(f"does not say {missing}: {failure}") from None
            return
        raise Failure("it ran")

    check(title, tried)
