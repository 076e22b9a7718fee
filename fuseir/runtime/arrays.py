"""Views in memory: where the elements of a view lie in its store's C-contiguous array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.dialects.dist.view import View

Array = np.ndarray[Any, np.dtype[Any]]


def contiguous_strides(shape: Shape, itemsize: int) -> list[int]:
    """The strides of a C-contiguous array, in bytes."""
    strides = [itemsize] * len(shape)
    for k in reversed(range(len(shape) - 1)):
        strides[k] = strides[k + 1] * max(shape[k + 1], 1)
    return strides


def view_strides(view: View, root_shape: Shape, itemsize: int) -> tuple[int, list[int]]:
    """Byte offset of a view's first element in its C-contiguous root, and its strides in bytes."""
    return strides_through(view, contiguous_strides(root_shape, itemsize))


def strides_through(view: View, root_strides: Sequence[int]) -> tuple[int, list[int]]:
    """The same in a root that lies in memory with these strides."""
    offset, strides = 0, [0] * len(view.shape)
    for coordinate, stride in zip(view.map().results, root_strides, strict=True):
        offset += coordinate.offset * stride
        if coordinate.dim is not None:
            strides[coordinate.dim] = coordinate.scale * stride
    return (0 if 0 in view.shape else offset), strides


def array_of_view(buffer: Array, view: View) -> Array:
    """The window onto a C-contiguous array, as a NumPy view that shares its memory."""
    if view.index_map is None:
        return buffer
    offset, strides = view_strides(view, buffer.shape, buffer.itemsize)
    return np.ndarray(view.shape, buffer.dtype, buffer.data if buffer.size else None, offset, strides)
