"""Diffuse on real programs: what fusion leaves as it was, and what it saves. One test for each item of the checklist, by its id."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.linalg import ops as linalg

import fuseir
from fuseir.passes.pipelines import run_pipeline
from fuseir.runtime.compiler import capture_module
from fuseir.runtime.window import Segment

ADD = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")
SCALE = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
TOTAL = fuseir.task("task total(x: read, s: reduce<add>) { s += x }")
MIX = fuseir.task("task mix(x: read, y: read_write) { y = x * y - x }")


def mixed_program(session: fuseir.Session, dtype: Any) -> list[bytes]:
    """Element-wise work, updates in place, shifted views, sums: the bits of all that is left."""
    rng = np.random.default_rng(7)
    values = (rng.integers(-9, 9, 1003) if np.dtype(dtype).kind in "iu" else rng.normal(size=1003)).astype(dtype)
    x, y = session.from_numpy(values), session.from_numpy(values[::-1].copy())
    total = session.zeros((), dtype)
    for _ in range(3):
        z, w = session.store(1003, dtype), session.store(1003, dtype)
        session.launch(ADD, x, y, z)
        session.launch(MIX, z, y)
        session.launch(ADD, y[1:], z[:-1], w[1:])
        session.launch(SCALE, 1, x[:1], w[:1])
        session.launch(TOTAL, w, total)
        x = w
    return [store.numpy().tobytes() for store in (x, y, total)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8])
def test_d38_fused_programs_have_the_bits_of_unfused_ones(dtype: Any):
    found = []
    for options in ({}, {"fuse": False}, {"target": "reference"}, {"threads": 3}, {"window": 2}):
        with fuseir.Session(**options) as session:
            found.append(mixed_program(session, dtype))
            if not options:
                assert session.statistics.launches < session.statistics.tasks
    assert all(bits == found[0] for bits in found)


def test_d41_and_d42_only_the_applications_references_count():
    with fuseir.Session() as session:
        x, y = session.from_numpy(np.ones(64)), session.store(64)

        def captured(keep: bool) -> fuseir.Store | None:
            z = session.store(64)
            session.launch(SCALE, 2.0, x, z)
            session.launch(ADD, x, z, y)
            return z if keep else None

        # The window itself holds a reference on the store's memory, which does not keep it.
        captured(keep=False)
        session.flush()
        assert session.statistics.temporaries == 1
        kept = captured(keep=True)
        session.flush()
        assert session.statistics.temporaries == 1
        assert kept is not None
        assert kept.numpy().tolist() == [2.0] * 64
        # Dropped before the window runs, it counts no more.
        kept = captured(keep=True)
        del kept
        session.flush()
        assert session.statistics.temporaries == 2


def test_d52_an_eliminated_store_allocates_nothing(monkeypatch: pytest.MonkeyPatch):
    allocated: list[int] = []
    with fuseir.Session() as session:
        original = session.buffers.allocate

        def counting(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
            allocated.append(int(np.prod(shape)) * dtype.itemsize)
            return original(shape, dtype)

        monkeypatch.setattr(session.buffers, "allocate", counting)
        n = 100_000
        x = session.from_numpy(np.ones(n))
        y = session.store(n)
        z = session.store(n)
        allocated.clear()
        session.launch(SCALE, 2.0, x, z)
        session.launch(ADD, x, z, y)
        del z
        assert y.numpy()[:2].tolist() == [3.0, 3.0]
        gc.collect()
        assert allocated == [8 * n]  # the result, and nothing else
        assert session.statistics.temporary_bytes == 8 * n


def test_d53_no_buffer_is_left_of_a_chain():
    # c = a + b; e = c + d: one loop, which reads a, b and d and writes e.
    with fuseir.Session() as session:
        a, b, d = (session.from_numpy(np.ones(8), name=name) for name in "abd")
        e = session.store(8, name="e")
        c = session.store(8)
        session.launch(ADD, a, b, c)
        session.launch(ADD, c, d, e)
        del c
        module = capture_module(Segment(list(session._window.records), full=False)).module
        run_pipeline(module, ("fuse-tasks", "eliminate-temporaries", "compose-kernels", "fuse-kernels"))
        (loop,) = [op for op in module.walk() if isinstance(op, linalg.GenericOp)]
        assert len(loop.inputs) == 3
        assert len(loop.outputs) == 1
        run_pipeline(module, ("lower-kernels",))
        names = [op.name for op in module.walk()]
        assert (
            names.count("memref.load"),
            names.count("memref.store"),
            names.count("scf.parallel") + names.count("scf.for"),
        ) == (3, 1, 1)
        assert not any(name.startswith("memref.alloc") for name in names)
        assert e.numpy().tolist() == [3.0] * 8
