"""Batch normalization: plain, ghost, renormalized."""

import numpy as np

import formulas as f
from case import TRAINED, Case, affine, normal, positive, state


def batch_cases():
    x = {"x": ("T", normal(4, 5, 3, 7))}
    momentum = {"momentum": 0.75}
    full = {**TRAINED, "mean": "S", "rstd": "S"}
    Case("batch_norm", "batch_norm", {**x, **affine(5), **state(5)}, f.batch_norm, full, scalars=momentum)
    Case(
        "batch_norm",
        "batch_norm",
        {**x, **affine(5), **state(5)},
        f.batch_norm,
        full,
        "unbiased",
        scalars=momentum,
        defines={"unbiased": "true"},
        extra={"unbiased": True},
    )
    Case(
        "batch_norm",
        "batch_norm",
        {"x": ("T", normal(9, 5)), **affine(5), **state(5)},
        f.batch_norm,
        full,
        "in 2-D",
        scalars=momentum,
    )
    Case(
        "batch_norm",
        "batch_norm",
        {"x": ("T", normal(1, 5)), **affine(5), **state(5)},
        f.batch_norm,
        full,
        "of one value a channel",
        scalars=momentum,
        defines={"unbiased": "true"},
        extra={"unbiased": True},
        tolerance=2,
    )
    Case(
        "batch_norm",
        "batch_norm",
        {**x, **affine(5)},
        lambda **a: f.batch_norm(moving_mean=np.zeros(5), moving_variance=np.ones(5), momentum=1, **a),
        {"y": "T", "mean": "S"},
        "without its update",
        options=["--omit", "moving_mean,moving_variance"],
    )

    def unchanged(x, moving_mean, moving_variance, momentum):
        return {"y": x, "moving_mean": moving_mean, "moving_variance": moving_variance}

    Case(
        "batch_norm",
        "batch_norm",
        {"x": ("T", normal(0, 5, 3)), **state(5)},
        unchanged,
        TRAINED,
        "of an empty batch",
        scalars=momentum,
    )
    Case("batch_norm", "batch_norm_inference", {**x, **affine(5), **state(5)}, f.batch_norm_inference, {"y": "T"})
    Case(
        "batch_norm",
        "batch_norm_per_position",
        {"x": ("T", normal(6, 2, 3, 5)), **affine(2, 3, 5), **state(2, 3, 5)},
        f.batch_norm_over((0,)),
        TRAINED,
        scalars=momentum,
        tolerance=2,
    )
    Case(
        "batch_norm",
        "batch_norm_two_axes",
        {"x": ("T", normal(6, 2, 3, 5)), **affine(2, 5), **state(2, 5)},
        f.batch_norm_over((0, 2)),
        TRAINED,
        scalars=momentum,
    )
    adjust = {"adjust_scale": ("W", positive(5)), "adjust_bias": ("W", normal(5))}
    Case(
        "batch_norm",
        "adjusted_batch_norm",
        {**x, **affine(5), **adjust, **state(5)},
        f.adjusted_batch_norm,
        TRAINED,
        scalars=momentum,
        tolerance=2,
    )
    for unbiased in (False, True):
        Case(
            "sync_batch_norm",
            "sync_batch_norm",
            {**x, **affine(5), **state(5)},
            f.batch_norm,
            full,
            "of one replica" + ", unbiased" * unbiased,
            scalars=momentum,
            defines={"unbiased": str(unbiased).lower()},
            extra={"unbiased": unbiased},
        )
    # Each sample has a mean of its own, so that it matters who shares a ghost batch.
    drifting = (
        lambda *shape: lambda rng: rng.normal(1, 1, shape)
        + np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)) / 4
    )
    for shape, size in (((6, 5, 3, 7), 2), ((12, 5), 3)):
        inputs = {"x": ("T", drifting(*shape)), **affine(5), **state(5)}
        Case(
            "ghost_batch_norm",
            "ghost_batch_norm",
            inputs,
            f.ghost_batch_norm,
            TRAINED,
            f"of {len(shape)}-D",
            scalars=momentum,
            defines={"virtual_batch_size": size},
            extra={"size": size},
        )
        Case(
            "ghost_batch_norm",
            "tensorpack_ghost_batch_norm",
            inputs,
            f.ghost_batch_norm,
            TRAINED,
            f"of {len(shape)}-D",
            scalars=momentum,
            defines={"virtual_batch_size": size},
            extra={"size": size, "keras": False, "eps": 1e-5},
        )
    renorm = {
        **state(5),
        "moving_stddev": ("S", positive(5)),
        "renorm_mean": ("S", normal(5)),
        "renorm_stddev": ("S", positive(5)),
    }
    renormed = {**TRAINED, **dict.fromkeys(("moving_stddev", "renorm_mean", "renorm_stddev"), "S")}
    scalars = {"momentum": 0.75, "renorm_momentum": 0.875}
    for title, clip in (("clipped", {"rmin": 0.5, "rmax": 1.5, "dmax": 0.25}), ("not clipped", {})):
        free = {"rmin": 0, "rmax": np.inf, "dmax": np.inf}
        given = {k: v for k, v in free.items() if k not in clip}
        for kernel, more, extra in (
            ("batch_renorm", {}, {}),
            ("ghost_batch_renorm", {"virtual_batch_size": 3}, {"size": 3}),
        ):
            Case(
                "batch_renorm",
                kernel,
                {"x": ("T", drifting(6, 5, 3, 4)), **affine(5), **renorm},
                f.batch_renorm,
                renormed,
                title,
                scalars={**scalars, **clip},
                defines=more,
                extra={**extra, **given},
                tolerance=2,
            )
