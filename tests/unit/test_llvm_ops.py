"""Every scalar operation of kernels against NumPy, in vector and in scalar code."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from llvm_kernels import DTYPES, compiled, elementwise, run, same_bits

from fuseir.errors import UnsupportedError

FLOAT_VALUES = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.7, -3.7, 0.49999999999999994, 1e-310, -5e-324, 1e-45),
    *(2.0**31, -(2.0**31) - 1, 2.0**63, -(2.0**63), 2.0**64, 255.5, -128.7, 1e20, 1e308, np.inf, -np.inf, np.nan),
    *(4503599627370497.5, 8388609.0, 3.4e38),
]
FLOATS = ["f32", "f64"]
INTEGERS = ["i8", "i16", "i32", "i64"]


def _pairs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    grid = np.array(list(itertools.product(values, values)), values.dtype)
    return grid[:, 0].copy(), grid[:, 1].copy()


def _check(element: str, cases: dict[str, tuple[str, str, np.ndarray]], *inputs: np.ndarray) -> None:
    """``cases``: name to operation text, result type, expected. Runs vector code, and scalar code on a sample."""
    names = dict.fromkeys("xyz"[: len(inputs)], element)
    expressions = [(text, result) for text, result, _ in cases.values()]
    outputs = [np.zeros(inputs[0].shape, DTYPES[result]) for _, result in expressions]
    run(compiled(elementwise(names, expressions)), *inputs, *outputs)
    for (name, (_, result, expected)), actual in zip(cases.items(), outputs, strict=True):
        wanted = expected.astype(DTYPES[result])
        bad = [i for i in range(len(actual)) if not same_bits(actual[i : i + 1], wanted[i : i + 1])]
        assert not bad, (name, [(tuple(v[i] for v in inputs), actual[i], wanted[i]) for i in bad[:5]])
    scalar = compiled(elementwise(names, expressions, rank=0))
    for i in range(0, len(inputs[0]), 7):
        points = [np.zeros((), output.dtype) for output in outputs]
        run(scalar, *[np.array(value[i]) for value in inputs], *points)
        for name, point, output in zip(cases, points, outputs, strict=True):
            assert same_bits(point, output[i]), (name, [value[i] for value in inputs], point, output[i])


def _minimum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where(a == b, np.where(np.signbit(a), a, b), np.minimum(a, b))


def _maximum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where(a == b, np.where(np.signbit(a), b, a), np.maximum(a, b))


def _half_away(x: np.ndarray) -> np.ndarray:
    whole = np.trunc(x)
    return np.copysign(whole + np.where(np.abs(x - whole) >= 0.5, np.copysign(1.0, x), 0.0).astype(x.dtype), x)


@pytest.mark.parametrize("t", FLOATS)
def test_float_operations(t: str) -> None:
    with np.errstate(all="ignore"):
        values = np.array(FLOAT_VALUES).astype(DTYPES[t])
        x, y = _pairs(values)
        unordered = np.isnan(x) | np.isnan(y)
        compare = {"eq": x == y, "gt": x > y, "ge": x >= y, "lt": x < y, "le": x <= y, "ne": x != y}
        ne = compare["ne"] & ~unordered
        predicates = {"false": np.zeros_like(ne), "true": np.ones_like(ne), "ord": ~unordered, "uno": unordered}
        predicates |= {f"o{k}": v & ~unordered for k, v in compare.items()}
        predicates |= {f"u{k}": v | unordered for k, v in compare.items()}
        # The exact sum of three, rounded once: longdouble is wide enough for these operands' products in f32.
        cases = {
            "addf": (f"arith.addf %x, %y : {t}", t, x + y),
            "subf": (f"arith.subf %x, %y : {t}", t, x - y),
            "mulf": (f"arith.mulf %x, %y : {t}", t, x * y),
            "divf": (f"arith.divf %x, %y : {t}", t, x / y),
            "negf": (f"arith.negf %x : {t}", t, -x),
            "maximumf": (f"arith.maximumf %x, %y : {t}", t, _maximum(x, y)),
            "minimumf": (f"arith.minimumf %x, %y : {t}", t, _minimum(x, y)),
            "maxnumf": (
                f"arith.maxnumf %x, %y : {t}",
                t,
                np.where(np.isnan(x), y, np.where(np.isnan(y), x, _maximum(x, y))),
            ),
            "minnumf": (
                f"arith.minnumf %x, %y : {t}",
                t,
                np.where(np.isnan(x), y, np.where(np.isnan(y), x, _minimum(x, y))),
            ),
            "absf": (f"math.absf %x : {t}", t, np.abs(x)),
            "ceil": (f"math.ceil %x : {t}", t, np.ceil(x)),
            "floor": (f"math.floor %x : {t}", t, np.floor(x)),
            "trunc": (f"math.trunc %x : {t}", t, np.trunc(x)),
            "roundeven": (f"math.roundeven %x : {t}", t, np.rint(x)),
            "round": (f"math.round %x : {t}", t, np.where(np.isfinite(x), _half_away(x), x)),
            "copysign": (f"math.copysign %x, %y : {t}", t, np.copysign(x, y)),
            "sqrt": (f"math.sqrt %x : {t}", t, np.sqrt(x)),
            "rsqrt": (f"math.rsqrt %x : {t}", t, (1 / np.sqrt(x)).astype(x.dtype)),
            "fmod": (f"ufunc.fmod %x, %y : {t}", t, np.fmod(x, y)),
            "nextafter": (f"ufunc.nextafter %x, %y : {t}", t, np.nextafter(x, y)),
        }
        cases |= {f"cmpf {k}": (f"arith.cmpf {k}, %x, %y : {t}", "i1", v) for k, v in predicates.items()}
    _check(t, cases, x, y)


@pytest.mark.parametrize("t", FLOATS)
def test_fma_rounds_once_and_multiply_add_twice(t: str) -> None:
    rng = np.random.default_rng(5)
    x, y, z = rng.standard_normal((3, 400)).astype(DTYPES[t])
    kernel = compiled(elementwise({"x": t, "y": t, "z": t}, [(f"math.fma %x, %y, %z : {t}", t)]))
    fused = np.zeros_like(x)
    run(kernel, x, y, z, fused)
    separate = x * y + z
    wide = np.longdouble if t == "f64" else np.float64
    exact = x.astype(wide) * y.astype(wide) + z.astype(wide)
    assert np.all(np.abs(fused - exact) <= np.abs(separate - exact))
    assert np.any(fused != separate)


@pytest.mark.parametrize("t", FLOATS)
def test_conversions_from_floats_saturate(t: str) -> None:
    values = np.array(FLOAT_VALUES)
    with np.errstate(all="ignore"):
        x = values.astype(DTYPES[t])
        cases = {}
        for integer in INTEGERS:
            bits = np.dtype(DTYPES[integer]).itemsize * 8
            signed = [0 if np.isnan(v) else _clip(v, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for v in x]
            unsigned = [0 if np.isnan(v) else _clip(v, 0, 2**bits - 1) for v in x]
            cases[f"fptosi {integer}"] = (f"arith.fptosi %x : {t} to {integer}", integer, np.array(signed))
            wrapped = np.array(unsigned, np.uint64).astype(DTYPES[integer])
            cases[f"fptoui {integer}"] = (f"arith.fptoui %x : {t} to {integer}", integer, wrapped)
        other = "f32" if t == "f64" else "f64"
        convert = "truncf" if t == "f64" else "extf"
        cases[convert] = (f"arith.{convert} %x : {t} to {other}", other, x.astype(DTYPES[other]))
        integer = "i64" if t == "f64" else "i32"
        finite = x[~np.isnan(x)]
    _check(t, cases, x)
    bits_case = {"bitcast": (f"arith.bitcast %x : {t} to {integer}", integer, finite.view(DTYPES[integer]))}
    _check(t, bits_case, finite)


def _clip(value: float, low: int, high: int) -> int:
    if np.isinf(value):
        return high if value > 0 else low
    return min(max(int(value), low), high)


def _integers(t: str) -> np.ndarray:
    info = np.iinfo(DTYPES[t])
    numbers = [info.min, info.min + 1, -9, -8, -7, -3, -2, -1, 0, 1, 2, 3, 4, 7, 8, 15, 31, 32, 63, 64, info.max - 1]
    return np.array([v for v in [*numbers, info.max] if info.min <= v <= info.max], DTYPES[t])


def _python(t: str, f, *inputs: np.ndarray) -> np.ndarray:
    """``f`` on Python's integers, the result wrapped to the type."""
    bits = np.dtype(DTYPES[t]).itemsize * 8
    results = [f(*(int(v) for v in values)) % 2**bits for values in zip(*inputs, strict=True)]
    return np.array(results, f"u{bits // 8}").view(DTYPES[t])


