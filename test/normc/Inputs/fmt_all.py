"""Formats copies of every .norm file below two folders: what normc check prints of each, and the norm stage of its first
kernel, must be the same before and after. usage: fmt_all.py SPECS TESTS OUT"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

specs, tests, out = map(Path, sys.argv[1:])
for folder in (specs, tests):
    for file in folder.rglob("*.norm"):
        copy = out / folder.resolve().name / file.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)


def normc(*words):
    return subprocess.run(["normc", *map(str, words)], capture_output=True, text=True, encoding="utf-8", errors="replace")


def meaning(file):
    checked, emitted = normc("check", file), normc("compile", file, "--emit", "norm", "-o", "-")
    values = re.sub(r"[^\s\"]+\.norm:\d+:\d+", "", emitted.stdout)  # without places
    return checked.returncode, checked.stdout, values


files = sorted(out.rglob("*.norm"))
before = {file: meaning(file) for file in files}
formatted = 0
for file in files:
    text = file.read_bytes()
    result = normc("fmt", file)
    if result.returncode == 0:
        formatted += 1
    elif result.returncode != 1 or file.read_bytes() != text:
        sys.exit(f"{file}: status {result.returncode}: {result.stderr}")
for file in files:
    if meaning(file) != before[file]:
        sys.exit(f"{file}: means something else in canonical layout")
print(f"{formatted} files mean the same")
