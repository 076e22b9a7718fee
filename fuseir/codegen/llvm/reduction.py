"""The reduction tree ``T`` of ``docs/kernels.md``, section 2, built while a loop runs.

The loop keeps the partial of the block at hand, ``P[lane]`` for 32 lanes, and a stack of partials of finished blocks: slot
``k`` holds the fold of ``2^k`` blocks, and is in use if bit ``k`` of the number of finished blocks is set. Finishing a block is
adding one to that binary number, where a carry folds two neighbours of one size: exactly the pairs of the level-by-level
tree. In that tree a node covers blocks ``i * 2^k`` to ``(i + 1) * 2^k``, or what there is of them, and a node without a right
neighbour moves up unchanged; so what is left at the end is folded from the smallest slot up, ``slot ⊕ rest``. A last block that
is not full needs no push: folding it with the used slots from the smallest up is what a push, then the same, would do.
Padding is never computed: ``x ⊕ identity`` is ``x``.

The stack, and a partial that is not to live in registers, lie in the kernel's workspace.

A partial takes one of two shapes. If the reduction's loop is the vectorised one, or if values are scalars, it is one vector
of 32 elements (``rows`` 1). If an enclosing loop is vectorised, a value is a vector already, and the partial is 32 such
rows. Booleans are kept as bytes 0 and -1, for which every combiner gives the same low bit.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from fuseir.codegen.llvm.ops import combine, identity
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import ElementType, Value, constant, llvm_type
from fuseir.codegen.llvm.workspace import Workspace

TREE_LANES = 32
BLOCK = 1024
"""Iterations of a block: 32 steps of 32 lanes."""

_STACK_SLOTS = 48
"""Enough for 2^48 blocks of 2^10 iterations along one dimension: years of work. Memory of slots not used is never touched."""


@dataclass(frozen=True, slots=True)
class PartialShape:
    """What a partial looks like: the combiner's name, the type it is kept in, and ``rows`` vectors of ``lanes``."""

    combiner: str
    element: ElementType
    rows: int
    lanes: int

    @property
    def row(self) -> str:
        """LLVM type of a row."""
        return llvm_type(self.element, self.lanes)

    @property
    def alignment(self) -> int:
        """Alignment of rows in memory: that of a cache line, or the row's size if it is smaller."""
        return min(64, self.element.bytes * self.lanes)

    @property
    def bytes(self) -> int:
        """Size of a partial."""
        return self.rows * self.lanes * self.element.bytes


