"""The standard kernels on golden cases: they do what their heads say of Keras, PyTorch, TF-Slim, ONNX, tensorpack."""

import json
import os

import numpy as np

from harness import DATA, SPECS, Failure, check, compare, finish, run

GOLDEN = os.path.join(DATA, "golden")
LAST = ["--order", "x=n,s...,c", "--order", "y=n,s...,c"]


def slim(**named):
    return dict(file="group_norm", names={"inputs": "x", "outputs": "y"}, defines={"eps": 1e-6}, **named)


def keras_groups(**named):
    return dict(
        file="group_norm", names={"inputs": "x", "outputs": "y", "mask": "weights"}, defines={"eps": 1e-3}, **named
    )


def torch_state(**named):
    return dict(
        file="batch_norm",
        names={
            "running_mean": "moving_mean",
            "running_var": "moving_variance",
            "save_mean": "mean",
            "save_rstd": "rstd",
        },
        **named,
    )


def tensorpack(options=()):
    return dict(
        file="ghost_batch_norm",
        kernel="tensorpack_ghost_batch_norm",
        names={"decay": "momentum", "mean_ema": "moving_mean", "variance_ema": "moving_variance"},
        options=options,
    )


# A golden case, and the standard kernel that does the same: names, -D, --scalar and options where they differ.
CASES = {
    "slim_nhwc": slim(options=LAST),
    "slim_nchw": slim(),
    "slim_nchw_axes_swapped": slim(),
    "slim_partial_w": slim(
        kernel="partial_group_norm",
        options=["--rank", "p=1", "--order", "x=n,p...,s...,c", "--order", "y=n,p...,s...,c"],
    ),
    "slim_partial_nchw_h": slim(
        kernel="partial_group_norm",
        options=["--rank", "p=1", "--order", "x=n,c,s...,p...", "--order", "y=n,c,s...,p..."],
    ),
    "slim_partial_none": slim(
        kernel="partial_group_norm",
        options=["--rank", "p=2", "--order", "x=n,p...,s...,c", "--order", "y=n,p...,s...,c"],
    ),
    "slim_over_batch": slim(kernel="group_norm_over_batch", options=LAST),
    "slim_two_d": slim(),
    "slim_five_d": slim(options=LAST),
    "slim_groups_1": slim(options=LAST),
    "slim_groups_c": slim(options=LAST),
    "slim_default_32_groups": slim(options=LAST),
    "slim_no_center": slim(options=LAST),
    "slim_no_scale_no_center": slim(options=LAST),
    "slim_mean_large": slim(options=LAST),
    "slim_mean_1e4": slim(options=LAST),
    "blog_as_written": dict(file="group_norm", kernel="walkthrough_group_norm", names={"tensor": "x"}),
    "torch_gn_2d": dict(file="group_norm"),
    "torch_gn_3d": dict(file="group_norm"),
    "torch_gn_4d": dict(file="group_norm"),
    "torch_gn_5d": dict(file="group_norm"),
    "torch_gn_f16": dict(file="group_norm"),
    "torch_gn_bf16": dict(file="group_norm"),
    "onnx_group": dict(file="group_norm"),
    "gn_nhwc_mean_1e4": slim(options=LAST),
    "gn_nchw_to_nhwc": dict(file="group_norm", options=["--order", "y=n,s...,c"], defines={"groups": 3}),
    "keras_gn_no_mask": keras_groups(options=LAST),
    "keras_gn_two_d": keras_groups(),
    "keras_gn_mask_positions": keras_groups(options=LAST),
    "keras_gn_mask_fractional": keras_groups(options=LAST),
    "keras_gn_mask_channels_first": keras_groups(),
    "keras_gn_mask_of_time": keras_groups(options=LAST),
    "keras_gn_mask_hides_large_values": keras_groups(options=LAST),
    "keras_gn_mask_full_shape": keras_groups(
        kernel="element_weighted_group_norm", options=[*LAST, "--order", "weights=n,s...,c"]
    ),
    "torch_ln_one_axis": dict(file="layer_norm"),
    "torch_ln_two_axes": dict(file="layer_norm"),
    "torch_ln_f16": dict(file="layer_norm"),
    "torch_ln_bf16": dict(file="layer_norm"),
    "ln_mean_1e4": dict(file="layer_norm"),
    "f16_sum_of_squares_overflows": dict(file="layer_norm"),
    "onnx_layer_axis2": dict(file="layer_norm"),
    "torch_rms": dict(file="rms_norm"),
    "onnx_rms": dict(file="rms_norm"),
    "torch_instance": dict(file="instance_norm"),
    "onnx_instance": dict(file="instance_norm"),
    "prenorm_residual": dict(
        file="residual_norm",
        kernel="residual_rms_norm",
        names={"h": "sum"},
        defines={"gamma_less_one": "true", "round_sum": "false"},
    ),
    "residual_cast_bf16": dict(file="residual_norm", kernel="residual_rms_norm", names={"h": "sum"}),
    "qk_norm": dict(file="qk_norm", kernel="qk_norm"),
    "adaptive_layer_norm": dict(file="adaptive_norm", kernel="modulated_layer_norm"),
    "keras_bn_train": dict(file="batch_norm", options=LAST),
    "keras_bn_train_fused": dict(file="batch_norm", options=LAST, defines={"unbiased": "true"}),
    "keras_bn_train_axis1": dict(file="batch_norm"),
    "keras_bn_train_2d": dict(file="batch_norm"),
    "keras_bn_train_f16": dict(file="batch_norm"),
    "keras_bn_no_affine": dict(file="batch_norm", options=LAST),
    "keras_bn_inference": dict(file="batch_norm", kernel="batch_norm_inference", options=LAST),
    "keras_bn_axes_123": dict(file="batch_norm", kernel="batch_norm_per_position"),
    "keras_bn_axes_13": dict(file="batch_norm", kernel="batch_norm_two_axes"),
    "keras_adjustment": dict(file="batch_norm", kernel="adjusted_batch_norm", options=LAST),
    "keras_empty_batch": dict(file="batch_norm", options=LAST),
    "torch_bn_train_2d": torch_state(defines={"eps": 1e-5, "unbiased": "true"}, scalars={"momentum": 0.9}),
    "torch_bn_train_4d": torch_state(defines={"eps": 1e-5, "unbiased": "true"}, scalars={"momentum": 0.9}),
    "bn_mean_1e4": torch_state(defines={"eps": 1e-5, "unbiased": "true"}, scalars={"momentum": 0.9}),
    "onnx_bn_train": dict(
        file="batch_norm",
        names={"X": "x", "Y": "y", "scale": "gamma", "B": "beta", "mean": "moving_mean", "var": "moving_variance"},
        defines={"eps": 1e-5},
        scalars={"momentum": 0.9},
    ),
    "keras_ghost": dict(file="ghost_batch_norm", options=LAST),
    "keras_ghost_3of12": dict(file="ghost_batch_norm"),
    "tensorpack_ghost_nhwc": tensorpack(LAST),
    "tensorpack_ghost_nchw": tensorpack(),
    "tensorpack_ghost_nc": tensorpack(),
    "keras_renorm": dict(file="batch_renorm"),
    "keras_renorm_clipped": dict(file="batch_renorm", options=LAST),
    "keras_renorm_rmax_only": dict(file="batch_renorm"),
    "keras_ghost_renorm": dict(file="batch_renorm", kernel="ghost_batch_renorm", options=LAST),
    "tensorpack_renorm": dict(file="batch_renorm", options=LAST, defines={"eps": 1e-5}, scalars={"rmin": 0.5}),
    "grad_ln": dict(file="layer_norm_backward", kernel="layer_norm_backward"),
    "grad_ln_two_axes": dict(file="layer_norm_backward", kernel="layer_norm_backward"),
    "grad_ln_bf16": dict(file="layer_norm_backward", kernel="layer_norm_backward"),
    "grad_gn": dict(file="group_norm_backward", kernel="group_norm_backward", unbound={"groups"}),
    "grad_bn_train": dict(
        file="batch_norm_backward", kernel="batch_norm_backward", names={"save_mean": "mean", "save_rstd": "rstd"}
    ),
    "grad_keras_bn_inference": dict(
        file="batch_norm_backward",
        kernel="batch_norm_inference_backward",
        options=["--order", "x=n,s...,c", "--order", "dy=n,s...,c", "--order", "dx=n,s...,c"],
    ),
}


