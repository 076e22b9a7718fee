"""Single values: kernels of one thread, and values that one kernel computes and later ones use."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import scf
from xdsl.ir import Operation

from fuseir.codegen.cuda.kernels import Kernel, Kind, Pointer
from fuseir.codegen.cuda.source import Source
from fuseir.codegen.cuda.statements import Outline, Statements
from fuseir.codegen.cuda.text import KernelText
from fuseir.codegen.element_types import element_type


def emit_single(source: Source, outline: Outline, ops: Sequence[Operation]) -> Kernel:
    """Emit the kernel of one thread for operations of the lowered kernel's own block."""
    text = KernelText(source.helpers)
    statements = Statements(outline, text)
    statements.enter(ops)
    for op in ops:
        statements.emit(op)
    keep(statements, ops)
    symbol = source.define(
        Kind.SINGLE,
        text,
        comment="One thread.",
        template="typename Index",
        versions=[("_wide", "s64", "s64")],
        threads=1,
    )
    return Kernel(Kind.SINGLE, symbol, text.ordered)


def keep(statements: Statements, ops: Sequence[Operation], guard: str = "") -> None:
    """Store what operations of the kernel's own block compute and later kernels use to its slots."""
    outline, text = statements.outline, statements.text
    own = {id(op) for op in ops}
    for op in ops:
        for result in op.results:
            if result in outline.repeatable or all(id(_top(use.operation)) in own for use in result.uses):
                continue
            element = element_type(result.type)
            pointer = text.parameter(Pointer(outline.slot(result), element, True))
            text.line(f"{guard}*{pointer} = {statements.operand(result)};")


def _top(op: Operation) -> Operation:
    """The operation of the kernel's own block that an operation stands in."""
    while isinstance(parent := op.parent_op(), scf.ParallelOp | scf.ReduceOp):
        op = parent
    return op
