"""Other shapes of the same elements, and other types of the same bytes, where NumPy makes views.

A view of ours shows a box of a store: dimensions can be permuted, reversed, dropped and added, but not merged or split. For what merges or
splits dimensions, or elements, the result has a store of its own, which mirrors the part of the original that it shows: as long as both can
be seen, a launch that writes to one is followed by a copy to the other. Programs cannot tell it from a view; it costs a copy a write.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.view import View
from fuseir.dtypes import ELEMENT_NAMES
from fuseir.errors import UnsupportedError
from fuseir.numpy.array import ndarray, normalized_axes
from fuseir.numpy.elementwise import as_array, copied, launch, new_array
from fuseir.runtime.arrays import contiguous_strides, strides_through
from fuseir.runtime.signatures import Signature
from fuseir.runtime.stores import Handle, RootStore
from fuseir.runtime.tasks import opaque_task


def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None) -> ndarray:
    """The elements in another shape: a view, or what cannot be told from one, where NumPy makes a view; else a copy.

    Raises ValueError where the number of elements differs, and for ``copy=False`` where NumPy would copy.
    """
    array = as_array(a)
    if order not in ("C", "F", "A"):
        raise ValueError(f"order must be one of 'C', 'F' or 'A' (got {order!r})")
    if order == "F" or (order == "A" and _lies_in_fortran_order(array)):
        return reshape(array.transpose(), tuple(reversed(_extents(array, shape))), copy=copy).transpose()
    extents = _extents(array, shape)
    signature = _unit_view(array.signature, extents)
    if signature is not None:
        found = array.seen_as(signature)
        return copied(found, ndarray) if copy else found
    result = _reshaped(array, extents)
    if copy:
        return result
    strides = _strides_in_numpy(array, extents)
    if strides is not None:
        _mirror(array, result, strides)
    elif copy is False:
        raise ValueError("Unable to avoid creating a copy while reshaping.")
    return result


def _extents(array: ndarray, shape: Any) -> tuple[int, ...]:
    """The shape asked for, with -1 worked out."""
    given = (shape,) if hasattr(shape, "__index__") else tuple(shape)
    extents = list(map(operator.index, given))
    unknown = [k for k, extent in enumerate(extents) if extent == -1]
    if len(unknown) > 1:
        raise ValueError("can only specify one unknown dimension")
    known = prod([extent for extent in extents if extent != -1])
    if unknown and known and array.size % known == 0:
        extents[unknown[0]] = array.size // known
    if prod(extents) != array.size or min(extents, default=0) < 0:
        raise ValueError(f"cannot reshape array of size {array.size} into shape {tuple(given)}")
    return tuple(extents)


def _unit_view(signature: Signature, extents: tuple[int, ...]) -> Signature | None:
    """The view of that shape, if the shapes differ in dimensions of extent 1 only."""
    if extents == signature.shape:
        return signature
    key = _unit_view, extents
    if key not in signature.memo:
        old = [(k, extent) for k, extent in enumerate(signature.shape) if extent != 1]
        new = [(k, extent) for k, extent in enumerate(extents) if extent != 1]
        found = None
        if [extent for _, extent in old] == [extent for _, extent in new]:
            place = {k: n for (k, _), (n, _) in zip(old, new, strict=True)}
            rank = len(signature.shape)
            results = [Coordinate(place[k], 1, 0) if k in place else Coordinate(None, 0, 0) for k in range(rank)]
            found = signature.through(View(extents, IndexMap(len(extents), tuple(results))))
        signature.memo[key] = found
    return signature.memo[key]


def _copy_elements(source: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> None:
    if source.dtype != target.dtype:
        source = np.ascontiguousarray(source).reshape(-1).view(target.dtype)
    target[...] = source.reshape(target.shape)


_COPY_ELEMENTS = opaque_task(_copy_elements, ["read", "write"], "copy_elements")


def _reshaped(array: ndarray, extents: tuple[int, ...]) -> ndarray:
    result = new_array(extents, array.dtype)
    launch(_COPY_ELEMENTS, array, result)
    return result


def _strides_in_numpy(array: ndarray, extents: tuple[int, ...]) -> tuple[int, ...] | None:
    """The strides of NumPy's view of that shape: asked of an array with the same strides. None if NumPy makes a copy."""
    found = stand_in(array)
    try:
        found.shape = extents  # pyright: ignore[reportDeprecated] (nothing else asks without copying)
    except AttributeError:
        return None
    return found.strides


