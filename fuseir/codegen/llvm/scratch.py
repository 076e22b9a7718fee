"""Scratch tiles of a kernel: contiguous memory from ``malloc``, given back on every way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType
from xdsl.ir import Attribute, SSAValue

from fuseir.codegen.abi import STATUS_OUT_OF_MEMORY
from fuseir.codegen.element_types import element_type
from fuseir.codegen.llvm.memory import MemRef
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.errors import UnsupportedError

_ALIGNMENT = 64
"""A cache line and the widest vector: accesses that straddle lines cost twice."""


class ScratchTiles:
    """The scratch tiles of one kernel. If one cannot be had, the kernel frees the others and returns a status."""

    def __init__(self, module: ModuleText, text: FunctionText) -> None:
        self._module, self._text = module, text
        self._pointers: dict[SSAValue, str] = {}
        self._freed: set[SSAValue] = set()
        self._failure = text.label()

    def allocate(self, tile: SSAValue, kind: MemRefType[Attribute], dynamic_sizes: Sequence[str]) -> MemRef:
        """Emit the allocation of a tile of type ``kind``, its dynamic extents given in order."""
        text = self._text
        element = element_type(kind.element_type)
        dynamic = iter(dynamic_sizes)
        sizes = [_extent(size, dynamic) for size in kind.get_shape()]
        strides = [str(element.bytes)]
        overflow = "false"
        multiply = self._module.declare("llvm.umul.with.overflow.i64", "{ i64, i1 }", ["i64", "i64"])
        for size in reversed(sizes):
            pair = text.op(f"call {{ i64, i1 }} {multiply}(i64 {strides[0]}, i64 {size})")
            strides.insert(0, text.op(f"extractvalue {{ i64, i1 }} {pair}, 0"))
            overflow = text.op(f"or i1 {overflow}, {text.op(f'extractvalue {{ i64, i1 }} {pair}, 1')}")
        # More than malloc ever grants, if the number of bytes does not fit.
        wanted = text.op(f"select i1 {overflow}, i64 9223372036854775743, i64 {strides[0]}")
        padded = text.op(f"add i64 {wanted}, {_ALIGNMENT}")
        malloc = self._module.declare("malloc", "ptr", ["i64"], "nounwind")
        raw = text.op(f"call ptr {malloc}(i64 {padded}) nobuiltin")
        # Null at first: the way out on failure frees all slots, also those it comes before.
        slot = text.alloca("ptr", 8, "null")
        self._pointers[tile] = slot
        text.do(f"store ptr {raw}, ptr {slot}, align 8")
        granted = text.label()
        text.branch_if(text.op(f"icmp eq ptr {raw}, null"), self._failure, granted)
        text.place(granted)
        # Up to the next line: raw + (-raw mod 64), which keeps the address derived from the allocation.
        negated = text.op(f"sub i64 0, {text.op(f'ptrtoint ptr {raw} to i64')}")
        offset = text.op(f"and i64 {negated}, {_ALIGNMENT - 1}")
        base = text.op(f"getelementptr i8, ptr {raw}, i64 {offset}")
        return MemRef(base, element, tuple(strides[1:]), tuple(sizes))

    def free(self, tile: SSAValue) -> None:
        """Give a tile back."""
        if tile not in self._pointers or tile in self._freed:
            raise UnsupportedError("memref.dealloc of what is no live scratch tile")
        self._freed.add(tile)
        self._free(self._pointers[tile])
        self._text.do(f"store ptr null, ptr {self._pointers[tile]}, align 8")

    def free_all(self) -> None:
        """Give back what the kernel did not."""
        for tile, slot in self._pointers.items():
            if tile not in self._freed:
                self._free(slot)

    def emit_failure(self) -> None:
        """Where the kernel goes if memory runs out: the end of the function."""
        if not self._pointers:
            return
        self._text.place(self._failure)
        for slot in self._pointers.values():
            self._free(slot)
        self._text.do(f"ret i32 {STATUS_OUT_OF_MEMORY}")

    def _free(self, slot: str) -> None:
        free = self._module.declare("free", "void", ["ptr"], "nounwind")
        pointer = self._text.op(f"load ptr, ptr {slot}, align 8")
        self._text.do(f"call void {free}(ptr {pointer}) nobuiltin")


def _extent(size: int, dynamic: Iterator[str]) -> str:
    return next(dynamic) if size == DYNAMIC_INDEX else str(size)
