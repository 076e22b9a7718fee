"""Memory that an array shares with others: NumPy's arrays on ours, and ours on NumPy's.

Both sides see what NumPy would show. Others see a store through arrays that cannot be written to, so only launches change it. As long as
anybody has such an array, a launch that writes to the store runs before the call that captured it returns. So does every launch that writes
to memory which was somebody else's first: nobody can tell whether that one still looks at it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pickle import PickleBuffer
from typing import Any
from weakref import ReferenceType, ref

import numpy as np
from numpy.lib.array_utils import byte_bounds

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import ndarray
from fuseir.runtime.arrays import Array, array_of_view, view_strides
from fuseir.runtime.session import Session, current_session
from fuseir.runtime.stores import Handle, RootStore


class _Lender:
    """The base of arrays that others have on a store's memory. It is no array: so NumPy gives views of them the first one as base.

    It keeps the store's handle, too: as long as somebody sees the store, its memory is given to no other (``passes/reuse_inputs.py``), and
    mirrors of it go on (``reshaping.py``).
    """

    def __init__(self, memory: Array, kept: object, *, writable: bool = False) -> None:
        self.memory = memory
        self._kept = kept
        address, _ = memory.__array_interface__["data"]
        self.__array_interface__ = {**memory.__array_interface__, "data": (address, not writable)}


class _Lent:
    """Watches a store whose memory others see through views of ``seen``, until none of those is left."""

    def __init__(self, session: Session, seen: Array) -> None:
        self._session = session
        self._seen = ref(seen)

    @property
    def seen(self) -> Array | None:
        """The array that all others are views of; None if there is none any more."""
        return self._seen()

    def written(self, root: RootStore) -> None:
        """Runs the launch, and puts the contents where they are seen."""
        seen = self.seen
        if seen is None:
            root.watch(*[watcher for watcher in root.watchers if watcher is not self])
        else:
            self._session.run_in(root, seen.base.memory)  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]


class _Taken:
    """Watches a store on memory that was somebody else's first."""

    def __init__(self, session: Session, memory: Array) -> None:
        self._session = session
        self._memory = memory

    def written(self, root: RootStore) -> None:
        """Runs the launch, and puts the contents where they are seen."""
        self._session.run_in(root, self._memory)


# Ours, seen by others


def lent(array: ndarray, *, writable: bool = False) -> Array:
    """The array's elements as an array of NumPy's on the same memory, read-only if it can be. It shows what is written to ours later.

    Raises as reading does.
    """
    seen = _whole(array)
    if writable:
        seen = np.asarray(_Lender(seen.base.memory, seen, writable=True))  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]
    return array_of_view(seen, array.signature.view)


def interface(array: ndarray) -> dict[str, Any]:
    """The dictionary of NumPy's array interface, version 3. The memory is in it as an object, which whoever uses the memory keeps."""
    signature = array.signature
    offset, strides = view_strides(signature.view, signature.store_shape, signature.dtype.itemsize)
    return {
        "version": 3,
        "shape": signature.shape,
        "typestr": signature.dtype.str,
        "descr": [("", signature.dtype.str)],
        "data": PickleBuffer(_whole(array).data),
        "offset": offset,
        "strides": tuple(strides),
    }


def _whole(array: ndarray) -> Array:
    """All of the array's store, read-only."""
    session, root = array.session, array.root
    memory = session.memory(root)
    kept = [watcher for watcher in root.watchers if not isinstance(watcher, _Lent) or watcher.seen is not None]
    for watcher in kept:
        if isinstance(watcher, _Lent) and (seen := watcher.seen) is not None:
            return seen
    seen = np.asarray(_Lender(memory, array.first))
    root.watch(*kept, _Lent(session, seen))
    return seen


# Others', seen by us


@dataclass(frozen=True, eq=False)
class _Place:
    """Where the elements of an array of ours are that was somebody else's.

    ``handle`` is dead when nobody has ours any more, and ``memory`` when no launch needs it either.
    """

    low: int
    high: int
    handle: ReferenceType[Handle]
    memory: ReferenceType[Array]
    session: ReferenceType[Session]


_places: list[_Place] = []
_lock = threading.Lock()


def taken(source: np.ndarray[Any, Any]) -> ndarray | None:
    """An array of ours on the memory of one of NumPy's; None if stores cannot have it.

    It has to be C-contiguous, aligned, writable, and of an element type of ours, and must not overlap what another array of ours was made
    from, unless it is the same. What is written to ours is in the other one when the call returns. What is written to the other one is
    seen by operations that run later, some of which may have been captured before: ``fuseir.flush()`` runs them.
    """
    flags = source.flags
    if source.dtype not in ELEMENT_NAMES or not (flags.c_contiguous and flags.aligned and flags.writeable):
        return None
    session = current_session()
    if session.options.target == "cuda":
        return None  # stores are on the GPU
    if not source.size:
        return session.wrap(source.view(), ndarray)
    low, high = byte_bounds(source)
    done: set[_Place] = set()
    while True:
        with _lock:
            _places[:] = [place for place in _places if place.memory() is not None]
            met = [place for place in _places if high > place.low and low < place.high and place not in done]
            waiting = [place for place in met if place.handle() is None]
            if not waiting:
                return _found(source, met) if met else _placed(source, session, low, high)
        for place in waiting:
            owner = place.session()
            if owner is not None:
                owner.flush()  # what was captured on an array that is gone
        done.update(waiting)


def _found(source: np.ndarray[Any, Any], met: list[_Place]) -> ndarray | None:
    """The array that has this memory already, if it is one array, of this session, shape and element type."""
    session, handle = current_session(), met[0].handle()
    if len(met) > 1 or handle is None or handle.session is not session or met[0].low != byte_bounds(source)[0]:
        return None
    signature = session.signatures.whole(source.shape, source.dtype)
    return ndarray(session, handle.root, signature, handle) if handle.root.signature is signature else None


def _placed(source: np.ndarray[Any, Any], session: Session, low: int, high: int) -> ndarray:
    memory = source.view()
    array = session.wrap(memory, ndarray)
    array.root.watch(_Taken(session, memory))
    _places.append(_Place(low, high, ref(array), ref(memory), ref(session)))
    return array
