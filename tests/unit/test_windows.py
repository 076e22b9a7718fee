"""Full windows, unknown windows: what fails, what is kept, what is said."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir import Tiling
from fuseir.errors import FallbackWarning, StorePoisonedError, UnknownWindowError, UsageError
from fuseir.runtime.compiler import Compiler

Array = np.ndarray[Any, np.dtype[Any]]

COPY = fuseir.task("task copy(x: read, z: write) { z = x }")
ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
INCREMENT = fuseir.task("task increment(y: read_write) { y = y + 1 }")


def _fail(y: Array) -> None:
    raise KeyError("no such thing")


FAIL = fuseir.opaque_task(_fail, ["write"], "fail")


# Failures of the first task of a full window


def test_a_failure_surfaces_at_the_launch_that_filled_the_window() -> None:
    session = fuseir.Session(window=3)
    x, y = session.zeros(4), session.zeros(4)
    session.launch(FAIL, x)  # this line
    session.launch(INCREMENT, y)
    with pytest.raises(KeyError) as raised:
        session.launch(INCREMENT, y)
    assert "this line" in "".join(raised.value.__notes__)
    # What was captured behind it, the launch that raised included, is still there.
    assert y.numpy().tolist() == [2.0] * 4
    with pytest.raises(StorePoisonedError):
        x.numpy()


def test_what_depends_on_a_failed_first_task_is_lost_when_it_runs() -> None:
    session = fuseir.Session(window=3)
    x, y, z = session.zeros(4), session.zeros(4), session.zeros(4)
    session.launch(FAIL, x)
    session.launch(ADD, x, y, z)
    with pytest.raises(KeyError):
        session.launch(INCREMENT, y)
    assert y.numpy().tolist() == [1.0] * 4
    with pytest.raises(StorePoisonedError):
        z.numpy()
    with pytest.raises(StorePoisonedError):
        session.launch(COPY, z, y)


def test_a_pending_launch_that_replaces_lost_contents_brings_them_back_for_launches_behind_it_only() -> None:
    session = fuseir.Session(window=4)
    x, y, z = session.zeros(4), session.full(4, 5.0), session.zeros(4)
    session.launch(FAIL, x)
    session.launch(COPY, x, z)  # sees what was lost
    session.launch(COPY, y, x)
    with pytest.raises(KeyError):
        session.launch(INCREMENT, x)
    session.launch(INCREMENT, x)  # x is known to be replaced
    assert x.numpy().tolist() == [7.0] * 4
    with pytest.raises(StorePoisonedError):
        z.numpy()


def test_a_window_that_could_not_be_planned_when_full_stays_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    session = fuseir.Session(window=2)
    x, y = session.zeros(4), session.zeros(4)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    session.launch(INCREMENT, x)
    with monkeypatch.context() as patch:
        patch.setattr(Compiler, "plan_first_task", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.launch(INCREMENT, y)
    # Nothing ran, nothing is lost; the next launch runs as many first tasks as it takes.
    assert session.statistics.tasks == 0
    session.launch(INCREMENT, y)
    assert (x.numpy() + y.numpy()).tolist() == [3.0] * 4


def test_a_full_window_that_cannot_be_compiled_runs_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    session = fuseir.Session(window=3)
    x = session.zeros(4)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no kernels today")

    monkeypatch.setattr("fuseir.runtime.executors.cpu.compile_kernels", broken)
    session.launch(INCREMENT, x)
    session.launch(INCREMENT, x)
    with pytest.warns(FallbackWarning):
        session.launch(INCREMENT, x)
    assert session.statistics.tasks == 3
    assert session.window_size == 3
    assert x.numpy().tolist() == [3.0] * 4


@pytest.mark.parametrize("options", [{"fuse": False}, {"target": "reference"}])
def test_where_nothing_fuses_a_full_window_runs_as_a_whole(options: dict[str, Any]) -> None:
    session = fuseir.Session(window=3, **options)
    x = session.zeros(4)
    for _ in range(3):
        session.launch(INCREMENT, x)
    assert (session.statistics.tasks, session.statistics.windows, session.window_size) == (3, 1, 3)


# What is kept


def test_stores_of_the_first_task_go_when_it_has_run() -> None:
    session = fuseir.Session(window=3, procs=4)
    x = session.from_numpy(np.arange(8.0))
    t, y = session.store(8), session.store(8)
    session.launch(ADD, x, x, t)
    session.launch(ADD, t, x, y)
    del t
    session.launch(COPY, y[::-1], session.store(8))
    assert session.statistics.tasks == 2
    assert session.statistics.temporaries == 1
    assert y.numpy().tolist() == [3.0 * k for k in range(8)]


def test_a_dead_launch_does_not_come_back_behind_the_one_that_replaced_it() -> None:
    """The first write of t is dead, as the second replaces it, both in one window. What the first task leaves must not redo it."""
    session = fuseir.Session(window=4, procs=4)
    x, y, t = session.full(8, 1.0), session.full(8, 2.0), session.store(8)
    z = session.store(8)
    session.launch(COPY, x, t)
    session.launch(COPY, y, t)
    session.launch(COPY, t[::-1], z)
    del t
    session.launch(INCREMENT, z)
    assert z.numpy().tolist() == [3.0] * 8


def test_a_dead_first_task_leaves_with_the_next_one() -> None:
    """A fence keeps the dead write apart from the one that replaces it: the first task is erased, the second one is taken."""
    session = fuseir.Session(window=4, procs=4)
    x, y, t, z = session.full(8, 1.0), session.full(8, 2.0), session.store(8), session.store(8)
    session.launch(COPY, x, t)
    session.fence()
    session.launch(COPY, y, t)
    session.launch(COPY, t[::-1], z)
    del t
    session.launch(INCREMENT, z)
    assert (session.statistics.tasks, session.statistics.launches) == (2, 1)
    assert z.numpy().tolist() == [3.0] * 8


def test_launches_that_nobody_needs_leave_a_full_window_together() -> None:
    session = fuseir.Session(window=2, procs=4)
    x, t = session.full(8, 1.0), session.store(8)
    session.launch(COPY, x, t)
    u = session.store(8)
    views = t[::-1], u
    del t, u
    with session.assert_no_compile(), pytest.raises(UnknownWindowError):
        session.launch(COPY, *views)
    del views
    session.launch(INCREMENT, x)
    session.flush()
    assert x.numpy().tolist() == [2.0] * 8
    assert (session.statistics.tasks, session.statistics.launches) == (3, 1)


def test_fences_do_not_pile_up() -> None:
    session = fuseir.Session(window=4)
    x = session.zeros(4)
    for _ in range(50):
        session.launch(INCREMENT, x)
        session.fence()
        session.fence()
    assert session._window.limit - session._window.size <= 3
    assert x.numpy().tolist() == [50.0] * 4


def test_a_release_after_the_task_ran_frees_the_store_with_the_last_pending_launch() -> None:
    session = fuseir.Session(window=3, procs=4)
    x = session.from_numpy(np.arange(8.0))
    t, y = session.store(8), session.store(8)
    root = t.root
    session.launch(ADD, x, x, t)
    session.launch(COPY, t[::-1], y)
    session.launch(INCREMENT, y)  # full: t is written, its reader waits
    assert root.buffer is not None
    del t
    session.flush()
    assert root.buffer is None or not session._window.records
    assert y.numpy().tolist() == [2.0 * k + 1 for k in reversed(range(8))]


def test_a_window_that_grew_shrinks_when_tasks_become_small() -> None:
    session = fuseir.Session(window=8, procs=4)
    x = session.zeros(16)
    for _ in range(8 + 16):
        session.launch(INCREMENT, x)
    assert session.window_size == 32
    y = session.zeros(16)
    for _ in range(32):
        session.launch(COPY, x[::-1], y)
        session.launch(COPY, y[::-1], x)
    assert session.window_size == 8
    assert x.numpy().tolist() == [24.0] * 16


def test_options_of_windows() -> None:
    assert (fuseir.Session().options.window, fuseir.Session().options.max_window) == (64, 1024)
    with pytest.raises(UsageError, match="max_window"):
        fuseir.Session(max_window=0)
    # A cap below the first size: the window just does not grow.
    session = fuseir.Session(window=4, max_window=2)
    x = session.zeros(4)
    for _ in range(9):
        session.launch(INCREMENT, x)
    assert session.window_size == 4


@pytest.mark.parametrize("window", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("seed", range(12))
def test_any_window_gives_the_same_bits(window: int, seed: int) -> None:
    """Random stencils, copies, updates and reductions, with fences and dropped stores, against the reference run in one window."""

    def run(session: fuseir.Session) -> list[Array]:
        random = np.random.default_rng(seed)
        stores = [session.from_numpy(random.normal(size=12)) for _ in range(3)]
        total = session.zeros(())
        for _ in range(30):
            a, b, c = (stores[int(k)] for k in random.choice(len(stores), 3))
            low = int(random.integers(0, 3))
            match int(random.integers(0, 6)):
                case 0:
                    fresh = session.store(12)
                    session.launch(ADD, a, b, fresh)
                    stores.append(fresh)
                case 1 if a is not c and b is not c:
                    session.launch(ADD, a[low : low + 10], b[2:], c[1:11])
                case 2 if a is not b:
                    session.launch(COPY, a[::-1], b)
                case 3 if len(stores) > 3:
                    del stores[int(random.integers(len(stores)))]
                case 4:
                    session.launch(TOTAL, a[low:], total)
                case _:
                    session.launch(INCREMENT, c)
                    if random.random() < 0.3:
                        session.fence()
        return [total.numpy(), *(store.numpy() for store in stores)]

    expected = run(fuseir.Session(target="reference", window=1000, procs=3))
    session = fuseir.Session(window=window, max_window=4 * window, procs=3)
    for got, want in zip(run(session), expected, strict=True):
        assert got.tobytes() == want.tobytes()
    assert session.statistics.fallbacks == 0


TOTAL = fuseir.task("task total(x: read, s: reduce<add>) { s += x }")


# Unknown windows


def two_tasks(session: fuseir.Session, *, tile: int = 3, size: int = 9, drop: bool = True, extra: bool = False) -> None:
    x, t, y = session.zeros(size), session.store(size), session.store(size)
    pieces = Tiling.of([tile])
    session.launch(COPY, x, t, domain=(5,), partitions=[Tiling.of([3])] * 2)
    session.launch(ADD, t, x, y, domain=(5,), partitions=[pieces] * 3)  # the second
    if extra:
        session.launch(INCREMENT, y)
    if drop:
        del t
    session.flush()


DIFFERENCES = [
    ({"tile": 2}, "launch 2 of 2 ('add'): partition of `x`: tiling<[2]> instead of tiling<[3]>"),
    ({"size": 10}, "launch 1 of 2 ('copy'): shape of the store of `x`: (10,) instead of (9,)"),
    (
        {"drop": False},
        "launch 1 of 2 ('copy'): life of the store of `z`: held at the end instead of released, without contents from before",
    ),
    ({"extra": True}, "launch 3 of 3 ('increment') is new: the known window ends before it"),
]


@pytest.mark.parametrize(("change", "text"), DIFFERENCES)
def test_a_miss_says_what_is_new(change: dict[str, Any], text: str) -> None:
    session = fuseir.Session()
    two_tasks(session, size=30)  # another one, further away
    two_tasks(session)
    with session.assert_no_compile():
        two_tasks(session)
        with pytest.raises(UnknownWindowError) as raised:
            two_tasks(session, **change)
    assert text in raised.value.message
    assert session.statistics.plan_misses == 2
    session.flush()  # nothing was lost; now it may be compiled
    assert session.statistics.plan_misses == 3
    (remark,) = [remark for remark in session.explain() if remark.code == "FIR-N151"]
    assert text in remark.message
    assert remark.location is not None
    assert remark.location.file == __file__


def changed_stores(session: fuseir.Session, what: str) -> None:
    x, y = session.zeros(8), session.zeros(8)
    session.launch(COPY, x[2:6], y[:4])
    if what == "fence":
        session.fence()
    session.launch(ADD, x, x if what == "alias" else y, session.store(8))
    if what == "opaque":
        session.launch(fuseir.opaque_task(lambda x: None, ["read"], "look"), x)
    session.flush()


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("fence", "launch 2 of 2 stands behind a fence, not so in the known one"),
        ("alias", "store of `y`: that of `x` in launch 1 instead of that of `z` in launch 1"),
        ("opaque", "launch 3 of 3 ('look') is new"),
    ],
)
def test_a_miss_names_fences_and_stores(what: str, text: str) -> None:
    session = fuseir.Session()
    changed_stores(session, "")
    with session.assert_no_compile(), pytest.raises(UnknownWindowError, match=re.escape(text)):
        changed_stores(session, what)


def test_tasks_types_and_ends_are_told_apart() -> None:
    def run(session: fuseir.Session, task: fuseir.Task, dtype: str, count: int) -> str:
        x, y = session.zeros(8, dtype), session.zeros(8, dtype)
        for _ in range(count):
            session.launch(task, x, y)
        said = ""
        try:
            with session.assert_no_compile():
                session.flush()
        except UnknownWindowError as error:
            said = error.message
        session.flush()
        return said

    session = fuseir.Session()
    assert "no window is known yet" in run(session, COPY, "f8", 2)
    assert "the task, instead of 'copy'" in run(session, fuseir.task("task move(x: read, z: write) { z = x }"), "f8", 2)
    assert "arguments: (float32 of rank 1" in run(session, COPY, "f4", 2)
    assert "it ends after launch 1; the known one goes on with 'copy'" in run(session, COPY, "f8", 1)
    assert "another text of the same task" in run(
        session, fuseir.task("task copy(x: read, z: write) { z = -x }"), "f8", 2
    )
    update = fuseir.task("task copy(x: read, z: read_write) { z = x + z }")
    assert "privileges: (read, read_write) instead of (read, write)" in run(session, update, "f8", 2)
    assert run(session, fuseir.task("task copy(x: read, z: write) { z = x }"), "f8", 2) == ""  # the same text


def test_nothing_is_said_about_a_first_window_or_a_known_one() -> None:
    with fuseir.Session() as session:
        two_tasks(session)
        assert "FIR-N151" not in [remark.code for remark in fuseir.explain()]
        two_tasks(session, tile=2)
        assert "FIR-N151" in [remark.code for remark in fuseir.explain()]
        with fuseir.assert_no_compile():
            two_tasks(session, tile=2)


def test_inside_assert_no_compile_a_full_window_is_refused_at_its_launch_and_runs_later() -> None:
    session = fuseir.Session(window=2)
    x = session.zeros(4)
    with session.assert_no_compile():
        session.launch(INCREMENT, x)
        with pytest.raises(UnknownWindowError, match="no window is known yet") as raised:
            session.launch(INCREMENT, x)
    assert raised.value.code == "FIR-E015"
    assert session.statistics.tasks == 0
    assert x.numpy().tolist() == [2.0] * 4


def test_a_full_window_is_another_one_than_the_same_flushed() -> None:
    session = fuseir.Session(window=3, max_window=3)
    x = session.zeros(4)

    def update(count: int) -> None:
        for _ in range(count):
            session.launch(INCREMENT, x)

    update(3)
    other = fuseir.Session(window=3)
    y = other.zeros(4)
    other.launch(INCREMENT, y)
    session.flush()
    assert session.statistics.plan_misses == 1
    with session.assert_no_compile():
        update(3)
    assert session.statistics.plan_hits == 1


def test_launches_with_a_form_for_other_stores_are_refused_when_planned() -> None:
    session = fuseir.Session()
    x, y = session.from_numpy(np.ones(3)), session.from_numpy(np.ones(4))
    form = session.form(INCREMENT, [x])
    frame = sys._getframe()
    session.capture(form, (y.root,), (), frame.f_code, frame.f_lasti)
    with pytest.raises(UsageError, match=r"captured for a store of shape \(3,\).*on one of shape \(4,\)"):
        session.flush()
