"""Scalar values as LLVM sees them."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from fuseir.codegen.elements import ElementType


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
