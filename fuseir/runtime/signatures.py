"""Signatures: what launches need to know of a handle, apart from which store it is on.

A program makes handles all the time and few kinds of them. Each kind is one object in a session, so that it is found once and compared by
identity afterwards; views that were asked for before are found by their index.
"""

from __future__ import annotations

import operator
from collections.abc import Hashable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.partition import COORDINATE_LIMIT, Shape
from fuseir.dialects.dist.view import View, compose
from fuseir.dtypes import element_dtype
from fuseir.errors import ShapeError

_MOST = 1 << 16
"""Entries of a table before it starts anew: what was handed out stays valid, and is found more slowly."""


class Memo(dict[Any, Any]):
    """What was found out before, by what it depends on. Starts anew when it has grown too large: programs may never repeat themselves."""

    __slots__ = ()

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= _MOST:
            self.clear()
        super().__setitem__(key, value)


class Signature:
    """A store's shape and element type, and a view of such a store. Made by ``Signatures``; equal only to itself.

    ``memo`` is for client libraries: what they found out about operations on handles of this kind.
    """

    __slots__ = ("_table", "_windows", "dtype", "memo", "shape", "store_shape", "view")

    def __init__(self, table: Signatures, store_shape: Shape, dtype: np.dtype[Any], view: View) -> None:
        self.store_shape = store_shape
        self.dtype = dtype
        self.view = view
        self.shape = view.shape
        self._table = table
        self._windows = Memo()
        self.memo = Memo()

    def through(self, view: View) -> Signature:
        """The signature of a view of this view."""
        return self._table.of(self.store_shape, self.dtype, compose(self.view, view))

    def indexed(self, index: Any) -> Signature:
        """The signature of a view by basic indexing. Raises IndexError and TypeError, as ``Store.__getitem__``."""
        # Slices can be hashed only from Python 3.12 on. The types are in the key, as 1, 1.0 and True are equal and not all of them indices;
        # `indices` is of integers, and raises TypeError for what is made of anything else.
        key: Hashable
        kind = type(index)
        if kind is slice and self.shape:
            key = index.indices(self.shape[0])
        elif kind is tuple:
            key = len(index) == 2 and len(self.shape) >= 2 and self._pair(*index)
            if not key:
                key = tuple(
                    [e.indices(0) and (e.start, e.stop, e.step) if type(e) is slice else (e, type(e)) for e in index]
                )
        else:
            key = index, kind
        try:
            found = self._windows.get(key)
        except TypeError:  # an index that has no hash
            return self.through(basic_index(self.shape, index))
        if found is None:
            found = self._windows[key] = self.through(basic_index(self.shape, index))
        return found

    def by_pair(self, first: Any, second: Any) -> Signature | None:
        """``indexed`` for two slices or integers, if that was asked for before; None else."""
        key = self._pair(first, second) if len(self.shape) >= 2 else None
        return None if key is None else self._windows.get(key)

    def _pair(self, first: Any, second: Any) -> tuple[Any, ...] | None:
        """What stands for an index of two slices or integers, the most frequent kind; None for others."""
        if type(first) is slice:
            first = first.indices(self.shape[0])
        elif type(first) is not int:
            return None
        if type(second) is slice:
            return first, second.indices(self.shape[1])
        return (first, second) if type(second) is int else None

    def transposed(self, order: Sequence[int]) -> Signature:
        """The signature of the view whose dimension k is this one's dimension ``order[k]``, a permutation."""
        key = "transposed", *order
        found = self._windows.get(key)
        if found is None:
            results = [Coordinate(list(order).index(k), 1, 0) for k in range(len(order))]
            view = View(tuple([self.shape[axis] for axis in order]), IndexMap(len(order), tuple(results)))
            found = self._windows[key] = self.through(view)
        return found

    def broadcast_to(self, shape: Shape) -> Signature:
        """The signature of the view that repeats elements, by NumPy's rules. Raises ShapeError."""
        if shape == self.shape:
            return self
        added = len(shape) - len(self.shape)
        if added < 0 or any(have not in (want, 1) for have, want in zip(self.shape, shape[added:], strict=True)):
            raise ShapeError(f"cannot broadcast shape {self.shape} to {shape}")
        results = [
            Coordinate(k + added, 1, 0) if have == shape[k + added] else Coordinate(None, 0, 0)
            for k, have in enumerate(self.shape)
        ]
        return self.through(View(shape, IndexMap(len(shape), tuple(results))))


