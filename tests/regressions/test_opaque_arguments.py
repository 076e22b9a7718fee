"""What an opaque task is called with does not depend on who runs it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fuseir

Array = np.ndarray[Any, np.dtype[Any]]


@pytest.fixture(params=["cpu", "reference"])
def session(request: pytest.FixtureRequest) -> fuseir.Session:
    return fuseir.Session(target=request.param)


def test_what_it_reads_is_what_was_there_before_it(session: fuseir.Session) -> None:
    """One store as input and output: the CPU executor passed two views of the same memory, so the task read its own zeros."""

    def through_zero(x: Array, y: Array) -> None:
        y[...] = 0
        y += x

    x = session.from_numpy([1.0, 2.0, 3.0])
    session.launch(fuseir.opaque_task(through_zero, ["read", "write"]), x, x)
    assert x.numpy().tolist() == [1.0, 2.0, 3.0]


def test_scalars_come_as_they_were_given(session: fuseir.Session) -> None:
    """The reference executor passed them through the signless types of kernels: 200 of type u8 arrived as -56."""
    seen: list[Any] = []
    task = fuseir.opaque_task(lambda y, a: seen.append(a), ["read_write", None])
    y = session.zeros(2)
    for value in (np.uint8(200), np.float32(0.5), 3, True):
        session.launch(task, y, value)
    session.flush()
    assert [(type(value), value) for value in seen] == [
        (np.uint8, 200),
        (np.float32, 0.5),
        (int, 3),
        (bool, True),
    ]
