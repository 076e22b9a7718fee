"""Frozen functions: what they launch is captured once, and does the same on other stores."""

from __future__ import annotations

import gc
import threading
import warnings
import weakref
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import FreezeWarning, StorePoisonedError, UsageError

ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
INCREMENT = fuseir.task("task increment(x: read_write) { x += 1 }")
COPY = fuseir.task("task copy(x: read, z: write) { z = x }")
TOTAL = fuseir.task("task total(x: read, s: reduce<add>) { s = sum(x) }")


@pytest.fixture
def session() -> fuseir.Session:
    return fuseir.Session(threads=2, procs=2)


def launched(session: fuseir.Session, task: fuseir.Task, *arguments: Any, like: fuseir.Store) -> fuseir.Store:
    result = session.store(like.shape, like.dtype)
    session.launch(task, *arguments, result)
    return result


def test_the_function_is_called_once_and_its_results_are_new_each_time(session: fuseir.Session) -> None:
    calls: list[int] = []

    @fuseir.freeze
    def step(x: fuseir.Store, y: fuseir.Store) -> dict[str, Any]:
        calls.append(1)
        t = launched(session, ADD, x, y, like=x)
        return {"z": launched(session, SCALE, 2.0, t, like=x), "pair": (x, 3), "list": [t]}

    kept = []
    for k in range(4):
        x, y = session.from_numpy(np.full(5, float(k))), session.from_numpy(np.arange(5.0))
        result = step(x, y)
        assert list(result) == ["z", "pair", "list"]
        assert result["pair"][0].root is x.root
        assert result["pair"][1] == 3
        kept.append((result["z"], result["list"][0]))
    assert calls == [1]
    assert session.statistics.frozen_calls == 3
    for k, (z, t) in enumerate(kept):
        assert t.numpy().tolist() == [k + 0.0, k + 1.0, k + 2.0, k + 3.0, k + 4.0]
        assert z.numpy().tolist() == [2 * value for value in t.numpy()]


def test_arguments_are_changed_in_place_behind_what_was_captured_before(session: fuseir.Session) -> None:
    step = fuseir.freeze(lambda x: session.launch(INCREMENT, x))
    x = session.zeros(3)
    for _ in range(3):
        session.launch(SCALE, 2.0, x, y := session.store(3))
        session.launch(COPY, y, x)
        assert step(x) is None
    assert x.numpy().tolist() == [7.0] * 3  # ((0*2 + 1)*2 + 1)*2 + 1


def test_a_store_without_contents_can_be_written(session: fuseir.Session) -> None:
    step = fuseir.freeze(lambda x, z: session.launch(COPY, x, z))
    x = session.from_numpy(np.arange(3.0))
    for _ in range(2):
        z = session.store(3)
        step(x, z)
        assert z.numpy().tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(UsageError, match="before anything was written"):
        step(session.store(3), z)


def test_other_kinds_of_arguments_are_captured_anew(session: fuseir.Session) -> None:
    calls: list[str] = []

    @fuseir.freeze
    def add(x: fuseir.Store, y: fuseir.Store, factor: float = 1.0, *, label: str = "") -> fuseir.Store:
        calls.append(label)
        return launched(session, SCALE, factor, launched(session, ADD, x, y, like=x), like=x)

    x, y = session.from_numpy(np.arange(4.0)), session.from_numpy(np.ones(4))
    for _ in range(2):
        assert add(x, y).numpy().tolist() == [1.0, 2.0, 3.0, 4.0]
        assert add(x, x).numpy().tolist() == [0.0, 2.0, 4.0, 6.0]  # one store twice
        assert add(x[::-1], y).numpy().tolist() == [4.0, 3.0, 2.0, 1.0]  # a view
        assert add(x[:2], y[2:]).numpy().tolist() == [1.0, 2.0]
        assert add(x, y, 2.0).numpy().tolist() == [2.0, 4.0, 6.0, 8.0]
        assert add(x, y, np.float64(2.0)).numpy().tolist() == [2.0, 4.0, 6.0, 8.0]
        assert np.signbit(add(x, y, -0.0).numpy()).all()
        assert not np.signbit(add(x, y, 0.0).numpy()).any()
        assert add(x, y, label="named").numpy().tolist() == [1.0, 2.0, 3.0, 4.0]
    assert len(calls) == 9


