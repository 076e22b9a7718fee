"""Loads and stores of tiles: scalar, contiguous vectors, and vectors at any stride.

Vector code comes in two versions. The *full* one runs all lanes and knows that neighbours in the vector loop are neighbours in
memory. The *general* one runs some lanes and takes any stride: each access is a call of a support function, which asks
whether the elements are neighbours, so that one strided operand does not slow the others down. Elements may be unaligned.
"""

from __future__ import annotations

from dataclasses import dataclass

from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import I8, ElementType, Value, llvm_type, mangled


@dataclass(frozen=True, slots=True)
class MemRef:
    """A tile: its address, element type, and per dimension extent and stride in bytes, as LLVM ``i64`` values."""

    base: str
    element: ElementType
    sizes: tuple[str, ...]
    strides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lanes:
    """The vector code around an access: lane ``l`` is iteration ``position + l``.

    ``active`` is an ``i64``, lanes 0 to ``active - 1`` are to run; it is None in the full version.
    """

    count: int
    position: str
    active: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """An address, and the byte strides that the vector loop's iteration moves it by (none: the same for all lanes)."""

    address: str
    element: ElementType
    vector_strides: tuple[str, ...]


def place_of(text: FunctionText, memref: MemRef, indices: list[str | None]) -> Place:
    """The place of an element; an index of None is the vector loop's iteration."""
    address = memref.base
    vector_strides: list[str] = []
    for index, stride in zip(indices, memref.strides, strict=True):
        if index is None:
            vector_strides.append(stride)
        elif index != "0":
            offset = text.op(f"mul i64 {index}, {stride}")
            address = text.op(f"getelementptr i8, ptr {address}, i64 {offset}")
    return Place(address, memref.element, tuple(vector_strides))


def load(module: ModuleText, text: FunctionText, place: Place, lanes: Lanes | None) -> Value:
    """Load an element, or a vector of them if the place moves with the vector loop."""
    element, memory = place.element, place.element.memory
    if not place.vector_strides or lanes is None:
        raw, count = text.op(f"load {memory.llvm}, ptr {place.address}, align 1"), 0
    else:
        count = lanes.count
        raw = _load_vector(module, text, place, lanes)
    if element.bits == 1:
        vector = llvm_type(I8, count)
        raw = text.op(f"icmp ne {vector} {raw}, {'zeroinitializer' if count else '0'}")
    return Value(raw, element, count)


def store(module: ModuleText, text: FunctionText, place: Place, value: Value, lanes: Lanes | None) -> None:
    """Store an element, or the active lanes of a vector."""
    element, memory = place.element, place.element.memory
    count = lanes.count if place.vector_strides and lanes is not None else 0
    ref = text.splat(value, count)
    if element.bits == 1:
        ref = text.op(f"zext {llvm_type(element, count)} {ref} to {llvm_type(I8, count)}")
    if not place.vector_strides or lanes is None:
        text.do(f"store {memory.llvm} {ref}, ptr {place.address}, align 1")
    else:
        _store_vector(module, text, place, ref, lanes)


def neighbours(text: FunctionText, element: ElementType, vector_strides: tuple[str, ...]) -> str:
    """Whether successive iterations of the vector loop touch neighbours in memory: an ``i1`` value, or ``true``."""
    stride = _total(text, vector_strides)
    return "true" if stride == str(element.bytes) else text.op(f"icmp eq i64 {stride}, {element.bytes}")


def _total(text: FunctionText, strides: tuple[str, ...]) -> str:
    total = strides[0]
    for stride in strides[1:]:
        total = text.op(f"add i64 {total}, {stride}")
    return total


def lane_mask(text: FunctionText, active: str, lanes: int) -> str:
    """The vector of ``i1`` whose first ``active`` lanes are on."""
    narrow = text.splat(Value(text.op(f"trunc i64 {active} to i8"), I8), lanes)
    numbers = ", ".join(f"i8 {lane}" for lane in range(lanes))
    return text.op(f"icmp ugt <{lanes} x i8> {narrow}, <{numbers}>")


def _load_vector(module: ModuleText, text: FunctionText, place: Place, lanes: Lanes) -> str:
    memory = place.element.memory
    vector = llvm_type(memory, lanes.count)
    if lanes.active is None:
        address = text.op(f"getelementptr {memory.llvm}, ptr {place.address}, i64 {lanes.position}")
        return text.op(f"load {vector}, ptr {address}, align 1")
    address, stride = _first_element(text, place, lanes)
    callee = module.support("load", _load_function, memory, lanes.count)
    return text.op(f"call {vector} {callee}(ptr {address}, i64 {stride}, i64 {lanes.active})")


def _store_vector(module: ModuleText, text: FunctionText, place: Place, ref: str, lanes: Lanes) -> None:
    memory = place.element.memory
    vector = llvm_type(memory, lanes.count)
    if lanes.active is None:
        address = text.op(f"getelementptr {memory.llvm}, ptr {place.address}, i64 {lanes.position}")
        text.do(f"store {vector} {ref}, ptr {address}, align 1")
        return
    address, stride = _first_element(text, place, lanes)
    callee = module.support("store", _store_function, memory, lanes.count)
    text.do(f"call void {callee}({vector} {ref}, ptr {address}, i64 {stride}, i64 {lanes.active})")


