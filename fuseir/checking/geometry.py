"""Which elements of a store each point of a launch gets: from the numbers of the attributes, point by point.

Written anew for the checker on purpose, without the algebra of ``dialects/dist`` that the passes rely on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fuseir.checking.hashing import mix

Shape = tuple[int, ...]
MapNumbers = tuple[tuple[int | None, int, int], ...]
"""For each result of an index map: the dimension it uses (or None), its scale, its offset."""


class TilingNumbers(NamedTuple):
    """The numbers of a ``#dist.tiling``."""

    tile: Shape
    offset: Shape
    projection: MapNumbers


class ArgumentNumbers(NamedTuple):
    """All that decides who gets what of an argument. ``tiling`` of None: each point gets the whole view."""

    store_shape: Shape
    view_shape: Shape
    view: MapNumbers | None
    tiling: TilingNumbers | None


class Piece(NamedTuple):
    """The elements of one point, as NumPy takes them out of the store: ``offset`` and ``strides`` count elements.

    ``key`` is a word for the shape, which a task can see. A piece without dimensions is a row of one element: NumPy treats single numbers
    otherwise than arrays.
    """

    shape: Shape
    offset: int
    strides: tuple[int, ...]
    size: int
    key: int

    def of(self, store: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The piece of a store that is held as one row of words; the piece must not be empty. Writing to it writes to the store."""
        return np.ndarray(self.shape, np.uint64, store, 8 * self.offset, tuple(8 * stride for stride in self.strides))


def pieces_of(numbers: ArgumentNumbers, domain: Shape) -> tuple[Piece, ...]:
    """The pieces of all points of a launch domain, in row-major order of the points."""
    return _remembered(numbers, domain) if prod(domain) <= 64 else _pieces_of(numbers, domain)


def _pieces_of(numbers: ArgumentNumbers, domain: Shape) -> tuple[Piece, ...]:
    base, strides = _strides(numbers)
    shape, tiling = numbers.view_shape, numbers.tiling
    if tiling is None:
        return (_piece(base, strides, shape, (0,) * len(shape), shape),) * prod(domain)
    pieces: list[Piece] = []
    for point in product(*(range(extent) for extent in domain)):
        low: list[int] = []
        high: list[int] = []
        for tile, offset, (dim, scale, shift), extent in zip(*tiling, shape, strict=True):
            coordinate = shift if dim is None else point[dim] * scale + shift
            start = coordinate * tile + offset
            low.append(max(start, 0))
            high.append(min(start + tile, extent))
        pieces.append(_piece(base, strides, shape, low, high))
    return tuple(pieces)


_remembered = lru_cache(1 << 13)(_pieces_of)


def _strides(numbers: ArgumentNumbers) -> tuple[int, tuple[int, ...]]:
    """Where in the store the view starts, and how far apart its elements are, in each of its dimensions."""
    steps = [prod(numbers.store_shape[k + 1 :]) for k in range(len(numbers.store_shape))]
    if numbers.view is None:
        return 0, tuple(steps)
    start, strides = 0, [0] * len(numbers.view_shape)
    for step, (dim, scale, offset) in zip(steps, numbers.view, strict=True):
        start += step * offset
        if dim is not None:
            strides[dim] += step * scale
    return start, tuple(strides)


def _piece(base: int, strides: tuple[int, ...], shape: Shape, low: Sequence[int], high: Sequence[int]) -> Piece:
    extents = tuple(max(0, last - first) for first, last in zip(low, high, strict=True))
    key = len(shape)
    for extent in extents:
        key = mix(key, extent)
    size = prod(extents)
    if not extents:
        return Piece((1,), base, (1,), 1, key)
    if size == 0:
        return Piece(extents, 0, (0,) * len(extents), 0, key)
    offset = base + sum(first * stride for first, stride in zip(low, strides, strict=True))
    return Piece(extents, offset, strides, size, key)
