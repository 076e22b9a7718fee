"""Powers: ``x^y = 2^(y log2(x))``, the logarithm and the product in two parts each.

An error of the exponent counts up to 1024 times in the result, so the logarithm must be good to 64 bits: its parts are a float and
what that lost, from exact products and sums (Dekker, "A floating-point technique for extending the available precision", 1971;
a product's loss is one :func:`fma`). Only the terms from the fifth power of ``s = (m - 1)/(m + 1)`` on are small enough for plain
floats.
"""

from __future__ import annotations

import math

from fuseir.codegen.llvm.vector_math import coefficients
from fuseir.codegen.llvm.vector_math.body import Body
from fuseir.codegen.llvm.vector_math.constants import LOG2_E, parts
from fuseir.codegen.llvm.vector_math.exponentials import exp2
from fuseir.codegen.llvm.vector_math.logarithms import Split, ordinary, split, split_any
from fuseir.codegen.llvm.vector_math.values import Mask, Real, fma, where

_LARGEST_EXPONENT = 2048.0
"""Exponents from here on overflow or underflow, whatever they lost."""


def _log2(number: Split) -> tuple[Real, Real]:
    """``k + log2(m)``, in two parts, the second below 2^-13: ``2 s/log(2) + 2 s³/(3 log(2)) + …``."""
    m, element = number.m, number.m.form.element
    first, first_rest = parts(LOG2_E * 2, element, 2)
    third, third_rest = parts(LOG2_E * 2 / 3, element, 2)
    f, below = m - 1.0, m + 1.0
    inverse = 1.0 / below
    s = f * inverse
    s_rest = fma(-s, m - (below - 1.0), fma(-s, below, f)) * inverse
    z = s * s
    z_rest = fma(s, s_rest + s_rest, fma(s, s, -z))
    cube = s * z
    cube_rest = fma(s, z, -cube) + fma(s, z_rest, s_rest * z)
    a, b = s * first, cube * third
    a_rest = fma(s, first, -a) + fma(s_rest, first, s * first_rest)
    b_rest = fma(cube, third, -b) + fma(cube_rest, third, cube * third_rest)
    others = cube * z * m.form.polynomial(coefficients.LOG2_REST[element.bits], z)
    high = a + b
    rest = (b - (high - a)) + (a_rest + (b_rest + others))
    total = number.k + high
    return total, (high - (total - number.k)) + rest


def _short(x: Real, y: Real) -> Real:
    """The power of a positive normal number."""
    high, low = _log2(split(x))
    return _power(high, low, y)


def _power(high: Real, low: Real, y: Real) -> Real:
    """``2^(y (high + low))``."""
    exponent = y * high
    rest = fma(y, low, fma(y, high, -exponent))
    return exp2(exponent, where(abs(exponent) < _LARGEST_EXPONENT, rest, 0.0))


def _complete(x: Real, y: Real) -> Real:
    """With C's special values: infinite logarithms and exponents make most of them."""
    form = x.form
    a = abs(x)
    high, low = _log2(split_any(a))
    high = where(a.equals(0.0), -math.inf, where(a < math.inf, high, a))
    result = where(a.equals(1.0), 1.0, _power(high, low, y))
    half = y * 0.5
    is_integer, is_even = (value.equals(form.call("trunc", value)) for value in (y, half))
    result = where((x.bits < 0) & is_integer & ~is_even, -result, result)
    result = where((x < 0.0) & (a < math.inf) & ~is_integer, math.nan, result)
    result = where(x.equals(x) & y.equals(y), result, math.nan)
    return where(y.equals(0.0) | x.equals(1.0), 1.0, result)


def _reach(x: Real, y: Real) -> Mask:
    return ordinary(x) & (abs(y) < math.inf)


power = Body(_complete, _short, _reach)
