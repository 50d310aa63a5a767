"""What the layers behind specs/ refuse, and what happens here instead: the table of specs/README.md, row by row."""

import os
import re

import numpy as np

from harness import SPECS, Failure, check, finish, normc, run, save, scratch, shell


def array(name, *shape, dtype=np.float32):
    path = os.path.join(scratch(), name + ".npy")
    save(path, np.ones(shape, dtype))
    return path


def refused(status, patterns, *arguments):
    """normc ends with this status, and what it says holds each pattern; nothing is written."""
    target = os.path.join(scratch(), "y.npy")
    done = normc(*arguments, "--output", f"y={target}")
    if done.returncode != status:
        raise Failure(f"status {done.returncode}, expected {status}: {shell(arguments)}\n{done.stderr.strip()}")
    for pattern in patterns:
        if not re.search(pattern, done.stderr):
            raise Failure(f"does not say /{pattern}/: {shell(arguments)}\n{done.stderr.strip()}")
    if os.path.exists(target):
        raise Failure(f"{target} was written")


def spec(name):
    return os.path.join(SPECS, name + ".norm")


def own(name, text):
    path = os.path.join(scratch(), name + ".norm")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


GROUPS = """kernel f<groups = 4>(x: f32[n, h, c]) -> y: f32[n, h, c] {{
  split c = g * k where g = groups
  let mu, variance = moments(x over {over})
  y = (x - mu) * rsqrt(variance + 1e-6)
}}
"""


