"""The rows of elements that a vector loop walks through: in place where they are neighbours in memory, else through buffers.

A loop has one version of its code for both. Where all rows are neighbours, it runs over them in one go. Where some are not, it runs over
short pieces of them: before a piece, elements of such rows are gathered into buffers, and afterwards scattered from there. Buffers stay
in the first cache, so that a strided operand costs little more than going through it once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.memory import Lanes, lane_mask
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value, llvm_type
from fuseir.codegen.llvm.workspace import Workspace

PIECE = 256
"""Elements of a buffer: a multiple of the tree's lanes. Buffers of ten rows of doubles still fit the first cache."""


@dataclass(frozen=True, slots=True)
class Row:
    """The address of a row's first element, the bytes from one element to the next, and whether the loop reads and changes it."""

    address: str
    element: ElementType
    stride: str
    loaded: bool
    stored: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """``size`` iterations from number ``start`` on, and where the neighbours are that each row has for them."""

    start: str
    size: str
    pointers: tuple[str, ...]


def total_stride(text: FunctionText, strides: Sequence[str]) -> str:
    """Bytes from one element to the next, if the loop moves along dimensions with these strides."""
    total = strides[0]
    for stride in strides[1:]:
        total = text.op(f"add i64 {total}, {stride}")
    return total


def are_neighbours(text: FunctionText, element: ElementType, stride: str) -> str:
    """Whether elements at a stride are neighbours: an ``i1`` value, or ``true``."""
    return "true" if stride == str(element.bytes) else text.op(f"icmp eq i64 {stride}, {element.bytes}")


@contextmanager
def pieces(
    module: ModuleText, text: FunctionText, workspace: Workspace, rows: Sequence[Row], near: str, bound: str
) -> Generator[Piece, None, None]:
    """A loop over the pieces of ``bound`` iterations; ``near`` is an ``i1``, whether all rows are neighbours: then there is one piece."""
    if near == "true":
        yield Piece("0", bound, tuple(row.address for row in rows))
        return
    mark = workspace.mark()
    length = text.op(f"select i1 {near}, i64 {bound}, i64 {PIECE}")
    far = text.op(f"xor i1 {near}, true")
    smin = module.intrinsic("smin", "i64", ["i64", "i64"])
    # Where each row is for the piece at hand. There is little to do in front of a row of neighbours, as rows may be short.
    places = [text.alloca("ptr", 8) for _ in rows]
    slots = [text.alloca("ptr", 8) for _ in rows]
    for place, row in zip(places, rows, strict=True):
        text.do(f"store ptr {row.address}, ptr {place}, align 8")
    with text.loop("0", bound, length) as start:
        size = text.op(f"call i64 {smin}(i64 {text.op(f'sub i64 {bound}, {start}')}, i64 {length})")
        addresses = [text.op(f"load ptr, ptr {place}, align 8") for place in places]
        for slot, address in zip(slots, addresses, strict=True):
            text.do(f"store ptr {address}, ptr {slot}, align 8")
        moved = [k for k, row in enumerate(rows) if row.stride != str(row.element.bytes)]
        buffers = {k: workspace.reserve(PIECE * rows[k].element.bytes) for k in moved}
        with text.when(far):
            for k in moved:
                row, memory = rows[k], rows[k].element.memory
                if row.loaded:
                    gather = module.support("gather", _gather_function, memory)
                    arguments = f"ptr {buffers[k]}, ptr {addresses[k]}, i64 {row.stride}, i64 {size}"
                    pointer = text.op(f"call ptr {gather}({arguments})")
                else:
                    is_near = are_neighbours(text, memory, row.stride)
                    pointer = text.op(f"select i1 {is_near}, ptr {addresses[k]}, ptr {buffers[k]}")
                text.do(f"store ptr {pointer}, ptr {slots[k]}, align 8")
        yield Piece(start, size, tuple(text.op(f"load ptr, ptr {slot}, align 8") for slot in slots))
        with text.when(far):
            for k in moved:
                if rows[k].stored:
                    scatter = module.support("scatter", _scatter_function, rows[k].element.memory)
                    arguments = f"ptr {addresses[k]}, i64 {rows[k].stride}, ptr {buffers[k]}, i64 {size}"
                    text.do(f"call void {scatter}({arguments})")
            for place, address, row in zip(places, addresses, rows, strict=True):
                offset = text.op(f"mul i64 {row.stride}, {PIECE}")
                text.do(f"store ptr {text.op(f'getelementptr i8, ptr {address}, i64 {offset}')}, ptr {place}, align 8")
    workspace.release(mark)


