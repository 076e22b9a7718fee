"""Logarithms.

``x = 2^k (1 + f)`` with ``1 + f`` from √½ to √2, and ``log(1 + f) = f - (f²/2 - c)``, whose first term is exact and whose
others are small. In ``f64``, c comes from ``s = f/(2 + f)`` and the odd series ``log(1 + f) = 2 artanh(s)``, in ``f32`` from a
polynomial, as its degree is small. (Cody and Waite, "Software Manual for the Elementary Functions", 1980; for the form of the
terms, Sun's fdlibm, e_log.c, 1993.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.vector_math import coefficients
from fuseir.codegen.llvm.vector_math.body import Body
from fuseir.codegen.llvm.vector_math.constants import LN2, LOG2_E, LOG10_2, LOG10_E, parts
from fuseir.codegen.llvm.vector_math.exponentials import shifter
from fuseir.codegen.llvm.vector_math.values import Mask, Real, Whole, fma, where


def _bits_of(value: float, element: ElementType) -> int:
    """The encoding of a positive normal number, rounded down."""
    fraction, exponent = math.frexp(value)
    stored, bias = (52, 1023) if element.bits == 64 else (23, 127)
    return (exponent - 1 + bias << stored) + math.floor((2 * fraction - 1) * 2**stored)


@dataclass(frozen=True, slots=True)
class Split:
    """``2^k m`` with m from √½ to √2. ``shifted`` is k times the weight of an exponent in the encoding."""

    k: Real
    m: Real
    shifted: Whole


def split(x: Real) -> Split:
    """The exponent and significand of a positive normal number."""
    form = x.form
    bits = x.bits
    exponent = bits - _bits_of(math.sqrt(0.5), form.element) >> form.fraction_bits
    shifted = exponent << form.fraction_bits
    shift = shifter(form)
    # An integer added to the encoding of the shifter is added to its value: cheaper than a conversion, where there is one at all.
    k = (exponent + _bits_of(shift, form.element)).as_real - shift
    return Split(k, (bits - shifted).as_real, shifted)


def split_any(x: Real) -> Split:
    """The same of any positive number: a subnormal one is scaled first."""
    small = x < 2.0 ** (1 - x.form.bias)
    scale = x.form.fraction_bits + 1
    number = split(where(small, x * 2.0**scale, x))
    return replace(number, k=number.k - where(small, float(scale), 0.0))


def _beyond_first_term(f: Real) -> Real:
    """``f - log(1 + f)`` = ``f²/2 - c``."""
    form = f.form
    if form.element.bits == 32:
        square = f * f
        c = square * f * form.polynomial(coefficients.LOG1P[32], f)
        return fma(square, 0.5, -c)
    half_square = f * f * 0.5
    s = f / (f + 2.0)
    z = s * s
    return half_square - s * fma(z, form.polynomial(coefficients.LOG[64], z), half_square)


def _sum(k: Real, f: Real, base: Fraction | None, of_two: Fraction | None) -> Real:
    """``k L + f B - (f - log(1 + f)) B`` with B the logarithm of e in some base (None: 1) and L that of 2 (None: 1)."""
    element = f.form.element
    rest = _beyond_first_term(f)
    if base is None:
        small = -rest
    else:
        high, low = parts(base, element, 2)
        small = fma(f, low, rest * -high)
    if of_two is not None:
        small = fma(k, parts(of_two, element, 2)[1], small)
    value = f + small if base is None else fma(f, parts(base, element, 1)[0], small)
    return k + value if of_two is None else fma(k, parts(of_two, element, 1)[0], value)


def _special(argument: Real, otherwise: Real) -> Real:
    """What C defines where the logarithm's argument is not positive and finite; ``otherwise`` is NaN or infinite if that is."""
    return where(argument.equals(0.0), -math.inf, where(argument < 0.0, math.nan, otherwise))


def ordinary(x: Real) -> Mask:
    """Whether x is positive, finite and not subnormal."""
    bias = x.form.bias
    return _between(x, 2.0 ** (1 - bias), _bits_of(2.0**bias, x.form.element) + (1 << x.form.fraction_bits))


def _between(x: Real, low: float, high_bits: int) -> Mask:
    """``low <= x < high`` for positive normal numbers: by the encoding, and one comparison."""
    low_bits = _bits_of(low, x.form.element)
    return (x.bits - low_bits).below_unsigned(high_bits - low_bits)


def _logarithm(base: Fraction | None, of_two: Fraction | None) -> Body:
    """The logarithm to a base (see :func:`_sum`)."""

    def of_split(number: Split) -> Real:
        return _sum(number.k, number.m - 1.0, base, of_two)

    def complete(x: Real) -> Real:
        return where((x > 0.0) & (x < math.inf), of_split(split_any(x)), _special(x, x))

    def short(x: Real) -> Real:
        return of_split(split(x))

    return Body(complete, short, ordinary)


log, log2, log10 = _logarithm(None, LN2), _logarithm(LOG2_E, None), _logarithm(LOG10_E, LOG10_2)


def _log1p(x: Real) -> Real:
    """``log(1 + x)`` for x between -1 and 2^104 (2^46 in ``f32``)."""
    form = x.form
    # What the sum lost, which Knuth's differences give exactly, goes into f, scaled as the sum is.
    u = x + 1.0
    back = u - 1.0
    lost = (1.0 - (u - back)) + (x - back)
    number = split(u)
    scale = (form.integer_number(form.bias << form.fraction_bits) - number.shifted).as_real
    return _sum(number.k, fma(lost, scale, number.m - 1.0), None, LN2).with_sign_of(x)


def _log1p_reach(x: Real) -> Mask:
    fraction_bits = x.form.fraction_bits
    return _between(x + 1.0, 2.0 ** (-2 * fraction_bits), _bits_of(2.0 ** (2 * fraction_bits), x.form.element))


def _log1p_complete(x: Real) -> Real:
    u = x + 1.0
    result = where(_log1p_reach(x), _log1p(x), log.complete(x))
    return where(u > 0.0, result, _special(u, x))


log1p = Body(_log1p_complete, _log1p, _log1p_reach)
