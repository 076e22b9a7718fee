"""What plans take of memory: told before they run, and refused before they run where it cannot be had."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir.dialects.dist.partition import Shape
from fuseir.errors import OutOfMemoryError
from fuseir.runtime import stream as stream_module
from fuseir.runtime.arrays import Array
from fuseir.runtime.buffers import BufferPool, bytes_taken

MEGABYTE = 1 << 20
F64 = np.dtype(np.float64)
ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
SUM = fuseir.task("task total(x: read, s: reduce<add>) { s += x }")
COLUMNS = fuseir.task("task columns(x: read, s: reduce<add>) { s = sum(x, axis=0) }")


class CountingPool(BufferPool):
    """Counts what is taken at once, every single byte."""

    def __init__(self, *_: Any) -> None:
        super().__init__(0)
        self.now = 0
        self.peak = 0

    def _count(self, array: Array) -> Array:
        size = bytes_taken(array.nbytes)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(array, self._forget, size)
        return array

    def _forget(self, size: int) -> None:
        self.now -= size

    def allocate(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        return self._count(super().allocate(shape, dtype))

    def zeros(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        return self._count(super().zeros(shape, dtype))


def chain(session: fuseir.Session, x: fuseir.Store) -> list[fuseir.Store]:
    """Each store comes when the one before goes."""
    for _ in range(6):
        z = session.store(x.shape)
        session.launch(SCALE, 2.0, x, z)
        session.fence()
        x = z
    return [x]


def kept(session: fuseir.Session, x: fuseir.Store) -> list[fuseir.Store]:
    """All stores stay."""
    stores = [x]
    for _ in range(4):
        z = session.store(x.shape)
        session.launch(ADD, stores[-1], x, z)
        stores.append(z)
    return stores


def reduced(session: fuseir.Session, x: fuseir.Store) -> list[fuseir.Store]:
    """Points have partials of their own; a whole row each."""
    row, total = session.zeros(x.shape[1]), session.zeros(())
    y = session.store(x.shape)
    session.launch(SCALE, 3.0, x, y)
    session.launch(COLUMNS, y, row)
    session.launch(SUM, y, total)
    return [row, total]


def stepped(session: fuseir.Session, x: fuseir.Store) -> list[fuseir.Store]:
    """A grid that is replaced while it is read, and Python code between launches."""
    look = fuseir.opaque_task(lambda x: None, ["read"])  # type: ignore[arg-type]
    work = session.store((x.shape[0] - 2, x.shape[1]))
    session.launch(ADD, x[:-2], x[2:], work)
    session.launch(SCALE, 1.0, work, x[1:-1])
    session.launch(look, x)
    z = session.store(x.shape)
    session.launch(SCALE, 1.0, x, z)
    return [z]


Program = Callable[[fuseir.Session, fuseir.Store], list[fuseir.Store]]


@pytest.mark.parametrize("program", [chain, kept, reduced, stepped])
@pytest.mark.parametrize("fuse", [True, False])
def test_what_was_predicted_is_what_is_taken(program: Program, fuse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    pools: list[CountingPool] = []
    monkeypatch.setattr(stream_module, "make_buffers", lambda _: pools.append(CountingPool()) or pools[-1])
    session = fuseir.Session(threads=2, fuse=fuse)
    x = session.zeros((512, 512))
    results = program(session, x)
    del x
    session.flush()
    assert len(results) > 0
    assert session.statistics.windows == 1
    assert session.statistics.peak_bytes == pools[0].peak


def test_a_store_that_is_written_over_counts_once() -> None:
    session = fuseir.Session()
    x, z = session.zeros(MEGABYTE), session.store(MEGABYTE)
    for _ in range(2):
        session.launch(SCALE, 1.0, x, z)
        session.flush()
        assert session.statistics.peak_bytes == 2 * 8 * MEGABYTE


def test_what_cannot_be_had_is_refused_before_anything_runs() -> None:
    session = fuseir.Session(memory_bytes=5 * 8 * MEGABYTE)
    ran: list[int] = []
    look = fuseir.opaque_task(lambda x: ran.append(len(x)), ["read"])  # type: ignore[arg-type]
    x = session.full(MEGABYTE, 1.0)
    session.launch(look, x)
    others = [session.full(MEGABYTE, 1.0) for _ in range(2)]
    results = [session.store(MEGABYTE) for _ in range(3)]
    for number, z in enumerate(results):
        session.launch(SCALE, float(number), x, z)
    for _ in range(2):
        with pytest.raises(OutOfMemoryError, match=f"{3 * 8 * MEGABYTE} more bytes"):
            session.flush()
    assert ran == []
    # As soon as there is room, all that was captured runs.
    others.clear()
    assert [z.numpy()[7] for z in results] == [0.0, 1.0, 2.0]
    assert ran == [MEGABYTE]
    assert np.array_equal(x.numpy(), np.ones(MEGABYTE))


def test_what_nobody_wants_any_more_needs_no_room() -> None:
    session = fuseir.Session(memory_bytes=2 * 8 * MEGABYTE)
    x = session.full(MEGABYTE, 1.0)
    results = [session.store(MEGABYTE) for _ in range(2)]
    for z in results:
        session.launch(SCALE, 3.0, x, z)
    del z
    with pytest.raises(OutOfMemoryError):
        session.flush()
    results.pop()
    assert results[0].numpy()[3] == 3.0
