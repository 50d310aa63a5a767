"""Runs normc and compares what it does with what was expected: the status to the number, what it prints by pattern, and
that nothing is left behind.

A script makes its calls of `expect`, then ends with `finish()`, which exits 1 where something was wrong.
"""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KERNELS = os.path.join(HERE, "kernels.norm")

_checks = 0
_failures = 0


def folder(path):
    """An empty folder, where the script then stands."""
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    os.chdir(path)


def fail(what, done=None):
    global _failures
    _failures += 1
    print(f"FAILED: {what}")
    if done is not None:
        print(f"  status {done.returncode}\n  stdout: {done.stdout[:600]}\n  stderr: {done.stderr[:600]}")


def run(arguments):
    return subprocess.run(["normc", *map(str, arguments)], capture_output=True, text=True, timeout=60, errors="replace")


def expect(arguments, status, stderr="", stdout="", made=()):
    """normc ends with `status`; `stderr` and `stdout` occur in what it prints; exactly the files `made` are new."""
    global _checks
    _checks += 1
    before = set(os.listdir("."))
    done = run(arguments)
    shown = " ".join(map(str, arguments))
    if done.returncode != status:
        fail(f"{shown}: expected status {status}", done)
    if not re.search(stderr, done.stderr):
        fail(f"{shown}: expected on stderr: {stderr}", done)
    if not re.search(stdout, done.stdout):
        fail(f"{shown}: expected on stdout: {stdout}", done)
    if status and not re.search(r"error: \S.*[^.\n]$", done.stderr, re.M):
        fail(f"{shown}: expected a diagnostic without a full stop", done)
    if status == 0 and done.stderr:
        fail(f"{shown}: expected nothing on stderr", done)
    new = set(os.listdir(".")) - before
    if new != set(made):
        fail(f"{shown}: expected the files {sorted(made)}, found {sorted(new)}", done)
    return done


def check(condition, what):
    global _checks
    _checks += 1
    if not condition:
        fail(what)


def finish(least):
    """At least `least` checks were made, and all of them held."""
    print(f"{_checks} checks, {_failures} failed")
    sys.exit(1 if _failures or _checks < least else 0)
