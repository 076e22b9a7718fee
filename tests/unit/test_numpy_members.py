"""Attributes, methods and protocols of fuseir.numpy's arrays, beside NumPy's."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp
from fuseir.errors import StorePoisonedError, UnsupportedError
from fuseir.numpy.array import Scalar, ndarray

pytestmark = pytest.mark.filterwarnings("ignore::fuseir.errors.FallbackWarning")


@pytest.fixture(scope="module", autouse=True)
def session() -> Generator[fuseir.Session]:
    with fuseir.Session() as session:
        yield session


def same(found: Any, expected: Any) -> None:
    """Equal, element by element, and of one type."""
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for each, want in zip(found, expected, strict=True):
            same(each, want)
    elif isinstance(found, ndarray):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert isinstance(found, Scalar) == isinstance(expected, np.generic)
        assert found.numpy().tolist() == expected.tolist()
    else:
        assert type(found) is type(expected)
        assert np.array_equal(found, expected)


# a is 3 x 4 of float64, i six int64, s a scalar, z an array without dimensions, m truth values of a's shape.
EXPRESSIONS = """
    a.T
    a[None].mT
    a.shape, a.ndim, a.size, a.itemsize, a.nbytes, a.dtype
    a.strides, a.T.strides, a[::-1, ::2].strides, a[None].ndim, a.reshape(2, 6).T.strides
    a.flags.c_contiguous, a.T.flags.c_contiguous, a.T.flags["F"], a[1:].flags["OWNDATA"], a.flags.owndata
    np.broadcast_to(i, (2, 6)).flags.writeable, i.flags["WRITEABLE"]
    i.base is None, i[1:].base is i
    a.real, a.imag
    i.imag
    list(a.flat)[5]
    a.flat[3], a.flat[[1, 2]], a.flat[::5], len(a.flat)
    [float(each) for each in a.T.flat]
    a.argmax(), a.argmax(axis=0), a.argmin(1)
    i.argsort(), a.T.argsort(axis=0)
    a.cumsum(), a.cumprod(axis=1)
    a.diagonal(), a.trace()
    a.nonzero()
    a.repeat(2, axis=0), a.take([1, 2], axis=1)
    a.round(1), a.conj()
    i.searchsorted(3), i.searchsorted([1, 2])
    i.choose([i, i, i, i, i, i])
    a.compress([True, False, True], axis=0)
    a.view(), a.view(np.int64), a.view(np.uint8), i.view(np.float64)
    a.byteswap()
    [a.T.ravel(order) for order in "CFAK"][3], [a.T.flatten(order) for order in "CFAK"][2], a.T.reshape(2, 6, order="A")
    a[None].transpose(2, 0, 1)[::-1].ravel("K"), a.T.ravel("F"), a.T.ravel()
    a.tolist(), a.item(3), i.item((2,)), s.item()
    a.tobytes(), a.T.tobytes()
    np.frombuffer(a.data, np.float64)
    i.dumps()
    float(s), int(s), complex(s), bool(s), float(z), [10, 20, 30][i[2]]
    hash(s) == hash(s.item())
    3.0 in a, 77.0 in a
    list(i)[2], [row.sum() for row in a]
    [tuple(row) for row in a][0]
    abs(-a), divmod(i, 4), +a, -i, ~m, i << 1, 7 // (i + 1), i % 4, 2 ** i
    a.copy(), z.copy(), s.copy(), a.astype(np.int8), a.astype(a.dtype, copy=False) is a
    copy.copy(a), copy.deepcopy(z), copy.copy(s), pickle.loads(pickle.dumps([a.T, z, s]))[1]
    tuple(pickle.loads(pickle.dumps([a.T, z, s])))
    np.result_type(a, np.float32), np.result_type(i, 1.0), np.can_cast(i, np.int8), np.common_type(a, i)
    np.shape(a), np.ndim(a), np.size(a), np.size(a, 1), np.iscomplexobj(a), np.isrealobj(a)
    np.astype(i, np.float32), np.isdtype(a.dtype, "real floating")
    np.var(a, correction=1), np.std(a, axis=1, correction=1, mean=np.mean(a, axis=1, keepdims=True))
    np.from_dlpack(a), np.from_dlpack(np.asarray(a))
    np.full_like(a, 3), np.zeros_like(i, dtype=bool), np.empty_like(a, shape=(2,)).shape, np.full_like(a, i[1])
    i.device, i.to_device("cpu"), i.__dlpack_device__()
