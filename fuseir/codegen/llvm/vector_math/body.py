"""What a vector math function consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fuseir.codegen.llvm.vector_math.values import Mask, Real


@dataclass(frozen=True, slots=True)
class Body:
    """A function's instructions.

    ``complete`` is right for all arguments, or for those up to ``limits`` by the element's width: beyond, it is the C library's
    turn. ``short`` gives the same bits where ``reach`` holds: it is what is written into loops, which call the other for vectors
    that hold a rare argument. All take as many operands as the function; one with limits has one. ``widths`` are those of the
    elements that it is for.
    """

    complete: Callable[..., Real]
    short: Callable[..., Real] | None = None
    reach: Callable[..., Mask] | None = None
    limits: Mapping[int, float] | None = None
    widths: tuple[int, ...] = (32, 64)
