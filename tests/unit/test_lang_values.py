"""The values that tasks compute, against NumPy's, on all element types and on the values where mistakes hide."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from lang_kernels import run

from fuseir.errors import DTypeError
from fuseir.lang import functions

INTEGERS = [np.dtype(f"{sign}{size}") for sign in "iu" for size in (1, 2, 4, 8)]
FLOATS = [np.dtype("f4"), np.dtype("f8")]
BOOL = np.dtype(bool)
ALL = [BOOL, *INTEGERS, *FLOATS]


def special(dtype: np.dtype) -> np.ndarray:
    """Values of a type at which operations differ: extremes, zeros, small numbers, and the special floats."""
    if dtype == BOOL:
        return np.array([False, True])
    if dtype.kind == "f":
        info = np.finfo(dtype)
        base = [
            0.0,
            1.0,
            2.0,
            3.0,
            0.5,
            1.5,
            2.5,
            0.1,
            0.3,
            7.0,
            1e10,
            100.25,
            info.max,
            info.tiny,
            np.inf,
            5e-324,
            63.0,
        ]
        with np.errstate(all="ignore"):
            return np.array([*base, *(-x for x in base), np.nan], dtype)
    info = np.iinfo(dtype)
    values = {
        info.min,
        info.min + 1,
        info.max,
        info.max - 1,
        info.max // 2 + 1,
        -1,
        -2,
        -3,
        -7,
        0,
        1,
        2,
        3,
        5,
        7,
        8,
        63,
        64,
    }
    return np.array(sorted(v for v in values if info.min <= v <= info.max), dtype)


def pairs(left: np.dtype, right: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Every special value of one type with every one of another."""
    x, y = np.meshgrid(special(left), special(right))
    return np.ascontiguousarray(x.ravel()), np.ascontiguousarray(y.ravel())


def same(got: np.ndarray, expected: np.ndarray) -> None:
    """Bitwise equality, but for the payloads of NaNs."""
    assert got.dtype == expected.dtype
    if got.dtype.kind == "f":
        equal = (got == expected) & (np.signbit(got) == np.signbit(expected)) | np.isnan(got) & np.isnan(expected)
    else:
        equal = got == expected
    assert equal.all(), (np.flatnonzero(~equal)[:5], got[~equal][:5], expected[~equal][:5])


def compute(expression: str, *arrays: np.ndarray, result: np.dtype) -> np.ndarray:
    names = "xyz"[: len(arrays)]
    parameters = ", ".join(f"{name}: read" for name in names)
    text = f"task f({parameters}, out: write) {{ out = {expression} }}"
    return run(text, [*arrays, np.zeros(arrays[0].shape, result)])[0]


def result_type(ufunc: np.ufunc, *dtypes: np.dtype) -> np.dtype:
    """The type of NumPy's result, f32 standing for f16. Raises TypeError where NumPy has none."""
    found = ufunc.resolve_dtypes((*dtypes, None))[-1]
    return np.dtype("f4") if found == np.float16 else found


BINARY_EXACT = [
    "add", "subtract", "multiply", "divide", "floor_divide", "remainder", "fmod", "minimum", "maximum", "bitwise_and",
    "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "logical_and", "logical_or", "logical_xor", "equal",
    "not_equal", "less", "less_equal", "greater", "greater_equal", "copysign", "heaviside", "nextafter",
]  # fmt: skip


