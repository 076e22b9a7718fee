"""The ``ufunc`` dialect: scalar functions of array libraries that ``math`` lacks.

Operands and result are of one float type, ``f32`` or ``f64``. All operations are pure: like ``math``, they know no
``errno`` and no floating-point exceptions. What each computes is the page ``docs/kernels.md``, section 2.
"""

from __future__ import annotations

import abc
from typing import ClassVar

from xdsl.dialects.builtin import Float32Type, Float64Type
from xdsl.ir import Dialect, Operation, SSAValue
from xdsl.irdl import (
    BaseAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure, SameOperandsAndResultType

_FLOAT = BaseAttr(Float32Type) | BaseAttr(Float64Type)


class UnaryUfuncOperation(IRDLOperation, abc.ABC):
    """A function of one float."""

    T: ClassVar = VarConstraint("T", _FLOAT)

    operand = operand_def(T)
    result = result_def(T)

    traits = traits_def(Pure(), SameOperandsAndResultType())

    assembly_format = "$operand attr-dict `:` type($result)"

    def __init__(self, operand: Operation | SSAValue) -> None:
        operand = SSAValue.get(operand)
        super().__init__(operands=[operand], result_types=[operand.type])


class BinaryUfuncOperation(IRDLOperation, abc.ABC):
    """A function of two floats of one type."""

    T: ClassVar = VarConstraint("T", _FLOAT)

    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(T)

    traits = traits_def(Pure(), SameOperandsAndResultType())

    assembly_format = "$lhs `,` $rhs attr-dict `:` type($result)"

    def __init__(self, lhs: Operation | SSAValue, rhs: Operation | SSAValue) -> None:
        lhs = SSAValue.get(lhs)
        super().__init__(operands=[lhs, rhs], result_types=[lhs.type])


@irdl_op_definition
class FmodOp(BinaryUfuncOperation):
    """C's ``fmod``: ``lhs - trunc(lhs / rhs) * rhs``, computed exactly; it has the sign of ``lhs``."""

    name = "ufunc.fmod"


@irdl_op_definition
class HypotOp(BinaryUfuncOperation):
    """``sqrt(lhs² + rhs²)`` without overflow or underflow on the way; infinite if either operand is, even beside NaN."""

    name = "ufunc.hypot"


@irdl_op_definition
class NextAfterOp(BinaryUfuncOperation):
    """The float next to ``lhs`` in the direction of ``rhs``; ``rhs`` itself if the two are equal."""

    name = "ufunc.nextafter"


@irdl_op_definition
class ErfcOp(UnaryUfuncOperation):
    """``1 - erf(operand)`` without the cancellation that the difference suffers for large operands."""

    name = "ufunc.erfc"


UFUNC = Dialect("ufunc", [ErfcOp, FmodOp, HypotOp, NextAfterOp])
