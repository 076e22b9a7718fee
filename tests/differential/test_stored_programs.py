"""Random task programs whose plans come from disk, or from a thread: bit for bit what they are without.

``FUSEIR_STORED_PROGRAMS`` sets how many.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from random_programs import Given, drawn, run_in

import fuseir

PROGRAMS = int(os.environ.get("FUSEIR_STORED_PROGRAMS", "1"))


def contents(seed: int, session: fuseir.Session) -> dict[int, bytes]:
    """The contents of a program's stores at its end."""
    program = drawn(seed)
    arrays, _ = run_in(session, program, Given(program.sizes(np.random.default_rng(seed)), seed))
    return {store: array.tobytes() for store, array in arrays.items()}


def test_stored_plans_do_what_made_ones_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "fuseir.runtime.executors.kernel_steps._INLINE_BYTES", 0
    )  # the threads, however little there is
    options = {"cache": True, "cache_dir": tmp_path / "cache", "threads": 2, "window": 8}
    plain = fuseir.Session(cache=False, fuse=False, threads=1)
    made, found = fuseir.Session(**options), fuseir.Session(**options)
    background = fuseir.Session(cache=False, background=True, threads=2, window=8)
    for seed in range(PROGRAMS):
        expected = contents(seed, plain)
        for session in (made, found, background):
            assert contents(seed, session) == expected, seed
    assert found.statistics.plans_loaded == made.statistics.plan_misses >= PROGRAMS
    for session in (made, found, background):
        assert session.statistics.fallbacks == 0
    assert found.statistics.plan_misses == found.statistics.kernels_compiled == 0
