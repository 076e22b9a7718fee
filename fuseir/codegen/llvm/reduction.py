"""The reduction tree ``T`` of ``docs/kernels.md``, section 2, built while a loop runs that leaves one value.

The loop keeps the partial of the block at hand, ``P[lane]`` for 32 lanes, as one vector that LLVM keeps in registers; partials of
finished blocks go onto a stack in the kernel's workspace (``block_stack.py``).
"""

from __future__ import annotations

from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.block_stack import (
    STACK_SLOTS,
    TREE_LANES,
    Folding,
    fold_blocks,
    identity_vector,
    push,
)
from fuseir.codegen.llvm.ops import combine
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value, llvm_type
from fuseir.codegen.llvm.workspace import Workspace


class LoopReduction:
    """One reduction of one loop. Make it in front of the loop, which then steps, then ``finish``."""

    def __init__(
        self, module: ModuleText, text: FunctionText, workspace: Workspace, combiner: str, element: ElementType
    ) -> None:
        self._module, self._text, self._element = module, text, element
        self._folding = folding = Folding(combiner, element.memory, TREE_LANES)
        self._identity = identity_vector(folding, element)
        self._partial = workspace.reserve_register(folding.vector, folding.bytes, folding.alignment)
        self._stack = workspace.reserve(STACK_SLOTS * folding.bytes)
        self._blocks = text.alloca("i64", 8)
        text.do(f"store i64 0, ptr {self._blocks}, align 8")
        self._reset()

    def step_vector(self, value: Value, mask: str | None) -> None:
        """Fold one step, the 32 lanes of the vectorised loop; lanes off in ``mask`` count as identities."""
        folding, text = self._folding, self._text
        ref = folding.kept(text, value, TREE_LANES)
        if mask is not None:
            vector = folding.vector
            ref = text.op(f"select <{TREE_LANES} x i1> {mask}, {vector} {ref}, {vector} {self._identity}")
        self._fold(self._partial, TREE_LANES, folding.alignment, ref)

    def step_serial(self, value: Value, iteration: str) -> None:
        """Fold the value of one iteration into its lane."""
        folding, text = self._folding, self._text
        lane = text.op(f"and i64 {iteration}, {TREE_LANES - 1}")
        place = text.op(f"getelementptr {folding.element.llvm}, ptr {self._partial}, i64 {lane}")
        self._fold(place, 0, folding.element.bytes, folding.kept(text, value, 0))

    def end_block(self) -> None:
        """Push the partial of a finished block."""
        text = self._text
        helper = self._module.support("push", _push_function, self._folding)
        count = text.op(f"load i64, ptr {self._blocks}, align 8")
        text.do(f"call void {helper}(ptr {self._stack}, i64 {count}, {self._partial_argument()})")
        text.do(f"store i64 {text.op(f'add i64 {count}, 1')}, ptr {self._blocks}, align 8")
        self._reset()

    def finish(self) -> Value:
        """The value of ``T``."""
        folding, text = self._folding, self._text
        helper = self._module.support("fold", _fold_function, folding)
        count = text.op(f"load i64, ptr {self._blocks}, align 8")
        arguments = f"ptr {self._stack}, i64 {count}, {self._partial_argument()}"
        ref = text.op(f"call {folding.element.llvm} {helper}({arguments})")
        return folding.result(text, ref, self._element, 0)

    def _fold(self, place: str, lanes: int, alignment: int, ref: str) -> None:
        folding, text = self._folding, self._text
        kind = llvm_type(folding.element, lanes)
        before = text.op(f"load {kind}, ptr {place}, align {alignment}")
        after = combine(self._module, text, folding.combiner, folding.element, lanes, before, ref)
        text.do(f"store {kind} {after}, ptr {place}, align {alignment}")

    def _partial_argument(self) -> str:
        """The partial by value, so that it lives in registers."""
        folding = self._folding
        partial = self._text.op(f"load {folding.vector}, ptr {self._partial}, align {folding.alignment}")
        return f"{folding.vector} {partial}"

    def _reset(self) -> None:
        folding = self._folding
        self._text.do(f"store {folding.vector} {self._identity}, ptr {self._partial}, align {folding.alignment}")


def _push_function(module: ModuleText, folding: Folding) -> FunctionText:
    """``push(stack, blocks, partial)``: add a block's partial to the stack, which holds ``blocks`` of them."""
    text = FunctionText(["ptr noalias", "i64", folding.vector])
    partial = text.alloca(folding.vector, folding.alignment, "%a2")
    push(module, text, folding, "%a0", "%a1", partial, str(folding.lanes))
    text.do("ret void")
    return text


def _fold_function(module: ModuleText, folding: Folding) -> FunctionText:
    """``fold(stack, blocks, partial)``: the rest of the tree, from the last partial to one element."""
    text = FunctionText(["ptr noalias", "i64", folding.vector], folding.element.llvm)
    partial = text.alloca(folding.vector, folding.alignment, "%a2")
    fold_blocks(module, text, folding, "%a0", "%a1", partial, str(folding.lanes))
    value = text.op(f"load {folding.vector}, ptr {partial}, align {folding.alignment}")
    width = folding.lanes
    while width > 1:
        low, high = _halves(text, folding, value, width)
        width //= 2
        value = combine(module, text, folding.combiner, folding.element, width, low, high)
    result = text.op(f"extractelement <1 x {folding.element.llvm}> {value}, i64 0")
    text.do(f"ret {folding.element.llvm} {result}")
    return text


def _halves(text: FunctionText, folding: Folding, value: str, width: int) -> tuple[str, str]:
    vector = llvm_type(folding.element, width)
    low = ", ".join(f"i32 {lane}" for lane in range(width // 2))
    high = ", ".join(f"i32 {lane}" for lane in range(width // 2, width))
    return (
        text.op(f"shufflevector {vector} {value}, {vector} poison, <{width // 2} x i32> <{low}>"),
        text.op(f"shufflevector {vector} {value}, {vector} poison, <{width // 2} x i32> <{high}>"),
    )
