"""fuseir.numpy beside NumPy on random programs; ``numpy_programs.py`` runs more of them."""

from __future__ import annotations

import random
import warnings

import pytest
from numpy_programs import Writer, difference

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import FallbackWarning

PROGRAMS = 150
SETTINGS = {
    "fused": {},
    "unfused": {"fuse": False},
    "small windows": {"window": 3, "max_window": 4, "procs": 3, "threads": 2},
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_random_programs_compute_what_numpy_computes(setting: str) -> None:
    seeds = range(PROGRAMS)[list(SETTINGS).index(setting) :: len(SETTINGS)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        for seed in seeds:
            program = Writer(random.Random(seed)).program(12)
            with fuseir.Session(**SETTINGS[setting]) as session:
                found = difference(program, fnp)
            assert found is None, f"program {seed}: {found}\n{program}"
            assert session.statistics.fallbacks == 0
