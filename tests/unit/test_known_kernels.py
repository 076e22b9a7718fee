"""Kernels remembered by recipe: a plan made with them is the plan made without, and no pass makes them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir.options import options_from
from fuseir.passes import compose_kernels
from fuseir.passes.analysis.composition import Recipe
from fuseir.runtime.compiler import Compiler
from fuseir.runtime.plan_format import encode_plan
from fuseir.runtime.planning import Planned
from fuseir.runtime.window import Segment

ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
ADD_TOO = fuseir.task("task add_too(x: read, y: read, z: write) { z = x + y }")
SUB = fuseir.task("task add(x: read, y: read, z: write) { z = x - y }")
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
SUM = fuseir.task("task total(x: read, s: reduce<add>) { s = sum(x) }")
FILL = fuseir.task("task fill(z: write) { z = 1.0 }")
COPY = fuseir.task("task copy(x: read, z: write) { z = x }")

Capture = Callable[[fuseir.Session, int], list[fuseir.Store]]
"""Launches something on stores of some extent, and returns what is held at the end."""


def chain(session: fuseir.Session, n: int) -> list[fuseir.Store]:
    x = session.zeros(n)
    y, z, s = session.store(n), session.store(n), session.zeros(())
    session.launch(SCALE, 2.0, x, y)
    session.launch(ADD, x, y, z)
    session.launch(SUM, z, s)
    return [x, z, s]


def shapes_only(session: fuseir.Session, n: int) -> list[fuseir.Store]:
    """A temporary whose contents and then whose shape nobody needs: its argument is dropped late."""
    x, y, z = session.store(n), session.store(n), session.store(n)
    session.launch(FILL, x)
    session.launch(COPY, x, y)
    session.launch(ADD, x, y, z)
    return [z]


def in_place(session: fuseir.Session, n: int) -> list[fuseir.Store]:
    """Renaming, with tasks that the passes make."""
    grid = session.zeros(n)
    work = session.store(n - 2)
    session.launch(ADD, grid[:-2], grid[2:], work)
    session.launch(COPY, work, grid[1:-1])
    return [grid]


def single(session: fuseir.Session, n: int) -> list[fuseir.Store]:
    x = session.zeros(n)
    session.launch(ADD, x, x, x)
    return [x]


CAPTURES: list[Capture] = [chain, shapes_only, in_place, single]


def captured(capture: Capture, n: int) -> Segment:
    session = fuseir.Session(cache=False, procs=4)
    held = capture(session, n)
    segment = session._window.take(full=False)  # pyright: ignore[reportPrivateUsage]
    assert segment is not None
    assert segment.key  # what lives on is decided here
    assert held
    return segment


@pytest.mark.parametrize("first_task", [False, True])
@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("capture", CAPTURES)
def test_plans_are_the_same(capture: Capture, fuse: bool, first_task: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    options = options_from({"cache": False, "threads": 2, "fuse": fuse})
    warm = Compiler(options, silent=True)

    def planned(compiler: Compiler, n: int) -> Any:
        segment = captured(capture, n)
        if first_task:
            return encode_plan(compiler.plan_first_task(segment))
        return encode_plan(Planned(compiler.plan(segment)))

    composed: list[Recipe] = []
    compose = compose_kernels.compose

    def noted(recipe: Recipe, *arguments: Any) -> Any:
        composed.append(recipe)
        return compose(recipe, *arguments)

    planned(warm, 40)
    with monkeypatch.context() as patch:
        patch.setattr(compose_kernels, "compose", noted)
        patch.setattr("fuseir.passes.lower_kernels.lower", None)
        found = [planned(warm, n) for n in (402, 40)]
    assert not composed
    # So small that points have nothing to do, and that carrying elements over is not worth it.
    found.append(planned(warm, 5))
    assert found == [planned(Compiler(options), n) for n in (402, 40, 5)]
    assert warm.fallbacks == 0


def test_a_recipe_of_other_tasks_is_another() -> None:
    """Of one name and with other bodies; and the other way round."""
    session = fuseir.Session(cache=False)
    x, y = session.from_numpy(np.arange(6.0)), session.full(6, 2.0)
    results: list[list[float]] = []
    for task in (ADD, SUB, ADD_TOO):
        u, z = session.store(6), session.store(6)
        session.launch(task, x, y, u)
        session.launch(task, u, y, z)
        del u
        results.append(z.numpy().tolist())
    assert results == [(np.arange(6.0) + 4).tolist(), (np.arange(6.0) - 4).tolist(), (np.arange(6.0) + 4).tolist()]


def test_what_was_remembered_is_explained_all_the_same() -> None:
    """The passes say of a size what they said of the one before."""
    session = fuseir.Session(cache=False, procs=4)
    said: list[list[tuple[str, str]]] = []
    for n in (100, 200):
        held = chain(session, n)
        session.flush()
        said.append([(r.code, r.message.replace(str(n), "n")) for r in session.explain() if r.code != "FIR-N151"])
        assert held
    assert said[0] == said[1]
    assert any(code == "FIR-N130" for code, _ in said[0])


def test_a_kernel_that_works_in_place_is_not_remembered() -> None:
    """Its recipe does not say that the input dies: another size, whose input lives on, got the kernel that overwrites it."""
    session = fuseir.Session(cache=False, procs=2)
    for n in (20_000, 30_000):
        for dies in (True, False):
            x, z = session.from_numpy(np.arange(float(n))), session.store(n)
            session.launch(SCALE, 2.0, x, z)
            kept = None if dies else x
            del x
            assert np.array_equal(z.numpy(), 2 * np.arange(n))
            assert kept is None or np.array_equal(kept.numpy(), np.arange(n))
    assert session.statistics.kernels_compiled == 2


def test_a_kernel_that_is_remembered_may_come_to_work_in_place() -> None:
    """A size at which it is worth it, after one at which it is not."""
    session = fuseir.Session(cache=False, procs=2)
    compiled: list[int] = []
    for n in (100, 20_000):
        x, z = session.from_numpy(np.arange(float(n))), session.store(n)
        session.launch(SCALE, 2.0, x, z)
        del x
        assert np.array_equal(z.numpy(), 2 * np.arange(n))
        compiled.append(session.statistics.kernels_compiled)
    assert compiled == [1, 2]  # the second one updates its argument
