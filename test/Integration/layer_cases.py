"""Layer, RMS and instance normalization."""

import numpy as np

import formulas as f
from case import NORMALIZED, Case, affine, normal, positive
from harness import TYPES


def layer_cases():
    x = {"x": ("T", normal(5, 3, 37))}
    Case("layer_norm", "layer_norm", {**x, **affine(37)}, f.layer_norm, NORMALIZED)
    Case(
        "layer_norm",
        "layer_norm",
        {"x": ("T", normal(4, 3, 5, 7)), **affine(5, 7)},
        f.layer_norm,
        NORMALIZED,
        "over two axes",
        extra={"features": 2},
    )
    Case("layer_norm", "layer_norm", x, f.layer_norm, {"y": "T"}, "without parameters", options=["--rank", "f=1"])
    Case("layer_norm", "layer_norm", {"x": ("T", normal(41)), **affine(41)}, f.layer_norm, NORMALIZED, "of one row")
    Case(
        "layer_norm",
        "layer_norm",
        {**x, **affine(37)},
        lambda **a: {"y": f.ACTIVATIONS["silu"](f.layer_norm(**a)["y"])},
        {"y": "T"},
        "with silu",
        defines={"activation": "silu"},
    )
    Case("rms_norm", "rms_norm", {**x, "gamma": ("W", normal(37))}, f.rms_norm, {"y": "T", "rstd": "S"})
    Case(
        "rms_norm",
        "rms_norm",
        {**x, "gamma": ("W", normal(37, mean=0))},
        lambda x, gamma: f.rms_norm(x, 1 + gamma),
        {"y": "T"},
        "with gamma less one",
        defines={"gamma_less_one": "true"},
    )

    def rounded(x, gamma):
        return {"y": f.rms_norm(x)["y"].astype(np.float32).astype(TYPES["bf16"]).astype(np.float64) * gamma}

    Case(
        "rms_norm",
        "rms_norm",
        {**x, "gamma": ("W", normal(37))},
        rounded,
        {"y": "T"},
        "rounded first",
        defines={"round_first": "true"},
        precisions=("bf16 data",),
        tolerance=2,
    )
    Case("instance_norm", "instance_norm", {"x": ("T", normal(3, 5, 4, 7)), **affine(5)}, f.instance_norm, NORMALIZED)
    Case(
        "instance_norm",
        "instance_norm_tracked",
        {
            "x": ("T", normal(3, 5, 4, 7)),
            **affine(5),
            "running_mean": ("S", normal(5)),
            "running_variance": ("S", positive(5)),
        },
        f.instance_norm_tracked,
        {"y": "T", "running_mean": "S", "running_variance": "S"},
        scalars={"momentum": 0.75},
    )
