"""`normc compile`: stages as text, products as files, several at once, all of them in a folder."""

import os
import subprocess
import sys

from cli import KERNELS, check, expect, finish, folder

folder(sys.argv[1])
compile = ["compile", KERNELS, "-k", "copy", "--target", "cpu:x86-64-v3"]

STAGES = {
    "ast": ("ast.norm", r"kernel copy\("),
    "norm": ("norm.mlir", "norm.kernel @copy"),
    "specialized": ("specialized.mlir", "norm.kernel @copy"),
    "collapsed": ("collapsed.mlir", "norm.kernel @copy"),
    "decomposed": ("decomposed.mlir", "norm.kernel @copy"),
    "planned": ("planned.mlir", "norm.phase"),
    "vector": ("vector.mlir", "func"),
    "llvm": ("llvm.ll", "define"),
    "asm": ("asm.s", "copy_phase0"),
}

for stage, (suffix, pattern) in STAGES.items():
    expect([*compile, "--emit", stage], 0, stdout=pattern)
    expect([*compile, "--emit", stage, "-o", "-"], 0, stdout=pattern)
    expect([*compile, "--stop-after", stage], 0, stdout=pattern)
    expect([*compile, "--emit", stage, "-o", f"only.{stage}"], 0, stdout="^$", made=[f"only.{stage}"])

# Several to standard output stand one after the other; in files, -o begins their names.
expect([*compile, "--emit", "planned,norm"], 0, stdout="(?s)// ----- planned -----.*norm.phase.*// ----- norm -----")
expect(
    [*compile, "--emit", "decomposed", "--emit", "collapsed,asm", "-o", "out"],
    0,
    made=["out.decomposed.mlir", "out.collapsed.mlir", "out.asm.s"],
)

# All stages, with and without a product; up to one.
names = [f"{number}.{suffix}" for number, (suffix, _) in enumerate(STAGES.values(), 1)]
expect([*compile, "--dump-stages", "all"], 0, stdout="^$", made=["all"])
check(sorted(os.listdir("all")) == sorted(names), os.listdir("all"))
expect([*compile, "--dump-stages", "some", "--stop-after", "planned"], 0, made=["some"])
check(sorted(os.listdir("some")) == sorted(names[:6]), os.listdir("some"))
expect([*compile, "--dump-stages", "more/nested", "-o", "copy.o"], 0, made=["more", "copy.o"])
check(sorted(os.listdir("more/nested")) == sorted(names), os.listdir("more/nested"))

# Products: an object that needs nothing, and a library that can be loaded.
with open("copy.o", "rb") as file:
    check(file.read(4) == b"\x7fELF", "no ELF file")
needed = subprocess.run(["llvm-nm", "-u", "copy.o"], capture_output=True, text=True).stdout
check(needed.strip() == "", f"undefined symbols: {needed}")
expect([*compile, "--emit", "shared", "-o", "copy.so"], 0, made=["copy.so"])
exported = subprocess.run(["llvm-nm", "-D", "--defined-only", "copy.so"], capture_output=True, text=True).stdout
check("copy_phase0" in exported and "copy_workspace_bytes" in exported, f"exported: {exported}")
expect([*compile, "--emit", "object,shared,asm", "-o", "both"], 0, made=["both.o", "both.so", "both.asm.s"])

# What cannot be written or compiled leaves nothing behind.
expect([*compile, "-o", "none/copy.o"], 3, "there is no directory `none`")
expect([*compile, "--emit", "asm,object", "-o", "none/copy"], 3, "there is no directory `none`")
expect([*compile, "--dump-stages", "copy.o"], 3, "cannot make the directory")
with open("wrong.norm", "w") as file:
    file.write("kernel k(x: f32[n]) -> (y: f32[n]) {\n  y = x + z\n}\n")
expect(["compile", "wrong.norm", "-o", "wrong.o", "--dump-stages", "wrong"], 1, "wrong.norm:2:11: error")
with open("later.norm", "w") as file:
    file.write(
        "kernel k(x: f32[n, c]) -> (y: f32[n, c]) {\n  y = x - mean(x over n across replicas)\n}\n"
        "gradient kb of k {\n  of y\n  wrt x\n}\n"
    )
expect(["check", "later.norm"], 0, stdout="k.*\nkb")
expect(["compile", "later.norm", "-o", "later.o"], 0, made=["later.o"])
exported = subprocess.run(["llvm-nm", "--defined-only", "later.o"], capture_output=True, text=True).stdout
check("_exchange0" in exported, f"exported: {exported}")

finish(55)