class LoopReduction:
    """One reduction of one loop. Make it before the loop, ``begin`` at its start, then step, then ``finish``.

    ``value_lanes`` is how many lanes the reduced values have on account of an enclosing vector loop, and None if this
    very loop is the vectorised one.
    """

    def __init__(
        self,
        module: ModuleText,
        text: FunctionText,
        workspace: Workspace,
        combiner: str,
        element: ElementType,
        value_lanes: int | None,
    ) -> None:
        self._module, self._text, self._element = module, text, element
        rows, lanes = (TREE_LANES, value_lanes) if value_lanes else (1, TREE_LANES)
        self._identity = identity(combiner, element)
        self._shape = PartialShape(combiner, element.memory, rows, lanes)
        shape = self._shape
        if rows == 1:
            self._partial = workspace.reserve_register(shape.row, shape.bytes, shape.alignment)
        else:
            self._partial = workspace.reserve(shape.bytes)
        self._stack = workspace.reserve(_STACK_SLOTS * shape.bytes)
        self._blocks = text.alloca("i64", 8)

    def begin(self) -> None:
        """Start over: no blocks, and a partial of identities."""
        self._text.do(f"store i64 0, ptr {self._blocks}, align 8")
        self._reset()

    def step_vector(self, value: Value, mask: str | None) -> None:
        """Fold one step, the 32 lanes of the vectorised loop; lanes off in ``mask`` count as identities."""
        shape, text = self._shape, self._text
        ref = self._stored(value, TREE_LANES)
        if mask is not None:
            ref = text.op(f"select <{TREE_LANES} x i1> {mask}, {shape.row} {ref}, {shape.row} {self._row_identity()}")
        self._fold(shape.row, self._partial, shape.lanes, ref)

    def step_serial(self, value: Value, iteration: str) -> None:
        """Fold the value of one iteration into its lane."""
        shape, text = self._shape, self._text
        lanes = shape.lanes if shape.rows > 1 else 0
        kind = llvm_type(shape.element, lanes)
        lane = text.op(f"and i64 {iteration}, {TREE_LANES - 1}")
        place = text.op(f"getelementptr {kind}, ptr {self._partial}, i64 {lane}")
        self._fold(kind, place, lanes, self._stored(value, lanes))

    def end_block(self) -> None:
        """Push the partial of a finished block."""
        shape, text = self._shape, self._text
        helper = self._module.support("push", _push_function, shape)
        count = text.op(f"load i64, ptr {self._blocks}, align 8")
        text.do(f"call void {helper}(ptr {self._stack}, i64 {count}, {self._partial_argument()})")
        text.do(f"store i64 {text.op(f'add i64 {count}, 1')}, ptr {self._blocks}, align 8")
        self._reset()

    def finish(self) -> Value:
        """The value of ``T``: a scalar, or a vector of the enclosing loop's lanes."""
        shape, text = self._shape, self._text
        lanes = shape.lanes if shape.rows > 1 else 0
        kind = llvm_type(shape.element, lanes)
        helper = self._module.support("fold", _fold_function, shape)
        count = text.op(f"load i64, ptr {self._blocks}, align 8")
        ref = text.op(f"call {kind} {helper}(ptr {self._stack}, i64 {count}, {self._partial_argument()})")
        if self._element.bits == 1:
            ref = text.op(f"trunc {kind} {ref} to {llvm_type(self._element, lanes)}")
        return Value(ref, self._element, lanes)

    def _stored(self, value: Value, lanes: int) -> str:
        ref = self._text.splat(value, lanes)
        if self._element.bits != 1:
            return ref
        return self._text.op(f"sext {llvm_type(self._element, lanes)} {ref} to {llvm_type(self._shape.element, lanes)}")

    def _row_identity(self) -> str:
        # A boolean's identity is taken as a boolean's (its least and greatest values are not a byte's), then widened.
        number = -int(bool(int(self._identity) & 1)) if self._element.bits == 1 else self._identity
        return constant(self._shape.element, self._shape.lanes, number)

    def _fold(self, kind: str, place: str, lanes: int, ref: str) -> None:
        shape, text = self._shape, self._text
        alignment = shape.alignment if shape.rows > 1 or lanes else shape.element.bytes
        before = text.op(f"load {kind}, ptr {place}, align {alignment}")
        after = combine(self._module, text, shape.combiner, shape.element, lanes, before, ref)
        text.do(f"store {kind} {after}, ptr {place}, align {alignment}")

    def _partial_argument(self) -> str:
        """A partial as an argument: a vector goes by value, so that in a vector loop it lives in registers."""
        shape = self._shape
        if shape.rows > 1:
            return f"ptr {self._partial}"
        return f"{shape.row} {self._text.op(f'load {shape.row}, ptr {self._partial}, align {shape.alignment}')}"

    def _reset(self) -> None:
        shape, text = self._shape, self._text
        with _each_row(text, shape) as row:
            place = _row(text, shape, self._partial, row)
            text.do(f"store {shape.row} {self._row_identity()}, ptr {place}, align {shape.alignment}")


def _push_function(module: ModuleText, shape: PartialShape) -> FunctionText:
    """``push(stack, blocks, partial)``: add a block's partial to the stack, which holds ``blocks`` of them."""
    text = FunctionText(["ptr noalias", "i64", shape.row if shape.rows == 1 else "ptr noalias"])
    partial = _partial_in_memory(text, shape)
    carry, store = text.label(), text.label()
    with _each_slot(text) as slot:
        bit = text.op(f"and i64 {text.op(f'lshr i64 %a1, {slot}')}, 1")
        text.branch_if(text.op(f"icmp ne i64 {bit}, 0"), carry, store)
        text.place(carry)
        _fold_slot(module, text, shape, slot, partial)
    text.place(store)
    with _each_row(text, shape) as row:
        value = text.op(f"load {shape.row}, ptr {_row(text, shape, partial, row)}, align {shape.alignment}")
        place = _row(text, shape, "%a0", _slot_row(text, shape, slot, row))
        text.do(f"store {shape.row} {value}, ptr {place}, align {shape.alignment}")
    text.do("ret void")
    return text


