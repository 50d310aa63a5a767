"""The problems of peers.py in other libraries. `load(name, threads)` gives a function that prepares a problem: it gives a
function to time, and one that gives the results by normc's names. It raises Unsupported where a library does not have
the problem."""

import os

import numpy as np


class Unsupported(Exception):
    pass


def load(name, threads):
    return {"torch": torch_peer, "inductor": inductor_peer, "jax": jax_peer, "onnxruntime": onnxruntime_peer,
            "openvino": openvino_peer, "onednn": onednn_peer}[name](threads)


def versioned(version):
    def mark(prepare):
        prepare.version = version
        return prepare

    return mark


# --- PyTorch


def torch_function(problem, functional):
    """y of x and the parameters."""
    kernel, eps = problem.kernel, problem.eps

    def normal(x, p):
        if kernel == "layer_norm":
            return functional.layer_norm(x, x.shape[1:], p["gamma"], p["beta"], eps)
        if kernel == "rms_norm":
            return functional.rms_norm(x, x.shape[1:], p["gamma"], eps)
        if kernel == "group_norm":
            return functional.group_norm(x, problem.groups, p["gamma"], p["beta"], eps)
        if kernel == "instance_norm":
            return functional.instance_norm(x, None, None, p["gamma"], p["beta"], eps=eps)
        train = kernel == "batch_norm"
        return functional.batch_norm(x, p["moving_mean"], p["moving_variance"], p["gamma"], p["beta"], train, 0.01, eps)

    return (lambda x, p: functional.silu(normal(x, p))) if problem.silu else normal


def torch_peer(threads, compiled=False):
    import torch

    torch.set_num_threads(threads)

    def tensor(array, channels_last):
        if array.dtype.name == "bfloat16":
            one = torch.from_numpy(array.view(np.uint16).copy()).view(torch.bfloat16)
        else:
            one = torch.from_numpy(array.copy())
        return one.permute(0, 3, 1, 2) if channels_last else one

    def array(one, channels_last):
        one = one.detach()
        return (one.permute(0, 2, 3, 1) if channels_last and one.dim() == 4 else one).contiguous().float().numpy()

    @versioned(torch.__version__)
    def prepare(problem, arrays):
        last = problem.channels_last
        x = tensor(arrays("x"), last)
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        p = {name: tensor(arrays(name), False) for name in names if arrays(name) is not None}
        function = torch_function(problem, torch.nn.functional)
        if compiled:
            torch._dynamo.reset()
            function = torch.compile(function, dynamic=False)
        if problem.way == "fwd":
            with torch.no_grad():
                function(x, p)

            def forward():
                with torch.no_grad():
                    forward.y = function(x, p)

            return forward, lambda: {"y": array(forward.y, last)}
        dy = tensor(arrays("dy"), last)
        wrt = {"dx": x, "dgamma": p["gamma"]} | ({"dbeta": p["beta"]} if "beta" in p else {})
        for one in wrt.values():
            one.requires_grad_(True)

        def both():
            y = function(x, p)
            both.results = dict(zip(wrt, torch.autograd.grad(y, list(wrt.values()), dy)))

        return both, lambda: {name: array(one, last) for name, one in both.results.items()}

    return prepare


def inductor_peer(threads):
    return torch_peer(threads, compiled=True)


# --- JAX


