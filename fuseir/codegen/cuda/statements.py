"""The straight-line part of a lowered kernel in CUDA C++: what each SSA value is called, loads, stores and scalar operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith, func, memref, scf
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, MemRefType
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.cuda.kernels import Extent, Pointer, Scalar, Slot, Space, Stride, Tile
from fuseir.codegen.cuda.operations import operation_expression
from fuseir.codegen.cuda.text import KernelText
from fuseir.codegen.cuda.types import cpp_type, literal
from fuseir.codegen.element_types import element_type
from fuseir.codegen.elements import INDEX, ElementType
from fuseir.codegen.refusals import located
from fuseir.errors import UnsupportedError

_NO_VALUES = (
    scf.ParallelOp,
    scf.ReduceOp,
    scf.ReduceReturnOp,
    memref.StoreOp,
    memref.AllocOp,
    memref.DeallocOp,
    func.ReturnOp,
)


@dataclass
class Outline:
    """What all CUDA kernels of one lowered kernel share: its tiles and scalars, and how each gets the values of the kernel's own block.

    A value that depends on constants, scalars, extents and on memory that does not change is computed by each kernel that uses it; others
    are computed once, and kept in ``slots`` for kernels that come later.
    """

    function: func.FuncOp
    tiles: dict[SSAValue, Tile] = field(default_factory=dict[SSAValue, Tile])
    scalars: dict[SSAValue, Scalar] = field(default_factory=dict[SSAValue, Scalar])
    repeatable: set[SSAValue] = field(default_factory=set[SSAValue])
    slots: dict[SSAValue, Slot] = field(default_factory=dict[SSAValue, Slot])
    written: set[SSAValue] = field(default_factory=set[SSAValue])

    def __post_init__(self) -> None:
        for parameter in self.function.body.block.args:
            if isinstance(parameter.type, MemRefType):
                if self.scalars:
                    raise UnsupportedError("a kernel's tiles come before its scalars")
                self.tiles[parameter] = Tile(Space.ARGUMENT, len(self.tiles))
            else:
                self.scalars[parameter] = Scalar(len(self.scalars), element_type(parameter.type))
        # From the end: what a load reads may be read again later if no store follows.
        for op in reversed(list(self.function.walk())):
            if isinstance(op, memref.StoreOp):
                self.written.add(op.memref)
            elif isinstance(op, memref.LoadOp) and op.memref not in self.written:
                self.repeatable.add(op.res)
        for op in self.function.body.block.ops:
            if isinstance(op, arith.ConstantOp | memref.DimOp):
                self.repeatable.add(op.results[0])
            elif not isinstance(op, (*_NO_VALUES, memref.LoadOp)) and all(map(self.is_repeatable, op.operands)):
                self.repeatable.update(op.results)

    def is_repeatable(self, value: SSAValue) -> bool:
        """Whether each kernel that uses a value of the kernel's own block computes it."""
        return value in self.repeatable or value in self.scalars

    def slot(self, value: SSAValue) -> Slot:
        """The slot of a value, which it has from now on."""
        return self.slots.setdefault(value, Slot(len(self.slots)))

    def tile(self, value: SSAValue) -> Tile:
        """The tile that a value of memref type stands for."""
        if value not in self.tiles:
            raise UnsupportedError("a tile is a parameter of the kernel or a scratch tile allocated at its top level")
        return self.tiles[value]

    def extent(self, bound: SSAValue) -> Extent:
        """The extent that a loop runs to."""
        owner = bound.owner
        if not isinstance(owner, memref.DimOp):
            raise UnsupportedError("the bound of a loop is a memref.dim")
        return self.dimension(owner)

    def dimension(self, op: memref.DimOp) -> Extent:
        """The extent that a ``memref.dim`` asks for."""
        index = op.index.owner
        if not isinstance(index, arith.ConstantOp) or not isinstance(index.value, IntegerAttr):
            raise UnsupportedError("memref.dim of a dimension that is not a constant")
        number, kind = index.value.value.data, op.source.type
        assert isinstance(kind, MemRefType)
        if not 0 <= number < kind.get_num_dims():
            raise UnsupportedError(f"memref.dim of dimension {number} of a tile of rank {kind.get_num_dims()}")
        return Extent(self.tile(op.source), number)


