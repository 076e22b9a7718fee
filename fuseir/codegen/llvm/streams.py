"""Stores past the caches, for results that no cache holds.

An ordinary store fetches its line first, so that a result costs memory twice what it is large. A non-temporal one does not, and leaves the
caches to others. It wants whole lines at aligned addresses: the vectors in front of the first whole line, and behind the last one, are
masked stores of the ordinary kind. Which lines are written how does not show in the bits.

It pays where a kernel does little but go through memory, and where its results together are so large that they are not in a cache when
somebody reads them. What is written in place is in a cache already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from xdsl.dialects import memref, scf

from fuseir.codegen.element_types import element_type
from fuseir.codegen.llvm.math_functions import MATH_FUNCTIONS
from fuseir.codegen.llvm.memory import Lanes, lane_mask
from fuseir.codegen.llvm.rows import Piece, Row
from fuseir.codegen.llvm.text import FunctionText, ModuleText

_LARGE_BYTES = 1 << 26
"""What all points together write to a result, from which on it goes past the caches: more than the last-level cache of a few cores."""

_MOST_STATEMENTS = 32
"""Statements of a loop that may wait for memory more than it computes."""

_MOST_TILES = 6
"""Tiles that a loop goes through: with more of them, two loops side by side lack registers, and short rows wait."""

_SHORTEST_ROW = 32
"""Vectors of a row that is worth looking for whole lines."""

_LINE = 64


def streams(
    module: ModuleText, text: FunctionText, loop: scf.ParallelOp, count: int, extents: Sequence[str], points: str
) -> str | None:
    """Whether the stores of a vector loop go past the caches, an ``i1``; None if they never do.

    Each of so many points stores tiles of these extents; ``count`` are the loop's lanes.
    """
    ops = list(loop.body.block.ops)
    stored = {op.memref: element_type(op.value.type).memory for op in ops if isinstance(op, memref.StoreOp)}
    loaded = {op.memref for op in ops if isinstance(op, memref.LoadOp)}
    lines = all(element.bytes * count % _LINE == 0 for element in stored.values())
    few = len(loaded) + len(stored) <= _MOST_TILES
    light = few and len(ops) <= _MOST_STATEMENTS and not any(op.name in MATH_FUNCTIONS for op in ops)
    # Processors of other kinds have no such stores, or order them otherwise.
    supported = module.target.mvec_variant is not None
    if not stored or not loaded.isdisjoint(stored) or not (lines and light and supported):
        return None
    elements = points
    for extent in extents:
        elements = text.op(f"mul i64 {elements}, {extent}")
    least = min(element.bytes for element in stored.values())
    return text.op(f"icmp sge i64 {elements}, {_LARGE_BYTES // least}")


def fence(module: ModuleText, text: FunctionText, streamed: str) -> None:
    """Have other processors see such stores before any later one, if there were some."""
    with text.when(streamed):
        text.do(f"call void {module.declare('llvm.x86.sse.sfence', 'void', [])}()")


def vectors_and_lines(
    text: FunctionText, piece: Piece, count: int, stored: Sequence[tuple[Row, str]], streamed: str
) -> Iterator[Lanes]:
    """``rows.vectors`` for a piece that is a whole row: if ``streamed`` (an ``i1``), and whole lines of all rows that are stored begin
    together, full vectors are lines. ``stored`` are those rows with their addresses.
    """
    head, found = text.alloca("i64", 8), text.alloca("i1", 1)
    text.do(f"store i64 0, ptr {head}, align 8")
    text.do(f"store i1 false, ptr {found}, align 1")
    long = text.op(f"icmp sge i64 {piece.size}, {_SHORTEST_ROW * count}")
    with text.when(text.op(f"and i1 {long}, {streamed}")):
        start, lines = _first_lines(text, stored)
        text.do(f"store i64 {text.op(f'select i1 {lines}, i64 {start}, i64 0')}, ptr {head}, align 8")
        text.do(f"store i1 {lines}, ptr {found}, align 1")
    begin, lines = text.op(f"load i64, ptr {head}, align 8"), text.op(f"load i1, ptr {found}, align 1")
    whole = text.op(f"and i64 {text.op(f'sub i64 {piece.size}, {begin}')}, -{count}")
    end = text.op(f"add i64 {begin}, {whole}")
    # Once; where there are lines, the code with a mask runs twice: for what is in front of the first one, and for what is behind the last.
    with text.loop("0", text.op(f"select i1 {lines}, i64 2, i64 1"), 1) as part:
        is_first = text.op(f"icmp eq i64 {part}, 0")
        for past in (False, True):
            wanted = lines if past else text.op(f"xor i1 {lines}, true")
            with text.when(text.op(f"and i1 {is_first}, {wanted}")), text.loop(begin, end, count) as place:
                yield replace(_lanes(text, piece, count, place), streamed=past)
        in_front = text.op(f"and i1 {is_first}, {lines}")
        position = text.op(f"select i1 {in_front}, i64 0, i64 {end}")
        active = text.op(f"select i1 {in_front}, i64 {begin}, i64 {text.op(f'sub i64 {piece.size}, {end}')}")
        with text.when(text.op(f"icmp ne i64 {active}, 0")):
            yield _lanes(text, piece, count, position, active)


def _first_lines(text: FunctionText, stored: Sequence[tuple[Row, str]]) -> tuple[str, str]:
    """At which element the first whole line of the first row begins, and whether lines of all rows begin there (an ``i1``)."""
    first = text.op(f"ptrtoint ptr {stored[0][1]} to i64")
    missing = text.op(f"and i64 {text.op(f'sub i64 0, {first}')}, {_LINE - 1}")
    element = text.op(f"udiv i64 {missing}, {stored[0][0].element.bytes}")
    lines = "true"
    for row, address in stored:
        start = text.op(f"getelementptr {row.element.memory.llvm}, ptr {address}, i64 {element}")
        offset = text.op(f"and i64 {text.op(f'ptrtoint ptr {start} to i64')}, {_LINE - 1}")
        lines = text.op(f"and i1 {lines}, {text.op(f'icmp eq i64 {offset}, 0')}")
    return element, lines


def _lanes(text: FunctionText, piece: Piece, count: int, position: str, active: str | None = None) -> Lanes:
    iteration = position if piece.start == "0" else text.op(f"add i64 {piece.start}, {position}")
    return Lanes(count, position, iteration, active, None if active is None else lane_mask(text, active, count))
