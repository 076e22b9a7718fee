"""What points on several threads write through `#dist.replicated`: each into a copy of its own, of which one becomes the contents.

All copies end up equal, but while a kernel runs its result may hold what is half done: two points must not share one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.view import View
from fuseir.runtime.arrays import Array, array_of_view, contiguous_strides
from fuseir.runtime.program_stores import dtype_of_store


@dataclass(frozen=True)
class Copies:
    """The copies of one argument: one a point, C-contiguous."""

    view: View
    points: int
    dtype: np.dtype[Any]

    @staticmethod
    def of(access: Access, points: int) -> Copies:
        """The copies of a launch argument."""
        return Copies(access.view, points, dtype_of_store(access.root))

    @property
    def tile_strides(self) -> list[int]:
        """Strides of one copy, in bytes."""
        return contiguous_strides(self.view.shape, self.dtype.itemsize)

    @property
    def bytes_each(self) -> int:
        """Distance from one point's copy to the next's; at least 1, as 0 would mean an ordinary argument."""
        return max(prod(self.view.shape) * self.dtype.itemsize, 1)

    def allocate(self) -> Array:
        """Copies for all points; contents undefined."""
        return np.empty((self.points, *self.view.shape), self.dtype)

    def fold_into(self, target: Array, copies: Array) -> None:
        """Makes one of the copies the contents of the argument."""
        array_of_view(target, self.view)[...] = copies[0]
