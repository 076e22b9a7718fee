"""fuseir.numpy's functions beside NumPy's: same values, types, shapes and errors, and none makes the stream run."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

import fuseir
import fuseir.numpy as fnp
from fuseir.numpy.array import ndarray

FUSED = """
np.gradient(x) | np.gradient(x, 2.0) | np.gradient(x, 0.5, edge_order=2) | np.gradient(A) | np.gradient(A, 2.0, 3.0)
np.gradient(A, axis=1) | np.trapezoid(x) | np.trapezoid(A, dx=0.5, axis=0) | np.trapezoid(A, y[:4], axis=1) | np.ediff1d(A)
np.polyval([1.0, 2.0, 3.0], x) | np.polyval(y[:3], A) | np.vander(x[:4]) | np.vander(x[:4], 3, increasing=True) | np.kron(x, A)
np.kron(A, A[:2]) | np.ptp(A) | np.ptp(A, axis=1, keepdims=True) | np.average(A, axis=0) | np.linalg.norm(x) | np.linalg.norm(A)
np.linalg.norm(A, axis=1) | np.linalg.norm(x, 1) | np.linalg.norm(x, np.inf) | np.linalg.norm(A, "fro", keepdims=True)
np.nansum(N) | np.nansum(N, axis=0) | np.nanprod(N, axis=1) | np.nanmin(N) | np.nanmax(N, axis=1) | np.nanmax(N, 0, keepdims=True)
np.nanmean(N, axis=1) | np.nanvar(N, axis=0) | np.nanstd(N, axis=1, ddof=1) | np.nansum(k) | np.nanmean(k)
np.round(x, 1) | np.round(x) | np.around(x, -1) | np.round(k) | x.round(2) | np.divmod(x, y) | divmod(x, 2.0) | divmod(k, 3)
divmod(7, k + 1) | np.nan_to_num(N) | np.nan_to_num(N, nan=1.0, posinf=2.0) | np.isclose(x, y) | np.isclose(N, N, equal_nan=True)
np.real(x) | np.imag(x) | np.select([x > 1, x > 0], [x, y], 7.0) | np.select([k > 2], [k], -1) | np.repeat(x, 3)
np.repeat(A, 2, axis=1) | np.pad(x, 2) | np.pad(A, ((1, 2), (0, 3)), constant_values=5) | np.pad(A, 1, "edge")
np.pad(A, ((0, 2), (1, 0)), "constant", constant_values=((1, 2), (3, 4))) | np.tril(A) | np.triu(A, 1) | np.tril(x) | np.tril(k)
np.meshgrid(x, y) | np.meshgrid(x, k, indexing="ij") | np.meshgrid(x, y, sparse=True) | np.flipud(A) | np.fliplr(A)
np.rot90(A) | np.rot90(A, 2) | np.rot90(A, -1) | np.array_split(x, 4) | np.split(A, 3) | np.split(x, [2, 5]) | np.hsplit(A, 2)
np.vsplit(A, 3) | np.unstack(A) | np.atleast_3d(x) | np.atleast_3d(A) | np.dstack([A, A]) | np.column_stack([x, y, x])
np.append(x, y) | np.append(A, A, axis=1) | np.rollaxis(np.stack([A, A]), 2) | np.diff(x, prepend=0.0) | np.diff(A, append=A[:, :1])
np.shape(A) | np.ndim(A) | np.size(A, 1) | np.result_type(x, k) | np.can_cast(x.dtype, np.float32) | np.iscomplexobj(x)
np.deg2rad(x) | np.concat([x, y]) | np.max(A) | np.amax(A, axis=0) | np.nanmax(k)
"""

IN_STREAM = """
np.sort(x) | np.sort(A, axis=0) | np.sort(A, axis=None) | np.argsort(x, kind="stable") | np.cumsum(x) | np.cumsum(A) | np.cumsum(A, axis=1)
np.cumsum(k, dtype=np.float32) | np.cumprod(A, axis=0) | np.nancumsum(N) | np.argmax(A) | np.argmin(A, axis=1) | x.argmax()
np.argmax(A, axis=0, keepdims=True) | np.partition(x, 3) | np.take(x, [0, -1, 3]) | np.take(A, p, axis=1) | np.take(x, 2)
np.take(x, [0, 99], mode="clip") | np.take_along_axis(x, np.argsort(x), 0) | np.searchsorted(np.sort(x), y) | np.searchsorted(x, 0.5)
np.digitize(x, [0.0, 1.0]) | np.interp(x, np.sort(y), y) | np.einsum("ij,kj->ik", A, A) | np.einsum("ij->j", A) | np.tensordot(A, A, 2)
np.convolve(x, y) | np.convolve(x, y[:3], "valid") | np.correlate(x, y, "same") | np.median(x) | np.median(A, axis=0)
np.percentile(x, 30) | np.percentile(A, [10.0, 90.0], axis=1) | np.quantile(x, 0.25) | np.unwrap(x) | np.cov(A) | np.corrcoef(A)
np.cross(A[:, :3], A[:, 1:]) | np.trace(A) | np.diag(A) | np.diag(x, 1) | np.diagonal(A)
np.histogram(x, 5) | np.histogram(x, [0.0, 1.0, 2.0])
np.isin(k, [1, 2]) | np.delete(x, 2) | np.delete(A, [0, 1], axis=1) | np.insert(x, 1, 5.0) | np.sinc(x) | np.frexp(x) | np.ldexp(x, k)
np.modf(x) | np.gcd(k, 6) | np.spacing(x) | np.conjugate(k) | np.add.accumulate(A, axis=1) | np.average(x, weights=y * y) | np.inner(A, A)
np.pad(A, 2, "reflect") | np.repeat(x, [1, 2, 0, 3, 1, 1, 1]) | np.linalg.inv(S) | np.linalg.solve(S, x[:4]) | np.linalg.det(S)
np.linalg.cholesky(S) | np.linalg.qr(S) | np.linalg.svd(S) | np.linalg.svd(A, compute_uv=False) | np.linalg.eigh(S) | np.linalg.slogdet(S)
np.linalg.pinv(A) | np.linalg.matrix_power(S, 3) | np.linalg.norm(S, 2) | np.linalg.norm(x, 3) | np.linalg.cond(S)
np.linalg.matrix_rank(S)
x[p] | x[[0, 2, -1]] | A[p[:3], [0, 1, 2]] | A[1:, [0, 3]] | A[..., p[:2]] | x[np.array([[0, 1], [2, 3]])] | np.vecdot(A, A)
x.take([1]) | A.trace() | A.diagonal() | x.searchsorted(0.5) | A.cumsum() | k.repeat(2) | A.argsort(axis=0) | np.resize(x, (3, 4))
np.sort(N, axis=0) | np.linalg.multi_dot([A.T, A, S]) | np.matmul(A, A.T) | np.choose(p % 2, [p, p + 10]) | np.append(x, 3.0)
"""

WRONG = """
np.sort(x, axis=3) | np.take(x, [99]) | x[[99]] | np.searchsorted(A, x) | np.linalg.inv(A) | np.linalg.solve(S, x)
np.linalg.cholesky(x) | np.einsum("ij,jk", A, A) | np.tensordot(A, A, 1) | np.convolve(A, x) | np.cumsum(x, axis=1) | np.partition(x, 70)
np.percentile(x, 300.0) | np.split(x, 3) | np.hsplit(A, 3) | np.pad(x, -1) | np.pad(x, 1.5) | np.select([k], [x]) | np.select([], [])
np.diag(np.zeros((2, 2, 2))) | np.repeat(x, [1, 2]) | np.repeat(x, -1) | np.vander(A) | np.rot90(x) | np.flipud(np.float64(1.0))
np.vsplit(x, 1) | np.gradient(x[:1]) | np.meshgrid(x, indexing="no") | np.cross(A, A) | np.take(A, [4], axis=1) | np.put(x, [50], 1.0)
np.argmax(x, axis=2) | np.copyto(k, 1.5) | np.interp(x, y, y[:3]) | np.linalg.matrix_power(A, 2) | np.average(A, weights=x)
np.rollaxis(A, 3) | np.insert(x, 99, 1.0) | np.delete(x, 99) | np.unwrap(A, axis=4) | np.gcd(x, 2)
np.random.default_rng(0).normal(0, -1, 3)
"""


def cases(table: str) -> list[str]:
    return [case.strip() for case in table.replace("\n", "|").split("|") if case.strip()]


def operands(module: Any) -> dict[str, Any]:
    values = {
        "x": np.array([0.3, -1.25, 2.0, 0.75, -0.5, 1.5, 3.125]),
        "y": np.array([1.0, 2.5, -0.5, 0.25, 4.0, -3.0, 0.5]),
        "A": np.sqrt(np.arange(12.0)).reshape(3, 4),
        "N": np.array([[1.0, np.nan, 3.0], [np.nan, 5.0, -6.0], [np.nan, 1.0, 2.0]]),
        "S": np.array([[4.0, 1, 0, 0.5], [1, 5, 0.25, 0], [0, 0.25, 3, 1], [0.5, 0, 1, 6]]),
        "k": np.array([3, 0, 2, 5, 1, 4, 2]),
        "p": np.array([2, 0, 1, 3]),
    }
    return {"np": module} | {name: module.array(value) for name, value in values.items()}


@pytest.fixture(autouse=True)
def session() -> Generator[fuseir.Session]:
    with fuseir.Session() as session:
        yield session


def same(found: Any, expected: Any, *, exact: bool) -> None:
    if isinstance(expected, tuple | list):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other, exact=exact)
    elif isinstance(expected, np.ndarray | np.generic):
        assert isinstance(found, ndarray)
        assert found.dtype == expected.dtype
        contents = np.asarray(found)
        if exact or expected.dtype.kind != "f":
            np.testing.assert_array_equal(contents, expected)
        else:
            np.testing.assert_array_max_ulp(contents, np.asarray(expected), 4)
    else:
        assert found == expected


def compared(case: str, session: fuseir.Session, *, exact: bool) -> None:
    with np.errstate(all="ignore"):
        expected = eval(case, operands(np))
        found = eval(case, operands(fnp))
    assert session.statistics.forced_flushes == 0
    same(found, expected, exact=exact)
    assert not session.usage.fallbacks


@pytest.mark.parametrize("case", cases(FUSED))
def test_functions_that_fuse(case: str, session: fuseir.Session) -> None:
    compared(case, session, exact=False)
    assert session.statistics.launches <= session.statistics.tasks


@pytest.mark.parametrize("case", cases(IN_STREAM))
def test_functions_that_numpy_runs_in_the_stream(case: str, session: fuseir.Session) -> None:
    compared(case, session, exact=True)


@pytest.mark.parametrize("case", cases(WRONG))
def test_errors_come_at_the_call(case: str, session: fuseir.Session) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011 (which one is the question)
        eval(case, operands(np))
    with pytest.raises(type(theirs.value)):
        eval(case, operands(fnp))
    assert session.statistics.forced_flushes == 0
