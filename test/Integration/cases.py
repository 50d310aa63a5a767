"""The cases of all standard kernels, from the lists by family."""

from backward_cases import backward_cases
from batch_cases import batch_cases
from case import CASES
from group_cases import group_cases
from layer_cases import layer_cases
from other_cases import other_cases, residual_cases


def cases_of(files):
    """Those of the files of specs/ that are named (`group_norm batch_norm`), or of `all`."""
    for family in (layer_cases, group_cases, batch_cases, residual_cases, other_cases, backward_cases):
        family()
    unknown = set(files) - {case.file for case in CASES} - {"all"}
    if unknown:
        raise SystemExit(f"no cases for {', '.join(sorted(unknown))}")
    return [case for case in CASES if "all" in files or case.file in files]
