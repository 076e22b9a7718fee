"""In which order a nest goes through its dimensions, decided when extents and strides are known.

Where nothing but parallel loops stand around each other and all tiles move along all of them, any order gives the same results. A
support function puts the dimension along which memory moves least innermost, and makes one dimension of those that continue it: a
contiguous tile of any rank is one row. The nest's code is the same for all orders; it takes extents and strides from the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from fuseir.codegen.llvm.text import FunctionText, ModuleText


class DimensionTable:
    """A table in a kernel's stack: for each loop, outermost first, its extent and the stride of each tile along it."""

    def __init__(self, text: FunctionText, extents: Sequence[str], strides: Sequence[Sequence[str]]) -> None:
        """``strides`` has for each tile those along the loops, in order."""
        self._text, self.rank, self._tiles = text, len(extents), len(strides)
        self.address = text.alloca(f"[{self.rank * (1 + self._tiles)} x i64]", 8)
        for loop, extent in enumerate(extents):
            for number, word in enumerate((extent, *(tile[loop] for tile in strides))):
                text.do(f"store i64 {word}, ptr {self._place(loop, number)}, align 8")

    def arrange(self, module: ModuleText) -> None:
        """Put the dimensions in order."""
        function = module.support("arrange", _arrange_function)
        self._text.do(f"call void {function}(ptr {self.address}, i64 {self.rank}, i64 {self._tiles})")

    def extent(self, loop: int) -> str:
        """How often a loop runs."""
        return self._text.op(f"load i64, ptr {self._place(loop, 0)}, align 8")

    def stride(self, tile: int, loop: int) -> str:
        """Bytes that a tile moves in an iteration of a loop."""
        return self._text.op(f"load i64, ptr {self._place(loop, 1 + tile)}, align 8")

    def _place(self, loop: int, number: int) -> str:
        return self._text.op(f"getelementptr i64, ptr {self.address}, i64 {loop * (1 + self._tiles) + number}")


_TABLE, _RANK, _TILES = (f"%a{position}" for position in range(3))


def _arrange_function(module: ModuleText) -> FunctionText:
    """``arrange(table, rank, tiles)``: sort dimensions by the bytes that tiles move along them, then merge into the innermost."""
    text = FunctionText(["ptr", "i64", "i64"])
    words = text.op(f"add i64 {_TILES}, 1")
    last = text.op(f"sub i64 {_RANK}, 1")
    with text.loop("0", last, 1), text.loop("0", last, 1) as number:
        following = text.op(f"add i64 {number}, 1")
        keys = [_moved_bytes(module, text, words, each) for each in (number, following)]
        with text.when(text.op(f"icmp ult i64 {keys[0]}, {keys[1]}")), text.loop("0", words, 1) as word:
            places = [_place(text, words, each, word) for each in (number, following)]
            values = [text.op(f"load i64, ptr {place}, align 8") for place in places]
            for place, value in zip(places, reversed(values), strict=True):
                text.do(f"store i64 {value}, ptr {place}, align 8")
    with text.loop("0", last, 1) as done:
        number = text.op(f"sub i64 {text.op(f'sub i64 {last}, {done}')}, 1")
        inner_place, outer_place = (_place(text, words, each, "0") for each in (last, number))
        inner, outer = (text.op(f"load i64, ptr {place}, align 8") for place in (inner_place, outer_place))
        breaks = text.alloca("i64", 8)
        text.do(f"store i64 0, ptr {breaks}, align 8")
        with text.loop("1", words, 1) as word:
            strides = [text.op(f"load i64, ptr {_place(text, words, each, word)}, align 8") for each in (last, number)]
            breaks_here = text.op(f"icmp ne i64 {text.op(f'mul i64 {inner}, {strides[0]}')}, {strides[1]}")
            before = text.op(f"load i64, ptr {breaks}, align 8")
            text.do(f"store i64 {text.op(f'select i1 {breaks_here}, i64 1, i64 {before}')}, ptr {breaks}, align 8")
        continues = text.op(f"icmp eq i64 {text.op(f'load i64, ptr {breaks}, align 8')}, 0")
        with text.when(continues):
            text.do(f"store i64 {text.op(f'mul i64 {inner}, {outer}')}, ptr {inner_place}, align 8")
            text.do(f"store i64 1, ptr {outer_place}, align 8")
    text.do("ret void")
    return text


def _moved_bytes(module: ModuleText, text: FunctionText, words: str, number: str) -> str:
    """The bytes that all tiles together move along a dimension; one of extent 1 is to be outermost, and counts as moving furthest."""
    absolute = module.intrinsic("abs", "i64", ["i64", "i1"])
    total = text.alloca("i64", 8)
    text.do(f"store i64 0, ptr {total}, align 8")
    with text.loop("1", words, 1) as word:
        stride = text.op(f"load i64, ptr {_place(text, words, number, word)}, align 8")
        bytes_moved = text.op(f"call i64 {absolute}(i64 {stride}, i1 false)")
        before = text.op(f"load i64, ptr {total}, align 8")
        text.do(f"store i64 {text.op(f'add i64 {before}, {bytes_moved}')}, ptr {total}, align 8")
    extent = text.op(f"load i64, ptr {_place(text, words, number, '0')}, align 8")
    is_one = text.op(f"icmp eq i64 {extent}, 1")
    return text.op(f"select i1 {is_one}, i64 -1, i64 {text.op(f'load i64, ptr {total}, align 8')}")


def _place(text: FunctionText, words: str, number: str, word: str) -> str:
    first = text.op(f"mul i64 {number}, {words}")
    return text.op(f"getelementptr i64, ptr {_TABLE}, i64 {text.op(f'add i64 {first}, {word}')}")
