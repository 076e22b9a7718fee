"""From a lowered kernel to an LLVM function on tiles: the walk over its operations and loops."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass

from xdsl.dialects import arith, func, memref, scf
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, MemRefType
from xdsl.ir import Attribute, Operation, SSAValue

from fuseir.codegen.abi import SLOT_BYTES, STATUS_OK
from fuseir.codegen.llvm import memory
from fuseir.codegen.llvm.memory import Lanes, MemRef
from fuseir.codegen.llvm.ops import emit_operation
from fuseir.codegen.llvm.reduction import BLOCK, TREE_LANES, LoopReduction
from fuseir.codegen.llvm.scratch import ScratchTiles
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import INDEX, ElementType, Value, element_type, literal
from fuseir.codegen.llvm.workspace import Workspace
from fuseir.dialects.verification import location_of
from fuseir.errors import UnsupportedError


@dataclass(frozen=True, slots=True)
class KernelBody:
    """An emitted kernel: ``i32 symbol(tiles, scalars, workspace)``, all pointers, for one point.

    ``tiles`` are 8-byte words: for each tile its address, its extents, its strides in bytes. ``scalars`` are as the task gets
    them. ``ranks`` are those of the tiles, and ``workspace_bytes`` is the size of what ``workspace`` points to.
    """

    symbol: str
    ranks: tuple[int, ...]
    workspace_bytes: int


_TILES, _SCALARS, _WORKSPACE = "%a0", "%a1", "%a2"


@dataclass(frozen=True, slots=True)
class _Vector:
    """The vector loop that code is in: its induction variable, and the lanes at hand."""

    variable: SSAValue
    lanes: Lanes


_STAYING = (memref.LoadOp, memref.StoreOp, scf.ParallelOp, scf.ReduceOp, scf.ReduceReturnOp)
"""What is not moved out of loops: memory accesses, and the loops themselves."""

_TOP_LEVEL = (memref.AllocOp, memref.DeallocOp, func.ReturnOp)
"""What stands in a kernel's own block only."""


def emit_kernel(module: ModuleText, kernel: func.FuncOp) -> KernelBody:
    """Emit a lowered kernel as a function of ``module``.

    Raises :class:`UnsupportedError` for anything that ``docs/kernels.md`` section 3 does not have.
    """
    text = FunctionText(["ptr readonly", "ptr readonly", "ptr"], "i32")
    emitter = _KernelEmitter(module, text)
    with _located(kernel):
        ranks = emitter.bind_parameters(kernel.body.block.args)
    emitter.emit_top_level(kernel.body.block.ops)
    return KernelBody(module.define("body", text), ranks, emitter.workspace.bytes)