def stand_in(array: ndarray) -> np.ndarray[Any, Any]:
    """An array of NumPy's with the shape, strides and element type that NumPy's would have, and no elements that anyone may look at."""
    signature = array.signature
    strides: Sequence[int] = contiguous_strides(signature.store_shape, signature.dtype.itemsize)
    layout = _layout(array.root)
    if layout is not None:
        strides = layout.strides
    _, strides = strides_through(signature.view, strides)
    return np.lib.stride_tricks.as_strided(np.empty(1, signature.dtype), signature.shape, strides)


def view(array: ndarray, dtype: np.dtype[Any]) -> ndarray:
    """The array's bytes as elements of another type: what cannot be told from NumPy's view.

    Raises ValueError and TypeError as NumPy does, and UnsupportedError for types that stores cannot hold, and for truth values, which not
    all bytes are.
    """
    if dtype == array.dtype:
        return array.seen_as(array.signature)
    theirs = stand_in(array).view(dtype)
    if dtype not in ELEMENT_NAMES or dtype.kind == "b":
        raise UnsupportedError(
            f"an array of {array.dtype} cannot be seen as {dtype}: copy it to NumPy first, by numpy()"
        )
    result = new_array(theirs.shape, dtype)
    launch(_COPY_ELEMENTS, array, result)
    _mirror(array, result, theirs.strides)
    return result


class _Layout:
    """Notes with a store that mirrors how NumPy's view would lie in memory, as it depends on that what further views there are.

    ``base`` is what it mirrors, kept alive where others can be seen only through that.
    """

    def __init__(self, strides: tuple[int, ...]) -> None:
        self.strides = strides
        self.base: Handle | None = None

    def written(self, root: RootStore) -> None:
        """Nothing: the layout stays."""


def _layout(root: RootStore) -> _Layout | None:
    """The layout noted with a store, if it mirrors another one."""
    return next((watcher for watcher in root.watchers if isinstance(watcher, _Layout)), None)


def _mirror(part: ndarray, whole: ndarray, strides: tuple[int, ...]) -> None:
    """Makes an array mirror a part of another one, as NumPy's view with these strides."""
    root, layout, mirror = part.root, _Layout(strides), _Mirror(part, whole)
    watchers = [watcher for watcher in root.watchers if not (isinstance(watcher, _Mirror) and watcher.ended)]
    if watchers:
        # What is written to one of those that mirror a store comes to the others through it, also when the program has dropped it.
        layout.base = part.first
        for watcher in watchers:
            if isinstance(watcher, _Mirror) and (sibling := watcher.whole_of(root)) and (other := _layout(sibling)):
                other.base = part.first
    root.watch(*watchers, mirror)
    whole.root.watch(layout, mirror)


class _Mirror:
    """Keeps a part of a store and all of another one equal, element by element in order, while both can be seen."""

    def __init__(self, part: ndarray, whole: ndarray) -> None:
        # First handles: the mirror keeps no store alive.
        self._part, self._part_signature = part.root.handle, part.signature
        self._whole, self._whole_signature = whole.root.handle, whole.signature
        self._copying = False

    @property
    def ended(self) -> bool:
        """Whether one of the two can be seen by nobody any more."""
        return self._part() is None or self._whole() is None

    def whole_of(self, root: RootStore) -> RootStore | None:
        """The store that mirrors a part of this one; None if this one is that store, or it is gone."""
        whole = self._whole()
        return None if whole is None or whole.root is root else whole.root

    def written(self, root: RootStore) -> None:
        """Copies to the other side what a launch wrote; forgets both if one is gone."""
        if self._copying:
            return
        part, whole = self._part(), self._whole()
        if part is None or whole is None:
            root.watch(*[watcher for watcher in root.watchers if watcher is not self])
            return
        sides = part.seen_as(self._part_signature), whole.seen_as(self._whole_signature)
        self._copying = True
        try:
            launch(_COPY_ELEMENTS, *(sides if root is part.root else sides[::-1]))
        finally:
            self._copying = False