def main():
    x4 = ["--input", "x=" + array("x4", 2, 6, 3, 5)]
    x2 = ["--input", "x=" + array("x2", 8, 6)]
    x3 = ["--input", "x=" + array("x3", 2, 3, 6)]
    moving = ["--input", "moving_mean=" + array("m", 6), "--input", "moving_variance=" + array("v", 6)]

    # TF-Slim and Keras: undefined rank.
    check(
        "a rank that does not fit",
        refused,
        1,
        [r"x\b", "rank|dimension|axes"],
        "run",
        spec("group_norm"),
        "--input",
        "x=" + array("x1", 6),
    )
    check("a rank that nothing tells", refused, 1, ["--rank"], "run", spec("layer_norm"), *x4)

    # TF-Slim and Keras: axes out of bounds, not exclusive, twice, no names.
    for title, over, patterns in (
        ("an axis that is not there", "h, w", [r":3:\d+", r"\bw\b"]),
        ("the channels among the reduced axes", "k, c", [r":3:\d+", r"\bk\b"]),
        ("an axis twice", "h, h", [r":3:\d+", r"\bh\b"]),
        ("a number for an axis", "2", [r":3:\d+"]),
    ):
        check(title, refused, 1, patterns, "run", own("axes", GROUPS.format(over=over)), *x3)
    check(
        "an axis twice in a tensor",
        refused,
        1,
        [r":1:\d+", r"\bn\b"],
        "run",
        own("twice", "kernel f(x: f32[n, n]) -> y: f32[n, n] {\n  y = x\n}\n"),
        *x2,
    )
    check(
        "an unknown axis in --order",
        refused,
        2,
        [r"\bq\b"],
        "run",
        spec("group_norm"),
        *x4,
        "-D",
        "groups=3",
        "--order",
        "x=n,s...,q",
    )

    # TF-Slim and Keras: the number of groups.
    check("more groups than channels", refused, 1, [r"\b32\b", r"\b6\b"], "run", spec("group_norm"), *x4)
    check(
        "groups that do not divide the channels",
        refused,
        1,
        [r"\b4\b", r"\b6\b"],
        "run",
        spec("group_norm"),
        *x4,
        "-D",
        "groups=4",
    )
    for groups in (0, -1):
        check(
            f"{groups} groups", refused, 1, [rf"{groups}\b"], "run", spec("group_norm"), *x4, "-D", f"groups={groups}"
        )

    # Keras: keys of renorm_clipping.
    renorm = [*moving]
    for name in ("moving_stddev", "renorm_mean", "renorm_stddev"):
        renorm += ["--input", f"{name}=" + array(name, 6)]
    check(
        "an unknown key of renorm_clipping",
        refused,
        2,
        ["rmx", "rmax"],
        "run",
        spec("batch_renorm"),
        *x2,
        *renorm,
        "--scalar",
        "rmx=2",
    )

    # Keras and tensorpack: virtual batches.
    for size, patterns in ((3, [r"\b3\b", r"\b8\b"]), (0, [r"\b0\b"]), (-2, [r"-2\b"])):
        for kernel in ("ghost_batch_norm", "tensorpack_ghost_batch_norm"):
            check(
                f"{kernel} in batches of {size} of 8",
                refused,
                1,
                patterns,
                "run",
                spec("ghost_batch_norm"),
                "-k",
                kernel,
                *x2,
                *moving,
                "-D",
                f"virtual_batch_size={size}",
            )
    check(
        "ghost_batch_norm without a size",
        refused,
        2,
        ["virtual_batch_size"],
        "run",
        spec("ghost_batch_norm"),
        *x2,
        *moving,
    )
    check(
        "virtual batches with an adjustment",
        refused,
        2,
        ["adjust_scale"],
        "run",
        spec("ghost_batch_norm"),
        *x2,
        *moving,
        "-D",
        "virtual_batch_size=2",
        "--input",
        "adjust_scale=" + array("a", 6),
    )
    check(
        "synchronized ghost batches",
        refused,
        2,
        ["virtual_batch_size"],
        "run",
        spec("sync_batch_norm"),
        *x2,
        *moving,
        "-D",
        "virtual_batch_size=2",
    )
    check(
        "an unknown option of a layer",
        refused,
        2,
        ["ema_update"],
        "run",
        spec("batch_norm"),
        *x2,
        *moving,
        "-D",
        "ema_update=never",
    )
    check(
        "an epsilon by its other name",
        refused,
        2,
        ["epsilon"],
        "run",
        spec("batch_norm"),
        *x2,
        *moving,
        "-D",
        "epsilon=1e-5",
    )
    check(
        "channels that disagree",
        refused,
        1,
        [r"\bc\b", r"\b5\b", r"\b6\b"],
        "run",
        spec("batch_norm"),
        *x2,
        *moving,
        "--input",
        "gamma=" + array("g", 5),
    )
    check(
        "data of another type",
        refused,
        1,
        ["moving_mean|S", "f64"],
        "run",
        spec("batch_norm"),
        *x2,
        "--input",
        "moving_mean=" + array("m64", 6, dtype=np.float64),
        "--input",
        "moving_variance=" + array("v", 6),
        "-D",
        "S=f32",
    )

    # Refused by fused kernels, tensorpack or PyTorch; done here.
    def done(file, kernel, shape, extent, defines=None, dtype=np.float32, extra=None, options=()):
        state = {name: np.ones(extent, dtype) for name in ("moving_mean", "moving_variance")}
        data = np.random.default_rng(1).normal(0, 1, shape).astype(dtype)
        y = run(
            spec(file), {"x": data, **state, **(extra or {})}, ["y", "moving_mean"], kernel, defines, options=options
        )["y"]
        if y.shape != shape or (y.size and not np.isfinite(y).all()):
            raise Failure(f"y has the shape {y.shape}, or is not finite")

    stats = {name: np.ones(6, np.float32) for name in ("moving_stddev", "renorm_mean", "renorm_stddev")}
    adjust = {name: np.ones(6, np.float32) for name in ("adjust_scale", "adjust_bias")}
    for shape in ((8, 6), (4, 6, 5), (2, 6, 3, 5), (2, 6, 3, 4, 5), (2, 6, 2, 3, 2, 2)):
        check(f"batch_norm of rank {len(shape)}", done, "batch_norm", "batch_norm", shape, 6)
    check("batch_norm in f64", done, "batch_norm", "batch_norm", (2, 6, 3, 5), 6, dtype=np.float64)
    check("batch_renorm of rank 4", done, "batch_renorm", "batch_renorm", (2, 6, 3, 5), 6, extra=stats)
    check(
        "virtual batches of rank 4",
        done,
        "ghost_batch_norm",
        "ghost_batch_norm",
        (4, 6, 3, 5),
        6,
        {"virtual_batch_size": 2},
    )
    check("an adjustment of rank 4", done, "batch_norm", "adjusted_batch_norm", (2, 6, 3, 5), 6, extra=adjust)
    check("several channel axes", done, "batch_norm", "batch_norm_per_position", (4, 3, 2), (3, 2))
    check("one value a channel", done, "batch_norm", "batch_norm", (1, 6), 6)
    check("an empty batch", done, "batch_norm", "batch_norm", (0, 6, 5), 6)
    finish()


main()