def test_views_of_one_store_may_be_arguments_and_results(session: fuseir.Session) -> None:
    @fuseir.freeze
    def shift(left: fuseir.Store, right: fuseir.Store) -> tuple[fuseir.Store, fuseir.Store]:
        t = launched(session, COPY, left, like=left)
        session.launch(COPY, t, right)
        return right[1:], t[::2]

    for start in (0, 10):
        x = session.from_numpy(np.arange(start, start + 6.0))
        right, t = shift(x[:5], x[1:])
        assert x.numpy().tolist() == [start + v for v in (0.0, 0.0, 1.0, 2.0, 3.0, 4.0)]
        session.launch(INCREMENT, right)
        assert x.numpy()[2:].tolist() == [start + v for v in (2.0, 3.0, 4.0, 5.0)]
        assert t.numpy().tolist() == [start + v for v in (0.0, 2.0, 4.0)]


def test_what_the_function_fills_is_filled_in_each_call(session: fuseir.Session) -> None:
    @fuseir.freeze
    def mean_of_shifted(x: fuseir.Store) -> tuple[fuseir.Store, fuseir.Store, fuseir.Store]:
        total, untouched = session.zeros(()), session.full(2, 5.0)
        ones = session.full(x.shape, 1.0)  # read only: the same in each call
        session.launch(TOTAL, launched(session, ADD, x, ones, like=x), total)
        inside = session.zeros(())
        session.launch(TOTAL, x, inside)
        session.launch(INCREMENT, inside)
        return total, untouched, launched(session, COPY, inside, like=inside)

    for k in range(3):
        total, untouched, other = mean_of_shifted(session.from_numpy(np.full(4, float(k))))
        assert (float(total), float(other)) == (4.0 * (k + 1), 4.0 * k + 1)
        session.launch(INCREMENT, untouched)
        assert untouched.numpy().tolist() == [6.0, 6.0]


def test_what_only_the_first_call_has_is_refused(session: fuseir.Session) -> None:
    outside, kept = session.zeros(3), []

    def uses(x: fuseir.Store) -> None:
        session.launch(ADD, x, x, outside)

    def keeps(x: fuseir.Store) -> None:
        kept.append(launched(session, ADD, x, x, like=x))

    x = session.from_numpy(np.ones(3))
    with pytest.raises(UsageError, match=r"'uses' is frozen.*neither an argument") as info:
        fuseir.freeze(uses)(x)
    assert info.value.location is not None
    assert "session.launch(ADD, x, x, outside)" in (info.value.location.text or "")
    with pytest.raises(UsageError, match="kept somewhere: return it"):
        fuseir.freeze(keeps)(x)
    with pytest.raises(UsageError, match="reads a store"):
        fuseir.freeze(lambda x: float(x[0]))(x)
    with pytest.raises(UsageError, match=r"returns .* not set"):
        fuseir.freeze(lambda x: {launched(session, ADD, x, x, like=x)})(x)
    with pytest.raises(UsageError, match=r"takes .* not ndarray"):
        fuseir.freeze(lambda x, y: None)(x, np.ones(3))
    with pytest.raises(UsageError, match="needs a store"):
        fuseir.freeze(lambda: None)()
    # Nothing was lost: what the functions launched runs as if they had not been frozen.
    assert outside.numpy().tolist() == kept[0].numpy().tolist() == [2.0] * 3


def test_a_task_that_fails_loses_what_it_would_have_written_and_no_more(session: fuseir.Session) -> None:
    healthy = [True, False, True]

    def body(x: np.ndarray[Any, Any], z: np.ndarray[Any, Any]) -> None:
        if not healthy[0]:
            raise ValueError("no")
        z[...] = x

    task = fuseir.opaque_task(body, ["read", "write"])

    @fuseir.freeze
    def step(x: fuseir.Store, z: fuseir.Store) -> fuseir.Store:
        t = launched(session, ADD, x, x, like=x)
        u = launched(session, task, t, like=x)
        session.launch(COPY, u, z)
        return launched(session, ADD, t, t, like=x)

    x, z = session.from_numpy(np.ones(3)), session.store(3)
    assert step(x, z).numpy().tolist() == [4.0] * 3
    healthy.pop(0)
    with pytest.raises(ValueError, match="no") as info:
        step(x, z)
    assert any("launched at" in note for note in info.value.__notes__)
    with pytest.raises(StorePoisonedError):
        z.numpy()
    assert x.numpy().tolist() == [1.0] * 3
    healthy.pop(0)
    assert step(x, z).numpy().tolist() == [4.0] * 3
    assert z.numpy().tolist() == [2.0] * 3