class _KernelEmitter:
    """The state of one walk: what each SSA value became. Values of a loop's body are overwritten by its next version."""

    def __init__(self, module: ModuleText, text: FunctionText) -> None:
        self._module, self._text = module, text
        self._values: dict[SSAValue, Value] = {}
        self._memrefs: dict[SSAValue, MemRef] = {}
        self._scratch = ScratchTiles(module, text)
        self.workspace = Workspace(text, _WORKSPACE)
        # By loop: its versions share their stack space.
        self._reductions: dict[Operation, list[LoopReduction]] = {}
        # Operations of the loops around that were emitted in front of them.
        self._hoisted: set[Operation] = set()

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
                self._bind_tile(parameter, element_type(kind.element_type), rank, words)
                ranks.append(rank)
                words += 1 + 2 * rank
            else:
                self._bind_scalar(parameter, element_type(kind), SLOT_BYTES * slots)
                slots += 1
        return tuple(ranks)

    def _bind_tile(self, parameter: SSAValue, element: ElementType, rank: int, first: int) -> None:
        """Read a tile's words at the kernel's start: in many fused kernels most tiles are looked at for their extents only."""
        kinds = {isinstance(use.operation, memref.DimOp) for use in parameter.uses}

        def read(llvm: str, begin: int, count: int) -> tuple[str, ...]:
            text = self._text
            places = [text.entry_op(f"getelementptr i64, ptr {_TILES}, i64 {first + begin + n}") for n in range(count)]
            return tuple(text.entry_op(f"load {llvm}, ptr {place}, align {SLOT_BYTES}") for place in places)

        sizes = read("i64", 1, rank) if True in kinds else ("0",) * rank
        (base,), strides = (read("ptr", 0, 1), read("i64", 1 + rank, rank)) if False in kinds else (("null",), ())
        self._memrefs[parameter] = MemRef(base, element, sizes, strides)

    def _bind_scalar(self, parameter: SSAValue, element: ElementType, offset: int) -> None:
        if parameter.uses:
            place = self._text.entry_op(f"getelementptr i8, ptr {_SCALARS}, i64 {offset}")
            value = self._text.entry_op(f"load {element.memory.llvm}, ptr {place}, align {SLOT_BYTES}")
            if element.bits == 1:
                value = self._text.entry_op(f"icmp ne i8 {value}, 0")
            self._values[parameter] = Value(value, element)

    def emit_top_level(self, ops: Iterable[Operation]) -> None:
        """The kernel's own block: also scratch tiles live here, and it returns."""
        for op in ops:
            self._emit(op, None)

    def _emit(self, op: Operation, vector: _Vector | None) -> None:
        if op in self._hoisted:
            return
        with _located(op):
            self._emit_anew(op, vector)

    def _emit_anew(self, op: Operation, vector: _Vector | None) -> None:
        if isinstance(op, memref.LoadOp):
            place = memory.place_of(self._text, self._memref(op.memref), self._indices(op.indices, vector))
            lanes = vector.lanes if vector else None
            self._values[op.res] = memory.load(self._module, self._text, place, lanes)
        elif isinstance(op, memref.StoreOp):
            self._store(op, vector)
        elif isinstance(op, memref.DimOp):
            self._values[op.result] = Value(self._dimension(op), INDEX)
        elif isinstance(op, arith.ConstantOp):
            self._values[op.result] = _constant(op.value, op.result.type)
        elif isinstance(op, scf.ParallelOp):
            self._loop(op, vector)
        elif isinstance(op.parent_op(), func.FuncOp) and isinstance(op, _TOP_LEVEL):
            self._emit_top_level(op)
        else:
            operands = [self._operand(operand, vector) for operand in op.operands]
            lanes = max((operand.lanes for operand in operands), default=0)
            inline = lanes > 0 and vector is not None and vector.lanes.active is None
            value = emit_operation(self._module, self._text, op, operands, lanes, inline)
            self._values[op.results[0]] = value

    def _emit_top_level(self, op: memref.AllocOp | memref.DeallocOp | func.ReturnOp) -> None:
        if isinstance(op, memref.AllocOp):
            sizes = [self._operand(size, None).ref for size in op.dynamic_sizes]
            self._memrefs[op.memref] = self._scratch.allocate(op.memref, op.memref.type, sizes)
        elif isinstance(op, memref.DeallocOp):
            self._scratch.free(op.memref)
        elif op.operands:
            raise UnsupportedError("a lowered kernel returns nothing")
        else:
            self._scratch.free_all()
            self._text.do(f"ret i32 {STATUS_OK}")
            self._scratch.emit_failure()

    def _operand(self, operand: SSAValue, vector: _Vector | None) -> Value:
        if vector is not None and operand is vector.variable:
            lanes = vector.lanes
            return Value(self._text.lane_numbers(lanes.position, lanes.count), INDEX, lanes.count)
        value = self._values.get(operand)
        if value is None:
            raise UnsupportedError(f"a value of type {operand.type} is no scalar")
        return value

    def _memref(self, operand: SSAValue) -> MemRef:
        found = self._memrefs.get(operand)
        if found is None:
            raise UnsupportedError("a tile is a parameter of the kernel or a scratch tile allocated at its top level")
        return found

    def _indices(self, indices: Iterable[SSAValue], vector: _Vector | None) -> list[str | None]:
        """Indices for :func:`memory.place_of`: None for the vector loop's induction variable."""
        result: list[str | None] = []
        for index in indices:
            if vector is not None and index is vector.variable:
                result.append(None)
                continue
            value = self._operand(index, vector)
            if value.lanes:
                raise UnsupportedError("an index is an induction variable, not computed from the vector loop's")
            result.append(value.ref)
        return result

    def _store(self, op: memref.StoreOp, vector: _Vector | None) -> None:
        place = memory.place_of(self._text, self._memref(op.memref), self._indices(op.indices, vector))
        value = self._operand(op.value, vector)
        if vector is not None and not place.vector_strides:
            raise UnsupportedError("a store in a vector loop that all its iterations make to one element")
        memory.store(self._module, self._text, place, value, vector.lanes if vector else None)

    def _dimension(self, op: memref.DimOp) -> str:
        index = op.index.owner
        sizes = self._memref(op.source).sizes
        if not isinstance(index, arith.ConstantOp) or not isinstance(index.value, IntegerAttr):
            raise UnsupportedError("memref.dim of a dimension that is not a constant")
        number = index.value.value.data
        if not 0 <= number < len(sizes):
            raise UnsupportedError(f"memref.dim of dimension {number} of a tile of rank {len(sizes)}")
        return sizes[number]

    def _loop(self, op: scf.ParallelOp, vector: _Vector | None) -> None:
        if len(op.lowerBound) != 1 or _constant_of(op.lowerBound[0]) != 0 or _constant_of(op.step[0]) != 1:
            raise UnsupportedError("scf.parallel with other than one induction variable from 0 by 1")
        bound = self._operand(op.upperBound[0], vector)
        if bound.lanes:
            raise UnsupportedError("scf.parallel with a bound that differs by lane")
        hoisted, mark = self._hoist(op, vector), self.workspace.mark()
        if "vector" not in op.attributes:
            self._serial_loop(op, bound.ref, vector)
        elif vector is None:
            self._vector_loop(op, bound.ref)
        else:
            raise UnsupportedError("a vector loop within a vector loop")
        self.workspace.release(mark)
        self._hoisted -= hoisted  # the loop's next version, if it is within a vector loop, hoists anew

    def _hoist(self, loop: scf.ParallelOp, vector: _Vector | None) -> set[Operation]:
        """Emit what a loop computes from values of the outside alone; every operation is total, so none can fail there.

        LLVM would see to cheap ones. It does not for calls of math functions, which may be most of a kernel's time.
        """
        inside = {argument for op in loop.walk() for region in op.regions for argument in region.block.args}
        inside |= {result for op in loop.walk() for result in op.results if op not in self._hoisted}
        hoisted: set[Operation] = set()
        for op in loop.walk():
            within = isinstance(op, _STAYING) or op in self._hoisted or isinstance(op.parent_op(), scf.ReduceOp)
            if not within and inside.isdisjoint(op.operands):
                self._emit(op, vector)
                hoisted.add(op)
                inside.difference_update(op.results)
        self._hoisted |= hoisted
        return hoisted

    def _begin_reductions(self, op: scf.ParallelOp, value_lanes: int | None) -> list[LoopReduction]:
        if op not in self._reductions:
            reduce = _reduce_of(op)
            self._reductions[op] = [
                LoopReduction(
                    self._module,
                    self._text,
                    self.workspace,
                    _combiner_of(reduce, number),
                    element_type(arg.type),
                    value_lanes,
                )
                for number, arg in enumerate(reduce.args)
            ]
        for reduction in self._reductions[op]:
            reduction.begin()
        return self._reductions[op]

    def _end_block_if(self, condition: str, reductions: list[LoopReduction]) -> None:
        if reductions:
            with self._text.when(condition):
                for reduction in reductions:
                    reduction.end_block()

    def _serial_loop(self, op: scf.ParallelOp, bound: str, vector: _Vector | None) -> None:
        text = self._text
        reductions = self._begin_reductions(op, vector.lanes.count if vector else 0)
        with text.loop("0", bound, 1) as counter:
            self._values[op.body.block.args[0]] = Value(counter, INDEX)
            self._body(op, vector)
            for reduction, arg in zip(reductions, _reduce_of(op).args, strict=True):
                reduction.step_serial(self._operand(arg, vector), counter)
            if reductions:
                step = text.op(f"and i64 {counter}, {BLOCK - 1}")
                self._end_block_if(text.op(f"icmp eq i64 {step}, {BLOCK - 1}"), reductions)
        for result, reduction in zip(op.res, reductions, strict=True):
            self._values[result] = reduction.finish()

    def _vector_loop(self, op: scf.ParallelOp, bound: str) -> None:
        """Full vectors as long as there are some and neighbours lie side by side, then the general version for the rest."""
        text = self._text
        reductions = self._begin_reductions(op, None)
        count = TREE_LANES if reductions else self._module.target.lanes(_widest_bytes(op))
        whole = text.op(f"and i64 {bound}, -{count}")
        full_end = text.op(f"select i1 {self._all_neighbours(op)}, i64 {whole}, i64 0")
        with text.loop("0", full_end, count) as position:
            self._vector_body(op, Lanes(count, position), reductions)
        with text.loop(full_end, bound, count) as position:
            rest = text.op(f"sub i64 {bound}, {position}")
            smin = self._module.intrinsic("smin", "i64", ["i64", "i64"])
            active = text.op(f"call i64 {smin}(i64 {rest}, i64 {count})")
            self._vector_body(op, Lanes(count, position, active), reductions)
        for result, reduction in zip(op.res, reductions, strict=True):
            self._values[result] = reduction.finish()

    def _vector_body(self, op: scf.ParallelOp, lanes: Lanes, reductions: list[LoopReduction]) -> None:
        text = self._text
        vector = _Vector(op.body.block.args[0], lanes)
        self._body(op, vector)
        if reductions:
            mask = None if lanes.active is None else memory.lane_mask(text, lanes.active, lanes.count)
            for reduction, arg in zip(reductions, _reduce_of(op).args, strict=True):
                reduction.step_vector(self._operand(arg, vector), mask)
            following = text.op(f"add i64 {lanes.position}, {TREE_LANES}")
            within = text.op(f"and i64 {following}, {BLOCK - 1}")
            self._end_block_if(text.op(f"icmp eq i64 {within}, 0"), reductions)

    def _body(self, op: scf.ParallelOp, vector: _Vector | None) -> None:
        for inner in op.body.block.ops:
            if not isinstance(inner, scf.ReduceOp):
                self._emit(inner, vector)

    def _all_neighbours(self, op: scf.ParallelOp) -> str:
        """Whether every access that moves with the vector loop moves from neighbour to neighbour: an ``i1``."""
        variable = op.body.block.args[0]
        moving: dict[tuple[SSAValue, tuple[int, ...]], None] = {}
        for inner in op.walk():
            if isinstance(inner, memref.LoadOp | memref.StoreOp):
                dimensions = tuple(place for place, index in enumerate(inner.indices) if index is variable)
                if dimensions:
                    moving[inner.memref, dimensions] = None
        result = "true"
        for tile, dimensions in moving:
            found = self._memref(tile)
            strides = tuple(found.strides[dimension] for dimension in dimensions)
            near = memory.neighbours(self._text, found.element, strides)
            if near != "true":
                result = near if result == "true" else self._text.op(f"and i1 {result}, {near}")
        return result


