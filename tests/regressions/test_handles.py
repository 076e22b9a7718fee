"""What the application can still see of a store: every way to get a handle keeps it alive, and what is gone too late counts as held."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import fuseir
from fuseir.runtime.compiler import Compiler
from fuseir.runtime.plan import Plan
from fuseir.runtime.window import Segment

INCREMENT = fuseir.task("task increment(x: read, z: write) { z = x + 1 }")


def test_a_copied_handle_keeps_its_store_alive() -> None:
    """``copy.copy`` made a handle that was not counted: deleting the original released the store, which then was a temporary of
    the fused task, and its contents were never stored."""
    session = fuseir.Session()
    x, y, z = session.from_numpy(np.zeros(3)), session.store(3), session.store(3)
    session.launch(INCREMENT, x, y)
    other = copy.copy(y)
    del y
    session.launch(INCREMENT, other, z)
    assert z.numpy().tolist() == [2.0] * 3
    assert other.numpy().tolist() == [1.0] * 3


def test_a_release_that_comes_late_is_no_part_of_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handle that went, in another thread, while the window was being planned was in the plan, but not in the plan's key, so the next
    window of that key lost a store that was alive."""
    session = fuseir.Session()
    x, y, z = session.from_numpy(np.zeros(3)), session.store(3), session.store(3)
    session.launch(INCREMENT, x, y)
    session.launch(INCREMENT, y, z)
    held = [y]
    del y
    plan = Compiler.plan

    def plan_meanwhile(self: Compiler, segment: Segment) -> Plan:
        held.clear()
        return plan(self, segment)

    monkeypatch.setattr(Compiler, "plan", plan_meanwhile)
    session.flush()
    y, z = session.store(3), session.store(3)
    session.launch(INCREMENT, x, y)
    session.launch(INCREMENT, y, z)
    assert y.numpy().tolist() == [1.0] * 3
    assert session.statistics.plan_hits == 1