def _first_element(text: FunctionText, place: Place, lanes: Lanes) -> tuple[str, str]:
    """The address of lane 0, and the bytes from one lane to the next."""
    stride = _total(text, place.vector_strides)
    offset = text.op(f"mul i64 {lanes.position}, {stride}")
    return text.op(f"getelementptr i8, ptr {place.address}, i64 {offset}"), stride


def _load_function(module: ModuleText, memory: ElementType, lanes: int) -> FunctionText:
    """``load(address, stride, active)``: a vector of elements at any stride, zero beyond the active ones.

    Scalar loads rather than gather instructions: those are no faster on the processors measured, do not exist for small
    elements, and LLVM writes a branch for each lane where the processor has none.
    """
    vector = llvm_type(memory, lanes)
    text = FunctionText(["ptr", "i64", "i64"], vector)
    near, far, all_near, some_near, all_far, some_far = (text.label() for _ in range(6))
    is_full = text.op(f"icmp eq i64 %a2, {lanes}")
    text.branch_if(text.op(f"icmp eq i64 %a1, {memory.bytes}"), near, far)
    text.place(near)
    has_masks = memory.bytes in module.target.masked_bytes
    text.branch_if(is_full, all_near, some_near if has_masks else some_far)
    text.place(all_near)
    text.do(f"ret {vector} {text.op(f'load {vector}, ptr %a0, align 1')}")
    if has_masks:
        text.place(some_near)
        mask = lane_mask(text, "%a2", lanes)
        flags = f"<{lanes} x i1>"
        masked = module.declare(f"llvm.masked.load.{mangled(vector)}.p0", vector, ["ptr", flags, vector])
        loaded = text.op(f"call {vector} {masked}(ptr align 1 %a0, {flags} {mask}, {vector} zeroinitializer)")
        text.do(f"ret {vector} {loaded}")
    text.place(far)
    text.branch_if(is_full, all_far, some_far)
    text.place(all_far)
    result, address = "poison", "%a0"
    for lane in range(lanes):
        element = text.op(f"load {memory.llvm}, ptr {address}, align 1")
        address = text.op(f"getelementptr i8, ptr {address}, i64 %a1")
        result = text.op(f"insertelement {vector} {result}, {memory.llvm} {element}, i64 {lane}")
    text.do(f"ret {vector} {result}")
    text.place(some_far)
    buffer = text.alloca(vector, 64)
    text.do(f"store {vector} zeroinitializer, ptr {buffer}, align 64")
    with text.loop("0", "%a2", 1) as lane_number:
        offset = text.op(f"mul i64 %a1, {lane_number}")
        element = text.op(f"load {memory.llvm}, ptr {text.op(f'getelementptr i8, ptr %a0, i64 {offset}')}, align 1")
        target = text.op(f"getelementptr {memory.llvm}, ptr {buffer}, i64 {lane_number}")
        text.do(f"store {memory.llvm} {element}, ptr {target}, align {memory.bytes}")
    text.do(f"ret {vector} {text.op(f'load {vector}, ptr {buffer}, align 64')}")
    return text


def _store_function(module: ModuleText, memory: ElementType, lanes: int) -> FunctionText:
    """``store(vector, address, stride, active)``: store the active lanes at any stride, in order."""
    vector = llvm_type(memory, lanes)
    text = FunctionText([vector, "ptr", "i64", "i64"])
    near, far, all_near, some_near, all_far, some_far = (text.label() for _ in range(6))
    is_full = text.op(f"icmp eq i64 %a3, {lanes}")
    text.branch_if(text.op(f"icmp eq i64 %a2, {memory.bytes}"), near, far)
    text.place(near)
    has_masks = memory.bytes in module.target.masked_bytes
    text.branch_if(is_full, all_near, some_near if has_masks else some_far)
    text.place(all_near)
    text.do(f"store {vector} %a0, ptr %a1, align 1")
    text.do("ret void")
    if has_masks:
        text.place(some_near)
        mask = lane_mask(text, "%a3", lanes)
        flags = f"<{lanes} x i1>"
        masked = module.declare(f"llvm.masked.store.{mangled(vector)}.p0", "void", [vector, "ptr", flags])
        text.do(f"call void {masked}({vector} %a0, ptr align 1 %a1, {flags} {mask})")
        text.do("ret void")
    text.place(far)
    text.branch_if(is_full, all_far, some_far)
    text.place(all_far)
    address = "%a1"
    for lane in range(lanes):
        element = text.op(f"extractelement {vector} %a0, i64 {lane}")
        text.do(f"store {memory.llvm} {element}, ptr {address}, align 1")
        address = text.op(f"getelementptr i8, ptr {address}, i64 %a2")
    text.do("ret void")
    text.place(some_far)
    buffer = text.alloca(vector, 64)
    text.do(f"store {vector} %a0, ptr {buffer}, align 64")
    with text.loop("0", "%a3", 1) as lane_number:
        source = text.op(f"getelementptr {memory.llvm}, ptr {buffer}, i64 {lane_number}")
        element = text.op(f"load {memory.llvm}, ptr {source}, align {memory.bytes}")
        offset = text.op(f"mul i64 %a2, {lane_number}")
        text.do(f"store {memory.llvm} {element}, ptr {text.op(f'getelementptr i8, ptr %a1, i64 {offset}')}, align 1")
    text.do("ret void")
    return text
