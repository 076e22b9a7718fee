"""``argmin`` and ``argmax`` of the task language: NumPy's answers by the reference and by compiled kernels, fused or not."""

from __future__ import annotations

import numpy as np
import pytest
from lang_kernels import run

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import DTypeError, FallbackWarning, ShapeError
from fuseir.lang import task

# Each element type; both functions where the type says how values compare.
CASES = [("argmin", dtype) for dtype in ("?", "i1", "u4", "i8", "f4", "f8")] + [
    ("argmax", dtype) for dtype in ("u1", "i2", "u8", "f8")
]
# Rows that fit a vector, that do not, and that are longer than a block of the reduction tree.
SHAPES = [(1,), (45,), (2100,), (3, 70), (70, 3), (1, 1), (1300, 5)]
DEEP = [(4, 5, 37), (2, 40, 3)]


def contents(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Few different values, so that most are there more than once; zeros of both signs, infinities and NaNs among floats."""
    random = np.random.default_rng(len(shape) * 100 + shape[-1])
    if np.dtype(dtype).kind == "f":
        values = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf], dtype)
        found = values[random.integers(0, len(values), shape)]
        return np.where(random.random(shape) < 0.02, np.array(np.nan, dtype), found)
    if dtype == "?":
        return random.random(shape) < 0.5
    limits = np.iinfo(dtype)
    return np.array([limits.min, limits.max, 0, 1, 5], dtype)[random.integers(0, 5, shape)]


@pytest.mark.parametrize(("function", "dtype"), CASES)
def test_positions_are_numpys(function: str, dtype: str) -> None:
    session = fuseir.Session(threads=2)
    for shape in SHAPES + (DEEP if dtype == "f8" else []):
        x = contents(dtype, shape)
        for axis in range(len(shape)):
            text = f"task f(x: read, p: write) {{ p = {function}(x, axis={axis}) }}"
            expected = getattr(x, function)(axis)
            if x.size < 1000:
                (got,) = run(text, [x, np.zeros(expected.shape, np.int64)])
                np.testing.assert_array_equal(got, expected)
            result = session.store(expected.shape, np.int64)
            session.launch(fuseir.task(text), session.from_numpy(x), result)
            np.testing.assert_array_equal(result.numpy(), expected)


@pytest.mark.parametrize("axis", [0, 1])
def test_positions_of_what_is_computed_in_one_kernel(axis: int) -> None:
    """A view with steps, an expression of the task, and an expression of launches before it, whose store nobody else needs."""
    x = np.random.default_rng(5).integers(-4, 5, (60, 90)).astype(np.float64)[::-2, ::3]
    expected = abs(x - 1.0).argmax(axis)
    session = fuseir.Session(threads=2)
    text = f"task f(x: read, p: write, q: write) {{ p = argmax(abs(x - 1), axis={axis})  q = min(x, axis={axis}) }}"
    results = [session.store(expected.shape, dtype) for dtype in (np.int64, np.float64)]
    session.launch(fuseir.task(text), session.from_numpy(x), *results)
    np.testing.assert_array_equal(results[0].numpy(), expected)
    np.testing.assert_array_equal(results[1].numpy(), x.min(axis))

    between, result = session.store(x.shape, np.float64), session.store(expected.shape, np.int64)
    session.launch(fuseir.task("task g(x: read, y: write) { y = abs(x - 1) }"), session.from_numpy(x), between)
    session.launch(fuseir.task(f"task f(x: read, p: write) {{ p = argmax(x, axis={axis}) }}"), between, result)
    del between
    np.testing.assert_array_equal(result.numpy(), expected)
    # Along axis 0 the second launch has one point, and the first one several.
    assert session.statistics.temporaries == axis


def test_a_tile_is_what_positions_count_in() -> None:
    """Points that have different parts of an axis each count from the start of theirs."""
    from fuseir.dialects.dist.index_map import Coordinate, IndexMap
    from fuseir.dialects.dist.partition import Tiling

    session = fuseir.Session()
    x = np.array([3, 1, 2, 9, 8, 7, 5, 6, 4])
    rows = session.from_numpy(x)[None, :].broadcast_to((3, 9))
    result = session.store(3, np.int64)
    diagonal = Tiling.of([1, 3], None, IndexMap(1, (Coordinate(0, 1, 0), Coordinate(0, 1, 0))))
    text = "task f(x: read, p: write) { p = argmin(x, axis=1) }"
    session.launch(fuseir.task(text), rows, result, domain=(3,), partitions=[diagonal, Tiling.of([1])])
    np.testing.assert_array_equal(result.numpy(), [1, 2, 2])


def test_positions_of_nothing() -> None:
    (got,) = run("task f(x: read, p: write) { p = argmin(x, axis=1) }", [np.zeros((2, 0)), np.zeros(2, np.int64)])
    np.testing.assert_array_equal(got, np.full(2, 2**63 - 1))


def test_what_positions_are_not() -> None:
    definition = task("task f(x: read, p: write) { p = argmin(x) }")
    with pytest.raises(ShapeError, match="`argmin` goes along one axis, not 2"):
        definition.instantiate("k", [("f8", 2), ("i8", 0)])
    with pytest.raises(DTypeError, match="where a value is is an int64"):
        definition.instantiate("k", [("f8", 1), ("i4", 0)])


@pytest.mark.parametrize("shape", [(40,), (33001,), (300, 120), (120, 300), (4, 5, 6), (), (3, 0, 2)])
def test_numpys_functions(shape: tuple[int, ...]) -> None:
    """Along each axis and of all elements; some leading axes are cut."""
    x = np.random.default_rng(3).integers(-50, 50, shape).astype(np.float64)
    with fuseir.Session(threads=2):
        array = fnp.array(x)
        for axis in (None, *range(-len(shape), len(shape)), len(shape)):
            for keepdims in (False, True):
                try:
                    expected = np.argmin(abs(x * 2.0 - 1.0), axis=axis, keepdims=keepdims)
                except ValueError as error:  # an AxisError is one
                    with pytest.raises(type(error), match=str(error)[:20]):
                        fnp.argmin(abs(array * 2.0 - 1.0), axis=axis, keepdims=keepdims)
                    continue
                found = fnp.argmin(abs(array * 2.0 - 1.0), axis=axis, keepdims=keepdims)
                assert (found.shape, found.dtype) == (np.shape(expected), np.int64)
                np.testing.assert_array_equal(np.asarray(found), expected)


def test_numpys_methods_and_ties_across_points() -> None:
    x = np.zeros(40000)
    x[[39000, 7000, 20000]] = np.nan
    with fuseir.Session(threads=2):
        array = fnp.array(x)
        assert int(array.argmax()) == int(array.argmin()) == 7000
        assert int(fnp.argmax(array[:7000])) == 0
        out = fnp.zeros(2, np.int64)
        assert fnp.argmin(array.reshape(2, 20000), axis=1, out=out) is out
        np.testing.assert_array_equal(out.numpy(), [7000, 0])
        with pytest.raises(ValueError, match="does not match"):
            fnp.argmin(array, out=out)
        whole = np.zeros((), np.int64)
        with pytest.warns(FallbackWarning):
            fnp.argmin(array, out=whole)
        assert whole == 7000
