"""Nests whose items are single elements: neighbouring threads go along the innermost loop, rows of threads along the others.

The innermost loop moves by packs, 16 bytes of the widest element, in the version for tiles whose elements lie side by side; the version for
any strides has packs of one element. Stores at the end of a row that no whole pack is left for go one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import memref
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.cuda.kernels import Bound, Kernel, Kind, Stride
from fuseir.codegen.cuda.nests import Nest
from fuseir.codegen.cuda.source import Source
from fuseir.codegen.cuda.statements import Outline, Statements, load_text, pointer_to
from fuseir.codegen.cuda.text import KernelText
from fuseir.codegen.cuda.types import memory_type
from fuseir.codegen.element_types import element_type
from fuseir.codegen.loop_parts import arrangeable_accesses, perfect_nest
from fuseir.errors import UnsupportedError

_PACK_BYTES = 16
"""What one thread loads or stores by one instruction, at most."""


def emit_map(source: Source, outline: Outline, nest: Nest) -> Kernel:
    """Emit the kernel of a nest whose items are single elements."""
    text = KernelText(source.helpers)
    emitter = _MapEmitter(Statements(outline, text), nest)
    return emitter.emit(source)


class _MapEmitter:
    def __init__(self, statements: Statements, nest: Nest) -> None:
        self._statements, self._nest = statements, nest
        self._text, self._outline = statements.text, statements.outline
        self._column = nest.outer[-1].body.block.args[0]
        self._lanes = self._pack_lanes()

    def emit(self, source: Source) -> Kernel:
        """Write the kernel; what is left to say of it."""
        nest, text, statements = self._nest, self._text, self._statements
        extents = tuple(self._outline.extent(loop.upperBound[0]) for loop in nest.outer)
        names = [text.parameter(Bound(number)) for number in range(len(extents))]
        statements.enter(nest.outer[:1])
        *outer, columns = names
        column = f"i{len(outer)}"
        statements.values[self._column] = column
        packed = self._lanes > 1
        first = "blockIdx.x * blockDim.x + threadIdx.x"
        step = "gridDim.x * blockDim.x"
        if packed:
            first, step = f"Lanes * ({first})", f"Lanes * ({step})"
        loop = f"for (Index {column} = {first}; {column} < {columns}; {column} += {step})"
        if not outer:
            with text.block(loop):
                self._element(columns)
        else:
            rows = names[0] if len(outer) == 1 else text.value("Index", " * ".join(outer), "rows")
            counter = "i0" if len(outer) == 1 else "row"
            head = f"{counter} = blockIdx.y * blockDim.y + threadIdx.y; {counter} < {rows}"
            with text.block(f"for (Index {head}; {counter} += gridDim.y * blockDim.y)"):
                decode_items(text, counter, outer)
                for loop_op, number in zip(nest.outer[:-1], range(len(outer)), strict=True):
                    statements.values[loop_op.body.block.args[0]] = f"i{number}"
                for ops in nest.before:
                    for op in ops:
                        statements.emit(op)
                with text.block(loop):
                    self._element(columns)
        template = "typename Index, int Lanes" if packed else "typename Index"
        title = "One element" if not packed else "A pack of neighbours"
        symbol = source.define(
            Kind.MAP,
            text,
            comment=f"{title} to a thread: {len(names)} loop{'s' if outer else ''}.",
            template=template,
            versions=self._versions(packed),
            threads=256,
        )
        return Kernel(
            Kind.MAP,
            symbol,
            text.ordered,
            loops=extents,
            lanes=self._lanes,
            near=self._near(),
            moving=self._moving(),
        )

    def _versions(self, packed: bool) -> list[tuple[str, str, str]]:
        """For each version its suffix, index type and template arguments."""
        versions: list[tuple[str, str, str]] = []
        for suffix, index in (("", "int"), ("_wide", "s64")):
            versions.append((suffix, index, f"{index}, 1" if packed else index))
            if packed:
                versions.append((f"_packed{suffix}", index, f"{index}, {self._lanes}"))
        return versions

    # One element, or a pack

    def _element(self, columns: str) -> None:
        if self._lanes == 1:
            for op in self._nest.body:
                self._statements.emit(op)
            return
        text, statements = self._text, self._statements
        left = text.value("Index", f"{columns} - {statements.values[self._column]}", "left")
        packs: dict[Operation, str] = {}
        loads = [op for op in self._nest.body if self._is_moving(op) and isinstance(op, memref.LoadOp)]
        stores = [op for op in self._nest.body if isinstance(op, memref.StoreOp)]
        if loads:
            text.comment("Load.")
        for op in loads:
            place = self._address(op)
            packs[op] = text.value("auto", f"load_pack<Lanes>({place}, {left})", "x")
        text.comment("Compute.")
        for op in stores:
            packs[op] = text.fresh("z")
            element = element_type(op.value.type)
            text.line(f"Pack<{memory_type(element)}, Lanes> {packs[op]};")
        text.line("#pragma unroll")
        with text.block("for (int lane = 0; lane < Lanes; ++lane)"):
            for op in self._nest.body:
                if isinstance(op, memref.LoadOp) and op in packs:
                    statements.values[op.res] = self._lane(packs[op], op)
                elif isinstance(op, memref.StoreOp):
                    text.line(f"{packs[op]}.at[lane] = {statements.operand(op.value)};")
                else:
                    statements.emit(op)
        text.comment("Store.")
        for op in stores:
            text.line(f"store_pack<Lanes>({self._address(op)}, {packs[op]}, {left});")

    def _lane(self, pack: str, op: memref.LoadOp) -> str:
        element = element_type(op.res.type)
        return f"({load_text(f'{pack}.at[lane]', element)})" if element.bits == 1 else f"{pack}.at[lane]"

    def _address(self, op: memref.LoadOp | memref.StoreOp) -> str:
        offset = self._statements.offset(op.memref, op.indices)
        return f"{self._statements.pointer(op.memref)} + {offset}"

    def _is_moving(self, op: Operation) -> bool:
        return isinstance(op, memref.LoadOp | memref.StoreOp) and self._column in op.indices

    def _pack_lanes(self) -> int:
        """Elements of a pack; 1 if the order of loads and stores, or where they are, does not allow packs."""
        widest, stored = 1, set[SSAValue]()
        for op in self._nest.body:
            if not isinstance(op, memref.LoadOp | memref.StoreOp):
                continue
            if list(op.indices).count(self._column) > 1 or (op.memref in stored and isinstance(op, memref.LoadOp)):
                return 1
            if isinstance(op, memref.StoreOp):
                if not self._is_moving(op):
                    raise UnsupportedError("a store in a vector loop that all its iterations make to one element")
                stored.add(op.memref)
            if self._is_moving(op):
                widest = max(widest, pointer_to(self._outline, op.memref).element.bytes)
        if stored:
            self._text.helpers.add("Pack")
        return _PACK_BYTES // widest if stored else 1

    def _near(self) -> tuple[Stride, ...]:
        """The strides that must be 1 for packs."""
        near: dict[Stride, None] = {}
        for op in self._nest.body:
            if isinstance(op, memref.LoadOp | memref.StoreOp) and self._is_moving(op):
                near[Stride(self._outline.tile(op.memref), list(op.indices).index(self._column))] = None
        return tuple(near)

    def _moving(self) -> tuple[tuple[Stride, ...], ...] | None:
        """By loop, the strides of all tiles, if the loops may go in any order."""
        loops, _ = perfect_nest(self._nest.outer[0])
        accesses = arrangeable_accesses(loops)
        if accesses is None or len(loops) != len(self._nest.outer):
            return None
        return tuple(
            tuple(
                Stride(self._outline.tile(tile), indices.index(loop.body.block.args[0]))
                for tile, indices in accesses.items()
            )
            for loop in loops
        )


def decode_items(text: KernelText, item: str, extents: Sequence[str]) -> None:
    """Name the iterations of loops with these extents that an item of the row-major list stands for: ``i0``, ``i1``, …"""
    if item == "i0":
        return
    for number in range(len(extents)):
        inner = extents[number + 1 :]
        quotient = " / ".join([item, f"({' * '.join(inner)})" if len(inner) > 1 else inner[0]]) if inner else item
        text.line(f"const Index i{number} = {quotient}{f' % {extents[number]}' if number else ''};")