def ravel(a: Any, order: str = "C") -> ndarray:
    """The elements in one dimension; a view where they lie in that order without gaps, as in NumPy."""
    array = _in_order(as_array(a), order)
    return reshape(array, -1, copy=not stand_in(array).flags.c_contiguous)


def flatten(a: ndarray, order: str = "C") -> ndarray:
    """A copy of the elements in one dimension."""
    return reshape(_in_order(a, order), -1, copy=True)


def _in_order(array: ndarray, order: str) -> ndarray:
    """The view whose elements in C order are the array's in that order. Raises ValueError for what is none."""
    if order == "F" or (order == "A" and _lies_in_fortran_order(array)):
        return array.transpose()
    if order == "K":  # as they lie in memory
        strides = stand_in(array).strides
        return array.transpose(sorted(range(array.ndim), key=lambda k: -abs(strides[k])))
    if order not in ("C", "A"):
        raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")
    return array


def _lies_in_fortran_order(array: ndarray) -> bool:
    flags = stand_in(array).flags
    return flags.f_contiguous and not flags.c_contiguous


def squeeze(a: Any, axis: Any = None) -> ndarray:
    """The view without dimensions of extent 1, or without those that ``axis`` names."""
    array = as_array(a)
    if axis is None:
        axes = tuple([k for k, extent in enumerate(array.shape) if extent == 1])
    else:
        axes = normalized_axes(axis, array.ndim)
        if any(array.shape[k] != 1 for k in axes):
            raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return reshape(array, [extent for k, extent in enumerate(array.shape) if k not in axes])


def expand_dims(a: Any, axis: Any) -> ndarray:
    """The view with dimensions of extent 1 at these places of the result."""
    array = as_array(a)
    count = 1 if hasattr(axis, "__index__") else len(axis)
    axes = normalized_axes(axis, array.ndim + count)
    extents = iter(array.shape)
    return reshape(array, [1 if k in axes else next(extents) for k in range(array.ndim + count)])


def swapaxes(a: Any, axis1: int, axis2: int) -> ndarray:
    """The view with two dimensions exchanged."""
    array = as_array(a)
    first, second = normalized_axes(axis1, array.ndim)[0], normalized_axes(axis2, array.ndim)[0]
    order = list(range(array.ndim))
    order[first], order[second] = second, first
    return array.transpose(order)


def matrix_transpose(x: Any) -> ndarray:
    """The view with the last two dimensions exchanged. Raises ValueError if there are none."""
    array = as_array(x)
    if array.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {array.ndim}")
    return swapaxes(array, -1, -2)


def moveaxis(a: Any, source: Any, destination: Any) -> ndarray:
    """The view with dimensions moved to other places."""
    array = as_array(a)
    sources, places = normalized_axes(source, array.ndim), normalized_axes(destination, array.ndim)
    if len(sources) != len(places):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [k for k in range(array.ndim) if k not in sources]
    for place, k in sorted(zip(places, sources, strict=True)):
        order.insert(place, k)
    return array.transpose(order)


def transpose(a: Any, axes: Any = None) -> ndarray:
    """The view with permuted dimensions; reversed if no axes are given."""
    return as_array(a).transpose(axes)


def broadcast_to(array: Any, shape: Any, subok: bool = False) -> ndarray:
    """A view that repeats elements. Writing to it is an error."""
    source = as_array(array)
    wanted = (shape,) if hasattr(shape, "__index__") else tuple(shape)
    if np.broadcast_shapes(source.shape, wanted) != wanted:
        raise ValueError(
            f"operands could not be broadcast together with remapped shapes [original->remapped]: {source.shape} and {wanted}"
        )
    return source.seen_as(source.signature.broadcast_to(wanted))


def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[ndarray, ...]:
    """Views of the arrays in their common shape."""
    arrays = [as_array(a) for a in args]
    shape = np.broadcast_shapes(*[array.shape for array in arrays])
    return tuple([broadcast_to(array, shape) for array in arrays])


def flip(m: Any, axis: Any = None) -> ndarray:
    """The view with dimensions reversed in direction; the element of an array without dimensions."""
    array = as_array(m)
    if not array.ndim and axis is None:
        return copied(array)
    axes = range(array.ndim) if axis is None else normalized_axes(axis, array.ndim)
    steps = tuple([slice(None, None, -1) if k in axes else slice(None) for k in range(array.ndim)])
    return array.seen_as(array.signature.indexed(steps))
