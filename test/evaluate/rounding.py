"""Stores: one rounding to nearest even, saturation, NaN; loads are exact."""

import itertools

import numpy as np

from evaluation import expect, finish
from harness import TYPES

inf, nan = np.inf, np.nan


def stored(element, pairs):
    """Each pair: a double, and what a store to the type leaves of it."""
    values, expected = np.array(pairs, np.float64).T
    text = f"kernel f(x: f64[n]) -> (y: {element}[n], z: f64[n]) {{\n  y = x\n  z = cast(x, {element})\n}}\n"
    expect(f"a store to {element}", text, {"x": values}, {"y": expected, "z": expected}, types={"y": element})


# Halfway cases, and values just over them that a rounding to f32 on the way would turn into halfway cases.
stored(
    "f32",
    [
        (1 + 2**-24, 1),
        (1 + 3 * 2**-24, 1 + 2**-22),
        (1 + 2**-24 + 2**-50, 1 + 2**-23),
        (1e39, inf),
        (-1e39, -inf),
        (3.4028235677973366e38, inf),
        (3.4028235e38, 3.4028234663852886e38),
        (2**-150, 0),
        (2**-150 * 1.5, 2**-149),
        (nan, nan),
        (-inf, -inf),
    ],
)
stored(
    "f16",
    [
        (1 + 2**-11, 1),
        (1 + 2**-11 + 2**-40, 1 + 2**-10),
        (65519.99, 65504),
        (65520, inf),
        (-1e6, -inf),
        (2**-25, 0),
        (2**-25 + 2**-50, 2**-24),
        (2**-14 * (1 - 2**-11), 2**-14),
        (nan, nan),
        (inf, inf),
    ],
)
stored(
    "bf16",
    [
        (1 + 2**-8, 1),
        (1 + 2**-8 + 2**-40, 1 + 2**-7),
        (1 + 3 * 2**-8, 1 + 2**-6),
        (3.39e38, 3.3895313892515355e38),
        (3.4e38, inf),
        (2**-134, 0),
        (2**-134 * 1.01, 2**-133),
        (nan, nan),
        (-inf, -inf),
    ],
)
stored(
    "f8e4m3",
    [
        (1 + 2**-4, 1),
        (1 + 2**-4 + 2**-40, 1.125),
        (448, 448),
        (1e9, 448),
        (-inf, -448),
        (464, 448),
        (2**-10, 0),
        (2**-10 * 1.01, 2**-9),
        (nan, nan),
    ],
)
stored(
    "f8e5m2",
    [
        (1 + 2**-3, 1),
        (1 + 2**-3 + 2**-40, 1.25),
        (57344, 57344),
        (65536, 57344),
        (-inf, -57344),
        (2**-17, 0),
        (2**-17 * 1.01, 2**-16),
        (nan, nan),
    ],
)
stored("i8", [(0.5, 0), (1.5, 2), (-2.5, -2), (127.5, 127), (1e9, 127), (-inf, -128), (nan, 0)])
stored("u8", [(0.5, 0), (1.5, 2), (-2.5, 0), (255.5, 255), (inf, 255), (nan, 0)])
stored("i32", [(2.0**31, 2**31 - 1), (-(2.0**40), -(2**31)), (2.5, 2), (nan, 0)])
stored("bool", [(0, 0), (-0.0, 0), (0.25, 1), (-3, 1), (nan, 1), (inf, 1)])

expect(
    "a store to i64",
    "kernel f(x: f64[n]) -> (y: i64[n]) {\n  y = x\n}\n",
    {"x": np.array([0.5, 1.5, 1e30, -1e30, nan])},
    {"y": np.array([0, 2, 2**63 - 1, -(2**63), 0], np.int64)},
)
expect(
    "integers saturate too",
    "kernel f(x: i64[n]) -> (y: i8[n], z: i32[n]) {\n  y = x\n  z = x * 3\n}\n",
    {"x": np.array([200, -200, 2**40, 7], np.int64)},
    {"y": [127, -128, 127, 7], "z": [600, -600, 2**31 - 1, 21]},
)

# Every bit pattern of the narrow types is loaded exactly and stored as it was.
for element, bits in itertools.chain(
    ((e, np.uint8) for e in ("f8e4m3", "f8e5m2")), ((e, np.uint16) for e in ("f16", "bf16"))
):
    patterns = np.arange(np.iinfo(bits).max + 1).astype(bits).view(TYPES[element])
    values = patterns.astype(np.float64)
    kept = np.where(np.isinf(values), np.sign(values) * 57344, values) if element == "f8e5m2" else values
    expect(
        f"every {element}",
        f"kernel f(x: {element}[n]) -> (y: {element}[n], z: f32[n]) {{\n  y = x + -0.0\n  z = x\n}}\n",
        {"x": patterns},
        {"y": kept, "z": values},
        types={"y": element},
    )
for element in ("i8", "u8"):
    patterns = np.arange(256).astype(np.uint8).view(TYPES[element])
    expect(
        f"every {element}",
        f"kernel f(x: {element}[n]) -> (y: {element}[n], z: f32[n]) {{\n  y = x\n  z = x / 1\n}}\n",
        {"x": patterns},
        {"y": patterns, "z": patterns.astype(np.float32)},
    )
finish()
