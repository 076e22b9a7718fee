"""Fetching the next row while this one is worked on.

Where loops share an outer loop, a row is read from memory by the first of them and from the cache by the others: memory is idle while
those compute, and each row begins with misses that no hardware predicts. So one of the inner loops fetches, for each tile that is
walked row by row, what the next row will need: the loop that computes most, as it leaves memory the most time.
"""

from __future__ import annotations

from xdsl.dialects import memref, scf
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.llvm.memory import MemRef
from fuseir.codegen.llvm.text import FunctionText, ModuleText

_LINE = 64
"""Bytes that one instruction fetches."""

_LONGEST_ROW = 128 * 1024
"""Bytes of a row beyond which it is not fetched early: a few such rows have to be in the second-level cache together."""

Access = memref.LoadOp | memref.StoreOp


def early_accesses(loop: scf.ParallelOp) -> dict[Operation, list[Access]]:
    """For vector loops that share ``loop``: accesses that each should make early, for the next iteration of ``loop``."""
    inner = [op for op in loop.body.block.ops if isinstance(op, scf.ParallelOp) and "vector" in op.attributes]
    if len(inner) < 2:
        return {}
    row = loop.body.block.args[0]
    best: dict[SSAValue, tuple[int, scf.ParallelOp, Access]] = {}
    for candidate in inner:
        accesses = [op for op in candidate.body.block.ops if isinstance(op, Access)]
        work = len(list(candidate.body.block.ops)) - len(accesses)
        for access in accesses:
            indices = list(access.indices)
            if indices.count(row) == indices.count(candidate.body.block.args[0]) == 1:
                known = best.get(access.memref)
                if known is None or known[0] < work:
                    best[access.memref] = work, candidate, access
    early: dict[Operation, list[Access]] = {}
    for _, candidate, access in best.values():
        early.setdefault(candidate, []).append(access)
    return early


def row_offset(text: FunctionText, tile: MemRef, access: Access, loop: scf.ParallelOp, bound: str) -> str:
    """How many bytes on the next row of ``tile`` is, which ``access`` in ``loop`` touches; 0 if it is too long to be fetched early.

    A row is ``bound`` elements; the next one is that of the next iteration of the loop around ``loop``.
    """
    around = loop.parent_block()
    assert around is not None, "a loop that shares a loop is in one"
    (stride,) = [stride for index, stride in zip(access.indices, tile.strides, strict=True) if index is around.args[0]]
    short = text.op(f"icmp ule i64 {bound}, {_LONGEST_ROW // tile.element.memory.bytes}")
    return text.op(f"select i1 {short}, i64 {stride}, i64 0")


def fetch(module: ModuleText, text: FunctionText, address: str, size: int, *, to_write: bool) -> None:
    """Begin to fetch ``size`` bytes at ``address``, which need not exist."""
    prefetch = module.declare("llvm.prefetch.p0", "void", ["ptr", "i32", "i32", "i32"])
    for line in range(0, size, _LINE):
        first = text.op(f"getelementptr i8, ptr {address}, i64 {line}")
        text.do(f"call void {prefetch}(ptr {first}, i32 {int(to_write)}, i32 2, i32 1)")
