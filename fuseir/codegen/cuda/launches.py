"""How the CUDA kernels of a lowered kernel are launched: which way, which version, and on what grid. Plain arithmetic, no device.

Everything is decided from extents, strides and the alignment of addresses. No choice changes a bit of a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from fuseir.codegen.cuda.kernels import (
    Bound,
    Buffer,
    Chunking,
    Extent,
    Kernel,
    KernelPlan,
    Kind,
    Parameter,
    Pointer,
    Scalar,
    Space,
    Step,
    Stride,
    Tile,
)
from fuseir.errors import UsageError

NARROW_LIMIT = 1 << 30
"""Indices are 32 bits wide where all that is counted stays below: a grid's step further is still a number of 32 bits."""

_TREE_BLOCK, _TREE_LANES = 1024, 32
_MOST_ROWS_OF_BLOCKS = 65535
"""The largest grid along y."""


@dataclass(frozen=True, slots=True)
class TileAt:
    """A tile of one launch: where it is, its extents, its strides in elements."""

    address: int
    extents: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def reach(self) -> int:
        """A bound for the distance of an element from the first."""
        return sum(max(n - 1, 0) * abs(s) for n, s in zip(self.extents, self.strides, strict=True))


@dataclass(frozen=True, slots=True)
class Device:
    """What grids are made for. The numbers of warps and columns are powers of two.

    ``warps`` are all that run at a time. ``map_threads`` are those of a block of elements; ``row_warps`` and ``finish_warps`` are warps of
    a block; ``columns`` are items side by side in a block. From ``block_row`` iterations on, a row gets a block, and from ``chunk`` on (a
    power of two, at least 1024) a reduction may go in chunks. Indices are 64 bits wide where something counted reaches ``narrow_limit``.
    """

    warps: int = 132 * 32
    map_threads: int = 256
    row_warps: int = 8
    finish_warps: int = 32
    columns: int = 16
    block_row: int = 2048
    chunk: int = 8192
    narrow_limit: int = NARROW_LIMIT


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch. Arguments are in the kernel's order: a number, or what the caller knows the place or the value of."""

    symbol: str
    grid: tuple[int, int]
    block: tuple[int, int]
    arguments: tuple[int | Pointer | Scalar, ...]


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """The launches in order, and the bytes of the memory that they share: scratch tiles, buffers, slots, each by number."""

    launches: tuple[Launch, ...]
    scratch: tuple[int, ...]
    buffers: tuple[int, ...]
    slots: tuple[int, ...]


def plan_launches(plan: KernelPlan, tiles: Sequence[TileAt], device: Device) -> LaunchPlan:
    """Launches for tiles in the order of the kernel's parameters; raises :class:`UsageError` if their ranks are not the kernel's.

    Scratch tiles count as lying at addresses that are multiples of 16.
    """
    if tuple(len(tile.extents) for tile in tiles) != plan.ranks:
        raise UsageError(f"a kernel for tiles of ranks {plan.ranks} is given others")
    places = {Tile(Space.ARGUMENT, number): tile for number, tile in enumerate(tiles)}
    scratch: list[int] = []
    for number, each in enumerate(plan.scratch):
        extents = tuple(e if isinstance(e, int) else places[e.tile].extents[e.dimension] for e in each.extents)
        strides = tuple(prod(extents[place + 1 :]) for place in range(len(extents)))
        places[Tile(Space.SCRATCH, number)] = TileAt(0, extents, strides)
        scratch.append(prod(extents) * each.element.bytes)
    buffers: dict[Buffer, int] = {}
    launches = [launch for step in plan.steps for launch in _step_launches(step, places, device, buffers)]
    sizes = [buffers.get(Buffer(number), 0) for number in range(len(buffers))]
    return LaunchPlan(tuple(launches), tuple(scratch), tuple(sizes), tuple(slot.bytes for slot in plan.slots))


