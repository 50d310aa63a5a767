"""The standard kernels in NumPy, in float64: what test/Integration/specs.py compares with.

Arrays are laid out as the specs declare them ([n, c, s...] and so on). Each function gives a dict of outputs, state
included. Written from the papers and the layers that the specs' heads name, not from the specs.
"""

import math

import numpy as np


def axes_after(x, first):
    return tuple(range(first, x.ndim))


def channel(v, x, at=1):
    """v over axis `at` of x, ready to broadcast."""
    shape = [1] * x.ndim
    shape[at] = -1
    return np.reshape(v, shape)


def moments(x, axes, weights=None):
    """Mean and biased variance, the reduced axes kept with extent 1."""
    w = np.ones(x.shape) if weights is None else np.broadcast_to(weights, x.shape)
    total = w.sum(axes, keepdims=True)
    mean = (w * x).sum(axes, keepdims=True) / total
    return mean, (w * (x - mean) ** 2).sum(axes, keepdims=True) / total


def moved(old, new, momentum):
    """An exponential moving average; `momentum` weighs the old value."""
    return momentum * old + (1 - momentum) * new


def drop(v, axes):
    return v.squeeze(axes)


def layer_norm(x, gamma=1, beta=0, eps=1e-5, features=1):
    axes = axes_after(x, x.ndim - features)
    mean, variance = moments(x, axes)
    rstd = 1 / np.sqrt(variance + eps)
    return {"y": (x - mean) * rstd * gamma + beta, "mean": drop(mean, axes), "rstd": drop(rstd, axes)}


def rms_norm(x, gamma=1, eps=1e-6, features=1):
    axes = axes_after(x, x.ndim - features)
    rstd = 1 / np.sqrt((x * x).mean(axes, keepdims=True) + eps)
    return {"y": x * rstd * gamma, "rstd": drop(rstd, axes)}


def instance_norm(x, gamma=None, beta=None, eps=1e-5):
    gamma = np.ones(x.shape[1]) if gamma is None else gamma
    beta = np.zeros(x.shape[1]) if beta is None else beta
    axes = axes_after(x, 2)
    mean, variance = moments(x, axes)
    rstd = 1 / np.sqrt(variance + eps)
    y = (x - mean) * rstd * channel(gamma, x) + channel(beta, x)
    return {"y": y, "mean": drop(mean, axes), "rstd": drop(rstd, axes)}


def instance_norm_tracked(x, gamma, beta, running_mean, running_variance, momentum, eps=1e-5):
    axes = axes_after(x, 2)
    mean, variance = (drop(v, axes) for v in moments(x, axes))
    m = math.prod(x.shape[2:])
    return {
        "y": instance_norm(x, gamma, beta, eps)["y"],
        "running_mean": moved(running_mean, mean.mean(0), momentum),
        "running_variance": moved(running_variance, (variance * m / (m - 1)).mean(0), momentum),
    }


