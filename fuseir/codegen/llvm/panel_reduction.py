"""The reduction tree ``T`` of ``docs/kernels.md``, section 2, for a panel: a value for each of many neighbouring columns at once.

The loop to reduce runs over rows, and each row is folded into a row of the panel's partial, ``P[lane][column]`` for 32 lanes: memory is
gone through row by row, and the partial stays in a cache. What a row of the partial held before the block is not looked at. At the end
the lanes are folded by halves, row by row; rows that no iteration reached are left out, since they would be identities.
"""

from __future__ import annotations

from collections.abc import Sequence

from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.block_stack import (
    BLOCK,
    STACK_SLOTS,
    TREE_LANES,
    Folding,
    copy_elements,
    fold_blocks,
    fold_elements,
    identity_vector,
    push,
)
from fuseir.codegen.llvm.memory import Lanes
from fuseir.codegen.llvm.ops import combine
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value
from fuseir.codegen.llvm.workspace import Workspace


class PanelReduction:
    """One reduction of a loop over rows. Make it in front of the loop, fold rows within, then ``finish``.

    ``pitch`` is the elements of a row of the partial, an ``i64`` that is a multiple of ``lanes`` and at most ``width``.
    """

    def __init__(
        self,
        module: ModuleText,
        text: FunctionText,
        workspace: Workspace,
        combiner: str,
        element: ElementType,
        *,
        lanes: int,
        pitch: str,
        width: int,
    ) -> None:
        self._module, self._text = module, text
        self._element, self._pitch = element, pitch
        self._folding = Folding(combiner, element.memory, lanes)
        self._identity = identity_vector(self._folding, element)
        size = TREE_LANES * width * element.bytes
        self._partial = workspace.reserve(size)
        self._stack = workspace.reserve(STACK_SLOTS * size)
        self._blocks = text.alloca("i64", 8)
        text.do(f"store i64 0, ptr {self._blocks}, align 8")

    def row(self, iteration: str) -> str:
        """The address of the row of the partial that an iteration is folded into."""
        text = self._text
        lane = text.op(f"and i64 {iteration}, {TREE_LANES - 1}")
        first = text.op(f"mul i64 {lane}, {self._pitch}")
        return text.op(f"getelementptr {self._folding.element.llvm}, ptr {self._partial}, i64 {first}")

    def fold(self, row: str, values: Sequence[tuple[Value, str]], is_first: str, lanes: Lanes) -> None:
        """Fold the values of iterations, in order, into a row of the partial; ``is_first`` (an ``i1``): the row holds nothing yet.

        With each value comes an ``i1``, whether there is such an iteration.
        """
        folding, text = self._folding, self._text
        place = text.op(f"getelementptr {folding.element.llvm}, ptr {row}, i64 {lanes.iteration}")
        held = text.op(f"load {folding.vector}, ptr {place}, align {folding.alignment}")
        result = text.op(f"select i1 {is_first}, {folding.vector} {self._identity}, {folding.vector} {held}")
        for value, exists in values:
            ref = folding.kept(text, value, folding.lanes)
            if exists != "true":
                ref = text.op(f"select i1 {exists}, {folding.vector} {ref}, {folding.vector} {self._identity}")
            result = combine(self._module, text, folding.combiner, folding.element, folding.lanes, result, ref)
        text.do(f"store {folding.vector} {result}, ptr {place}, align {folding.alignment}")

    def end_block(self) -> None:
        """Push the partial of a finished block."""
        text = self._text
        helper = self._module.support("pushpanel", _push_function, self._folding)
        count = text.op(f"load i64, ptr {self._blocks}, align 8")
        arguments = f"ptr {self._stack}, i64 {count}, ptr {self._partial}, i64 {self._pitch}"
        text.do(f"call void {helper}({arguments})")
        text.do(f"store i64 {text.op(f'add i64 {count}, 1')}, ptr {self._blocks}, align 8")

    def finish(self, iterations: str, result: str) -> None:
        """Fold the rest after so many iterations; the values go to the row at address ``result``."""
        text = self._text
        helper = self._module.support("foldpanel", _fold_function, self._folding, self._identity)
        count = text.op(f"load i64, ptr {self._blocks}, align 8")
        rest = text.op(f"sub i64 {iterations}, {text.op(f'mul i64 {count}, {BLOCK}')}")
        arguments = f"ptr {self._stack}, i64 {count}, ptr {self._partial}, i64 {self._pitch}, i64 {rest}, ptr {result}"
        text.do(f"call void {helper}({arguments})")