def _truncated(a: int, b: int) -> int:
    return 0 if b == 0 else (abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)


def _power(base: int, exponent: int, bits: int) -> int:
    if exponent < 0:
        return {1: 1, -1: -1 if exponent % 2 else 1}.get(base, 0)
    return pow(base, exponent, 2**bits)


@pytest.mark.parametrize("t", INTEGERS)
def test_integer_operations_are_total(t: str) -> None:
    """B5: x/0, INT_MIN/-1 and shifts beyond the width have values, and none of them raises a signal."""
    x, y = _pairs(_integers(t))
    bits = np.dtype(DTYPES[t]).itemsize * 8
    mask = 2**bits - 1

    def unsigned(f):
        return lambda a, b: f(a & mask, b & mask)

    functions = {
        "addi": lambda a, b: a + b,
        "subi": lambda a, b: a - b,
        "muli": lambda a, b: a * b,
        "divsi": _truncated,
        "divui": unsigned(lambda a, b: a // b if b else 0),
        "floordivsi": lambda a, b: a // b if b else 0,
        "ceildivsi": lambda a, b: -(-a // b) if b else 0,
        "ceildivui": unsigned(lambda a, b: -(-a // b) if b else 0),
        "remsi": lambda a, b: a - _truncated(a, b) * b if b else 0,
        "remui": unsigned(lambda a, b: a % b if b else 0),
        "andi": lambda a, b: a & b,
        "ori": lambda a, b: a | b,
        "xori": lambda a, b: a ^ b,
        "shli": unsigned(lambda a, b: a << b if b < bits else 0),
        "shrui": unsigned(lambda a, b: a >> b if b < bits else 0),
        "shrsi": lambda a, b: a >> min(b & mask, bits - 1),
        "minsi": min,
        "maxsi": max,
        "minui": unsigned(min),
        "maxui": unsigned(max),
    }
    cases = {name: (f"arith.{name} %x, %y : {t}", t, _python(t, f, x, y)) for name, f in functions.items()}
    cases["ipowi"] = (f"math.ipowi %x, %y : {t}", t, _python(t, lambda a, b: _power(a, b, bits), x, y))
    single = {
        "absi": abs,
        "ctpop": lambda a: (a & mask).bit_count(),
        "ctlz": lambda a: bits - (a & mask).bit_length(),
        "cttz": lambda a: ((a & -a) & mask).bit_length() - 1 if a & mask else bits,
    }
    cases |= {name: (f"math.{name} %x : {t}", t, _python(t, f, x)) for name, f in single.items()}
    ux, uy = x.view(f"u{bits // 8}"), y.view(f"u{bits // 8}")
    compare = {"eq": x == y, "ne": x != y, "slt": x < y, "sle": x <= y, "sgt": x > y, "sge": x >= y}
    compare |= {"ult": ux < uy, "ule": ux <= uy, "ugt": ux > uy, "uge": ux >= uy}
    cases |= {f"cmpi {k}": (f"arith.cmpi {k}, %x, %y : {t}", "i1", v) for k, v in compare.items()}
    _check(t, cases, x, y)


@pytest.mark.parametrize("t", INTEGERS)
def test_integer_conversions(t: str) -> None:
    x = _integers(t)
    bits = x.itemsize * 8
    unsigned = x.view(f"u{bits // 8}")
    cases = {}
    for wide in INTEGERS:
        if np.dtype(DTYPES[wide]).itemsize > x.itemsize:
            cases[f"extsi {wide}"] = (f"arith.extsi %x : {t} to {wide}", wide, x.astype(DTYPES[wide]))
            cases[f"extui {wide}"] = (f"arith.extui %x : {t} to {wide}", wide, unsigned.astype(DTYPES[wide]))
            cases[f"cast {wide}"] = (f"arith.index_cast %x : {t} to index", "index", x)
    cases = {name: case for name, case in cases.items() if case[1] != "index"}
    for narrow in INTEGERS:
        if np.dtype(DTYPES[narrow]).itemsize < x.itemsize:
            cases[f"trunci {narrow}"] = (f"arith.trunci %x : {t} to {narrow}", narrow, x.astype(DTYPES[narrow]))
    cases["trunci i1"] = (f"arith.trunci %x : {t} to i1", "i1", x & 1 == 1)
    for f in FLOATS:
        cases[f"sitofp {f}"] = (f"arith.sitofp %x : {t} to {f}", f, x.astype(DTYPES[f]))
        cases[f"uitofp {f}"] = (f"arith.uitofp %x : {t} to {f}", f, unsigned.astype(DTYPES[f]))
    _check(t, cases, x)


def test_booleans() -> None:
    """One byte in memory, any non-zero byte is true; arithmetic is modulo two, and division is total there too."""
    x, y = _pairs(np.array([False, True]))
    signed = {"andi": x & y, "ori": x | y, "xori": x ^ y, "addi": x ^ y, "subi": x ^ y, "muli": x & y}
    signed |= {"divsi": x & y, "divui": x & y, "remsi": x & False, "remui": x & False, "shli": x & ~y}
    signed |= {"shrui": x & ~y, "shrsi": x, "minui": x & y, "maxui": x | y, "floordivsi": x & y, "ceildivui": x & y}
    cases = {name: (f"arith.{name} %x, %y : i1", "i1", v) for name, v in signed.items()}
    cases["extui"] = ("arith.extui %x : i1 to i32", "i32", x.astype(np.int32))
    cases["extsi"] = ("arith.extsi %x : i1 to i32", "i32", -x.astype(np.int32))
    cases["uitofp"] = ("arith.uitofp %x : i1 to f64", "f64", x.astype(float))
    cases["select"] = ("arith.select %x, %y, %x : i1", "i1", x & y)
    _check("i1", cases, x, y)
    odd_bytes = np.array([0, 1, 2, 128, 255], np.uint8)
    out = np.zeros(5, np.uint8)
    run(compiled(elementwise({"x": "i1"}, [("arith.ori %x, %x : i1", "i1")])), odd_bytes.view(np.bool_), out)
    assert out.tolist() == [0, 1, 1, 1, 1]


def test_select_takes_whole_lanes() -> None:
    x = np.array([1.0, -2.0, np.nan, 0.0, -0.0])
    text = [("arith.cmpf olt, %x, %x : f64", "i1"), ("arith.select %r0, %x, %x : f64", "f64")]
    outs = [np.ones(5, np.bool_), np.ones(5)]
    run(compiled(elementwise({"x": "f64"}, text)), x, *outs)
    assert not outs[0].any()
    assert same_bits(outs[1], x)


@pytest.mark.parametrize(
    ("operation", "result", "named"),
    [("math.fpowi %x, %k : f64, i32", "f64", "math.fpowi"), ("arith.addui_extended %k, %k : i32, i1", "i32", "addui")],
)
def test_other_operations_are_refused_by_name(operation: str, result: str, named: str) -> None:
    text = elementwise({"x": "f64"}, [("arith.negf %x : f64", "f64")])
    names = "%r, %f" if "extended" in operation else "%r"
    line = f"%k = arith.constant 2 : i32\n{names} = {operation}\n%r0"
    text = text.replace("%r0", line.replace("%x", "%xe"), 1)
    with pytest.raises(UnsupportedError, match=named):
        compiled(text)


@pytest.mark.parametrize("kind", ["f16", "bf16", "i128", "i7", "si32", "complex<f32>"])
def test_other_types_are_refused(kind: str) -> None:
    with pytest.raises(UnsupportedError, match="no kernel value has type"):
        compiled(f"func.func @k(%x: memref<?x{kind}>) {{ func.return }}")