def numpy_result(ufunc: np.ufunc, result: np.dtype, *arrays: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        loop = ufunc.resolve_dtypes((*(a.dtype for a in arrays), None))
        if np.float16 in loop:  # FuseIR has no f16: it computes in f32
            arrays = tuple(a.astype(np.float32) for a in arrays)
        return ufunc(*arrays).astype(result)


@pytest.mark.parametrize("name", BINARY_EXACT)
def test_exact_binary_functions_equal_numpy_for_every_pair_of_types(name: str) -> None:
    ufunc = getattr(np, name)
    checked = 0
    for left in ALL:
        for right in ALL:
            x, y = pairs(left, right)
            try:
                result = result_type(ufunc, left, right)
            except TypeError:
                with pytest.raises(DTypeError):
                    compute(f"{name}(x, y)", x, y, result=left)
                continue
            same(compute(f"{name}(x, y)", x, y, result=result), numpy_result(ufunc, result, x, y))
            checked += 1
    assert checked >= 20


UNARY_EXACT = [
    "negative", "positive", "absolute", "fabs", "invert", "logical_not", "sign", "signbit", "isnan", "isinf", "isfinite",
    "floor", "ceil", "trunc", "rint", "sqrt", "square", "degrees", "radians", "bitwise_count",
]  # fmt: skip


@pytest.mark.parametrize("name", UNARY_EXACT)
def test_exact_unary_functions_equal_numpy_for_every_type(name: str) -> None:
    ufunc = getattr(np, name)
    for dtype in ALL:
        x = special(dtype)
        try:
            result = result_type(ufunc, dtype)
        except TypeError:
            with pytest.raises(DTypeError):
                compute(f"{name}(x)", x, result=dtype)
            continue
        same(compute(f"{name}(x)", x, result=result), numpy_result(ufunc, result, x))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_float_divmod_equals_numpy_on_random_bits(dtype: np.dtype) -> None:
    random = np.random.default_rng(1)
    bits = random.integers(0, 256, (2, 4000 * dtype.itemsize), np.uint8)
    x, y = bits[0].view(dtype), bits[1].view(dtype)
    near = random.integers(-50, 50, 4000).astype(dtype) * dtype.type(0.1)
    for a, b in [(x, y), (near, np.roll(near, 1)), (near, np.full_like(near, 0.1)), (x, near)]:
        with np.errstate(all="ignore"):
            same(compute("x // y", a, b, result=dtype), a // b)
            same(compute("x % y", a, b, result=dtype), a % b)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_fmin_and_fmax_ignore_nan(dtype: np.dtype) -> None:
    x, y = pairs(dtype, dtype)
    tie = (x == 0) & (y == 0)  # which zero NumPy gives depends on its vector unit
    x, y = x[~tie], y[~tie]
    same(compute("fmin(x, y)", x, y, result=dtype), np.fmin(x, y))
    same(compute("fmax(x, y)", x, y, result=dtype), np.fmax(x, y))


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integer_powers_wrap_as_numpys(dtype: np.dtype) -> None:
    x, y = pairs(dtype, dtype)
    x, y = x[y >= 0], y[y >= 0]
    same(compute("x ** y", x, y, result=dtype), x**y)


def test_unsigned_powers_with_exponents_beyond_the_signed_range() -> None:
    bases = [0, 1, 2, 3, 5, 6, 2**63, 2**64 - 1, 2**32 + 1, 10]
    exponents = [2**62, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1, 0, 64]
    x, y = (np.array(a, np.uint64).ravel() for a in np.meshgrid(np.array(bases, "u8"), np.array(exponents, "u8")))
    expected = np.array([pow(int(a), int(b), 2**64) for a, b in zip(x, y, strict=True)], np.uint64)
    same(compute("power(x, y)", x, y, result=np.dtype("u8")), expected)


def test_negative_integer_powers_have_the_documented_values() -> None:
    x = np.array([0, 1, -1, -1, 2, -5], "i4")
    y = np.array([-1, -3, -3, -2, -1, -1], "i4")
    assert compute("x ** y", x, y, result=x.dtype).tolist() == [0, 1, -1, 1, 0, 0]


@pytest.mark.parametrize("exponent", ["2", "1", "0.5", "-1", "2.0"])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_powers_by_common_literals_are_numpys(exponent: str, dtype: np.dtype) -> None:
    x = special(dtype)
    with np.errstate(all="ignore"):
        same(compute(f"x ** {exponent}", x, result=dtype), x ** float(exponent))


def test_integer_reciprocals_truncate() -> None:
    for dtype in INTEGERS:
        x = special(dtype)
        x = x[x != 0]
        same(compute("reciprocal(x)", x, result=dtype), np.reciprocal(x))
        assert compute("reciprocal(x)", np.zeros(1, dtype), result=dtype)[0] == 0


TRANSCENDENTAL = [
    "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
    "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "reciprocal",
]  # fmt: skip


def close(got: np.ndarray, expected: np.ndarray, ulps: float) -> None:
    finite = np.isfinite(expected)
    same(got[~finite], expected[~finite])
    error = np.abs(got[finite] - expected[finite]) / np.spacing(np.abs(expected[finite]))
    assert (error <= ulps).all(), error.max()


@pytest.mark.parametrize("name", TRANSCENDENTAL)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_transcendentals_are_near_numpys(name: str, dtype: np.dtype) -> None:
    x = np.concatenate([special(dtype)[np.abs(special(dtype)) < 100], np.array([np.inf, -np.inf, np.nan], dtype)])
    with np.errstate(all="ignore"):
        close(compute(f"{name}(x)", x, result=dtype), getattr(np, name)(x), 4)


@pytest.mark.parametrize("name", ["arctan2", "hypot", "power", "float_power", "logaddexp", "logaddexp2"])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_binary_transcendentals_are_near_numpys(name: str, dtype: np.dtype) -> None:
    x, y = pairs(dtype, dtype)
    result = np.dtype("f8") if name == "float_power" else dtype
    with np.errstate(all="ignore"):
        close(compute(f"{name}(x, y)", x, y, result=result), getattr(np, name)(x, y), 8)


def test_erf_and_erfc() -> None:
    x = np.array([0.0, 0.5, -1.0, 3.0, 10.0])
    close(compute("erf(x)", x, result=x.dtype), np.array([math.erf(v) for v in x]), 4)
    close(compute("erfc(x)", x, result=x.dtype), np.array([math.erfc(v) for v in x]), 4)


def test_every_function_has_an_emitter_and_a_ufunc_or_a_reason() -> None:
    from fuseir.lang.expressions import _EMITTERS

    for name in functions.ARITY:
        if name in ("select", "clip"):
            continue
        assert name in _EMITTERS
        if name not in ("erf", "erfc"):
            assert getattr(np, name).nin == functions.ARITY[name]
    others = {
        "where",
        "bitwise_not",
        "deg2rad",
        "rad2deg",
    }  # the last two are ufuncs of their own, with the same values
    for alias, name in functions._ALIASES.items():
        if alias not in others:
            assert getattr(np, alias) is getattr(np, name)


@pytest.mark.parametrize("source", ALL, ids=str)
def test_casts_equal_astype(source: np.dtype) -> None:
    for cast, name in functions.CASTS.items():
        x, target = special(source), np.dtype(name)
        if source.kind == "f" and target.kind in "iu":
            low, high = np.iinfo(target).min, np.iinfo(target).max
            x = x[np.isfinite(x) & (np.abs(x) < 100) & (x > low) & (x < high)]
        with np.errstate(all="ignore"):
            same(compute(f"{cast}(x)", x, result=target), x.astype(target))


def test_casts_of_floats_beyond_the_range_saturate() -> None:
    x = np.array([1e10, -1e10, np.nan, np.inf, 300.0])
    assert compute("i8(x)", x, result=np.dtype("i1")).tolist() == [127, -128, 0, 127, 127]
    assert compute("u8(x)", x, result=np.dtype("u1")).tolist() == [255, 0, 0, 255, 255]


def test_select_and_clip() -> None:
    x = special(np.dtype("f8"))
    with np.errstate(all="ignore"):
        same(compute("select(x > 0, x, -x)", x, result=x.dtype), np.where(x > 0, x, -x))
        same(compute("select(x, 1, 2)", x, result=np.dtype("i8")), np.where(x, 1, 2))
        same(compute("clip(x, -1, 1.5)", x, result=x.dtype), np.clip(x, -1, 1.5))
    small = special(np.dtype("i1"))
    same(compute("where(x < 3, x, 5)", small, result=small.dtype), np.where(small < 3, small, 5))


@pytest.mark.parametrize(
    ("expression", "reference"),
    [
        ("x < 1000", lambda x: x < 1000),
        ("x >= -1000", lambda x: x >= -1000),
        ("1000 > x", lambda x: x < 1000),
        ("x == 1000", lambda x: x == 1000),
        ("less(x, 300)", lambda x: x < 300),
        ("x != 1e3", lambda x: x != 1e3),
    ],
)
def test_comparisons_with_literals_beyond_the_type(expression: str, reference: Callable[..., np.ndarray]) -> None:
    x = special(np.dtype("i1"))
    same(compute(expression, x, result=BOOL), reference(x))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2 + 3 * 4", 14.0),
        ("-2 ** 2", -4.0),
        ("2 ** -1", 0.5),
        ("2 ** 3 ** 2", 512.0),
        ("7 // 2 - 7 % 4", 0.0),
        ("-7 // 2", -4.0),
        ("1 / 4", 0.25),
        ("0x10 + 0b11 + 0o7", 26.0),
        ("1e3 + 1.5e-1 + .5", 1000.65),
        ("~5 & 0xff | 1 << 3 ^ 2", 250.0),
        ("(1 + 2) * 3", 9.0),
        ("select(1 < 2 and not 2 < 1, 1, 0)", 1.0),
        ("select(false or true, 5, 6)", 5.0),
        ("pi", math.pi),
        ("e", math.e),
        ("-inf", -math.inf),
        ("nan", math.nan),
        ("10 - 3 - 2", 5.0),
        ("- - 3", 3.0),
        ("+3", 3.0),
        ("100 >> 2", 25.0),
    ],
)
def test_precedence_and_literals(expression: str, expected: float) -> None:
    got = compute(expression, np.zeros(1), result=np.dtype("f8"))
    same(got, np.array([expected]))
