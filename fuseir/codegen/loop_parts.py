"""What the loops of lowered kernels are made of, and that they are made as docs/kernels.md section 3 says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IntegerAttr, MemRefType
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.element_types import element_type
from fuseir.codegen.elements import INDEX
from fuseir.errors import UnsupportedError


def check_loop(op: scf.ParallelOp) -> None:
    """Raise :class:`UnsupportedError` for a loop that lowered kernels do not have."""
    if len(op.lowerBound) != 1 or _constant_of(op.lowerBound[0]) != 0 or _constant_of(op.step[0]) != 1:
        raise UnsupportedError("scf.parallel with other than one induction variable from 0 by 1")


def is_vector_loop(op: Operation) -> TypeGuard[scf.ParallelOp]:
    """Whether this is the vectorised loop of a nest."""
    return isinstance(op, scf.ParallelOp) and "vector" in op.attributes


def perfect_nest(nest: scf.ParallelOp) -> tuple[list[scf.ParallelOp], list[Operation]]:
    """Loops that reduce nothing and stand around nothing but the next one, outermost first, and what the innermost has in its body."""
    loops: list[scf.ParallelOp] = []
    ops: list[Operation] = [nest]
    while len(ops) == 1 and isinstance(ops[0], scf.ParallelOp) and not ops[0].res:
        loops.append(ops[0])
        ops = [op for op in ops[0].body.block.ops if not isinstance(op, scf.ReduceOp)]
    return loops, ops


def arrangeable_accesses(loops: Sequence[scf.ParallelOp]) -> dict[SSAValue, tuple[SSAValue, ...]] | None:
    """The tiles that a perfect nest accesses, with their indices; None if the order of its loops matters to what the code does.

    It does not if all accesses of a tile have the same indices, each of the loops' variables once among them.
    """
    variables = {loop.body.block.args[0] for loop in loops}
    accesses: dict[SSAValue, tuple[SSAValue, ...]] = {}
    for op in loops[0].walk() if loops else ():
        if isinstance(op, memref.LoadOp | memref.StoreOp):
            indices = tuple(op.indices)
            if accesses.setdefault(op.memref, indices) != indices or any(indices.count(v) != 1 for v in variables):
                return None
            operands = () if isinstance(op, memref.LoadOp) else (op.value,)
        else:
            operands = tuple(op.operands)
        if not variables.isdisjoint(operands):
            return None
    return accesses


def combiners_of(op: scf.ParallelOp) -> list[tuple[str, SSAValue]]:
    """For each value that a loop reduces, its combiner's name and the value."""
    reduce = reduce_of(op)
    return [(_combiner_of(reduce, number), arg) for number, arg in enumerate(reduce.args)]


def reduce_of(op: scf.ParallelOp) -> scf.ReduceOp:
    """What ends a loop's body."""
    last = op.body.block.last_op
    if not isinstance(last, scf.ReduceOp):
        raise UnsupportedError("scf.parallel without scf.reduce at its end")
    return last


def widest_bytes(op: scf.ParallelOp) -> int:
    """Size of the widest element that a loop computes with; loop counters and the like do not count."""
    widest = 1
    for inner in op.walk():
        for value in (*inner.operands, *inner.results):
            if not isinstance(value.type, MemRefType) and element_type(value.type) != INDEX:
                widest = max(widest, element_type(value.type).bytes)
    return widest


def _combiner_of(reduce: scf.ReduceOp, number: int) -> str:
    """The name of the one operation of a reduction's region, which combines its block's arguments in order."""
    block = reduce.reductions[number].block
    ops = list(block.ops)
    if len(ops) != 2 or not isinstance(ops[1], scf.ReduceReturnOp) or ops[1].result.owner is not ops[0]:
        raise UnsupportedError("a reduction's region holds exactly one combiner and scf.reduce.return")
    if tuple(ops[0].operands) != tuple(block.args):
        raise UnsupportedError("a reduction combines the accumulated value with the next, in this order")
    return ops[0].name


def _constant_of(value: SSAValue) -> int | None:
    owner = value.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, IntegerAttr):
        return owner.value.value.data
    return None
