"""Trigonometric functions and their inverses.

Reduction subtracts ``n`` times a part of π in three parts (Cody and Waite, 1980): the first difference is exact, since
:func:`fma` rounds once, and the three together are π to about 160 bits (72 in ``f32``), which leaves r precise to an ulp up to
``REDUCTION_LIMITS``: no float so small lies closer to a multiple of π/2 than about 2^-60 (2^-30). Larger arguments go to the C
library.
"""

from __future__ import annotations

import math

from fuseir.codegen.llvm.vector_math import coefficients
from fuseir.codegen.llvm.vector_math.body import Body
from fuseir.codegen.llvm.vector_math.constants import PI, parts
from fuseir.codegen.llvm.vector_math.exponentials import shifter
from fuseir.codegen.llvm.vector_math.values import Mask, Real, fma, where

REDUCTION_LIMITS = {64: 2.0**30, 32: 2.0**16}
"""Magnitudes up to which sin, cos and tan are what is written here."""


def _reduced(x: Real, n: Real, divisor: int) -> Real:
    """``x - n π/divisor``, with the sign of x if that is zero: every product has that of n."""
    for part in parts(PI, x.form.element, 3, upwards=False):
        x = fma(n, -part / divisor, x)
    return x


def _sine(r: Real) -> Real:
    """``sin(r)`` for r from -π/2 to π/2, but for the sign of zero."""
    z = r * r
    return fma(r * z, r.form.polynomial(coefficients.SIN[r.form.element.bits], z), r)


def _sign(r: Real, odd: Real) -> Real:
    """r with the other sign where the lowest bit of ``odd`` is set."""
    form = r.form
    return (r.bits ^ (odd.bits << form.element.bits - 1)).as_real


def _sin(x: Real) -> Real:
    """``(-1)^n sin(r)`` with ``x = n π + r``."""
    shift = shifter(x.form)
    moved = fma(x, 1 / math.pi, shift)
    r = _reduced(x, moved - shift, 1)
    return _sine(r).with_sign_of(_sign(r, moved))


def _cos(x: Real) -> Real:
    """``-(-1)^n sin(r)`` with ``x = (n + ½) π + r``."""
    shift = shifter(x.form)
    moved = fma(x, 1 / math.pi, -0.5) + shift
    r = _reduced(x, (moved - shift) + 0.5, 1)
    return _sign(-_sine(r), moved)


def _tan(x: Real) -> Real:
    """``sin(r)/cos(r)`` with ``x = n π/2 + r``, or ``-cos(r)/sin(r)`` where n is odd."""
    form = x.form
    bits = form.element.bits
    shift = shifter(form)
    moved = fma(x, 2 / math.pi, shift)
    r = _reduced(x, moved - shift, 2)
    z = r * r
    sine = fma(r * z, form.polynomial(coefficients.SIN_QUARTER[bits], z), r).with_sign_of(r)
    cosine = fma(z * z, form.polynomial(coefficients.COS_QUARTER[bits], z), fma(z, -0.5, 1.0))
    even = (moved.bits & 1).equals(0)
    return where(even, sine, -cosine) / where(even, cosine, sine)


def _reach(x: Real) -> Mask:
    return abs(x) <= REDUCTION_LIMITS[x.form.element.bits]


sin, cos, tan = (Body(function, function, _reach, REDUCTION_LIMITS) for function in (_sin, _cos, _tan))


def _arc_sine_parts(x: Real) -> tuple[Real, Real, Real]:
    """``(y, w, |x|)`` with ``asin(y) = y + w``: y is ``|x|`` up to ½, then ``√((1 - |x|)/2)``."""
    form = x.form
    a = abs(x)
    above = a > 0.5
    z = where(above, fma(a, -0.5, 0.5), a * a)
    y = where(above, z.sqrt(), a)
    return y, y * z * form.polynomial(coefficients.ASIN[form.element.bits], z), a


def asin(x: Real) -> Real:
    """``y + w``, or ``π/2 - 2 (y + w)`` above ½."""
    y, w, a = _arc_sine_parts(x)
    high, low = (part / 2 for part in parts(PI, x.form.element, 2))
    reflected = fma(y, -2.0, high) + fma(w, -2.0, low)
    return where(a > 0.5, reflected, y + w).with_sign_of(x)


def acos(x: Real) -> Real:
    """``π/2 ∓ (y + w)``; above ½ ``2 (y + w)``, below -½ ``π - 2 (y + w)``."""
    y, w, a = _arc_sine_parts(x)
    high, low = parts(PI, x.form.element, 2)
    signed = (y.with_sign_of(x), w.with_sign_of(x))
    middle = (high / 2 - signed[0]) + (low / 2 - signed[1])
    twice = (y + w) * 2.0
    end = where(x < 0.0, fma(y, -2.0, high) + fma(w, -2.0, low), twice)
    return where(a > 0.5, end, middle)


def atan(x: Real) -> Real:
    """``base + atan(t)``: t is ``|x|``, ``(|x| - 1)/(|x| + 1)`` or ``-1/|x|``, the base 0, π/4 or π/2."""
    form = x.form
    a = abs(x)
    low, high = a > math.sqrt(2) - 1, a > math.sqrt(2) + 1
    numerator = where(high, -1.0, where(low, a - 1.0, a))
    denominator = where(high, a, where(low, a + 1.0, 1.0))
    t = numerator / denominator
    z = t * t
    w = t * z * form.polynomial(coefficients.ATAN[form.element.bits], z)
    first, second = parts(PI, form.element, 2)
    base = where(high, first / 2, where(low, first / 4, 0.0))
    rest = where(high, second / 2, where(low, second / 4, 0.0))
    return (base + (t + (w + rest))).with_sign_of(x)
