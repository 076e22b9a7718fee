"""The pool of dead buffers: memory is used again, never while anybody can see it, and not without bound."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

import fuseir
from fuseir.runtime.buffers import SMALLEST_BYTES, BufferPool

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


def test_small_arrays_and_empty_ones_are_ordinary() -> None:
    pool = BufferPool()
    for shape in ((LARGE - 1,), (0,), (), (3, 0, 5)):
        array = pool.allocate(shape, F64)
        assert array.shape == shape
        assert array.base is None
        del array
        assert pool.free_bytes == 0


def test_what_is_kept_is_bounded_and_the_size_unused_for_longest_goes_first() -> None:
    pool = BufferPool(most_bytes=8 * SMALLEST_BYTES)
    arrays = [pool.allocate((n * LARGE,), F64) for n in (3, 1, 2, 3, 9)]
    assert arrays.pop().base is None  # beyond the bound: never kept
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
