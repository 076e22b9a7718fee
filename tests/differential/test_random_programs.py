"""A share of the random programs that ``compare_programs.py`` runs by the thousands: all ways to run them agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from compare_programs import PIPELINE, compare, differences, sessions
from random_programs import Exactness, Given, drawn

import fuseir
from fuseir.passes import pipelines
from fuseir.runtime.executors import kernel_steps

SEEDS = 16
EACH = 50
"""Programs of one seed: ten draws of extents, five of contents."""


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> dict[str, fuseir.Session]:
    folder: Path = tmp_path_factory.mktemp("kernels")
    folder.chmod(0o700)
    return sessions(folder)


def test_all_ways_to_run_a_program_agree(ways: dict[str, fuseir.Session], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_steps, "_INLINE_BYTES", 0)  # use the threads, however little there is to do
    monkeypatch.setattr(pipelines, "CPU_PIPELINE", PIPELINE)
    for seed in range(SEEDS):
        # Two draws of contents for one of extents: the second hits the plans of the first.
        start = EACH * seed + 5 * (seed % 10)
        assert list(compare(ways, range(start, start + 2))) == []
    fused, unfused = ways["fused on 2 threads"].statistics, ways["unfused"].statistics
    assert fused.launches < 0.6 * fused.tasks
    assert fused.temporaries > 0
    assert fused.plan_hits >= SEEDS - 2
    assert unfused.launches == unfused.tasks


def test_a_wrong_result_is_seen(ways: dict[str, fuseir.Session], monkeypatch: pytest.MonkeyPatch) -> None:
    """One bit of one element, in one of the ways."""
    program = drawn(3)
    given = Given(program.sizes(np.random.default_rng(1)), 1)
    unfused, read = ways["unfused"], fuseir.Session.read
    assert any(np.prod(form.shape(given.sizes)) and form.exactness is Exactness.BITS for form in program.forms)

    def wrong(session: fuseir.Session, *arguments: object) -> np.ndarray:
        contents = read(session, *arguments)  # type: ignore[arg-type]
        if session is unfused and contents.size:
            contents.reshape(-1).view(np.uint8)[-contents.itemsize] ^= 1
        return contents

    assert list(differences(ways, program, given)) == []
    monkeypatch.setattr(fuseir.Session, "read", wrong)
    assert any("unfused differs" in difference for difference in differences(ways, program, given))
