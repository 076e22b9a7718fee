"""Reductions of the LLVM code generator: bit for bit the tree ``T``, in every form that a loop can take."""

from __future__ import annotations

import numpy as np
import pytest
from llvm_kernels import DTYPES, compiled, fold_tree, function, loop, reduction, run, same_bits, tile_type

SIZES = [
    *range(4),
    31,
    32,
    33,
    63,
    64,
    65,
    1000,
    1023,
    1024,
    1025,
    1056,
    2047,
    2048,
    2049,
    3072,
    3073,
    4096,
    4097,
    5000,
]


def _values(count: int, seed: int = 0) -> np.ndarray:
    """Numbers of such different magnitudes that nearly every order of adding them gives another sum."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal(count) * 10.0 ** rng.integers(-8, 8, count)


def _one_dimension(t: str, combiner: str, identity: str, *, vector: bool) -> str:
    tile, point = tile_type(t, 1), tile_type(t, 0)
    body = f"""%n = memref.dim %x, %c0 : {tile}
      %id = arith.constant {identity} : {t}"""
    body += reduction(
        "%t", "%i", "%n", f"%e = memref.load %x[%i] : {tile}", [("%e", combiner, t, "%id")], vector=vector
    )
    return function({"x": tile, "r": point}, f"{body}\nmemref.store %t, %r[] : {point}")


@pytest.mark.parametrize("vector", [True, False])
def test_sum_is_the_tree_at_every_boundary(vector: bool) -> None:
    kernel = compiled(_one_dimension("f64", "arith.addf", "-0.0", vector=vector))
    values = _values(10000)
    for n in SIZES:
        strided = np.repeat(values[:n], 3)[1::3]
        for x in (values[:n], values[:n][::-1], strided, np.broadcast_to(values[3], (n,))):
            result = np.array(np.nan)
            run(kernel, x, result)
            assert same_bits(result, fold_tree(x, np.add, -0.0)), n


def test_many_blocks() -> None:
    kernel = compiled(_one_dimension("f64", "arith.addf", "-0.0", vector=True))
    for blocks in (*range(5, 18), 31, 100):
        x = _values(blocks * 1024 - 7, blocks)
        result = np.array(np.nan)
        run(kernel, x, result)
        assert same_bits(result, fold_tree(x, np.add, -0.0)), blocks


def _minimum(a, b):
    return np.where(a == b, np.where(np.signbit(a), a, b), np.minimum(a, b))


def _maximum(a, b):
    return np.where(a == b, np.where(np.signbit(a), b, a), np.maximum(a, b))


def _unsigned(f):
    return lambda a, b: f(a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}")).view(a.dtype)


COMBINERS = [
    ("f32", "arith.addf", "-0.0", np.add, -0.0),
    ("f64", "arith.mulf", "1.0", np.multiply, 1.0),
    ("f64", "arith.minimumf", "0x7FF0000000000000", _minimum, np.inf),
    ("f32", "arith.maximumf", "0xFF800000", _maximum, -np.inf),
    ("i64", "arith.addi", "0", np.add, 0),
    ("i32", "arith.muli", "1", np.multiply, 1),
    ("i16", "arith.minsi", "32767", np.minimum, 32767),
    ("i8", "arith.maxsi", "-128", np.maximum, -128),
    ("i32", "arith.minui", "-1", _unsigned(np.minimum), -1),
    ("i64", "arith.maxui", "0", _unsigned(np.maximum), 0),
    ("i8", "arith.andi", "-1", np.bitwise_and, -1),
    ("i16", "arith.ori", "0", np.bitwise_or, 0),
    ("i64", "arith.xori", "0", np.bitwise_xor, 0),
    ("i1", "arith.andi", "true", np.bitwise_and, True),
    ("i1", "arith.ori", "false", np.bitwise_or, False),
    ("i1", "arith.xori", "false", np.bitwise_xor, False),
]


@pytest.mark.parametrize("vector", [True, False])
@pytest.mark.parametrize(("t", "combiner", "identity", "combine", "number"), COMBINERS)
def test_combiners(t: str, combiner: str, identity: str, combine, number: float, vector: bool) -> None:
    text = _one_dimension(t, combiner, identity, vector=vector)
    kernel = compiled(text.replace("true : i1", "true").replace("false : i1", "false"))
    rng = np.random.default_rng(7)
    for n in (0, 1, 5, 32, 33, 1024, 1500, 3100):
        if t.startswith("f"):
            x = (rng.uniform(0.9, 1.1, n) * rng.choice([-1, 1], n)).astype(DTYPES[t])
        elif t == "i1":
            x = rng.random(n) < (0.999 if "and" in combiner else 0.001)
        else:
            x = rng.integers(np.iinfo(DTYPES[t]).min, np.iinfo(DTYPES[t]).max, n, DTYPES[t], endpoint=True)
        result = np.zeros((), DTYPES[t])
        run(kernel, x, result)
        assert same_bits(result, np.asarray(fold_tree(x, combine, number), DTYPES[t])), n


@pytest.mark.parametrize("vector", [True, False])
def test_float_minimum_propagates_nan_and_orders_zeros(vector: bool) -> None:
    kernel = compiled(_one_dimension("f64", "arith.minimumf", "0x7FF0000000000000", vector=vector))
    for place in (0, 40, 1100):
        x = np.ones(1200)
        x[place] = np.nan
        x[(place + 5) % 1200] = -np.inf
        result = np.array(0.0)
        run(kernel, x, result)
        assert np.isnan(result)
        zeros = np.zeros(1200)
        zeros[place] = -0.0
        run(kernel, zeros, result)
        assert np.signbit(result)


def _two_dimensions(axis: int, form: str) -> str:
    """Sums along an axis, as ``scf.parallel`` over the rest around the reduction; ``form`` names the vectorised loop."""
    matrix, row = tile_type("f64", 2), tile_type("f64", 1)
    index = "%k, %i" if axis == 0 else "%i, %k"
    inner = reduction(
        "%t",
        "%k",
        "%m",
        f"%e = memref.load %x[{index}] : {matrix}",
        [("%e", "arith.addf", "f64", "%id")],
        vector=form == "inner",
    )
    body = f"""%n = memref.dim %r, %c0 : {row}
      %m = memref.dim %x, %c{axis} : {matrix}
      %id = arith.constant -0.0 : f64"""
    body += loop("%i", "%n", f"{inner}\nmemref.store %t, %r[%i] : {row}", vector=form == "outer")
    return function({"x": matrix, "r": row}, body)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("form", ["inner", "outer", "none"])
def test_sums_of_rows_and_columns(axis: int, form: str) -> None:
    kernel = compiled(_two_dimensions(axis, form))
    for shape in [(0, 3), (3, 0), (1, 1), (33, 17), (20, 40), (1030, 5), (3, 2100)]:
        values = _values(shape[0] * shape[1]).reshape(shape)
        for x in (values, np.asfortranarray(values), values[::-1, ::-1], np.broadcast_to(values[:1, :1], shape)):
            if 0 in shape and x.shape != shape:
                continue
            result = np.full(shape[1 - axis], np.nan)
            run(kernel, x, result)
            expected = fold_tree(x if axis == 0 else x.T, np.add, -0.0)
            assert same_bits(result, expected), (shape, form)


@pytest.mark.parametrize("inner_vector", [True, False])
def test_sum_of_all_elements_folds_the_last_dimension_first(inner_vector: bool) -> None:
    matrix, point = tile_type("f64", 2), tile_type("f64", 0)
    fold = [("%e", "arith.addf", "f64", "%id")]
    inner = reduction("%e", "%j", "%m", f"%v = memref.load %x[%i, %j] : {matrix}", [("%v", *fold[0][1:])], vector=True)
    if not inner_vector:
        inner = inner.replace("{vector}", "{}")
    body = f"""%n = memref.dim %x, %c0 : {matrix}
      %m = memref.dim %x, %c1 : {matrix}
      %id = arith.constant -0.0 : f64
      {reduction("%t", "%i", "%n", inner, fold)}
      memref.store %t, %r[] : {point}"""
    kernel = compiled(function({"x": matrix, "r": point}, body))
    for shape in [(1, 1), (40, 33), (1100, 3), (2, 2500)]:
        x = _values(shape[0] * shape[1], 3).reshape(shape)
        result = np.array(np.nan)
        run(kernel, x, result)
        assert same_bits(result, fold_tree(fold_tree(x.T, np.add, -0.0), np.add, -0.0)), shape


@pytest.mark.parametrize("vector", [True, False])
def test_several_reductions_and_stores_in_one_loop(vector: bool) -> None:
    tile, point, flag = tile_type("f64", 1), tile_type("f64", 0), tile_type("i1", 0)
    body = f"""%n = memref.dim %x, %c0 : {tile}
      %id = arith.constant -0.0 : f64
      %low = arith.constant 0xFFF0000000000000 : f64
      %no = arith.constant false
      %zero = arith.constant 0.0 : f64"""
    element = f"""%e = memref.load %x[%i] : {tile}
        %s = arith.mulf %e, %e : f64
        %neg = arith.cmpf olt, %e, %zero : f64
        memref.store %s, %z[%i] : {tile}"""
    folds = [
        ("%s", "arith.addf", "f64", "%id"),
        ("%e", "arith.maximumf", "f64", "%low"),
        ("%neg", "arith.ori", "i1", "%no"),
    ]
    body += reduction("%t:3", "%i", "%n", element, folds, vector=vector)
    body += f"""
      memref.store %t#0, %a[] : {point}
      memref.store %t#1, %b[] : {point}
      memref.store %t#2, %c[] : {flag}"""
    kernel = compiled(function({"x": tile, "z": tile, "a": point, "b": point, "c": flag}, body))
    for n in (0, 5, 100, 1024, 1025, 2500):
        x = np.abs(_values(n, 9))
        x[n // 2 : n // 2 + 1] *= -1
        z, a, b, c = np.zeros(n), np.array(0.0), np.array(0.0), np.array(False)
        run(kernel, x, z, a, b, c)
        assert same_bits(z, x * x)
        assert same_bits(a, fold_tree(x * x, np.add, -0.0))
        assert same_bits(b, fold_tree(x, np.maximum, -np.inf))
        assert c == (n > 0)
