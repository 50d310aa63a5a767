"""Residual, quantized, per head, adaptive and padded variants."""

import numpy as np

import formulas as f
from case import NORMALIZED, PRECISIONS, TRAINED, Case, affine, normal, positive, state
from harness import TYPES


def round_to(x, name):
    return x.astype(np.float32).astype(TYPES[name]).astype(np.float64)


def residual_cases():
    inputs = {"x": ("T", normal(5, 3, 37)), "residual": ("T", normal(5, 3, 37, deviation=9))}
    for precision in PRECISIONS:
        kind = PRECISIONS[precision].get("T", "f32")
        stored = (lambda v: v) if kind == "f64" else lambda v, kind=kind: round_to(v, kind)

        def rms(x, residual, gamma, stored=stored):
            return {"sum": stored(x + residual), **f.rms_norm(stored(x + residual), gamma)}

        def layer(x, residual, gamma, beta, stored=stored):
            return {"sum": stored(x + residual), **f.layer_norm(stored(x + residual), gamma, beta)}

        Case(
            "residual_norm",
            "residual_rms_norm",
            {**inputs, "gamma": ("W", normal(37))},
            rms,
            {"y": "T", "sum": "T", "rstd": "S"},
            precisions=(precision,),
        )
        Case(
            "residual_norm",
            "residual_layer_norm",
            {**inputs, **affine(37)},
            layer,
            {"y": "T", "sum": "T", "mean": "S", "rstd": "S"},
            precisions=(precision,),
        )
    Case(
        "residual_norm",
        "residual_rms_norm",
        {**inputs, "gamma": ("W", normal(37))},
        lambda x, residual, gamma: {"sum": x + residual, **f.rms_norm(x + residual, gamma)},
        {"y": "T", "sum": "T"},
        "of the unrounded sum",
        defines={"round_sum": "false"},
    )
    Case(
        "residual_norm",
        "rms_norm_residual",
        {**inputs, "gamma": ("W", normal(37))},
        lambda x, residual, gamma: {"y": f.rms_norm(x, gamma)["y"] + residual},
        {"y": "T"},
        tolerance=2,
    )


def quantized(y, limit):
    scale = np.maximum(np.abs(y).max(-1), 1e-10) / limit
    v = y / scale[..., None]
    return {"q": v, "scale": scale}


