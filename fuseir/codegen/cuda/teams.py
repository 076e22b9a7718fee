"""Nests with loops within their items: a team of threads to each item, which reduces by the tree of the numerics contract.

The lanes of the tree are threads. A *warp* team is for many short rows, a *block* team for fewer long ones, both from one text.
*Columns* are for items that are neighbours in memory: threads side by side have items side by side, and the lanes are above each other.
What is the same for all lanes is computed by all threads; one of them stores it. Where one thread looks at what another one stored, the
team waits.

A reduction that is long for its items goes in two kernels: teams fold chunks, powers of two of the tree's blocks, into nodes of the
tree for each lane (:func:`emit_partials`), and a block folds these. All ways give the same bits.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

from xdsl.dialects import memref, scf
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.combiners import identity
from fuseir.codegen.cuda.kernels import CHUNKS, SPAN, Buffer, BufferUse, Extent, Kernel, Kind, Pointer
from fuseir.codegen.cuda.maps import decode_items
from fuseir.codegen.cuda.nests import Nest, body_of, is_innermost
from fuseir.codegen.cuda.operations import combiner
from fuseir.codegen.cuda.singles import keep
from fuseir.codegen.cuda.source import Source, team_form
from fuseir.codegen.cuda.statements import Outline, Statements, load_text
from fuseir.codegen.cuda.text import KernelText
from fuseir.codegen.cuda.types import cpp_type, literal
from fuseir.codegen.element_types import element_type
from fuseir.codegen.elements import ElementType
from fuseir.codegen.loop_parts import combiners_of, reduce_of

_TREE_BLOCK, _TREE_LANES = 1024, 32
_UNROLLED = 4
"""Steps of a lane whose loads are on their way at a time."""


def emit_items(source: Source, outline: Outline, nest: Nest, after: Sequence[Operation]) -> Kernel:
    """Emit the kernel that does all of a nest, and then ``after`` where the nest is a loop that reduces."""
    emitter = _Team(source, outline, nest)
    return emitter.whole(after)


def emit_partials(
    source: Source, outline: Outline, nest: Nest, after: Sequence[Operation]
) -> tuple[tuple[Kernel, Kernel], tuple[BufferUse, ...]]:
    """Emit the two kernels of a nest whose items are one reducing loop without loops within (``nest.fold``), with the buffers between."""
    fold = nest.fold
    assert fold is not None
    loop = nest.body[fold]
    assert isinstance(loop, scf.ParallelOp)
    buffers = tuple(BufferUse(Buffer(k), _element(value), True) for k, (_, value) in enumerate(combiners_of(loop)))
    first = _Team(source, outline, nest).partials(fold, buffers)
    second = _Team(source, outline, nest).finish(fold, buffers, after)
    return (first, second), buffers


def emit_nested(
    source: Source, outline: Outline, nest: Nest, after: Sequence[Operation]
) -> tuple[tuple[Kernel, Kernel], tuple[BufferUse, ...]]:
    """Emit the two kernels of a loop that reduces and has loops within: its iterations are items, whose values a block then folds."""
    root = nest.body[0]
    assert isinstance(root, scf.ParallelOp)
    items = Nest((root,), (), tuple(body_of(root)))
    buffers = tuple(BufferUse(Buffer(k), _element(value), False) for k, (_, value) in enumerate(combiners_of(root)))
    first = _Team(source, outline, items).values(root, buffers)
    second = _Team(source, outline, nest).finish_values(root, buffers, after)
    return (first, second), buffers


class _Team:
    """Writes one kernel. ``_near`` are the memrefs touched since the team last waited, and whether they were stored to."""

    def __init__(self, source: Source, outline: Outline, nest: Nest) -> None:
        self._source, self._outline, self._nest = source, outline, nest
        self._text = KernelText(source.helpers)
        self._statements = Statements(outline, self._text)
        self._touched: dict[SSAValue, bool] = {}
        self._loops = len(nest.outer)
        self._extents = tuple(outline.extent(loop.upperBound[0]) for loop in nest.outer)

    # Kernels

    def whole(self, after: Sequence[Operation]) -> Kernel:
        """All of a nest."""
        self._enter(after)
        with self._items():
            self._statements_of((*self._nest.body, *after))
            self._keep(after)
        return self._kernel(Kind.COLUMNS if self._nest.in_columns else Kind.ROWS)

    def partials(self, fold: int, buffers: Sequence[BufferUse]) -> Kernel:
        """What comes before a reducing loop, and chunks of the loop."""
        loop = self._nest.body[fold]
        assert isinstance(loop, scf.ParallelOp)
        self._enter(())
        text = self._text
        chunks, span = text.parameter(CHUNKS), text.parameter(SPAN)
        with self._items(chunked=True):
            self._statements_of(self._nest.body[:fold])
            bound = text.parameter(self._outline.extent(loop.upperBound[0]))
            self._uses("least")
            begin, end = "chunk * " + span, f"least({bound}, (chunk + 1) * {span})"
            folds = self._blocks(loop, begin, end, lanes=True)
            place = f"{self._node(chunks)} * {_TREE_LANES} + team.lane"
            store = "if (team.live) " if self._nest.in_columns else ""
            for buffer, tree in zip(buffers, folds, strict=True):
                pointer = text.parameter(Pointer(buffer.buffer, buffer.element, True))
                text.line(f"{store}{pointer}[{place}] = {tree}.node();")
        kind = Kind.COLUMNS if self._nest.in_columns else Kind.ROWS
        return self._kernel(kind, folded=self._outline.extent(loop.upperBound[0]), chunked=True)

    def finish(self, fold: int, buffers: Sequence[BufferUse], after: Sequence[Operation]) -> Kernel:
        """What :meth:`partials` left, and what comes after the loop."""
        loop = self._nest.body[fold]
        assert isinstance(loop, scf.ParallelOp)
        self._enter(after)
        text = self._text
        chunks = text.parameter(CHUNKS)
        with self._items(block=True):
            following = [*self._nest.body[fold + 1 :], *after]
            self._statements_of(self._needed(self._nest.body[:fold], following))
            text.comment("Fold the nodes of the chunks.")
            trees = [self._tree(name, value) for name, value in combiners_of(loop)]
            with text.block(
                f"for (Index chunk = team.begin({chunks}, Index(1)); chunk < team.end({chunks}, Index(1)); ++chunk)"
            ):
                for buffer, tree in zip(buffers, trees, strict=True):
                    pointer = text.parameter(Pointer(buffer.buffer, buffer.element))
                    place = f"{pointer}[{self._node(chunks)} * {_TREE_LANES} + team.lane]"
                    text.line(f"{tree}.push({load_text(place, buffer.element)});")
            self._results(loop, trees, "fold")
            self._statements_of(following)
            self._keep(after)
        return self._kernel(Kind.FINISH, chunked=True)

    def values(self, root: scf.ParallelOp, buffers: Sequence[BufferUse]) -> Kernel:
        """The values of the iterations of a loop that reduces."""
        self._enter(())
        text = self._text
        with self._items():
            self._statements_of(self._nest.body)
            for buffer, arg in zip(buffers, reduce_of(root).args, strict=True):
                pointer = text.parameter(Pointer(buffer.buffer, buffer.element, True))
                text.line(f"if (team.leads()) {pointer}[i0] = {self._statements.operand(arg)};")
        return self._kernel(Kind.COLUMNS if self._nest.in_columns else Kind.ROWS)

    def finish_values(self, root: scf.ParallelOp, buffers: Sequence[BufferUse], after: Sequence[Operation]) -> Kernel:
        """The fold of what :meth:`values` left."""
        self._enter(after)
        text = self._text
        self._uses("least")
        with self._items(block=True):
            bound = text.parameter(self._outline.extent(root.upperBound[0]))
            text.comment("Fold the items' values.")
            trees = [self._tree(name, value) for name, value in combiners_of(root)]
            begin, end = f"team.begin({bound}, Index({_TREE_BLOCK}))", f"team.end({bound}, Index({_TREE_BLOCK}))"
            with self._lanes(begin, end, "i0", trees, unrolled=True):
                for buffer, tree in zip(buffers, trees, strict=True):
                    pointer = text.parameter(Pointer(buffer.buffer, buffer.element))
                    text.line(f"{tree}.add({load_text(f'{pointer}[i0]', buffer.element)});")
            self._results(root, trees, "fold")
            self._statements_of(after)
            self._keep(after)
        return self._kernel(Kind.FINISH)

    def _kernel(self, kind: Kind, *, folded: Extent | None = None, chunked: bool = False) -> Kernel:
        comment, threads, template, versions = team_form(kind, chunked)
        symbol = self._source.define(
            kind, self._text, comment=comment, template=template, versions=versions, threads=threads
        )
        return Kernel(kind, symbol, self._text.ordered, loops=self._extents, folded=folded, chunked=chunked)

    # Items

    def _enter(self, after: Sequence[Operation]) -> None:
        """Compute what comes from the kernel's own block."""
        roots = self._nest.outer[:1] or self._nest.body
        self._statements.enter([*roots, *after])

    def _node(self, chunks: str) -> str:
        """The number of the item and the chunk at hand, in the row-major list of all."""
        number = ""
        for level, extent in enumerate(self._extents):
            number = f"({number} * {self._text.parameter(extent)} + i{level})" if number else "i0"
        return f"({number} * {chunks} + chunk)" if number else "chunk"

    @contextmanager
    def _items(self, *, chunked: bool = False, block: bool = False) -> Generator[None, None, None]:
        """The loops over items: the statements for one of them go within."""
        text = self._text
        names = [text.parameter(extent) for extent in self._extents]
        for number, loop in enumerate(self._nest.outer):
            self._statements.values[loop.body.block.args[0]] = f"i{number}"
        if self._nest.in_columns and not block:
            with self._columns(names, chunked):
                yield
            return
        self._uses(*(["BlockTeam"] if block else ["WarpTeam"] if chunked else ["BlockTeam", "WarpTeam"]))
        text.line("const BlockTeam team;" if block else "const Team team;")
        if block:
            first, step = "blockIdx.x", "gridDim.x"
        elif chunked:
            first, step = "blockIdx.x * blockDim.y + threadIdx.y", "gridDim.x * blockDim.y"
        else:
            first, step = "Team::first_item()", "Team::items_at_a_time()"
        if chunked:
            names = [*names, text.parameter(CHUNKS)]
        if not names:
            self._before()
            yield
            return
        counter = names[0] if len(names) == 1 else text.value("Index", " * ".join(names), "items")
        index = ("chunk" if chunked else "i0") if len(names) == 1 else "item"
        with text.block(f"for (Index {index} = {first}; {index} < {counter}; {index} += {step})"):
            self._decode(index, names, chunked)
            self._before()
            yield

    def _decode(self, index: str, names: Sequence[str], chunked: bool) -> None:
        """Name the iterations that an index of the row-major list stands for, the chunk being the last one."""
        if len(names) == 1:
            return
        if chunked:
            self._text.line(f"const Index chunk = {index} % {names[-1]};")
            decode_items(self._text, f"{index} / {names[-1]}", names[:-1])
        else:
            decode_items(self._text, index, names)

    @contextmanager
    def _columns(self, names: Sequence[str], chunked: bool) -> Generator[None, None, None]:
        text = self._text
        self._uses("ColumnTeam")
        *outer, columns = names
        last = f"i{len(outer)}"
        rows = [*outer, *([text.parameter(CHUNKS)] if chunked else [])]
        if rows:
            count = rows[0] if len(rows) == 1 else text.value("Index", " * ".join(rows), "rows")
            index = ("chunk" if chunked else "i0") if len(rows) == 1 else "row"
            with text.block(f"for (Index {index} = blockIdx.y; {index} < {count}; {index} += gridDim.y)"):
                self._decode(index, rows, chunked)
                with self._column_loop(last, columns):
                    yield
        else:
            with self._column_loop(last, columns):
                yield

    @contextmanager
    def _column_loop(self, name: str, columns: str) -> Generator[None, None, None]:
        text = self._text
        head = "Index first = blockIdx.x * blockDim.x"
        with text.block(f"for ({head}; first < {columns}; first += gridDim.x * blockDim.x)"):
            text.line(f"const ColumnTeam team = {{first + Index(threadIdx.x) < {columns}}};")
            text.line(f"const Index {name} = team.live ? first + Index(threadIdx.x) : {columns} - 1;")
            self._before()
            yield

    def _before(self) -> None:
        self._touched.clear()
        for ops in self._nest.before:
            self._statements_of(ops)

    # What a team does for an item

    def _statements_of(self, ops: Iterable[Operation]) -> None:
        for op in ops:
            self._wait_for(op)
            if isinstance(op, scf.ParallelOp):
                self._loop(op)
            elif isinstance(op, memref.StoreOp):
                self._text.line("if (team.leads())")
                self._text.line(f"    {self._store_text(op)}")
            else:
                self._statements.emit(op)

    def _store_text(self, op: memref.StoreOp) -> str:
        place = self._statements.element(op.memref, op.indices, written=True)
        return f"{place} = {self._statements.operand(op.value)};"

    def _loop(self, loop: scf.ParallelOp) -> None:
        text = self._text
        bound = text.parameter(self._outline.extent(loop.upperBound[0]))
        innermost = is_innermost(loop)
        if loop.res:
            begin, end = (f"team.{each}({bound}, Index({_TREE_BLOCK}))" for each in ("begin", "end"))
            self._uses("least")
            trees = self._blocks(loop, *((begin, end) if innermost else ("0", bound)), lanes=innermost)
            self._results(loop, trees, "fold" if innermost else "fold_same")
            return
        index = self._index(loop)
        steps = ("team.first()", f"{index} += team.step()") if innermost else ("0", f"++{index}")
        if innermost:
            text.line(f"#pragma unroll {_UNROLLED}")
        with text.block(f"for (Index {index} = {steps[0]}; {index} < {bound}; {steps[1]})"):
            self._iteration(loop, innermost)

    def _blocks(self, loop: scf.ParallelOp, begin: str, end: str, *, lanes: bool) -> list[str]:
        """A loop that reduces, from ``begin`` to ``end``, block by block of the tree; with ``lanes``, each thread has its own ones."""
        own_iterations = "each lane its own iterations" if lanes else "all lanes together, each keeps every 32nd value"
        self._text.comment(f"Reduce: {own_iterations}.")
        trees = [self._tree(name, value) for name, value in combiners_of(loop)]
        index = self._index(loop)
        with self._lanes(begin, end, index, trees, unrolled=lanes, shared=not lanes):
            self._iteration(loop, lanes)
            own = "" if lanes else f"if (team.lane == ({index} & {_TREE_LANES - 1})) "
            for tree, arg in zip(trees, reduce_of(loop).args, strict=True):
                self._text.line(f"{own}{tree}.add({self._statements.operand(arg)});")
        return trees

    @contextmanager
    def _lanes(
        self, begin: str, end: str, index: str, trees: Sequence[str], *, unrolled: bool, shared: bool = False
    ) -> Generator[None, None, None]:
        text = self._text
        block, last = text.fresh("block"), text.value("Index", end, "end")
        with text.block(f"for (Index {block} = {begin}; {block} < {last}; {block} += {_TREE_BLOCK})"):
            stop = text.value("Index", f"least({last}, {block} + {_TREE_BLOCK})", "stop")
            if unrolled:
                text.line(f"#pragma unroll {_UNROLLED}")
            first, step = (block, f"++{index}") if shared else (f"{block} + team.lane", f"{index} += {_TREE_LANES}")
            with text.block(f"for (Index {index} = {first}; {index} < {stop}; {step})"):
                yield
            for tree in trees:
                text.line(f"{tree}.end_block();")

    def _iteration(self, loop: scf.ParallelOp, innermost: bool) -> None:
        """One iteration: by one thread if the loop is innermost, else by the team."""
        outside = self._touched
        self._touched = {}
        if innermost:
            for op in body_of(loop):
                if isinstance(op, memref.StoreOp) and self._nest.in_columns:
                    self._text.line("if (team.live)")
                    self._text.line(f"    {self._store_text(op)}")
                else:
                    self._statements.emit(op)
        else:
            self._statements_of(body_of(loop))
        self._touched = outside

    def _index(self, loop: scf.ParallelOp) -> str:
        """Name a loop's counter by its depth."""
        depth, parent = 0, loop.parent_op()
        while isinstance(parent, scf.ParallelOp):
            depth, parent = depth + 1, parent.parent_op()
        index = f"i{depth}"
        self._statements.values[loop.body.block.args[0]] = index
        return index

    def _tree(self, name: str, value: SSAValue) -> str:
        element = _element(value)
        helper = combiner(name, element)
        self._uses("TreeFold", helper)
        kind, tree = cpp_type(element), self._text.fresh("tree")
        neutral = literal(element, identity(name, element))
        self._text.line(f"TreeFold<{kind}, {helper}<{kind}>, Index> {tree}({neutral});")
        return tree

    def _results(self, loop: scf.ParallelOp, trees: Sequence[str], fold: str) -> None:
        for result, tree in zip(loop.res, trees, strict=True):
            self._statements.values[result] = self._text.value(cpp_type(_element(result)), f"team.{fold}({tree})")

    def _wait_for(self, op: Operation) -> None:
        """Have the team wait if ``op`` meets memory that other threads may have touched, and one of them stores."""
        touches = _touches(op)
        if any(tile in self._touched and (stores or self._touched[tile]) for tile, stores in touches.items()):
            self._text.line("team.sync();")
            self._touched.clear()
        for tile, stores in touches.items():
            self._touched[tile] = stores or self._touched.get(tile, False)

    def _needed(self, ops: Sequence[Operation], users: Iterable[Operation]) -> list[Operation]:
        """Of operations that store nothing those that ``users`` need."""
        wanted = {operand for op in users for each in op.walk() for operand in each.operands}
        needed: list[Operation] = []
        for op in reversed(ops):
            if not wanted.isdisjoint(op.results):
                wanted.update(op.operands)
                needed.append(op)
        return needed[::-1]

    def _keep(self, ops: Iterable[Operation]) -> None:
        keep(self._statements, [*self._nest.body[: 0 if self._nest.outer else None], *ops], "if (team.leads()) ")

    def _uses(self, *helpers: str) -> None:
        self._text.helpers.update(helpers)


def _touches(op: Operation) -> dict[SSAValue, bool]:
    """The memrefs that an operation touches, and whether it stores."""
    touches: dict[SSAValue, bool] = {}
    for inner in op.walk():
        if isinstance(inner, memref.LoadOp | memref.StoreOp):
            touches[inner.memref] = touches.get(inner.memref, False) or isinstance(inner, memref.StoreOp)
    return touches


def _element(value: SSAValue) -> ElementType:
    return element_type(value.type)
