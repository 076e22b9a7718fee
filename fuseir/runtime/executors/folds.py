"""What is done with the buffers of points when all points are done: partials are folded into the store, copies written to it.

Both are launches of small kernels, which go the way of all kernels: the fold of points that share a tile is the reduction that
the numerics contract defines (docs/kernels.md §2), so ``init ⊕ T(x)`` of a generic is ``old ⊕ fold``, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any, Protocol, TypeVar

import numpy as np

from fuseir.codegen import abi
from fuseir.dialects.dist.partition import Interval, Shape
from fuseir.runtime.arrays import contiguous_strides
from fuseir.runtime.executors.native_call import Base, tile_dimension

Call = TypeVar("Call")
_Made = TypeVar("_Made", covariant=True)


class FoldCalls(Protocol[_Made]):
    """How an executor calls the kernels that folds take."""

    def fold_call(
        self,
        operator: str | None,
        dtype: np.dtype[Any],
        rank: int,
        domain: Shape,
        arguments: Sequence[tuple[Base, abi.ArgumentLayout]],
    ) -> _Made:
        """A call of the fold with an operator, or of the copy if that is None (``fold_kernels.py``). Raises CompileError."""
        ...


@dataclass(frozen=True)
class PointBuffers:
    """The buffers that points have of one argument: one ``tile`` each, C-contiguous, in row-major order of the domain.

    ``number`` is the buffer's in its step.
    """

    number: int
    domain: Shape
    tile: Shape
    dtype: np.dtype[Any]

    @property
    def tile_strides(self) -> list[int]:
        """Strides of one point's buffer, in bytes."""
        return contiguous_strides(self.tile, self.dtype.itemsize)

    @property
    def bytes_each(self) -> int:
        """Distance from one point's buffer to the next's; at least 1, as 0 would mean an ordinary argument."""
        return max(prod(self.tile) * self.dtype.itemsize, 1)

    @property
    def bytes(self) -> int:
        """The size of all of them."""
        return prod(self.domain) * self.bytes_each


def copy_call(buffers: PointBuffers, to: Base, strides: list[int], calls: FoldCalls[Call]) -> Call:
    """Copies the first point's buffer to elements with these strides."""
    source = _whole(buffers.tile, buffers.tile_strides)
    arguments = [(Base(None, 0, buffers.number), source), (to, _whole(buffers.tile, strides))]
    return calls.fold_call(None, buffers.dtype, len(buffers.tile), (), arguments)


def fold_calls(
    operator: str,
    buffers: PointBuffers,
    intervals: Sequence[Interval],
    to: Base,
    strides: list[int],
    scratch: int,
    calls: FoldCalls[Call],
) -> tuple[list[Call], int]:
    """Folds the partials of points that share a tile, and combines them into a view: its base and strides.

    Also the bytes of buffer number ``scratch`` that it takes.
    """
    domain, bytes_each = buffers.domain, buffers.bytes_each
    moving = sorted({i.launch_dim for i in intervals if i.launch_dim is not None})
    fixed = [j for j in range(len(domain)) if j not in moving]
    points_fixed = prod(domain[j] for j in fixed)
    point_strides = [bytes_each * stride for stride in contiguous_strides(domain, 1)]
    moving_stride, fixed_stride = (_common_stride(dims, domain, point_strides) for dims in (moving, fixed))
    made: list[Call] = []
    number, scratch_bytes = buffers.number, 0
    if moving_stride is None or fixed_stride is None:
        # Points that share a tile have no common stride: put them next to one another first.
        order = [*moving, *fixed]
        shape = (*(domain[j] for j in order), *buffers.tile)
        arranged = _whole(shape, [*(point_strides[j] for j in order), *buffers.tile_strides])
        contiguous = _whole(shape, contiguous_strides(shape, buffers.dtype.itemsize))
        moved = [(Base(None, 0, number), arranged), (Base(None, 0, scratch), contiguous)]
        made.append(calls.fold_call(None, buffers.dtype, len(shape), (), moved))
        number, scratch_bytes = scratch, buffers.bytes
        moving_stride, fixed_stride = points_fixed * bytes_each, bytes_each

    def pieces(dimension_strides: list[int]) -> list[abi.TileDimension]:
        return [
            tile_dimension(i, None if i.launch_dim is None else moving.index(i.launch_dim), stride)
            for i, stride in zip(intervals, dimension_strides, strict=True)
        ]

    sharing = abi.whole_dimension(points_fixed, fixed_stride)
    partials = abi.ArgumentLayout((sharing, *pieces(buffers.tile_strides)), moving_stride)
    folded = abi.ArgumentLayout(tuple(pieces(strides)))
    over = tuple(domain[j] for j in moving)
    arguments = [(Base(None, 0, number), partials), (to, folded)]
    return [*made, calls.fold_call(operator, buffers.dtype, len(buffers.tile), over, arguments)], scratch_bytes


def _whole(shape: Sequence[int], strides: Sequence[int]) -> abi.ArgumentLayout:
    return abi.ArgumentLayout(tuple(map(abi.whole_dimension, shape, strides)))


def _common_stride(dims: list[int], domain: Shape, strides: list[int]) -> int | None:
    """The distance of neighbours in the row-major list of these dimensions; None if it is not the same for all, 1 without neighbours."""
    dims = [j for j in dims if domain[j] != 1]
    if any(strides[outer] != strides[inner] * domain[inner] for outer, inner in pairwise(dims)):
        return None
    return strides[dims[-1]] if dims else 1
