"""Emitters of arithmetic, comparisons, logic and bit operations: NumPy's answers on every element type.

An emitter gets operands already converted to the types of NumPy's loop, ``types`` (operands first, then the result).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Operation, SSAValue

from fuseir.dialects import ufunc
from fuseir.lang.elements import Elements, Predicate
from fuseir.lang.functions import COMPARISONS
from fuseir.lang.types import BOOL, INT64, UINT64, is_float, is_signed, width

Types = Sequence[np.dtype]
Operands = Sequence[SSAValue]
Emitter = Callable[[Elements, Operands, Types], SSAValue]
_MakeBinary = Callable[[SSAValue, SSAValue], Operation]


def _binary(make: _MakeBinary) -> Emitter:
    """An operation that is the same on every type it is defined for."""

    def emit(to: Elements, operands: Operands, types: Types) -> SSAValue:
        return to.add(make(operands[0], operands[1]))

    return emit


def _by_type(on_floats: _MakeBinary, on_integers: _MakeBinary, on_booleans: _MakeBinary) -> Emitter:
    """An operation that is one operation on each kind of type."""

    def emit(to: Elements, operands: Operands, types: Types) -> SSAValue:
        make = on_floats if is_float(types[0]) else on_booleans if types[0] == BOOL else on_integers
        return to.add(make(operands[0], operands[1]))

    return emit


def _comparison(predicate: Predicate) -> Emitter:
    def emit(to: Elements, operands: Operands, types: Types) -> SSAValue:
        left, right = operands
        if types[0] == types[1]:
            return to.compare(predicate, left, right, types[0])
        # NumPy compares i64 with u64 exactly, though the two have no common integer type.
        if types[0] == INT64:
            return _compare_signed_unsigned(to, predicate, left, right)
        mirrored = _MIRRORED.get(predicate, predicate)
        return _compare_signed_unsigned(to, mirrored, right, left)

    return emit


_MIRRORED: dict[Predicate, Predicate] = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def _compare_signed_unsigned(to: Elements, predicate: Predicate, signed: SSAValue, unsigned: SSAValue) -> SSAValue:
    negative = to.compare("lt", signed, to.constant(0, INT64), INT64)
    as_unsigned = to.compare(predicate, signed, unsigned, UINT64)
    if predicate in ("lt", "le", "ne"):
        return to.either(negative, as_unsigned)
    return to.both(to.invert(negative, BOOL), as_unsigned)


def _logical(make: _MakeBinary) -> Emitter:
    def emit(to: Elements, operands: Operands, types: Types) -> SSAValue:
        return to.add(make(to.truth(operands[0], types[0]), to.truth(operands[1], types[1])))

    return emit


def _logical_not(to: Elements, operands: Operands, types: Types) -> SSAValue:
    return to.invert(to.truth(operands[0], types[0]), BOOL)


def _negative(to: Elements, operands: Operands, types: Types) -> SSAValue:
    if is_float(types[0]):
        return to.add(arith.NegfOp(operands[0]))
    return to.add(arith.SubiOp(to.constant(0, types[0]), operands[0]))


def _positive(to: Elements, operands: Operands, types: Types) -> SSAValue:
    return operands[0]


def _invert(to: Elements, operands: Operands, types: Types) -> SSAValue:
    return to.invert(operands[0], types[0])


def _absolute(to: Elements, operands: Operands, types: Types) -> SSAValue:
    if is_float(types[0]):
        return to.add(math.AbsFOp(operands[0]))
    return to.add(math.AbsIOp(operands[0])) if is_signed(types[0]) else operands[0]


def _square(to: Elements, operands: Operands, types: Types) -> SSAValue:
    return EMITTERS["multiply"](to, (operands[0], operands[0]), types)


def _reciprocal(to: Elements, operands: Operands, types: Types) -> SSAValue:
    one = to.constant(1, types[0])
    if is_float(types[0]):
        return to.add(arith.DivfOp(one, operands[0]))
    return to.add((arith.DivSIOp if is_signed(types[0]) else arith.DivUIOp)(one, operands[0]))


def _sign(to: Elements, operands: Operands, types: Types) -> SSAValue:
    (x,), dtype = operands, types[0]
    zero, one = to.constant(0, dtype), to.constant(1, dtype)
    # Not x itself where x is zero: NumPy's sign of -0.0 is +0.0.
    result = to.select(to.compare("eq", x, zero, dtype), zero, x) if is_float(dtype) else zero
    if is_float(dtype) or is_signed(dtype):
        result = to.select(to.compare("lt", x, zero, dtype), to.constant(-1, dtype), result)
    return to.select(to.compare("gt", x, zero, dtype), one, result)


def _floor_divide(to: Elements, operands: Operands, types: Types) -> SSAValue:
    x, y = operands
    if is_float(types[0]):
        return _float_divmod(to, x, y, types[0])[0]
    return to.add(arith.FloorDivSIOp(x, y) if is_signed(types[0]) else arith.DivUIOp(x, y))


def _remainder(to: Elements, operands: Operands, types: Types) -> SSAValue:
    (x, y), dtype = operands, types[0]
    if is_float(dtype):
        return _float_divmod(to, x, y, dtype)[1]
    if not is_signed(dtype):
        return to.add(arith.RemUIOp(x, y))
    # C's remainder has the sign of x, Python's that of y: where they differ, one more y.
    remainder, zero = to.add(arith.RemSIOp(x, y)), to.constant(0, dtype)
    opposite = to.compare("lt", to.differ(remainder, y), zero, dtype)
    wrong = to.both(to.compare("ne", remainder, zero, dtype), opposite)
    return to.select(wrong, to.add(arith.AddiOp(remainder, y)), remainder)


def _float_divmod(to: Elements, x: SSAValue, y: SSAValue, dtype: np.dtype) -> tuple[SSAValue, SSAValue]:
    """Quotient towards minus infinity and remainder with the sign of y, rounding where NumPy rounds."""
    zero, one = to.constant(0.0, dtype), to.constant(1.0, dtype)
    truncated = to.add(ufunc.FmodOp(x, y))
    exact = to.compare("eq", truncated, zero, dtype)
    # x - fmod(x, y) is so near a multiple of y that the quotient is off by less than one half.
    quotient = to.add(arith.DivfOp(to.add(arith.SubfOp(x, truncated)), y))
    signs_differ = to.differ(to.compare("lt", y, zero, dtype), to.compare("lt", truncated, zero, dtype))
    step = to.both(to.invert(exact, BOOL), signs_differ)
    remainder = to.select(step, to.add(arith.AddfOp(truncated, y)), truncated)
    remainder = to.select(exact, to.add(math.CopySignOp(zero, y)), remainder)
    quotient = to.select(step, to.add(arith.SubfOp(quotient, one)), quotient)

    floor = to.add(math.FloorOp(quotient))
    above = to.compare("gt", to.add(arith.SubfOp(quotient, floor)), to.constant(0.5, dtype), dtype)
    rounded = to.select(above, to.add(arith.AddfOp(floor, one)), floor)
    plain = to.add(arith.DivfOp(x, y))
    signed_zero = to.add(math.CopySignOp(zero, plain))
    floored = to.select(to.compare("eq", quotient, zero, dtype), signed_zero, rounded)

    by_zero = to.compare("eq", y, zero, dtype)
    return to.select(by_zero, plain, floored), to.select(by_zero, truncated, remainder)


def _fmod(to: Elements, operands: Operands, types: Types) -> SSAValue:
    x, y = operands
    if is_float(types[0]):
        return to.add(ufunc.FmodOp(x, y))
    return to.add(arith.RemSIOp(x, y) if is_signed(types[0]) else arith.RemUIOp(x, y))


def _power(to: Elements, operands: Operands, types: Types) -> SSAValue:
    (base, exponent), dtype = operands, types[0]
    if is_float(dtype):
        return to.add(math.PowFOp(base, exponent))
    if is_signed(dtype):
        return to.add(math.IPowIOp(base, exponent))
    if dtype != UINT64:
        # `ipowi` reads the exponent as signed; in 64 bits it is not negative, and the low bits of the power are the same.
        wide = math.IPowIOp(to.cast(base, dtype, INT64), to.cast(exponent, dtype, INT64))
        return to.cast(to.add(wide), INT64, dtype)
    # An exponent of 2^63 or more: the powers of an odd base repeat after 2^62 (a multiple of the order of every odd number
    # modulo 2^64), so the exponent may be cut to 62 bits; an even base has lost all its bits.
    huge = to.compare("lt", exponent, to.constant(0, INT64), INT64)
    cut = to.select(huge, to.both(exponent, to.constant((1 << 62) - 1, INT64)), exponent)
    power = to.add(math.IPowIOp(base, cut))
    odd = to.add(arith.TruncIOp(base, IntegerType(1)))
    return to.select(to.both(huge, to.invert(odd, BOOL)), to.constant(0, UINT64), power)


def _extremum(predicate: Predicate, skips_nan: bool) -> Emitter:
    """minimum and maximum give the first NaN, fmin and fmax the other operand; on ties all give the second operand."""

    def emit(to: Elements, operands: Operands, types: Types) -> SSAValue:
        left, right = operands
        first = to.compare(predicate, left, right, types[0])
        if is_float(types[0]):
            first = to.either(first, to.is_nan(right if skips_nan else left))
        return to.select(first, left, right)

    return emit


def _right_shift(to: Elements, operands: Operands, types: Types) -> SSAValue:
    value, amount = operands
    return to.add(arith.ShRSIOp(value, amount) if is_signed(types[0]) else arith.ShRUIOp(value, amount))


def _bitwise_count(to: Elements, operands: Operands, types: Types) -> SSAValue:
    # NumPy counts the bits of the absolute value.
    count = to.add(math.CtPopOp(_absolute(to, operands, types)))
    unsigned = types[0] if types[0] == BOOL else np.dtype(f"u{width(types[0]) // 8}")
    return to.cast(count, unsigned, types[1])


EMITTERS: dict[str, Emitter] = {
    "add": _by_type(arith.AddfOp, arith.AddiOp, arith.OrIOp),
    "subtract": _by_type(arith.SubfOp, arith.SubiOp, arith.SubiOp),
    "multiply": _by_type(arith.MulfOp, arith.MuliOp, arith.AndIOp),
    "divide": _binary(arith.DivfOp),
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "fmod": _fmod,
    "power": _power,
    "float_power": _power,
    "negative": _negative,
    "positive": _positive,
    "absolute": _absolute,
    "square": _square,
    "reciprocal": _reciprocal,
    "sign": _sign,
    "minimum": _extremum("lt", skips_nan=False),
    "maximum": _extremum("gt", skips_nan=False),
    "fmin": _extremum("lt", skips_nan=True),
    "fmax": _extremum("gt", skips_nan=True),
    "logical_and": _logical(arith.AndIOp),
    "logical_or": _logical(arith.OrIOp),
    "logical_xor": _logical(arith.XOrIOp),
    "logical_not": _logical_not,
    "bitwise_and": _binary(arith.AndIOp),
    "bitwise_or": _binary(arith.OrIOp),
    "bitwise_xor": _binary(arith.XOrIOp),
    "invert": _invert,
    "left_shift": _binary(arith.ShLIOp),
    "right_shift": _right_shift,
    "bitwise_count": _bitwise_count,
    **{function: _comparison(predicate) for function, predicate in COMPARISONS.items()},
}
