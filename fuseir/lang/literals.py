"""Literals, and arithmetic on them: Python's, done when a kernel is made, within bounds that keep it instant."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, cast

Literal = int | float

LARGEST = (1 << 64) - 1
SMALLEST = -(1 << 63)
_LONGEST = 400  # digits; a double's exact decimal digits and then some


class LiteralError(ValueError):
    """Why a literal or an operation on literals has no value; a message for the caller's own error."""


def parse_number(digits: str) -> Literal:
    """The value of a numeric literal. Raises LiteralError."""
    if len(digits) > _LONGEST:
        raise LiteralError(f"a literal has at most {_LONGEST} characters")
    prefixed = len(digits) > 1 and digits[1] in "xXbBoO"
    if not prefixed and not digits.isdecimal():
        return float(digits)
    return _checked(int(digits, 0) if prefixed else int(digits))


def fold(sign: str, operands: list[Literal]) -> Literal | bool:
    """What Python computes for ``operands[0] sign operands[1]`` or ``sign operands[0]``. Raises LiteralError."""
    if len(operands) == 1 and sign == "not":
        return not operands[0]
    compute = _UNARY[sign] if len(operands) == 1 else _BINARY[sign]
    try:
        result = compute(*operands)
    except ZeroDivisionError:
        raise LiteralError("division by zero between literals") from None
    except OverflowError:
        raise LiteralError("this value is too large for a float") from None
    except TypeError:
        raise LiteralError(f"`{sign}` is not defined for float literals") from None
    except ValueError as error:
        raise LiteralError(str(error)) from None
    if isinstance(result, complex):
        raise LiteralError("this power is a complex number")
    return _checked(cast("Literal | bool", result))


def _checked(value: Literal | bool) -> Literal | bool:
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        raise LiteralError("an integer literal is between -2^63 and 2^64 - 1; write a larger value as a float: 1e20")
    return value


def _power(base: Literal, exponent: Literal) -> Literal:
    # Python would spend minutes on 9**9**9 before anyone could say that it is too large.
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1 and exponent > 64:
        return LARGEST + 1
    return base**exponent


def _left_shift(value: int, amount: int) -> int:
    return LARGEST + 1 if value and amount > 64 else value << amount


def _both(left: Literal, right: Literal) -> bool:
    return bool(left and right)


def _either(left: Literal, right: Literal) -> bool:
    return bool(left or right)


_UNARY: dict[str, Callable[..., Any]] = {"-": operator.neg, "+": operator.pos, "~": operator.invert}

_BINARY: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": _power,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": _left_shift,
    ">>": operator.rshift,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": _both,
    "or": _either,
}
