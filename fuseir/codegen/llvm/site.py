"""One place where an operation is emitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.ir import Operation

from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value, constant, llvm_type


@dataclass(frozen=True, slots=True)
class Site:
    """Where an operation is emitted: the texts, its lanes (0 for scalar code), its operands and its result's type.

    ``inline``: whether it is in the loop that does most of the work, so that longer code may be worth its speed.
    """

    module: ModuleText
    text: FunctionText
    lanes: int
    operands: list[Value]
    result: ElementType
    inline: bool = False

    @property
    def type(self) -> str:
        """LLVM type of the result."""
        return llvm_type(self.result, self.lanes)

    def operand(self, position: int) -> str:
        """An operand, with the site's lanes."""
        return self.text.splat(self.operands[position], self.lanes)

    def operand_type(self, position: int) -> str:
        """LLVM type of an operand at this site."""
        return llvm_type(self.operands[position].element, self.lanes)

    def constant(self, number: float) -> str:
        """A constant of the result's type."""
        return constant(self.result, self.lanes, number)

    def intrinsic(self, name: str, operands: list[str]) -> str:
        """Call an intrinsic whose operands and result have the result's type."""
        callee = self.module.intrinsic(name, self.type, [self.type] * len(operands))
        return self.text.op(f"call {self.type} {callee}({', '.join(f'{self.type} {value}' for value in operands)})")


Emit = Callable[[Site, Operation], str]
