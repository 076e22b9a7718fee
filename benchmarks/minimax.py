"""Coefficients of the vector math functions: minimax polynomials by Remez's exchange in 70-digit arithmetic.

    python benchmarks/minimax.py [name ...]

Writes ``fuseir/codegen/llvm/vector_math/coefficients.py``, or prints what the polynomials named would be. Each polynomial
``P`` minimises the largest of ``|w(t) (P(t) - g(t))|`` over an interval; ``w`` turns an error of ``P`` into a relative error of
the function. The coefficients are then rounded to the element type. (Remez 1934; Muller, "Elementary Functions", chapter 3.)
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, getcontext
from functools import cache
from math import log2
from pathlib import Path

getcontext().prec = 70
TARGET = Path(__file__).parents[1] / "fuseir/codegen/llvm/vector_math/coefficients.py"

Function = Callable[[Decimal], Decimal]


def series(term: Decimal, following: Callable[[Decimal, int], Decimal]) -> Decimal:
    """The sum of a power series: its first term, and each from the one before, until they no longer count."""
    total, count = term, 0
    while abs(term) > Decimal("1e-75"):
        count += 1
        term = following(term, count)
        total += term
    return total


def sin(x: Decimal) -> Decimal:
    return series(x, lambda term, n: -term * x * x / (2 * n * (2 * n + 1)))


def cos(x: Decimal) -> Decimal:
    return series(Decimal(1), lambda term, n: -term * x * x / (2 * n * (2 * n - 1)))


def asin(x: Decimal) -> Decimal:
    return series(x, lambda term, n: term * x * x * (2 * n - 1) ** 2 / (2 * n * (2 * n + 1)))


def atan(x: Decimal) -> Decimal:
    return series(x, lambda term, n: -term * x * x * (2 * n - 1) / (2 * n + 1))


def expm1(x: Decimal) -> Decimal:
    return series(x, lambda term, n: term * x / (n + 1))


def log1p(x: Decimal) -> Decimal:
    return (1 + x).ln()


PI = 6 * asin(Decimal("0.5"))


@cache
def erfcx(x: Decimal) -> Decimal:
    """``exp(x²) erfc(x)`` for x >= 0: by the series of erf, or by Laplace's continued fraction where that would cancel."""
    if x < 4:
        # erf(x) = 2/√π exp(-x²) Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1))
        return (x * x).exp() - 2 / PI.sqrt() * series(x, lambda term, n: term * 2 * x * x / (2 * n + 1))
    fraction = x
    for n in range(1000, 0, -1):
        fraction = x + Decimal(n) / 2 / fraction
    return 1 / (PI.sqrt() * fraction)


def log_erfc(x: Decimal) -> Decimal:
    return erfcx(x).ln() - x * x


def erfc(x: Decimal) -> Decimal:
    return erfcx(x) * (-x * x).exp()


@dataclass(frozen=True)
class Problem:
    """One polynomial: the function it stands for, the weight, the interval and the degree for each width of element."""

    meaning: str
    function: Function
    weight: Function
    interval: dict[int, tuple[Decimal, Decimal]]
    degree: dict[int, int]
    lead: bool = False
    """Whether the constant coefficient is a number of its own, in two floats."""


def both(low: Decimal, high: Decimal) -> dict[int, tuple[Decimal, Decimal]]:
    return {64: (low, high), 32: (low, high)}


def of_square(function: Function) -> tuple[Function, Function]:
    """``g(z) = (f(√z)/√z - 1)/z`` of an odd ``f``, and the weight that makes errors relative to ``f``."""

    def g(z: Decimal) -> Decimal:
        root = z.sqrt()
        return (function(root) / root - 1) / z

    return g, lambda z: z * z.sqrt() / function(z.sqrt())


def log2_rest(z: Decimal) -> Decimal:
    """What the first two terms of the series of log2 leave."""
    return 2 / LN2 * series_of_artanh_from_fifth(z)


def series_of_artanh_from_fifth(z: Decimal) -> Decimal:
    """``1/5 + z/7 + z²/9 + …``."""
    total, power, n = Decimal(0), Decimal(1), 5
    while power > Decimal("1e-75"):
        total, power, n = total + power / n, power * z, n + 2
    return total


def of_erf() -> tuple[Function, Function]:
    """``g(z) = erf(√z)/√z - 1``, and the weight that makes errors relative to erfc, which is where this is used."""
    return lambda z: (1 - erfc(z.sqrt())) / z.sqrt() - 1, lambda z: z.sqrt()


