"""fuseir.numpy where random programs do not go: names, errors, scalars, protocols, aliasing that others got wrong."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import FallbackWarning, UsageError
from fuseir.numpy.array import Scalar, ndarray
from fuseir.runtime import signatures


@pytest.fixture(autouse=True)
def session() -> Generator[fuseir.Session]:
    with fuseir.Session(procs=3) as session:
        yield session


def same(found: Any, expected: Any) -> None:
    expected = np.asarray(expected)
    found = np.asarray(found)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f")


def test_a_program_is_one_launch(session: fuseir.Session) -> None:
    x = fnp.linspace(0.0, 1.0, 1000)
    y = fnp.sqrt(x * x + 2.0 * x + 1.0) - 1.0
    same(y, np.sqrt(np.linspace(0, 1, 1000) ** 2 + 2 * np.linspace(0, 1, 1000) + 1) - 1)
    assert (session.statistics.tasks, session.statistics.launches) == (6, 1)


def test_every_name_of_numpy_is_there() -> None:
    missing = [name for name in np.__all__ if not hasattr(fnp, name)]
    assert missing == []


@pytest.mark.parametrize("name", sorted(set(np.__all__) & {"add", "sum", "where", "reshape", "matmul", "zeros"}))
def test_own_functions_are_not_numpys(name: str) -> None:
    assert getattr(fnp, name) is not getattr(np, name)


def test_other_names_are_the_same_functions() -> None:
    ufuncs = {name: function for name, function in vars(np).items() if isinstance(function, np.ufunc)}
    for name, function in ufuncs.items():
        assert not hasattr(fnp, function.__name__) or getattr(fnp, name) is getattr(fnp, function.__name__), name
    assert fnp.acos is fnp.arccos
    assert fnp.conj is fnp.conjugate


# Deferred scalars


def test_results_without_dimensions_are_scalars_that_wait(session: fuseir.Session) -> None:
    x = fnp.arange(10.0)
    total = x.sum()
    scaled = x / total
    element = x[3]
    assert type(total) is type(element) is Scalar
    assert session.statistics.forced_flushes == 0
    same(scaled, np.arange(10.0) / 45.0)
    assert (float(total), int(element), bool(total > 44)) == (45.0, 3, True)
    assert repr(total) == "np.float64(45.0)"
    assert f"{total:.2f} {total}" == "45.00 45.0"
    assert {total: 1}[np.float64(45.0)] == 1


def test_scalars_are_values() -> None:
    """An element does not follow its array, and ``+=`` gives a name another scalar."""
    x = fnp.arange(3.0)
    first = x[0]
    x[0] = 7.0
    assert float(first) == 0.0
    total = kept = x.sum()
    total += 1.0
    assert (float(total), float(kept)) == (11.0, 10.0)
    with pytest.raises(TypeError, match="item assignment"):
        kept[()] = 1.0
    zero_dimensional = fnp.array(3.0)
    zero_dimensional += 1.0
    assert float(zero_dimensional) == 4.0


# Errors (test_numpy_errors.py has those that are NumPy's)


def test_an_error_names_the_users_line() -> None:
    x = fnp.zeros(3)
    other = fuseir.Session().zeros(3)
    with pytest.raises(UsageError, match="another session"):
        x + ndarray(other.session, other.root, other.signature, other.first)


def test_each_operation_is_known_by_the_users_line(session: fuseir.Session) -> None:
    x, matrix = fnp.full(3, 2.0), fnp.full((3, 3), 2.0)
    for _ in range(2):  # what was met before is launched in another way
        fuseir.flush()
        places = [
            fnp.sqrt(x),
            x + x,
            x * 2.0,
            2.0 - x,
            -x,
            x**2,
            x**3,
            x**x,
            x.sum(),
            fnp.sum(matrix, axis=0, keepdims=True),
            x.mean(),
            x[1],
            fnp.where(x > 0, x, 1.0),
            fnp.clip(x, 1, 2.0),
            fnp.linalg.norm(x),
            fnp.argmin(matrix, axis=1),
            x.reshape(3, 1) + x,
            fnp.zeros(3),
            fnp.ones_like(x),
            x.copy(),
            x.astype(fnp.float32),
            x @ x,
            matrix @ x,
            matrix @ matrix,
            fnp.concatenate((x, x)),
            fnp.stack([x, x]),
            fnp.roll(x, 1),
            fnp.add(x, 1.0, out=x),
        ]
        x += 1.0
        x[1:] = 0.0
        x[1:] = x[1]
        x[x > 0] = 1.0
        assert places
        launches = session._window.launches
        assert len(launches) > len(places)
        for launch in launches:
            assert launch.site.resolve().file == __file__


def test_what_is_remembered_of_programs_that_never_repeat_themselves_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signatures, "_MOST", 4)
    x = fnp.array(np.arange(16.0))
    for k in range(1, 16):
        same(fnp.roll(x, k) + x[:1], np.roll(np.arange(16.0), k))
        same(fnp.sum(x[k:]), np.arange(16.0)[k:].sum())
        assert len(x.signature.memo) <= 4


def test_numbers_that_change_are_not_remembered() -> None:
    x, mask = fnp.ones(4), fnp.array([True, False, True, False])
    kept: list[int] = []
    for k in range(1, 10):
        value = k * 0.5
        y = fnp.where(mask, x * value + k, k) + fnp.full(4, value)
        y[1:] = value
        y[0] = k
        y += value
        fnp.maximum(y, k, out=y)
        np.testing.assert_array_equal(y, np.maximum([k + value] + 3 * [value + value], k))
        kept.append(sum(len(each.signature.memo) for each in (x, mask, y)))
    assert kept[-1] == kept[1]


# Aliasing


def test_views_alias() -> None:
    for np_ in (np, fnp):
        x = np_.arange(12.0)
        grid = x.reshape(3, 4)
        flat = grid.T.reshape(-1)  # a copy in NumPy: not contiguous
        row, column = grid[1], grid[:, ::-1][:, 0]
        row += 100.0
        x[-1] = -1.0
        grid[0] = 5.0
        flat[:] = 0.0
        ravelled = grid.ravel()
        ravelled[4] = 50.0
        if np_ is np:
            expected = [x, grid, row, column, ravelled]
        else:
            for found, want in zip([x, grid, row, column, ravelled], expected, strict=True):
                same(found, want)


def test_a_view_of_a_view_is_one_where_numpys_is() -> None:
    """What a mirror's memory looks like is ours: whether a further reshape is a copy depends on what NumPy's looks like."""
    for np_ in (np, fnp):
        x = np_.arange(12.0).reshape(2, 6)
        split = x.T.reshape(2, 3, 2)
        split[0, 0, 0] = 50.0
        flat = split.reshape(12)  # a copy
        flat[0] = 99.0
        assert (float(x[0, 0]), float(split[0, 0, 0]), split.strides) == (50.0, 50.0, (24, 8, 48))


@pytest.mark.parametrize(
    "line",
    [
        "a[1:] = a[:-1]",
        "a[:-1] = a[1:]",
        "a[::-1] = a",
        "a[1:] += a[:-1]",
        "a *= a[::-1]",
        "a[:, 1:] = a[:, :-1].copy()",
        "a[...] = a.T if a.shape[0] == a.shape[1] else a",
        "np.add(a, a[::-1], out=a)",
        "np.add(a[1:], a[:-1], out=a[1:])",
        "a /= a.max()",
        "a -= a[0]",
        "a[a > 3.0] = a.min()",
        "a += a.sum(axis=0)",
        "a[[0, 1]] = a[[1, 0]]",
    ],
)
@pytest.mark.parametrize("extent", [4, 257])
def test_assignments_that_read_what_they_write(line: str, extent: int) -> None:
    """What compilers of array programs got wrong before (copies elided, operands overwritten while they are read)."""
    expected = {"np": np, "a": np.arange(float(extent * extent)).reshape(extent, extent) % 11}
    found = {"np": fnp, "a": fnp.array(expected["a"])}
    exec(line, expected)
    exec(line, found)
    same(found["a"], expected["a"])


# Protocols


def test_numpys_functions_take_our_arrays() -> None:
    x = fnp.arange(4.0)
    assert type(np.sqrt(x)) is type(np.ones(4) + x) is type(np.concatenate([x, x])) is ndarray
    same(np.multiply.outer(x, x), np.multiply.outer(np.arange(4.0), np.arange(4.0)))
    same(np.asarray(x), np.arange(4.0))
    out = np.zeros(4)
    np.add(np.ones(4), 1.0, out=out)
    same(fnp.add(x, out), np.arange(4.0) + 2.0)


def test_arrays_are_copied_and_pickled() -> None:
    x = fnp.arange(5)
    copies = [copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.copy()]
    x += 1
    for each in copies:
        same(each, np.arange(5))


# What NumPy does for us


def test_other_functions_run_through_numpy_with_one_warning(session: fuseir.Session) -> None:
    x = fnp.arange(6.0)
    with pytest.warns(FallbackWarning, match="'unique'") as warned:
        found = fnp.unique(x)
    assert warned[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fnp.unique(found)
    assert type(found) is ndarray
    assert [name for name, _ in session.usage.fallbacks.elements()] == ["unique", "unique"]
    same(found, np.arange(6.0))


@pytest.mark.filterwarnings("ignore::fuseir.errors.FallbackWarning")
def test_modules_of_numpy_take_and_return_our_arrays() -> None:
    random, theirs = fnp.random.default_rng(3), np.random.default_rng(3)
    x = random.normal(size=(4, 4))
    assert type(x) is ndarray
    same(x, theirs.normal(size=(4, 4)))
    same(random.permutation(fnp.arange(5)), theirs.permutation(np.arange(5)))
    same(fnp.linalg.inv(x @ x), np.linalg.inv(np.asarray(x) @ np.asarray(x)))
    assert fnp.fft.fft(x).dtype == complex
    assert fnp.linalg.LinAlgError is np.linalg.LinAlgError
    values = fnp.linalg.eigh(x + x.T)
    assert type(values.eigenvalues) is ndarray
    buffer = fnp.zeros(3)
    fnp.copyto(buffer, [1.0, 2.0, 3.0])
    same(buffer, [1.0, 2.0, 3.0])


@pytest.mark.filterwarnings("ignore::fuseir.errors.FallbackWarning")
def test_complex_numbers_stay_numpys() -> None:
    z = fnp.array([1 + 2j, 3j])
    assert type(z) is np.ndarray
    same(fnp.arange(2) + z, np.arange(2) + np.array([1 + 2j, 3j]))
    same(fnp.conj(z), np.conj(z))
    for name in ("sum", "mean", "std", "ravel", "flip"):
        same(getattr(fnp, name)(z), getattr(np, name)(z))
    same(fnp.concatenate([z, fnp.arange(2)]), np.concatenate([z, np.arange(2)]))
    assert fnp.sort(np.array(["b", "a"])).tolist() == ["a", "b"]


def test_frozen_functions_take_arrays() -> None:
    @fuseir.freeze
    def step(x: ndarray, y: ndarray) -> ndarray:
        x += y
        return fnp.sqrt(x) * 2.0

    for k in range(3):
        x, y = fnp.full(4, float(k)), fnp.ones(4)
        found = step(x, y)
        assert type(found) is ndarray
        same(found, np.sqrt(np.full(4, k + 1.0)) * 2.0)
        same(x, np.full(4, k + 1.0))


def test_what_mirrors_an_argument_sees_what_a_frozen_function_does() -> None:
    grow = fuseir.freeze(lambda x: fnp.add(x, 1.0, out=x))
    for _ in range(2):
        grow(fnp.zeros((2, 3)))
    flat = fnp.zeros(6)
    grid = flat.reshape(2, 3)
    grow(grid)
    same(flat, np.ones(6))


def test_views_stay_views_of_one_another_when_the_array_between_them_is_dropped() -> None:
    flat = fnp.arange(6.0)
    rows, columns, again = flat.reshape(2, 3), flat.reshape(3, 2), None
    again = columns.reshape(6)
    del flat, columns
    rows[1] = 7.0
    same(again, np.array([0.0, 1.0, 2.0, 7.0, 7.0, 7.0]))
    again[0] = -1.0
    same(rows, np.array([[-1.0, 1.0, 2.0], [7.0, 7.0, 7.0]]))


def test_what_is_written_through_a_view_is_in_the_memory_an_array_was_made_on() -> None:
    memory = np.zeros(6)
    rows = fnp.asarray(memory, copy=False).reshape(2, 3)
    rows[1] = 7.0
    assert memory.tolist() == [0.0, 0.0, 0.0, 7.0, 7.0, 7.0]


def test_views_that_are_gone_are_forgotten() -> None:
    flat = fnp.zeros(6)
    for _ in range(5):
        view = flat.reshape(2, 3)
    assert len(flat.root.watchers) <= 2  # the last view, and the one that was in its place
    del view


def test_updates_of_views_are_one_launch(session: fuseir.Session) -> None:
    x, expected = fnp.zeros((4, 6)), np.zeros((4, 6))
    x[1:3, ::2] += fnp.ones((2, 3))
    expected[1:3, ::2] += 1.0
    same(x, expected)
    # Zeros, ones, and their sum: what Python assigns to the view afterwards is the view itself.
    assert session.statistics.tasks == 3


def test_assignments_that_were_met_before_do_the_same_to_other_arrays() -> None:
    def program(package: Any) -> list[Any]:
        x, y, found = package.zeros((3, 4)), package.arange(12.0).reshape(3, 4) + 0.0, []
        for k in range(3):
            x[0, :] = y[1, :] + k
            x[1, :] = float(k)
            x[2, :] = x[1, :]  # the same store
            x[:, 1:] = x[:, :-1]  # and overlapping
            found.append(np.array(x))
            x, y = y, x
        return found

    for got, want in zip(program(fnp), program(np), strict=True):
        same(got, want)
    with fuseir.Session():
        foreign = fnp.ones(4)
    mine = fnp.zeros((2, 4))
    mine[0] = fnp.ones(4)
    with pytest.raises(UsageError, match="another session"):
        mine[0] = foreign


def test_an_assignment_that_overlaps_is_not_remembered_for_those_that_do_not() -> None:
    for module in (np, fnp):
        a = module.arange(3.0)
        a[1:] = a[:2]  # copied first
        b = module.zeros(3)
        b[1:] = a[:2]  # the same views, of two stores
        assert b.tolist() == [0.0, 0.0, 0.0]
        c = module.arange(3.0) + 5
        d = module.zeros(3)
        d[1:] = c[:2]
        assert d.tolist() == [0.0, 5.0, 6.0]


def test_where_takes_a_number_for_a_condition() -> None:
    a, b = fnp.arange(3.0), fnp.ones(3)
    for condition in (0.5, 0.0, 2.0):
        assert fnp.where(condition, a, b).tolist() == np.where(condition, np.arange(3.0), np.ones(3)).tolist()


@pytest.mark.filterwarnings("ignore::fuseir.errors.FallbackWarning")
def test_functions_take_complex_arrays_of_numpys_own() -> None:
    x = np.array([1j, 2.0, 3.0])
    same(fnp.take(x, fnp.array([0, 2])), np.take(x, [0, 2]))
    same(fnp.concatenate((x, fnp.ones(2))), np.concatenate((x, np.ones(2))))
    same(fnp.stack([x, x]), np.stack([x, x]))
    same(fnp.roll(x, 1), np.roll(x, 1))
    same(fnp.where(fnp.array([True, False, True]), x, 0.0), np.where([True, False, True], x, 0.0))
    same(fnp.zeros_like(x), np.zeros_like(x))


def test_rolling_along_no_axes_copies() -> None:
    x = fnp.ones(3)
    y = fnp.roll(x, (), ())
    x[0] = 5.0
    same(y, np.ones(3))
