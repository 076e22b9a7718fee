"""The types of kernels' elements and scalars."""

from __future__ import annotations

from xdsl.dialects.builtin import Float32Type, Float64Type, IntegerType, Signedness
from xdsl.ir import Attribute

_WIDTHS = (1, 8, 16, 32, 64)


def is_element_type(type_: Attribute) -> bool:
    """Whether ``type_`` is ``i1``, ``i8``…``i64``, ``f32`` or ``f64``. Kernels are signless."""
    if isinstance(type_, IntegerType):
        return type_.signedness.data is Signedness.SIGNLESS and type_.width.data in _WIDTHS
    return isinstance(type_, Float32Type | Float64Type)
