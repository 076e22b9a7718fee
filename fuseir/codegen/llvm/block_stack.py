"""The upper part of the reduction tree ``T`` of ``docs/kernels.md``, section 2: the fold over finished blocks, lane by lane.

A block leaves a partial, 32 lanes of elements. The stack holds partials of finished blocks: slot ``k`` holds the fold of
``2^k`` blocks, and is in use if bit ``k`` of the number of finished blocks is set. Finishing a block is
adding one to that binary number, where a carry folds two neighbours of one size: exactly the pairs of the level-by-level
tree. In that tree a node covers blocks ``i * 2^k`` to ``(i + 1) * 2^k``, or what there is of them, and a node without a right
neighbour moves up unchanged; so what is left at the end is folded from the smallest slot up, ``slot ⊕ rest``. A last block that
is not full needs no push: folding it with the used slots from the smallest up is what a push, then the same, would do.
Padding is never computed: ``x ⊕ identity`` is ``x``.

How many elements a partial has is known when the code runs: all is written in vectors, and elements are folded with their like.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from fuseir.codegen.combiners import identity
from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.ops import combine
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value, constant, llvm_type

TREE_LANES = 32
BLOCK = 1024
"""Iterations of a block: 32 steps of 32 lanes."""

STACK_SLOTS = 48
"""Enough for 2^48 blocks of 2^10 iterations along one dimension: years of work. Memory of slots not used is never touched."""


@dataclass(frozen=True, slots=True)
class Folding:
    """How elements are folded: the combiner's name, the type they are kept in, and the lanes of the vectors that partials are made of.

    Booleans are kept as bytes 0 and -1, for which every combiner gives the same low bit.
    """

    combiner: str
    element: ElementType
    lanes: int

    @property
    def vector(self) -> str:
        """LLVM type of a vector."""
        return llvm_type(self.element, self.lanes)

    @property
    def bytes(self) -> int:
        """Size of a vector."""
        return self.lanes * self.element.bytes

    @property
    def alignment(self) -> int:
        """Alignment of vectors in memory: that of a cache line, or the vector's size if it is smaller."""
        return min(64, self.bytes)

    def kept(self, text: FunctionText, value: Value, lanes: int) -> str:
        """A value, spread over ``lanes`` lanes, as it is kept."""
        ref = text.splat(value, lanes)
        if value.element.bits != 1:
            return ref
        return text.op(f"sext {llvm_type(value.element, lanes)} {ref} to {llvm_type(self.element, lanes)}")

    def result(self, text: FunctionText, ref: str, element: ElementType, lanes: int) -> Value:
        """The value of type ``element`` that was kept."""
        if element.bits == 1:
            ref = text.op(f"trunc {llvm_type(self.element, lanes)} {ref} to {llvm_type(element, lanes)}")
        return Value(ref, element, lanes)


def identity_vector(folding: Folding, element: ElementType) -> str:
    """The vector of identities for values of type ``element``, as it is kept."""
    number = identity(folding.combiner, element)
    # A boolean's identity is taken as a boolean's (its least and greatest values are not a byte's), then widened.
    return constant(folding.element, folding.lanes, -int(bool(int(number) & 1)) if element.bits == 1 else number)


def push(
    module: ModuleText, text: FunctionText, folding: Folding, stack: str, blocks: str, partial: str, elements: str
) -> None:
    """Push the partial of a finished block onto the stack, which holds ``blocks`` of them. Changes the partial."""
    carry, place = text.label(), text.label()
    with _each_slot(text, folding, stack, elements) as (number, slot):
        bit = text.op(f"and i64 {text.op(f'lshr i64 {blocks}, {number}')}, 1")
        text.branch_if(text.op(f"icmp ne i64 {bit}, 0"), carry, place)
        text.place(carry)
        fold_elements(module, text, folding, partial, slot, partial, elements)
    text.place(place)
    copy_elements(text, folding, slot, partial, elements)


def fold_blocks(
    module: ModuleText, text: FunctionText, folding: Folding, stack: str, blocks: str, partial: str, elements: str
) -> None:
    """Fold the partial of the last block with what the stack holds: the partial becomes that of all blocks."""
    used, done = text.label(), text.label()
    with _each_slot(text, folding, stack, elements) as (number, slot):
        rest = text.op(f"lshr i64 {blocks}, {number}")
        more, following = text.label(), text.label()
        text.branch_if(text.op(f"icmp ne i64 {rest}, 0"), more, done)
        text.place(more)
        text.branch_if(text.op(f"icmp ne i64 {text.op(f'and i64 {rest}, 1')}, 0"), used, following)
        text.place(used)
        fold_elements(module, text, folding, partial, slot, partial, elements)
        text.branch(following)
        text.place(following)
    text.place(done)


def fold_elements(
    module: ModuleText, text: FunctionText, folding: Folding, result: str, left: str, right: str, elements: str
) -> None:
    """``result[e] = left[e] ⊕ right[e]``."""
    with _each_vector(text, folding, elements) as position:
        values = [
            text.op(f"load {folding.vector}, ptr {_at(text, folding, base, position)}, align {folding.alignment}")
            for base in (left, right)
        ]
        folded = combine(module, text, folding.combiner, folding.element, folding.lanes, values[0], values[1])
        target = _at(text, folding, result, position)
        text.do(f"store {folding.vector} {folded}, ptr {target}, align {folding.alignment}")


def copy_elements(text: FunctionText, folding: Folding, target: str, source: str, elements: str) -> None:
    """``target[e] = source[e]``."""
    with _each_vector(text, folding, elements) as position:
        value = text.op(f"load {folding.vector}, ptr {_at(text, folding, source, position)}, align {folding.alignment}")
        place = _at(text, folding, target, position)
        text.do(f"store {folding.vector} {value}, ptr {place}, align {folding.alignment}")


@contextmanager
def _each_slot(
    text: FunctionText, folding: Folding, stack: str, elements: str
) -> Generator[tuple[str, str], None, None]:
    """Slots 0, 1, … of the stack, number and address, until the body branches away."""
    place = text.alloca("i64", 8, "0")
    header = text.label()
    text.branch(header)
    text.place(header)
    number = text.op(f"load i64, ptr {place}, align 8")
    yield number, _at(text, folding, stack, text.op(f"mul i64 {number}, {elements}"))
    text.do(f"store i64 {text.op(f'add i64 {number}, 1')}, ptr {place}, align 8")
    text.branch(header)


@contextmanager
def _each_vector(text: FunctionText, folding: Folding, elements: str) -> Generator[str, None, None]:
    """The vectors of so many elements; no loop if there is one."""
    if elements == str(folding.lanes):
        yield "0"
        return
    with text.loop("0", elements, folding.lanes) as position:
        yield position


def _at(text: FunctionText, folding: Folding, base: str, position: str) -> str:
    return text.op(f"getelementptr {folding.element.llvm}, ptr {base}, i64 {position}")
