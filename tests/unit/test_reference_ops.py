"""Every scalar operation of the reference executor, on special values, against plain Python."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import verify_module
from fuseir.runtime.executors.reference import ReferenceExecutor
from fuseir.universe import make_context

DTYPES = {"i1": bool, **{f"i{w}": f"int{w}" for w in (8, 16, 32, 64)}, "f32": "float32", "f64": "float64"}
INTEGERS = ("i1", "i8", "i16", "i32", "i64")
FLOATS = ("f32", "f64")


def run_op(line, operands, result):
    """The op in ``line`` (on %x0, %x1, …) over arrays: ``operands`` is a list of (element type, array)."""
    n = len(operands[0][1])
    types = [element for element, _ in operands] + [result]
    tensors = ", ".join(f"tensor<?x{t}>" for t in types[:-1])
    names = ", ".join(f"%a{k}" for k in range(len(operands)))
    text = f"""
func.func @k({", ".join(f"%a{k}: tensor<?x{t}>" for k, t in enumerate(types))}) -> tensor<?x{result}> {{
  %r = linalg.generic {{indexing_maps = [{", ".join(["affine_map<(d0) -> (d0)>"] * len(types))}], iterator_types = ["parallel"]}}
    ins({names} : {tensors}) outs(%a{len(operands)} : tensor<?x{result}>) {{
  ^bb0({", ".join(f"%x{k}: {t}" for k, t in enumerate(types))}):
    %v = {line}
    linalg.yield %v : {result}
  }} -> tensor<?x{result}>
  func.return %r : tensor<?x{result}>
}}
{chr(10).join(f'%s{k} = dist.store "s{k}" : !dist.store<{n}x{t}>' for k, t in enumerate(types))}
dist.launch @k<[1]>({", ".join(f"%s{k}: {'write' if k == len(operands) else 'read'} #dist.none" for k in range(len(types)))})
  : ({", ".join(f"!dist.store<{n}x{t}>" for t in types)})
