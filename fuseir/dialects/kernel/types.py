"""The types of kernels' elements and scalars."""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.dialects.builtin import (
    Float32Type,
    Float64Type,
    IntegerType,
    MemRefType,
    Signedness,
    StridedLayoutAttr,
    TensorType,
)
from xdsl.ir import Attribute

_WIDTHS = (1, 8, 16, 32, 64)


def is_element_type(type_: Attribute) -> bool:
    """Whether ``type_`` is ``i1``, ``i8``…``i64``, ``f32`` or ``f64``. Kernels are signless."""
    if type(type_) is IntegerType:
        return type_.signedness.data is Signedness.SIGNLESS and type_.width.data in _WIDTHS
    # Asked of every operand, and `isinstance` takes long to say no: attributes are abstract classes to Python.
    return type(type_) in (Float64Type, Float32Type)


def lowered_type(type_: Attribute) -> Attribute:
    """The type of the parameter that a tensor parameter becomes in the lowered form: strided memory."""
    if not isinstance(type_, TensorType):
        return type_
    shape = type_.get_shape()
    return MemRefType(type_.element_type, shape, StridedLayoutAttr([None] * len(shape), None))


def is_lowered(function: func.FuncOp) -> bool:
    """Whether a function is a kernel in the lowered form (docs/kernels.md, section 3): on memory, without results."""
    inputs, outputs = function.function_type.inputs.data, function.function_type.outputs.data
    return not function.is_declaration and not outputs and any(isinstance(type_, MemRefType) for type_ in inputs)
