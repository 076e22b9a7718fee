"""Results that take the memory of inputs: only where nobody sees it, and nobody notices."""

from __future__ import annotations

import numpy as np

import fuseir
from fuseir.runtime.buffers import BufferPool, note_shown, private_array

N = 1 << 14
SIZE = 8 * N
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
BOTH = fuseir.task("task both(x: read, y: read, z: write, w: write) { z = x + y; w = x * y }")
STENCIL = fuseir.task("task stencil(a: read, b: read, z: write) { z = a + b }")


def taken(session: fuseir.Session) -> int:
    return sum(remark.code == "FIR-N141" for remark in session.explain())


def test_an_iteration_needs_the_memory_of_one_store() -> None:
    session = fuseir.Session()
    x = session.full(N, 1.0)
    for _ in range(5):
        z = session.store(N)
        session.launch(SCALE, 2.0, x, z)
        x = z
        del z
        session.flush()
        assert taken(session) == 1
    assert session.statistics.peak_bytes == SIZE
    assert np.all(x.numpy() == 32.0)


def test_results_take_the_memory_of_as_many_inputs() -> None:
    session = fuseir.Session(threads=2)
    x, y = session.full(N, 3.0), session.full(N, 4.0)
    z, w = session.store(N), session.store(N)
    session.launch(BOTH, x, y, z, w)
    del x, y
    session.flush()
    assert taken(session) == 2
    assert session.statistics.peak_bytes == 2 * SIZE
    assert np.all(z.numpy() == 7.0)
    assert np.all(w.numpy() == 12.0)


def test_an_input_that_is_held_or_read_elsewhere_is_left_alone() -> None:
    session = fuseir.Session()
    x = session.from_numpy(np.arange(float(N)))
    z = session.store(N)
    session.launch(SCALE, 2.0, x, z)
    session.flush()
    assert taken(session) == 0
    assert np.array_equal(x.numpy(), np.arange(float(N)))
    # Neighbours' elements are needed after a point has written its own.
    w = session.store(N - 1)
    session.launch(STENCIL, x[1:], x[:-1], w)
    del x
    session.flush()
    assert taken(session) == 0
    assert np.array_equal(w.numpy(), 2 * np.arange(float(N - 1)) + 1)


def test_what_a_later_launch_reads_is_left_alone() -> None:
    session = fuseir.Session()
    x, z, w = session.full(N, 1.0), session.store(N), session.store(N)
    session.launch(SCALE, 2.0, x, z)
    session.fence()
    session.launch(SCALE, 3.0, x, w)
    del x
    session.flush()
    assert taken(session) == 1
    assert np.all(z.numpy() == 2.0)
    assert np.all(w.numpy() == 3.0)


def test_what_other_points_read_is_left_alone() -> None:
    session = fuseir.Session()
    x, z = session.from_numpy(np.arange(float(N))), session.store(N)
    straight = fuseir.Tiling.of([N // 4], [0], fuseir.IndexMap(1, (fuseir.Coordinate(0, 1, 0),)))
    crossed = fuseir.Tiling.of([N // 4], [0], fuseir.IndexMap(1, (fuseir.Coordinate(0, -1, 3),)))
    session.launch(SCALE, 2.0, x, z, domain=[4], partitions=[crossed, straight])
    del x
    session.flush()
    assert taken(session) == 0
    assert np.array_equal(z.numpy(), 2 * np.arange(float(N)).reshape(4, -1)[::-1].ravel())


def test_what_a_task_of_the_same_window_kept_is_left_alone() -> None:
    kept: list[np.ndarray] = []
    keep = fuseir.opaque_task(lambda x: kept.append(x), ["read"])  # type: ignore[arg-type]
    session = fuseir.Session(procs=1)
    x, y, z = session.full(N, 5.0), session.store(N), session.store(N)
    session.launch(SCALE, 2.0, x, y)
    session.launch(keep, y)
    session.launch(SCALE, 2.0, y, z)
    del y
    session.flush()
    assert np.all(kept[0] == 10.0)
    assert np.all(z.numpy() == 20.0)


def test_memory_that_the_user_gave_is_not_written_to() -> None:
    mine = np.arange(float(N))
    session = fuseir.Session()
    x = session.from_numpy(mine, copy=False)
    for _ in range(3):
        z = session.store(N)
        session.launch(SCALE, 2.0, x, z)
        x = z
        del z
        session.flush()
        assert taken(session) == 1
    assert np.array_equal(mine, np.arange(float(N)))
    assert np.array_equal(x.numpy(), 8 * np.arange(float(N)))


def test_memory_that_a_task_kept_is_not_written_to() -> None:
    kept: list[np.ndarray] = []
    keep = fuseir.opaque_task(lambda x: kept.append(x), ["read"])  # type: ignore[arg-type]
    session = fuseir.Session(procs=1)
    x = session.full(N, 5.0)
    session.launch(keep, x)
    session.flush()
    z = session.store(N)
    session.launch(SCALE, 2.0, x, z)
    del x
    session.flush()
    assert taken(session) == 1
    assert np.all(kept[0] == 5.0)
    assert np.all(z.numpy() == 10.0)


def test_memory_is_private_until_it_was_shown_and_again_when_it_comes_back() -> None:
    pool = BufferPool()
    array = pool.zeros((N,), np.dtype(np.float64))
    where = array.ctypes.data
    assert private_array(array) is array
    note_shown(array)
    copied = private_array(array)
    assert not np.shares_memory(copied, array)
    assert private_array(copied) is copied
    del array
    again = pool.allocate((N,), np.dtype(np.float64))
    assert again.ctypes.data == where
    assert private_array(again) is again
    mine = np.arange(3.0)
    assert private_array(mine).tolist() == mine.tolist()
    assert not np.shares_memory(private_array(mine), mine)
