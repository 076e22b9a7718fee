"""Vector loops with loops inside: panels of columns, with everything that may stand between and around the loops."""

from __future__ import annotations

import numpy as np
import pytest
from llvm_kernels import compiled, fold_tree, function, loop, reduction, run, same_bits, tile_type

MATRIX, ROW, CUBE = tile_type("f64", 2), tile_type("f64", 1), tile_type("f64", 3)
SUM = ("arith.addf", "f64", "%id")


def _values(*shape: int) -> np.ndarray:
    """Numbers of such different magnitudes that nearly every order of adding them gives another sum."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(shape) * 10.0 ** rng.integers(-8, 8, shape)


@pytest.mark.parametrize("stores", [False, True])
def test_values_of_columns_and_rows_meet(stores: bool) -> None:
    """A value of the column and one of the row go into the sum; the sum and the column's value into what is stored."""
    column = f"%w = memref.load %v[%j] : {ROW}\n%w2 = arith.mulf %w, %w : f64\n"
    element = f"%r = memref.load %rows[%i] : {ROW}\n%e = memref.load %x[%i, %j] : {MATRIX}\n"
    element += "%g = arith.mulf %e, %w2 : f64\n%o = arith.addf %g, %r : f64\n"
    element += f"memref.store %o, %z[%i, %j] : {MATRIX}\n" if stores else ""
    body = column + reduction("%t", "%i", "%n", element, [("%o", *SUM)])
    body += f"\n%s = arith.subf %t, %w2 : f64\nmemref.store %s, %c[%j] : {ROW}"
    dims = f"%n = memref.dim %x, %c0 : {MATRIX}\n%m = memref.dim %x, %c1 : {MATRIX}\n%id = arith.constant -0.0 : f64\n"
    tiles = {"x": MATRIX, "rows": ROW, "v": ROW, "z": MATRIX, "c": ROW}
    kernel = compiled(function(tiles, dims + loop("%j", "%m", body, vector=True)))
    for shape in [(1, 1), (31, 5), (33, 513), (127, 40), (129, 17), (1024, 9), (1025, 9), (3000, 3)]:
        x, u, v = _values(*shape), _values(shape[0]), _values(shape[1])
        for each, out in ((x, np.zeros(shape)), (np.asfortranarray(x), np.zeros((shape[0], 2 * shape[1]))[:, ::2])):
            c = np.zeros(shape[1])
            run(kernel, each, u, v, out, c)
            terms = x * (v * v) + u[:, None]
            assert same_bits(c, fold_tree(terms, np.add, -0.0) - v * v), shape
            assert not stores or same_bits(np.ascontiguousarray(out), terms), shape


def test_sums_of_sums() -> None:
    """Two dimensions reduced one after another, the last one first."""
    element = f"%e = memref.load %x[%i, %k, %j] : {CUBE}"
    inner = reduction("%s", "%k", "%l", element, [("%e", *SUM)])
    body = reduction("%t", "%i", "%n", inner, [("%s", *SUM)]) + f"\nmemref.store %t, %c[%j] : {ROW}"
    dims = f"%c2 = arith.constant 2 : index\n%id = arith.constant -0.0 : f64\n%n = memref.dim %x, %c0 : {CUBE}\n"
    dims += f"%l = memref.dim %x, %c1 : {CUBE}\n%m = memref.dim %x, %c2 : {CUBE}\n"
    kernel = compiled(function({"x": CUBE, "c": ROW}, dims + loop("%j", "%m", body, vector=True)))
    for shape in [(1, 1, 1), (40, 3, 20), (3, 40, 600), (5, 1030, 2), (0, 3, 2), (3, 0, 2)]:
        x, c = _values(*shape), np.zeros(shape[2])
        run(kernel, x, c)
        sums = fold_tree(x.transpose(1, 0, 2), np.add, -0.0)
        assert same_bits(c, fold_tree(sums, np.add, -0.0)), shape


def test_loops_one_after_another_see_each_others_results() -> None:
    """A value that one loop leaves is used in the next: the distance from a column's greatest element."""
    first = reduction(
        "%h", "%i", "%n", f"%a = memref.load %x[%i, %j] : {MATRIX}", [("%a", "arith.maximumf", "f64", "%low")]
    )
    element = f"%e = memref.load %x[%k, %j] : {MATRIX}\n%d = arith.subf %e, %h : f64"
    body = first + reduction("%t", "%k", "%n", element, [("%d", *SUM)]) + f"\nmemref.store %t, %c[%j] : {ROW}"
    dims = f"%n = memref.dim %x, %c0 : {MATRIX}\n%m = memref.dim %x, %c1 : {MATRIX}\n%id = arith.constant -0.0 : f64\n"
    dims += "%low = arith.constant 0xFFF0000000000000 : f64\n"
    kernel = compiled(function({"x": MATRIX, "c": ROW}, dims + loop("%j", "%m", body, vector=True)))
    for shape in [(3, 4), (200, 600), (1100, 33)]:
        x, c = _values(*shape), np.zeros(shape[1])
        run(kernel, x, c)
        assert same_bits(c, fold_tree(x - x.max(axis=0), np.add, -0.0)), shape


def test_flags_of_columns() -> None:
    """Booleans wait in memory as bytes."""
    flags = tile_type("i1", 1)
    element = f"%e = memref.load %x[%i, %j] : {MATRIX}\n%b = arith.cmpf olt, %e, %zero : f64"
    body = reduction(
        "%t:2", "%i", "%n", element, [("%b", "arith.ori", "i1", "%no"), ("%b", "arith.andi", "i1", "%yes")]
    )
    body += f"\nmemref.store %t#0, %some[%j] : {flags}\nmemref.store %t#1, %all[%j] : {flags}"
    dims = f"%n = memref.dim %x, %c0 : {MATRIX}\n%m = memref.dim %x, %c1 : {MATRIX}\n%zero = arith.constant 0.0 : f64\n"
    dims += "%no = arith.constant false\n%yes = arith.constant true\n"
    kernel = compiled(function({"x": MATRIX, "some": flags, "all": flags}, dims + loop("%j", "%m", body, vector=True)))
    for shape in [(0, 5), (2, 40), (1030, 40)]:
        x = np.random.default_rng(0).uniform(-1, 1, shape) + np.linspace(-1, 1, shape[1])
        some, every = np.zeros(shape[1], bool), np.zeros(shape[1], bool)
        run(kernel, x, some, every)
        assert np.array_equal(some, (x < 0).any(axis=0))
        assert np.array_equal(every, (x < 0).all(axis=0))
