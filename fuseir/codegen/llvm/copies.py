"""Nests that only copy a tile: one support function does them all, whatever their rank and strides.

Kernels that came of many tasks have many of them: edges of a grid that is swapped with another, results that leave a scratch tile. A call
costs LLVM next to nothing to compile.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TypeGuard

from xdsl.dialects import memref
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.dimensions import DimensionTable
from fuseir.codegen.llvm.memory import MemRef
from fuseir.codegen.llvm.rows import are_neighbours
from fuseir.codegen.llvm.text import FunctionText, ModuleText

_WORDS = 3
"""Of a dimension: extent, the target's stride, the source's stride."""

_BLOCK = 64
"""Side of a block of a copy whose target and source do not have their neighbours along one dimension: eight lines of doubles."""


def is_copy(ops: Sequence[Operation], variables: Sequence[SSAValue]) -> TypeGuard[tuple[memref.LoadOp, memref.StoreOp]]:
    """Whether the innermost body of a nest copies an element for each value of the loops' variables."""
    return (
        len(ops) == 2
        and isinstance(load := ops[0], memref.LoadOp)
        and isinstance(store := ops[1], memref.StoreOp)
        and store.value is load.res
        and load.memref is not store.memref  # the table would have one tile only
        and all(sorted(map(id, op.indices)) == sorted(map(id, variables)) for op in (load, store))
    )


def emit_copy(module: ModuleText, text: FunctionText, target: MemRef, source: MemRef, table: DimensionTable) -> None:
    """Emit a copy between tiles whose strides along the loops are in an arranged table, the target's first."""
    function = module.support("copy", _copy_function, target.element.memory)
    text.do(f"call void {function}(ptr {target.base}, ptr {source.base}, ptr {table.address}, i64 {table.rank})")


def _copy_function(module: ModuleText, memory: ElementType) -> FunctionText:
    """``copy(target, source, table, rank)``: the two innermost dimensions are gone through for each index of the others."""
    text = FunctionText(["ptr", "ptr", "ptr", "i64"])
    last = text.op("sub i64 %a3, 1")
    inner = _dimension(text, last)
    # A rank of 1 has no second dimension: one iteration over nothing moved.
    is_line = text.op("icmp eq i64 %a3, 1")
    second = text.op(f"select i1 {is_line}, i64 0, i64 {text.op('sub i64 %a3, 2')}")
    words = zip(_dimension(text, second), ("1", "0", "0"), strict=True)
    outer = [text.op(f"select i1 {is_line}, i64 {default}, i64 {word}") for word, default in words]
    total = text.alloca("i64", 8, "1")
    with text.loop("0", second, 1) as number:
        product = text.op(f"mul i64 {text.op(f'load i64, ptr {total}, align 8')}, {_dimension(text, number)[0]}")
        text.do(f"store i64 {product}, ptr {total}, align 8")
    lines = text.op(f"and i1 {are_neighbours(text, memory, inner[1])}, {are_neighbours(text, memory, inner[2])}")
    with text.loop("0", text.op(f"load i64, ptr {total}, align 8"), 1) as index:
        target, source = _place(text, index, second)
        in_lines, in_blocks, following = text.label(), text.label(), text.label()
        text.branch_if(lines, in_lines, in_blocks)
        text.place(in_lines)
        size = text.op(f"mul i64 {inner[0]}, {memory.bytes}")
        copy = module.declare("llvm.memcpy.p0.p0.i64", "void", ["ptr", "ptr", "i64", "i1"])
        with text.loop("0", outer[0], 1) as row:
            to, of = _moved(text, target, row, outer[1]), _moved(text, source, row, outer[2])
            text.do(f"call void {copy}(ptr {to}, ptr {of}, i64 {size}, i1 false)")
        text.branch(following)
        text.place(in_blocks)
        with (
            _blocks(module, text, outer[0]) as rows,
            _blocks(module, text, inner[0]) as columns,
            text.loop(*rows, 1) as row,
        ):
            to, of = _moved(text, target, row, outer[1]), _moved(text, source, row, outer[2])
            with text.loop(*columns, 1) as column:
                element = text.op(f"load {memory.llvm}, ptr {_moved(text, of, column, inner[2])}, align 1")
                text.do(f"store {memory.llvm} {element}, ptr {_moved(text, to, column, inner[1])}, align 1")
        text.branch(following)
        text.place(following)
    text.do("ret void")
    return text


def _place(text: FunctionText, index: str, rank: str) -> tuple[str, str]:
    """The addresses at a number of the row-major list of the outer ``rank`` dimensions' indices."""
    rest = text.alloca("i64", 8)
    places = text.alloca("ptr", 8), text.alloca("ptr", 8)
    text.do(f"store i64 {index}, ptr {rest}, align 8")
    for place, base in zip(places, ("%a0", "%a1"), strict=True):
        text.do(f"store ptr {base}, ptr {place}, align 8")
    with text.loop("0", rank, 1) as number:
        extent, *strides = _dimension(text, number)
        before = text.op(f"load i64, ptr {rest}, align 8")
        text.do(f"store i64 {text.op(f'udiv i64 {before}, {extent}')}, ptr {rest}, align 8")
        coordinate = text.op(f"urem i64 {before}, {extent}")
        for place, stride in zip(places, strides, strict=True):
            moved = _moved(text, text.op(f"load ptr, ptr {place}, align 8"), coordinate, stride)
            text.do(f"store ptr {moved}, ptr {place}, align 8")
    target, source = (text.op(f"load ptr, ptr {place}, align 8") for place in places)
    return target, source


@contextmanager
def _blocks(module: ModuleText, text: FunctionText, extent: str) -> Generator[tuple[str, str], None, None]:
    smin = module.intrinsic("smin", "i64", ["i64", "i64"])
    with text.loop("0", extent, _BLOCK) as begin:
        yield begin, text.op(f"call i64 {smin}(i64 {text.op(f'add i64 {begin}, {_BLOCK}')}, i64 {extent})")


def _moved(text: FunctionText, address: str, index: str, stride: str) -> str:
    return text.op(f"getelementptr i8, ptr {address}, i64 {text.op(f'mul i64 {index}, {stride}')}")


def _dimension(text: FunctionText, number: str) -> list[str]:
    first = text.op(f"mul i64 {number}, {_WORDS}")
    places = [
        text.op(f"getelementptr i64, ptr %a2, i64 {text.op(f'add i64 {first}, {word}')}") for word in range(_WORDS)
    ]
    return [text.op(f"load i64, ptr {place}, align 8") for place in places]
