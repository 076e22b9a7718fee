"""The pool of dead buffers: memory is used again, never while anybody can see it, and not without bound."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir.errors import OutOfMemoryError
from fuseir.runtime.buffers import LARGE_BYTES, SMALLEST_BYTES, BufferPool

F64 = np.dtype(np.float64)
LARGE = SMALLEST_BYTES // 8
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")


def address(array: np.ndarray[Any, Any]) -> int:
    return array.ctypes.data


def test_memory_of_an_array_that_is_gone_is_used_again() -> None:
    pool = BufferPool()
    first = pool.allocate((2, LARGE), F64)
    where = address(first)
    del first
    assert pool.free_bytes == 2 * LARGE * 8
    # The size in bytes counts, not shape or type.
    second = pool.allocate((4 * LARGE,), np.dtype(np.int32))
    assert address(second) == where
    assert second.shape == (4 * LARGE,)
    assert second.dtype == np.int32
    assert second.flags.c_contiguous
    assert second.flags.aligned
    assert second.flags.writeable
    assert pool.free_bytes == 0
    assert address(pool.allocate((2, LARGE), F64)) != where


def test_whoever_holds_any_view_of_the_memory_keeps_it() -> None:
    pool = BufferPool()
    views: list[Callable[[Any], Any]] = [
        lambda array: array[3:5],
        lambda array: array.reshape(2, -1).T[0],
        lambda array: memoryview(array),
        lambda array: np.ndarray((3,), F64, array.data),
        lambda array: array.view(np.int64),
    ]
    for view_of in views:
        array = pool.allocate((LARGE,), F64)
        held = view_of(array)
        del array
        assert pool.free_bytes == 0
        del held
        assert pool.free_bytes == LARGE * 8
        pool.clear()
        assert pool.free_bytes == 0


def test_memory_starts_at_pages_and_large_memory_at_huge_ones() -> None:
    pool = BufferPool()
    for elements, alignment in ((LARGE, 4096), (LARGE + 1, 4096), (1 << 18, 1 << 21), ((1 << 18) + 1, 1 << 21)):
        array = pool.allocate((elements,), F64)
        assert address(array) % alignment == 0
        array[[0, -1]] = 1.0
        other = pool.allocate((elements,), F64)
        assert not np.shares_memory(array, other)


def test_sizes_that_take_as_many_pages_share_memory() -> None:
    pool = BufferPool()
    where = address(pool.allocate((LARGE + 1,), F64))
    assert address(pool.allocate((LARGE + 500,), F64)) == where


def test_zeros_are_zeros_also_where_memory_was_used() -> None:
    pool = BufferPool()
    for elements in (10, LARGE, 4 * LARGE):
        for _ in range(2):
            array = pool.zeros((elements,), F64)
            assert not array.any()
            array[...] = 1.0
            del array
    assert pool.free_bytes == 5 * SMALLEST_BYTES


FORKING = """
import os
import numpy as np
from fuseir.runtime.buffers import BufferPool