def _fold_function(module: ModuleText, shape: PartialShape) -> FunctionText:
    """``fold(stack, blocks, partial)``: the rest of the tree, from the last partial to one element a lane of the rows."""
    by_value = shape.rows == 1
    text = FunctionText(
        ["ptr noalias", "i64", shape.row if by_value else "ptr noalias"], shape.element.llvm if by_value else shape.row
    )
    partial = _partial_in_memory(text, shape)
    used, lanes = text.label(), text.label()
    with _each_slot(text) as slot:
        rest = text.op(f"lshr i64 %a1, {slot}")
        more = text.label()
        text.branch_if(text.op(f"icmp ne i64 {rest}, 0"), more, lanes)
        text.place(more)
        following = text.label()
        text.branch_if(text.op(f"icmp ne i64 {text.op(f'and i64 {rest}, 1')}, 0"), used, following)
        text.place(used)
        _fold_slot(module, text, shape, slot, partial)
        text.branch(following)
        text.place(following)
    text.place(lanes)
    if by_value:
        text.do(f"ret {shape.element.llvm} {_fold_lanes(module, text, shape, partial)}")
    else:
        text.do(f"ret {shape.row} {_fold_rows(module, text, shape, partial)}")
    return text


def _fold_lanes(module: ModuleText, text: FunctionText, shape: PartialShape, partial: str) -> str:
    value = text.op(f"load {shape.row}, ptr {partial}, align {shape.alignment}")
    width = shape.lanes
    while width > 1:
        low, high = _halves(text, shape, value, width)
        width //= 2
        value = combine(module, text, shape.combiner, shape.element, width, low, high)
    return text.op(f"extractelement <1 x {shape.element.llvm}> {value}, i64 0")


def _fold_rows(module: ModuleText, text: FunctionText, shape: PartialShape, partial: str) -> str:
    half = shape.rows // 2
    while half:
        with text.loop("0", str(half), 1) as row:
            low = _row(text, shape, partial, row)
            high = _row(text, shape, low, str(half))
            _fold_into(module, text, shape, low, low, high)
        half //= 2
    return text.op(f"load {shape.row}, ptr {partial}, align {shape.alignment}")


def _partial_in_memory(text: FunctionText, shape: PartialShape) -> str:
    """The address of the partial that the helper got: its own copy of a vector, or the caller's rows."""
    if shape.rows > 1:
        return "%a2"
    return text.alloca(shape.row, shape.alignment, "%a2")


def _fold_slot(module: ModuleText, text: FunctionText, shape: PartialShape, slot: str, partial: str) -> None:
    """``partial = stack[slot] ⊕ partial``."""
    with _each_row(text, shape) as row:
        own = _row(text, shape, partial, row)
        _fold_into(module, text, shape, own, _row(text, shape, "%a0", _slot_row(text, shape, slot, row)), own)


def _fold_into(module: ModuleText, text: FunctionText, shape: PartialShape, result: str, left: str, right: str) -> None:
    """``*result = *left ⊕ *right`` for one row."""
    first = text.op(f"load {shape.row}, ptr {left}, align {shape.alignment}")
    second = text.op(f"load {shape.row}, ptr {right}, align {shape.alignment}")
    folded = combine(module, text, shape.combiner, shape.element, shape.lanes, first, second)
    text.do(f"store {shape.row} {folded}, ptr {result}, align {shape.alignment}")


@contextmanager
def _each_slot(text: FunctionText) -> Generator[str, None, None]:
    """Slots 0, 1, … of the stack, until the body branches away."""
    place = text.alloca("i64", 8, "0")
    header = text.label()
    text.branch(header)
    text.place(header)
    slot = text.op(f"load i64, ptr {place}, align 8")
    yield slot
    text.do(f"store i64 {text.op(f'add i64 {slot}, 1')}, ptr {place}, align 8")
    text.branch(header)


@contextmanager
def _each_row(text: FunctionText, shape: PartialShape) -> Generator[str, None, None]:
    """The rows of a partial; no loop if there is one."""
    if shape.rows == 1:
        yield "0"
        return
    with text.loop("0", str(shape.rows), 1) as row:
        yield row


def _slot_row(text: FunctionText, shape: PartialShape, slot: str, row: str) -> str:
    first = text.op(f"mul i64 {slot}, {shape.rows}")
    return text.op(f"add i64 {first}, {row}")


def _row(text: FunctionText, shape: PartialShape, base: str, row: str) -> str:
    return text.op(f"getelementptr {shape.row}, ptr {base}, i64 {row}")


def _halves(text: FunctionText, shape: PartialShape, value: str, width: int) -> tuple[str, str]:
    vector = llvm_type(shape.element, width)
    low = ", ".join(f"i32 {lane}" for lane in range(width // 2))
    high = ", ".join(f"i32 {lane}" for lane in range(width // 2, width))
    return (
        text.op(f"shufflevector {vector} {value}, {vector} poison, <{width // 2} x i32> <{low}>"),
        text.op(f"shufflevector {vector} {value}, {vector} poison, <{width // 2} x i32> <{high}>"),
    )
