"""The straight-line part of a lowered kernel: constants, extents, loads, stores and scalar operations, as scalars or as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.ir import Attribute, Operation, SSAValue

from fuseir.codegen.abi import SLOT_BYTES
from fuseir.codegen.element_types import element_type
from fuseir.codegen.elements import INDEX, ElementType
from fuseir.codegen.llvm import memory
from fuseir.codegen.llvm.memory import Lanes, MemRef, Tile
from fuseir.codegen.llvm.ops import emit_operation
from fuseir.codegen.llvm.rows import Row, total_stride
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value, literal
from fuseir.codegen.refusals import located
from fuseir.errors import UnsupportedError

Access = tuple[SSAValue, tuple[SSAValue, ...]]
"""What is accessed: a tile, and the indices."""


@dataclass(frozen=True, slots=True)
class RowBuffer:
    """A row of values of a vector loop that wait in memory: number ``i`` is that of iteration ``i`` of the panel."""

    address: str
    element: ElementType


@dataclass(frozen=True, slots=True)
class VectorSite:
    """Where vector code is written: the loop's induction variable, which is ``origin`` in the first iteration, the lanes at hand,
    where the rows of the loop's accesses are, and what has been computed here so far.
    """

    variable: SSAValue
    origin: str
    lanes: Lanes
    rows: Mapping[Access, str]
    values: dict[SSAValue, Value] = field(default_factory=dict[SSAValue, Value])


class Statements:
    """What each SSA value became. ``values`` are scalars; what vector code computes is known to its site only, or waits in ``buffers``."""

    def __init__(self, module: ModuleText, text: FunctionText) -> None:
        self.module, self.text = module, text
        self.values: dict[SSAValue, Value] = {}
        self.buffers: dict[SSAValue, RowBuffer] = {}
        self.tiles: dict[SSAValue, Tile] = {}
        self.scratch: dict[SSAValue, MemRef] = {}
        self._at_hand: dict[SSAValue, MemRef] = {}

    def enter(self, nest: Operation) -> None:
        """Read what loops need to know about the tiles that they access. Call it in front of each nest."""
        self._at_hand.clear()
        for op in nest.walk():
            if isinstance(op, memref.LoadOp | memref.StoreOp) and op.memref not in self._at_hand:
                with located(op):
                    self._at_hand[op.memref] = self._read(op.memref)

    def move_by(self, tile: SSAValue, strides: Mapping[int, str]) -> None:
        """In the nest that was entered, a tile has these strides; the other dimensions keep theirs."""
        found = self.memref(tile)
        moved = tuple(strides.get(place, stride) for place, stride in enumerate(found.strides))
        self._at_hand[tile] = MemRef(found.base, found.element, moved, found.sizes)

    def emit(self, op: Operation, site: VectorSite | None) -> None:
        """Emit an operation; as vector code if there is a site."""
        with located(op):
            if isinstance(op, memref.StoreOp):
                self._store(op, site)
                return
            if isinstance(op, memref.LoadOp):
                value = self._load(op, site)
            elif isinstance(op, memref.DimOp):
                value = Value(self._dimension(op), INDEX)
            elif isinstance(op, arith.ConstantOp):
                value = _constant(op.value, op.result.type)
            else:
                operands = [self.operand(operand, site) for operand in op.operands]
                lanes = max((operand.lanes for operand in operands), default=0)
                inline = lanes > 0 and site is not None and site.lanes.mask is None
                value = emit_operation(self.module, self.text, op, operands, lanes, inline)
            (self.values if site is None else site.values)[op.results[0]] = value

    def operand(self, operand: SSAValue, site: VectorSite | None) -> Value:
        """The value of an operand."""
        if site is not None:
            if operand in site.values:
                return site.values[operand]
            lanes = site.lanes
            if operand is site.variable:
                start = self.text.op(f"add i64 {site.origin}, {lanes.iteration}")
                return Value(self.text.lane_numbers(start, lanes.count), INDEX, lanes.count)
            if operand in self.buffers:
                buffer = self.buffers[operand]
                everything = Lanes(lanes.count, lanes.iteration, lanes.iteration)
                return memory.load_vector(self.module, self.text, buffer.element, buffer.address, everything)
        value = self.values.get(operand)
        if value is None:
            raise UnsupportedError(f"a value of type {operand.type} is no scalar")
        return value

    def keep(self, buffer: RowBuffer, value: Value, lanes: Lanes) -> None:
        """Put a vector into a buffer, where ``operand`` finds it."""
        everything = Lanes(lanes.count, lanes.iteration, lanes.iteration)
        memory.store_vector(self.module, self.text, buffer.element, buffer.address, value, everything)

    def memref(self, operand: SSAValue) -> MemRef:
        """The tile that a value of memref type stands for."""
        return self._at_hand.get(operand) or self._read(operand)

    def copy_tile(self, tile: SSAValue, words: str) -> None:
        """Write a tile's address, extents and strides, as those of parameters are, to an array of words."""
        text = self.text
        if tile in self.tiles:
            self.tiles[tile].copy(self.module, text, words)
            return
        found = self._read(tile)
        text.do(f"store ptr {found.base}, ptr {words}, align {SLOT_BYTES}")
        for number, word in enumerate((*found.sizes, *found.strides), 1):
            place = text.op(f"getelementptr i64, ptr {words}, i64 {number}")
            text.do(f"store i64 {word}, ptr {place}, align {SLOT_BYTES}")

    def _read(self, operand: SSAValue) -> MemRef:
        if operand in self.tiles:
            return self.tiles[operand].read(self.text)
        if operand in self.scratch:
            return self.scratch[operand]
        raise UnsupportedError("a tile is a parameter of the kernel or a scratch tile allocated at its top level")

    def rows(self, ops: Iterable[Operation], variable: SSAValue, origin: str) -> dict[Access, Row]:
        """The rows that these operations go through in a vector loop over ``variable``, which starts at ``origin``."""
        rows: dict[Access, Row] = {}
        for op in ops:
            if isinstance(op, memref.LoadOp | memref.StoreOp) and variable in op.indices:
                access = access_of(op)
                with located(op):
                    row = rows.get(access) or self._row(access, variable, origin)
                if isinstance(op, memref.LoadOp):
                    rows[access] = replace(row, loaded=True)
                else:
                    rows[access] = replace(row, stored=True)
        return rows

    def stride(self, access: Access, variable: SSAValue) -> str:
        """Bytes from one element to the next along a loop."""
        tile, indices = access
        strides = self.memref(tile).strides
        return total_stride(self.text, [strides[place] for place, index in enumerate(indices) if index is variable])

    def _row(self, access: Access, variable: SSAValue, origin: str) -> Row:
        element = self.memref(access[0]).element
        stride = self.stride(access, variable)
        address = self._address(access, variable)
        if origin != "0":
            offset = self.text.op(f"mul i64 {origin}, {stride}")
            address = self.text.op(f"getelementptr i8, ptr {address}, i64 {offset}")
        return Row(address, element, stride, loaded=False, stored=False)

    def _address(self, access: Access, variable: SSAValue | None) -> str:
        tile, indices = access
        refs: list[str | None] = []
        for index in indices:
            if index is not variable and index not in self.values:
                raise UnsupportedError("an index is an induction variable, not computed from the vector loop's")
            refs.append(None if index is variable else self.values[index].ref)
        return memory.address_of(self.text, self.memref(tile), refs)

    def _load(self, op: memref.LoadOp, site: VectorSite | None) -> Value:
        access, element = access_of(op), self.memref(op.memref).element
        if site is None or access not in site.rows:
            return memory.load(self.text, element, self._address(access, None))
        return memory.load_vector(self.module, self.text, element, site.rows[access], site.lanes)

    def _store(self, op: memref.StoreOp, site: VectorSite | None) -> None:
        access, element = access_of(op), self.memref(op.memref).element
        value = self.operand(op.value, site)
        if site is None:
            memory.store(self.text, element, self._address(access, None), value)
        elif access in site.rows:
            memory.store_vector(self.module, self.text, element, site.rows[access], value, site.lanes)
        else:
            raise UnsupportedError("a store in a vector loop that all its iterations make to one element")

    def _dimension(self, op: memref.DimOp) -> str:
        index = op.index.owner
        if not isinstance(index, arith.ConstantOp) or not isinstance(index.value, IntegerAttr):
            raise UnsupportedError("memref.dim of a dimension that is not a constant")
        number, tile = index.value.value.data, self.tiles.get(op.source)
        rank = len(self.memref(op.source).strides) if tile is None else tile.rank
        if not 0 <= number < rank:
            raise UnsupportedError(f"memref.dim of dimension {number} of a tile of rank {rank}")
        return self.memref(op.source).sizes[number] if tile is None else tile.size(self.text, number)


def access_of(op: memref.LoadOp | memref.StoreOp) -> Access:
    """What a load or store accesses."""
    return op.memref, tuple(op.indices)


def _constant(attribute: Attribute, kind: Attribute) -> Value:
    element = element_type(kind)
    if isinstance(attribute, IntegerAttr | FloatAttr):
        return Value(literal(element, attribute.value.data), element, is_literal=True)
    raise UnsupportedError(f"arith.constant of type {kind}")