"""
    module = parse_module(make_context(), text)
    verify_module(module, text)
    stores = {f"s{k}": np.asarray(array, DTYPES[t]) for k, (t, array) in enumerate(operands)}
    with np.errstate(all="raise"):
        return ReferenceExecutor().run(module, stores)[f"s{len(operands)}"]


def same(found, expected):
    """Equal to the bit, but for the payload of NaNs."""
    expected = np.asarray(expected, found.dtype)
    if found.dtype.kind == "f":
        assert np.array_equal(np.isnan(found), np.isnan(expected))
        found, expected = np.where(np.isnan(found), 0, found), np.where(np.isnan(expected), 0, expected)
    np.testing.assert_array_equal(found.view(f"u{found.dtype.itemsize}"), expected.view(f"u{found.dtype.itemsize}"))


def pairs(values):
    values = np.asarray(values)
    a, b = np.meshgrid(values, values, indexing="ij")
    return a.ravel(), b.ravel()


# Integers. The meaning of each operation on Python integers: a, b signed; ua, ub unsigned; w the width.


def width_of(element):
    return int(element[1:])


def special_integers(element):
    w = width_of(element)
    if w == 1:
        return np.array([False, True])
    low, high = -(2 ** (w - 1)), 2 ** (w - 1) - 1
    values = {0, 1, 2, 3, 7, w - 1, w, w + 1, -1, -2, -3, -7, low, low + 1, high, high - 1, high // 3}
    return np.array(sorted(values), DTYPES[element])


def truncated(a, b):
    return 0 if b == 0 else (abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)


def power(a, b, w):
    if b >= 0:
        return pow(a, b, 2**w)
    inverse = 1 if a == 1 else -1 if a == -1 else 0
    return inverse if b % 2 else abs(inverse)


BINARY = {
    "arith.addi": lambda a, b, ua, ub, w: a + b,
    "arith.subi": lambda a, b, ua, ub, w: a - b,
    "arith.muli": lambda a, b, ua, ub, w: a * b,
    "arith.andi": lambda a, b, ua, ub, w: a & b,
    "arith.ori": lambda a, b, ua, ub, w: a | b,
    "arith.xori": lambda a, b, ua, ub, w: a ^ b,
    "arith.minsi": lambda a, b, ua, ub, w: min(a, b),
    "arith.maxsi": lambda a, b, ua, ub, w: max(a, b),
    "arith.minui": lambda a, b, ua, ub, w: min(ua, ub),
    "arith.maxui": lambda a, b, ua, ub, w: max(ua, ub),
    "arith.divsi": lambda a, b, ua, ub, w: truncated(a, b),
    "arith.floordivsi": lambda a, b, ua, ub, w: a // b if b else 0,
    "arith.ceildivsi": lambda a, b, ua, ub, w: -(-a // b) if b else 0,
    "arith.remsi": lambda a, b, ua, ub, w: a - b * truncated(a, b) if b else 0,
    "arith.divui": lambda a, b, ua, ub, w: ua // ub if ub else 0,
    "arith.ceildivui": lambda a, b, ua, ub, w: -(-ua // ub) if ub else 0,
    "arith.remui": lambda a, b, ua, ub, w: ua % ub if ub else 0,
    "arith.shli": lambda a, b, ua, ub, w: a << ub if ub < w else 0,
    "arith.shrui": lambda a, b, ua, ub, w: ua >> ub if ub < w else 0,
    "arith.shrsi": lambda a, b, ua, ub, w: a >> min(ub, w - 1),
    "math.ipowi": lambda a, b, ua, ub, w: power(a, b, w),
}
UNARY = {
    "math.absi": lambda a, ua, w: abs(a),
    "math.ctpop": lambda a, ua, w: ua.bit_count(),
    "math.ctlz": lambda a, ua, w: w - ua.bit_length(),
    "math.cttz": lambda a, ua, w: (ua & -ua).bit_length() - 1 if ua else w,
}


def readings(values, element):
    """Each value as (signed, unsigned) Python integers."""
    w = width_of(element)
    patterns = [int(v) & (2**w - 1) for v in values]
    return [(p - 2**w if p >> (w - 1) else p, p) for p in patterns]


def as_patterns(exact, element):
    """Exact integers wrapped to the type."""
    w = width_of(element)
    wrapped = np.array([e & (2**w - 1) for e in exact], np.uint64)
    return wrapped.astype(bool) if w == 1 else wrapped.astype(DTYPES[element])


@pytest.mark.parametrize("element", INTEGERS)
@pytest.mark.parametrize("op", BINARY)
def test_binary_integer(op, element):
    a, b = pairs(special_integers(element))
    found = run_op(f"{op} %x0, %x1 : {element}", [(element, a), (element, b)], element)
    exact = [
        BINARY[op](x, y, ux, uy, width_of(element))
        for (x, ux), (y, uy) in zip(readings(a, element), readings(b, element), strict=True)
    ]
    np.testing.assert_array_equal(found, as_patterns(exact, element))


@pytest.mark.parametrize("element", INTEGERS)
@pytest.mark.parametrize("op", UNARY)
def test_unary_integer(op, element):
    a = special_integers(element)
    found = run_op(f"{op} %x0 : {element}", [(element, a)], element)
    np.testing.assert_array_equal(
        found, as_patterns([UNARY[op](x, ux, width_of(element)) for x, ux in readings(a, element)], element)
    )


@pytest.mark.parametrize("element", INTEGERS)
@pytest.mark.parametrize("predicate", ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"])
def test_compare_integers(predicate, element):
    a, b = pairs(special_integers(element))
    found = run_op(f"arith.cmpi {predicate}, %x0, %x1 : {element}", [(element, a), (element, b)], "i1")
    compare = {"eq": "__eq__", "ne": "__ne__"}.get(predicate, f"__{predicate[1:]}__")
    reading = 1 if predicate[0] == "u" else 0
    expected = [
        getattr(x[reading], compare)(y[reading])
        for x, y in zip(readings(a, element), readings(b, element), strict=True)
    ]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("source", "target"), [(s, t) for s in INTEGERS for t in INTEGERS if width_of(s) != width_of(t)]
)
def test_integer_conversions(source, target):
    a = special_integers(source)
    ops = ["arith.trunci"] if width_of(target) < width_of(source) else ["arith.extsi", "arith.extui"]
    for op in ops:
        found = run_op(f"{op} %x0 : {source} to {target}", [(source, a)], target)
        exact = [r[1 if op == "arith.extui" else 0] for r in readings(a, source)]
        np.testing.assert_array_equal(found, as_patterns(exact, target))


# Floats.

SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3.0,
    1e-3,
    7.25,
    -100.0,
    1e10,
    math.inf,
    -math.inf,
    math.nan,
]


def special_floats(element):
    info = np.finfo(DTYPES[element])
    extra = [
        info.max,
        -info.max,
        info.tiny,
        -info.tiny,
        info.smallest_subnormal,
        0.5 - info.eps / 4,
        2.0 / info.eps - 1,
    ]
    return np.array([*SPECIAL, *extra], DTYPES[element])


@pytest.mark.parametrize("element", FLOATS)
@pytest.mark.parametrize("op", ["add", "sub", "mul", "div"])
def test_arithmetic_is_ieee(op, element):
    a, b = pairs(special_floats(element))
    with np.errstate(all="ignore"):
        expected = {"add": a + b, "sub": a - b, "mul": a * b, "div": a / b}[op]
    same(run_op(f"arith.{op}f %x0, %x1 : {element}", [(element, a), (element, b)], element), expected)


def minimum(a, b, sign, propagate):
    if math.isnan(a) or math.isnan(b):
        return math.nan if propagate else b if math.isnan(a) else a
    # Zeros are told apart by their signs.
    return min((a, b), key=lambda v: (sign * v, sign * math.copysign(1, v)))


@pytest.mark.parametrize("element", FLOATS)
@pytest.mark.parametrize(
    ("op", "sign", "propagate"),
    [("minimumf", 1, True), ("maximumf", -1, True), ("minnumf", 1, False), ("maxnumf", -1, False)],
)
def test_min_and_max(op, sign, propagate, element):
    a, b = pairs(special_floats(element))
    found = run_op(f"arith.{op} %x0, %x1 : {element}", [(element, a), (element, b)], element)
    same(found, [minimum(float(x), float(y), sign, propagate) for x, y in zip(a, b, strict=True)])


def round_half_away(x):
    return x if not math.isfinite(x) else math.copysign(float(math.floor(Fraction(abs(x)) + Fraction(1, 2))), x)


def integral(function):
    return lambda x: x if not math.isfinite(x) else math.copysign(float(function(x)), x)


@pytest.mark.parametrize("element", FLOATS)
@pytest.mark.parametrize(
    ("op", "meaning"),
    [
        ("arith.negf", lambda x: -x),
        ("math.absf", abs),
        ("math.sqrt", lambda x: x if x == 0 else math.sqrt(x) if x > 0 else math.nan),
        ("math.ceil", integral(math.ceil)),
        ("math.floor", integral(math.floor)),
        ("math.trunc", integral(math.trunc)),
        ("math.roundeven", integral(round)),
        ("math.round", round_half_away),
    ],
)
def test_exact_functions(op, meaning, element):
    a = special_floats(element)
    same(run_op(f"{op} %x0 : {element}", [(element, a)], element), [meaning(float(x)) for x in a])


@pytest.mark.parametrize("element", FLOATS)
def test_exact_functions_of_two(element):
    a, b = pairs(special_floats(element))
    operands = [(element, a), (element, b)]
    same(run_op(f"math.copysign %x0, %x1 : {element}", operands, element), np.copysign(a, b))
    with np.errstate(all="ignore"):
        nextafter = np.nextafter(a, b)
    same(run_op(f"ufunc.nextafter %x0, %x1 : {element}", operands, element), nextafter)
    fmod = [
        math.nan if math.isinf(x) or y == 0 else math.fmod(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)
    ]
    same(run_op(f"ufunc.fmod %x0, %x1 : {element}", operands, element), fmod)


def close(found, expected, ulp=1):
    expected = np.asarray(expected, found.dtype)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    finite = np.isfinite(expected)
    assert np.array_equal(found[~finite & ~np.isnan(expected)], expected[~finite & ~np.isnan(expected)])
    assert np.array_equal(np.signbit(found[finite]), np.signbit(expected[finite]))
    with np.errstate(all="ignore"):  # the spacing at the greatest float is infinite
        assert np.all(np.abs(found[finite] - expected[finite]) <= ulp * np.spacing(np.abs(expected[finite])))


def guarded(function):
    """C's answer where Python's math raises."""

    def call(*x):
        try:
            return function(*x)
        except OverflowError:
            return math.copysign(math.inf, x[0]) if function in (math.sinh, math.expm1) else math.inf
        except ValueError:
            return math.nan

    return call


TRANSCENDENTAL = {
    **{
        f"math.{name}": getattr(math, name)
        for name in ("acos", "acosh", "asin", "asinh", "atan", "cbrt", "cos", "cosh")
    },
    **{f"math.{name}": getattr(math, name) for name in ("erf", "exp", "exp2", "expm1", "sin", "sinh", "tan", "tanh")},
    "ufunc.erfc": math.erfc,
}


@pytest.mark.parametrize("element", FLOATS)
@pytest.mark.parametrize("op", TRANSCENDENTAL)
def test_transcendental(op, element):
    a = special_floats(element)
    found = run_op(f"{op} %x0 : {element}", [(element, a)], element)
    with np.errstate(all="ignore"):
        close(found, np.array([guarded(TRANSCENDENTAL[op])(float(x)) for x in a]).astype(DTYPES[element]))


@pytest.mark.parametrize("element", FLOATS)
@pytest.mark.parametrize(
    ("op", "function", "pole"),
    [("log", math.log, 0), ("log2", math.log2, 0), ("log10", math.log10, 0), ("log1p", math.log1p, -1)],
)
def test_logarithms(op, function, pole, element):
    a = special_floats(element)
    expected = [-math.inf if x == pole else guarded(function)(float(x)) for x in a]
    close(run_op(f"math.{op} %x0 : {element}", [(element, a)], element), expected)


@pytest.mark.parametrize("element", FLOATS)
def test_more_transcendentals(element):
    a = special_floats(element)
    atanh = [math.copysign(math.inf, x) if abs(x) == 1 else guarded(math.atanh)(float(x)) for x in a]
    close(run_op(f"math.atanh %x0 : {element}", [(element, a)], element), atanh)
    rsqrt = [math.copysign(math.inf, x) if x == 0 else 1 / math.sqrt(x) if x > 0 else math.nan for x in a.tolist()]
    close(run_op(f"math.rsqrt %x0 : {element}", [(element, a)], element), rsqrt)
    x, y = pairs(a)
    with np.errstate(all="ignore"):
        atan2 = np.array([math.atan2(*p) for p in zip(x.tolist(), y.tolist(), strict=True)]).astype(a.dtype)
        hypot = np.array([math.hypot(*p) for p in zip(x.tolist(), y.tolist(), strict=True)]).astype(a.dtype)
        powf = np.power(x.astype(float), y.astype(float)).astype(a.dtype)
    close(run_op(f"math.atan2 %x0, %x1 : {element}", [(element, x), (element, y)], element), atan2)
    close(run_op(f"ufunc.hypot %x0, %x1 : {element}", [(element, x), (element, y)], element), hypot)
    close(run_op(f"math.powf %x0, %x1 : {element}", [(element, x), (element, y)], element), powf)


def test_fused_multiply_add():
    a = np.array([1 + 2**-52, 1e308, 0.1, math.inf, 0.0, -0.0, 5e-324, 1.0, 1e308])
    b = np.array([1 - 2**-52, 1e308, 10.0, 0.0, -1.0, 1.0, 0.5, 1.0, 10.0])
    c = np.array([-1.0, -math.inf, -1.0, 1.0, 0.0, -0.0, 0.0, -1.0, -1e308])
    found = run_op("math.fma %x0, %x1, %x2 : f64", [("f64", v) for v in (a, b, c)], "f64")
    same(found, [-(2.0**-104), -math.inf, float(Fraction(0.1) * 10 - 1), math.nan, 0.0, -0.0, 0.0, 0.0, math.inf])
    # Rounding to f64 first would give a tie, and then the even neighbour.
    x, y, z = np.float32(1 + 2**-12), np.float32(1 - 2**-12), np.float32(2.0**-60)
    half = np.float32(2.0**-24)
    found = run_op("math.fma %x0, %x1, %x2 : f32", [("f32", [half]), ("f32", [1 + 2**-23]), ("f32", [1.0])], "f32")
    same(found, [np.float32(1 + 2**-23)])
    found = run_op("math.fma %x0, %x1, %x2 : f32", [("f32", [x]), ("f32", [y]), ("f32", [z])], "f32")
    exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
    neighbours = [np.float32(1) - np.float32(2.0**-24), np.float32(1)]
    same(found, [min(neighbours, key=lambda v: abs(Fraction(float(v)) - exact))])


PREDICATES = ["false", "true", "ord", "uno"]
PREDICATES += [order + relation for order in "ou" for relation in ("eq", "ne", "gt", "ge", "lt", "le")]


@pytest.mark.parametrize("element", FLOATS)
@pytest.mark.parametrize("predicate", PREDICATES)
def test_compare_floats(predicate, element):
    a, b = pairs(special_floats(element))
    found = run_op(f"arith.cmpf {predicate}, %x0, %x1 : {element}", [(element, a), (element, b)], "i1")
    unordered = np.isnan(a) | np.isnan(b)
    if predicate in ("false", "true"):
        expected = np.full(len(a), predicate == "true")
    elif predicate in ("ord", "uno"):
        expected = unordered == (predicate == "uno")
    else:
        compared = {"eq": a == b, "ne": a != b, "gt": a > b, "ge": a >= b, "lt": a < b, "le": a <= b}[predicate[1:]]
        expected = np.where(unordered, predicate[0] == "u", compared)
    np.testing.assert_array_equal(found, expected)


# Conversions and selections.


@pytest.mark.parametrize("target", INTEGERS)
@pytest.mark.parametrize("element", FLOATS)
@pytest.mark.parametrize("op", ["fptosi", "fptoui"])
def test_float_to_integer_saturates(op, element, target):
    w = width_of(target)
    edges = [s * float(2**e) for e in (w - 1, w, 31, 32, 63, 64) for s in (1, -1)]
    a = np.concatenate([special_floats(element), np.array(edges, DTYPES[element])])
    a = np.concatenate([a, np.nextafter(a, a.dtype.type(0))])
    found = run_op(f"arith.{op} %x0 : {element} to {target}", [(element, a)], target)
    low, high = (-(2 ** (w - 1)), 2 ** (w - 1) - 1) if op == "fptosi" else (0, 2**w - 1)
    exact = [0 if math.isnan(x) else low if x <= low else high if x >= high else int(x) for x in a.tolist()]
    np.testing.assert_array_equal(found, as_patterns(exact, target))


@pytest.mark.parametrize("source", INTEGERS)
@pytest.mark.parametrize("element", FLOATS)
@pytest.mark.parametrize("op", ["sitofp", "uitofp"])
def test_integer_to_float_rounds_once(op, element, source):
    a = special_integers(source)
    found = run_op(f"arith.{op} %x0 : {source} to {element}", [(source, a)], element)
    # From an exact Python integer NumPy rounds to f32 through f64; no special value is one where that shows.
    same(found, [float(r[op == "uitofp"]) for r in readings(a, source)])


def test_float_conversions_and_bitcasts():
    a = special_floats("f64")
    with np.errstate(all="ignore"):
        same(run_op("arith.truncf %x0 : f64 to f32", [("f64", a)], "f32"), a.astype(np.float32))
    b = special_floats("f32")
    same(run_op("arith.extf %x0 : f32 to f64", [("f32", b)], "f64"), b.astype(np.float64))
    np.testing.assert_array_equal(run_op("arith.bitcast %x0 : f64 to i64", [("f64", a)], "i64"), a.view(np.int64))
    np.testing.assert_array_equal(run_op("arith.bitcast %x0 : f32 to i32", [("f32", b)], "i32"), b.view(np.int32))
    same(run_op("arith.bitcast %x0 : i64 to f64", [("i64", a.view(np.int64))], "f64"), a)


@pytest.mark.parametrize("element", INTEGERS + FLOATS)
def test_select_copies_bits(element):
    a = special_floats(element) if element in FLOATS else special_integers(element)
    condition = np.arange(len(a)) % 2 == 0
    found = run_op(
        f"arith.select %x0, %x1, %x2 : {element}", [("i1", condition), (element, a), (element, a[::-1])], element
    )
    same(found, np.where(condition, a, a[::-1]))


@pytest.mark.parametrize(
    ("literal", "element", "expected"),
    [
        ("-0.0", "f64", -0.0),
        ("0x7F800000", "f32", math.inf),
        ("-1", "i8", -1),
        ("true", "i1", True),
        ("-9223372036854775808", "i64", -(2**63)),
    ],
)
def test_constants(literal, element, expected):
    typed = literal if element == "i1" else f"{literal} : {element}"
    same(run_op(f"arith.constant {typed}", [(element, np.zeros(2))], element), [expected] * 2)
