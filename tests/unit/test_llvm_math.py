"""Transcendental functions: within 4 ulp, C's special values, and bits that do not depend on where an element sits."""

from __future__ import annotations

import ctypes
import dataclasses
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from llvm_kernels import DTYPES, compiled, elementwise, function, run, same_bits, tile_type

from benchmarks import minimax, ulp
from fuseir.codegen.llvm import compile as llvm_compile
from fuseir.codegen.llvm.math_functions import MATH_FUNCTIONS, scalar_library
from fuseir.codegen.llvm.vector_math import BODIES, coefficients

UNARY = sorted(name for name, f in MATH_FUNCTIONS.items() if f.operands == 1)
BINARY = ["math.atan2", "math.powf", "ufunc.hypot"]
SPECIAL = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 7.0, -7.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1e-310),
    *(
        2.0**-1022,
        1.7976931348623157e308,
        1e22,
        -1e22,
        1e300,
        709.78,
        709.8,
        -745.13,
        -745.2,
        710.47,
        88.7,
        -103.9,
        128.0,
    ),
    # Integers close to multiples of π: numerators of its convergents.
    *(22.0, 355.0, 103993.0, 833719.0, 411557987.0, 1068966896.0, 2.0**30 + 1, 2.0**16 + 1, 1e9, 1e5),
    *(26.5, 27.3, 1024.0, -1074.0, -1075.0, 2.0**52 + 1, np.pi, 1 - 2.0**-53, 1 + 2.0**-52, 1e-20),
]


