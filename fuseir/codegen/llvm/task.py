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
    failed = text.label()
    with text.loop(_BEGIN, _END, 1) as index:
        _split_index(text, rank, index, point)
        arguments: list[str] = []
        words = 0
        for number, tile in enumerate(kernel.tiles):
            layout = text.op(f"getelementptr i64, ptr {first_argument}, i64 {words}")
            arguments += _tile(module, text, number, tile.rank, layout, index, point)
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


def _load_scalar(text: FunctionText, number: int, kernel: KernelBody) -> str:
    element = kernel.scalars[number]
    place = text.op(f"getelementptr i8, ptr {_SCALARS}, i64 {SLOT_BYTES * number}")
    value = text.op(f"load {element.memory.llvm}, ptr {place}, align {SLOT_BYTES}")
    if element.bits == 1:
        value = text.op(f"icmp ne i8 {value}, 0")
    return f"{element.llvm} {value}"


def _split_index(text: FunctionText, rank: str, index: str, point: str) -> None:
    """Write the coordinates of the point to ``point``, last dimension first."""
    rest = text.alloca("i64", 8)
    text.do(f"store i64 {index}, ptr {rest}, align 8")
    with text.loop("0", rank, 1) as done:
        dimension = text.op(f"sub i64 {text.op(f'sub i64 {rank}, {done}')}, 1")
        extent = _load_word(text, _LAYOUT, text.op(f"add i64 {dimension}, 1"))
        before = text.op(f"load i64, ptr {rest}, align 8")
        coordinate = text.op(f"urem i64 {before}, {extent}")
        text.do(f"store i64 {text.op(f'udiv i64 {before}, {extent}')}, ptr {rest}, align 8")
        place = text.op(f"getelementptr i64, ptr {point}, i64 {dimension}")
        text.do(f"store i64 {coordinate}, ptr {place}, align 8")


def _tile(
    module: ModuleText, text: FunctionText, number: int, rank: int, layout: str, index: str, point: str
) -> list[str]:
    """Arguments of the body for one tile: address, extents, strides."""

    def call(name: str, left: str, right: str) -> str:
        return text.op(f"call i64 {module.intrinsic(name, 'i64', ['i64', 'i64'])}(i64 {left}, i64 {right})")

    def clip(position: str, extent: str) -> str:
        return call("smin", call("smax", position, "0"), extent)

    place = text.op(f"getelementptr ptr, ptr {_BASES}, i64 {number}")
    base = text.op(f"load ptr, ptr {place}, align {SLOT_BYTES}")
    partial_stride = _load_word(text, layout, str(NUMBERS_PER_DIMENSION * rank))
    offset = "0"
    sizes: list[str] = []
    strides: list[str] = []
    for dimension in range(rank):
        words = [_load_word(text, layout, str(NUMBERS_PER_DIMENSION * dimension + field)) for field in range(6)]
        launch_dim, multiplier, addend, tile, extent, stride = words
        coordinate = _load_word(text, point, call("smax", launch_dim, "0"))
        is_fixed = text.op(f"icmp slt i64 {launch_dim}, 0")
        coordinate = text.op(f"select i1 {is_fixed}, i64 0, i64 {coordinate}")
        start = text.op(f"add i64 {text.op(f'mul i64 {coordinate}, {multiplier}')}, {addend}")
        low = clip(start, extent)
        high = clip(text.op(f"add i64 {start}, {tile}"), extent)
        sizes.append(call("smax", text.op(f"sub i64 {high}, {low}"), "0"))
        strides.append(stride)
        offset = text.op(f"add i64 {offset}, {text.op(f'mul i64 {low}, {stride}')}")
    is_partial = text.op(f"icmp ne i64 {partial_stride}, 0")
    partial_offset = text.op(f"mul i64 {index}, {partial_stride}")
    bytes_in = text.op(f"select i1 {is_partial}, i64 {partial_offset}, i64 {offset}")
    address = text.op(f"getelementptr i8, ptr {base}, i64 {bytes_in}")
    return [f"ptr {address}", *[f"i64 {value}" for value in (*sizes, *strides)]]
