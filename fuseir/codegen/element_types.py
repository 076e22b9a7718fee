"""From the element types of the IR to those of kernels. Apart from ``elements``, which does not load xDSL."""

from __future__ import annotations

from xdsl.dialects.builtin import Float32Type, Float64Type, IndexType, IntegerType, Signedness
from xdsl.ir import Attribute

from fuseir.codegen.elements import F32, F64, I1, I8, I16, I32, I64, INDEX, ElementType
from fuseir.errors import UnsupportedError

_INTEGERS = {1: I1, 8: I8, 16: I16, 32: I32, 64: I64}


def element_type(attribute: Attribute) -> ElementType:
    """The element type an IR type stands for; :class:`UnsupportedError` for anything kernels do not hold."""
    if isinstance(attribute, Float64Type):
        return F64
    if isinstance(attribute, Float32Type):
        return F32
    if isinstance(attribute, IndexType):
        return INDEX
    if isinstance(attribute, IntegerType) and attribute.signedness.data == Signedness.SIGNLESS:
        known = _INTEGERS.get(attribute.width.data)
        if known is not None:
            return known
    raise UnsupportedError(f"no kernel value has type {attribute}")
