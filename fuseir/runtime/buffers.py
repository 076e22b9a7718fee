"""Memory of dead stores, kept for the next ones.

A program that makes and drops a store each iteration would otherwise get fresh pages from the system each time, and touching those costs
more than the arithmetic. A buffer comes back when the last array on its memory is gone, views that a task kept included: nobody
has to say so, and nobody can see memory that somebody else writes.
"""

from __future__ import annotations

import threading
from math import prod
from typing import Any

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.runtime.arrays import Array

SMALLEST_BYTES = 1 << 16
"""Below this, the allocator of the C library reuses memory well by itself."""

MOST_BYTES = 1 << 28
"""What a pool keeps at most: several generations of stores that fit a processor's caches, and little beside a machine's memory."""


class BufferPool:
    """Hands out arrays and keeps the memory of those that are gone, by exact size, up to ``most_bytes``.

    Safe to use from several threads and from finalisers, which may run anywhere: who does not get the lock at once, does without the pool.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        # By size; the size that came back last is last. The lists are never empty.
        self._free: dict[int, list[Array]] = {}
        self._free_bytes = 0
        self._lock = threading.Lock()

    @property
    def free_bytes(self) -> int:
        """The bytes kept at the moment."""
        return self._free_bytes

    def allocate(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        """A C-contiguous array with undefined contents. Raises MemoryError, or ValueError beyond the address space, as NumPy does."""
        size = prod(shape) * dtype.itemsize
        if not SMALLEST_BYTES <= size <= self._most_bytes:
            return np.empty(shape, dtype)
        memory = self._take(size)
        if memory is None:
            try:
                memory = np.empty(size, np.uint8)
            except MemoryError:
                self.clear()
                memory = np.empty(size, np.uint8)
        return np.asarray(_Lease(self, memory, shape, dtype))

    def clear(self) -> None:
        """Lets go of all that is kept."""
        if self._lock.acquire(blocking=False):
            try:
                self._free, self._free_bytes = {}, 0
            finally:
                self._lock.release()

    def take_back(self, memory: Array) -> None:
        """Keeps memory that no array is on any more. Where that is too much, sizes that nothing came back of for longest go."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            kept = self._free.pop(memory.nbytes, [])
            self._free[memory.nbytes] = kept
            kept.append(memory)
            self._free_bytes += memory.nbytes
            while self._free_bytes > self._most_bytes:
                self._remove(next(iter(self._free)))
        finally:
            self._lock.release()

    def _take(self, size: int) -> Array | None:
        if not self._lock.acquire(blocking=False):
            return None
        try:
            return self._remove(size) if size in self._free else None
        finally:
            self._lock.release()

    def _remove(self, size: int) -> Array:
        kept = self._free[size]
        memory = kept.pop()
        if not kept:
            del self._free[size]
        self._free_bytes -= size
        return memory


class _Lease:
    """What an array of a pool is based on: as long as an array on the memory is left, it keeps this alive."""

    __slots__ = ("__array_interface__", "_memory", "_pool")

    def __init__(self, pool: BufferPool, memory: Array, shape: Shape, dtype: np.dtype[Any]) -> None:
        self._pool = pool
        self._memory = memory
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": dtype.str,
            "data": (memory.ctypes.data, False),
        }

    def __del__(self) -> None:
        self._pool.take_back(self._memory)
