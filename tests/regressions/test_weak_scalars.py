"""Scalars passed as Python's numbers, compared with each other.

NumPy compares two Python integers as Python objects, so that was the type the comparison was made in: it has no sign, and -1 was more
than 3. With a literal on one side the launch ended in NumPy's ``Invalid integer data type 'O'``.
"""

from __future__ import annotations

import numpy as np
import pytest

import fuseir

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
