"""Random task programs: unfused = fused, bit for bit, and both equal the reference.

The reference follows the same numerics contract (docs/kernels.md §2), so exact operations and all reductions agree bit for bit
with it, modulo NaN payloads; transcendentals agree within 4 ulp.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from random_programs import run_program

import fuseir

PROGRAMS = 2000
CHUNKS = 20


@pytest.fixture(scope="module")
def sessions() -> dict[str, fuseir.Session]:
    return {
        "fused": fuseir.Session(threads=2),
        "unfused": fuseir.Session(threads=1, fuse=False),
        "reference": fuseir.Session(target="reference"),
    }


def same_bits(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Equal bits, NaN payloads and signs aside."""
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    return bool(np.all((a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))))


def ulp_distance(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    """The largest distance in units in the last place; infinite where only one is NaN or infinite."""
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(all="ignore"):
        distance = np.abs(a - b) / np.spacing(np.maximum(np.abs(a), np.abs(b)))
    return float(np.max(np.where(same, 0.0, np.where(np.isfinite(distance), distance, np.inf)), initial=0.0))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_unfused_fused_and_reference_agree(chunk: int, sessions: dict[str, fuseir.Session]) -> None:
    for seed in range(chunk, PROGRAMS, CHUNKS):
        results = {name: run_program(seed, session) for name, session in sessions.items()}
        for number, (fused, unfused, reference) in enumerate(
            zip(results["fused"], results["unfused"], results["reference"], strict=True)
        ):
            where = f"seed {seed}, store {number}"
            assert same_bits(fused[0], unfused[0]), f"fused differs from unfused: {where}"
            if fused[1]:
                assert same_bits(fused[0], reference[0]), f"differs from the reference: {where}"
            else:
                assert ulp_distance(fused[0], reference[0]) <= 4, f"more than 4 ulp from the reference: {where}"


def test_programs_fuse(sessions: dict[str, fuseir.Session]) -> None:
    """The comparison above means something: many tasks are fused, and temporaries go."""
    for seed in range(PROGRAMS, PROGRAMS + 20):
        run_program(seed, sessions["fused"])
        run_program(seed, sessions["unfused"])
    fused, unfused = sessions["fused"].statistics, sessions["unfused"].statistics
    assert fused.launches < 0.7 * fused.tasks
    assert fused.temporaries > 0
    assert unfused.launches == unfused.tasks
