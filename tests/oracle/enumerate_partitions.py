"""Partitions and views by enumeration: what each point gets, element by element.

The slow, obvious counterpart of the partition algebra. It takes the numbers of a tiling (tile, offset, projection) or of a view
(shape, map) and lists elements one at a time, by the definitions in docs/ir.md; it shares no code with the algebra. A set of
elements is the bits of one integer, so that union, intersection and comparison are single operations.

A coordinate of a map is ``(dim, scale, offset)``: ``point[dim] * scale + offset``, or the constant ``offset`` where ``dim`` is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

Shape = tuple[int, ...]
Coordinate = tuple[int | None, int, int]


class TilingNumbers(NamedTuple):
    """A tiling as docs/ir.md writes it."""

    tile: Shape
    offset: Shape
    projection: tuple[Coordinate, ...]


def points(domain: Shape) -> list[Shape]:
    """Every point of the box ``[0, d0) × [0, d1) × …``."""
    return list(product(*map(range, domain)))


def value(coordinate: Coordinate, point: Sequence[int]) -> int:
    """One coordinate of a map at a point."""
    dim, scale, offset = coordinate
    return offset if dim is None else point[dim] * scale + offset


def bits(indices: Sequence[Iterable[int]], shape: Shape) -> int:
    """The set of elements whose index in each dimension is one of those listed."""
    elements, size = 1, 1
    for listed, extent in zip(reversed(indices), reversed(shape), strict=True):
        # `elements` is a set of elements of the inner dimensions, `size` of them in all: one copy for each index listed.
        elements = sum(elements << (index * size) for index in set(listed))
        size *= extent
    return elements


def everything(shape: Shape) -> int:
    """The set of all elements."""
    return bits([range(extent) for extent in shape], shape)


# Partitions


def indices(tiling: TilingNumbers, shape: Shape, point: Shape) -> list[list[int]]:
    """The indices in each dimension that ``point`` gets: one tile long, clipped to the index space."""
    listed: list[list[int]] = []
    for tile, offset, coordinate, extent in zip(*tiling, shape, strict=True):
        start = value(coordinate, point) * tile + offset
        listed.append([index for index in range(extent) if start <= index < start + tile])
    return listed


def pieces(tiling: TilingNumbers | None, shape: Shape, domain: Shape) -> list[int]:
    """What each point of the domain gets. None is the partition that gives everything to every point."""
    if tiling is None:
        return [everything(shape)] * len(points(domain))
    return [bits(indices(tiling, shape, point), shape) for point in points(domain)]


def union(sets: Iterable[int]) -> int:
    """The elements in at least one of the sets."""
    together = 0
    for each in sets:
        together |= each
    return together


def pairwise_disjoint(sets: Iterable[int]) -> bool:
    """Whether no element is in two of the sets."""
    seen = 0
    for each in sets:
        if seen & each:
            return False
        seen |= each
    return True


# Views


def targets(shape: Shape, index_map: Sequence[Coordinate]) -> list[Shape]:
    """The store index behind each index of a view."""
    return [tuple(value(coordinate, index) for coordinate in index_map) for index in points(shape)]


def inside(index: Shape, shape: Shape) -> bool:
    """Whether an index lies in an index space."""
    return all(0 <= i < extent for i, extent in zip(index, shape, strict=True))
