"""The error function and its complement."""

from __future__ import annotations

from fuseir.codegen.llvm.vector_math import coefficients
from fuseir.codegen.llvm.vector_math.body import Body
from fuseir.codegen.llvm.vector_math.exponentials import exponential
from fuseir.codegen.llvm.vector_math.values import Real, fma, where

_ERF_LIMITS = {64: 5.95, 32: 3.95}
"""From here on erf rounds to 1."""

_ERFC_LIMIT = 10.1
"""From here on erfc is 0 in ``f32``."""


def erf(x: Real) -> Real:
    """``1 - e^q`` with a polynomial for ``q = log(erfc(|x|))``.

    One polynomial does, since log(erfc) is smooth to the right of its singularities at -1.35 ± 1.99i, and since errors of q count for less
    and less: the relative error of ``1 - e^q`` is at most that of q, and falls with ``e^q``.
    """
    form = x.form
    bits = form.element.bits
    a = abs(x).at_most(_ERF_LIMITS[bits])
    (high, low), rest = coefficients.LOG_ERFC_LEAD[bits], coefficients.LOG_ERFC[bits]
    q = fma(a, high, a * fma(a, form.polynomial(rest, a), low))
    return exponential(q).minus_one().with_sign_of(x)


def _erfc(x: Real) -> Real:
    """``e^(-x²) P(t)/(|x| + 3)`` with ``t = (|x| - 3)/(|x| + 3)``; for negative x, 2 less that. Around 0, ``1 - erf(x)``.

    (The mapping is Schonfelder's, "Chebyshev expansions for the error and related functions", 1978, with another constant.)
    """
    form = x.form
    a = abs(x).at_most(_ERFC_LIMIT)
    below = a + 3.0
    inverse = 1.0 / below
    # What the sum and the quotient lost, relative to the quotient.
    error = fma(below, -inverse, 1.0) - (a - (below - 3.0)) * inverse
    t = fma(inverse * error, -6.0, fma(inverse, -6.0, 1.0))
    factor = form.polynomial(coefficients.ERFCX[32], t) * inverse
    square = a * a
    power = exponential(-square, -fma(a, a, -square))
    value = power.scaled(fma(factor, power.p + error, factor))
    near = 1.0 - fma(x, form.polynomial(coefficients.ERF[32], x * x), x)
    return where(a < 0.5, near, where(x < 0.0, 2.0 - value, value))


erfc = Body(_erfc, widths=(32,))
"""In ``f64`` this would be less precise than glibc's, and no faster."""
