"""Arrays in the memory of a device, which stores and plans hold in place of NumPy's. Nothing here loads CuPy.

A store's contents are where they were used last: kernels move them to the device, reads copy them, tasks in Python that write move
them back.
"""

from __future__ import annotations

from math import prod
from typing import Any, Protocol, cast
from weakref import ReferenceType, ref

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.dialects.dist.view import View
from fuseir.runtime.arrays import Array, array_of_view, contiguous_strides, view_strides


class DeviceMemory(Protocol):
    """What arrays ask of a device."""

    def copy_out(self, target: Array, address: int) -> None:
        """Copies bytes to a C-contiguous array of the host, when all that was started before is done. Raises DeviceLostError."""
        ...

    def copy_on(self, to: int, source: int, size: int) -> None:
        """Copies bytes on the device. Raises DeviceLostError."""
        ...

    def moved(self, array: Array) -> DeviceArray:
        """A copy of a C-contiguous array of the host. Raises DeviceLostError and OutOfMemoryError."""
        ...


class DeviceArray:
    """A C-contiguous array on a device. ``keeper`` is what keeps the memory at ``address``.

    ``shown`` says that somebody else may see the memory.
    """

    __slots__ = ("__weakref__", "address", "device", "dtype", "keeper", "shape", "shown", "twin")

    def __init__(self, device: DeviceMemory, shape: Shape, dtype: np.dtype[Any], address: int, keeper: object) -> None:
        self.device = device
        self.shape = shape
        self.dtype = dtype
        self.address = address
        self.keeper = keeper
        self.shown = False
        self.twin: ReferenceType[Array] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return prod(self.shape) * self.dtype.itemsize

    def note_twin(self, array: Array) -> None:
        """Notes that an array of the host has the same contents, as long as nothing writes to this one."""
        self.twin = None if self.shown else ref(array)

    def note_changed(self) -> None:
        """Notes that something writes to the array."""
        self.twin = None

    def note_shown(self) -> None:
        """Notes that somebody else may see the memory from now on, and write to it."""
        self.shown, self.twin = True, None

    def on_host(self) -> Array:
        """An array of the host with the contents: the one that has them already, if anybody still has it; else a copy."""
        twin = None if self.twin is None else self.twin()
        if twin is not None:
            return twin
        copied = np.empty(self.shape, self.dtype)
        self.device.copy_out(copied, self.address)
        self.note_twin(copied)
        return copied

    def copied_view(self, view: View) -> Array:
        """A copy of a view of the contents; no more is copied than lies between its first element in memory and its last."""
        if 0 in view.shape:
            return np.empty(view.shape, self.dtype)
        item = self.dtype.itemsize
        offset, strides = view_strides(view, self.shape, item)
        reaches = [(extent - 1) * stride for extent, stride in zip(view.shape, strides, strict=True)]
        low = offset + sum(min(reach, 0) for reach in reaches)
        size = sum(map(abs, reaches)) + item
        copied = np.empty(size // item, self.dtype)
        self.device.copy_out(copied, self.address + low)
        if size == prod(view.shape) * item and strides == contiguous_strides(view.shape, item):
            return copied.reshape(view.shape)
        return np.array(np.ndarray(view.shape, self.dtype, copied.data, offset - low, strides))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """NumPy's conversion protocol."""
        array = self.on_host()
        return np.array(array, dtype, copy=copy)


def contents_on_host(contents: Array) -> Array:
    """A store's contents as an array of NumPy's, which is what they are unless they are on a device."""
    return cast(Any, contents).on_host() if isinstance(cast(Any, contents), DeviceArray) else contents


def copy_of_view(contents: Array, view: View) -> Array:
    """A view of a store's contents, wherever they are, as a new array."""
    device: Any = contents
    if isinstance(device, DeviceArray):
        return device.copied_view(view)
    return np.array(array_of_view(contents, view))


def replace_contents(memory: Array, contents: Array) -> None:
    """Copies contents to other memory, of the same shape and type, wherever both are."""
    target, source = cast(Any, memory), cast(Any, contents)
    if isinstance(target, DeviceArray):
        if not isinstance(source, DeviceArray):
            source = target.device.moved(source)
        target.device.copy_on(target.address, source.address, target.nbytes)
        target.note_changed()
    else:
        target[...] = contents_on_host(contents)


def as_contents(array: DeviceArray) -> Array:
    """A device's array as plans and stores hold it. They hand it on, and only executors look at it, so that its type says NumPy's."""
    return cast(Array, array)
