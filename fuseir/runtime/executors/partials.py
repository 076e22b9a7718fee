"""Reductions across points: one buffer of partials a launch, folded into the store when all points are done.

Points that share a tile are folded by the tree of the numerics contract, in row-major order of the launch domain; then the tile
becomes ``old ⊕ fold`` (docs/kernels.md §2). So results depend on shapes and partitions, never on threads or timing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.attributes import ShapedStoreType
from fuseir.dialects.dist.partition import Interval, Shape
from fuseir.dialects.dist.view import View
from fuseir.dtypes import DTYPES
from fuseir.runtime.arrays import Array, array_of_view, contiguous_strides
from fuseir.runtime.reduction_tree import combine, tree_reduce


@dataclass(frozen=True)
class Partials:
    """The partial buffers of one ``reduce`` argument: one tile a point, C-contiguous, in row-major order of the domain."""

    operator: str
    view: View
    domain: Shape
    intervals: tuple[Interval, ...]
    dtype: np.dtype[Any]

    @staticmethod
    def of(access: Access, domain: Shape, intervals: Sequence[Interval]) -> Partials:
        """The partials of a launch argument."""
        assert access.privilege.operator is not None
        assert isinstance(access.root.type, ShapedStoreType)
        dtype = DTYPES[str(access.root.type.element_type)]
        return Partials(str(access.privilege.operator), access.view, domain, tuple(intervals), dtype)

    @property
    def tile(self) -> Shape:
        """The extents of one buffer: no point's clipped tile is larger."""
        return tuple(min(interval.tile, interval.extent) for interval in self.intervals)

    @property
    def tile_strides(self) -> list[int]:
        """Strides of one buffer, in bytes."""
        return contiguous_strides(self.tile, self.dtype.itemsize)

    @property
    def bytes_each(self) -> int:
        """Distance from one point's buffer to the next's; at least 1, as 0 would mean an ordinary argument."""
        return max(prod(self.tile) * self.dtype.itemsize, 1)

    def allocate(self) -> Array:
        """Buffers for all points, of shape ``domain + tile``; contents undefined."""
        return np.empty((*self.domain, *self.tile), self.dtype)

    def fold_into(self, target: Array, partials: Array) -> None:
        """Folds the partials of points that share a tile, and combines them into the store's array in place."""
        view = array_of_view(target, self.view)
        moving = sorted({i.launch_dim for i in self.intervals if i.launch_dim is not None})
        if 0 in self.domain:
            return
        fixed = [j for j in range(len(self.domain)) if j not in moving]
        rank = len(self.domain)
        # Axes: the dimensions that choose a tile, then those that share it (in order: row-major), then the tile's own.
        arranged = partials.transpose([*moving, *fixed, *range(rank, partials.ndim)])
        for chosen in np.ndindex(*(self.domain[j] for j in moving)):
            coordinates = dict(zip(moving, chosen, strict=True))
            box = [i.at(0 if i.launch_dim is None else coordinates[i.launch_dim]) for i in self.intervals]
            if any(r.empty for r in box):
                continue
            within = tuple(slice(0, r.high - r.low) for r in box)
            sharing = arranged[chosen][(..., *within)]
            points = sharing.reshape((prod(self.domain[j] for j in fixed), *sharing.shape[len(fixed) :]))
            where = tuple(slice(r.low, r.high) for r in box)
            view[where] = combine(self.operator, view[where], tree_reduce(self.operator, points, 0))
