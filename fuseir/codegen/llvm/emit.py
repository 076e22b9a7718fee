"""From a lowered kernel to an LLVM function on tiles: its parameters, and the walk over its block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xdsl.dialects import func, memref, scf
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.abi import SLOT_BYTES, STATUS_OK
from fuseir.codegen.element_types import element_type
from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.alike import NestCall, alike_nests
from fuseir.codegen.llvm.loops import Loops
from fuseir.codegen.llvm.memory import Tile, store
from fuseir.codegen.llvm.scratch import ScratchTiles
from fuseir.codegen.llvm.statements import Statements
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value
from fuseir.codegen.llvm.workspace import Workspace
from fuseir.codegen.refusals import located
from fuseir.errors import UnsupportedError


@dataclass(frozen=True, slots=True)
class KernelBody:
    """An emitted kernel: ``i32 symbol(tiles, scalars, workspace, points)``, three pointers and an ``i64``, for one point of so many.

    ``tiles`` are 8-byte words: for each tile its address, its extents, its strides in bytes. ``scalars`` are as the task gets
    them. ``ranks`` are those of the tiles, and ``workspace_bytes`` is the size of what ``workspace`` points to.
    """

    symbol: str
    ranks: tuple[int, ...]
    workspace_bytes: int


_TILES, _SCALARS, _WORKSPACE, _POINTS = "%a0", "%a1", "%a2", "%a3"


def emit_kernel(module: ModuleText, kernel: func.FuncOp, kind: str = "body") -> KernelBody:
    """Emit a lowered kernel as a function of ``module``, which is called what ``kind`` says.

    Raises :class:`UnsupportedError` for anything that ``docs/kernels.md`` section 3 does not have.
    """
    text = FunctionText(["ptr readonly", "ptr readonly", "ptr", "i64"], "i32")
    emitter = _KernelEmitter(module, text)
    with located(kernel):
        ranks = emitter.bind_parameters(kernel.body.block.args)
    emitter.emit_top_level(kernel.body.block.ops)
    return KernelBody(module.define(kind, text), ranks, emitter.workspace.bytes)


class _KernelEmitter:
    """Writes one kernel: its parameters, and what stands in its own block."""

    def __init__(self, module: ModuleText, text: FunctionText) -> None:
        self._module, self._text = module, text
        self._statements = Statements(module, text)
        self._scratch = ScratchTiles(module, text)
        self.workspace = Workspace(text, _WORKSPACE)
        self._loops = Loops(self._statements, self.workspace, _POINTS)
        self._nests: dict[func.FuncOp, KernelBody] = {}

    def bind_parameters(self, parameters: Iterable[SSAValue]) -> tuple[int, ...]:
        """Say where the kernel's parameters are; the ranks of its tiles, in order."""
        ranks: list[int] = []
        words, slots = 0, 0
        for parameter in parameters:
            kind = parameter.type
            if isinstance(kind, MemRefType):
                if slots:
                    raise UnsupportedError("a kernel's tiles come before its scalars")
                rank = kind.get_num_dims()
                self._statements.tiles[parameter] = Tile(_TILES, words, element_type(kind.element_type), rank)
                ranks.append(rank)
                words += 1 + 2 * rank
            else:
                self._bind_scalar(parameter, element_type(kind), SLOT_BYTES * slots)
                slots += 1
        return tuple(ranks)

    def _bind_scalar(self, parameter: SSAValue, element: ElementType, offset: int) -> None:
        if parameter.uses:
            place = self._text.entry_op(f"getelementptr i8, ptr {_SCALARS}, i64 {offset}")
            value = self._text.entry_op(f"load {element.memory.llvm}, ptr {place}, align {SLOT_BYTES}")
            if element.bits == 1:
                value = self._text.entry_op(f"icmp ne i8 {value}, 0")
            self._statements.values[parameter] = Value(value, element)

    def emit_top_level(self, ops: Iterable[Operation]) -> None:
        """The kernel's own block: also scratch tiles live here, and it returns."""
        ops = list(ops)
        alike = alike_nests(ops)
        for op in ops:
            with located(op):
                if op in alike:
                    self._call(alike[op])
                elif isinstance(op, scf.ParallelOp):
                    self._loops.emit(op)
                elif isinstance(op, memref.AllocOp):
                    sizes = [self._statements.operand(size, None).ref for size in op.dynamic_sizes]
                    self._statements.scratch[op.memref] = self._scratch.allocate(op.memref, op.memref.type, sizes)
                elif isinstance(op, memref.DeallocOp):
                    self._scratch.free(op.memref)
                elif isinstance(op, func.ReturnOp):
                    self._return(op)
                else:
                    self._statements.emit(op, None)

    def _call(self, call: NestCall) -> None:
        """A nest by the function of its kind, which gets tiles and scalars as any kernel does."""
        body = self._nests.get(call.kernel)
        if body is None:
            body = self._nests[call.kernel] = emit_kernel(self._module, call.kernel, "nest")
        text, tiles = self._text, call.arguments[: len(body.ranks)]
        scalars = call.arguments[len(tiles) :]
        words = text.alloca(f"[{sum(1 + 2 * rank for rank in body.ranks)} x i64]", SLOT_BYTES)
        slots = text.alloca(f"[{len(scalars)} x i64]", SLOT_BYTES)
        first = 0
        for tile, rank in zip(tiles, body.ranks, strict=True):
            self._statements.copy_tile(tile, text.op(f"getelementptr i64, ptr {words}, i64 {first}"))
            first += 1 + 2 * rank
        for number, scalar in enumerate(scalars):
            place = text.op(f"getelementptr i64, ptr {slots}, i64 {number}")
            value = self._statements.operand(scalar, None)
            store(text, value.element, place, value)
        mark = self.workspace.mark()
        workspace = self.workspace.reserve(body.workspace_bytes)
        self.workspace.release(mark)
        # Such a kernel has no scratch tiles, so that nothing can fail in it.
        text.op(f"call i32 @{body.symbol}(ptr {words}, ptr {slots}, ptr {workspace}, i64 {_POINTS})")

    def _return(self, op: func.ReturnOp) -> None:
        if op.operands:
            raise UnsupportedError("a lowered kernel returns nothing")
        self._scratch.free_all()
        self._text.do(f"ret i32 {STATUS_OK}")
        self._scratch.emit_failure()
