"""Stores as the application holds them.

Two halves, as in Diffuse §5.1 (split reference counts): a ``RootStore`` is what the runtime keeps; a ``Store`` is a handle that the
application holds, on all of the root or on a view of it. When the last handle of a root is gone, nobody outside can see it any
more, whatever the window still references.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.partition import COORDINATE_LIMIT, Shape
from fuseir.dialects.dist.view import View, compose
from fuseir.errors import ShapeError, StorePoisonedError
from fuseir.runtime.arrays import Array
from fuseir.runtime.refused_operators import RefusedOperators, StoreOperatorError

if TYPE_CHECKING:
    from fuseir.runtime.session import Session


class RootStore:
    """A distributed array's memory and state, owned by a session.

    ``buffer`` is None until something is written; it is C-contiguous and aligned. ``defined`` is what the application may rely on:
    some captured launch wrote to it. ``failure`` is what made its contents be lost, if they were, and ``replaced`` says that a
    captured launch is to write all of them anew.
    """

    __slots__ = ("buffer", "defined", "dtype", "failure", "handles", "name", "replaced", "shape")

    def __init__(self, shape: Shape, dtype: np.dtype[Any], name: str | None, buffer: Array | None) -> None:
        self.shape = shape
        self.dtype = dtype
        self.name = name
        self.buffer = buffer
        self.defined = buffer is not None
        self.handles = 0
        self.failure: BaseException | None = None
        self.replaced = False


class Store(RefusedOperators):
    """A handle on a distributed array or on a view of one. Slicing makes views; ``numpy()`` reads.

    Made by a session (``fuseir.zeros``, ``fuseir.from_numpy``, …), not by hand. Compared and hashed by identity; the only element of
    a store converts to ``bool``, ``int``, ``float`` and ``complex``, and formats, as in NumPy.
    """

    __slots__ = ("__weakref__", "_root", "_session", "_view", "dtype", "shape")

    def __init__(self, session: Session, root: RootStore, view: View) -> None:
        self._session = session
        self._root = root
        self._view = view
        self.shape = view.shape
        self.dtype = root.dtype
        root.handles += 1

    def __del__(self) -> None:
        # An instance whose __init__ raised has no root.
        root = getattr(self, "_root", None)
        if root is not None:
            root.handles -= 1
            if root.handles == 0:
                self._session.release(root)

    def __copy__(self) -> Store:
        # One more handle: copying attribute by attribute would not count it.
        return Store(self._session, self._root, self._view)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def name(self) -> str | None:
        """The name given at creation, if any; views have their store's."""
        return self._root.name

    def __len__(self) -> int:
        if not self.shape:
            raise StoreOperatorError("len() of a store of rank 0")
        return self.shape[0]

    def __iter__(self) -> Iterator[Store]:
        if not self.shape:
            raise StoreOperatorError("a store of rank 0 cannot be iterated over: read it by item()")
        return (self[k] for k in range(self.shape[0]))

    def __repr__(self) -> str:
        kind = "Store" if self._view.index_map is None else "view of Store"
        return f"<{kind}{f' {self.name!r}' if self.name else ''} shape={self.shape} dtype={self.dtype}>"

    # Views

    def _window(self, view: View) -> Store:
        return Store(self._session, self._root, compose(self._view, view))

    def __getitem__(self, index: Any) -> Store:
        """A view by basic indexing: integers, slices of any step, ``...`` and ``None``.

        Raises IndexError (also for indices out of range) and TypeError for anything that is no basic index.
        """
        return self._window(_basic_index(self.shape, index))

    def transpose(self, *axes: int | Sequence[int]) -> Store:
        """A view with permuted dimensions; all reversed if no axes are given. Axes may be one tuple. Raises ShapeError."""
        given = axes[0] if len(axes) == 1 and isinstance(axes[0], Sequence) else axes
        order = tuple(map(operator.index, given)) or tuple(reversed(range(self.ndim)))  # pyright: ignore[reportArgumentType]
        order = tuple(axis + self.ndim if axis < 0 else axis for axis in order)
        if sorted(order) != list(range(self.ndim)):
            raise ShapeError(f"axes {given} are no permutation of the {self.ndim} dimensions")
        results = [Coordinate(order.index(k), 1, 0) for k in range(self.ndim)]
        return self._window(View(tuple(self.shape[axis] for axis in order), IndexMap(self.ndim, tuple(results))))

    @property
    def T(self) -> Store:  # noqa: N802 (NumPy's name)
        """The view with dimensions reversed."""
        return self.transpose()

    def broadcast_to(self, shape: Sequence[int] | int) -> Store:
        """A view that repeats elements to the given shape, by NumPy's rules. Raises ShapeError."""
        shape = checked_shape(shape)
        added = len(shape) - self.ndim
        if added < 0 or any(
            have not in (want, 1) for have, want in zip(self.shape, shape[max(added, 0) :], strict=False)
        ):
            raise ShapeError(f"cannot broadcast shape {self.shape} to {shape}")
        results = [
            Coordinate(k + added, 1, 0) if have == shape[k + added] else Coordinate(None, 0, 0)
            for k, have in enumerate(self.shape)
        ]
        return self._window(View(tuple(shape), IndexMap(len(shape), tuple(results))))

    # Reading

    def numpy(self) -> Array:
        """The contents as a new array. Runs what was captured first.

        Raises what a task failed with, StorePoisonedError if the contents were lost, and UninitializedError-like FuseirError if nothing
        was ever written.
        """
        return self._session.read(self._root, self._view)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """NumPy's conversion protocol: always a copy."""
        if copy is False:
            raise ValueError("reading a store always copies")
        array = self.numpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def item(self) -> Any:
        """The only element, as a Python number. Raises ShapeError unless there is exactly one."""
        return self._only_element("item()")

    def _only_element(self, asked: str) -> Any:
        if self.size != 1:
            # Before anything runs: the answer does not depend on contents.
            raise ShapeError(f"{asked} of a store with {self.size} elements")
        return self.numpy().item()

    def __bool__(self) -> bool:
        # Without this, Python would take the length for the truth.
        if self.size != 1:
            raise ShapeError(f"the truth value of a store with {self.size} elements: ask .numpy().any() or .all()")
        return bool(self.item())

    def __int__(self) -> int:
        return int(self._only_element("int()"))

    def __float__(self) -> float:
        return float(self._only_element("float()"))

    def __complex__(self) -> complex:
        return complex(self._only_element("complex()"))

    def __format__(self, specification: str) -> str:
        return format(self._only_element(f"format '{specification}'"), specification) if specification else str(self)


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


def raise_if_lost(root: RootStore) -> None:
    """Raises StorePoisonedError, chained to its first cause, if the contents were lost and no captured launch replaces them."""
    if root.failure is not None and not root.replaced:
        raise StorePoisonedError(
            f"the contents of store {root.name or ''}{root.shape} were lost when a task failed: {root.failure!r}"
        ) from root.failure


def _basic_index(shape: Shape, index: Any) -> View:
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
