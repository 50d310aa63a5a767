"""Formats kernels as text and compiles that: the same text comes out again, and the same kernel. Of a gradient, its text
gives the same results.

  round_trip.py DIR FILE...              every kernel and gradient of some files
  round_trip.py DIR --generated COUNT    kernels of test/fuzz
"""

import hashlib
import os
import re
import subprocess
import sys

import numpy as np

BINDINGS = {"virtual_batch_size": "4"}  # parameters without a default
PASSES = "builtin.module(canonicalize,cse,canonicalize,cse,norm.kernel(norm-format))"


def run(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}\n{text or ''}")
    return done.stdout


def emit(spec, *options):
    return run(["normc", "compile", spec, "--emit", "norm", "-o", "-", *options])


def split(printed):
    """The text, and the IR behind it."""
    at = printed.index("}\n") + 2
    return printed[:at], printed[at:]


def digest(ir):
    """A hash of a kernel that knows of no order: of its head and its results, each with all that it is made of. Broadcasts
    are left to the types; a + -b is a - b."""
    hashes, negated, roots = {}, {}, []
    for line in ir.splitlines():
        line = line.strip()
        defined = re.match(r"((?:%\w+(?:, )?)+) = (.*)", line)
        body = defined[2] if defined else line
        if body.startswith("norm.kernel"):
            body = re.sub(r" attributes .*", "", body)  # where splits stand
            for place, name in enumerate(re.findall(r"(%\w+):", body)):
                hashes[name] = f"argument {place}"
        operands = [hashes[name] for name in re.findall(r"%\w+", body)]
        if body.startswith("norm.broadcast"):
            hashes[defined[1]] = operands[0]
            continue
        if body.startswith("arith.addf") and (pair := difference(operands, negated)):
            body = re.sub(r".* :", "arith.subf %a, %b :", body)
            operands = pair
        body = re.sub(r"%\w+", lambda _, each=iter(operands): f"({next(each)})", body)
        if defined:
            hashes.update({name: f"{coded(body)} {place}" for place, name in enumerate(defined[1].split(", "))})
        elif body.startswith("norm."):
            roots.append(body)
        if body.startswith("arith.negf"):
            negated[hashes[defined[1]]] = operands[0]
        elif body.startswith("arith.constant -"):
            negated[hashes[defined[1]]] = coded(body.replace("-", "", 1)) + " 0"
    return sorted(roots)


def coded(body):
    return hashlib.sha256(body.encode()).hexdigest()


def difference(operands, negated):
    for a, b in (operands, operands[::-1]):
        if b in negated:
            return [a, negated[b]]
    return None


def check(spec, folder, *options):
    text, ir = split(run(["norm-opt", f"--pass-pipeline={PASSES}"], emit(spec, *options)))
    again = save(folder, text)
    second, compiled = split(run(["norm-opt", f"--pass-pipeline={PASSES}"], emit(again)))
    if second != text:
        sys.exit(f"{spec} {options}: the text is\n{text}\nand of that\n{second}")
    if digest(ir) != digest(compiled):
        sys.exit(f"{spec} {options}: the kernel is\n{ir}\nas text\n{text}\nand of that\n{compiled}")


EXTENTS = {"n": 4, "c": 64, "g": 32, "d": 32}  # of others: 3


def check_gradient(spec, folder, *options):
    """Its text gives what it gives itself, on made-up data."""
    text = run(["normc", "gradient", spec, *options])
    head = text[: text.index(") ->")]
    inputs = []
    for name, element, dims in re.findall(r"(\w+): +(f32|i32)\[(.*)\]", head):
        extents = [str(EXTENTS.get(axis, 3)) for axis in dims.split(", ")]
        # A variance is positive, a length within the extent.
        data = "uniform(0.5,1.5)" if element == "f32" else "uniform(1,4)"
        inputs += ["--seed-input", f"{name}={'x'.join(extents)}:{element}:{data}"]
    for name in re.findall(r"(\w+): +f32[ ,\n]", head):
        inputs += ["--scalar", f"{name}=0.75"]
    outputs = re.findall(r"(\w+): ", text[text.index(") ->") : text.index(" {\n")])
    results = []
    again = save(folder, text)
    for number, command in enumerate(([spec, *options], [again])):
        for device in ("evaluator", "cpu"):
            path = os.path.join(folder, f"{number}-{device}.npz")
            asked = [word for name in outputs for word in ("--output", f"{name}={path}")]
            run(["normc", "run", *command, *inputs, *asked, "--device", device])
            results.append(np.load(path))
    derived, on_cpu, printed, printed_on_cpu = results
    for name in outputs:
        np.testing.assert_allclose(printed[name], derived[name], 1e-6, 1e-6, err_msg=f"{name}\n{text}")
        np.testing.assert_allclose(printed_on_cpu[name], on_cpu[name], 1e-4, 1e-4, err_msg=f"{name}\n{text}")


def save(folder, text):
    path = os.path.join(folder, "again.norm")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def written(folder, files):
    kernels, gradients = 0, 0
    for spec in files:
        with open(spec, encoding="utf-8") as file:
            source = file.read()
        bound = {}
        for name, head in re.findall(r"^kernel (\w+)(.*?)\{", source, re.MULTILINE | re.DOTALL):
            bound[name] = [f"-D{parameter}={value}" for parameter, value in BINDINGS.items() if f"{parameter}: int" in head]
            check(spec, folder, "-k", name, *bound[name])
            kernels += 1
        for name, of in re.findall(r"^gradient (\w+) of (\w+)", source, re.MULTILINE):
            bound[name] = bound[of]
            check_gradient(spec, folder, "-k", name, *bound[name])
            gradients += 1
    print(f"{kernels} kernels, {gradients} gradients")


def generated(folder, count):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path[:0] = [os.path.join(root, "fuzz"), os.path.join(root, "Integration")]
    from generate import Maker  # noqa: E402

    for number in range(count):
        spec = os.path.join(folder, "generated.norm")
        with open(spec, "w", encoding="utf-8") as file:
            file.write(Maker(1, number).make().text())
        check(spec, folder)


def main():
    folder, *files = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    if files[0] == "--generated":
        generated(folder, int(files[1]))
    else:
        written(folder, files)


if __name__ == "__main__":
    main()
