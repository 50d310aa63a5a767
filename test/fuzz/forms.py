"""Which forms a plan has: how its phases, passes and reductions were arranged."""

import math
import re

FORMS = {
    "one phase": lambda text: text.count("norm.phase") == 1,
    "several phases": lambda text: text.count("norm.phase") > 1,
    "a phase of one block": lambda text: "norm.phase []" in text or "norm.phase {" in text,
    "blocks of a map": lambda text: re.search(r"norm\.phase \[[^]]*_tile", text),
    "blocks of rows": lambda text: re.search(r"norm\.phase \[[^]]*_rows", text),
    "blocks of chunks": lambda text: re.search(r"norm\.phase \[[^]]*_chunk", text),
    "a reduction along the lanes": lambda text: re.search(r"norm\.pass \[[^]]*\] \(", text),
    "a reduction across the lanes": lambda text: "norm.store sum" in text,
    "a pass in a pass": lambda text: re.search(
        r"norm\.pass [^\n]*\{\n(?:(?! *norm\.pass| *\}).*\n)* *(?:%\S+ = )?norm\.pass", text
    ),
    "a maximum or minimum of lanes": lambda text: re.search(r"norm\.pass \[[^]]*\] \([^)]*(max|min)", text),
    "an any or all of lanes": lambda text: re.search(r"norm\.pass \[[^]]*\] \([^)]*(any|all)", text),
    "several reductions in a pass": lambda text: re.search(r"norm\.pass \[[^]]*\] \(\w+, ", text),
    "a result kept for later phases": lambda text: "norm.workspace" in text,
    "a position given": lambda text: "at [" in text,
    "axes swept as one": lambda text: re.search(r"norm\.pass \[[^]]*\w+_\w+\]", text),
    "a fused multiply and add": lambda text: "math.fma" in text,
    "blocks side by side": lambda text: "] vectorized {" in text,
    "the resident variant": None,
    "the streamed variant": None,
}


def extent_of(name, rows, extents):
    if name in extents:
        return extents[name]
    parts = rows.get(name)
    return math.prod(extent_of(part, rows, extents) for part in parts) if parts else 0


def forms_of(text, extents):
    """The forms of the variant of a plan that runs."""
    seen, variants = set(), re.split(r"(?m)^(?=  norm\.kernel|norm\.kernel)", text)[1:]
    for variant in variants:
        rows = {m[1]: (m[2], m[3]) for m in re.finditer(r"(\w+) = (\w+) \* (\w+)", variant)}
        guards = re.findall(r"\{axes = \[([^]]*)\], (most|over) = (\d+)", variant.split("\n")[0])
        points = [math.prod(extent_of(name, rows, extents) for name in re.findall(r"\w+", axes)) for axes, _, _ in guards]
        if any((count > int(bound)) != (kind == "over") for count, (_, kind, bound) in zip(points, guards)):
            continue
        if guards:
            streamed = "_streamed" in variant.split("(")[0]
            seen.add("the streamed variant" if streamed else "the resident variant")
        seen |= {form for form, test in FORMS.items() if test and test(variant)}
    return seen
