"""What reductions start from."""

from __future__ import annotations

from math import inf

from fuseir.codegen.elements import ElementType
from fuseir.errors import UnsupportedError


def identity(name: str, element: ElementType) -> bool | int | float:
    """The identity of the combiner called ``name``; :class:`UnsupportedError` if it is no combiner."""
    if name == "arith.addf":
        return -0.0  # and not +0: -0 + +0 would lose the sign of a sum of -0
    if name in ("arith.mulf", "arith.muli"):
        return 1
    if name in ("arith.minimumf", "arith.maximumf"):
        return inf if name == "arith.minimumf" else -inf
    if name in ("arith.addi", "arith.ori", "arith.xori", "arith.maxui"):
        return 0
    if name in ("arith.andi", "arith.minui"):
        return -1
    if name in ("arith.minsi", "arith.maxsi"):
        return element.signed_range[1 if name == "arith.minsi" else 0]
    raise UnsupportedError(f"a reduction cannot combine with the operation {name}")
