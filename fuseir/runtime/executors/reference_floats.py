"""Float operations for the reference executor.

IEEE operations are NumPy's, in the operands' own type. Transcendentals are computed in the next wider type (f64 for f32, NumPy's long
double for f64) and rounded once. Where long double has 64 bits of precision or more, that is almost always the correctly rounded value;
elsewhere it is NumPy's f64 value. ``erf`` and ``erfc`` come from the C library in f64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fuseir.runtime.reduction_tree import float_max, float_min

Array: TypeAlias = NDArray[Any]


def _wider(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    return np.float64 if dtype == np.float32 else np.longdouble


def _in_wider(function: Callable[..., Array]) -> Callable[..., Array]:
    """``function`` computed in the wider type and rounded to the first operand's type."""

    def apply(*operands: Array) -> Array:
        dtype = operands[0].dtype
        wide = [operand.astype(_wider(dtype)) for operand in operands]
        return np.asarray(function(*wide)).astype(dtype)

    return apply


def _by_element(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """``function`` on Python floats, one element at a time."""
    vectorised = np.vectorize(function, otypes=[np.float64])
    return lambda a: np.asarray(vectorised(a.astype(np.float64))).astype(a.dtype)


def _round_half_away(a: Array) -> Array:
    whole = np.trunc(a)
    # The distance is exact; adding one half before truncating would not be.
    return np.copysign(whole + np.where(np.abs(a - whole) >= 0.5, np.copysign(a.dtype.type(1), a), a.dtype.type(0)), a)


def _min_number(a: Array, b: Array) -> Array:
    return np.where(np.isnan(a), b, np.where(np.isnan(b), a, float_min(a, b)))


def _max_number(a: Array, b: Array) -> Array:
    return np.where(np.isnan(a), b, np.where(np.isnan(b), a, float_max(a, b)))


def _fused_multiply_add(a: Array, b: Array, c: Array) -> Array:
    """``a * b + c`` rounded once, to the type of ``a``."""
    vectorised = np.vectorize(_fma_to_f32 if a.dtype == np.float32 else _fma, otypes=[np.float64])
    return np.asarray(vectorised(*(x.astype(np.float64) for x in (a, b, c)))).astype(a.dtype)


def _fma(a: float, b: float, c: float) -> float:
    if not (math.isfinite(a) and math.isfinite(b)):
        return a * b + c
    if not math.isfinite(c):
        return c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        # Either the terms cancel, which gives +0, or both are zeros, whose signs decide as in any sum.
        return 0.0 if c != 0 else math.copysign(0.0, a) * math.copysign(1.0, b) + c
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _fma_to_f32(a: float, b: float, c: float) -> float:
    """A double that rounds to the f32 that ``a * b + c`` rounds to, for operands that are f32."""
    rounded = _fma(a, b, c)
    if not (math.isfinite(a) and math.isfinite(b) and math.isfinite(c)):
        return rounded
    error = Fraction(a) * Fraction(b) + Fraction(c) - Fraction(rounded)
    if error and int(math.frexp(rounded)[0] * 2**53) % 2 == 0:
        # Rounding to f64 and then to f32 would round twice. Of the two f64 around the value, the odd one rounds on as the value does.
        return math.nextafter(rounded, math.inf if error > 0 else -math.inf)
    return rounded


def _reciprocal_root(a: Array) -> Array:
    return 1 / np.sqrt(a)


UNARY: dict[str, Callable[[Array], Array]] = {
    "arith.negf": np.negative,
    "math.absf": np.abs,
    "math.sqrt": np.sqrt,
    "math.ceil": np.ceil,
    "math.floor": np.floor,
    "math.trunc": np.trunc,
    "math.roundeven": np.rint,
    "math.round": _round_half_away,
    "math.rsqrt": _in_wider(_reciprocal_root),
    "math.acos": _in_wider(np.arccos),
    "math.acosh": _in_wider(np.arccosh),
    "math.asin": _in_wider(np.arcsin),
    "math.asinh": _in_wider(np.arcsinh),
    "math.atan": _in_wider(np.arctan),
    "math.atanh": _in_wider(np.arctanh),
    "math.cbrt": _in_wider(np.cbrt),
    "math.cos": _in_wider(np.cos),
    "math.cosh": _in_wider(np.cosh),
    "math.erf": _by_element(math.erf),
    "math.exp": _in_wider(np.exp),
    "math.exp2": _in_wider(np.exp2),
    "math.expm1": _in_wider(np.expm1),
    "math.log": _in_wider(np.log),
    "math.log10": _in_wider(np.log10),
    "math.log1p": _in_wider(np.log1p),
    "math.log2": _in_wider(np.log2),
    "math.sin": _in_wider(np.sin),
    "math.sinh": _in_wider(np.sinh),
    "math.tan": _in_wider(np.tan),
    "math.tanh": _in_wider(np.tanh),
    "ufunc.erfc": _by_element(math.erfc),
}
"""Operations on one float."""

BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.minimumf": float_min,
    "arith.maximumf": float_max,
    "arith.minnumf": _min_number,
    "arith.maxnumf": _max_number,
    "math.atan2": _in_wider(np.arctan2),
    "math.copysign": np.copysign,
    "math.powf": _in_wider(np.power),
    "ufunc.fmod": np.fmod,
    "ufunc.hypot": _in_wider(np.hypot),
    "ufunc.nextafter": np.nextafter,
}
"""Operations on two floats of one type."""

TERNARY: dict[str, Callable[[Array, Array, Array], Array]] = {"math.fma": _fused_multiply_add}
"""Operations on three floats of one type."""


def _ordered(a: Array, b: Array) -> Array:
    return ~(np.isnan(a) | np.isnan(b))


def _or_unordered(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda a, b: function(a, b) | ~_ordered(a, b)


COMPARISONS: tuple[Callable[[Array, Array], Array], ...] = (
    lambda a, b: np.zeros(np.broadcast_shapes(a.shape, b.shape), np.bool_),
    np.equal,
    np.greater,
    np.greater_equal,
    np.less,
    np.less_equal,
    lambda a, b: np.not_equal(a, b) & _ordered(a, b),
    _ordered,
    _or_unordered(np.equal),
    _or_unordered(np.greater),
    _or_unordered(np.greater_equal),
    _or_unordered(np.less),
    _or_unordered(np.less_equal),
    np.not_equal,
    lambda a, b: ~_ordered(a, b),
    lambda a, b: np.ones(np.broadcast_shapes(a.shape, b.shape), np.bool_),
)
"""``arith.cmpf`` by its predicate's number: false oeq ogt oge olt ole one ord ueq ugt uge ult ule une uno true."""
