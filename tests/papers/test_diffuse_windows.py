"""Windows: when launches run, and in which portions (Diffuse §4, §5.2, §7). Each test names its check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir import Tiling
from fuseir.errors import UsageError

Array = np.ndarray[Any, np.dtype[Any]]

DOUBLE = fuseir.task("task double(x: read, z: write) { z = 2 * x }")
ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
INCREMENT = fuseir.task("task increment(y: read_write) { y = y + 1 }")


def chain(session: fuseir.Session, store: fuseir.Store, length: int) -> fuseir.Store:
    """Element-wise launches, each on the result of the one before."""
    for _ in range(length):
        result = session.store(store.shape)
        session.launch(DOUBLE, store, result)
        store = result
    return store


def recorder(seen: list[str], name: str) -> fuseir.Task:
    """An opaque task that says when it runs, and changes its argument."""

    def run(y: Array) -> None:
        seen.append(name)
        y += 1

    return fuseir.opaque_task(run, ["read_write"], name)


def test_d28_nothing_runs_before_the_window_fills_or_a_value_is_wanted() -> None:
    seen: list[str] = []
    session = fuseir.Session(window=4)
    x = session.zeros(4)
    for name in "abc":
        session.launch(recorder(seen, name), x)
    assert seen == []
    assert session.statistics.windows == 0
    session.launch(recorder(seen, "d"), x)
    assert seen == ["a", "b", "c"]
    x.numpy()
    assert seen == ["a", "b", "c", "d"]


def test_d28_opaque_launches_do_not_flush() -> None:
    seen: list[str] = []
    session = fuseir.Session()
    x = session.zeros(4)
    session.launch(INCREMENT, x)
    session.launch(recorder(seen, "opaque"), x)
    session.launch(INCREMENT, x)
    assert session.statistics.tasks == 0
    assert x.numpy().tolist() == [3.0] * 4
    assert seen == ["opaque"]


def test_d29_a_full_window_gives_up_all_single_tasks_but_the_last() -> None:
    """The paper's prototype gives up the first one only; the next launch would make it give up the second."""
    seen: list[str] = []
    session = fuseir.Session(window=3)
    x = session.zeros(4)
    for k in range(6):
        session.launch(recorder(seen, str(k)), x)
        # The first three launches fill the window, then each two.
        assert seen == [str(j) for j in range(max(0, k - k % 2))]
    session.flush()
    assert seen == ["0", "1", "2", "3", "4", "5"]
    assert session.statistics.full_windows == 2


def test_d29_a_full_window_gives_up_one_fused_task_and_keeps_the_rest() -> None:
    session = fuseir.Session(window=5, procs=4)
    x = session.from_numpy(np.arange(16.0))
    y = chain(session, x, 3)
    z = session.store(14)
    session.launch(ADD, y[1:15], y[2:], z)  # reads y through other pieces than those it was written through
    assert session.statistics.tasks == 0
    w = chain(session, z, 1)
    assert (session.statistics.tasks, session.statistics.launches) == (3, 1)
    session.flush()
    assert (session.statistics.tasks, session.statistics.launches) == (5, 2)
    expected = np.arange(16.0) * 8
    assert w.numpy().tolist() == (2 * (expected[1:15] + expected[2:])).tolist()


def test_d29_launches_between_those_of_the_first_task_keep_their_order() -> None:
    """The first task is made of launches 0 and 2; 1 and 3 stay, in their order, with what they use."""
    session = fuseir.Session(window=4, procs=4)
    x, y = session.from_numpy(np.arange(16.0)), session.from_numpy(np.arange(6.0))
    a, b, c = session.store(16), session.store(6), session.store(16)
    session.launch(DOUBLE, x, a)
    session.launch(DOUBLE, y, b, domain=(2,), partitions=[Tiling.of([3])] * 2)
    session.launch(DOUBLE, a, c)
    assert session.statistics.tasks == 0
    session.launch(INCREMENT, b, domain=(2,), partitions=[Tiling.of([3])])
    assert (session.statistics.tasks, session.statistics.launches) == (2, 1)
    assert b.numpy().tolist() == [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]
    assert c.numpy().tolist() == [4.0 * k for k in range(16)]
    assert session.statistics.launches == 2


