"""Nests that only copy a tile: one support function does them all, whatever their rank and strides.

Kernels that came of many tasks have many of them: edges of a grid that is swapped with another, results that leave a scratch tile. A call
costs LLVM next to nothing to compile, and what order to go in is best decided when extents and strides are known.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from xdsl.dialects import memref, scf
from xdsl.ir import Operation, SSAValue

from fuseir.codegen.llvm.rows import are_neighbours
from fuseir.codegen.llvm.statements import Access, Statements, access_of
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import ElementType

_WORDS = 3
"""Of a dimension: extent, the target's stride, the source's stride."""

_BLOCK = 64
"""Side of a block of a copy whose target and source do not have their neighbours along one dimension: eight lines of doubles."""


@dataclass(frozen=True, slots=True)
class _Copy:
    variables: tuple[SSAValue, ...]
    extents: tuple[SSAValue, ...]
    source: Access
    target: Access


def emit_copy(statements: Statements, nest: scf.ParallelOp) -> bool:
    """Emit a nest if it is a copy; whether it is."""
    copy = _copy_of(nest)
    if copy is None:
        return False
    text, rank = statements.text, len(copy.variables)
    source, target = (statements.memref(tile) for tile, _ in (copy.source, copy.target))
    table = text.alloca(f"[{_WORDS * rank} x i64]", 8)
    for place, (variable, extent) in enumerate(zip(copy.variables, copy.extents, strict=True)):
        words = (
            statements.operand(extent, None).ref,
            target.strides[copy.target[1].index(variable)],
            source.strides[copy.source[1].index(variable)],
        )
        for number, word in enumerate(words):
            _set_word(text, table, _WORDS * place + number, word)
    function = statements.module.support("copy", _copy_function, target.element.memory)
    text.do(f"call void {function}(ptr {target.base}, ptr {source.base}, ptr {table}, i64 {rank})")
    return True


def _copy_of(nest: scf.ParallelOp) -> _Copy | None:
    """What is copied, if the nest does nothing else and each loop moves both sides."""
    variables: list[SSAValue] = []
    extents: list[SSAValue] = []
    ops: list[Operation] = [nest]
    while len(ops) == 1 and isinstance(ops[0], scf.ParallelOp) and not ops[0].res:
        variables.append(ops[0].body.block.args[0])
        extents.append(ops[0].upperBound[0])
        ops = [op for op in ops[0].body.block.ops if not isinstance(op, scf.ReduceOp)]
    if (
        len(ops) != 2
        or not isinstance(load := ops[0], memref.LoadOp)
        or not isinstance(store := ops[1], memref.StoreOp)
    ):
        return None
    accesses = access_of(load), access_of(store)
    if store.value is not load.res or any(
        sorted(map(id, indices)) != sorted(map(id, variables)) for _, indices in accesses
    ):
        return None
    return _Copy(tuple(variables), tuple(extents), *accesses)


def _copy_function(module: ModuleText, memory: ElementType) -> FunctionText:
    """``copy(target, source, table, rank)``: a word of ``table`` at a time, three a dimension; changes the table.

    Dimensions are put in the order of their strides, those that continue the innermost one are merged into it, and the two
    innermost are gone through for each index of the others.
    """
    text = FunctionText(["ptr", "ptr", "ptr", "i64"])
    _sort(module, text)
    last = text.op("sub i64 %a3, 1")
    _merge(text, last)
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


def _sort(module: ModuleText, text: FunctionText) -> None:
    """Dimensions by the bytes they move by, largest first; before them those of extent 1, which do not move at all."""
    magnitude = module.intrinsic("abs", "i64", ["i64", "i1"])

    def key(words: list[str]) -> str:
        target, source = (text.op(f"call i64 {magnitude}(i64 {word}, i1 false)") for word in words[1:])
        moved = text.op(f"add i64 {target}, {source}")
        return text.op(f"select i1 {text.op(f'icmp eq i64 {words[0]}, 1')}, i64 -1, i64 {moved}")

    pairs = text.op("sub i64 %a3, 1")
    with text.loop("0", pairs, 1), text.loop("0", pairs, 1) as number:
        following = text.op(f"add i64 {number}, 1")
        first, second = _dimension(text, number), _dimension(text, following)
        swapped = text.op(f"icmp ult i64 {key(first)}, {key(second)}")
        for word, (one, other) in enumerate(zip(first, second, strict=True)):
            for place, kept, taken in ((number, one, other), (following, other, one)):
                at = text.op(f"add i64 {text.op(f'mul i64 {place}, {_WORDS}')}, {word}")
                _set_word(text, "%a2", at, text.op(f"select i1 {swapped}, i64 {taken}, i64 {kept}"))


def _merge(text: FunctionText, last: str) -> None:
    """Make one dimension of the innermost one and those that continue it: that is where it ends for target and source."""
    with text.loop("0", last, 1) as done:
        number = text.op(f"sub i64 {text.op(f'sub i64 {last}, {done}')}, 1")
        inner, outer = _dimension(text, last), _dimension(text, number)
        continues = "true"
        for word in (1, 2):
            end = text.op(f"mul i64 {inner[0]}, {inner[word]}")
            continues = text.op(f"and i1 {continues}, {text.op(f'icmp eq i64 {outer[word]}, {end}')}")
        merged = text.op(f"mul i64 {inner[0]}, {outer[0]}")
        for place, new, old in ((last, merged, inner[0]), (number, "1", outer[0])):
            extent = text.op(f"select i1 {continues}, i64 {new}, i64 {old}")
            _set_word(text, "%a2", text.op(f"mul i64 {place}, {_WORDS}"), extent)


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


def _set_word(text: FunctionText, table: str, number: str | int, word: str) -> None:
    place = text.op(f"getelementptr i64, ptr {table}, i64 {number}")
    text.do(f"store i64 {word}, ptr {place}, align 8")
