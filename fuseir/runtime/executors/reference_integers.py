"""Integer operations for the reference executor: total, as docs/kernels.md §2 defines them.

Values are NumPy arrays of int8…int64, or of bool for ``i1``. A bit pattern has two readings: ``signed`` (where ``i1`` true is -1) and
``unsigned`` (where it is 1); every function reads its operands one way and gives back the type it got.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]


def bits(dtype: np.dtype[Any]) -> int:
    """The width of an integer type; 1 for bool."""
    return 1 if dtype.kind == "b" else 8 * dtype.itemsize


def signed(a: Array) -> Array:
    """The signed reading: int8…int64."""
    return -a.astype(np.int8) if a.dtype.kind == "b" else a.view(f"i{a.dtype.itemsize}")


def unsigned(a: Array) -> Array:
    """The unsigned reading: uint8…uint64."""
    return a.astype(np.uint8) if a.dtype.kind == "b" else a.view(f"u{a.dtype.itemsize}")


def wrap(a: Array, dtype: np.dtype[Any]) -> Array:
    """The low bits of ``a`` as ``dtype``."""
    return (np.asarray(a) & 1).astype(np.bool_) if dtype.kind == "b" else np.asarray(a).astype(dtype)


def _on_signed(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda a, b: wrap(function(signed(a), signed(b)), a.dtype)


def _on_unsigned(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda a, b: wrap(function(unsigned(a), unsigned(b)), a.dtype)


# Division. Where it would trap, the divisor is replaced before and the result after.


def _divide_signed(a: Array, b: Array, rounding: str) -> Array:
    zero, minus_one = b == 0, b == -1
    safe = np.where(zero | minus_one, b.dtype.type(1), b)
    remainder = np.fmod(a, safe)  # C's: it has the sign of the dividend
    quotient = (a - remainder) // safe
    signs_differ = (a < 0) != (safe < 0)
    if rounding == "down":
        quotient = quotient - ((remainder != 0) & signs_differ)
    elif rounding == "up":
        quotient = quotient + ((remainder != 0) & ~signs_differ)
    return np.where(zero, 0, np.where(minus_one, np.negative(a), quotient))


def _remainder_signed(a: Array, b: Array) -> Array:
    trapping = (b == 0) | (b == -1)
    return np.where(trapping, 0, np.fmod(a, np.where(trapping, b.dtype.type(1), b)))


def _divide_unsigned(a: Array, b: Array, rounding: str) -> Array:
    zero = b == 0
    safe = np.where(zero, b.dtype.type(1), b)
    quotient = a // safe
    if rounding == "up":
        quotient = quotient + (a % safe != 0)
    return np.where(zero, 0, quotient)


def _remainder_unsigned(a: Array, b: Array) -> Array:
    zero = b == 0
    return np.where(zero, 0, a % np.where(zero, b.dtype.type(1), b))


# Shifts. The amount is read as unsigned; NumPy leaves the width and beyond to the machine.


def _shift_left(a: Array, b: Array) -> Array:
    too_far = unsigned(b) >= bits(a.dtype)
    return wrap(np.where(too_far, 0, unsigned(a) << np.where(too_far, 0, unsigned(b))), a.dtype)


def _shift_right_unsigned(a: Array, b: Array) -> Array:
    too_far = unsigned(b) >= bits(a.dtype)
    return wrap(np.where(too_far, 0, unsigned(a) >> np.where(too_far, 0, unsigned(b))), a.dtype)


def _shift_right_signed(a: Array, b: Array) -> Array:
    last = bits(a.dtype) - 1
    return wrap(signed(a) >> np.minimum(unsigned(b), last).astype(signed(a).dtype), a.dtype)


# Powers and bits.


def _power(a: Array, b: Array) -> Array:
    """``a ** b``; with a negative exponent the power of the truncated inverse, which is 1, -1 or (for all other bases) 0."""
    base, exponent = signed(a), signed(b)
    odd = (exponent & 1) == 1
    inverse = np.where(base == 1, 1, np.where(base == -1, np.where(odd, -1, 1), 0))
    negative = exponent < 0
    result, square, left = np.ones_like(base), base, np.where(negative, 0, exponent)
    while np.any(left):
        result = np.where(left & 1, result * square, result)
        square = square * square
        left = left >> 1
    return wrap(np.where(negative, inverse, result), a.dtype)


def absolute(a: Array) -> Array:
    """``math.absi``: the lowest value stays."""
    return wrap(np.abs(signed(a)), a.dtype)


def count_ones(a: Array) -> Array:
    """``math.ctpop``."""
    return wrap(np.bitwise_count(unsigned(a)), a.dtype)


def count_leading_zeros(a: Array) -> Array:
    """``math.ctlz``: the width for 0."""
    smeared, width = unsigned(a), bits(a.dtype)
    for shift in (1, 2, 4, 8, 16, 32):
        if shift < width:
            smeared = smeared | (smeared >> smeared.dtype.type(shift))
    return wrap(width - np.bitwise_count(smeared), a.dtype)


def count_trailing_zeros(a: Array) -> Array:
    """``math.cttz``: the width for 0."""
    x = unsigned(a)
    ones_below_lowest = np.bitwise_count(~x & (x - x.dtype.type(1)))
    return wrap(np.minimum(ones_below_lowest, bits(a.dtype)), a.dtype)


BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "arith.addi": _on_unsigned(np.add),
    "arith.subi": _on_unsigned(np.subtract),
    "arith.muli": _on_unsigned(np.multiply),
    "arith.andi": _on_unsigned(np.bitwise_and),
    "arith.ori": _on_unsigned(np.bitwise_or),
    "arith.xori": _on_unsigned(np.bitwise_xor),
    "arith.minsi": _on_signed(np.minimum),
    "arith.maxsi": _on_signed(np.maximum),
    "arith.minui": _on_unsigned(np.minimum),
    "arith.maxui": _on_unsigned(np.maximum),
    "arith.divsi": _on_signed(lambda a, b: _divide_signed(a, b, "to zero")),
    "arith.floordivsi": _on_signed(lambda a, b: _divide_signed(a, b, "down")),
    "arith.ceildivsi": _on_signed(lambda a, b: _divide_signed(a, b, "up")),
    "arith.remsi": _on_signed(_remainder_signed),
    "arith.divui": _on_unsigned(lambda a, b: _divide_unsigned(a, b, "to zero")),
    "arith.ceildivui": _on_unsigned(lambda a, b: _divide_unsigned(a, b, "up")),
    "arith.remui": _on_unsigned(_remainder_unsigned),
    "arith.shli": _shift_left,
    "arith.shrui": _shift_right_unsigned,
    "arith.shrsi": _shift_right_signed,
    "math.ipowi": _power,
}
"""Operations on two integers of one type."""

UNARY: dict[str, Callable[[Array], Array]] = {
    "math.absi": absolute,
    "math.ctpop": count_ones,
    "math.ctlz": count_leading_zeros,
    "math.cttz": count_trailing_zeros,
}
"""Operations on one integer."""

COMPARISONS: tuple[tuple[Callable[[Array, Array], Array], Callable[[Array], Array]], ...] = (
    (np.equal, unsigned),
    (np.not_equal, unsigned),
    (np.less, signed),
    (np.less_equal, signed),
    (np.greater, signed),
    (np.greater_equal, signed),
    (np.less, unsigned),
    (np.less_equal, unsigned),
    (np.greater, unsigned),
    (np.greater_equal, unsigned),
)
"""``arith.cmpi`` by its predicate's number: eq ne slt sle sgt sge ult ule ugt uge; the comparison, and how it reads its operands."""
