"""The problems of peers.py in oneDNN, through its C interface (the wheel onednn-cpu-gomp), in plain layouts."""

import ctypes
import importlib.metadata

import numpy as np

TRAINING, INFERENCE, BACKWARD = 64, 96, 128
SCALE_FLAG, SHIFT_FLAG, GLOBAL_FLAG, RMS_FLAG = 2, 4, 1, 32
SWISH = 44
TYPES = {"float32": 3, "bfloat16": 2, "float16": 1}
ARGUMENTS = {"src": 1, "dst": 17, "mean": 49, "variance": 50, "scale": 51, "shift": 52, "diff_src": 129,
             "diff_dst": 145, "diff_scale": 255, "diff_shift": 256}


def library():
    return ctypes.CDLL("libdnnl.so")


def version():
    library()
    return importlib.metadata.version("onednn-cpu-gomp")


class Argument(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_int), ("memory", ctypes.c_void_p)]


class Library:
    """Engine and stream; every call that fails raises."""

    def __init__(self, unsupported):
        self.c, self.unsupported = library(), unsupported
        self.engine, self.stream = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("dnnl_engine_create", ctypes.byref(self.engine), 1, ctypes.c_size_t(0))
        self.call("dnnl_stream_create", ctypes.byref(self.stream), self.engine, 1)

    def call(self, name, *arguments):
        status = getattr(self.c, name)(*arguments)
        if status != 0:
            raise self.unsupported(f"{name}: status {status}")

    def make(self, name, *arguments):
        made = ctypes.c_void_p()
        self.call(name, ctypes.byref(made), *arguments)
        return made

    def description(self, array, shape, strides):
        dims, steps = (ctypes.c_int64 * 12)(*shape), (ctypes.c_int64 * 12)(*strides)
        return self.make("dnnl_memory_desc_create_with_strides", len(shape), dims, TYPES[array.dtype.name], steps)

    def memory(self, array, shape=None, strides=None):
        shape = shape or array.shape
        strides = strides or [int(np.prod(array.shape[i + 1 :])) for i in range(array.ndim)]
        return self.make("dnnl_memory_create", self.description(array, shape, strides), self.engine,
                         ctypes.c_void_p(array.ctypes.data))

    def primitive(self, description, memories):
        """A function that runs it."""
        made = self.make("dnnl_primitive_create", description)
        table = (Argument * len(memories))(*((ARGUMENTS[name], memory.value) for name, memory in memories.items()))
        execute, wait, count = self.c.dnnl_primitive_execute, self.c.dnnl_stream_wait, len(memories)

        def run():
            status = execute(made, self.stream, count, table)
            wait(self.stream)
            if status:
                raise self.unsupported(f"dnnl_primitive_execute: status {status}")

        return run


def prepare(problem, arrays, unsupported):
    if problem.kernel == "instance_norm":
        raise unsupported("no such primitive")
    dnnl = Library(unsupported)
    x, gamma, beta = arrays("x"), arrays("gamma"), arrays("beta")
    y, channels = np.zeros_like(x), gamma.size
    if problem.channels_last:
        n, h, w, c = x.shape
        shape, strides = [n, c, h, w], [h * w * c, 1, w * c, c]
    else:
        shape, strides = list(x.shape), [int(np.prod(x.shape[i + 1 :])) for i in range(x.ndim)]
    like_x = lambda array: dnnl.memory(array, shape, strides)
    forward_only = problem.way == "fwd"
    inference = problem.kernel == "batch_norm_inference"
    flags = SCALE_FLAG | (SHIFT_FLAG if beta is not None else 0) | (GLOBAL_FLAG if inference else 0)
    if problem.kernel == "rms_norm":
        flags |= RMS_FLAG
    eps = ctypes.c_float(problem.eps)
    # Statistics that are not asked for are not computed to memory, but for BatchNorm, which has no other form.
    kind = INFERENCE if forward_only and problem.kernel != "batch_norm" else TRAINING
    d = dnnl.description(x, shape, strides)
    counts = {"layer_norm": x.shape[0], "rms_norm": x.shape[0], "group_norm": x.shape[0] * problem.groups}
    mean = np.zeros(counts.get(problem.kernel, channels), np.float32)
    variance = np.zeros_like(mean)
    if inference:
        mean, variance = arrays("moving_mean"), arrays("moving_variance")
    stats = dnnl.description(mean, [mean.size], [1])
    if problem.kernel in ("layer_norm", "rms_norm"):
        described = dnnl.make("dnnl_layer_normalization_forward_primitive_desc_create", dnnl.engine, kind, d, d, stats,
                              eps, flags, None)
    elif problem.kernel == "group_norm":
        described = dnnl.make("dnnl_group_normalization_forward_primitive_desc_create", dnnl.engine, kind, d, d,
                              ctypes.c_int64(problem.groups), eps, flags, None)
    else:
        described = dnnl.make("dnnl_batch_normalization_forward_primitive_desc_create", dnnl.engine, kind, d, d, eps,
                              flags, None)
    parameters = {"scale": dnnl.memory(gamma)} | ({"shift": dnnl.memory(beta)} if beta is not None else {})
    shaped = (lambda a: dnnl.memory(a, [x.shape[0], problem.groups], [problem.groups, 1])
              ) if problem.kernel == "group_norm" else dnnl.memory
    statistics = {}
    if kind == TRAINING or inference:
        statistics = {"variance": shaped(variance)}
        if problem.kernel != "rms_norm":
            statistics["mean"] = shaped(mean)
    forward = dnnl.primitive(described, {"src": like_x(x), "dst": like_x(y)} | parameters | statistics)
    silu = None
    if problem.silu:
        # Swish with a factor of 1, in place: an operation of its own.
        made = dnnl.make("dnnl_eltwise_forward_primitive_desc_create", dnnl.engine, INFERENCE, SWISH, d, d,
                         ctypes.c_float(1), ctypes.c_float(0), None)
        silu = dnnl.primitive(made, {"src": like_x(y), "dst": like_x(y)})
    kept = (x, y, gamma, beta, mean, variance)
    if forward_only:

        def run(kept=kept):
            forward()
            if silu:
                silu()

        return run, lambda: {"y": y.astype(np.float32)}
    if problem.kernel == "group_norm":
        raise unsupported("its backward is a reference loop of a second")
    dy, dx = arrays("dy"), np.zeros_like(x)
    dgamma, dbeta = np.zeros_like(gamma), np.zeros_like(gamma)
    if problem.kernel == "batch_norm":
        back = dnnl.make("dnnl_batch_normalization_backward_primitive_desc_create", dnnl.engine, BACKWARD, d, d, d, eps,
                         flags, described, None)
    else:
        back = dnnl.make("dnnl_layer_normalization_backward_primitive_desc_create", dnnl.engine, BACKWARD, d, d, d,
                         stats, eps, flags, described, None)
    gradients = {"diff_src": like_x(dx), "diff_dst": like_x(dy), "diff_scale": dnnl.memory(dgamma)}
    if beta is not None:
        gradients["diff_shift"] = dnnl.memory(dbeta)
    if problem.kernel == "batch_norm":
        parameters.pop("shift", None)  # which LayerNorm's wants
    backward = dnnl.primitive(back, {"src": like_x(x)} | parameters | statistics | gradients)

    def both(kept=kept + (dy, dx, dgamma, dbeta)):
        forward()
        backward()

    return both, lambda: {"dx": dx.astype(np.float32), "dgamma": dgamma, "dbeta": dbeta}
