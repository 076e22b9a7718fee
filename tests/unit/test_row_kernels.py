"""Programs that fold rows and read the results along them: one kernel, and the bits of every other way to run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fuseir

LARGEST = fuseir.task("task largest(x: read, s: reduce<max>) { s = max(x, axis=1) }")
TOTAL = fuseir.task("task total(x: read, s: reduce<add>) { s = sum(x, axis=1) }")
SHIFT = fuseir.task("task shift(x: read, m: read, z: write) { z = exp(x - m) }")
CENTRE = fuseir.task("task centre(x: read, s: read, a: scalar, z: write) { z = x - s * a }")
SQUARE = fuseir.task("task square(x: read, z: write) { z = x * x }")
DIVIDE = fuseir.task("task divide(x: read, s: read, z: write) { z = x / s }")
SCALE = fuseir.task("task scale(x: read, s: read, a: scalar, z: write) { z = x / sqrt(s * a + 0.001) }")


def along(column: Any, shape: tuple[int, int]) -> Any:
    return column[:, None].broadcast_to(shape)


def softmax(session: Any, x: Any) -> list[Any]:
    rows, columns = x.shape
    largest, total = session.full((rows,), -np.inf), session.full((rows,), 0.25)
    e, y = session.store((rows, columns)), session.store((rows, columns))
    session.launch(LARGEST, x, largest)
    session.launch(SHIFT, x, along(largest, x.shape), e)
    session.launch(TOTAL, e, total)
    session.launch(DIVIDE, e, along(total, x.shape), y)
    return [y, largest]


def normalise(session: Any, x: Any) -> list[Any]:
    rows, columns = x.shape
    total, spread = session.full((rows,), 0.0), session.full((rows,), 0.0)
    centred, squares, y = (session.store((rows, columns)) for _ in range(3))
    session.launch(TOTAL, x, total)
    session.launch(CENTRE, x, along(total, x.shape), 1.0 / max(columns, 1), centred)
    session.launch(SQUARE, centred, squares)
    session.launch(TOTAL, squares, spread)
    session.launch(SCALE, centred, along(spread, x.shape), 1.0 / max(columns, 1), y)
    return [y, spread]


@pytest.mark.parametrize("program", [softmax, normalise])
@pytest.mark.parametrize("shape", [(9, 70), (3, 1100), (5, 0), (1, 1)])
def test_one_kernel_and_the_same_bits(program: Callable[[Any, Any], list[Any]], shape: tuple[int, int]) -> None:
    values = np.random.default_rng(3).normal(size=shape)
    results: list[list[Any]] = []
    for options in ({"threads": 1}, {"threads": 2}, {"fuse": False}, {"target": "reference"}):
        session = fuseir.Session(procs=4, window=8, **options)
        stores = program(session, session.from_numpy(values))
        session.flush()
        if "threads" in options:
            assert session.statistics.launches == 1
        results.append([store.numpy() for store in stores])
    *compiled, reference = results
    for result in compiled:
        assert [array.tobytes() for array in result] == [array.tobytes() for array in compiled[0]]
    for array, wanted in zip(compiled[0], reference, strict=True):
        np.testing.assert_allclose(array, wanted, rtol=1e-13)  # NumPy's exponentials are other ones