def other_cases():
    x = {"x": ("T", normal(5, 3, 37))}
    for kind, limit in (("i8", 127), ("f8e4m3", 448), ("f8e5m2", 57344)):
        defines = {"Q": kind, "limit": limit}
        Case(
            "quantized_norm",
            "rms_norm_quantized",
            {**x, "gamma": ("W", normal(37))},
            lambda x, gamma, limit=limit: quantized(f.rms_norm(x, gamma)["y"], limit),
            {"q": kind, "scale": "S"},
            f"to {kind}",
            defines=defines,
        )
    Case(
        "quantized_norm",
        "layer_norm_quantized",
        {**x, **affine(37)},
        lambda **a: quantized(f.layer_norm(**a)["y"], 127),
        {"q": "i8", "scale": "S"},
    )
    Case(
        "quantized_norm",
        "residual_rms_norm_quantized",
        {**x, "residual": ("T", normal(5, 3, 37)), "gamma": ("W", normal(37))},
        lambda x, residual, gamma: {**quantized(f.rms_norm(x + residual, gamma)["y"], 127), "sum": x + residual},
        {"q": "i8", "scale": "S", "sum": "T"},
        precisions=("f32", "f64"),
    )
    Case(
        "quantized_norm",
        "layer_norm_quantized_static",
        {**x, **affine(37)},
        lambda scale, **a: {"q": np.clip(f.layer_norm(**a)["y"] / scale, -128, 127)},
        {"q": "i8"},
        scalars={"scale": 0.015625},
    )
    Case(
        "quantized_norm",
        "rms_norm_of_quantized",
        {
            "q": ("i8", lambda rng: rng.integers(-128, 128, (5, 37))),
            "scale": ("S", positive(5)),
            "gamma": ("W", normal(37)),
        },
        lambda q, scale, gamma: f.rms_norm(q * scale[:, None], gamma),
        {"y": "T"},
    )

    packed = {"x": ("T", normal(2, 7, 48))}
    Case(
        "qk_norm",
        "qk_norm",
        {**packed, "gamma": ("W", normal(16))},
        lambda x, gamma: {"y": f.rms_norm(f.heads(x, 16), gamma)["y"].reshape(x.shape)},
        {"y": "T"},
    )
    Case(
        "qk_norm",
        "qk_layer_norm",
        {**packed, **affine(16)},
        lambda x, gamma, beta: {"y": f.layer_norm(f.heads(x, 16), gamma, beta)["y"].reshape(x.shape)},
        {"y": "T"},
    )

    condition = {"scale": ("C", normal(3, 37)), "shift": ("C", normal(3, 37))}
    adaptive = lambda x, scale, shift: {"y": f.layer_norm(x, 1 + scale[:, None], shift[:, None], 1e-6)["y"]}
    Case(
        "adaptive_norm",
        "adaptive_layer_norm",
        {"x": ("T", normal(3, 5, 37)), **condition},
        adaptive,
        {"y": "T"},
        tolerance=2,
    )
    Case(
        "adaptive_norm",
        "modulated_layer_norm",
        {"x": ("T", normal(3, 5, 37)), "modulation": ("C", normal(3, 2, 37))},
        lambda x, modulation: adaptive(x, modulation[:, 1], modulation[:, 0]),
        {"y": "T"},
        tolerance=2,
    )
    condition = {"scale": ("C", normal(3, 12)), "shift": ("C", normal(3, 12))}
    wide = lambda v: v[:, :, None, None]
    Case(
        "adaptive_norm",
        "adaptive_instance_norm",
        {"x": ("T", normal(3, 12, 5, 7)), **condition},
        lambda x, scale, shift: {"y": f.instance_norm(x)["y"] * (1 + wide(scale)) + wide(shift)},
        {"y": "T"},
        tolerance=2,
    )
    Case(
        "adaptive_norm",
        "adaptive_group_norm",
        {"x": ("T", normal(3, 12, 5, 7)), **affine(12), **condition},
        lambda x, gamma, beta, scale, shift: {
            "y": f.group_norm(x, 4, gamma, beta)["y"] * (1 + wide(scale)) + wide(shift)
        },
        {"y": "T"},
        defines={"groups": 4},
        tolerance=3,
    )

    # NaN in the padding: it must not reach the statistics.
    lengths = np.array([3, 7, 1, 0])

    def padded(rng):
        v = rng.normal(0.7, 1, (4, 7, 6))
        v[np.arange(7)[None] >= lengths[:, None]] = np.nan
        return v

    batch = {"x": ("T", padded), "length": ("i32", lambda rng: lengths), **affine(6)}

    def true_positions(x):
        inside = (np.arange(7)[None] < lengths[:, None])[..., None]
        return inside, np.where(inside, x, 0)

    def padded_batch(x, length, gamma, beta, moving_mean, moving_variance, momentum):
        inside, clean = true_positions(x)
        mean, variance = (v.reshape(-1) for v in f.moments(clean, (0, 1), inside))
        rstd = 1 / np.sqrt(variance + 1e-3)
        return {
            "y": np.where(inside, (clean - mean) * rstd * gamma + beta, 0),
            "mean": mean,
            "rstd": rstd,
            "moving_mean": f.moved(moving_mean, mean, momentum),
            "moving_variance": f.moved(moving_variance, variance * 11 / 10, momentum),
        }

    Case(
        "padded_norm",
        "padded_batch_norm",
        {**batch, **state(6)},
        padded_batch,
        {**TRAINED, "mean": "S", "rstd": "S"},
        scalars={"momentum": 0.75},
        defines={"unbiased": "true"},
    )

    def padded_instance(x, length, gamma, beta, groups=6):
        inside, clean = true_positions(x)
        v = np.moveaxis(clean, 2, 1)
        out = f.group_norm(v, groups, gamma, beta, np.moveaxis(np.broadcast_to(inside, x.shape), 2, 1))
        return {**out, "y": np.where(inside, np.moveaxis(out["y"], 1, 2), 0)}

    Case("padded_norm", "padded_instance_norm", batch, padded_instance, NORMALIZED)
    Case(
        "padded_norm",
        "padded_group_norm",
        batch,
        padded_instance,
        NORMALIZED,
        defines={"groups": 2},
        extra={"groups": 2},
    )
