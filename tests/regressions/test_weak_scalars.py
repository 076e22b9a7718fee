"""Scalars passed as Python's numbers.

NumPy compares two Python integers as Python objects, so that was the type the comparison was made in: it has no sign, and -1 was more
than 3. With a literal on one side the launch ended in NumPy's ``Invalid integer data type 'O'``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import UsageError

SIGNS = ["<", "<=", "==", "!=", ">=", ">"]


@pytest.mark.parametrize("target", ["cpu", "reference"])
@pytest.mark.parametrize("values", [(-1, 3), (3, -1), (-2, -2), (2, 2.5), (True, -1)], ids=str)
def test_python_integers_compare_with_their_signs(values: tuple[float, float], target: str) -> None:
    session = fuseir.Session(target=target)
    for sign in SIGNS:
        compare = fuseir.task(f"task compare(a: scalar, b: scalar, z: write) {{ z = a {sign} b }}")
        z = session.store((), bool)
        session.launch(compare, *values, z)
        assert z.item() == eval(f"{values[0]} {sign} {values[1]}")


@pytest.mark.parametrize("sign", SIGNS)
def test_python_integers_compare_with_literals(sign: str) -> None:
    session = fuseir.Session()
    compare = fuseir.task(f"task compare(a: scalar, z: write) {{ z = a {sign} 3 }}")
    results = [session.store((), bool) for _ in range(3)]
    for value, z in zip((-1, 3, 4), results, strict=True):
        session.launch(compare, value, z)
    assert [z.item() for z in results] == [eval(f"{value} {sign} 3") for value in (-1, 3, 4)]


def test_a_weak_scalar_is_still_weak_beside_an_array() -> None:
    session = fuseir.Session()
    z = session.store(2, bool)
    task = fuseir.task("task below(x: read, a: scalar, z: write) { z = x < a }")
    session.launch(task, session.from_numpy(np.array([1, 200], np.uint8)), 100, z)
    assert z.numpy().tolist() == [True, False]


@pytest.mark.parametrize("target", ["cpu", "reference"])
@pytest.mark.parametrize("value", [2**63 - 1, 2**63, 2**63 + 2**40, 2**64 - 1, -(2**63)])
def test_python_integers_of_64_bits_keep_their_value(value: int, target: str) -> None:
    """They were held as int64 whatever their size: ``2**63 * x`` came out negative for a float ``x``."""
    scale = fuseir.task("task scale(a: scalar, x: read, z: write) { z = a * x }")
    session = fuseir.Session(target=target)
    for dtype in (np.float64, np.float32, np.uint64, np.uint8):
        x, z = session.full(2, 3, dtype), session.store(2, dtype)
        session.launch(scale, value, x, z)
        with np.errstate(over="ignore"):
            wrapped = value if np.dtype(dtype).kind == "f" else dtype(value & np.iinfo(dtype).max)
            assert z.numpy().tolist() == (np.full(2, 3, dtype) * wrapped).tolist()


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 10**400])
def test_python_integers_beyond_64_bits_are_refused(value: int) -> None:
    """They wrapped in silence: ``2**70 * x`` was zero."""
    fill = fuseir.task("task fill(a: scalar, z: write) { z = a }")
    session = fuseir.Session()
    with pytest.raises(UsageError, match="64 bits"):
        session.launch(fill, value, session.store(2))


LARGE = 2**63 + 5


def changed_by(module: Any, x: Any, value: int) -> Any:
    found = module.zeros(2, x.dtype)
    found[:] = value
    found -= value
    module.add(x, value, out=found)
    found[0] = value
    return found


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint64"])
def test_integers_beyond_those_with_sign_follow_small_ones(dtype: str) -> None:
    """What was remembered of ``x + 1`` took the bits of 2^63 for a negative number."""
    x, y = np.array([1, 2], dtype), fnp.array([1, 2], dtype)
    mask, ours = np.array([True, False]), fnp.array([True, False])
    for value in (1, LARGE, 2, LARGE):
        cases = [
            (x + value, y + value),
            (value - x, value - y),
            (np.maximum(x, value), fnp.maximum(y, value)),
            (np.where(mask, x, value), fnp.where(ours, y, value)),
            (np.full(2, value, dtype), fnp.full(2, value, dtype)),
            (changed_by(np, x, value), changed_by(fnp, y, value)),
        ]
        for expected, found in cases:
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(np.asarray(found), expected)


def test_integers_beyond_64_bits_follow_small_ones() -> None:
    x, y = np.array([1.0, 2.0]), fnp.array([1.0, 2.0])
    for value in (1, 2**70, 2, -(2**70)):
        np.testing.assert_array_equal(np.asarray(y * value), x * value)
