"""Indexing: views by basic indices, copies and assignments by arrays of positions and masks."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from fuseir.numpy.array import ndarray, repeats_elements
from fuseir.numpy.elementwise import CAST, as_array, as_operand, copied, launch, readable_beside, write
from fuseir.numpy.fallback import as_ours
from fuseir.numpy.opaque import change_in_stream, in_stream
from fuseir.runtime.signatures import Signature
from fuseir.runtime.tasks import defined_task, opaque_task

_BASIC = frozenset({int, slice, type(None), type(Ellipsis)})

_PUT_WHERE = {
    (dtype, kind): defined_task(f"task put_where(m: read, x: {kind}, z: read_write) {{ z = select(m, {cast}(x), z) }}")
    for dtype, cast in CAST.items()
    for kind in ("read", "scalar")
}


def get_item(array: ndarray, index: Any) -> Any:
    """``array[index]``: a view for basic indices, a scalar where those are one integer a dimension; else a copy of what they select.

    What others select is looked up now, as the result's shape depends on it.
    """
    signature = _shown(array.signature, index)
    if signature is None:
        return _selected(array, index)
    view = array.seen_as(signature)
    if signature.shape or index is Ellipsis or (type(index) is tuple and any(each is Ellipsis for each in index)):
        return view
    return copied(view)  # elements are no views


def set_item(array: ndarray, index: Any, value: Any) -> None:
    """``array[index] = value``. One value for all that a mask selects is a launch as any other; other selections are ordered among them."""
    if array.signature.view.index_map is not None and repeats_elements(array):
        raise ValueError("assignment destination is read-only")
    part = _shown(array.signature, index)
    if part is not None:
        write(array, part, value)
        return
    value = as_operand(value)
    single = not isinstance(value, ndarray) or not value.shape
    if isinstance(index, ndarray | np.ndarray) and index.dtype == bool and index.shape == array.shape and single:
        mask = readable_beside(as_array(index), array, array.shape)
        value = readable_beside(value, array, array.shape)
        launch(_PUT_WHERE[array.dtype, "read" if isinstance(value, ndarray) else "scalar"], mask, value, array)
        return
    if any(_is_mask(each) for each in (index if type(index) is tuple else (index,))):
        # How many values a mask takes depends on its elements.
        place, values = _plain(index), _plain(value)
        selected = np.broadcast_to(np.zeros((), array.dtype), array.shape)[place]
        np.broadcast_shapes(np.shape(values), selected.shape)

        def put(elements: np.ndarray[Any, Any]) -> None:
            elements[place] = values

        launch(opaque_task(put, ["read_write"], "put"), array)
        return
    _check_positions(array, index)
    change_in_stream(operator.setitem, (array, index, value), {})


def _shown(signature: Signature, index: Any) -> Signature | None:
    """What a basic index shows of arrays of a kind; None for other indices."""
    kind = type(index)
    if kind is tuple:
        # Two slices are what stencils are made of: they are looked up before anything else is asked.
        found = signature.by_pair(*index) if len(index) == 2 else None
        if found is not None:
            return found
        if not _BASIC.issuperset(map(type, index)) and not _is_basic(index):
            return None
    elif kind is not slice and kind is not int and not _is_basic(index):
        return None
    return signature.indexed(index)


def _selected(array: ndarray, index: Any) -> Any:
    """What an index with positions or masks selects: at once with a mask, as the shape depends on its elements; else in the stream."""
    if any(_is_mask(each) for each in (index if type(index) is tuple else (index,))):
        return as_ours(array.numpy()[_plain(index)])
    _check_positions(array, index)
    return in_stream(operator.getitem, (array, index), {})


def _is_mask(entry: Any) -> bool:
    """Whether an entry of an index is a truth value or an array of these."""
    if isinstance(entry, ndarray | np.ndarray):
        return entry.dtype.kind == "b"
    return isinstance(entry, bool | np.bool_) or (
        isinstance(entry, list) and np.asarray(_plain(entry)).dtype.kind == "b"
    )


def _check_positions(array: ndarray, index: Any) -> None:
    """Raises IndexError for positions that are known now and out of range; those that are computed are looked at when they are used."""
    entries = index if type(index) is tuple else (index,)
    if any(isinstance(each, np.ndarray | list) for each in entries):
        plain = tuple([np.zeros((), int) if isinstance(each, ndarray) else each for each in entries])
        np.broadcast_to(np.zeros((), np.int8), array.shape)[plain]


def _is_basic(index: Any) -> bool:
    """Whether an index is made of integers, slices, ``...`` and ``None``: the kind that makes views."""
    for entry in index if type(index) is tuple else (index,):
        kind = type(entry)
        if kind not in _BASIC and not (isinstance(entry, int | np.integer) and kind is not bool):
            return False
    return True


def _plain(index: Any) -> Any:
    """The same with NumPy's arrays in place of ours."""
    if isinstance(index, ndarray):
        return index.numpy()
    kind = type(index)
    return kind([_plain(each) for each in index]) if kind is tuple or kind is list else index
