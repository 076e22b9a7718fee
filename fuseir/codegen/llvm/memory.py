"""Loads and stores of tiles: single elements, and vectors of elements that lie side by side. Elements may be unaligned.

Vector code comes in two versions: all lanes run, or the first few do, and only these touch memory. Elements that are not
neighbours get to vector code by way of a buffer (``rows.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fuseir.codegen.abi import SLOT_BYTES
from fuseir.codegen.elements import I8, ElementType
from fuseir.codegen.llvm.text import NON_TEMPORAL, FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value, llvm_type, mangled


@dataclass(frozen=True, slots=True)
class MemRef:
    """A tile: its address, element type, and per dimension stride in bytes, as LLVM ``i64`` values; extents of scratch tiles only."""

    base: str
    element: ElementType
    strides: tuple[str, ...]
    sizes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tile:
    """A parameter: a tile whose address, extents and strides are words of the kernel's argument ``words``, from number ``first`` on.

    They are read where they are used, and again in the next nest: in a kernel of many nests, few tiles are in use at a time.
    """

    words: str
    first: int
    element: ElementType
    rank: int

    def read(self, text: FunctionText) -> MemRef:
        """Read the address and the strides."""
        strides = tuple(self._word(text, "i64", 1 + self.rank + dimension) for dimension in range(self.rank))
        return MemRef(self._word(text, "ptr", 0), self.element, strides)

    def size(self, text: FunctionText, dimension: int) -> str:
        """Read an extent."""
        return self._word(text, "i64", 1 + dimension)

    def copy(self, module: ModuleText, text: FunctionText, words: str) -> None:
        """Copy all there is to know to another array of words."""
        memcpy = module.declare("llvm.memcpy.p0.p0.i64", "void", ["ptr", "ptr", "i64", "i1"])
        place = text.op(f"getelementptr i64, ptr {self.words}, i64 {self.first}")
        text.do(f"call void {memcpy}(ptr {words}, ptr {place}, i64 {(1 + 2 * self.rank) * SLOT_BYTES}, i1 false)")

    def _word(self, text: FunctionText, llvm: str, number: int) -> str:
        place = text.op(f"getelementptr i64, ptr {self.words}, i64 {self.first + number}")
        return text.op(f"load {llvm}, ptr {place}, align {SLOT_BYTES}")


@dataclass(frozen=True, slots=True)
class Lanes:
    """The vector at hand: lane ``l`` is element ``position + l`` of each row, and iteration ``iteration + l`` of the loop.

    ``active`` is an ``i64``, lanes 0 to ``active - 1`` are to run, and ``mask`` the vector of ``i1`` that says so; both are None in the
    version that runs all. ``streamed``: vectors that are stored are whole lines, which go past the caches (``streams.py``).
    """

    count: int
    position: str
    iteration: str
    active: str | None = None
    mask: str | None = None
    streamed: bool = False


def address_of(text: FunctionText, memref: MemRef, indices: Sequence[str | None]) -> str:
    """The address of an element; where an index is None, of the first one along that dimension."""
    address = memref.base
    for index, stride in zip(indices, memref.strides, strict=True):
        if index is not None and index != "0":
            offset = text.op(f"mul i64 {index}, {stride}")
            address = text.op(f"getelementptr i8, ptr {address}, i64 {offset}")
    return address


def load(text: FunctionText, element: ElementType, address: str) -> Value:
    """Load an element."""
    raw = text.op(f"load {element.memory.llvm}, ptr {address}, align 1")
    return Value(text.op(f"icmp ne i8 {raw}, 0") if element.bits == 1 else raw, element)


def store(text: FunctionText, element: ElementType, address: str, value: Value) -> None:
    """Store an element."""
    ref = text.op(f"zext i1 {value.ref} to i8") if element.bits == 1 else value.ref
    text.do(f"store {element.memory.llvm} {ref}, ptr {address}, align 1")


def load_vector(module: ModuleText, text: FunctionText, element: ElementType, row: str, lanes: Lanes) -> Value:
    """Load a vector from the row of neighbours at an address; lanes that do not run are zero."""
    memory, vector = element.memory, llvm_type(element.memory, lanes.count)
    address = text.op(f"getelementptr {memory.llvm}, ptr {row}, i64 {lanes.position}")
    if lanes.active is None:
        raw = text.op(f"load {vector}, ptr {address}, align 1")
    elif memory.bytes in module.target.masked_bytes:
        flags = f"<{lanes.count} x i1>"
        masked = module.declare(f"llvm.masked.load.{mangled(vector)}.p0", vector, ["ptr", flags, vector])
        loaded = text.op(
            f"call {vector} {masked}(ptr align 1 {address}, {flags} {lanes.mask}, {vector} zeroinitializer)"
        )
        # LLVM 22 makes one load of a masked load and a select by its mask, where the select is: behind stores that come between them.
        raw = text.op(f"freeze {vector} {loaded}")
    else:
        callee = module.support("load", _load_function, memory, lanes.count)
        raw = text.op(f"call {vector} {callee}(ptr {address}, i64 {lanes.active})")
    if element.bits == 1:
        raw = text.op(f"icmp ne {vector} {raw}, zeroinitializer")
    return Value(raw, element, lanes.count)


def store_vector(
    module: ModuleText, text: FunctionText, element: ElementType, row: str, value: Value, lanes: Lanes
) -> None:
    """Store the lanes that run to the row of neighbours at an address."""
    memory, vector = element.memory, llvm_type(element.memory, lanes.count)
    ref = text.splat(value, lanes.count)
    if element.bits == 1:
        ref = text.op(f"zext {llvm_type(element, lanes.count)} {ref} to {vector}")
    address = text.op(f"getelementptr {memory.llvm}, ptr {row}, i64 {lanes.position}")
    if lanes.streamed:
        text.do(f"store {vector} {ref}, ptr {address}, align 64, !nontemporal {NON_TEMPORAL}")
    elif lanes.active is None:
        text.do(f"store {vector} {ref}, ptr {address}, align 1")
    elif memory.bytes in module.target.masked_bytes:
        flags = f"<{lanes.count} x i1>"
        masked = module.declare(f"llvm.masked.store.{mangled(vector)}.p0", "void", [vector, "ptr", flags])
        text.do(f"call void {masked}({vector} {ref}, ptr align 1 {address}, {flags} {lanes.mask})")
    else:
        callee = module.support("store", _store_function, memory, lanes.count)
        text.do(f"call void {callee}({vector} {ref}, ptr {address}, i64 {lanes.active})")


def lane_mask(text: FunctionText, active: str, lanes: int) -> str:
    """The vector of ``i1`` whose first ``active`` lanes are on."""
    narrow = text.splat(Value(text.op(f"trunc i64 {active} to i8"), I8), lanes)
    numbers = ", ".join(f"i8 {lane}" for lane in range(lanes))
    return text.op(f"icmp ugt <{lanes} x i8> {narrow}, <{numbers}>")


def _load_function(module: ModuleText, memory: ElementType, lanes: int) -> FunctionText:
    """``load(address, active)``: the active lanes, for element sizes that the processor has no masked loads for."""
    vector = llvm_type(memory, lanes)
    text = FunctionText(["ptr", "i64"], vector)
    buffer = text.alloca(vector, 64, "zeroinitializer")
    _copy_elements(text, memory, buffer, "%a0", "%a1")
    text.do(f"ret {vector} {text.op(f'load {vector}, ptr {buffer}, align 64')}")
    return text


def _store_function(module: ModuleText, memory: ElementType, lanes: int) -> FunctionText:
    """``store(vector, address, active)``: the active lanes, for element sizes that the processor has no masked stores for."""
    vector = llvm_type(memory, lanes)
    text = FunctionText([vector, "ptr", "i64"])
    buffer = text.alloca(vector, 64, "%a0")
    _copy_elements(text, memory, "%a1", buffer, "%a2")
    text.do("ret void")
    return text


def _copy_elements(text: FunctionText, memory: ElementType, target: str, source: str, count: str) -> None:
    with text.loop("0", count, 1) as number:
        place = text.op(f"getelementptr {memory.llvm}, ptr {source}, i64 {number}")
        element = text.op(f"load {memory.llvm}, ptr {place}, align 1")
        place = text.op(f"getelementptr {memory.llvm}, ptr {target}, i64 {number}")
        text.do(f"store {memory.llvm} {element}, ptr {place}, align 1")
