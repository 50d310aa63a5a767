"""Writes specs that are too deep, too long or too large into a folder."""

import os
import sys

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def write(name, text):
    with open(os.path.join(folder, name + ".norm"), "w", encoding="utf-8") as file:
        file.write(text)


def kernel(expression, before=""):
    return before + "kernel f(x: f32[n]) -> y: f32[n] {\n  y = " + expression + "\n}\n"


write("parentheses", kernel("(" * 100000 + "x" + ")" * 100000))
write("minus", kernel("-" * 100000 + "x"))
write("nots", kernel("not " * 100000 + "x"))
write("calls", kernel("abs(" * 100000 + "x" + ")" * 100000))
chain = "fn f0(v) = v + 1\n" + "".join(f"fn f{i}(v) = f{i - 1}(v) * {i}\n" for i in range(1, 3000))
write("fn-chain", kernel("f2999(x)", chain))
doubling = "fn d0(v) = exp(v)\n" + "".join(f"fn d{i}(v) = d{i - 1}(d{i - 1}(v))\n" for i in range(1, 60))
write("doubling", kernel("d59(x)", doubling))
write("many", kernel(" + ".join(f"x * {i}" for i in range(60000))))
write("long-sum", kernel(" + ".join(["x"] * 90000)))
shared = "fn s0(v) = v + 1\n" + "".join(f"fn s{i}(v) = s{i - 1}(v) + s{i - 1}(v)\n" for i in range(1, 100))
write("shared", kernel("s99(x)", shared))
tensors = ", ".join(f"x{t}: f32[" + ", ".join(f"a{t}_{i}" for i in range(10)) + "]" for t in range(10))
write("axes", f"kernel f({tensors}) -> y: f32[] {{ y = 1 }}\n")
write("inputs", "kernel f(" + ", ".join(f"x{i}: f32[n]" for i in range(2000)) + ") -> y: f32[n] { y = x0 }\n")
write("units", "kernel f(x: f32[" + "1, " * 100 + "n]) -> y: f32[n] { y = x }\n")
ring = "".join(f"fn r{i}(v) = r{(i + 1) % 20000}(v)\n" for i in range(20000))
write("recursion", kernel("r0(x)", ring))
expensive = "fn d0(v) = exp(v)\n" + "".join(f"fn d{i}(v) = d{i - 1}(d{i - 1}(v))\n" for i in range(1, 17))
kernels = "".join(f"kernel f{i}(x: f32[n]) -> y: f32[n] {{ y = d16(x) }}\n" for i in range(3000))
write("many-kernels", kernel("d16(x)", expensive) + kernels)
write("long-line", kernel("x + " * 5000 + "zzz" + " + x" * 5000))
write("errors", kernel(" + ".join(f"z{i}" for i in range(5000))))
write("large", "// " + "x" * (5 << 20) + "\n")
