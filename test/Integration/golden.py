"""Golden cases: what other systems give, through `normc run`. Arguments: kinds of test/data/golden/manifest.json."""

import json
import os
import sys

import numpy as np

from harness import DATA, Failure, check, compare, finish, run, scratch

GOLDEN = os.path.join(DATA, "golden")


def one(case, device, inputs, outputs):
    path = os.path.join(GOLDEN, case["file"])
    arrays = np.load(path)
    spec = os.path.join(scratch(), case["id"] + ".norm")
    with open(spec, "w", encoding="utf-8") as text:
        text.write(case["spec"])
    options = []
    if case["omit"]:
        options += ["--omit", ",".join(case["omit"])]
    for name, rank in case.get("rank", {}).items():
        options += ["--rank", f"{name}={rank}"]
    results = run(
        spec,
        {name: f"{path}:{key}" for name, key in inputs.items()},
        list(outputs),
        kernel=case["kernel"],
        defines=case["defines"],
        scalars=case["scalars"],
        options=options,
        device=device,
    )
    for name, key in outputs.items():
        expected = arrays[key]
        rtol, atol = case["rtol"], case["atol"]
        if results[name].dtype == np.float32 and rtol > 1e-4:
            rtol, atol = 1e-5, 1e-5  # a float32 output beside one in half precision
        compare(name, results[name], expected, rtol, atol)
        if expected.dtype.kind != "f" and results[name].dtype != expected.dtype:
            raise Failure(f"{name} is {results[name].dtype}, expected {expected.dtype}")


def shared_out(replicas, what):
    return {f"{name}@{i}": key for i, replica in enumerate(replicas) for name, key in replica[what].items()}


def main():
    with open(os.path.join(GOLDEN, "manifest.json"), encoding="utf-8") as text:
        cases = json.load(text)
    for kind in sys.argv[1:]:
        chosen = [case for case in cases if case["kind"] == kind]
        if not chosen:
            raise SystemExit(f"no golden cases of kind {kind}")
        for case in chosen:
            for device in ("cpu", "evaluator"):
                check(f"{case['id']} on {device}", one, case, device, case["inputs"], case["outputs"])
                if "replicas" in case:
                    inputs, outputs = (shared_out(case["replicas"], what) for what in ("inputs", "outputs"))
                    check(f"{case['id']}, replicas on {device}", one, case, device, inputs, outputs)
    finish()


main()