@contextmanager
def _located(op: Operation) -> Generator[None, None, None]:
    """Refusals within say where ``op`` stands, unless an operation further in said so already."""
    try:
        yield
    except UnsupportedError as error:
        if error.location is None:
            error.location = location_of(op)
        raise


def _reduce_of(op: scf.ParallelOp) -> scf.ReduceOp:
    last = op.body.block.last_op
    if not isinstance(last, scf.ReduceOp):
        raise UnsupportedError("scf.parallel without scf.reduce at its end")
    return last


def _combiner_of(reduce: scf.ReduceOp, number: int) -> str:
    """The name of the one operation of a reduction's region, which combines its block's arguments in order."""
    block = reduce.reductions[number].block
    ops = list(block.ops)
    if len(ops) != 2 or not isinstance(ops[1], scf.ReduceReturnOp) or ops[1].result.owner is not ops[0]:
        raise UnsupportedError("a reduction's region holds exactly one combiner and scf.reduce.return")
    if tuple(ops[0].operands) != tuple(block.args):
        raise UnsupportedError("a reduction combines the accumulated value with the next, in this order")
    return ops[0].name


def _constant_of(value: SSAValue) -> int | None:
    owner = value.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, IntegerAttr):
        return owner.value.value.data
    return None


def _constant(attribute: Attribute, kind: Attribute) -> Value:
    element = element_type(kind)
    if isinstance(attribute, IntegerAttr | FloatAttr):
        return Value(literal(element, attribute.value.data), element, is_literal=True)
    raise UnsupportedError(f"arith.constant of type {kind}")


def _widest_bytes(op: scf.ParallelOp) -> int:
    """Size of the widest element that a loop computes with; loop counters and the like do not count."""
    widest = 1
    for inner in op.walk():
        for value in (*inner.operands, *inner.results):
            if not isinstance(value.type, MemRefType) and element_type(value.type) != INDEX:
                widest = max(widest, element_type(value.type).bytes)
    return widest
