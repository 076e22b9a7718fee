"""Which dimension's loop goes around which, so that one nest computes several outputs.

An output that reduces needs the loops over the dimensions it keeps around those it reduces, and the latter in the order of its
reduction tree (docs/kernels.md, section 2). A sum over rows and a sum over columns contradict each other: no nest does both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reduction:
    """What an output keeps, and what it reduces, outermost first."""

    kept: tuple[int, ...]
    reduced: tuple[int, ...]


def loop_order(preferred: Sequence[int], reductions: Iterable[Reduction]) -> tuple[int, ...] | None:
    """The dimensions, outermost loop first, as near to ``preferred`` as the reductions allow; None if they contradict."""
    edges: set[tuple[int, int]] = set()
    for reduction in reductions:
        edges.update((k, r) for k in reduction.kept for r in reduction.reduced)
        edges.update(_consecutive(reduction))
    return _sort(preferred, edges)


def tree_order(preferred: Sequence[int], reductions: Iterable[Reduction]) -> tuple[int, ...] | None:
    """The dimensions as near to ``preferred`` as keeps every reduction tree; None if there is no such order."""
    return _sort(preferred, {edge for reduction in reductions for edge in _consecutive(reduction)})


def _consecutive(reduction: Reduction) -> Iterable[tuple[int, int]]:
    return zip(reduction.reduced, reduction.reduced[1:], strict=False)


def _sort(preferred: Sequence[int], edges: set[tuple[int, int]]) -> tuple[int, ...] | None:
    if not edges:
        return tuple(preferred)
    # Ranks are tiny: looking for the next dimension by trying all costs nothing.
    left = list(preferred)
    order: list[int] = []
    while left:
        inner = {inner for outer, inner in edges if outer in left}
        free = next((dimension for dimension in left if dimension not in inner), None)
        if free is None:
            return None
        left.remove(free)
        order.append(free)
    return tuple(order)
