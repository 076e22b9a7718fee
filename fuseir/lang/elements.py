"""Scalar operations of kernels, by element type: constants, conversions, comparisons.

What a signless kernel needs to be told — signed or unsigned, integer or float — is decided here, from NumPy's types.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from xdsl.dialects import arith
from xdsl.dialects.builtin import Float32Type, Float64Type, FloatAttr, IntegerAttr, IntegerType
from xdsl.ir import Block, Operation, SSAValue

from fuseir.lang.types import BOOL, is_float, is_signed, kernel_type, width

Predicate = Literal["eq", "ne", "lt", "le", "gt", "ge"]


class Elements:
    """Appends scalar operations to a block, each constant once."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self._constants: dict[tuple[np.dtype, str], SSAValue] = {}

    def add(self, operation: Operation) -> SSAValue:
        """Append an operation; its one result."""
        self.block.add_op(operation)
        return operation.results[0]

    def constant(self, value: float, dtype: np.dtype) -> SSAValue:
        """A constant; an integer must fit ``dtype``, a float is rounded to it."""
        # `repr` tells -0.0 from 0.0 and makes NaN equal to itself.
        key = (dtype, repr(value))
        if key not in self._constants:
            kind = kernel_type(dtype)
            if isinstance(kind, IntegerType):
                attribute = IntegerAttr(int(value), kind, truncate_bits=True)
            else:
                with np.errstate(over="ignore"):
                    attribute = FloatAttr(float(dtype.type(value)), kind)
            self._constants[key] = self.add(arith.ConstantOp(attribute))
        return self._constants[key]

    def compare(self, predicate: Predicate, left: SSAValue, right: SSAValue, dtype: np.dtype) -> SSAValue:
        """``left predicate right`` on two values of type ``dtype``; with NaN, only ``ne`` is true."""
        if is_float(dtype):
            return self.add(arith.CmpfOp(left, right, "une" if predicate == "ne" else f"o{predicate}"))
        sign = "" if predicate in ("eq", "ne") else "s" if is_signed(dtype) else "u"
        return self.add(arith.CmpiOp(left, right, sign + predicate))

    def is_nan(self, value: SSAValue) -> SSAValue:
        """Whether a float is NaN."""
        return self.add(arith.CmpfOp(value, value, "uno"))

    def select(self, condition: SSAValue, if_true: SSAValue, if_false: SSAValue) -> SSAValue:
        """One of two values."""
        return self.add(arith.SelectOp(condition, if_true, if_false))

    def both(self, left: SSAValue, right: SSAValue) -> SSAValue:
        """Bitwise and."""
        return self.add(arith.AndIOp(left, right))

    def either(self, left: SSAValue, right: SSAValue) -> SSAValue:
        """Bitwise or."""
        return self.add(arith.OrIOp(left, right))

    def differ(self, left: SSAValue, right: SSAValue) -> SSAValue:
        """Bitwise exclusive or."""
        return self.add(arith.XOrIOp(left, right))

    def invert(self, value: SSAValue, dtype: np.dtype) -> SSAValue:
        """All bits flipped; of a boolean, its opposite."""
        return self.differ(value, self.constant(1 if dtype == BOOL else -1, dtype))

    def truth(self, value: SSAValue, dtype: np.dtype) -> SSAValue:
        """Whether a value is not zero; NaN is true."""
        if dtype == BOOL:
            return value
        return self.compare("ne", value, self.constant(0, dtype), dtype)

    def cast(self, value: SSAValue, source: np.dtype, target: np.dtype) -> SSAValue:
        """The value converted as NumPy's ``astype`` does; floats beyond an integer's range saturate, NaN gives 0."""
        if source == target:
            return value
        if target == BOOL:
            return self.truth(value, source)
        kind = kernel_type(target)
        if isinstance(kind, IntegerType):
            return self._to_integer(value, source, target, kind)
        return self._to_float(value, source, kind)

    def _to_integer(self, value: SSAValue, source: np.dtype, target: np.dtype, kind: IntegerType) -> SSAValue:
        if is_float(source):
            return self.add(arith.FPToSIOp(value, kind) if is_signed(target) else arith.FPToUIOp(value, kind))
        if width(source) == width(target):  # only the sign differs, which kernels do not see
            return value
        if width(source) > width(target):
            return self.add(arith.TruncIOp(value, kind))
        return self.add(arith.ExtSIOp(value, kind) if is_signed(source) else arith.ExtUIOp(value, kind))

    def _to_float(self, value: SSAValue, source: np.dtype, kind: Float32Type | Float64Type) -> SSAValue:
        if is_float(source):
            return self.add(arith.ExtFOp(value, kind) if isinstance(kind, Float64Type) else arith.TruncFOp(value, kind))
        return self.add(arith.SIToFPOp(value, kind) if is_signed(source) else arith.UIToFPOp(value, kind))
