"""Traces in sessions: where the stream is cut, that results do not depend on it, and what is reported (Apophenia; A37, A38, J1, J2, J4)."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp
from fuseir.runtime.stream import Stream
from fuseir.runtime.window import Life

sys.path.insert(0, str(Path(__file__).parents[1] / "differential"))

from looping_programs import Writer, difference, traced_session

Step = Callable[[Any, Any, Any], Any]


def relax(np_: Any, x: Any, b: Any) -> Any:
    """Like the Jacobi stream of the paper: the name of the result is bound anew each time."""
    t = b - x * 0.25
    t = t / 2.0
    t = np_.maximum(t, -1.0)
    t = np_.sqrt(t * t + 1.0)
    return t - x * 0.125


def stepped(np_: Any, x: Any, b: Any) -> Any:
    """Views, in-place updates and a copy."""
    y = x.copy()
    y[1:-1] = x[2:] + x[:-2]
    y[1:-1] *= 0.5
    y += b
    y -= y * 0.75
    return y


def loop(np_: Any, step: Step, iterations: int, look_every: int = 0) -> Any:
    x, b = np_.linspace(0.0, 1.0, 20), np_.linspace(2.0, 3.0, 20)
    looked = []
    for k in range(iterations):
        x = step(np_, x, b)
        if look_every and k % look_every == look_every - 1:
            looked.append(float(x[3]))
    return np.asarray(x), looked


@pytest.mark.parametrize("step", [relax, stepped])
def test_a_loop_is_replayed_before_it_has_gone_around_ten_times(step: Step) -> None:
    with traced_session() as session:
        iterations = 0
        x, b = fnp.linspace(0.0, 1.0, 20), fnp.linspace(2.0, 3.0, 20)
        while session.statistics.replays == 0:
            x = step(fnp, x, b)
            iterations += 1
            assert iterations <= 20
    # One iteration more is captured than done, and a session of its own waits for nobody: found as soon as can be.
    assert iterations <= 11


@pytest.mark.parametrize("step", [relax, stepped])
def test_j1_j2_results_are_the_same_and_replays_plan_nothing(step: Step) -> None:
    want = loop(np, step, 60)[0]
    with fuseir.Session(trace=False):
        untraced = loop(fnp, step, 60)[0]
    with traced_session() as session:
        loop(fnp, step, 60)
        misses, replays = session.statistics.plan_misses, session.statistics.replays
        with session.assert_no_compile():
            traced = loop(fnp, step, 60)[0]
        assert session.statistics.plan_misses == misses
        assert session.statistics.replays > replays + 50
    assert traced.tobytes() == untraced.tobytes()
    np.testing.assert_allclose(traced, want, rtol=1e-14)


def test_j3_a_launch_inside_of_a_trace_costs_a_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Besides, there is one call a replay; ``benchmarks/overhead.py`` says what that takes."""
    steps = 0
    step = Stream._step

    def counted(stream: Stream, token: int) -> None:
        nonlocal steps
        steps += 1
        step(stream, token)

    monkeypatch.setattr(Stream, "_step", counted)
    with traced_session() as session:
        loop(fnp, relax, 60)
        steps, replays, replayed = 0, session.statistics.replays, session.statistics.replayed
        loop(fnp, relax, 60)
        replays = session.statistics.replays - replays
        assert session.statistics.replayed - replayed > 3 * replays
        assert 0 < steps <= replays + 10


def test_j4_the_report_says_how_much_is_covered() -> None:
    with traced_session() as session:
        loop(fnp, relax, 600)
        report = session.trace_report()
        assert report is not None
        statistics = session.statistics
    assert report.coverage.share > 0.97
    assert report.replays.replayed_launches == statistics.replayed
    assert report.coverage.warm_up is not None
    assert report.coverage.warm_up < 100
    assert "of the last" in str(report)
    assert fuseir.Session(trace=False).trace_report() is None


def test_an_irregular_look_now_and_then() -> None:
    want = loop(np, relax, 210, look_every=7)
    with traced_session() as session:
        found = loop(fnp, relax, 210, look_every=7)
        assert session.statistics.replayed > 0.8 * session.statistics.tasks
    np.testing.assert_allclose(found[1], want[1], rtol=1e-14)


