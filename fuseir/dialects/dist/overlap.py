"""Which points of a launch domain share elements of a store: the question behind every point-wise dependence.

Two accesses to one store conflict only where pieces meet; fusion needs to know whether any two *different* points are concerned
(Diffuse §4.1, Definitions 2 and 3).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import View, views_meet


class Overlap(Enum):
    """How the pieces of two accesses to one store meet."""

    APART = "apart"
    """No element is in a piece of the one and in a piece of the other, at any two points, equal or not."""

    SAME_POINT = "same_point"
    """Elements are shared, but only between the two pieces of one and the same point."""

    CROSSING = "crossing"
    """Pieces of two different points may share an element."""


class Pieces(NamedTuple):
    """What each point of a launch domain gets of a store: a partition of a view of it."""

    store_shape: Shape
    view: View
    partition: Partition


def overlap(a: Pieces, b: Pieces, domain: Shape) -> Overlap:
    """How two accesses to one store meet over a launch domain. Sound: ``CROSSING`` where unsure."""
    if 0 in domain or not views_meet(a.view, b.view):
        return Overlap.APART
    if all(count == 1 for count in domain):
        return Overlap.SAME_POINT
    shape = a.view.shape
    if (
        a.view == b.view
        and not a.view.repeats
        and a.partition.same_tiles(b.partition, shape, domain)
        and a.partition.disjoint(shape, domain)
    ):
        return Overlap.SAME_POINT
    return Overlap.CROSSING
