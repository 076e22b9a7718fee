"""The scalar types that kernels compute with. Loads no xDSL: code from the cache needs none of it."""

from __future__ import annotations

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
