"""Exponentials and hyperbolic functions.

All start from Cody and Waite's reduction, ``x = n log(2) + r`` with ``|r| <= log(2)/2``, and a minimax polynomial for
``exp(r) - 1``. What is subtracted from ``x`` is ``n`` times log(2) in two parts: the first product leaves an exact difference,
since :func:`fma` rounds once. (Cody and Waite, "Software Manual for the Elementary Functions", 1980; Muller, "Elementary
Functions", chapter 11.)
"""

from __future__ import annotations

from dataclasses import dataclass

from fuseir.codegen.llvm.vector_math import coefficients
from fuseir.codegen.llvm.vector_math.constants import LN2, LOG2_E, parts
from fuseir.codegen.llvm.vector_math.values import Form, Real, Whole, fma, where


@dataclass(frozen=True, slots=True)
class Exponential:
    """``exp(x) = 2^n (1 + p)``. ``stored`` holds ``n + offset`` in its low bits, as a float's encoding has it."""

    n: Real
    p: Real
    stored: Whole

    @property
    def power(self) -> Real:
        """``2^(n + offset)``, which must be a normal number."""
        return (self.stored << self.n.form.fraction_bits).as_real

    def scaled(self, value: Real) -> Real:
        """``2^n`` times a value near 1, rounded once also where that is subnormal or overflows. The offset must be 0."""
        form = self.n.form
        if form.has_scaling:
            return value.scaled_by(self.n)
        # Two powers: the first product is exact.
        exponent = self.stored - form.bias
        first = exponent >> 1
        powers = [(half + form.bias << form.fraction_bits).as_real for half in (first, exponent - first)]
        return value * powers[0] * powers[1]

    def minus_one(self) -> Real:
        """``exp(x) - 1`` for n from -100 to 100. As accurate as p for n = 0, whose sign of zero it loses."""
        power = self.power
        return fma(power, self.p, power - 1.0)


def shifter(form: Form) -> float:
    """Added to a number of moderate size, this leaves the nearest integer in the low bits of the sum."""
    return 1.5 * 2.0**form.fraction_bits


def exponential(x: Real, correction: Real | None = None, offset: int = 0) -> Exponential:
    """The exponential of ``x + correction``, the correction being below an ulp of ``x``; n must be less than 2^20."""
    form = x.form
    shift = shifter(form) + (form.bias + offset)
    moved = fma(x, float(LOG2_E), shift)
    n = moved - shift
    high, low = parts(LN2, form.element, 2)
    r = fma(n, -low, fma(n, -high, x))
    if correction is not None:
        r = r + correction
    return Exponential(n, _exp_minus_one(r), moved.bits)


def _exp_minus_one(r: Real) -> Real:
    form = r.form
    return fma(r * r, form.polynomial(coefficients.EXP[form.element.bits], r), r)


def _limited(x: Real, limits: dict[int, tuple[float, float]]) -> Real:
    low, high = limits[x.form.element.bits]
    return x.at_least(low).at_most(high)


_EXP_LIMITS = {64: (-746.0, 710.0), 32: (-104.5, 89.5)}
_EXP2_LIMITS = {64: (-1076.0, 1025.0), 32: (-151.0, 129.0)}
_EXPM1_LIMITS = {64: (-40.0, 710.0), 32: (-20.0, 89.0)}
_TANH_LIMITS = {64: 20.0, 32: 10.0}
_HALF_EXP_LIMITS = {64: 710.5, 32: 89.5}
"""Beyond these the results are 0, infinite, or do not change any more."""


def exp(x: Real) -> Real:
    """``e^x``."""
    result = exponential(_limited(x, _EXP_LIMITS))
    return result.scaled(result.p + 1.0)


def exp2(x: Real, rest: Real | None = None) -> Real:
    """``2^x``, exact for integers; of ``x + rest`` if there is a rest, which is below 1."""
    x = _limited(x, _EXP2_LIMITS)
    shift = shifter(x.form) + x.form.bias
    moved = (x if rest is None else x + rest) + shift
    n = moved - shift
    r = x - n if rest is None else (x - n) + rest
    result = Exponential(n, _exp_minus_one(r * float(LN2)), moved.bits)
    return result.scaled(result.p + 1.0)


def expm1(x: Real) -> Real:
    """``e^x - 1``. Half the power, since ``2^n`` may overflow where the result does not."""
    result = exponential(_limited(x, _EXPM1_LIMITS), offset=-1)
    power = result.power
    scaled = fma(power, result.p, power - 0.5) * 2.0
    return where(result.n.equals(0.0), result.p, scaled).with_sign_of(x)


def tanh(x: Real) -> Real:
    """``E/(E + 2)`` with ``E = e^(2|x|) - 1``."""
    a = abs(x).at_most(_TANH_LIMITS[x.form.element.bits])
    e = exponential(a + a).minus_one()
    return (e / (e + 2.0)).with_sign_of(x)


def sinh(x: Real) -> Real:
    """``(E + E/(E + 1))/2`` with ``E = e^|x| - 1``; a quarter of E, which may overflow."""
    a = abs(x).at_most(_HALF_EXP_LIMITS[x.form.element.bits])
    result = exponential(a, offset=-2)
    power = result.power
    quarter = fma(power, result.p, power - 0.25)
    value = (quarter + quarter / fma(quarter, 4.0, 1.0)) * 2.0
    return where(a < 2.0**-30, a, value).with_sign_of(x)


def cosh(x: Real) -> Real:
    """``(e^|x| + e^-|x|)/2``, by a quarter of the first."""
    result = exponential(abs(x).at_most(_HALF_EXP_LIMITS[x.form.element.bits]), offset=-2)
    power = result.power
    quarter = fma(power, result.p, power)
    return (quarter + 0.0625 / quarter) * 2.0
