"""Stores without elements are stores."""

from __future__ import annotations

import numpy as np

import fuseir


def test_one_launch_may_write_an_empty_store_twice() -> None:
    """Two arguments that write one piece are refused, unless it is empty: then nothing overlaps. Composition took them for one parameter,
    which made a kernel that read what it was to write, and the window fell back to the reference executor."""
    task = fuseir.task("task twice(x: read, y: read_write, z: write) { y = y + x; z = x * 2.0 }")
    session = fuseir.Session(procs=2)
    x, y = session.zeros((5, 0)), session.zeros((5, 0))
    session.launch(task, x, y, y)
    session.launch(task, y, x, x)
    assert np.array_equal(x.numpy(), np.zeros((5, 0)))
    assert session.statistics.fallbacks == 0