def _points(t: str, seed: int, count: int = 4000) -> np.ndarray:
    """Random values of several magnitudes, random bit patterns, and the special values."""
    rng = np.random.default_rng(seed)
    scales = rng.choice([1.0, 20.0, 700.0 if t == "f64" else 90.0, 1e6], count)
    bits = rng.integers(0, 2**64, count // 4, np.uint64)
    patterns = bits.view(np.float64) if t == "f64" else (bits >> np.uint64(32)).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        parts = [rng.uniform(-1, 1, count) * scales, np.exp2(rng.uniform(-40, 40, count)), np.array(SPECIAL)]
        return np.concatenate([part.astype(DTYPES[t]) for part in parts] + [patterns.astype(DTYPES[t])])


def _libm(name: str) -> Callable[..., np.ndarray]:
    """The C library's long double function, rounded to double."""
    c_function = getattr(scalar_library(), f"{name}l")
    c_function.restype = ctypes.c_longdouble
    c_function.argtypes = [ctypes.c_longdouble]
    return lambda x: np.array([c_function(v) for v in x.tolist()])


_NUMPY = {"acos": "arccos", "asin": "arcsin", "atan": "arctan", "atan2": "arctan2", "pow": "power"}
_NUMPY |= {"acosh": "arccosh", "asinh": "arcsinh", "atanh": "arctanh"}


def _reference(operation: str, *inputs: np.ndarray) -> np.ndarray:
    name = MATH_FUNCTIONS[operation].name
    if name in ("erf", "erfc"):
        return _libm(name)(*inputs)
    wide = np.longdouble if inputs[0].dtype == np.float64 else np.float64
    with np.errstate(all="ignore"):
        return getattr(np, _NUMPY.get(name, name))(*(value.astype(wide) for value in inputs))


def _ulps(actual: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Errors in units of the last place; infinite for a special value that is not the expected one."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(actual.dtype)
        special = ~np.isfinite(rounded) | (exact == 0)
        unit = np.spacing(np.abs(np.where(special, 1, rounded))).astype(exact.dtype)
        errors = np.abs(actual - exact) / unit
    nans = np.isnan(actual) & np.isnan(rounded)
    same = nans | ((actual == rounded) & (np.signbit(actual) == np.signbit(rounded)))
    errors = np.where(special, np.where(same, 0, np.inf), errors)
    return np.where(np.isnan(errors), np.inf, errors).astype(float)


@pytest.mark.parametrize("t", ["f32", "f64"])
def test_functions_are_within_4_ulp_with_c_s_special_values(t: str) -> None:
    x, y = _points(t, 1, 45_000), _points(t, 2, 45_000)
    specials = np.array(list(itertools.product(SPECIAL, SPECIAL)))
    with np.errstate(all="ignore"):
        specials = specials.astype(DTYPES[t])
    # Powers that neither overflow nor are near 1: every error of the logarithm counts.
    base = np.random.default_rng(7).uniform(0.5, 2, 40_000).astype(DTYPES[t])
    exponent = np.random.default_rng(8).uniform(-1, 1, 40_000).astype(DTYPES[t]) * DTYPES[t](
        1000 if t == "f64" else 120
    )
    x, y = np.concatenate([x, base]), np.concatenate([y, exponent])
    x, y = np.concatenate([x, specials[:, 0]]), np.concatenate([y, specials[:, 1]])
    expressions = [f"{name} %x : {t}" for name in UNARY] + [f"{name} %x, %y : {t}" for name in BINARY]
    outputs = [np.zeros_like(x) for _ in expressions]
    run(compiled(elementwise({"x": t, "y": t}, [(text, t) for text in expressions])), x, y, *outputs)
    for name, actual in zip(UNARY + BINARY, outputs, strict=True):
        inputs = [x] if name in UNARY else [x, y]
        exact = _reference(name, *inputs)
        errors = _ulps(actual, exact)
        worst = int(np.argmax(errors))
        # The references of erf and erfc are rounded to double themselves.
        limit = 4.5 if name in ("math.erf", "ufunc.erfc") and t == "f64" else 4.0
        assert errors[worst] <= limit, (name, errors[worst], [v[worst] for v in inputs], actual[worst], exact[worst])


@pytest.mark.parametrize("t", ["f32", "f64"])
def test_bits_do_not_depend_on_the_element_s_place(t: str) -> None:
    """Alone, at any offset, with other neighbours, at another stride, and uniform in a vector loop: the same bits."""
    names = [*UNARY, *BINARY, "ufunc.fmod", "ufunc.nextafter"]
    texts = [f"{n} %x, %y : {t}" if MATH_FUNCTIONS[n].operands == 2 else f"{n} %x : {t}" for n in names]
    expressions = [(text, t) for text in texts]
    kernel, scalar = compiled(elementwise({"x": t, "y": t}, expressions)), None
    x, y = _points(t, 3)[::9].copy(), _points(t, 4)[::9].copy()
    expected = [np.zeros_like(x) for _ in names]
    run(kernel, x, y, *expected)
    for first in (1, 3, 17):
        outputs = [np.zeros_like(x[first:]) for _ in names]
        run(kernel, x[first:], y[first:], *outputs)
        assert all(same_bits(a, b[first:]) for a, b in zip(outputs, expected, strict=True)), first
    wide_x, wide_y = np.repeat(x, 3)[1::3], np.repeat(y, 2)[::2]
    outputs = [np.zeros(2 * len(x), x.dtype)[::-2] for _ in names]
    run(kernel, wide_x, wide_y, *outputs)
    assert all(same_bits(a, b) for a, b in zip(outputs, expected, strict=True))
    scalar = compiled(elementwise({"x": t, "y": t}, expressions, rank=0))
    for i in range(0, len(x), 50):
        points = [np.zeros((), x.dtype) for _ in names]
        run(scalar, np.array(x[i]), np.array(y[i]), *points)
        assert all(same_bits(a, b[i]) for a, b in zip(points, expected, strict=True)), x[i]


@pytest.mark.parametrize("t", ["f32", "f64"])
def test_functions_written_out_have_the_same_bits_at_every_width_of_registers(
    t: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = llvm_compile.host_target()
    if not host.has_fma:
        pytest.skip("functions are written out with fused multiply-adds only")
    width = 64 if t == "f64" else 32
    names = [name for name, f in MATH_FUNCTIONS.items() if f.name in BODIES and width in BODIES[f.name].widths]
    operands = {1: "%x", 2: "%x, %y"}
    expressions = [(f"{name} {operands[MATH_FUNCTIONS[name].operands]} : {t}", t) for name in names]
    text = elementwise({"x": t, "y": t}, expressions)
    x, y = _points(t, 6), _points(t, 7)
    results: list[list[np.ndarray]] = []
    for size in sorted({32, host.vector_bytes}):
        target = dataclasses.replace(host, vector_bytes=size, masked_bytes=frozenset(), mvec_variant=None)
        monkeypatch.setattr(llvm_compile, "host_target", lambda target=target: target)
        results.append([np.zeros_like(x) for _ in names])
        run(compiled(text), x, y, *results[-1])
    for others in results[1:]:
        for name, a, b in zip(names, results[0], others, strict=True):
            assert same_bits(a, b), name


def test_bits_are_the_same_without_vector_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the vector library lacks a function, every lane goes through the scalar one."""
    host = llvm_compile.host_target()
    bare = type(host)(host.cpu, host.features, host.vector_bytes, frozenset(), None)
    monkeypatch.setattr(llvm_compile, "host_target", lambda: bare)
    x = _points("f64", 5)[:100].copy()
    texts = [(f"{name} %x : f64", "f64") for name in ("math.exp", "math.tanh", "ufunc.erfc")]
    vector, scalar = compiled(elementwise({"x": "f64"}, texts)), compiled(elementwise({"x": "f64"}, texts, rank=0))
    assert not any(name.startswith("_ZGV") for name in vector.externs)
    outputs = [np.zeros_like(x) for _ in texts]
    run(vector, x, *outputs)
    for i, value in enumerate(x):
        points = [np.zeros(()) for _ in texts]
        run(scalar, np.array(value), *points)
        assert all(same_bits(a, b[i]) for a, b in zip(points, outputs, strict=True))


def test_a_function_of_a_scalar_is_computed_once_in_front_of_the_loop() -> None:
    tile = tile_type("f64", 1)
    text = function(
        {"x": tile, "z": tile, "a": "f64"},
        f"""%n = memref.dim %x, %c0 : {tile}
        "scf.parallel"(%c0, %n, %c1) <{{operandSegmentSizes = array<i32: 1, 1, 1, 0>}}> ({{
        ^bb0(%i: index):
          %e = math.exp %a : f64
          %v = memref.load %x[%i] : {tile}
          %w = arith.mulf %e, %v : f64
          memref.store %w, %z[%i] : {tile}
          scf.reduce
        }}) {{vector}} : (index, index, index) -> ()""",
    )
    kernel = compiled(text)
    x, z = np.arange(40.0), np.zeros(40)
    run(kernel, x, z, scalars=[("f64", 1.5)])
    assert np.allclose(z, np.exp(1.5) * x, rtol=1e-15)
    before, _, loops = kernel.llvm_ir.partition("phi i64")
    assert before.count("call double @fz_math_") + before.count("@_ZGV") + before.count("@exp(") == 1
    assert "double @fz_math_" not in loops.partition("declare")[0]


@pytest.mark.parametrize(("name", "bits"), [("EXP", 32), ("LOG", 64), ("ATAN", 32)])
def test_coefficients_are_what_the_script_computes(name: str, bits: int) -> None:
    computed, worst = minimax.minimax(minimax.PROBLEMS[name], bits)
    assert tuple(minimax.rounded(c, bits) for c in computed) == getattr(coefficients, name)[bits]
    # The error is that of the polynomial before its coefficients are rounded.
    assert worst < 2.0 ** (-24 if bits == 32 else -53)


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_the_table_of_errors_sees_errors(tmp_path: Path) -> None:
    library = ulp.c_library(tmp_path)
    x = np.linspace(-5, 5, 1001)
    right = np.exp(x)
    wrong = right.copy()
    for _ in range(5):
        wrong[700] = np.nextafter(wrong[700], np.inf)
    nan, infinite = right.copy(), right.copy()
    nan[3], infinite[4] = np.nan, np.inf
    for z, place, low, high in (
        (right, None, 0, 1),
        (wrong, 700, 4, 6),
        (nan, 3, np.inf, np.inf),
        (infinite, 4, 1e300, np.inf),
    ):
        most, where = ctypes.c_double(-1), ctypes.c_size_t(0)
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (x, x, z)]
        library.worst_exp_f64(*pointers, ctypes.c_size_t(len(x)), ctypes.byref(most), ctypes.byref(where))
        assert low <= most.value <= high
        assert place is None or where.value == place
