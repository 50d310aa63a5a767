"""Every kernel of specs/ beside its formula: f32, half-precision data with f32 parameters, and pure f16, bf16 and f64.

Arguments: the files whose kernels to test (`group_norm batch_norm`), or `all`.
"""

import sys

from cases import cases_of
from harness import check, finish


def main():
    for case in cases_of(sys.argv[1:]):
        for precision in case.precisions:
            # The evaluator computes in double whatever the types: one precision shows that it reads the text alike. The
            # large case is the compiled kernel's alone.
            evaluate = precision == case.precisions[0] and "walk-through" not in case.title
            devices = ("cpu", "evaluator") if evaluate else ("cpu",)
            for device in devices:
                check(f"{case.title}, {precision}, on {device}", case.test, precision, device)
    finish()


main()