def jax_peer(threads):
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    import jax
    import jax.numpy as jnp

    def function(problem):
        def normal(x, p):
            # Two passes: the variance of the differences, as normc's.
            wide = x.astype(jnp.float32)
            rank, channel = x.ndim, (x.ndim - 1 if problem.channels_last else 1)
            parameter = lambda v: v if rank == 2 else v.reshape([-1 if i == channel else 1 for i in range(rank)])
            if problem.kernel == "rms_norm":
                y = wide * jax.lax.rsqrt((wide * wide).mean(1, keepdims=True) + problem.eps)
                return (y * p["gamma"]).astype(x.dtype)
            if problem.kernel == "batch_norm_inference":
                scale = p["gamma"] * jax.lax.rsqrt(p["moving_variance"] + problem.eps)
                y = (wide - parameter(p["moving_mean"])) * parameter(scale)
            elif problem.kernel == "group_norm":
                c, g = x.shape[channel], problem.groups
                shape = x.shape[:channel] + (g, c // g) + x.shape[channel + 1 :]
                split = wide.reshape(shape)
                over = tuple(i for i in range(1, len(shape)) if i != channel)
                split = split - split.mean(over, keepdims=True)
                split = split * jax.lax.rsqrt((split * split).mean(over, keepdims=True) + problem.eps)
                y = split.reshape(x.shape) * parameter(p["gamma"])
            else:
                over = {"layer_norm": (1,), "instance_norm": tuple(i for i in range(1, rank) if i != channel),
                        "batch_norm": tuple(i for i in range(rank) if i != channel)}[problem.kernel]
                y = wide - wide.mean(over, keepdims=True)
                y = y * jax.lax.rsqrt((y * y).mean(over, keepdims=True) + problem.eps) * parameter(p["gamma"])
            y = y + parameter(p["beta"])
            return (jax.nn.silu(y) if problem.silu else y).astype(x.dtype)

        return normal

    @versioned(jax.__version__)
    def prepare(problem, arrays):
        normal = function(problem)
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        p = {name: jnp.asarray(arrays(name)) for name in names if arrays(name) is not None}
        x = jnp.asarray(arrays("x"))
        state = {}
        if problem.way == "fwd":
            compiled = jax.jit(normal)

            def forward():
                state["y"] = compiled(x, p).block_until_ready()

            return forward, lambda: {"y": np.asarray(state["y"], np.float32)}
        dy = jnp.asarray(arrays("dy"))

        @jax.jit
        def gradients(x, p, dy):
            y, back = jax.vjp(normal, x, p)
            return y, back(dy)

        def both():
            state["all"] = jax.block_until_ready(gradients(x, p, dy))

        def results():
            dx, dp = state["all"][1]
            found = {"dx": np.asarray(dx, np.float32), "dgamma": np.asarray(dp["gamma"])}
            return found | ({"dbeta": np.asarray(dp["beta"])} if "beta" in dp else {})

        return both, results

    return prepare


# --- ONNX Runtime


def onnxruntime_peer(threads):
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1

    @versioned(onnxruntime.__version__)
    def prepare(problem, arrays):
        if problem.way != "fwd" or problem.channels_last or problem.type != "f32":
            raise Unsupported("forward in f32, channels first")
        node = {"layer_norm": ("LayerNormalization", ["gamma", "beta"], {"axis": 1}),
                "rms_norm": ("RMSNormalization", ["gamma"], {"axis": 1}),
                "group_norm": ("GroupNormalization", ["gamma", "beta"], {"num_groups": problem.groups}),
                "instance_norm": ("InstanceNormalization", ["gamma", "beta"], {}),
                "batch_norm_inference": ("BatchNormalization", ["gamma", "beta", "moving_mean", "moving_variance"], {}),
                }.get(problem.kernel)
        if not node:
            raise Unsupported("training is not executed")
        op, parameters, attributes = node
        x = arrays("x")
        constants = [helper.make_tensor(n, TensorProto.FLOAT, arrays(n).shape, arrays(n)) for n in parameters]
        nodes = [helper.make_node(op, ["x", *parameters], ["y"], epsilon=problem.eps, **attributes)]
        if problem.silu:
            nodes += [helper.make_node("Sigmoid", ["y"], ["s"]), helper.make_node("Mul", ["y", "s"], ["z"])]
        result = "z" if problem.silu else "y"
        graph = helper.make_graph(nodes, "norm", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
                                  [helper.make_tensor_value_info(result, TensorProto.FLOAT, x.shape)], constants)
        opset = 23 if op == "RMSNormalization" else 21
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        y = np.zeros_like(x)
        binding = session.io_binding()
        binding.bind_cpu_input("x", x)
        binding.bind_output(result, "cpu", 0, np.float32, list(y.shape), y.ctypes.data)

        def run(kept=(x, y)):  # the binding does not keep them
            session.run_with_iobinding(binding)

        return run, lambda: {"y": y}

    return prepare


# --- OpenVINO


def openvino_peer(threads):
    import openvino
    from openvino import opset13

    core = openvino.Core()

    @versioned(openvino.__version__.split("-")[0])
    def prepare(problem, arrays):
        if problem.way != "fwd" or problem.channels_last or problem.type != "f32" or problem.kernel == "batch_norm":
            raise Unsupported("forward in f32, channels first, without batch statistics")
        x, gamma = arrays("x"), arrays("gamma")
        parameter = opset13.parameter(list(x.shape), np.float32, name="x")
        shaped = lambda name: arrays(name).reshape([1, -1] + [1] * (x.ndim - 2)).astype(np.float32)
        if problem.kernel == "batch_norm_inference":
            y = opset13.batch_norm_inference(parameter, gamma, arrays("beta"), arrays("moving_mean"),
                                             arrays("moving_variance"), problem.eps)
        elif problem.kernel == "group_norm":
            y = opset13.group_normalization(parameter, gamma, arrays("beta"), problem.groups, problem.eps)
        elif problem.kernel == "rms_norm":
            square = opset13.reduce_mean(opset13.multiply(parameter, parameter), np.array([1]), True)
            root = opset13.sqrt(opset13.add(square, np.float32(problem.eps)))
            y = opset13.multiply(opset13.divide(parameter, root), shaped("gamma"))
        else:
            over = np.arange(2 if problem.kernel == "instance_norm" else 1, x.ndim)
            y = opset13.mvn(parameter, over, True, problem.eps, "inside_sqrt")
            y = opset13.add(opset13.multiply(y, shaped("gamma")), shaped("beta"))
        if problem.silu:
            y = opset13.swish(y)
        settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(openvino.Model([y], [parameter]), "CPU", settings)
        request = compiled.create_infer_request()
        result = np.zeros_like(x)
        request.set_input_tensor(openvino.Tensor(x, shared_memory=True))
        request.set_output_tensor(openvino.Tensor(result, shared_memory=True))

        def run(kept=(x, result)):  # the request does not keep them
            request.infer()

        return run, lambda: {"y": result}

    return prepare


def onednn_peer(threads):
    import peer_onednn

    return versioned(peer_onednn.version())(lambda problem, arrays: peer_onednn.prepare(problem, arrays, Unsupported))
