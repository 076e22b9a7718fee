"""Random programs on views of every sort: fused = unfused = any window and any threads = reference, bit for bit.

To look into a failure, run ``run_program(session, seed, twist, data, steps)`` with fewer ``steps``; ``Program.texts`` has its tasks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from random_layouts import run_program

import fuseir
from fuseir.runtime.executors import kernel_steps

PROCS = (1, 2, 3, 5, 8)
SEEDS = 45
# Contents and scalars differ between the first two runs, so that the second hits the plans of the first; in the third one choice differs as
# well, so that it must not hit all of them.
RUNS = ((0, False), (1, False), (2, True))


def sessions(procs: int) -> dict[str, fuseir.Session]:
    """Results depend on ``procs``, as each processor's part of a reduction is folded on its own; on nothing else."""
    return {
        "reference": fuseir.Session(procs=procs, target="reference"),
        "fused": fuseir.Session(procs=procs, threads=2),
        "in windows of three": fuseir.Session(procs=procs, threads=4, window=3, max_window=3),
        "unfused": fuseir.Session(procs=procs, threads=1, fuse=False),
    }


def same(a: tuple[str, Any], b: tuple[str, Any]) -> bool:
    """Equal errors, or equal bits but for the payloads and signs of NaNs."""
    if a[0] != b[0] or a[0] == "error":
        return a == b
    x, y = a[1], b[1]
    if x.dtype.kind != "f":
        return np.array_equal(x, y)
    return x.shape == y.shape and bool(
        np.all((x == y) & (np.signbit(x) == np.signbit(y)) | (np.isnan(x) & np.isnan(y)))
    )


@pytest.mark.parametrize("procs", PROCS)
def test_all_ways_to_run_a_program_agree(procs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_steps, "_INLINE_BYTES", 0)  # use the threads, however little there is to do
    ways = sessions(procs)
    for seed in range(PROCS.index(procs), SEEDS, len(PROCS)):
        for data, twisted in RUNS:
            twist = 7919 * seed % 120 if twisted else -1
            logs = {name: run_program(session, seed, twist, data) for name, session in ways.items()}
            expected = logs.pop("reference")
            for name, log in logs.items():
                assert len(log) == len(expected)
                different = [k for k, pair in enumerate(zip(log, expected, strict=True)) if not same(*pair)]
                assert not different, f"{name}, seed {seed}, twist {twist}, data {data}: entries {different} of the log"
    assert ways["fused"].statistics.launches < ways["unfused"].statistics.launches
    assert ways["fused"].statistics.plan_hits > 0
    assert all(session.statistics.fallbacks == 0 for session in ways.values())
