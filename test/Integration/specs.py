"""Every kernel of specs/ beside its formula: f32, half-precision data with f32 parameters, and pure f16, bf16 and f64.

Arguments: the files whose kernels to test (`group_norm batch_norm`), or `all`.
"""

import sys

from backward_cases import backward_cases
from batch_cases import batch_cases
from case import CASES
from group_cases import group_cases
from harness import check, finish
from layer_cases import layer_cases
from other_cases import other_cases, residual_cases


def main():
    for family in (layer_cases, group_cases, batch_cases, residual_cases, other_cases, backward_cases):
        family()
    files = sys.argv[1:]
    unknown = set(files) - {case.file for case in CASES} - {"all"}
    if unknown:
        raise SystemExit(f"no cases for {', '.join(sorted(unknown))}")
    for case in CASES:
        if "all" not in files and case.file not in files:
            continue
        for precision in case.precisions:
            # The evaluator computes in double whatever the types: one precision shows that it reads the text alike. The
            # large case is the compiled kernel's alone.
            evaluate = precision == case.precisions[0] and "walk-through" not in case.title
            devices = ("cpu", "evaluator") if evaluate else ("cpu",)
            for device in devices:
                check(f"{case.title}, {precision}, on {device}", case.test, precision, device)
    finish()


main()
