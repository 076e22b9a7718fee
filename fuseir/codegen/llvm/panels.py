"""Vector loops with loops inside, such as sums of columns: panels of a few hundred columns, gone through row by row.

A vector loop over columns around a loop over rows would read memory down one strip after another. So its body is cut at the inner
loops, and each part runs over all columns of a panel before the next: the loops over rows go outside, and the vectorised one
innermost, where neighbours lie side by side. What one part computes and another needs waits in a row buffer. The order in which
columns are computed is free: by the contract, iterations do not touch each other's elements. Where little is computed, several rows are
folded at a time, so that the panel's partial (``panel_reduction.py``) is gone through less often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from xdsl.dialects import memref, scf
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.element_types import element_type
from fuseir.codegen.elements import INDEX
from fuseir.codegen.llvm.block_stack import BLOCK, TREE_LANES
from fuseir.codegen.llvm.memory import Lanes
from fuseir.codegen.llvm.panel_reduction import PanelReduction
from fuseir.codegen.llvm.rows import Row, pieces, vectors
from fuseir.codegen.llvm.statements import Access, RowBuffer, Statements, VectorSite
from fuseir.codegen.llvm.types import Value
from fuseir.codegen.llvm.workspace import Workspace
from fuseir.codegen.loop_parts import check_loop, combiners_of, is_vector_loop, reduce_of, widest_bytes
from fuseir.codegen.refusals import located
from fuseir.errors import UnsupportedError

_ROW_BYTES = 4096
"""A panel's row, which is a page: less is more often waited for, and partials of wider panels do not stay in the second cache."""

_LEAST_WIDTH = 64
"""Columns of a panel, however many reductions share the cache: a multiple of any vector's lanes."""

_ROWS_AT_A_TIME = 4
_STATEMENTS_AT_A_TIME = 12
"""How many rows are folded at a time, at most, and how many operations they may have together."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """A panel: the vector loop's variable, its first value here, the columns, the partials' pitch, lanes, and what differs by column."""

    variable: SSAValue
    begin: str
    size: str
    pitch: str
    width: int
    count: int
    near: str
    varying: set[SSAValue]


@dataclass(frozen=True, slots=True)
class _Fold:
    """A value to fold into the row of a reduction's partial: for each row done at a time, if it exists."""

    reduction: PanelReduction
    user: Operation
    value: SSAValue
    row: str
    is_first: str
    exists: Sequence[str]


