"""Which parameters each result of a kernel depends on."""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.ir import BlockArgument, Operation, SSAValue


def parameters_of_results(kernel: func.FuncOp) -> tuple[frozenset[int], ...]:
    """For each result of a kernel in tensor form, the numbers of the parameters whose contents can affect it.

    An operation's results are taken to depend on all its operands; values that regions use from outside are scalars, computed at the
    top level from scalar parameters, which are counted too where they are operands. Linear in the kernel.
    """
    block = kernel.body.block
    found: dict[Operation, frozenset[int]] = {}

    def of_value(value: SSAValue) -> frozenset[int]:
        if isinstance(value, BlockArgument):
            return frozenset((value.index,)) if value.block is block else frozenset()
        owner = value.owner
        assert isinstance(owner, Operation)
        return found.get(owner, frozenset())

    for op in block.ops:
        if isinstance(op, func.ReturnOp):
            return tuple(of_value(value) for value in op.operands)
        found[op] = frozenset[int]().union(*(of_value(operand) for operand in op.operands))
    return ()