LN2 = Decimal(2).ln()
HALF_LN2 = LN2 / 2 * Decimal("1.0001")
ROOT = Decimal(2).sqrt()
TINY = Decimal("1e-12")


def erfcx_by_fraction(t: Decimal) -> Decimal:
    """``(x + 3) exp(x²) erfc(x)`` of ``t = (x - 3)/(x + 3)``."""
    x = 3 * (1 + t) / (1 - t)
    return erfcx(x) * (x + 3)


def fraction(x: str) -> Decimal:
    return (Decimal(x) - 3) / (Decimal(x) + 3)


PROBLEMS = {
    "EXP": Problem(
        "(exp(r) - 1 - r)/r², |r| <= log(2)/2",
        lambda r: (expm1(r) - r) / (r * r),
        lambda r: r * r / expm1(r),
        both(-HALF_LN2, HALF_LN2),
        {64: 9, 32: 4},
    ),
    "LOG": Problem(
        "(log((1 + s)/(1 - s)) - 2s)/s³ of z = s², s = f/(2 + f), 1 + f from √½ to √2",
        lambda z: (((1 + z.sqrt()) / (1 - z.sqrt())).ln() - 2 * z.sqrt()) / (z * z.sqrt()),
        lambda z: z / 2,
        {64: (TINY, ((ROOT - 1) / (ROOT + 1)) ** 2)},
        {64: 6},
    ),
    "LOG1P": Problem(
        "(log(1 + f) - f + f²/2)/f³, 1 + f from √½ to √2",
        lambda f: (log1p(f) - f + f * f / 2) / f**3,
        lambda f: f**3 / log1p(f),
        {32: (1 / ROOT - 1, ROOT - 1)},
        {32: 7},
    ),
    "LOG2_REST": Problem(
        "(log2((1 + s)/(1 - s)) - 2s/log(2) - 2s³/(3 log(2)))/s⁵ of z = s², s as for LOG",
        log2_rest,
        lambda z: z * z / (2 / LN2),
        both(TINY, ((ROOT - 1) / (ROOT + 1)) ** 2),
        {64: 6, 32: 2},
    ),
    "LOG_ERFC": Problem(
        "log(erfc(x))/x, x from 0 to where erf(x) rounds to 1",
        lambda x: log_erfc(x) / x,
        lambda x: x * erfc(x) / (1 - erfc(x)),
        {64: (TINY, Decimal("5.95")), 32: (TINY, Decimal("3.95"))},
        {64: 23, 32: 8},
        lead=True,
    ),
    "ERFCX": Problem(
        "(x + 3) exp(x²) erfc(x) of t = (x - 3)/(x + 3), x from 0 to where erfc(x) rounds to 0",
        erfcx_by_fraction,
        lambda t: 1 / erfcx_by_fraction(t),
        {32: (Decimal(-1), fraction("10.1"))},
        {32: 9},
    ),
    "ERF": Problem("(erf(x) - x)/x of z = x², |x| <= ½", *of_erf(), {32: (TINY, Decimal("0.25"))}, {32: 4}),
    "SIN": Problem("(sin(r) - r)/r³ of z = r², |r| <= π/2", *of_square(sin), both(TINY, PI * PI / 4), {64: 7, 32: 3}),
    "SIN_QUARTER": Problem(
        "(sin(r) - r)/r³ of z = r², |r| <= π/4", *of_square(sin), both(TINY, PI * PI / 16), {64: 5, 32: 2}
    ),
    "COS_QUARTER": Problem(
        "(cos(r) - 1 + r²/2)/r⁴ of z = r², |r| <= π/4",
        lambda z: (cos(z.sqrt()) - 1 + z / 2) / (z * z),
        lambda z: z * z / cos(z.sqrt()),
        both(TINY, PI * PI / 16),
        {64: 5, 32: 2},
    ),
    "ASIN": Problem(
        "(asin(x) - x)/x³ of z = x², |x| <= ½", *of_square(asin), both(TINY, Decimal("0.25")), {64: 11, 32: 4}
    ),
    "ATAN": Problem(
        "(atan(x) - x)/x³ of z = x², |x| <= tan(π/8)", *of_square(atan), both(TINY, (ROOT - 1) ** 2), {64: 10, 32: 4}
    ),
}


