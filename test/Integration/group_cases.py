"""Group normalization."""

import numpy as np

import formulas as f
from case import NORMALIZED, Case, affine, normal, positive


def group_cases():
    four = {"x": ("T", normal(3, 12, 5, 7))}
    for title, x, groups in (
        ("", four, 4),
        ("in one group", four, 1),
        ("in groups of one", four, 12),
        ("in 2-D", {"x": ("T", normal(9, 12))}, 3),
        ("in 5-D", {"x": ("T", normal(2, 12, 3, 4, 5))}, 2),
    ):
        Case(
            "group_norm",
            "group_norm",
            {**x, **affine(12)},
            f.group_norm,
            NORMALIZED,
            title,
            defines={"groups": groups},
            extra={"groups": groups},
        )
    Case(
        "group_norm",
        "group_norm",
        {**four, **affine(12)},
        lambda groups, **a: {"y": np.maximum(f.group_norm(groups=groups, **a)["y"], 0)},
        {"y": "T"},
        "with relu",
        defines={"groups": 4, "activation": "relu"},
        extra={"groups": 4},
    )
    Case(
        "group_norm",
        "group_norm",
        {"x": ("T", normal(3, 12, 5, 7, mean=1e-4)), **affine(12)},
        f.group_norm,
        NORMALIZED,
        "of one pass",
        defines={"groups": 4, "algorithm": "one_pass"},
        extra={"groups": 4},
        tolerance=2,
    )
    Case(
        "group_norm",
        "group_norm",
        {"x": ("T", normal(3, 64, 5)), **affine(64)},
        f.group_norm,
        NORMALIZED,
        "in 32 groups",
        extra={"groups": 32},
    )
    mask = lambda rng: (rng.random((3, 5, 7)) < 0.6) | (np.arange(105).reshape(3, 5, 7) % 7 == 0)
    weighted = lambda x, gamma, beta, weights, groups: f.group_norm(x, groups, gamma, beta, weights[:, None])
    for letter, title, make in (("bool", "masked", mask), ("M", "weighted", positive(3, 5, 7))):
        Case(
            "group_norm",
            "group_norm",
            {**four, **affine(12), "weights": (letter, make)},
            weighted,
            NORMALIZED,
            title,
            defines={"groups": 4},
            extra={"groups": 4},
        )
    Case(
        "group_norm",
        "element_weighted_group_norm",
        {**four, **affine(12), "weights": ("M", positive(3, 12, 5, 7))},
        lambda x, gamma, beta, weights, groups: f.group_norm(x, groups, gamma, beta, weights, eps=1e-3),
        NORMALIZED,
        defines={"groups": 4},
        extra={"groups": 4},
    )
    for kept in (1, 2):
        Case(
            "group_norm",
            "partial_group_norm",
            {**four, **affine(12)},
            f.group_norm,
            NORMALIZED,
            f"that keeps {kept}",
            defines={"groups": 4},
            options=["--rank", f"p={kept}"],
            extra={"groups": 4, "kept": kept, "eps": 1e-6},
        )
    Case(
        "group_norm",
        "group_norm_over_batch",
        {**four, **affine(12)},
        f.group_norm,
        NORMALIZED,
        defines={"groups": 4},
        extra={"groups": 4, "over_batch": True, "eps": 1e-6},
    )
    Case(
        "group_norm",
        "group_norm_scale_per_group",
        {**four, **affine(4)},
        lambda x, gamma, beta: f.group_norm(x, 4, np.repeat(gamma, 3), np.repeat(beta, 3)),
        NORMALIZED,
    )
    Case(
        "group_norm",
        "walkthrough_group_norm",
        {**four, **affine(12)},
        f.group_norm,
        {"y": "T"},
        extra={"groups": 4, "root": False},
    )
    Case(
        "group_norm",
        "group_norm",
        {"x": ("T", lambda rng: rng.random((64, 16, 112, 112), np.float32))},
        f.group_norm,
        NORMALIZED,
        "of the walk-through, 64x16x112x112",
        defines={"groups": 4},
        extra={"groups": 4},
        precisions=("f32",),
        tolerance=2,
    )