array = BufferPool().zeros((1 << 15,), np.dtype(np.float64))
child = os.fork()
if child == 0:
    array[...] = 1.0
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert not array.any()
"""


def test_children_have_memory_of_their_own() -> None:
    # In a process without threads: Python warns about forking others.
    assert subprocess.run([sys.executable, "-c", FORKING]).returncode == 0


def test_more_than_allowed_is_refused_and_what_is_kept_makes_room() -> None:
    pool = BufferPool(most_bytes=4 * SMALLEST_BYTES)
    first, second = (pool.allocate((n * LARGE,), F64) for n in (1, 2))
    del first
    assert pool.free_bytes == SMALLEST_BYTES
    third = pool.allocate((2 * LARGE,), F64)  # for which what is kept goes
    assert (pool.free_bytes, pool.live_bytes) == (0, 4 * SMALLEST_BYTES)
    with pytest.raises(OutOfMemoryError, match="memory_bytes"):
        pool.allocate((LARGE,), F64)
    del second
    pool.require(2 * SMALLEST_BYTES)
    with pytest.raises(OutOfMemoryError):
        pool.require(2 * SMALLEST_BYTES + 1)
    assert pool.live_bytes == third.nbytes
    assert pool.free_bytes == 2 * SMALLEST_BYTES


def test_what_the_system_has_left_bounds_large_memory() -> None:
    left = LARGE_BYTES + SMALLEST_BYTES
    pool = BufferPool(available=lambda: left)
    pool.require(left)
    with pytest.raises(OutOfMemoryError):
        pool.allocate((LARGE_BYTES + 2 * SMALLEST_BYTES,), np.dtype(np.uint8))
    assert pool.allocate((LARGE_BYTES,), np.dtype(np.uint8)).size == LARGE_BYTES
    assert BufferPool(available=lambda: None).allocate((LARGE_BYTES,), np.dtype(np.uint8)).size == LARGE_BYTES


def test_small_arrays_and_empty_ones_are_ordinary() -> None:
    pool = BufferPool()
    for shape in ((LARGE - 1,), (0,), (), (3, 0, 5)):
        array = pool.allocate(shape, F64)
        assert array.shape == shape
        assert array.base is None
        del array
        assert pool.free_bytes == 0


def test_what_is_kept_is_bounded_and_the_size_unused_for_longest_goes_first() -> None:
    pool = BufferPool(8 * SMALLEST_BYTES)
    arrays = [pool.allocate((n * LARGE,), F64) for n in (3, 1, 2, 3, 9)]
    arrays.pop()  # beyond the bound: never kept
    assert pool.free_bytes == 0
    while arrays:
        arrays.pop(0)
        assert pool.free_bytes <= 8 * SMALLEST_BYTES
    # 3, 1, 2 and 3 are 9: of the sizes, 1 came back longest ago.
    assert pool.free_bytes == 8 * SMALLEST_BYTES
    pool.allocate((LARGE,), F64)
    assert pool.free_bytes == 7 * SMALLEST_BYTES  # a new one of 1 came back, and the 2 went


def test_threads_never_get_the_same_memory() -> None:
    pool = BufferPool()
    mixed: list[int] = []

    def work(number: int) -> None:
        for _ in range(300):
            array = pool.allocate((LARGE,), F64)
            array[:4] = number
            array[-4:] = number
            if not (np.all(array[:4] == number) and np.all(array[-4:] == number)):
                mixed.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mixed == []
    assert pool.free_bytes <= 4 * SMALLEST_BYTES


def test_a_session_reuses_the_memory_of_released_stores() -> None:
    seen: list[int] = []
    look = fuseir.opaque_task(lambda x: seen.append(address(x)), ["read"])  # type: ignore[arg-type]
    session = fuseir.Session()
    x = session.full(LARGE, 1.0)
    for k in range(4):
        z = session.store(LARGE)
        session.launch(SCALE, float(k), x, z)
        session.launch(look, z)
        session.flush()
        del z
    assert len(set(seen)) == 1


def test_arrays_that_tasks_and_users_hold_are_left_alone() -> None:
    kept: list[np.ndarray[Any, Any]] = []
    keep = fuseir.opaque_task(lambda x: kept.append(x), ["read"])  # type: ignore[arg-type]
    session = fuseir.Session()
    mine = np.full(LARGE, 1.0)
    x = session.from_numpy(mine, copy=False)
    for k in range(4):
        z = session.store(LARGE)
        session.launch(SCALE, float(k), x, z)
        session.launch(keep, z)
        session.flush()
        del z
    del x
    for _ in range(3):
        y, z = session.full(LARGE, 7.0), session.store(LARGE)
        session.launch(SCALE, 2.0, y, z)
        assert z.numpy()[0] == 14.0
    assert [array[0] for array in kept] == [0.0, 1.0, 2.0, 3.0]
    assert mine.tolist() == [1.0] * LARGE