def solved(matrix: list[list[Decimal]]) -> list[Decimal]:
    """The solution of a linear system, the right side being its last column."""
    size = len(matrix)
    rows = [list(row) for row in matrix]
    for column in range(size):
        best = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[best] = rows[best], rows[column]
        for row in range(size):
            if row != column and rows[row][column]:
                factor = rows[row][column] / rows[column][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [rows[place][size] / rows[place][place] for place in range(size)]


def value(coefficients: list[Decimal], t: Decimal) -> Decimal:
    total = Decimal(0)
    for coefficient in reversed(coefficients):
        total = total * t + coefficient
    return total


def minimax(problem: Problem, bits: int) -> tuple[list[Decimal], Decimal]:
    """Coefficients from the constant one on, and the largest weighted error."""
    (low, high), degree = problem.interval[bits], problem.degree[bits]
    centre, radius = (low + high) / 2, (high - low) / 2
    count = degree + 2
    grid = [centre - radius * cos(PI * (2 * k + 1) / (64 * count)) for k in range(32 * count)]
    exact = [problem.function(t) for t in grid]
    weights = [abs(problem.weight(t)) for t in grid]
    # The first reference: Chebyshev's extreme points.
    reference = [round((32 * count - 1) * k / (count - 1)) for k in range(count)]
    coefficients: list[Decimal] = []
    worst = Decimal(0)
    for _ in range(20):
        system = [
            [*(((grid[i] - centre) / radius) ** power for power in range(degree + 1)), (-1) ** k / weights[i], exact[i]]
            for k, i in enumerate(reference)
        ]
        *scaled, level = solved([[Decimal(entry) for entry in row] for row in system])
        errors = [(value(scaled, (t - centre) / radius) - g) * w for t, g, w in zip(grid, exact, weights, strict=True)]
        coefficients, worst = unscaled(scaled, centre, radius), max(map(abs, errors))
        if worst < abs(level) * Decimal("1.001"):
            break
        reference = extremes(errors, count)
    return coefficients, worst


def unscaled(scaled: list[Decimal], centre: Decimal, radius: Decimal) -> list[Decimal]:
    """Coefficients in ``t`` of a polynomial in ``(t - centre)/radius``."""
    result = [Decimal(0)]
    for coefficient in reversed(scaled):
        shifted = [Decimal(0), *(c / radius for c in result)]
        shifted = [a - b for a, b in zip(shifted, [*(c * centre / radius for c in result), Decimal(0)], strict=True)]
        shifted[0] += coefficient
        result = shifted
    return result[: len(scaled)]


def extremes(errors: list[Decimal], count: int) -> list[int]:
    """Where the error is extreme, signs alternating: ``count`` places, the least ones at the ends left out."""
    places: list[int] = []
    for i, error in enumerate(errors):
        if places and (errors[places[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[places[-1]]):
                places[-1] = i
        else:
            places.append(i)
    while len(places) > count:
        places.pop(0 if abs(errors[places[0]]) < abs(errors[places[-1]]) else -1)
    assert len(places) == count, "the error has too few extremes: no best polynomial of this degree"
    return places


def rounded(coefficient: Decimal, bits: int) -> float:
    number = float(coefficient)
    return number if bits == 64 else struct.unpack("<f", struct.pack("<f", number))[0]


def main(names: list[str]) -> None:
    lines = [
        '"""Coefficients of minimax polynomials, from the constant one on: written by ``benchmarks/minimax.py``."""',
        "",
        "from __future__ import annotations",
    ]
    for name, problem in PROBLEMS.items():
        if names and name not in names:
            continue
        lines += ["", f"{name} = {{"]
        remarks: list[str] = []
        leads: list[str] = []
        for bits in sorted(problem.degree):
            coefficients, worst = minimax(problem, bits)
            remarks.append(f"f{bits} to 2^{log2(worst):.1f}")
            if problem.lead:
                lead, *coefficients = coefficients
                high = rounded(lead, bits)
                leads.append(f"    {bits}: ({high!r}, {rounded(lead - Decimal(high), bits)!r}),")
            lines += [f"    {bits}: ("]
            lines += [f"        {rounded(c, bits)!r}," for c in coefficients]
            lines += ["    ),"]
        lines += ["}", f'"""{problem.meaning}; {", ".join(remarks)}."""']
        if leads:
            lines += [
                "",
                f"{name}_LEAD = {{",
                *leads,
                "}",
                f'"""The constant coefficient of {name}, in two parts."""',
            ]
        print(name, *remarks, file=sys.stderr)
    if names:
        print("\n".join(lines))
    else:
        TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