def _step_launches(
    step: Step, places: Mapping[Tile, TileAt], device: Device, buffers: dict[Buffer, int]
) -> list[Launch]:
    way, chunks, span = step.ways[0], 1, NARROW_LIMIT
    items = _items(way[0], places)
    folded = step.ways[-1][0].folded
    if folded is not None:
        count = _extent(folded, places)
        span = _span(items, count, device)
        if items > 0 and span < count:
            way, chunks = step.ways[-1], -(-count // span)
    for use in step.buffers:
        size = items * (chunks * _TREE_LANES if use.per_chunk else 1) * use.element.bytes
        buffers[use.buffer] = max(buffers.get(use.buffer, 0), size if len(way) > 1 else 0)
    launches = [_launch(kernel, places, device, chunks, span) for kernel in way]
    return [launch for launch in launches if launch is not None]


def _span(items: int, count: int, device: Device) -> int:
    """Iterations of a chunk: as few as there are warps for, but no fewer than are worth a launch more."""
    span = device.chunk
    while span < count and items * -(-count // span) > device.warps:
        span *= 2
    return span


def _extent(extent: Extent, places: Mapping[Tile, TileAt]) -> int:
    return places[extent.tile].extents[extent.dimension]


def _items(kernel: Kernel, places: Mapping[Tile, TileAt]) -> int:
    return prod(_extent(extent, places) for extent in kernel.loops)


def _launch(kernel: Kernel, places: Mapping[Tile, TileAt], device: Device, chunks: int, span: int) -> Launch | None:
    """A launch of a kernel, or None if there is nothing to do."""
    values: dict[Parameter, int] = {}
    for parameter in kernel.parameters:
        match parameter:
            case Stride(tile, dimension):
                values[parameter] = places[tile].strides[dimension]
            case Extent():
                values[parameter] = _extent(parameter, places)
            case Chunking(name):
                values[parameter] = chunks if name == "chunks" else span
            case _:
                pass
    bounds = [_extent(extent, places) for extent in kernel.loops]
    if kernel.moving is not None:
        _arrange(bounds, kernel.moving, values)
    if kernel.kind is Kind.MAP:
        values.update((Bound(number), bound) for number, bound in enumerate(bounds))
    items = prod(bounds)
    if items == 0:
        return None
    tiles = [p for p in kernel.parameters if isinstance(p, Pointer) and isinstance(p.memory, Tile)]
    reach = max((places[p.memory].reach for p in tiles if isinstance(p.memory, Tile)), default=0)
    counted = max(items * chunks * _TREE_LANES if kernel.chunked else items, *values.values(), reach)
    wide = counted >= device.narrow_limit
    packed = kernel.lanes > 1 and _packs(kernel, tiles, places, values, len(bounds) == 1 or items == bounds[-1])
    block_row = kernel.kind is Kind.ROWS and not kernel.chunked and _longest(kernel, values) >= device.block_row
    grid, block = _grid(kernel, bounds, device, chunks, packed=packed, block_row=block_row)
    symbol = kernel.symbol_of(wide=wide or kernel.kind is Kind.SINGLE, packed=packed, block=block_row)
    arguments = tuple(p if isinstance(p, Pointer | Scalar) else values[p] for p in kernel.parameters)
    return Launch(symbol, grid, block, arguments)


def _longest(kernel: Kernel, values: Mapping[Parameter, int]) -> int:
    """The longest loop within the items, as far as the kernel's parameters say."""
    return max((values[p] for p in kernel.parameters if isinstance(p, Extent) and p not in kernel.loops), default=0)


def _packs(
    kernel: Kernel,
    tiles: Sequence[Pointer],
    places: Mapping[Tile, TileAt],
    values: Mapping[Parameter, int],
    one_row: bool,
) -> bool:
    """Whether each pack of each tile that moves along the innermost loop lies side by side, at a multiple of its size."""
    if any(values[stride] != 1 for stride in kernel.near):
        return False
    moving = {stride.tile for stride in kernel.near}
    for pointer in tiles:
        assert isinstance(pointer.memory, Tile)
        if pointer.memory not in moving:
            continue
        if places[pointer.memory].address % (kernel.lanes * pointer.element.bytes):
            return False
        others = [
            values[p]
            for p in kernel.parameters
            if isinstance(p, Stride) and p.tile == pointer.memory and p not in kernel.near
        ]
        if not one_row and any(stride % kernel.lanes for stride in others):
            return False
    return True


def _grid(
    kernel: Kernel, bounds: Sequence[int], device: Device, chunks: int, *, packed: bool, block_row: bool
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The grid and the block: as many blocks as run at a time, or fewer where there is less to do."""
    items = prod(bounds)
    if kernel.kind is Kind.SINGLE:
        return (1, 1), (1, 1)
    if kernel.kind is Kind.FINISH:
        return (_at_most(items, 1, device.warps), 1), (32, device.finish_warps)
    if kernel.kind is Kind.ROWS:
        if block_row:
            return (_at_most(items, 1, device.warps), 1), (32, device.row_warps)
        warps = device.row_warps if bounds or kernel.chunked else 1
        return (_at_most(items * chunks, warps, device.warps // warps), 1), (32, warps)
    *outer, columns = bounds
    if kernel.kind is Kind.COLUMNS:
        across = _at_most(columns, device.columns, device.warps)
        down = _at_most(prod(outer) * chunks, 1, min(device.warps, _MOST_ROWS_OF_BLOCKS))
        return (across, down), (device.columns, 32)
    columns = -(-columns // (kernel.lanes if packed else 1))
    width = min(device.map_threads, 1 << max(columns - 1, 0).bit_length())
    height = device.map_threads // width if outer else 1
    blocks = max(device.warps * 32 // device.map_threads, 1)
    across = _at_most(columns, width, blocks)
    down = _at_most(prod(outer), height, min(max(blocks // across, 1), _MOST_ROWS_OF_BLOCKS))
    return (across, down), (width, height)


def _at_most(count: int, each: int, most: int) -> int:
    """Blocks for ``count`` things, ``each`` of them a block."""
    return max(min(-(-count // each), most), 1)


def _arrange(bounds: list[int], moving: Sequence[Sequence[Stride]], values: dict[Parameter, int]) -> None:
    """Put the dimensions of a nest in order, that along which tiles move least innermost, and join those that continue others."""
    loops = [(bound, [values[stride] for stride in strides]) for bound, strides in zip(bounds, moving, strict=True)]
    # Extents of 1 go outermost.
    loops.sort(key=lambda loop: (loop[0] == 1, sum(map(abs, loop[1]))), reverse=True)
    *outer, (inner, strides) = loops
    kept: list[tuple[int, list[int]]] = []
    for bound, own in reversed(outer):
        if (not kept and own == [inner * stride for stride in strides]) or bound == 1:
            inner *= bound
        else:
            kept.append((bound, own))
    arranged = [*[(1, [0] * len(strides))] * (len(bounds) - 1 - len(kept)), *reversed(kept), (inner, strides)]
    for number, (bound, own) in enumerate(arranged):
        bounds[number] = bound
        values.update(zip(moving[number], own, strict=True))