class Signatures:
    """The signatures of a session, one of each."""

    def __init__(self) -> None:
        self._known = Memo()
        self._asked = Memo()

    def of(self, store_shape: Shape, dtype: np.dtype[Any], view: View) -> Signature:
        """The signature of a view."""
        key = store_shape, dtype, view
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Signature(self, store_shape, dtype, view)
        return found

    def whole(self, shape: Shape, dtype: np.dtype[Any]) -> Signature:
        """The signature of all of a store."""
        return self.of(shape, dtype, View(shape))

    def asked(self, shape: Sequence[int] | int, dtype: DTypeLike) -> Signature:
        """The same for a shape and an element type as users give them, found at once when both were given before.

        Raises ShapeError, DTypeError and UnsupportedError.
        """
        # As for indices: 1, 1.0 and True are equal.
        key = (shape, dtype, *map(type, shape)) if type(shape) is tuple else (shape, dtype, type(shape))
        try:
            found = self._asked.get(key)
        except TypeError:  # a list of extents has no hash
            return self.whole(checked_shape(shape), element_dtype(dtype))
        if found is None:
            found = self.whole(checked_shape(shape), element_dtype(dtype))
            self._asked[key] = found
        return found


def checked_shape(shape: Sequence[int] | int) -> Shape:
    """A shape as a tuple of integers. Raises ShapeError for what is no shape, or none that FuseIR can index."""
    if type(shape) is int and 0 <= shape < COORDINATE_LIMIT:
        return (shape,)
    try:
        extents = (shape,) if hasattr(shape, "__index__") else tuple(shape)  # pyright: ignore[reportArgumentType]
        checked = tuple(map(operator.index, extents))  # pyright: ignore[reportArgumentType]
    except TypeError:
        raise ShapeError(f"{shape!r} is no shape: a shape is an integer or a sequence of integers") from None
    if any(extent < 0 for extent in checked):
        raise ShapeError(f"{shape!r} is no shape: an extent is negative")
    # Empty stores too: the arithmetic of their indices must stay in range.
    if prod(max(extent, 1) for extent in checked) >= COORDINATE_LIMIT:
        raise ShapeError(f"{shape!r} is no shape: stores have fewer than 2^62 elements")
    return checked


def basic_index(shape: Shape, index: Any) -> View:
    """The view that a basic index makes of an index space."""
    entries = list(index) if isinstance(index, tuple) else [index]
    consumed = sum(entry is not None and entry is not Ellipsis for entry in entries)
    if consumed > len(shape):
        raise IndexError(f"{consumed} indices for {len(shape)} dimensions")
    if sum(entry is Ellipsis for entry in entries) > 1:
        raise IndexError("more than one '...' in an index")
    full = [slice(None)] * (len(shape) - consumed)
    if Ellipsis in [entry for entry in entries if entry is Ellipsis]:
        position = next(k for k, entry in enumerate(entries) if entry is Ellipsis)
        entries[position : position + 1] = full
    else:
        entries += full
    view_shape: list[int] = []
    results: list[Coordinate] = []
    for entry in entries:
        if entry is None:
            view_shape.append(1)
            continue
        extent = shape[len(results)]
        if isinstance(entry, slice):
            start, stop, step = entry.indices(extent)
            count = len(range(start, stop, step))
            results.append(Coordinate(len(view_shape), step, start if count else 0))
            view_shape.append(count)
        else:
            # An array has __index__ too, which refuses all but rank 0.
            if isinstance(entry, bool | np.bool_) or not hasattr(entry, "__index__") or getattr(entry, "shape", ()):
                raise TypeError(f"stores take integers, slices, '...' and None as indices, not {type(entry).__name__}")
            try:
                position = operator.index(entry)
            except TypeError as error:
                raise TypeError(f"{error}: stores take integers, slices, '...' and None as indices") from None
            if not -extent <= position < extent:
                raise IndexError(f"index {position} is out of bounds for dimension {len(results)} with extent {extent}")
            results.append(Coordinate(None, 0, position % extent))
    index_map = IndexMap(len(view_shape), tuple(results))
    if index_map.is_identity and tuple(view_shape) == shape:
        return View(shape)
    return View(tuple(view_shape), index_map)
