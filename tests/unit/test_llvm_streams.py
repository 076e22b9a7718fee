"""Stores past the caches: the bits of ordinary ones, wherever rows start and end, and also where rows do not start together."""

from __future__ import annotations

import numpy as np
import pytest

import fuseir
from fuseir.codegen.llvm import streams

TASK = fuseir.task("task f(x: read, y: read, z: write, w: write) { z = x + y * 2  w = x - y }")
NEGATE = fuseir.task("task g(x: read, z: write) { z = not x }")


@pytest.mark.parametrize("dtype", ["f8", "f4", "i1"])
def test_stores_past_the_caches_store_the_same(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    monkeypatch.setattr(streams, "_LARGE_BYTES", 1)
    random = np.random.default_rng(7)
    with fuseir.Session(threads=2, cache=False) as session:
        for n in (1, 700, 5000, 20011):
            x, y = random.integers(-60, 60, (2, n)).astype(dtype)
            for start in ((0, 0), (1, 1), (3, 8)):
                kept = np.full((2, n + 9), 77, dtype)
                stores = [session.from_numpy(each) for each in kept]
                parts = [store[k : k + n] for store, k in zip(stores, start, strict=True)]
                session.launch(TASK, session.from_numpy(x), session.from_numpy(y), *parts)
                for k, (store, each) in enumerate(zip(stores, (x + y * np.array(2, dtype), x - y), strict=True)):
                    kept[k, start[k] : start[k] + n] = each
                    np.testing.assert_array_equal(store.numpy(), kept[k])


def test_rows_of_a_matrix_and_booleans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_LARGE_BYTES", 1)
    x = np.random.default_rng(8).integers(0, 9, (37, 4099)).astype(np.float64)
    with fuseir.Session(threads=2, cache=False) as session:
        result = session.from_numpy(x)
        inner = result[1:-1, 1:-1]
        session.launch(
            TASK, session.from_numpy(x)[1:-1, 1:-1], session.from_numpy(x)[:-2, :-2], inner, session.store(inner.shape)
        )
        expected = x.copy()
        expected[1:-1, 1:-1] = x[1:-1, 1:-1] + x[:-2, :-2] * 2
        np.testing.assert_array_equal(result.numpy(), expected)
        flags = session.store((x > 4).shape, bool)
        session.launch(NEGATE, session.from_numpy(x > 4), flags)
        np.testing.assert_array_equal(flags.numpy(), x <= 4)