def test_d30_a_flush_runs_all_as_several_tasks() -> None:
    session = fuseir.Session(procs=4)
    x = session.from_numpy(np.arange(16.0))
    y = chain(session, x, 2)
    z = session.store(15)
    session.launch(DOUBLE, y[1:], z)
    session.fence()
    w = chain(session, z, 2)
    session.flush()
    assert (session.statistics.tasks, session.statistics.launches) == (5, 3)
    assert session.statistics.windows == 1
    session.flush()  # of nothing
    assert session.statistics.windows == 1
    assert w.numpy().tolist() == [32.0 * k for k in range(1, 16)]


def test_d30_a_flush_during_a_flush_is_an_error_that_harms_nothing() -> None:
    """From the body of a task; the window it would have to run is the one that is running."""
    caught: list[UsageError] = []
    session = fuseir.Session(window=2)
    x = session.zeros(3)

    def body(y: Array) -> None:
        for call in (session.flush, lambda: session.launch(INCREMENT, x), x.numpy):
            with pytest.raises(UsageError) as raised:
                call()
            caught.append(raised.value)
        y += 1

    nosy = fuseir.opaque_task(body, ["read_write"])
    session.launch(nosy, x)
    session.launch(INCREMENT, x)  # fills the window: the first task runs inside this call
    assert len(caught) == 3
    session.launch(nosy, x)
    assert x.numpy().tolist() == [3.0] * 3
    assert len(caught) == 6


def test_d31_reading_runs_what_was_captured_first() -> None:
    session = fuseir.Session(window=7)
    x = session.zeros(5)
    for k in range(20):
        session.launch(INCREMENT, x)
        if k % 3 == 0:
            assert x[2].item() == k + 1
    assert session.statistics.forced_flushes == 7


def test_d32_the_window_grows_when_all_of_it_became_one_task() -> None:
    session = fuseir.Session(window=4, max_window=24)
    x = session.from_numpy(np.ones(8))
    sizes: list[int] = []
    store = x
    for _ in range(4 + 8 + 16 + 24):
        store = chain(session, store, 1)
        sizes.append(session.window_size)
    assert sizes == [4] * 3 + [8] * 8 + [16] * 16 + [24] * 25  # doubled at launches 4 and 12; capped at 28
    assert session.statistics.launches == 4


def test_d32_the_window_does_not_grow_otherwise() -> None:
    session = fuseir.Session(window=4, procs=4)
    x = session.from_numpy(np.ones(16))
    for _ in range(8):
        y = chain(session, x, 2)
        x = session.store(16)
        session.launch(DOUBLE, y[::-1], x)
    assert session.window_size == 4
    # A window of a single launch is no fused task.
    single = fuseir.Session(window=1)
    chain(single, single.zeros(4), 5)
    assert (single.window_size, single.statistics.windows) == (1, 5)
    # A flush is no full window.
    flushed = fuseir.Session(window=4)
    chain(flushed, flushed.zeros(4), 3)
    flushed.flush()
    assert flushed.window_size == 4


def test_d33_a_chain_of_67_operations_is_one_task_in_a_window_that_holds_it() -> None:
    session = fuseir.Session(window=70)
    x = session.from_numpy(np.linspace(0.5, 1.5, 1000))
    total = session.zeros(1000)
    store = x
    for k in range(66):
        result = session.store(1000)
        session.launch(ADD if k % 2 else DOUBLE, *((store, x) if k % 2 else (store,)), result)
        store = result
    session.launch(DOUBLE, store, total)
    del store, result
    session.flush()
    assert (session.statistics.tasks, session.statistics.launches, session.statistics.kernels_compiled) == (67, 1, 1)
    assert session.statistics.temporaries == 66


def test_d44_what_pending_launches_read_is_kept() -> None:
    """No handle on y and nobody but a pending launch wants it: it is not a temporary of the first task."""
    session = fuseir.Session(window=3, procs=4)
    x = session.from_numpy(np.arange(16.0))
    y = chain(session, x, 2)
    z = session.store(16)
    shifted = y[::-1]
    del y
    session.launch(DOUBLE, shifted, z)
    del shifted
    assert session.statistics.tasks == 2
    assert z.numpy().tolist() == [8.0 * k for k in reversed(range(16))]
