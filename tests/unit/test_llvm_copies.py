"""Nests in any order of dimensions: copies by the support function, and loops that are arranged when the kernel runs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from llvm_kernels import DTYPES, compiled, function, loop, run, tile_type


def nest(rank: int, permutation: tuple[int, ...], t: str, operation: str | None = None) -> str:
    """``z[i0, i1, …] = x[permuted]``, with an operation on the element in between."""
    tile = tile_type(t, rank)
    variables = [f"%i{dimension}" for dimension in range(rank)]
    body = f"%e = memref.load %x[{', '.join(variables[p] for p in permutation)}] : {tile}\n"
    body += f"%f = {operation} %e : {t}\n" if operation else ""
    body += f"memref.store {'%f' if operation else '%e'}, %z[{', '.join(variables)}] : {tile}"
    for dimension in reversed(range(rank)):
        body = loop(variables[dimension], f"%n{dimension}", body, vector=dimension == rank - 1)
    dims = "".join(f"%d{k} = arith.constant {k} : index\n%n{k} = memref.dim %z, %d{k} : {tile}\n" for k in range(rank))
    return function({"x": tile, "z": tile}, dims + body)


def view(rng: np.random.Generator, shape: tuple[int, ...], t: str) -> tuple[np.ndarray, np.ndarray]:
    """A tile of this shape with contents, in one of many layouts, and the array that it is part of."""
    whole = rng.integers(0, 2 if t == "i1" else 100, tuple(2 * n + 3 for n in shape)).astype(DTYPES[t])
    order = tuple(rng.permutation(len(shape)))
    kind = rng.integers(4)
    if kind == 0:
        whole = np.ascontiguousarray(whole[tuple(slice(n) for n in shape)])
        return whole, whole
    if kind == 1:
        return whole[tuple(slice(1, 1 + n) for n in shape)], whole
    if kind == 2:
        return whole[tuple(slice(2 * n, None, -2) for n in shape)][tuple(slice(n) for n in shape)], whole
    whole = rng.permuted(np.ascontiguousarray(whole.transpose(order)), axis=0)
    return whole.transpose(np.argsort(order))[tuple(slice(n) for n in shape)], whole


@pytest.mark.parametrize(
    ("rank", "t", "operation"),
    [
        (1, "f64", None),
        (2, "f64", None),
        (2, "i1", None),
        (2, "i16", None),
        (2, "f64", "arith.negf"),
        (3, "f64", None),
        (3, "f64", "arith.negf"),
    ],
)
def test_every_order_of_dimensions_and_layout(rank: int, t: str, operation: str | None) -> None:
    rng = np.random.default_rng(rank)
    for permutation in itertools.permutations(range(rank)):
        kernel = compiled(nest(rank, permutation, t, operation))
        for _ in range(12 if rank < 3 else 6):
            shape = tuple(int(n) for n in rng.choice([0, 1, 2, 3, 7, 17, 70], rank, p=[0.04] + 6 * [0.16]))
            z, whole = view(rng, shape, t)
            x, _ = view(rng, tuple(shape[p] for p in permutation), t)
            expected = whole.copy()
            guard = z.copy()
            run(kernel, x, z)
            value = x.transpose(np.argsort(permutation))
            assert np.array_equal(z, -value if operation else value), (permutation, shape, x.strides, z.strides)
            z[...] = guard
            assert np.array_equal(whole, expected), "something outside the tile was written"


def test_blocks_of_a_transposition() -> None:
    """More than one block each way, with what is left over."""
    kernel = compiled(nest(2, (1, 0), "f64"))
    for shape in [(64, 64), (65, 130), (200, 3), (1, 300)]:
        x = np.random.default_rng(0).random(shape)
        z = np.zeros(shape[::-1])
        run(kernel, x, z)
        assert np.array_equal(z, x.T), shape


def test_a_broadcast_tile_is_copied() -> None:
    kernel = compiled(nest(2, (0, 1), "f64"))
    z = np.zeros((5, 40))
    for x in (np.broadcast_to(np.arange(40.0), (5, 40)), np.broadcast_to(np.arange(5.0)[:, None], (5, 40))):
        run(kernel, x, z)
        assert np.array_equal(z, x)


def test_a_tile_copied_to_itself_stays_as_it_is() -> None:
    """Such a nest has one tile; the copy function's table was read as if it had two, and a random address was written."""
    tile = tile_type("f64", 2)
    body = f"%e = memref.load %z[%i0, %i1] : {tile}\nmemref.store %e, %z[%i0, %i1] : {tile}"
    for dimension in (1, 0):
        body = loop(f"%i{dimension}", f"%n{dimension}", body, vector=dimension == 1)
    dims = "".join(f"%d{k} = arith.constant {k} : index\n%n{k} = memref.dim %z, %d{k} : {tile}\n" for k in range(2))
    kernel = compiled(function({"z": tile}, dims + body))
    for shape in ((0, 4), (3, 5), (4, 0)):
        z = np.arange(float(np.prod(shape))).reshape(shape)
        expected = z.copy()
        run(kernel, z)
        assert np.array_equal(z, expected)
