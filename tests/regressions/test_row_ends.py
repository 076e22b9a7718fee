"""Ends of rows, which vector loops go through with a mask."""

from __future__ import annotations

import numpy as np
import pytest

import fuseir

FILL = fuseir.task("task fill(a: scalar, z: write) { z = a }")
FOLDS = {
    "add": (fuseir.task("task total(x: read, s: reduce<add>) { s = sum(x, axis=1) }"), 0.0, np.sum),
    "max": (fuseir.task("task largest(x: read, s: reduce<max>) { s = max(x, axis=1) }"), -np.inf, np.max),
}


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("columns", [1, 3, 7, 33, 40, 63])
def test_a_row_that_is_folded_and_then_overwritten(fold: str, columns: int) -> None:
    """LLVM moved the masked load that is folded behind the masked store: it made one load of it and the select that follows both."""
    task, start, expected = FOLDS[fold]
    x = np.arange(5.0 * columns).reshape(5, columns)
    session = fuseir.Session(procs=2)
    a, s = session.from_numpy(x), session.full(5, start)
    session.launch(task, a, s)
    session.launch(FILL, 1.0, a)
    assert s.numpy().tolist() == expected(x, axis=1).tolist()
    assert (a.numpy() == 1.0).all()
    assert session.statistics.launches == 1
