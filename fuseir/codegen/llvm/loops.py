"""The loops of a lowered kernel: serial ones, the vectorised one of a nest, and what is computed in front of them."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import memref, scf
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.element_types import element_type
from fuseir.codegen.elements import INDEX
from fuseir.codegen.llvm import prefetch
from fuseir.codegen.llvm.block_stack import BLOCK, TREE_LANES
from fuseir.codegen.llvm.copies import emit_copy, is_copy
from fuseir.codegen.llvm.dimensions import DimensionTable
from fuseir.codegen.llvm.panels import Panels
from fuseir.codegen.llvm.reduction import LoopReduction
from fuseir.codegen.llvm.rows import are_neighbours, pieces, vectors
from fuseir.codegen.llvm.statements import Access, Statements, VectorSite, access_of
from fuseir.codegen.llvm.streams import fence, streams, vectors_and_lines
from fuseir.codegen.llvm.types import Value
from fuseir.codegen.llvm.workspace import Workspace
from fuseir.codegen.loop_parts import (
    arrangeable_accesses,
    check_loop,
    combiners_of,
    is_vector_loop,
    perfect_nest,
    reduce_of,
    widest_bytes,
)
from fuseir.codegen.refusals import located

_STAYING = (memref.LoadOp, memref.StoreOp, scf.ParallelOp, scf.ReduceOp, scf.ReduceReturnOp)
"""What is not moved out of loops: memory accesses, and the loops themselves."""


class Loops:
    """Writes the loops of one kernel."""

    def __init__(self, statements: Statements, workspace: Workspace, points: str) -> None:
        """``points`` is an ``i64``: of how many points the kernel runs one."""
        self._statements, self._workspace, self._points = statements, workspace, points
        self._module, self._text = statements.module, statements.text
        # Operations that were emitted in front of the loops around them.
        self._hoisted: set[Operation] = set()
        # For each vector loop of the nest at hand, an i1: whether all its rows are neighbours in memory.
        self._near: dict[scf.ParallelOp, str] = {}
        # Extents of the nest at hand, where it is not that of its dimension.
        self._extents: dict[scf.ParallelOp, str] = {}
        # For vector loops whose stores may go past the caches, an i1: whether they do.
        self._streams: dict[scf.ParallelOp, str] = {}
        # By vector loop: what it fetches for the next iteration of the loop around it.
        self._early: dict[Operation, list[prefetch.Access]] = {}
        self._panels = Panels(statements, workspace, self._hoisted)

    def emit(self, op: scf.ParallelOp) -> None:
        """Emit a loop that no vector loop is around."""
        with located(op):
            check_loop(op)
            if isinstance(op.parent_op(), FuncOp):
                self._statements.enter(op)
                if self._arrange(op):
                    return
                self._near = {loop: self._all_neighbours(loop) for loop in op.walk() if is_vector_loop(loop)}
                self._note_streams(op)
            bound = self._extents.get(op) or self._statements.operand(op.upperBound[0], None).ref
            self._hoist(op)
            mark = self._workspace.mark()
            nested = any(isinstance(inner, scf.ParallelOp) for inner in op.body.block.ops)
            if not is_vector_loop(op) or (nested and op.res):
                self._serial_loop(op, bound)
            elif nested:
                self._panels.emit(op, bound, self._near[op], self._vector_lanes(op))
            else:
                self._vector_loop(op, bound)
            self._workspace.release(mark)
            if isinstance(op.parent_op(), FuncOp):
                for streamed in self._streams.values():
                    fence(self._module, self._text, streamed)
                self._streams.clear()

    def _arrange(self, nest: scf.ParallelOp) -> bool:
        """Order the dimensions of a nest for which any order will do; whether it was a copy, and is done."""
        self._extents.clear()
        loops, ops = perfect_nest(nest)
        for loop in loops:
            check_loop(loop)
        accesses = arrangeable_accesses(loops)
        variables = [loop.body.block.args[0] for loop in loops]
        copies = is_copy(ops, variables)
        if (
            accesses is None
            or (len(loops) < 2 and not copies)
            or [*map(is_vector_loop, loops)] != [False] * (len(loops) - 1) + [True]
        ):
            return False
        if copies:  # the target comes first
            accesses = dict(reversed(accesses.items()))
        statements = self._statements
        extents = [statements.operand(loop.upperBound[0], None).ref for loop in loops]
        places = {tile: [indices.index(variable) for variable in variables] for tile, indices in accesses.items()}
        strides = [[statements.memref(tile).strides[place] for place in places[tile]] for tile in accesses]
        table = DimensionTable(self._text, extents, strides)
        table.arrange(self._module)
        if copies:
            source, target = (statements.memref(op.memref) for op in ops)
            emit_copy(self._module, self._text, target, source, table)
            return True
        self._extents.update((loop, table.extent(number)) for number, loop in enumerate(loops))
        for number, (tile, dimensions) in enumerate(places.items()):
            by_dimension = {place: table.stride(number, loop) for loop, place in enumerate(dimensions)}
            statements.move_by(tile, by_dimension)
        return False

    def _note_streams(self, nest: scf.ParallelOp) -> None:
        """Find out whether the stores of a nest go past the caches."""
        loops, _ = perfect_nest(nest)
        if not loops or not is_vector_loop(loops[-1]):
            return
        extents = [self._statements.operand(loop.upperBound[0], None).ref for loop in loops]
        lanes = self._vector_lanes(loops[-1])
        large = streams(self._module, self._text, loops[-1], lanes, extents, self._points)
        if large is not None:
            self._streams[loops[-1]] = self._text.op(f"and i1 {large}, {self._near[loops[-1]]}")

    def _hoist(self, loop: scf.ParallelOp) -> None:
        """Emit what a loop computes from values of the outside alone; every operation is total, so none can fail there.

        LLVM would see to cheap ones. It does not for calls of math functions, which may be most of a kernel's time.
        """
        inside = {argument for op in loop.walk() for region in op.regions for argument in region.block.args}
        inside |= {result for op in loop.walk() for result in op.results if op not in self._hoisted}
        for op in loop.walk():
            within = isinstance(op, _STAYING) or op in self._hoisted or isinstance(op.parent_op(), scf.ReduceOp)
            if not within and inside.isdisjoint(op.operands):
                self._statements.emit(op, None)
                self._hoisted.add(op)
                inside.difference_update(op.results)

    def _body(self, op: scf.ParallelOp, site: VectorSite | None) -> None:
        for inner in op.body.block.ops:
            if isinstance(inner, scf.ReduceOp) or inner in self._hoisted:
                continue
            if isinstance(inner, scf.ParallelOp):
                self.emit(inner)
            else:
                self._statements.emit(inner, site)

    def _serial_loop(self, op: scf.ParallelOp, bound: str) -> None:
        text = self._text
        reductions = self._reductions(op)
        self._early.update(prefetch.early_accesses(op))
        with text.loop("0", bound, 1) as counter:
            self._statements.values[op.body.block.args[0]] = Value(counter, INDEX)
            self._body(op, None)
            for reduction, arg in zip(reductions, reduce_of(op).args, strict=True):
                reduction.step_serial(self._statements.operand(arg, None), counter)
            if reductions:
                step = text.op(f"and i64 {counter}, {BLOCK - 1}")
                self._end_block_if(text.op(f"icmp eq i64 {step}, {BLOCK - 1}"), reductions)
        self._finish(op, reductions)

    def _vector_loop(self, op: scf.ParallelOp, bound: str) -> None:
        """Full vectors as long as there are some, then what is left with a mask; the same code for rows at any stride."""
        text, variable = self._text, op.body.block.args[0]
        reductions = self._reductions(op)
        count = TREE_LANES if reductions else self._vector_lanes(op)
        rows = self._statements.rows(op.body.block.ops, variable, "0")
        early = [
            (
                access,
                rows[access_of(access)],
                prefetch.row_offset(text, self._statements.memref(access.memref), access, op, bound),
            )
            for access in self._early.get(op, ())
        ]
        with pieces(self._module, text, self._workspace, list(rows.values()), self._near[op], bound) as piece:
            pointers = dict(zip(rows, piece.pointers, strict=True))
            streamed = self._streams.get(op)
            stored = [(row, pointers[access]) for access, row in rows.items() if row.stored]
            if streamed is not None and stored:
                every = vectors_and_lines(text, piece, count, stored, streamed)
            else:
                every = vectors(text, piece, count)
            for lanes in every:
                for access, row, offset in early if lanes.mask is None else ():
                    size = row.element.memory.bytes
                    along = text.op(f"add i64 {text.op(f'mul i64 {lanes.iteration}, {size}')}, {offset}")
                    address = text.op(f"getelementptr i8, ptr {row.address}, i64 {along}")
                    prefetch.fetch(
                        self._module, text, address, size * count, to_write=isinstance(access, memref.StoreOp)
                    )
                self._vector_body(op, VectorSite(variable, "0", lanes, pointers), reductions)
        self._finish(op, reductions)

    def _vector_body(self, op: scf.ParallelOp, site: VectorSite, reductions: Sequence[LoopReduction]) -> None:
        text, lanes = self._text, site.lanes
        self._body(op, site)
        for reduction, arg in zip(reductions, reduce_of(op).args, strict=True):
            reduction.step_vector(self._statements.operand(arg, site), lanes.mask)
        # A block that the mask cuts short is the last one: it is folded at the end.
        if reductions and lanes.mask is None:
            following = text.op(f"add i64 {lanes.iteration}, {TREE_LANES}")
            within = text.op(f"and i64 {following}, {BLOCK - 1}")
            self._end_block_if(text.op(f"icmp eq i64 {within}, 0"), reductions)

    def _reductions(self, op: scf.ParallelOp) -> list[LoopReduction]:
        return [
            LoopReduction(self._module, self._text, self._workspace, combiner, element_type(arg.type))
            for combiner, arg in combiners_of(op)
        ]

    def _end_block_if(self, condition: str, reductions: Sequence[LoopReduction]) -> None:
        with self._text.when(condition):
            for reduction in reductions:
                reduction.end_block()

    def _finish(self, op: scf.ParallelOp, reductions: Sequence[LoopReduction]) -> None:
        for result, reduction in zip(op.res, reductions, strict=True):
            self._statements.values[result] = reduction.finish()

    def _vector_lanes(self, op: scf.ParallelOp) -> int:
        return self._module.target.lanes(widest_bytes(op))

    def _all_neighbours(self, op: scf.ParallelOp) -> str:
        """Whether every access that moves with the vector loop moves from neighbour to neighbour: an ``i1``."""
        variable = op.body.block.args[0]
        moving: dict[tuple[SSAValue, tuple[int, ...]], Access] = {}
        for inner in op.walk():
            if isinstance(inner, memref.LoadOp | memref.StoreOp):
                dimensions = tuple(place for place, index in enumerate(inner.indices) if index is variable)
                if dimensions:
                    moving[inner.memref, dimensions] = access_of(inner)
        result = "true"
        for access in moving.values():
            element = self._statements.memref(access[0]).element
            near = are_neighbours(self._text, element, self._statements.stride(access, variable))
            if near != "true":
                result = near if result == "true" else self._text.op(f"and i1 {result}, {near}")
        return result