class Panels:
    """Writes vector loops that have loops inside. ``hoisted`` are operations that are written already."""

    def __init__(self, statements: Statements, workspace: Workspace, hoisted: Set[Operation]) -> None:
        self._statements, self._workspace, self._hoisted = statements, workspace, hoisted
        self._module, self._text = statements.module, statements.text

    def emit(self, op: scf.ParallelOp, bound: str, near: str, count: int) -> None:
        """Emit a vector loop; ``near`` (an ``i1``) says whether all its rows are neighbours."""
        text = self._text
        width = _width(op)
        smin = self._module.intrinsic("smin", "i64", ["i64", "i64"])
        with text.loop("0", bound, width) as begin:
            size = text.op(f"call i64 {smin}(i64 {text.op(f'sub i64 {bound}, {begin}')}, i64 {width})")
            pitch = text.op(f"and i64 {text.op(f'add i64 {size}, {count - 1}')}, -{count}")
            variable = op.body.block.args[0]
            panel = _Panel(variable, begin, size, pitch, width, count, near, {variable})
            self._body(op, panel, [])

    def _body(self, op: scf.ParallelOp, panel: _Panel, folds: Sequence[_Fold]) -> None:
        segment: list[Operation] = []
        for inner in op.body.block.ops:
            if isinstance(inner, scf.ParallelOp):
                self._segment(segment, panel, [{}], [])
                segment = []
                with located(inner):
                    self._loop(inner, panel)
            elif not isinstance(inner, scf.ReduceOp):
                segment.append(inner)
        self._segment(segment, panel, [{}], folds)

    def _loop(self, op: scf.ParallelOp, panel: _Panel) -> None:
        """A loop over rows."""
        check_loop(op)
        if is_vector_loop(op):
            raise UnsupportedError("a vector loop within a vector loop")
        bound = self._statements.values.get(op.upperBound[0])
        if bound is None or op.upperBound[0] in panel.varying:
            raise UnsupportedError("scf.parallel with a bound that differs by lane")
        text = self._text
        rows = [self._workspace.reserve(panel.width * element_type(result.type).bytes) for result in op.res]
        mark = self._workspace.mark()
        reductions = [
            PanelReduction(
                self._module,
                text,
                self._workspace,
                combiner,
                element_type(value.type),
                lanes=panel.count,
                pitch=panel.pitch,
                width=panel.width,
            )
            for combiner, value in combiners_of(op)
        ]
        together = self._together(op)
        if together > 1:
            self._several_rows(op, bound.ref, panel, reductions, together)
        else:
            with text.loop("0", bound.ref, 1) as counter:
                self._statements.values[op.body.block.args[0]] = Value(counter, INDEX)
                self._body(op, panel, self._folds(op, reductions, counter, ["true"]))
                self._end_block(reductions, text.op(f"add i64 {counter}, 1"))
        for result, row, reduction in zip(op.res, rows, reductions, strict=True):
            reduction.finish(bound.ref, row)
            self._statements.buffers[result] = RowBuffer(row, element_type(result.type))
            panel.varying.add(result)
        self._workspace.release(mark)

    def _together(self, op: scf.ParallelOp) -> int:
        """How many rows are folded at a time: a power of two. Rows that something is stored to come one by one."""
        ops = [inner for inner in op.body.block.ops if not isinstance(inner, scf.ReduceOp)]
        if not op.res or any(isinstance(inner, scf.ParallelOp | memref.StoreOp) for inner in ops):
            return 1
        together = min(_ROWS_AT_A_TIME, _STATEMENTS_AT_A_TIME // max(len(ops), 1))
        return 1 << max(together.bit_length() - 1, 0)

    def _several_rows(
        self, op: scf.ParallelOp, bound: str, panel: _Panel, reductions: Sequence[PanelReduction], together: int
    ) -> None:
        """Fold rows together that go to one row of the partial. At the end, the first one stands in for rows that are not there."""
        text, variable = self._text, op.body.block.args[0]
        ops = [inner for inner in op.body.block.ops if not isinstance(inner, scf.ReduceOp)]
        group = TREE_LANES * together
        smin = self._module.intrinsic("smin", "i64", ["i64", "i64"])
        with text.loop("0", bound, group) as first:
            lanes = text.op(f"call i64 {smin}(i64 {text.op(f'sub i64 {bound}, {first}')}, i64 {TREE_LANES})")
            with text.loop("0", lanes, 1) as lane:
                counter = text.op(f"add i64 {first}, {lane}")
                exists = ["true"]
                bindings: list[dict[SSAValue, Value]] = [{variable: Value(counter, INDEX)}]
                for step in range(TREE_LANES, group, TREE_LANES):
                    later = text.op(f"add i64 {counter}, {step}")
                    exists.append(text.op(f"icmp slt i64 {later}, {bound}"))
                    row = text.op(f"select i1 {exists[-1]}, i64 {later}, i64 {counter}")
                    bindings.append({variable: Value(row, INDEX)})
                self._segment(ops, panel, bindings, self._folds(op, reductions, counter, exists))
            done = text.op(f"add i64 {first}, {group}")
            whole = text.op(f"icmp sle i64 {done}, {bound}")
            self._end_block(reductions, text.op(f"select i1 {whole}, i64 {done}, i64 1"))

    def _folds(
        self, op: scf.ParallelOp, reductions: Sequence[PanelReduction], counter: str, exists: Sequence[str]
    ) -> list[_Fold]:
        if not reductions:
            return []
        within = self._text.op(f"and i64 {counter}, {BLOCK - 1}")
        is_first = self._text.op(f"icmp ult i64 {within}, {TREE_LANES}")
        reduce = reduce_of(op)
        return [
            _Fold(r, reduce, v, r.row(counter), is_first, exists) for r, v in zip(reductions, reduce.args, strict=True)
        ]

    def _end_block(self, reductions: Sequence[PanelReduction], done: str) -> None:
        if reductions:
            within = self._text.op(f"and i64 {done}, {BLOCK - 1}")
            with self._text.when(self._text.op(f"icmp eq i64 {within}, 0")):
                for reduction in reductions:
                    reduction.end_block()

    def _segment(
        self,
        ops: Sequence[Operation],
        panel: _Panel,
        bindings: Sequence[Mapping[SSAValue, Value]],
        folds: Sequence[_Fold],
    ) -> None:
        """Statements for all columns of a panel, once for each of ``bindings`` at a time; then what they fold."""
        statements, text = self._statements, self._text
        uniform, varying = self._divided(ops, panel)
        copies: list[dict[SSAValue, Value]] = []
        rows: list[dict[Access, Row]] = []
        for binding in bindings:
            statements.values.update(binding)
            for op in uniform:
                statements.emit(op, None)
            results = {result: statements.values[result] for op in uniform for result in op.results}
            copies.append({**binding, **results})
            rows.append(statements.rows(varying, panel.variable, panel.begin))
        if not varying and not folds:
            return
        inside = {*varying, *(fold.user for fold in folds)}
        kept: dict[SSAValue, RowBuffer] = {
            result: RowBuffer(
                self._workspace.reserve(panel.width * element_type(result.type).bytes), element_type(result.type)
            )
            for op in varying
            for result in op.results
            if any(use.operation not in inside for use in result.uses)
        }

        def vector(lanes: Lanes, pointers: Sequence[Mapping[Access, str]]) -> None:
            sites: list[VectorSite] = []
            for copy, own in zip(copies, pointers, strict=True):
                statements.values.update(copy)
                site = VectorSite(panel.variable, panel.begin, lanes, own)
                for op in varying:
                    statements.emit(op, site)
                sites.append(site)
            for result, buffer in kept.items():
                statements.keep(buffer, sites[0].values[result], lanes)
            for fold in folds:
                values = [
                    (statements.operand(fold.value, site), exists)
                    for site, exists in zip(sites, fold.exists, strict=True)
                ]
                fold.reduction.fold(fold.row, values, fold.is_first, lanes)

        everything = [row for each in rows for row in each.values()]
        with pieces(self._module, text, self._workspace, everything, panel.near, panel.size) as piece:
            left = iter(piece.pointers)
            pointers = [{access: next(left) for access in each} for each in rows]
            for lanes in vectors(text, piece, panel.count):
                vector(lanes, pointers)
        statements.buffers.update(kept)

    def _divided(self, ops: Sequence[Operation], panel: _Panel) -> tuple[list[Operation], list[Operation]]:
        """What is the same for all columns, and the rest. Stores are in the rest, where those of one element for all are refused."""
        uniform: list[Operation] = []
        varying: list[Operation] = []
        for op in ops:
            if op in self._hoisted:
                continue
            if isinstance(op, memref.StoreOp) or not panel.varying.isdisjoint(op.operands):
                varying.append(op)
                panel.varying.update(op.results)
            else:
                uniform.append(op)
        return uniform, varying


def _width(op: scf.ParallelOp) -> int:
    """Columns of a panel: a power of two."""
    wanted = _ROW_BYTES // widest_bytes(op) // max(_alive(op), 1)
    return max(_LEAST_WIDTH, 1 << (max(wanted, 1).bit_length() - 1))


def _alive(op: scf.ParallelOp) -> int:
    """How many partials there are at a time."""
    inner = [_alive(inner) for inner in op.body.block.ops if isinstance(inner, scf.ParallelOp)]
    return len(op.res) + max(inner, default=0)
