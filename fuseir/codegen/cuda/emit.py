"""From lowered kernels to CUDA C++: the nests of a kernel become CUDA kernels that run one after another.

What stands between the nests, scalars that is, goes with the kernel before it where that ends in one value, and is computed again by each
kernel that uses it where nothing changes in between: no value returns to the host.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import func, memref, scf
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, ModuleOp, TensorType
from xdsl.ir import Operation

from fuseir.codegen.cuda.kernels import CudaModule, Extent, KernelPlan, ScratchTile, Space, Step, Tile
from fuseir.codegen.cuda.maps import emit_map
from fuseir.codegen.cuda.nests import nest_of
from fuseir.codegen.cuda.singles import emit_single
from fuseir.codegen.cuda.source import Source
from fuseir.codegen.cuda.statements import Outline
from fuseir.codegen.cuda.teams import emit_items, emit_nested, emit_partials
from fuseir.codegen.element_types import element_type
from fuseir.codegen.refusals import located
from fuseir.dialects.kernel import is_lowered
from fuseir.dialects.verification import location_of
from fuseir.errors import UnsupportedError

PARAMETER_BYTES = 4096
"""Bytes of parameters that a CUDA kernel may have on every architecture."""


def emit_kernels(kernels: Sequence[func.FuncOp]) -> CudaModule:
    """Emit lowered kernels: their CUDA C++ in one source, and what it takes to launch each.

    Raises :class:`UnsupportedError` for anything that ``docs/kernels.md`` section 3 does not have, and for a nest that needs more
    parameters than a CUDA kernel may have.
    """
    source = Source()
    plans = tuple(_KernelEmitter(source, kernel).emit() for kernel in kernels)
    return CudaModule(str(source), plans)


def emit_cuda_text(module: ModuleOp) -> str:
    """The CUDA C++ of every lowered kernel of a module, as one source; it depends on the kernels alone.

    Raises :class:`UnsupportedError` for a kernel that is not lowered, and as :func:`emit_kernels` does.
    """
    source = Source()
    for op in module.walk():
        if not isinstance(op, func.FuncOp) or op.is_declaration:
            continue
        if any(isinstance(kind, TensorType) for kind in op.function_type.inputs.data):
            message = "a kernel on tensors is not in the form that code is generated for: run lower-kernels first"
            raise UnsupportedError(message, location=location_of(op))
        if is_lowered(op):
            _KernelEmitter(source, op).emit()
    return str(source)


class _KernelEmitter:
    """Writes the CUDA kernels of one lowered kernel."""

    def __init__(self, source: Source, function: func.FuncOp) -> None:
        self._source = source
        self._function = function
        with located(function):
            self._outline = Outline(function)
        self._scratch: list[ScratchTile] = []
        self._steps: list[Step] = []

    def emit(self) -> KernelPlan:
        """Write them; their plan."""
        root: scf.ParallelOp | None = None  # a loop that reduces, if what follows is to go with it
        after: list[Operation] = []
        for op in self._function.body.block.ops:
            with located(op):
                if isinstance(op, scf.ParallelOp):
                    self._flush(root, after)
                    root, after = (op if op.res else None), []
                    if root is None:
                        self._nest(op, [])
                elif isinstance(op, memref.AllocOp):
                    self._allocate(op)
                elif isinstance(op, func.ReturnOp):
                    if op.operands:
                        raise UnsupportedError("a lowered kernel returns nothing")
                elif isinstance(op, memref.StoreOp) or not (
                    isinstance(op, memref.DeallocOp) or all(map(self._outline.is_repeatable, op.results))
                ):
                    after.append(op)
        with located(self._function):
            self._flush(root, after)
        ranks = tuple(
            tile.type.get_num_dims() for tile in self._function.body.block.args if isinstance(tile.type, MemRefType)
        )
        slots = tuple(element_type(value.type) for value in self._outline.slots)
        return KernelPlan(tuple(self._steps), tuple(self._scratch), slots, ranks)

    def _flush(self, root: scf.ParallelOp | None, after: Sequence[Operation]) -> None:
        if root is not None:
            self._nest(root, after)
        elif after:
            self._add(Step(((emit_single(self._source, self._outline, after),),)))

    def _nest(self, op: scf.ParallelOp, after: Sequence[Operation]) -> None:
        source, outline, nest = self._source, self._outline, nest_of(op)
        if nest.is_map:
            self._add(Step(((emit_map(source, outline, nest),),)))
        elif nest.fold is not None:
            short = emit_items(source, outline, nest, after)
            long, buffers = emit_partials(source, outline, nest, after)
            self._add(Step(((short,), long), buffers))
        elif op.res:
            both, buffers = emit_nested(source, outline, nest, after)
            self._add(Step((both,), buffers))
        else:
            self._add(Step(((emit_items(source, outline, nest, after),),)))

    def _add(self, step: Step) -> None:
        for kernel in (kernel for way in step.ways for kernel in way):
            if 8 * len(kernel.parameters) > PARAMETER_BYTES:
                raise UnsupportedError(
                    f"a nest that needs {len(kernel.parameters)} parameters on a GPU, where a kernel may have "
                    f"{PARAMETER_BYTES // 8}"
                )
        self._steps.append(step)

    def _allocate(self, op: memref.AllocOp) -> None:
        kind = op.memref.type
        sizes = iter(op.dynamic_sizes)
        extents: list[Extent | int] = [
            self._outline.extent(next(sizes)) if size == DYNAMIC_INDEX else size for size in kind.get_shape()
        ]
        self._outline.tiles[op.memref] = Tile(Space.SCRATCH, len(self._scratch))
        self._scratch.append(ScratchTile(element_type(kind.element_type), tuple(extents)))
