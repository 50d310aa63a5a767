"""Every example of specs/README.md: checked, and each of its kernels compiled to an object for this machine. Every
standard spec: checked, and listed on that page.

A comment in an example whose line begins with `-D` binds parameters that have no default. Kernels across replicas and
derived gradients are checked only.
"""

import os
import re

from harness import SPECS, Failure, check, finish, normc, scratch

BLOCK = re.compile(r"^```norm\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def examples():
    with open(os.path.join(SPECS, "README.md"), encoding="utf-8") as file:
        text = file.read()
    return [(text[: m.start()].count("\n") + 2, m.group(1)) for m in BLOCK.finditer(text)]


def written(line, text):
    path = os.path.join(scratch(), f"line-{line}.norm")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def expect(done, status=0):
    if done.returncode != status:
        raise Failure(f"status {done.returncode}: {done.stderr.strip()}")


def checked(line, text):
    done = normc("check", written(line, text), "-I", SPECS)
    expect(done)
    for name in re.findall(r"^(?:kernel|gradient) (\w+)", text, re.MULTILINE):
        if name not in done.stdout:
            raise Failure(f"the signature of {name} is not printed")


def compiled(line, text, kernel):
    binding = re.search(r"// (-D .*)$", text, re.MULTILINE)
    target = os.path.join(scratch(), f"line-{line}-{kernel}.o")
    options = binding.group(1).split() if binding else []
    expect(
        normc(
            "compile",
            written(line, text),
            "-I",
            SPECS,
            "-k",
            kernel,
            *options,
            "--target",
            "cpu",
            "--emit",
            "object",
            "-o",
            target,
        )
    )
    if os.path.getsize(target) == 0:
        raise Failure("an empty object")


def standard(name):
    path = os.path.join(SPECS, name)
    done = normc("check", path)
    expect(done)
    with open(path, encoding="utf-8") as file:
        declared = re.findall(r"^(?:kernel|gradient) (\w+)", file.read(), re.MULTILINE)
    with open(os.path.join(SPECS, "README.md"), encoding="utf-8") as file:
        page = file.read()
    for kernel in declared:
        if kernel not in done.stdout:
            raise Failure(f"the signature of {kernel} is not printed")
    if f"({name})" not in page:
        raise Failure("not mentioned in specs/README.md")


def main():
    for name in sorted(os.listdir(SPECS)):
        if name.endswith(".norm"):
            check(f"specs/{name}", standard, name)
    found = examples()
    if len(found) < 15:
        raise SystemExit(f"only {len(found)} examples found in specs/README.md")
    for line, text in found:
        check(f"specs/README.md:{line}, check", checked, line, text)
        for kernel in re.findall(r"^kernel (\w+)", text, re.MULTILINE):
            if "across replicas" not in text:
                check(f"specs/README.md:{line}, compile {kernel}", compiled, line, text, kernel)
    finish()


main()
