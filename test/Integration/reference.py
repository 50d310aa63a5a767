"""Every example of README.md and specs/README.md: checked, and each of its kernels and gradients compiled to an object
for this machine. Every standard spec: checked, and listed in specs/README.md.

A comment in an example whose line begins with `-D` binds parameters that have no default.
"""

import os
import re

from harness import ROOT, SPECS, Failure, check, finish, normc, scratch

BLOCK = re.compile(r"^```norm\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def examples(page):
    """Pairs of the place and the text of an example."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        text = file.read()
    return [(f"{page}:{text[: m.start()].count(chr(10)) + 2}", m.group(1)) for m in BLOCK.finditer(text)]


def written(place, text):
    path = os.path.join(scratch(), f"{place.replace('/', '-')}.norm")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def expect(done, status=0):
    if done.returncode != status:
        raise Failure(f"status {done.returncode}: {done.stderr.strip()}")


def checked(place, text):
    done = normc("check", written(place, text), "-I", SPECS)
    expect(done)
    for name in re.findall(r"^(?:kernel|gradient) (\w+)", text, re.MULTILINE):
        if name not in done.stdout:
            raise Failure(f"the signature of {name} is not printed")


def compiled(place, text, kernel):
    binding = re.search(r"// (-D .*)$", text, re.MULTILINE)
    target = os.path.join(scratch(), f"{place.replace('/', '-')}-{kernel}.o")
    options = binding.group(1).split() if binding else []
    expect(
        normc(
            "compile",
            written(place, text),
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
    for page, least in (("README.md", 1), ("specs/README.md", 15)):
        found = examples(page)
        if len(found) < least:
            raise SystemExit(f"only {len(found)} examples found in {page}")
        for place, text in found:
            check(f"{place}, check", checked, place, text)
            for kernel in re.findall(r"^(?:kernel|gradient) (\w+)", text, re.MULTILINE):
                check(f"{place}, compile {kernel}", compiled, place, text, kernel)
    finish()


main()
