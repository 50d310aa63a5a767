"""Kernels in which each value uses the one before it twice."""


def chain(name, first, step, last):
    steps = "".join(f"  let v{i + 1} = {step.format(f'v{i}')}\n" for i in range(60))
    print(f"kernel {name}(x: f32[n, c], g: f32[c]) -> y: f32[n, c] {{\n  let v0 = {first}\n{steps}  y = {last}\n}}")


chain("row", "sum(x over c)", "{0} * 0.5 + abs({0})", "x - v60")
chain("column", "g", "{0} * 0.5 + abs({0})", "x - v60 + sum(x over c)")
chain("position", "sum(x over c)", "{0} * 0.5 + at({0}, n = 0)", "x - v60")
chain("sums", "x", "{0} - sum({0} over c) + sum({0} over n)", "v60")