"""


def variables(module: Any) -> dict[str, Any]:
    a = module.asarray(np.arange(12.0).reshape(3, 4) / 2.0 - 2.0)
    i = module.asarray(np.array([0, 1, 2, 3, 4, 5]))
    return {
        "np": module,
        "a": a,
        "i": i,
        "s": a.sum(),
        "z": module.array(2.5),
        "m": a > 0,
        "copy": copy,
        "pickle": pickle,
    }


@pytest.mark.parametrize("expression", [line.strip() for line in EXPRESSIONS.strip().splitlines()])
def test_members_are_numpys(expression: str) -> None:
    same(eval(expression, variables(fnp)), eval(expression, variables(np)))


STATEMENTS = """
    a.fill(3)
    a.sort(); a[::-1].sort(axis=0)
    a.T[0].partition(1)
    a.put([1, 2], 9.0)
    a.real = 4
    a.flat = [1.0, 2.0, 3.0]
    a.flat[::5] = 7.0; a.flat[2] = 1; a.T.flat[1] = -3.0; a.flat[[1, 3]] = i[:2]
    a.byteswap(inplace=True)
    a @= np.asarray([[1.0, 2.0, 0.0, 1.0]] * 4)
    v = a.view(np.int64); v[0] += 1; a[1] = 8.0; i[:4] = v[1]
    v = i.view(np.uint8); v[::8] = 5
    v = i[::2].ravel(); v[0] = 50; w = i[::2].reshape(-1); w[1] = 60; u = a.T.ravel("F"); u[0] = 70.0; a.T.ravel()[1] = 80.0
    x = copy.copy(a); x[0] = 100.0; y = a.real; y[1] = -1.0
    np.copyto(a, 2.0, where=m); np.put(i, [0], 7); np.fill_diagonal(a, -1.0)
    np.add(a, 1.0, out=a, where=m)
    i **= 2; i //= 3; i <<= 1; m ^= True
"""


@pytest.mark.parametrize("statement", [line.strip() for line in STATEMENTS.strip().splitlines()])
def test_what_changes_arrays_changes_them_as_numpy_does(statement: str) -> None:
    found, expected = variables(fnp), variables(np)
    exec(statement, found)
    exec(statement, expected)
    for name in "aizm":
        same(found[name], expected[name])


# c are three complex numbers, x three real ones.
COMPLEX = """
    x + c, c + x, x * 1j, 1j * x, x - (1 + 2j), c * x[1], x[1] * c, x / c, x ** c
    x == c, x != 1j
    x.astype(complex), np.astype(x, np.complex64), np.zeros(3, complex), np.full(3, 1j), np.asarray(x, dtype=complex)
    np.sqrt(c), np.abs(c), np.exp(x * 1j), np.conj(c), np.real(c), np.imag(c), np.angle(c)
    c.sum(), np.sum(c), np.mean(c), np.prod(c), np.cumsum(c), np.std(c), np.any(c)
    np.where(x > 1.0, c, x), np.where(x > 1.0, x, 1j), np.concatenate([x, c]), np.stack([c, x]), np.clip(x, 0.0, 1.0)
    np.dot(x, c), x @ c, np.outer(c, x), np.vdot(c, x), np.inner(x, c)
    np.add(x, c), np.multiply(x, c, out=np.zeros(3, complex)), np.add(x, 1.0, dtype=complex)
    np.fft.ifft(np.fft.fft(x)) * x, np.fft.rfft(x)
    c[x > 0.0], c[np.array([0, 2])], x[::-1] + c[::-1]
    np.result_type(x, c) == complex, np.iscomplexobj(c), np.isrealobj(c), np.broadcast_to(c, (2, 3)), np.reshape(c, (3, 1))
    np.sort(c), np.unique(c), np.isfinite(c), np.round(c, 1), np.linalg.norm(c)
