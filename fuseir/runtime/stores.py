"""Stores as the application holds them.

Two halves, as in Diffuse §5.1 (split reference counts): a ``RootStore`` is what the runtime keeps; a ``Store`` is a handle that the
application holds, on all of the root or on a view of it. When the last handle of a root is gone, nobody outside can see it any
more, whatever the window still references. Python counts for us: all handles on a root keep its first one alive, and the root has a weak
reference to that.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, Protocol, Self
from weakref import ReferenceType

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.errors import ShapeError, StorePoisonedError
from fuseir.runtime.arrays import Array
from fuseir.runtime.refused_operators import RefusedOperators, StoreOperatorError
from fuseir.runtime.signatures import Signature, checked_shape

if TYPE_CHECKING:
    from fuseir.runtime.session import Session


class Watcher(Protocol):
    """Something that has to do with each change of a store."""

    def written(self, root: RootStore) -> None:
        """A launch that changes the store was captured."""
        ...


class RootStore:
    """A distributed array's memory and state, owned by a session.

    ``buffer`` is None until something is written; it is C-contiguous and aligned. ``defined`` is what the application may rely on:
    some captured launch wrote to it. ``failure`` is what made its contents be lost, if they were, and ``replaced`` says that a
    captured launch is to write all of them anew. ``handle`` is the first handle; when it is gone, all are. ``watchers`` are told of each
    captured launch that changes the store.

    ``plain`` is what the hot path looks at: the store is defined, and nothing is lost or watched. Change the others by the methods here.
    """

    __slots__ = ("buffer", "defined", "failure", "handle", "name", "plain", "replaced", "signature", "watchers")

    def __init__(self, signature: Signature, name: str | None, buffer: Array | None) -> None:
        self.signature = signature
        self.name = name
        self.buffer = buffer
        self.defined = self.plain = buffer is not None
        self.failure: BaseException | None = None
        self.replaced = False
        self.watchers: tuple[Watcher, ...] = ()
        self.handle: ReferenceType[Handle]

    def define(self) -> None:
        """Notes that a launch is to write to it."""
        self.defined = True
        self.plain = self.failure is None and not self.watchers

    def lose(self, error: BaseException | None) -> None:
        """Notes what made its contents be lost; None: nothing, or no longer."""
        self.failure, self.replaced = error, False
        self.plain = self.defined and error is None and not self.watchers

    def watch(self, *watchers: Watcher) -> None:
        """Has these told of changes from now on, and nobody else."""
        self.watchers = watchers
        self.plain = self.defined and self.failure is None and not watchers

    @property
    def shape(self) -> Shape:
        """The extents."""
        return self.signature.store_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self.signature.dtype

    @property
    def released(self) -> bool:
        """Whether the application has no handle any more, and so never will."""
        return self.handle() is None


class Handle:
    """What the application holds of a distributed array, or of a view of one: the base of stores, and of client libraries' arrays.

    ``signature`` is what launches need to know apart from the root. Instances of one class are made with the same four arguments, so that a
    handle can make others like itself.
    """

    __slots__ = ("__weakref__", "_base", "root", "session", "signature")

    def __init__(self, session: Session, root: RootStore, signature: Signature, base: Handle | None = None) -> None:
        self.session = session
        self.root = root
        self.signature = signature
        # What keeps the root from being released; None for the first handle, which everyone else has as base.
        self._base = base
        if base is None:
            root.handle = ReferenceType(self)

    @property
    def first(self) -> Handle:
        """The root's first handle, maybe this one: what all others keep alive."""
        return self if self._base is None else self._base

    @property
    def shape(self) -> Shape:
        """The extents."""
        return self.signature.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self.signature.dtype

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
        return self.root.name

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """The CUDA array interface, on the store's memory: for what is on a GPU only (``device_sharing.py``)."""
        from fuseir.runtime.device_sharing import cuda_array_interface

        return cuda_array_interface(self)

    def seen_as(self, signature: Signature) -> Self:
        """Another handle on the root, with the signature of another view of it."""
        return type(self)(self.session, self.root, signature, self.first)

    def __copy__(self) -> Self:
        # Copied attribute by attribute, a first handle would have no base to keep alive.
        return type(self)(self.session, self.root, self.signature, self.first)

    def numpy(self) -> Array:
        """The contents as a new array. Runs what was captured first.

        Raises what a task failed with, StorePoisonedError if the contents were lost, and UninitializedError-like FuseirError if nothing
        was ever written.
        """
        return self.session.read(self.root, self.signature.view)


class Store(RefusedOperators, Handle):
    """A handle on a distributed array or on a view of one. Slicing makes views; ``numpy()`` reads.

    Made by a session (``fuseir.zeros``, ``fuseir.from_numpy``, …), not by hand. Compared and hashed by identity; the only element of
    a store converts to ``bool``, ``int``, ``float`` and ``complex``, and formats, as in NumPy.
    """

    __slots__ = ()

    def __len__(self) -> int:
        if not self.shape:
            raise StoreOperatorError("len() of a store of rank 0")
        return self.shape[0]

    def __iter__(self) -> Iterator[Store]:
        if not self.shape:
            raise StoreOperatorError("a store of rank 0 cannot be iterated over: read it by item()")
        return (self[k] for k in range(self.shape[0]))

    def __repr__(self) -> str:
        kind = "Store" if self.signature.view.index_map is None else "view of Store"
        return f"<{kind}{f' {self.name!r}' if self.name else ''} shape={self.shape} dtype={self.dtype}>"

    # Views

    def __getitem__(self, index: Any) -> Store:
        """A view by basic indexing: integers, slices of any step, ``...`` and ``None``.

        Raises IndexError (also for indices out of range) and TypeError for anything that is no basic index.
        """
        return self.seen_as(self.signature.indexed(index))

    def transpose(self, *axes: int | Sequence[int]) -> Store:
        """A view with permuted dimensions; all reversed if no axes are given. Axes may be one tuple. Raises ShapeError."""
        given = axes[0] if len(axes) == 1 and isinstance(axes[0], Sequence) else axes
        order = tuple(map(operator.index, given)) or tuple(reversed(range(self.ndim)))  # pyright: ignore[reportArgumentType]
        order = tuple(axis + self.ndim if axis < 0 else axis for axis in order)
        if sorted(order) != list(range(self.ndim)):
            raise ShapeError(f"axes {given} are no permutation of the {self.ndim} dimensions")
        return self.seen_as(self.signature.transposed(order))

    @property
    def T(self) -> Store:  # noqa: N802 (NumPy's name)
        """The view with dimensions reversed."""
        return self.transpose()

    def broadcast_to(self, shape: Sequence[int] | int) -> Store:
        """A view that repeats elements to the given shape, by NumPy's rules. Raises ShapeError."""
        return self.seen_as(self.signature.broadcast_to(checked_shape(shape)))

    # Reading

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


def raise_if_lost(root: RootStore) -> None:
    """Raises StorePoisonedError, chained to its first cause, if the contents were lost and no captured launch replaces them."""
    if root.failure is not None and not root.replaced:
        raise StorePoisonedError(
            f"the contents of store {root.name or ''}{root.shape} were lost when a task failed: {root.failure!r}"
        ) from root.failure
