"""The function that executors call: the loop over points and the tiles of each, around a kernel's body.

It implements the binary interface of ``docs/kernels.md`` section 4; :mod:`fuseir.codegen.abi` builds what it reads. All of it
is one support function, ``drive``, since a layout says itself how many dimensions its arguments have; a kernel's own
task only calls ``drive`` with what is the kernel's: its body, how many tiles it takes, and the workspace it wants.
"""

from __future__ import annotations

from fuseir.codegen.abi import NUMBERS_PER_DIMENSION, SLOT_BYTES, STATUS_OK, STATUS_OUT_OF_MEMORY
from fuseir.codegen.llvm.emit import KernelBody
from fuseir.codegen.llvm.text import FunctionText, ModuleText

_BEGIN, _END, _BASES, _LAYOUT, _SCALARS, _COUNT, _WORDS, _WORKSPACE, _BODY = (f"%a{position}" for position in range(9))

_LINE = 64
"""A cache line: where workspaces start."""


def emit_task(module: ModuleText, kernel: KernelBody) -> str:
    """Emit ``i32 task(point_begin, point_end, bases, layout, scalars)`` for a kernel of ``module``; returns its symbol."""
    text = FunctionText(["i64", "i64", "ptr readonly", "ptr readonly", "ptr readonly"], "i32")
    words = sum(1 + 2 * rank for rank in kernel.ranks)
    own = f"i64 {len(kernel.ranks)}, i64 {words}, i64 {kernel.workspace_bytes}, ptr @{kernel.symbol}"
    given = f"i64 {_BEGIN}, i64 {_END}, ptr {_BASES}, ptr {_LAYOUT}, ptr {_SCALARS}"
    drive = module.support("drive", _drive_function)
    text.do(f"ret i32 {text.op(f'call i32 {drive}({given}, {own})')}")
    return module.define("task", text, linkage="")


def _drive_function(module: ModuleText) -> FunctionText:
    """``drive(begin, end, bases, layout, scalars, tiles, words, workspace bytes, body)``: run a body for a range of points.

    One allocation holds the workspace, a point's coordinates and the words of its tiles.
    """
    text = FunctionText(
        ["i64", "i64", "ptr readonly", "ptr readonly", "ptr readonly", "i64", "i64", "i64", "ptr"], "i32"
    )
    malloc = module.declare("malloc", "ptr", ["i64"], "nounwind")
    free = module.declare("free", "void", ["ptr"], "nounwind")
    rank = _load_word(text, _LAYOUT, "0")
    word_bytes = text.op(f"mul i64 {text.op(f'add i64 {rank}, {_WORDS}')}, {SLOT_BYTES}")
    padded = text.op(f"add i64 {text.op(f'add i64 {_WORKSPACE}, {word_bytes}')}, {_LINE}")
    raw = text.op(f"call ptr {malloc}(i64 {padded}) nobuiltin")
    granted, refused = text.label(), text.label()
    text.branch_if(text.op(f"icmp eq ptr {raw}, null"), refused, granted)
    text.place(refused)
    text.do(f"ret i32 {STATUS_OUT_OF_MEMORY}")
    text.place(granted)
    negated = text.op(f"sub i64 0, {text.op(f'ptrtoint ptr {raw} to i64')}")
    workspace = text.op(f"getelementptr i8, ptr {raw}, i64 {text.op(f'and i64 {negated}, {_LINE - 1}')}")
    point = text.op(f"getelementptr i8, ptr {workspace}, i64 {_WORKSPACE}")
    tiles = text.op(f"getelementptr i64, ptr {point}, i64 {rank}")
    points = text.alloca("i64", 8, "1")
    with text.loop("0", rank, 1) as dimension:
        extent = _load_word(text, _LAYOUT, text.op(f"add i64 {dimension}, 1"))
        before = text.op(f"load i64, ptr {points}, align 8")
        text.do(f"store i64 {text.op(f'mul i64 {before}, {extent}')}, ptr {points}, align 8")
    all_points = text.op(f"load i64, ptr {points}, align 8")
    status = text.alloca("i32", 4, str(STATUS_OK))
    failed = text.label()
    with text.loop(_BEGIN, _END, 1) as index:
        _find_point(text, rank, index, point)
        _find_tiles(module, text, rank, index, point, tiles)
        result = text.op(f"call i32 {_BODY}(ptr {tiles}, ptr {_SCALARS}, ptr {workspace}, i64 {all_points})")
        text.do(f"store i32 {result}, ptr {status}, align 4")
        passed = text.label()
        text.branch_if(text.op(f"icmp eq i32 {result}, {STATUS_OK}"), passed, failed)
        text.place(passed)
    text.branch(failed)
    text.place(failed)
    text.do(f"call void {free}(ptr {raw}) nobuiltin")
    text.do(f"ret i32 {text.op(f'load i32, ptr {status}, align 4')}")
    return text


