"""Scalar element types and constants as CUDA C++ sees them.

Integers are signless in kernels and wrap, so they are unsigned in C++, where that is defined; what reads one as signed says so.
"""

from __future__ import annotations

import math
import struct

from fuseir.codegen.elements import ElementType

_NAMES = {
    "i1": "bool",
    "i8": "u8",
    "i16": "u16",
    "i32": "u32",
    "i64": "u64",
    "index": "u64",
    "f32": "float",
    "f64": "double",
}


def cpp_type(element: ElementType) -> str:
    """The type of a value in registers."""
    return _NAMES[element.name]


def memory_type(element: ElementType) -> str:
    """The type of an element in memory: a boolean is a byte."""
    return _NAMES[element.memory.name]


def signed_type(element: ElementType) -> str:
    """The type that reads an integer of at least 8 bits as signed."""
    return "s" + _NAMES[element.name][1:]


def literal(element: ElementType, number: bool | int | float) -> str:
    """A constant, exact to the bit; integers wrap to the type's width."""
    if element.is_float:
        return _float_literal(element, float(number))
    bits = int(number) & ((1 << element.bits) - 1)
    if element.bits == 1:
        return "true" if bits else "false"
    digits = str(bits) if bits < 1 << 31 else hex(bits)
    if element.bits < 32:
        return f"{cpp_type(element)}({digits})"
    return digits + ("u" if element.bits == 32 else "ull")


def _float_literal(element: ElementType, number: float) -> str:
    single = element.bits == 32
    if single and math.isfinite(number):
        try:
            number = struct.unpack("<f", struct.pack("<f", number))[0]
        except OverflowError:  # rounds to infinity, struct refuses
            number = math.copysign(math.inf, number)
    if not math.isfinite(number):
        number = math.copysign(math.nan, 1.0) if math.isnan(number) else number
        form = "<I" if single else "<Q"
        bits = struct.unpack(form, struct.pack("<f" if single else "<d", number))[0]
        # There is no literal for these, and no header either.
        return (
            f"__int_as_float({_as_signed(bits, 32)})" if single else f"__longlong_as_double({_as_signed(bits, 64)}ll)"
        )
    mantissa, exponent = number.hex().split("p")
    text = f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}p{exponent}{'f' if single else ''}"
    return f"({text})" if text.startswith("-") else text


def _as_signed(bits: int, width: int) -> str:
    """Bits as the hexadecimal literal of a signed number; only those of negative infinity have the sign bit."""
    low = bits & ((1 << (width - 1)) - 1)
    return hex(bits) if low == bits else f"-{hex((1 << width) - bits)}"
