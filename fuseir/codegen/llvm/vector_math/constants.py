"""Irrational constants to 100 decimal digits, and how they are cut into floats."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from functools import cache

from fuseir.codegen.elements import ElementType


@cache
def parts(constant: Fraction, element: ElementType, count: int, upwards: bool = True) -> tuple[float, ...]:
    """Floats whose sum is the constant to ``count`` times the precision of ``element``: each is the rest, rounded.

    With ``upwards`` False none is greater than the rest, so that all are positive.
    """
    rest, result = constant, list[float]()
    for _ in range(count):
        # A double rounded to single once more: not always the nearest float, but the next part makes up for that.
        part = float(rest) if element.bits == 64 else struct.unpack("<f", struct.pack("<f", float(rest)))[0]
        if part > rest and not upwards:
            part = _below(part, element)
        result.append(part)
        rest -= Fraction(part)
    return tuple(result)


def _below(part: float, element: ElementType) -> float:
    """The float before a positive one."""
    if element.bits == 64:
        return math.nextafter(part, 0.0)
    return struct.unpack("<f", struct.pack("<I", struct.unpack("<I", struct.pack("<f", part))[0] - 1))[0]


LN2 = Fraction("0.6931471805599453094172321214581765680755001343602552541206800094933936219696947156058633269964186875")
LOG2_E = Fraction(
    "1.442695040888963407359924681001892137426645954152985934135449406931109219181185079885526622893506344"
)
LOG10_E = Fraction(
    "0.4342944819032518276511289189166050822943970058036665661144537831658646492088707747292249493384317483"
)
LOG10_2 = Fraction(
    "0.3010299956639811952137388947244930267681898814621085413104274611271081892744245094869272521181861720"
)
PI = Fraction("3.141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825342117068")
