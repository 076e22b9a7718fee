"""Memory of stores: fresh from the system in huge pages, or that of dead stores, kept for the next ones.

A program that makes and drops a store each iteration would otherwise get fresh pages from the system each time, and touching those costs
more than the arithmetic. A buffer comes back when the last array on its memory is gone, views that a task kept included: nobody
has to say so, and nobody can see memory that somebody else writes.
"""

from __future__ import annotations

import ctypes
import mmap
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from math import prod
from typing import Any

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.errors import OutOfMemoryError
from fuseir.resources import available_memory
from fuseir.runtime.arrays import Array

SMALLEST_BYTES = 1 << 16
"""Below this, the allocator of the C library reuses memory well by itself."""

LARGE_BYTES = 1 << 28
"""From here on, asking the system how much memory is left costs nothing beside touching so much."""

_HUGE_PAGE = 1 << 21


def bytes_taken(size: int) -> int:
    """What an array of so many bytes takes of memory."""
    return size if size < SMALLEST_BYTES else -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


class BufferPool:
    """Hands out arrays, page-aligned, and keeps the memory of those that are gone, up to ``most_kept`` bytes.

    It hands out at most ``most_bytes`` at a time, if that is given; arrays below ``SMALLEST_BYTES`` are NumPy's own and do not count.
    Safe to use from several threads and from finalisers, which may run anywhere: who does not get the lock at once, does without the pool.
    """

    on_device = False
    """Whether plans take the memory of a device, and not the host's."""

    def __init__(
        self,
        most_kept: int = 1 << 28,
        most_bytes: int | None = None,
        available: Callable[[], int | None] = available_memory,
    ) -> None:
        self._most_kept = most_kept
        self._most_bytes = most_bytes
        self._available = available
        # By size; the size that came back last is last.
        self._free: dict[int, list[_Memory]] = {}
        self._free_bytes = 0
        self._live_bytes = 0
        self._lock = threading.Lock()

    @property
    def unasked(self) -> int:
        """What nobody has to ``require``: so much can be had."""
        return LARGE_BYTES if self._most_bytes is None else 0

    @property
    def free_bytes(self) -> int:
        """The bytes kept at the moment."""
        return self._free_bytes

    @property
    def live_bytes(self) -> int:
        """The bytes handed out at the moment."""
        return self._live_bytes

    def allocate(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """A C-contiguous array with undefined contents. Raises OutOfMemoryError, and MemoryError where it is NumPy's."""
        size = prod(shape) * dtype.itemsize
        if size < SMALLEST_BYTES:
            return np.empty(shape, dtype)
        size = bytes_taken(size)
        return self._lend(self._take(size) or self._map(size), shape, dtype)

    def zeros(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """A C-contiguous array of zeros. Raises as ``allocate`` does."""
        size = bytes_taken(prod(shape) * dtype.itemsize)
        if size < SMALLEST_BYTES:
            return np.zeros(shape, dtype)
        memory = self._take(size)
        array = self._lend(memory or self._map(size), shape, dtype)
        if memory is not None:  # the system's own pages are zeros
            array.fill(0)
        return array

    def full(self, shape: Shape, dtype: np.dtype[Any], value: Array) -> Array:
        """A C-contiguous array with one value, of rank 0 and the element type, everywhere. Raises as ``allocate`` does."""
        array = self.allocate(shape, dtype)
        array[...] = value
        return array

    def require(self, size: int) -> None:
        """Raises OutOfMemoryError if so many more bytes cannot be handed out, not even if what is kept is given up."""
        if self._most_bytes is None and size - self._free_bytes < LARGE_BYTES:
            return
        missing = self._missing(size)
        if missing > self._free_bytes:
            allowed = "" if self._most_bytes is None else f" (the option 'memory_bytes' allows {self._most_bytes})"
            raise OutOfMemoryError(
                f"{size} more bytes of memory are needed beside {self._live_bytes} in use, and {missing - self._free_bytes}"
                f" of them cannot be had{allowed}"
            )

    def require_for_run(self, size: int) -> None:
        """Raises OutOfMemoryError if a plan cannot have so many more bytes for its stores."""
        self.require(size)

    def clear(self) -> None:
        """Lets go of all that is kept."""
        if self._lock.acquire(blocking=False):
            try:
                self._free, self._free_bytes = {}, 0
            finally:
                self._lock.release()

    def take_back(self, memory: _Memory) -> None:
        """Keeps memory that no array is on any more. Where that is too much, sizes that nothing came back of for longest go."""
        size, lock = memory.length, self._lock
        self._live_bytes -= size
        if size > self._most_kept or not lock.acquire(False):
            return
        try:
            free = self._free
            kept = free.pop(size, None) or []
            free[size] = kept
            kept.append(memory)
            self._free_bytes += size
            while self._free_bytes > self._most_kept:
                longest = next(iter(free))
                if free[longest]:
                    free[longest].pop()
                    self._free_bytes -= longest
                else:
                    del free[longest]
        finally:
            lock.release()

    def _lend(self, memory: _Memory, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """An array on the memory. Its views have it as their base, so that it goes last."""
        array = np.ndarray(shape, dtype, memory, memory.start)
        lease = memory.lease = _Lease(array, _end)
        lease.memory, lease.pool = memory, self
        self._live_bytes += memory.length  # nothing else runs between the look and the change
        return array

    def _map(self, size: int) -> _Memory:
        """Fresh memory; what is kept goes if there is none else."""
        if self._missing(size) > 0:
            self.require(size)
            self.clear()
        try:
            return _mapped(size)
        except (OSError, OverflowError):
            self.clear()
        try:
            return _mapped(size)
        except (OSError, OverflowError) as error:
            raise OutOfMemoryError(f"the system grants no {size} bytes of memory: {error}") from None

    def _missing(self, size: int) -> int:
        """How many of so many more bytes cannot be had beside what is kept; not positive if all can."""
        missing = 0
        if self._most_bytes is not None:
            missing = self._live_bytes + self._free_bytes + size - self._most_bytes
        if size >= LARGE_BYTES and (left := self._available()) is not None:
            missing = max(missing, size - left)
        return missing

    def _take(self, size: int) -> _Memory | None:
        lock = self._lock
        if size not in self._free or not lock.acquire(False):
            return None
        try:
            kept = self._free.get(size)
            if not kept:
                return None
            self._free_bytes -= size
            return kept.pop()
        finally:
            lock.release()


class _Memory(mmap.mmap):
    """Memory of the system's own: ``size`` bytes from ``start`` on."""

    length: int
    start: int
    shown: bool = False
    """Whether Python code was given the array, and may have kept a view of it."""
    lease: _Lease | None = None
    """Ends with the array that has the memory."""


class _Lease(weakref.ref[Array]):
    __slots__ = ("memory", "pool")

    memory: _Memory
    pool: BufferPool


def _end(lease: _Lease) -> None:
    """The array is gone, and with it all views of it."""
    memory = lease.memory
    memory.lease = None
    memory.shown = False
    lease.pool.take_back(memory)


def _mapped(size: int) -> _Memory:
    """Memory that nothing has touched. Raises OSError or OverflowError."""
    private = getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0)
    room = size + _HUGE_PAGE if size >= _HUGE_PAGE else size
    # Not shared, which is the default: neither with children, nor in the small pages that shared memory has.
    memory = _Memory(-1, room, flags=private) if private else _Memory(-1, room)
    memory.length, memory.start = size, 0
    if size >= _HUGE_PAGE:
        memory.start = -ctypes.addressof(ctypes.c_char.from_buffer(memory)) % _HUGE_PAGE
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # Where the kernel has no huge pages, small ones do.
            with suppress(OSError):
                memory.madvise(mmap.MADV_HUGEPAGE, memory.start, size)
    return memory


def note_shown(array: Array) -> None:
    """Notes that code which may keep views of an array gets it."""
    if isinstance(array.base, _Memory):
        array.base.shown = True


def private_array(array: Array) -> Array:
    """The array itself if it has memory that nobody else was given; else a copy that has. Raises OutOfMemoryError."""
    if isinstance(array.base, _Memory) and not array.base.shown:
        return array
    try:
        memory = _mapped(bytes_taken(max(array.nbytes, 1)))
    except OSError as error:
        raise OutOfMemoryError(f"the system grants no {array.nbytes} bytes of memory: {error}") from None
    copied = np.ndarray(array.shape, array.dtype, memory, memory.start)
    copied[...] = array
    return copied
