"""The function that executors call: the loop over points and the tiles of each, around a kernel's body.

It implements the binary interface of ``docs/kernels.md`` section 4; :mod:`fuseir.codegen.abi` builds what it reads.
"""

from __future__ import annotations

from fuseir.codegen.abi import NUMBERS_PER_DIMENSION, SLOT_BYTES, STATUS_OK, argument_words
from fuseir.codegen.llvm.emit import KernelBody
from fuseir.codegen.llvm.text import FunctionText, ModuleText

_BEGIN, _END, _BASES, _LAYOUT, _SCALARS = (f"%a{position}" for position in range(5))


def emit_task(module: ModuleText, kernel: KernelBody) -> str:
    """Emit ``i32 task(point_begin, point_end, bases, layout, scalars)`` for a kernel of ``module``; returns its symbol."""
    text = FunctionText(["i64", "i64", "ptr readonly", "ptr readonly", "ptr readonly"], "i32")
    rank = _load_word(text, _LAYOUT, "0")
    point = text.op(f"alloca i64, i64 {rank}, align 8")
    first_argument = text.op(f"getelementptr i64, ptr {_LAYOUT}, i64 {text.op(f'add i64 {rank}, 1')}")
    scalars = [_load_scalar(text, number, kernel) for number in range(len(kernel.scalars))]
    split_index = module.helper("point", "point", _point_function)
    find_tile = module.helper("tile", "tile", lambda: _tile_function(module))
    places = [text.alloca(f"[{1 + 2 * tile.rank} x i64]", 8) for tile in kernel.tiles]
    failed = text.label()
    with text.loop(_BEGIN, _END, 1) as index:
        text.do(f"call void {split_index}(ptr {_LAYOUT}, i64 {index}, ptr {point})")
        arguments: list[str] = []
        words = 0
        for number, (tile, place) in enumerate(zip(kernel.tiles, places, strict=True)):
            base = text.op(f"load ptr, ptr {text.op(f'getelementptr ptr, ptr {_BASES}, i64 {number}')}, align 8")
            layout = text.op(f"getelementptr i64, ptr {first_argument}, i64 {words}")
            found = f"ptr {point}, i64 {index}, ptr {base}, ptr {layout}, i64 {tile.rank}, ptr {place}"
            arguments.append(f"ptr {text.op(f'call ptr {find_tile}({found})')}")
            arguments += [f"i64 {_load_word(text, place, str(word))}" for word in range(2 * tile.rank)]
            words += argument_words(tile.rank)
        status = text.op(f"call i32 @{kernel.symbol}({', '.join([*arguments, *scalars])})")
        passed = text.label()
        text.branch_if(text.op(f"icmp eq i32 {status}, {STATUS_OK}"), passed, failed)
        text.place(passed)
    text.do(f"ret i32 {STATUS_OK}")
    text.place(failed)
    text.do(f"ret i32 {status}")
    return module.define("task", text, linkage="")


def _load_word(text: FunctionText, array: str, index: str) -> str:
    place = text.op(f"getelementptr i64, ptr {array}, i64 {index}")
    return text.op(f"load i64, ptr {place}, align {SLOT_BYTES}")


def _store_word(text: FunctionText, array: str, index: str, word: str) -> None:
    place = text.op(f"getelementptr i64, ptr {array}, i64 {index}")
    text.do(f"store i64 {word}, ptr {place}, align {SLOT_BYTES}")


def _load_scalar(text: FunctionText, number: int, kernel: KernelBody) -> str:
    element = kernel.scalars[number]
    place = text.op(f"getelementptr i8, ptr {_SCALARS}, i64 {SLOT_BYTES * number}")
    value = text.op(f"load {element.memory.llvm}, ptr {place}, align {SLOT_BYTES}")
    if element.bits == 1:
        value = text.op(f"icmp ne i8 {value}, 0")
    return f"{element.llvm} {value}"


def _point_function() -> FunctionText:
    """``point(layout, index, coordinates)``: write the coordinates of a point, last dimension first."""
    text = FunctionText(["ptr readonly", "i64", "ptr"])
    rank = _load_word(text, "%a0", "0")
    rest = text.alloca("i64", 8, "%a1")
    with text.loop("0", rank, 1) as done:
        dimension = text.op(f"sub i64 {text.op(f'sub i64 {rank}, {done}')}, 1")
        extent = _load_word(text, "%a0", text.op(f"add i64 {dimension}, 1"))
        before = text.op(f"load i64, ptr {rest}, align 8")
        _store_word(text, "%a2", dimension, text.op(f"urem i64 {before}, {extent}"))
        text.do(f"store i64 {text.op(f'udiv i64 {before}, {extent}')}, ptr {rest}, align 8")
    text.do("ret void")
    return text


def _tile_function(module: ModuleText) -> FunctionText:
    """``tile(coordinates, point index, base, layout of the argument, rank, out)``: the address of a point's tile.

    To ``out`` go its extents, then its strides.
    """
    text = FunctionText(["ptr readonly", "i64", "ptr", "ptr readonly", "i64", "ptr"], "ptr")
    point, index, base, layout, rank, out = (f"%a{position}" for position in range(6))

    def call(name: str, left: str, right: str) -> str:
        return text.op(f"call i64 {module.intrinsic(name, 'i64', ['i64', 'i64'])}(i64 {left}, i64 {right})")

    def clip(position: str, extent: str) -> str:
        return call("smin", call("smax", position, "0"), extent)

    offset = text.alloca("i64", 8, "0")
    with text.loop("0", rank, 1) as dimension:
        first = text.op(f"mul i64 {dimension}, {NUMBERS_PER_DIMENSION}")
        numbers = text.op(f"getelementptr i64, ptr {layout}, i64 {first}")
        words = [_load_word(text, numbers, str(field)) for field in range(NUMBERS_PER_DIMENSION)]
        launch_dim, multiplier, addend, tile, extent, stride = words
        coordinate = _load_word(text, point, call("smax", launch_dim, "0"))
        is_fixed = text.op(f"icmp slt i64 {launch_dim}, 0")
        coordinate = text.op(f"select i1 {is_fixed}, i64 0, i64 {coordinate}")
        start = text.op(f"add i64 {text.op(f'mul i64 {coordinate}, {multiplier}')}, {addend}")
        low = clip(start, extent)
        high = clip(text.op(f"add i64 {start}, {tile}"), extent)
        _store_word(text, out, dimension, call("smax", text.op(f"sub i64 {high}, {low}"), "0"))
        _store_word(text, out, text.op(f"add i64 {rank}, {dimension}"), stride)
        before = text.op(f"load i64, ptr {offset}, align 8")
        after = text.op(f"add i64 {before}, {text.op(f'mul i64 {low}, {stride}')}")
        text.do(f"store i64 {after}, ptr {offset}, align 8")
    partial_stride = _load_word(text, layout, text.op(f"mul i64 {rank}, {NUMBERS_PER_DIMENSION}"))
    is_partial = text.op(f"icmp ne i64 {partial_stride}, 0")
    partial_offset = text.op(f"mul i64 {index}, {partial_stride}")
    within = text.op(f"load i64, ptr {offset}, align 8")
    bytes_in = text.op(f"select i1 {is_partial}, i64 {partial_offset}, i64 {within}")
    text.do(f"ret ptr {text.op(f'getelementptr i8, ptr {base}, i64 {bytes_in}')}")
    return text
