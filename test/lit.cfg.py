"""How lit finds the tests and the tools they run."""

import os
import platform
import shutil
import sys

import lit.formats

config.name = "normc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".norm", ".test"]
config.excludes = ["data", "Inputs", "CMakeLists.txt", "README.md"]
config.test_source_root = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(config.test_source_root)

# `lit -Dbuild=build-asan test` picks another build folder.
build = os.path.join(root, lit_config.params.get("build", "build"))
config.test_exec_root = os.path.join(build, "test")

llvm = "/usr/lib/llvm-22/bin"
config.environment["PATH"] = os.pathsep.join([os.path.join(build, "bin"), llvm, os.environ.get("PATH", "")])
# LLVM's libraries are not instrumented: what its headers poison in our code, they do not unpoison.
config.environment["ASAN_OPTIONS"] = "allow_user_poisoning=0:detect_leaks=0"
# What has been tuned on this machine is no part of a test.
config.environment["NORMC_CACHE_DIR"] = os.path.join(config.test_exec_root, "cache")
# Diagnostics and printed numbers are the same in every locale.
config.environment["LC_ALL"] = "C.UTF-8"

venv = os.path.join(root, ".venv", "bin", "python3")
# lit itself may run in an interpreter without NumPy.
python = venv if os.path.exists(venv) else shutil.which("python3") or sys.executable

config.substitutions += [
    ("%python", python),
    ("%specs", os.path.join(root, "specs")),
    ("%data", os.path.join(config.test_source_root, "data")),
    ("%root", root),
]

for tool in ("norm-emit", "norm-math", "norm-opt", "normc", "runtime-test"):
    if not os.path.exists(os.path.join(build, "bin", tool)):
        lit_config.warning(f"{tool} is not built in {build}: its tests will fail")
config.available_features.add(platform.machine())
if os.path.exists("/proc/cpuinfo") and "avx512dq" in open("/proc/cpuinfo", encoding="utf-8").read().split():
    config.available_features.add("avx512")