def test_an_error_in_the_function_leaves_what_it_launched_captured(session: fuseir.Session) -> None:
    def broken(x: fuseir.Store) -> None:
        session.launch(INCREMENT, x)
        raise KeyError("mine")

    x = session.zeros(2)
    with pytest.raises(KeyError, match="mine"):
        fuseir.freeze(broken)(x)
    assert x.numpy().tolist() == [1.0, 1.0]


def test_a_frozen_function_may_call_another(session: fuseir.Session) -> None:
    inner = fuseir.freeze(lambda x: launched(session, ADD, x, x, like=x))
    outer = fuseir.freeze(lambda x: inner(inner(x)))
    for k in range(3):
        assert outer(session.from_numpy(np.full(3, float(k)))).numpy().tolist() == [4.0 * k] * 3
    assert inner(session.from_numpy(np.ones(3))).numpy().tolist() == [2.0] * 3
    assert session.statistics.frozen_calls == 2


def test_launches_of_other_threads_are_no_part_of_the_function(session: fuseir.Session) -> None:
    x, other = session.zeros(3), session.zeros(3)
    started, threads = threading.Event(), []

    def elsewhere() -> None:
        started.set()
        session.launch(INCREMENT, other)

    def step(x: fuseir.Store) -> None:
        session.launch(INCREMENT, x)
        if not threads:
            threads.append(threading.Thread(target=elsewhere))
            threads[0].start()
            started.wait()
            threads[0].join(0.05)  # it waits for the end of the recording
        session.launch(INCREMENT, x)

    frozen = fuseir.freeze(step)
    frozen(x)
    threads[0].join()
    frozen(x)
    assert (x.numpy().tolist(), other.numpy().tolist()) == ([4.0] * 3, [1.0] * 3)


def test_no_store_of_a_call_is_kept(session: fuseir.Session) -> None:
    step = fuseir.freeze(lambda x: launched(session, ADD, x, x, like=x))
    for _ in range(2):
        x = session.from_numpy(np.ones(1000))
        result = step(x)
        buffers = [weakref.ref(x.root.buffer), weakref.ref(result.root.buffer)]
        del x, result
        gc.collect()
        assert [buffer() for buffer in buffers] == [None, None]


def test_many_kinds_of_arguments_are_warned_about(session: fuseir.Session) -> None:
    step = fuseir.freeze(lambda x, a: launched(session, SCALE, a, x, like=x), warn_after=3)
    x = session.from_numpy(np.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            step(x, 1.0)
            step(x, 2.0)
    with pytest.warns(FreezeWarning, match="store of rank 0"):
        step(x, 3.0)


def test_long_functions_are_one_segment() -> None:
    """The window does not fill up while a function is recorded."""
    session = fuseir.Session(window=4, max_window=4)

    @fuseir.freeze
    def many(x: fuseir.Store) -> fuseir.Store:
        for _ in range(20):
            x = launched(session, ADD, x, x, like=x)
        return x

    for _ in range(2):
        assert many(session.from_numpy(np.ones(3))).numpy().tolist() == [2.0**20] * 3
    assert session.statistics.windows == 2
    assert session.window_size == 4


def test_calls_that_are_remembered_are_recorded() -> None:
    def program(module: Any, x: Any) -> tuple[Any, ...]:
        z = module.zeros(x.shape)
        z[1:-1] = x[2:] + x[:-2]
        w = module.where(x > 0.5, module.roll(x, 1), 0.0)
        joined, stacked = module.concatenate((x, z, w)), module.stack((x, z))
        t = module.sum(stacked, axis=0) + module.mean(w) * module.max(joined) + module.full(x.shape, 2.0) @ x
        t += module.ones_like(x)
        module.maximum(t, 0.25, out=t)
        return t, joined, x.copy(), (t * 3.0).astype(module.float32), module.argmin(stacked, axis=0)

    with fuseir.Session(procs=3):
        program(fnp, fnp.ones(50))
        frozen = fuseir.freeze(lambda x: program(fnp, x))
        for seed in range(3):
            x = np.random.default_rng(seed).random(50)
            for found, expected in zip(frozen(fnp.array(x)), program(np, x), strict=True):
                assert found.dtype == expected.dtype
                np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6 if found.dtype == "f4" else 1e-13)
