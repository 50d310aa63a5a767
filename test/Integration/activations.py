"""Activations of trained networks: LayerNorm of a sentence encoder, BatchNorm of an image classifier. And the functions
of activations.norm, over all magnitudes."""

import os

import numpy as np

import formulas as f
from harness import DATA, SPECS, check, compare, finish, run, scratch

REAL = os.path.join(DATA, "activations")


def spec(name):
    return os.path.join(SPECS, name + ".norm")


def real(name):
    return os.path.join(REAL, name + ".npy")


def exact(name):
    return np.load(real(name)).astype(np.float64)


def minilm(device):
    inputs = {name: real(f"minilm_layer3_{name}") for name in ("x", "gamma", "beta")}
    y = run(spec("layer_norm"), inputs, ["y"], defines={"eps": 1e-12}, device=device)["y"]
    compare("y", y, np.load(real("minilm_layer3_y")), 1e-5, 1e-5)
    formula = f.layer_norm(*(exact(f"minilm_layer3_{name}") for name in ("x", "gamma", "beta")), eps=1e-12)
    compare("y beside the formula", y, formula["y"], 1e-5, 1e-5)


def minilm_padded():
    inputs = {"x": real("minilm_layer3_x"), "length": np.load(real("minilm_tokens")).astype(np.int32)}
    results = run(spec("padded_norm"), inputs, ["y", "mean"], kernel="padded_batch_norm")
    x, length = exact("minilm_layer3_x"), np.load(real("minilm_tokens"))
    inside = (np.arange(x.shape[1])[None] < length[:, None])[..., None]
    mean, variance = f.moments(x, (0, 1), inside)
    compare("mean", results["mean"], mean.reshape(-1), 1e-5, 1e-5)
    compare("y", results["y"], np.where(inside, (x - mean) / np.sqrt(variance + 1e-3), 0), 1e-5, 1e-5)


PARAMETERS = ("gamma", "beta", "moving_mean", "moving_variance")


def efficientnet(name):
    return exact(f"efficientnet_bn_{name}")


def inference(device):
    inputs = {name: real(f"efficientnet_bn_{name}") for name in ("x", *PARAMETERS)}
    y = run(spec("batch_norm"), inputs, ["y"], kernel="batch_norm_inference", device=device)["y"]
    compare("y", y, np.load(real("efficientnet_bn_y_inference")), 1e-5, 1e-5)


def training(device):
    inputs = {name: real(f"efficientnet_bn_{name}") for name in ("x", *PARAMETERS)}
    outputs = ["y", "moving_mean", "moving_variance"]
    results = run(spec("batch_norm"), inputs, outputs, scalars={"momentum": 0.99}, device=device)
    expected = f.batch_norm(*(efficientnet(name) for name in ("x", *PARAMETERS)), momentum=float(np.float32(0.99)))
    for name in outputs:
        compare(name, results[name], expected[name], 1e-5, 1e-5)


def channels_last():
    last = os.path.join(scratch(), "x.npy")
    np.save(last, np.ascontiguousarray(np.moveaxis(np.load(real("efficientnet_bn_x")), 1, -1)))
    inputs = {"x": last, **{name: real(f"efficientnet_bn_{name}") for name in PARAMETERS}}
    orders = ["--order", "x=n,s...,c", "--order", "y=n,s...,c"]
    y = run(spec("batch_norm"), inputs, ["y"], options=orders)["y"]
    expected = f.batch_norm(*(efficientnet(name) for name in ("x", *PARAMETERS)), momentum=1)["y"]
    compare("y", np.moveaxis(y, -1, 1), expected, 1e-5, 1e-5)


def groups(count):
    inputs = {name: real(f"efficientnet_bn_{name}") for name in ("x", "gamma", "beta")}
    results = run(spec("group_norm"), inputs, ["y", "mean", "rstd"], defines={"groups": count})
    expected = f.group_norm(efficientnet("x"), count, efficientnet("gamma"), efficientnet("beta"))
    for name in ("y", "mean", "rstd"):
        compare(name, results[name], expected[name], 1e-5, 1e-5)


APPLY = """import "activations.norm"

kernel apply<T = f32, activation: fn>(x: T[n]) -> y: T[n] {
  y = activation(x)
}
"""


def function(name):
    path = os.path.join(scratch(), "apply.norm")
    with open(path, "w", encoding="utf-8") as text:
        text.write(APPLY)
    sizes = np.concatenate([np.logspace(-30, 1.9, 400), np.linspace(0.01, 12, 400), [1e4, 1e12]])
    x = np.concatenate([-sizes, [0.0], sizes]).astype(np.float32)
    with np.errstate(all="ignore"):
        expected = f.ACTIVATIONS[name](x.astype(np.float64)).astype(np.float32)
    # gelu's tail cancels in 1 + erf, as in every library. The others keep their relative accuracy down to denormals;
    # one rounding of the argument of exp(-80) is 5e-6 of it.
    rtol, atol = (2e-6, 2e-6) if name == "gelu" else (1e-5, 1e-36)
    y = run(path, {"x": x}, ["y"], defines={"activation": name})["y"]
    compare(name, y, expected, rtol, atol)
    nan = run(path, {"x": np.full(40, np.nan, np.float32)}, ["y"], defines={"activation": name})["y"]
    compare(f"{name} of NaN", nan, np.full(40, np.nan), 0, 0)


def main():
    for device in ("cpu", "evaluator"):
        check(f"MiniLM's LayerNorm on {device}", minilm, device)
        check(f"EfficientNet's BatchNorm in inference on {device}", inference, device)
        check(f"EfficientNet's BatchNorm in training on {device}", training, device)
    check("MiniLM's padded sentences", minilm_padded)
    check("EfficientNet's BatchNorm, channels last", channels_last)
    for count in (1, 32, 96):
        check(f"GroupNorm of EfficientNet's activations in {count} groups", groups, count)
    for name in f.ACTIVATIONS:
        check(f"activation {name}", function, name)
    finish()


main()
