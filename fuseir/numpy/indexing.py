"""Indexing by arrays: masks and lists of positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuseir.numpy.array import ndarray
from fuseir.numpy.elementwise import CAST, as_array, as_operand, launch, readable_beside
from fuseir.numpy.fallback import as_ours
from fuseir.runtime.tasks import defined_task, opaque_task


def _plain(index: Any) -> Any:
    """The index with NumPy's arrays in place of ours."""
    if isinstance(index, ndarray):
        return index.numpy()
    kind = type(index)
    return kind([_plain(each) for each in index]) if kind is tuple or kind is list else index


def take_selected(array: ndarray, index: Any) -> Any:
    """The elements at an index that is no basic one: a copy. What shape it has is known when the index is, so it is looked up now."""
    return as_ours(array.numpy()[_plain(index)])


_WHERE = {
    pattern: {
        dtype: defined_task(
            f"task put_where(m: read, x: {'read' if pattern == 'a' else 'scalar'}, z: read_write) {{ z = select(m, {cast}(x), z) }}"
        )
        for dtype, cast in CAST.items()
    }
    for pattern in "as"
}


def put_selected(array: ndarray, index: Any, value: Any) -> None:
    """Assigns to the elements at an index that is no basic one. A number to what a mask selects is a launch as any other."""
    value = as_operand(value)
    single = not isinstance(value, ndarray) or not value.shape
    if isinstance(index, ndarray | np.ndarray) and index.dtype == bool and index.shape == array.shape and single:
        mask = readable_beside(as_array(index), array, array.shape)
        if isinstance(value, ndarray):
            value = readable_beside(value, array, array.shape)
        pattern = "a" if isinstance(value, ndarray) else "s"
        launch(_WHERE[pattern][array.dtype], mask, value, array)
        return
    place, values = _plain(index), _plain(value)

    def put(elements: np.ndarray[Any, Any]) -> None:
        elements[place] = values

    # Wrong indices and shapes are an error here, not when it runs: tried on memory that is not there.
    np.broadcast_to(np.zeros((), array.dtype), array.shape)[place]
    launch(opaque_task(put, ["read_write"], "put"), array)
