"""Element types as stores and loads see them, with bounds: what is stored from a value that is known up to an error."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Integration"))
from harness import TYPES  # noqa: E402

INTEGERS = ("i8", "u8", "i32", "i64")
FLOATS = ("f64", "f32", "f16", "bf16", "f8e4m3", "f8e5m2")
LARGEST = {"f8e4m3": 448.0, "f8e5m2": 57344.0}
# Bits behind the point of the significand, and the exponent of the least denormal.
FORMS = {
    "f64": (52, -1074),
    "f32": (23, -149),
    "f16": (10, -24),
    "bf16": (7, -133),
    "f8e4m3": (3, -9),
    "f8e5m2": (2, -16),
}


def ulp(name, value):
    """The distance of neighbours at a value, that above it where it is a power of two."""
    bits, least = FORMS[name]
    magnitude = np.where(np.isfinite(value) & (value != 0), np.abs(value), 1e-300)
    return np.exp2(np.maximum(np.floor(np.log2(magnitude)) + 1 - bits, least))


def bounds(name):
    info = np.iinfo(TYPES[name])
    return float(info.min), float(info.max)


def stored(name, value, error):
    """What a store to a type leaves of a value, as doubles, and how far apart two stores of it may be."""
    value = np.asarray(value)
    if name == "bool":
        near = (error > 0) & (np.abs(value) <= error)
        return (value != 0).astype(np.float64), np.where(near | np.isinf(error), 1.0, 0.0)
    if name in INTEGERS:
        if value.dtype.kind in "ib":
            info = np.iinfo(TYPES[name])
            return np.clip(value.astype(np.int64), info.min, info.max).astype(np.float64), np.zeros(value.shape)
        number = np.nan_to_num(value, nan=0.0, posinf=np.inf, neginf=-np.inf)
        whole = np.clip(np.rint(number), *bounds(name))
        away = np.abs(number - np.floor(number) - 0.5)
        return whole, np.where((error > 0) & (away <= error) & np.isfinite(number), np.floor(error) + 1, 0.0)
    number = value.astype(np.float64)
    if name in LARGEST:
        number = np.clip(number, -LARGEST[name], LARGEST[name])
    rounded = number.astype(TYPES[name]).astype(np.float64)
    return rounded, np.where(error > 0, error + ulp(name, np.abs(number) + error), 0.0)
