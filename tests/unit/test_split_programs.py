"""Programs that put arrays together from slices, large enough to be split: NumPy's bits, for any number of threads, and no copies left."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy

Arrays = tuple[Any, ...]


def torus(xp: ModuleType, u: Any, v: Any) -> Arrays:
    """Shifts along two axes, both ways, of two arrays that are updated in place."""
    for _ in range(2):
        around_u = xp.roll(u, 1, axis=0) + xp.roll(u, -1, axis=0) + xp.roll(u, 2, axis=1) - 4.0 * u
        around_v = xp.roll(v, -1, axis=1) + xp.roll(v, 3, axis=0) - 2.0 * v
        u += 0.1 * around_u - v * u
        v += 0.05 * around_v + v * u
    return u, v


def joined(xp: ModuleType, u: Any, v: Any) -> Arrays:
    """Pieces of several arrays, turned ones too, of which a part is read."""
    wide = xp.concatenate((v[:, -1:], u, u[:, :2][:, ::-1]), axis=1)
    return (wide[1:-1, 2:] - wide[1:-1, :-2], u)


def before_the_change(xp: ModuleType, u: Any, v: Any) -> Arrays:
    """A copy that is read before and after what was copied changes: it has to be made."""
    old = xp.roll(u, 1, axis=0)
    u[3:] *= 2.0
    return old * u, u


PROGRAMS: dict[Callable[[ModuleType, Any, Any], Arrays], bool] = {torus: True, joined: True, before_the_change: False}
"""Whether a launch is split."""


def arrays() -> tuple[Any, Any]:
    random = np.random.default_rng(3)
    return random.uniform(size=(130, 96)), random.uniform(size=(130, 96))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("program", PROGRAMS)
def test_bits(program: Callable[[ModuleType, Any, Any], Arrays], threads: int) -> None:
    expected = program(np, *arrays())
    with fuseir.Session(threads=threads) as session:
        found = program(fuseir.numpy, *map(fuseir.numpy.array, arrays()))
        assert all(np.array_equal(np.asarray(a), b) for a, b in zip(found, expected, strict=True))
        assert any(remark.code == "FIR-N190" for remark in session.explain()) == PROGRAMS[program]
        assert session.statistics.fallbacks == 0
