"""Plans made in the background: the same bits at once, the same plans soon after, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir.errors import FallbackWarning
from fuseir.runtime.background import Background
from fuseir.runtime.planning import Planned
from fuseir.runtime.window import Segment

ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
SUM = fuseir.task("task total(x: read, s: reduce<add>) { s = sum(x) }")


def session_of(**options: Any) -> fuseir.Session:
    return fuseir.Session(**{"cache": False, "background": True, "window": 8, "procs": 4, **options})


def background_of(session: fuseir.Session) -> Background[Segment, Planned]:
    source = session._planner._source  # pyright: ignore[reportPrivateUsage]
    assert source is not None
    background = source._background  # pyright: ignore[reportPrivateUsage]
    assert background is not None
    return background


def short(session: fuseir.Session, n: int = 1000) -> list[bytes]:
    x, y, s = session.from_numpy(np.linspace(0, 1, n)), session.store(n), session.zeros(())
    session.launch(SCALE, 3.0, x, y)
    session.launch(SUM, y, s)
    z = session.store(n)
    session.launch(ADD, x, y, z)
    del y
    return [s.numpy().tobytes(), z.numpy().tobytes()]


def long(session: fuseir.Session) -> list[bytes]:
    """Windows that fill up."""
    x = session.from_numpy(np.linspace(0, 1, 300))
    for k in range(30):
        y, z = session.store(300), session.store(300)
        session.launch(SCALE, 0.5 + k, x, y)
        session.launch(ADD, x, y, z)
        x = z
    return [x.numpy().tobytes()]


def test_a_window_runs_at_once_and_fused_when_its_plan_is_there() -> None:
    session, expected = session_of(), short(session_of(background=False))
    assert short(session) == expected
    assert session.statistics.launches == 3
    background_of(session).wait()
    assert short(session) == expected
    statistics = session.statistics
    assert statistics.launches == 3 + 1
    assert (statistics.plans_in_background, statistics.plan_misses, statistics.plan_hits) == (1, 1, 1)
    assert statistics.temporaries == 1
    assert statistics.fallbacks == 0


def test_full_windows_too() -> None:
    session, expected = session_of(), long(session_of(background=False))
    for _ in range(6):
        assert long(session) == expected
        background_of(session).wait()
    misses = session.statistics.plan_misses
    assert long(session) == expected
    assert session.statistics.plan_misses == misses
    assert 0 < session.statistics.launches < session.statistics.tasks


def test_what_goes_wrong_there_is_told_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, at the next run, which is right all the same."""
    session, expected = session_of(), short(session_of(background=False))

    def broken(*_: object, **__: object) -> Planned:
        raise RuntimeError("no such luck")

    with monkeypatch.context() as patch:
        patch.setattr("fuseir.runtime.compiler.Compiler.attempt", broken)
        assert short(session) == expected
        background_of(session).wait()
    with pytest.warns(FallbackWarning, match="no such luck"):
        assert short(session) == expected
    assert session.statistics.fallbacks == 1
    assert short(session) == expected
    assert session.statistics.fallbacks == 1
    assert session.statistics.plans_in_background == 0


def test_what_is_kept_was_made_in_the_background(tmp_path: Any) -> None:
    options = {"cache": True, "cache_dir": tmp_path / "cache"}
    first, second = session_of(**options), session_of(**options)
    expected = short(first)
    background_of(first).wait()
    assert short(second) == expected
    assert (second.statistics.plans_loaded, second.statistics.launches) == (1, 1)


def test_the_passes_are_seen_where_that_is_asked_for(tmp_path: Any) -> None:
    session = session_of(remarks="all", remarks_file=tmp_path / "remarks")
    short(session)
    assert session.statistics.launches == 1
    assert "FIR-N120" in (tmp_path / "remarks").read_text()


def test_explained_as_it_will_be() -> None:
    sessions = [session_of(), session_of(background=False)]
    for session in sessions:
        short(session)
    first, second = ([(r.code, r.message) for r in session.explain()] for session in sessions)
    assert first == second


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_does_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    session, expected = session_of(), short(session_of(background=False))
    assert short(session) == expected
    child = os.fork()
    if child == 0:
        status = 1
        try:
            background_of(session).wait()
            fine = short(session) == expected and session.statistics.plans_in_background == 1
            status = 0 if fine else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    background_of(session).wait()
    assert short(session) == expected
    assert session.statistics.plans_in_background == 1


def test_jobs_are_forgotten_when_it_stops() -> None:
    """What is being done is done; nothing comes after."""
    made: list[Any] = []

    def make(job: Segment) -> Planned:
        made.append(job)
        raise RuntimeError("none")

    background = Background(make, name="test")
    job: Any = None
    for _ in range(50):
        background.submit(job)
    background.stop()
    left = len(made)
    assert len(background.collect()) == left <= 50
    background.wait()
    assert len(made) == left


def test_a_program_ends_while_plans_are_made() -> None:
    program = """
import numpy as np, fuseir
add = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
for n in range(5, 25):
    x, y, z = fuseir.from_numpy(np.ones(n)), fuseir.store(n), fuseir.store(n)
    add(x, x, y); add(x, y, z)
    assert z.numpy().sum() == 3 * n
"""
    variables = {**os.environ, "FUSEIR_BACKGROUND": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