def vectors(text: FunctionText, piece: Piece, count: int) -> Iterator[Lanes]:
    """Full vectors in a loop, then what is left with a mask: code for each is written where the caller takes the lanes."""
    whole = text.op(f"and i64 {piece.size}, -{count}")
    with text.loop("0", whole, count) as position:
        yield Lanes(count, position, _sum(text, piece.start, position))
    active = text.op(f"sub i64 {piece.size}, {whole}")
    with text.when(text.op(f"icmp ne i64 {active}, 0")):
        mask = lane_mask(text, active, count)
        yield Lanes(count, whole, _sum(text, piece.start, whole), active, mask)


def _sum(text: FunctionText, start: str, position: str) -> str:
    return position if start == "0" else text.op(f"add i64 {start}, {position}")


def _gather_function(module: ModuleText, memory: ElementType) -> FunctionText:
    """``gather(buffer, address, stride, count)``: the elements in the buffer, or where they are if they are neighbours."""
    text = FunctionText(["ptr noalias", "ptr", "i64", "i64"], "ptr")
    near, far = text.label(), text.label()
    text.branch_if(are_neighbours(text, memory, "%a2"), near, far)
    text.place(near)
    text.do("ret ptr %a1")
    text.place(far)
    lanes = module.target.vector_bytes // memory.bytes
    vector = llvm_type(memory, lanes)
    repeated, moving = text.label(), text.label()
    text.branch_if(text.op("icmp eq i64 %a2, 0"), repeated, moving)
    text.place(repeated)
    # One element over and over, as of a broadcast. The buffer has room for what is beyond the end.
    everywhere = text.splat(Value(text.op(f"load {memory.llvm}, ptr %a1, align 1"), memory), lanes)
    with text.loop("0", "%a3", lanes) as first:
        place = text.op(f"getelementptr {memory.llvm}, ptr %a0, i64 {first}")
        text.do(f"store {vector} {everywhere}, ptr {place}, align {module.target.vector_bytes}")
    text.do("ret ptr %a0")
    text.place(moving)
    whole = text.op(f"and i64 %a3, -{lanes}")
    with text.loop("0", whole, lanes) as first:
        result = "poison"
        for lane in range(lanes):
            place = _strided(text, "%a1", "%a2", text.op(f"add i64 {first}, {lane}"))
            element = text.op(f"load {memory.llvm}, ptr {place}, align 1")
            result = text.op(f"insertelement {vector} {result}, {memory.llvm} {element}, i64 {lane}")
        place = text.op(f"getelementptr {memory.llvm}, ptr %a0, i64 {first}")
        text.do(f"store {vector} {result}, ptr {place}, align {module.target.vector_bytes}")
    with text.loop(whole, "%a3", 1) as number:
        element = text.op(f"load {memory.llvm}, ptr {_strided(text, '%a1', '%a2', number)}, align 1")
        place = text.op(f"getelementptr {memory.llvm}, ptr %a0, i64 {number}")
        text.do(f"store {memory.llvm} {element}, ptr {place}, align {memory.bytes}")
    text.do("ret ptr %a0")
    return text


def _scatter_function(module: ModuleText, memory: ElementType) -> FunctionText:
    """``scatter(address, stride, buffer, count)``: what ``gather`` with the same arguments took away."""
    text = FunctionText(["ptr", "i64", "ptr noalias", "i64"])
    near, far = text.label(), text.label()
    text.branch_if(are_neighbours(text, memory, "%a1"), near, far)
    text.place(near)
    text.do("ret void")
    text.place(far)
    lanes = module.target.vector_bytes // memory.bytes
    vector = llvm_type(memory, lanes)
    whole = text.op(f"and i64 %a3, -{lanes}")
    with text.loop("0", whole, lanes) as first:
        place = text.op(f"getelementptr {memory.llvm}, ptr %a2, i64 {first}")
        values = text.op(f"load {vector}, ptr {place}, align {module.target.vector_bytes}")
        for lane in range(lanes):
            place = _strided(text, "%a0", "%a1", text.op(f"add i64 {first}, {lane}"))
            element = text.op(f"extractelement {vector} {values}, i64 {lane}")
            text.do(f"store {memory.llvm} {element}, ptr {place}, align 1")
    with text.loop(whole, "%a3", 1) as number:
        place = text.op(f"getelementptr {memory.llvm}, ptr %a2, i64 {number}")
        element = text.op(f"load {memory.llvm}, ptr {place}, align {memory.bytes}")
        text.do(f"store {memory.llvm} {element}, ptr {_strided(text, '%a0', '%a1', number)}, align 1")
    text.do("ret void")
    return text


def _strided(text: FunctionText, address: str, stride: str, number: str) -> str:
    return text.op(f"getelementptr i8, ptr {address}, i64 {text.op(f'mul i64 {number}, {stride}')}")