def _push_function(module: ModuleText, folding: Folding) -> FunctionText:
    """``pushpanel(stack, blocks, partial, pitch)``: add a block's partial to the stack, which holds ``blocks`` of them."""
    text = FunctionText(["ptr noalias", "i64", "ptr noalias", "i64"])
    elements = text.op(f"mul i64 %a3, {TREE_LANES}")
    push(module, text, folding, "%a0", "%a1", "%a2", elements)
    text.do("ret void")
    return text


def _fold_function(module: ModuleText, folding: Folding, identities: str) -> FunctionText:
    """``foldpanel(stack, blocks, partial, pitch, rest, result)``: the rest of the tree; ``rest`` are the iterations of the last block."""
    text = FunctionText(["ptr noalias", "i64", "ptr noalias", "i64", "i64", "ptr noalias"])
    smin, smax = (module.intrinsic(name, "i64", ["i64", "i64"]) for name in ("smin", "smax"))
    reached = text.op(f"call i64 {smin}(i64 %a4, i64 {TREE_LANES})")
    # Finished blocks have all rows, and the result has one.
    wanted = text.op(f"select i1 {text.op('icmp ne i64 %a1, 0')}, i64 {TREE_LANES}, i64 1")
    begin, end = (text.op(f"mul i64 {rows}, %a3") for rows in (reached, wanted))
    with text.loop(begin, end, folding.lanes) as position:
        place = text.op(f"getelementptr {folding.element.llvm}, ptr %a2, i64 {position}")
        text.do(f"store {folding.vector} {identities}, ptr {place}, align {folding.alignment}")
    fold_blocks(module, text, folding, "%a0", "%a1", "%a2", text.op(f"mul i64 %a3, {TREE_LANES}"))
    rows = text.op(f"call i64 {smax}(i64 {reached}, i64 {wanted})")
    all_rows, some_rows = text.label(), text.label()
    text.branch_if(text.op(f"icmp eq i64 {rows}, {TREE_LANES}"), all_rows, some_rows)
    text.place(all_rows)
    with text.loop("0", "%a3", folding.lanes) as position:
        first = text.op(f"getelementptr {folding.element.llvm}, ptr %a2, i64 {position}")
        value = _fold_column(module, text, folding, first, 0, 1)
        place = text.op(f"getelementptr {folding.element.llvm}, ptr %a5, i64 {position}")
        text.do(f"store {folding.vector} {value}, ptr {place}, align {folding.alignment}")
    text.do("ret void")
    text.place(some_rows)
    half = TREE_LANES // 2
    while half:
        above = text.op(f"mul i64 {text.op(f'sub i64 {rows}, {half}')}, %a3")
        high = text.op(f"getelementptr {folding.element.llvm}, ptr %a2, i64 {text.op(f'mul i64 %a3, {half}')}")
        fold_elements(module, text, folding, "%a2", "%a2", high, above)
        rows = text.op(f"call i64 {smin}(i64 {rows}, i64 {half})")
        half //= 2
    copy_elements(text, folding, "%a5", "%a2", "%a3")
    text.do("ret void")
    return text


def _fold_column(module: ModuleText, text: FunctionText, folding: Folding, first: str, lane: int, width: int) -> str:
    """What folding all lanes by halves down to ``width`` leaves in ``lane``, of a vector of columns: few vectors are at hand at a time."""
    if width == TREE_LANES:
        row = text.op(f"mul i64 %a3, {lane}")
        place = text.op(f"getelementptr {folding.element.llvm}, ptr {first}, i64 {row}")
        return text.op(f"load {folding.vector}, ptr {place}, align {folding.alignment}")
    low, high = (_fold_column(module, text, folding, first, place, 2 * width) for place in (lane, lane + width))
    return combine(module, text, folding.combiner, folding.element, folding.lanes, low, high)