class Statements:
    """Writes statements of one CUDA kernel. ``values`` has the C++ text of each SSA value so far: a name or a literal."""

    def __init__(self, outline: Outline, text: KernelText) -> None:
        self.outline, self.text = outline, text
        self.values: dict[SSAValue, str] = {}

    def enter(self, ops: Iterable[Operation]) -> None:
        """Compute what these operations use of the kernel's own block, where it is the same for all threads."""
        own = self.outline.function.body.block
        walked = [op for root in ops for op in root.walk()]
        made = {result for op in walked for result in op.results}
        for op in walked:
            # The bounds of loops are parameters, and what reductions start from are constants.
            for operand in () if isinstance(op, scf.ParallelOp) else op.operands:
                if operand not in self.values and operand not in made and _block_of(operand) is own:
                    self._provide(operand)

    def _provide(self, value: SSAValue) -> None:
        """Have a value of the kernel's own block at hand, and what it is computed from."""
        waiting = [value]
        while waiting:
            value = waiting[-1]
            if value in self.values or isinstance(value.type, MemRefType):
                waiting.pop()
                continue
            scalar = self.outline.scalars.get(value)
            if scalar is not None:
                self.values[value] = self.text.parameter(scalar)
            elif value not in self.outline.repeatable:
                element = element_type(value.type)
                pointer = self.text.parameter(Pointer(self.outline.slot(value), element))
                self.values[value] = self.text.value(cpp_type(element), load_text(f"*{pointer}", element))
            else:
                op = value.owner
                assert isinstance(op, Operation)
                missing = [o for o in op.operands if o not in self.values and not isinstance(o.type, MemRefType)]
                if missing and not isinstance(op, memref.DimOp):
                    waiting += missing
                    continue
                self.emit(op)

    def emit(self, op: Operation) -> None:
        """Write an operation that is no loop."""
        with located(op):
            if isinstance(op, memref.StoreOp):
                self.text.line(f"{self.element(op.memref, op.indices, written=True)} = {self.operand(op.value)};")
                return
            if isinstance(op, arith.ConstantOp):
                self.values[op.result] = _constant(op)
                return
            if isinstance(op, memref.DimOp):
                self.values[op.result] = self.text.parameter(self.outline.dimension(op))
                return
            element = element_type(op.results[0].type) if op.results else INDEX
            if isinstance(op, memref.LoadOp):
                expression = load_text(self.element(op.memref, op.indices), element)
            else:
                operands = [self.operand(operand) for operand in op.operands]
                expression = operation_expression(op, operands, self.text.helpers)
            self.values[op.results[0]] = self.text.value(cpp_type(element), expression)

    def operand(self, operand: SSAValue) -> str:
        """The C++ text of an operand; an index that is counted or an extent becomes an integer like others."""
        value = self.values.get(operand)
        if value is None:
            raise UnsupportedError(f"a value of type {operand.type} is no scalar")
        owner = operand.owner
        is_counted = not isinstance(owner, Operation) or isinstance(owner, memref.DimOp)
        return f"u64({value})" if is_counted and operand not in self.outline.scalars else value

    def element(self, tile: SSAValue, indices: Sequence[SSAValue], *, written: bool = False) -> str:
        """An element of a tile as C++ text that can be read or, if ``written``, assigned to."""
        offset = self.offset(tile, indices)
        return f"{self.pointer(tile)}[{offset}]" if offset else f"*{self.pointer(tile)}"

    def pointer(self, tile: SSAValue) -> str:
        """The name of a tile's address."""
        return self.text.parameter(pointer_to(self.outline, tile))

    def offset(self, tile: SSAValue, indices: Sequence[SSAValue]) -> str:
        """How far an element is from a tile's first, in elements; nothing for rank 0."""
        place = self.outline.tile(tile)
        terms: list[str] = []
        for dimension, index in enumerate(indices):
            if index not in self.values:
                raise UnsupportedError("an index is an induction variable")
            terms.append(f"{self.values[index]} * {self.text.parameter(Stride(place, dimension))}")
        return " + ".join(terms)


def pointer_to(outline: Outline, tile: SSAValue) -> Pointer:
    """The parameter for a tile's address."""
    assert isinstance(tile.type, MemRefType)
    return Pointer(outline.tile(tile), element_type(tile.type.element_type), tile in outline.written)


def load_text(place: str, element: ElementType) -> str:
    """The value at a place in memory: any byte but 0 is true."""
    return f"{place} != 0" if element.bits == 1 else place


def _block_of(value: SSAValue) -> object:
    owner = value.owner
    return owner.parent if isinstance(owner, Operation) else owner


def _constant(op: arith.ConstantOp) -> str:
    if isinstance(op.value, IntegerAttr | FloatAttr):
        return literal(element_type(op.result.type), op.value.value.data)
    raise UnsupportedError(f"arith.constant of type {op.result.type}")
