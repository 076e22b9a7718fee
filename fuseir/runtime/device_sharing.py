"""Memory of a GPU that stores share with other libraries, CuPy above all: theirs seen by us, and ours seen by them. Nothing is copied.

Both sides see the same elements. A launch that writes to a store whose memory is shared runs before the call that captured it returns. What
others write is seen by launches that run later, some of which may have been captured before: ``fuseir.flush()`` runs them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ReferenceType, ref

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.dtypes import ELEMENT_NAMES
from fuseir.errors import UnsupportedError, UsageError
from fuseir.runtime.arrays import contiguous_strides, view_strides
from fuseir.runtime.device_arrays import DeviceArray, as_contents
from fuseir.runtime.stores import Handle, RootStore

if TYPE_CHECKING:
    from fuseir.runtime.executors.cuda.device import Device
    from fuseir.runtime.session import Session

_H = TypeVar("_H", bound=Handle)

DLPACK_CUDA = 2
"""DLPack's number for CUDA's devices."""


class _Shared:
    """Watches a store whose memory others see, until ``seen`` is gone; for ever if nobody can tell."""

    def __init__(self, session: Session, memory: DeviceArray, seen: ReferenceType[Any] | None = None) -> None:
        self._session = session
        self._memory = memory
        self._seen = seen

    def written(self, root: RootStore) -> None:
        """Runs the launch, and puts the contents where they are seen."""
        if self._seen is not None and self._seen() is None:
            root.watch(*[watcher for watcher in root.watchers if watcher is not self])
        else:
            self._session.run_in(root, as_contents(self._memory))


def device_of(session: Session) -> Device | None:
    """The GPU that a session's plans run on; None if that is none."""
    if session.options.target != "cuda":
        return None
    from fuseir.runtime.executors.cuda.platform import DeviceBuffers

    buffers = session.buffers
    return buffers.device if isinstance(buffers, DeviceBuffers) else None


@dataclass(frozen=True, eq=False)
class _Place:
    """Where memory is that both sides have: bytes, the store's first handle, and the memory, which launches may need for longer."""

    low: int
    high: int
    handle: ReferenceType[Handle]
    memory: ReferenceType[DeviceArray]


_places: list[_Place] = []
_lock = threading.Lock()


def _met(low: int, high: int) -> list[_Place]:
    """The places that have some of these bytes."""
    with _lock:
        _places[:] = [place for place in _places if place.memory() is not None]
        return [place for place in _places if high > place.low and low < place.high]


def _note(handle: Handle, contents: DeviceArray) -> None:
    """Notes that a store has memory that others see."""
    with _lock:
        if all(place.memory() is not contents for place in _places):
            low = contents.address
            _places.append(_Place(low, low + contents.nbytes, ref(handle.first), ref(contents)))


# Ours, seen by others


def _contents(handle: Handle, device: Device) -> DeviceArray:
    """A store's memory on the device, after running what was captured if that changes it. Raises as reading does."""
    session, root = handle.session, handle.root
    contents: Any = session.contents(root)
    if not isinstance(contents, DeviceArray):
        contents = device.moved(contents)
        root.buffer = as_contents(contents)
    contents.note_shown()
    _note(handle, contents)
    return contents


def cuda_array_interface(handle: Handle) -> dict[str, Any]:
    """The dictionary of the CUDA array interface, version 3. Who uses the memory keeps the handle.

    Raises AttributeError for what is not on a GPU, as asking for the interface should, and as reading does.
    """
    device = device_of(handle.session)
    if device is None:
        raise AttributeError("__cuda_array_interface__")
    contents = _contents(handle, device)
    root, signature = handle.root, handle.signature
    if not any(isinstance(watcher, _Shared) for watcher in root.watchers):
        root.watch(*root.watchers, _Shared(handle.session, contents))
    offset, strides = view_strides(signature.view, root.shape, root.dtype.itemsize)
    return {
        "version": 3,
        "shape": signature.shape,
        "typestr": signature.dtype.str,
        "data": (contents.address + offset if handle.size else 0, False),
        "strides": tuple(strides),
        "stream": 1,  # CUDA's default stream
    }


def library_array(handle: Handle) -> Any:
    """The elements as an array of the device's library (CuPy), on the same memory. Raises UsageError for what is not on a GPU."""
    device = device_of(handle.session)
    if device is None:
        raise UsageError("only stores of a session with target='cuda' are on a GPU")
    contents = _contents(handle, device)
    root, signature = handle.root, handle.signature
    offset, strides = view_strides(signature.view, root.shape, root.dtype.itemsize)
    found = device.library_array(contents, offset, signature.shape, strides)
    root.watch(*root.watchers, _Shared(handle.session, contents, ref(found)))
    return found


# Others', seen by us


def is_on_gpu(source: Any, session: Session) -> bool:
    """Whether something is an array of others' on a GPU, in a session that may have it."""
    if session.options.target != "cuda" or isinstance(source, Handle):
        return False
    return hasattr(source, "__cuda_array_interface__") or (
        hasattr(source, "__dlpack_device__") and source.__dlpack_device__()[0] == DLPACK_CUDA
    )


def from_device(session: Session, source: Any, kind: type[_H], name: str | None = None) -> _H:
    """The first handle, of a kind, on the memory of an array with the CUDA array interface, or DLPack's; it keeps the array.

    The array has to be C-contiguous, writable, on the session's GPU, and of an element type that stores have; another store must not have a
    part of its memory. Raises UsageError and UnsupportedError otherwise. Asked for the same memory again, it is the same store.
    """
    device = device_of(session)
    if device is None:
        raise UsageError("an array on a GPU needs a session with target='cuda'")
    if not hasattr(source, "__cuda_array_interface__"):
        source = device.from_dlpack(source)
    interface: Mapping[str, Any] = source.__cuda_array_interface__
    dtype, shape = np.dtype(interface["typestr"]), tuple(map(int, interface["shape"]))
    address, read_only = interface["data"]
    if dtype not in ELEMENT_NAMES:
        raise UnsupportedError(f"stores do not have elements of type {dtype}")
    strides = interface.get("strides")
    wanted = contiguous_strides(shape, dtype.itemsize)
    apart = strides is not None and any(n > 1 and a != b for n, a, b in zip(shape, strides, wanted, strict=True))
    if read_only or (apart and 0 not in shape) or address % dtype.itemsize:
        raise UsageError(
            "an array on a GPU has to be C-contiguous, aligned and writable: copy it first (cupy.ascontiguousarray)"
        )
    device.wait_for(address, interface.get("stream"))
    found = _found(session, shape, dtype, address, kind)
    if found is not None:
        return found
    contents = DeviceArray(device, shape, dtype, address, source)
    contents.note_shown()
    handle = session.wrap(as_contents(contents), kind, name)
    handle.root.watch(_Shared(session, contents))
    _note(handle, contents)
    return handle


def _found(session: Session, shape: Shape, dtype: np.dtype[Any], address: int, kind: type[_H]) -> _H | None:
    """The store that has this memory already, if one has. Raises UsageError for a part of it: two stores must not be in one place."""
    high = address + prod(shape) * dtype.itemsize
    for place in _met(address, high):
        handle = place.handle()
        if handle is None:
            session.flush()  # what was captured on a store that is gone
            continue
        signature = session.signatures.whole(shape, dtype)
        if handle.session is not session or place.low != address or handle.root.signature is not signature:
            raise UsageError("another store has a part of this memory: copy the array first")
        return kind(session, handle.root, signature, handle)
    return None
