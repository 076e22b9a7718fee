"""Scalar element types and values as LLVM sees them."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ElementType:
    """A scalar type: its name in the IR, whether it is a float, and its width in bits."""

    name: str
    is_float: bool
    bits: int

    @property
    def llvm(self) -> str:
        """The type of a value in registers."""
        if self.is_float:
            return "double" if self.bits == 64 else "float"
        return f"i{self.bits}"

    @property
    def memory(self) -> ElementType:
        """The type of an element in memory: a boolean is a byte."""
        return I8 if self.bits == 1 else self

    @property
    def bytes(self) -> int:
        """Size of an element in memory."""
        return max(self.bits // 8, 1)

    @property
    def signed_range(self) -> tuple[int, int]:
        """Least and greatest value of an integer type read as signed."""
        return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1


I1 = ElementType("i1", False, 1)
I8 = ElementType("i8", False, 8)
I16 = ElementType("i16", False, 16)
I32 = ElementType("i32", False, 32)
I64 = ElementType("i64", False, 64)
INDEX = ElementType("index", False, 64)
F32 = ElementType("f32", True, 32)
F64 = ElementType("f64", True, 64)


@dataclass(frozen=True, slots=True)
class Value:
    """An emitted value: how LLVM text refers to it, its element type, and its lanes (0 for a scalar).

    A literal is a constant; its ``ref`` is the scalar constant also when it is used as a vector.
    """

    ref: str
    element: ElementType
    lanes: int = 0
    is_literal: bool = False

    @property
    def llvm(self) -> str:
        """The LLVM type."""
        return llvm_type(self.element, self.lanes)


def llvm_type(element: ElementType, lanes: int) -> str:
    """The LLVM type of a scalar (``lanes`` 0) or vector of ``element``."""
    return f"<{lanes} x {element.llvm}>" if lanes else element.llvm


def mangled(llvm: str) -> str:
    """The suffix that names an overload of an intrinsic for a scalar or vector type."""
    if llvm.startswith("<"):
        lanes, _, element = llvm[1:-1].split()
        return f"v{lanes}{mangled(element)}"
    return {"double": "f64", "float": "f32", "ptr": "p0"}.get(llvm, llvm)


def literal(element: ElementType, number: bool | int | float) -> str:
    """A scalar constant as LLVM text, exact to the bit; integers wrap to the type's width."""
    if element.is_float:
        return _float_literal(element, float(number))
    if element.bits == 1:
        return "true" if int(number) & 1 else "false"
    low, high = element.signed_range
    return str((int(number) - low & (high - low)) + low)


def constant(element: ElementType, lanes: int, number: bool | int | float) -> str:
    """A constant with the same number in each lane, as LLVM text."""
    text = literal(element, number)
    return f"splat ({element.llvm} {text})" if lanes else text


def _float_literal(element: ElementType, number: float) -> str:
    if element.bits == 32 and math.isfinite(number):
        try:
            number = struct.unpack("<f", struct.pack("<f", number))[0]
        except OverflowError:  # rounds to infinity, struct refuses
            number = math.copysign(math.inf, number)
    if math.isnan(number):
        number = math.copysign(math.nan, 1.0)  # payloads are not kept, and one NaN keeps equal kernels' text equal
    # LLVM writes a float's literal as the double of the same value.
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