def one(case, ours):
    path = os.path.join(GOLDEN, case["file"])
    arrays = np.load(path)
    names = ours.get("names", {})
    renamed = lambda name: names.get(name, name)
    unbound = ours.get("unbound", set()) | {"T"}
    defines = {"eps" if name == "epsilon" else name: v for name, v in case["defines"].items() if name not in unbound}
    defines.update(ours.get("defines", {}))
    scalars = {renamed(name): value for name, value in case["scalars"].items()}
    scalars.update(ours.get("scalars", {}))
    options = list(ours.get("options", ()))
    for name, rank in case.get("rank", {}).items():
        options += ["--rank", f"{name}={rank}"]
    results = run(
        os.path.join(SPECS, ours["file"] + ".norm"),
        {renamed(name): f"{path}:{key}" for name, key in case["inputs"].items()},
        [renamed(name) for name in case["outputs"]],
        kernel=ours.get("kernel"),
        defines=defines,
        scalars=scalars,
        options=options,
    )
    for name, key in case["outputs"].items():
        compare(name, results[renamed(name)], arrays[key], case["rtol"], case["atol"])


def main():
    with open(os.path.join(GOLDEN, "manifest.json"), encoding="utf-8") as text:
        cases = {case["id"]: case for case in json.load(text)}
    unknown = set(CASES) - set(cases)
    if unknown:
        raise Failure(f"not golden cases: {sorted(unknown)}")
    for name, ours in CASES.items():
        check(f"{ours.get('kernel', ours['file'])} as {name}", one, cases[name], ours)
    finish()


main()