def _find_point(text: FunctionText, rank: str, index: str, point: str) -> None:
    """Write the coordinates of point ``index`` of the row-major list, last dimension first."""
    rest = text.alloca("i64", 8)
    text.do(f"store i64 {index}, ptr {rest}, align 8")
    with text.loop("0", rank, 1) as done:
        dimension = text.op(f"sub i64 {text.op(f'sub i64 {rank}, {done}')}, 1")
        extent = _load_word(text, _LAYOUT, text.op(f"add i64 {dimension}, 1"))
        before = text.op(f"load i64, ptr {rest}, align 8")
        _store_word(text, point, dimension, text.op(f"urem i64 {before}, {extent}"))
        text.do(f"store i64 {text.op(f'udiv i64 {before}, {extent}')}, ptr {rest}, align 8")


def _find_tiles(module: ModuleText, text: FunctionText, domain_rank: str, index: str, point: str, tiles: str) -> None:
    """Write the words of every argument's tile at a point: address, extents, strides."""
    layout_slot, tile_slot = text.alloca("ptr", 8), text.alloca("ptr", 8)
    first = text.op(f"getelementptr i64, ptr {_LAYOUT}, i64 {text.op(f'add i64 {domain_rank}, 1')}")
    text.do(f"store ptr {first}, ptr {layout_slot}, align 8")
    text.do(f"store ptr {tiles}, ptr {tile_slot}, align 8")
    with text.loop("0", _COUNT, 1) as number:
        argument = text.op(f"load ptr, ptr {layout_slot}, align 8")
        rank = _load_word(text, argument, "0")
        dimensions = text.op(f"getelementptr i64, ptr {argument}, i64 1")
        tile = text.op(f"load ptr, ptr {tile_slot}, align 8")
        extents = text.op(f"getelementptr i64, ptr {tile}, i64 1")
        strides = text.op(f"getelementptr i64, ptr {extents}, i64 {rank}")
        offset = _find_extents(module, text, point, dimensions, rank, extents, strides)
        after = text.op(
            f"getelementptr i64, ptr {dimensions}, i64 {text.op(f'mul i64 {rank}, {NUMBERS_PER_DIMENSION}')}"
        )
        partial_stride = _load_word(text, after, "0")
        is_partial = text.op(f"icmp ne i64 {partial_stride}, 0")
        partial_offset = text.op(f"mul i64 {index}, {partial_stride}")
        within = text.op(f"load i64, ptr {offset}, align 8")
        bytes_in = text.op(f"select i1 {is_partial}, i64 {partial_offset}, i64 {within}")
        base = text.op(f"load ptr, ptr {text.op(f'getelementptr ptr, ptr {_BASES}, i64 {number}')}, align 8")
        text.do(f"store ptr {text.op(f'getelementptr i8, ptr {base}, i64 {bytes_in}')}, ptr {tile}, align 8")
        text.do(f"store ptr {text.op(f'getelementptr i64, ptr {after}, i64 1')}, ptr {layout_slot}, align 8")
        text.do(f"store ptr {text.op(f'getelementptr i64, ptr {strides}, i64 {rank}')}, ptr {tile_slot}, align 8")


def _find_extents(
    module: ModuleText, text: FunctionText, point: str, dimensions: str, rank: str, extents: str, strides: str
) -> str:
    """Write a tile's extents and strides; the place where the tile's offset in its view, in bytes, is left."""

    def call(name: str, left: str, right: str) -> str:
        return text.op(f"call i64 {module.intrinsic(name, 'i64', ['i64', 'i64'])}(i64 {left}, i64 {right})")

    def clip(position: str, extent: str) -> str:
        return call("smin", call("smax", position, "0"), extent)

    offset = text.alloca("i64", 8)
    text.do(f"store i64 0, ptr {offset}, align 8")
    with text.loop("0", rank, 1) as dimension:
        first = text.op(f"mul i64 {dimension}, {NUMBERS_PER_DIMENSION}")
        numbers = text.op(f"getelementptr i64, ptr {dimensions}, i64 {first}")
        words = [_load_word(text, numbers, str(field)) for field in range(NUMBERS_PER_DIMENSION)]
        launch_dim, multiplier, addend, tile, extent, stride = words
        coordinate = _load_word(text, point, call("smax", launch_dim, "0"))
        is_fixed = text.op(f"icmp slt i64 {launch_dim}, 0")
        coordinate = text.op(f"select i1 {is_fixed}, i64 0, i64 {coordinate}")
        start = text.op(f"add i64 {text.op(f'mul i64 {coordinate}, {multiplier}')}, {addend}")
        low = clip(start, extent)
        high = clip(text.op(f"add i64 {start}, {tile}"), extent)
        _store_word(text, extents, dimension, call("smax", text.op(f"sub i64 {high}, {low}"), "0"))
        _store_word(text, strides, dimension, stride)
        before = text.op(f"load i64, ptr {offset}, align 8")
        after = text.op(f"add i64 {before}, {text.op(f'mul i64 {low}, {stride}')}")
        text.do(f"store i64 {after}, ptr {offset}, align 8")
    return offset


def _load_word(text: FunctionText, array: str, index: str) -> str:
    place = text.op(f"getelementptr i64, ptr {array}, i64 {index}")
    return text.op(f"load i64, ptr {place}, align {SLOT_BYTES}")


def _store_word(text: FunctionText, array: str, index: str, word: str) -> None:
    place = text.op(f"getelementptr i64, ptr {array}, i64 {index}")
    text.do(f"store i64 {word}, ptr {place}, align {SLOT_BYTES}")