"""


@pytest.mark.parametrize("expression", [line.strip() for line in COMPLEX.strip().splitlines()])
def test_complex_numbers_beside_ours_are_numpys(expression: str) -> None:
    expected, found = (
        eval(expression, {"np": module, "x": module.arange(3.0), "c": module.array([1 + 2j, 0.5, -3j])})
        for module in (np, fnp)
    )
    for got, want in zip(found, expected, strict=True):
        assert np.asarray(got).dtype == np.asarray(want).dtype
        # NumPy's own for complex numbers; what is ours has sums and functions of its own.
        assert np.allclose(np.asarray(got), np.asarray(want), rtol=1e-15)


def test_complex_arrays_are_changed_in_place_by_ours() -> None:
    x, c, d = fnp.arange(3.0), fnp.array([1j, 2j, 3j]), np.array([1j, 2j, 3j])
    kept = c
    c += x
    d += np.arange(3.0)
    c[1:] = x[:-1]
    d[1:] = np.arange(2.0)
    assert kept is c
    assert c.tolist() == d.tolist()
    with pytest.raises(TypeError):
        x += c


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "uint64", "bool"])
@pytest.mark.parametrize("shape", [(), (1,), (5,), (0,), (2, 3), (2, 0, 3), (2000,)])
def test_arrays_print_as_numpys(dtype: str, shape: tuple[int, ...]) -> None:
    theirs = (np.arange(np.prod(shape, dtype=int)) % 100 * 1.7).astype(dtype).reshape(shape)
    ours = fnp.asarray(theirs)
    with np.printoptions(precision=3):
        assert (repr(ours), str(ours), f"{ours}", f"{ours!r:>9}") == (
            repr(theirs),
            str(theirs),
            f"{theirs}",
            f"{theirs!r:>9}",
        )
    if shape and theirs.size:
        ours, theirs = ours.max(), theirs.max()
        assert (repr(ours), str(ours), f"{ours}") == (repr(theirs), str(theirs), f"{theirs}")
    if theirs.ndim == 0 and dtype != "bool":
        assert f"{ours:8.3f}" == f"{theirs:8.3f}"


@pytest.mark.parametrize(
    "statement",
    [
        "a.shape = (4, 3)",
        "a.dtype = 'int64'",
        "a.strides = (8, 8)",
        "a.flags.writeable = False",
        "a.resize(3)",
        "a.setflags()",
        "a.view(bool)",
    ],
)
def test_what_arrays_do_not_do_is_refused_by_name(statement: str) -> None:
    with pytest.raises(UnsupportedError, match=r"fuseir\.numpy|cannot be seen"):
        exec(statement, variables(fnp))


def test_arrays_are_written_to_files_as_numpys() -> None:
    file = io.BytesIO()
    np.save(file, fnp.arange(5.0))
    file.seek(0)
    assert np.load(file).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


# Protocols


def test_the_namespace_is_the_array_apis() -> None:
    x = fnp.arange(3)
    assert x.__array_namespace__() is fnp
    assert x.__array_namespace__(api_version="2024.12") is fnp
    with pytest.raises(ValueError, match=r"1999\.12"):
        x.__array_namespace__(api_version="1999.12")
    info = fnp.__array_namespace_info__()
    assert info.devices() == ["cpu"]
    assert info.default_dtypes()["real floating"] == np.float64
    assert fnp.__array_api_version__ == "2024.12"


class Guest:
    """An array of another library, which wants calls of NumPy's functions for itself."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> str:
        return f"{ufunc.__name__} is mine"

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> str:
        return f"{function.__name__} is mine"

    def __radd__(self, other: Any) -> str:
        return "radd is mine"


def test_other_libraries_have_their_say() -> None:
    x, guest = fnp.arange(3.0), Guest()
    assert np.add(x, guest) == "add is mine"
    assert np.concatenate([x, guest]) == "concatenate is mine"
    with pytest.raises(TypeError):
        np.add(np.ones(3), x, out=object())


def test_numpys_functions_are_ours_for_our_arrays(session: fuseir.Session) -> None:
    x = fnp.arange(6.0).reshape(2, 3)
    flushes = session.statistics.forced_flushes
    found = [
        np.add(x, 1.0),
        np.add.reduce(x, axis=0),
        np.sum(x, axis=1),
        np.where(x > 1.0, x, 0.0),
        np.ones(3) * x,
        np.shape(x),
    ]
    assert session.statistics.forced_flushes == flushes
    assert all(type(each) is ndarray for each in found[:-1])
    same(found[1], np.arange(6.0).reshape(2, 3).sum(axis=0))


def test_what_fails_later_names_the_users_line(session: fuseir.Session) -> None:
    def fail(out: Any) -> None:
        raise ArithmeticError("on purpose")

    task = fuseir.opaque_task(fail, ["write"])
    x = fnp.ones(4)
    session.launch(task, x)  # this line
    y = x + 1.0
    with pytest.raises(ArithmeticError, match="on purpose") as first:
        float(y.sum())
    with pytest.raises(StorePoisonedError) as second:
        print(y)
    for error in (first.value, second.value.__cause__):
        assert error is not None
        (note,) = error.__notes__
        assert __file__ in note
        assert "this line" in note