def grouped(x, groups):
    """[n, c, s...] as [n, groups, c / groups, s...]."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])


def group_norm(x, groups, gamma=None, beta=None, weights=None, eps=1e-5, kept=0, over_batch=False, root=True):
    """`weights` broadcasts to x; `kept` axes after the channels keep their own statistics."""
    gamma = np.ones(x.shape[1]) if gamma is None else gamma
    beta = np.zeros(x.shape[1]) if beta is None else beta
    v = grouped(x, groups)
    axes = (2,) + axes_after(v, 3 + kept)
    if over_batch:
        axes = (0,) + axes
    w = None if weights is None else grouped(np.broadcast_to(weights, x.shape), groups)
    mean, variance = moments(v, axes, w)
    rstd = 1 / np.sqrt(variance + eps) if root else 1 / (variance + eps)
    y = ((v - mean) * rstd).reshape(x.shape) * channel(gamma, x) + channel(beta, x)
    return {"y": y, "mean": drop(mean, axes), "rstd": drop(rstd, axes)}


def batch_norm(x, gamma, beta, moving_mean, moving_variance, momentum, eps=1e-3, unbiased=False):
    axes = (0,) + axes_after(x, 2)
    mean, variance = moments(x, axes)
    m = x.size // x.shape[1]
    kept = drop(variance, axes) * (m / max(m - 1, 1) if unbiased else 1)
    rstd = 1 / np.sqrt(variance + eps)
    return {
        "y": (x - mean) * rstd * channel(gamma, x) + channel(beta, x),
        "mean": drop(mean, axes),
        "rstd": drop(rstd, axes),
        "moving_mean": moved(moving_mean, drop(mean, axes), momentum),
        "moving_variance": moved(moving_variance, kept, momentum),
    }


def batch_norm_inference(x, gamma, beta, moving_mean, moving_variance, eps=1e-3):
    rstd = 1 / np.sqrt(moving_variance + eps)
    return {"y": (x - channel(moving_mean, x)) * channel(rstd * gamma, x) + channel(beta, x)}


def batch_norm_over(axes):
    """Batch norm with the statistics over `axes`, parameters and state over the others (Keras's list of axes)."""

    def formula(x, gamma, beta, moving_mean, moving_variance, momentum, eps=1e-3):
        mean, variance = moments(x, axes)
        wide = lambda v: np.expand_dims(v, axes)
        return {
            "y": (x - mean) / np.sqrt(variance + eps) * wide(gamma) + wide(beta),
            "moving_mean": moved(moving_mean, drop(mean, axes), momentum),
            "moving_variance": moved(moving_variance, drop(variance, axes), momentum),
        }

    return formula


def adjusted_batch_norm(x, gamma, beta, adjust_scale, adjust_bias, moving_mean, moving_variance, momentum, eps=1e-3):
    plain = batch_norm(x, np.ones(x.shape[1]), np.zeros(x.shape[1]), moving_mean, moving_variance, momentum, eps)
    y = plain["y"] * channel(adjust_scale, x) + channel(adjust_bias, x)
    return {**plain, "y": y * channel(gamma, x) + channel(beta, x)}


def ghosts(x, size, keras):
    """Virtual batches, each [size, c, s...], as a list."""
    count = x.shape[0] // size
    return [x[v::count] if keras else x[v * size : (v + 1) * size] for v in range(count)]


def unghosts(parts, keras):
    return np.stack(parts, 1).reshape(-1, *parts[0].shape[1:]) if keras else np.concatenate(parts)


def ghost_batch_norm(x, gamma, beta, moving_mean, moving_variance, momentum, size, keras=True, eps=1e-3):
    axes = (0,) + axes_after(x, 2)
    parts = ghosts(x, size, keras)
    stats = [moments(part, axes) for part in parts]
    y = unghosts([(p - m) / np.sqrt(v + eps) for p, (m, v) in zip(parts, stats)], keras)
    mean, variance = (np.stack([drop(s[i], axes) for s in stats]) for i in (0, 1))
    mean, variance = (mean.mean(0), variance.mean(0)) if keras else (mean[0], variance[0])
    return {
        "y": y * channel(gamma, x) + channel(beta, x),
        "moving_mean": moved(moving_mean, mean, momentum),
        "moving_variance": moved(moving_variance, variance, momentum),
    }


def batch_renorm(
    x,
    gamma,
    beta,
    moving_mean,
    moving_variance,
    moving_stddev,
    renorm_mean,
    renorm_stddev,
    rmin,
    rmax,
    dmax,
    momentum,
    renorm_momentum,
    size=None,
    eps=1e-3,
):
    axes = (0,) + axes_after(x, 2)
    parts = ghosts(x, size or x.shape[0], True)
    stats = [moments(part, axes) for part in parts]
    mean, variance = (np.stack([drop(s[i], axes) for s in stats]).mean(0) for i in (0, 1))
    sigma = np.sqrt(variance + eps)
    reference = np.maximum(renorm_stddev, np.sqrt(eps))
    r = channel(np.clip(sigma / reference, rmin, rmax), x)
    d = channel(np.clip((mean - renorm_mean) / reference, -dmax, dmax), x)
    y = unghosts([(p - m) / np.sqrt(v + eps) for p, (m, v) in zip(parts, stats)], True)
    stddev = moved(moving_stddev, sigma, momentum)
    return {
        "y": (y * r + d) * channel(gamma, x) + channel(beta, x),
        "moving_mean": moved(moving_mean, mean, momentum),
        "moving_stddev": stddev,
        "moving_variance": np.maximum(stddev**2 - eps, 0),
        "renorm_mean": moved(renorm_mean, mean, renorm_momentum),
        "renorm_stddev": moved(renorm_stddev, sigma, renorm_momentum),
    }


def heads(x, width):
    return x.reshape(*x.shape[:-1], -1, width)


def normalise_backward(dy, x, gamma, mean, rstd, row, column):
    """dx, dgamma, dbeta where all arguments broadcast to x; `row` axes were normalised, `column` axes share gamma."""
    normal = (x - mean) * rstd
    d = dy * gamma
    dx = rstd * (d - d.mean(row, keepdims=True) - normal * (d * normal).mean(row, keepdims=True))
    return {"dx": dx, "dgamma": (dy * normal).sum(column), "dbeta": dy.sum(column)}


def layer_norm_backward(dy, x, gamma, mean, rstd, features=1):
    row, column = axes_after(x, x.ndim - features), tuple(range(x.ndim - features))
    return normalise_backward(dy, x, gamma, np.expand_dims(mean, row), np.expand_dims(rstd, row), row, column)


def rms_norm_backward(dy, x, gamma, rstd):
    normal, d = x * rstd[..., None], dy * gamma
    dx = rstd[..., None] * (d - normal * (d * normal).mean(-1, keepdims=True))
    return {"dx": dx, "dgamma": (dy * normal).sum(tuple(range(x.ndim - 1)))}


def group_norm_backward(dy, x, gamma, mean, rstd):
    groups = mean.shape[1]
    wide = lambda v: grouped(np.broadcast_to(v, x.shape), groups)
    v = grouped(x, groups)
    row = axes_after(v, 2)
    stat = lambda s: np.reshape(s, s.shape + (1,) * (v.ndim - 2))
    out = normalise_backward(wide(dy), v, wide(channel(gamma, x)), stat(mean), stat(rstd), row, (0,) + axes_after(v, 3))
    return {"dx": out["dx"].reshape(x.shape), "dgamma": out["dgamma"].reshape(-1), "dbeta": out["dbeta"].reshape(-1)}


def batch_norm_backward(dy, x, gamma, mean, rstd):
    axes = (0,) + axes_after(x, 2)
    return normalise_backward(dy, x, channel(gamma, x), channel(mean, x), channel(rstd, x), axes, axes)


def batch_norm_inference_backward(dy, x, gamma, moving_mean, moving_variance, eps=1e-3):
    axes = (0,) + axes_after(x, 2)
    rstd = 1 / np.sqrt(moving_variance + eps)
    dgamma = (dy * (x - channel(moving_mean, x)) * channel(rstd, x)).sum(axes)
    return {"dx": dy * channel(gamma * rstd, x), "dgamma": dgamma, "dbeta": dy.sum(axes)}


ERF = np.vectorize(math.erf, otypes=[np.float64])


def softplus(v):
    return np.maximum(v, 0) + np.log1p(np.exp(-np.abs(v)))


def sigmoid(v):
    return np.where(v >= 0, 1 / (1 + np.exp(-np.abs(v))), np.exp(-np.abs(v)) / (1 + np.exp(-np.abs(v))))


ACTIVATIONS = {
    "identity": lambda v: v,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda v: np.maximum(v, 0),
    "relu6": lambda v: np.clip(v, 0, 6),
    "hardtanh": lambda v: np.clip(v, -1, 1),
    "hardsigmoid": lambda v: np.clip(v / 6 + 0.5, 0, 1),
    "hardswish": lambda v: v * np.clip(v / 6 + 0.5, 0, 1),
    "squared_relu": lambda v: np.maximum(v, 0) ** 2,
    "softsign": lambda v: v / (1 + np.abs(v)),
    "silu": lambda v: v * sigmoid(v),
    "quick_gelu": lambda v: v * sigmoid(1.702 * v),
    "gelu": lambda v: 0.5 * v * (1 + ERF(v / math.sqrt(2))),
    "gelu_tanh": lambda v: v * sigmoid(2 * math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)),
    "softplus": softplus,
    "log_sigmoid": lambda v: -softplus(-v),
    "mish": lambda v: v * np.tanh(softplus(v)),
    "elu": lambda v: np.where(v > 0, v, np.expm1(np.minimum(v, 0))),
    "selu": lambda v: 1.0507009873554805 * np.where(v > 0, v, 1.6732632423543772 * np.expm1(np.minimum(v, 0))),
}