def test_random_loops_compute_what_numpy_computes() -> None:
    replays = 0
    for seed in range(6):
        program = Writer(random.Random(seed)).program()
        session = traced_session(procs=2)
        found = difference(program, session)
        assert found is None, f"program {seed}: {found}\n{program}"
        replays += session.statistics.replays
    assert replays > 20


def test_a37_an_older_result_is_read_without_running_what_waits() -> None:
    with fuseir.Session() as session:
        old = fnp.arange(4.0) * 2
        session.flush()
        new = old + 1
        assert old.tolist() == [0, 2, 4, 6]
        assert session.statistics.forced_flushes == 0
        assert new.tolist() == [1, 3, 5, 7]
        assert session.statistics.forced_flushes == 1


def test_a38_an_explicit_trace_is_one_segment() -> None:
    x, b = fnp.linspace(0.0, 1.0, 20), fnp.linspace(2.0, 3.0, 20)
    with traced_session() as session:
        x, b = fnp.linspace(0.0, 1.0, 20), fnp.linspace(2.0, 3.0, 20)
        session.flush()
        planned: list[int] = []
        for _ in range(4):
            windows = session.statistics.windows
            with fuseir.trace():
                for _ in range(30):
                    x = relax(fnp, x, b)
                with session.trace():  # inside another one it changes nothing
                    x = x + 1.0
            assert session.statistics.windows == windows + 1
            planned.append(session.statistics.plan_misses)
        assert len({*planned}) == 1, "the first one is planned, and the others are the same"
        assert session.statistics.replays == 0


def test_what_waits_behind_a_segment_keeps_its_stores() -> None:
    double = fuseir.task("task double(x: read, y: write) { y = x * 2 }")
    session = fuseir.Session()
    x, y = session.from_numpy(np.ones(4)), session.store(4)
    temporary = session.store(4)
    session.launch(double, x, temporary)
    session.launch(double, temporary, y)
    del temporary
    segment = session._window.take(full=False, end=session._window.start + 1)
    assert segment is not None
    assert segment.key.lives == (Life.HELD, Life.HELD)
    session._window.put_back(segment.records)
    whole = session._window.take(full=False)
    assert whole is not None
    assert Life.INTERNAL in whole.key.lives


def test_a_task_that_fails_in_a_trace_loses_only_what_depends_on_it() -> None:
    failing = [False]

    def body(x: Any, y: Any) -> None:
        if failing[0]:
            raise RuntimeError("no luck")
        y[...] = x + 1

    increment = fuseir.opaque_task(body, ["read", "write"], "increment")
    half = fuseir.task("task half(x: read, y: write) { y = x * 0.5 }")
    with traced_session() as session:
        kept, halvings = session.from_numpy(np.ones(4)), 0
        x = session.from_numpy(np.ones(4))
        for k in range(40):
            failing[0] = k == 30
            try:
                for task in (half, increment, half, half, increment):
                    y = session.store(4)
                    session.launch(task, x, y)
                    x = y
                z = session.store(4)
                session.launch(half, kept, z)
                kept, halvings = z, halvings + 1
                session.flush()
            except RuntimeError:
                assert k in (30, 31)
                x = session.from_numpy(np.ones(4))
        assert session.statistics.replays > 10
        assert halvings >= 38
        assert kept.numpy().tolist() == [2.0**-halvings] * 4
        assert np.isfinite(x.numpy()).all()


def test_threads_share_a_stream() -> None:
    with traced_session() as session:
        found: list[Any] = [None] * 3

        def work(number: int) -> None:
            x, b = fnp.full(5, float(number)), fnp.ones(5)
            for _ in range(100):
                x = relax(fnp, x, b)
            found[number] = x

        threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        session.flush()
        for number, x in enumerate(found):
            want, b = np.full(5, float(number)), np.ones(5)
            for _ in range(100):
                want = relax(np, want, b)
            np.testing.assert_allclose(np.asarray(x), want, rtol=1e-14)
