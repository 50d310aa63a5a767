"""The backward kernels that are written by hand."""

import numpy as np

import formulas as f
from case import Case, normal, positive, state


def backward_cases():
    def both(*shape):
        return {"dy": ("T", normal(*shape, mean=0)), "x": ("T", normal(*shape))}

    def saved(*shape):
        return {"mean": ("S", normal(*shape, deviation=0.1)), "rstd": ("S", positive(*shape))}

    gamma = lambda *shape: {"gamma": ("W", normal(*shape, mean=1, deviation=0.3))}
    all_three = {"dx": "T", "dgamma": "W", "dbeta": "W"}
    Case(
        "layer_norm_backward",
        "layer_norm_backward",
        {**both(5, 3, 37), **gamma(37), **saved(5, 3)},
        f.layer_norm_backward,
        all_three,
        tolerance=3,
    )
    Case(
        "layer_norm_backward",
        "layer_norm_backward",
        {**both(5, 3, 4, 7), **gamma(4, 7), **saved(5, 3)},
        f.layer_norm_backward,
        all_three,
        "over two axes",
        extra={"features": 2},
        tolerance=3,
    )
    Case(
        "layer_norm_backward",
        "layer_norm_backward",
        {**both(67, 130), **saved(67)},
        lambda **a: f.layer_norm_backward(gamma=np.ones(130), **a),
        all_three,
        "without gamma",
        tolerance=4,
    )
    for wanted in all_three:
        Case(
            "layer_norm_backward",
            "layer_norm_backward",
            {**both(5, 3, 37), **gamma(37), **saved(5, 3)},
            f.layer_norm_backward,
            {wanted: all_three[wanted]},
            f"for {wanted} alone",
            tolerance=3,
            precisions=("f32",),
        )
    Case(
        "rms_norm_backward",
        "rms_norm_backward",
        {**both(5, 3, 37), **gamma(37), "rstd": ("S", positive(5, 3))},
        f.rms_norm_backward,
        {"dx": "T", "dgamma": "W"},
        tolerance=3,
    )
    for shape in ((3, 12, 5, 7), (9, 12), (2, 12, 3, 4, 5)):
        Case(
            "group_norm_backward",
            "group_norm_backward",
            {**both(*shape), **gamma(12), **saved(shape[0], 4)},
            f.group_norm_backward,
            all_three,
            f"of {len(shape)}-D",
            tolerance=4,
        )
    for shape in ((4, 5, 3, 7), (9, 5)):
        Case(
            "batch_norm_backward",
            "batch_norm_backward",
            {**both(*shape), **gamma(5), **saved(5)},
            f.batch_norm_backward,
            all_three,
            f"of {len(shape)}-D",
            tolerance=4,
        )
        Case(
            "batch_norm_backward",
            "batch_norm_inference_backward",
            {**both(*shape), **gamma(5), **state(5)},
            f.batch_norm_inference_backward,
            all_three,
            f"of {len(shape)}-D",
            tolerance=4,
        )
