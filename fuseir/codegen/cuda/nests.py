"""What the nests of a lowered kernel look like to a GPU: which of their loops are distributed over threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import memref, scf
from xdsl.ir import Operation

from fuseir.codegen.loop_parts import check_loop, is_vector_loop


@dataclass(frozen=True)
class Nest:
    """A nest: ``outer`` loops whose iterations, the items, go side by side, and the operations for each item.

    Above the innermost of the outer loops there are only loads and scalar operations: ``before`` has them, loop by loop.
    """

    outer: tuple[scf.ParallelOp, ...]
    before: tuple[tuple[Operation, ...], ...]
    body: tuple[Operation, ...]

    @property
    def is_map(self) -> bool:
        """Whether there are no loops within the items."""
        return bool(self.outer) and not any(isinstance(op, scf.ParallelOp) for op in self.body)

    @property
    def in_columns(self) -> bool:
        """Whether neighbours in memory belong to items side by side."""
        return bool(self.outer) and is_vector_loop(self.outer[-1])

    @property
    def fold(self) -> int | None:
        """The number in ``body`` of the one loop, if it reduces, has no loops within, and nothing is stored before it."""
        loops = [number for number, op in enumerate(self.body) if isinstance(op, scf.ParallelOp)]
        if len(loops) != 1:
            return None
        loop = self.body[loops[0]]
        assert isinstance(loop, scf.ParallelOp)
        stores = any(isinstance(op, memref.StoreOp) for op in self.body[: loops[0]])
        return loops[0] if loop.res and is_innermost(loop) and not stores else None


def nest_of(root: scf.ParallelOp) -> Nest:
    """The nest of a loop of the kernel's own block, that reduces nothing: its outer loops go as far in as they can."""
    for op in root.walk():
        if isinstance(op, scf.ParallelOp):
            check_loop(op)
    if root.res:
        return Nest((), (), (root,))
    outer, before = [root], list[tuple[Operation, ...]]()
    ops = body_of(root)
    while isinstance(last := ops[-1] if ops else None, scf.ParallelOp) and not last.res:
        above = ops[:-1]
        if any(isinstance(op, scf.ParallelOp | memref.StoreOp) for op in above):
            break
        outer.append(last)
        before.append(tuple(above))
        ops = body_of(last)
    return Nest(tuple(outer), tuple(before), tuple(ops))


def body_of(loop: scf.ParallelOp) -> Sequence[Operation]:
    """The operations of a loop's body, without the one that ends it."""
    return [op for op in loop.body.block.ops if not isinstance(op, scf.ReduceOp)]


def is_innermost(loop: scf.ParallelOp) -> bool:
    """Whether a loop has no loops within."""
    return not any(isinstance(op, scf.ParallelOp) for op in loop.body.block.ops)
