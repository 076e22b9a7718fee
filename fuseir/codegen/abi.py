"""How a compiled kernel is called: the one description of the binary interface of ``docs/kernels.md``, section 4.

Code generators take the positions of numbers in the layout from here, executors build layouts and scalar slots here and
describe the function to ctypes. Everything is plain integers and bytes: no IR, no NumPy, no LLVM.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from fuseir.errors import DTypeError, UsageError

NUMBERS_PER_DIMENSION = 6
"""Layout numbers of one dimension of one argument: the fields of :class:`TileDimension`, in their order."""

SLOT_BYTES = 8
"""Size of a scalar's slot, and of every number of the layout."""

STATUS_OK = 0
STATUS_OUT_OF_MEMORY = 1
"""A scratch tile could not be allocated; what the kernel was to write is undefined."""

SCALAR_FORMATS = {"i1": "?", "i8": "b", "i16": "h", "i32": "i", "i64": "q", "f32": "f", "f64": "d"}
"""The :mod:`struct` format of each element type of kernels; integers are signless and written as two's complement."""


@dataclass(frozen=True, slots=True)
class TileDimension:
    """One dimension of an argument: which interval of the view each point gets.

    With ``c`` the point's coordinate ``launch_dim`` (0 if that is negative), the interval is ``tile`` elements from
    ``c * multiplier + addend``, clipped to ``[0, extent)``. ``stride`` is the distance of neighbours in bytes.
    """

    launch_dim: int
    multiplier: int
    addend: int
    tile: int
    extent: int
    stride: int

    def interval(self, point: Sequence[int]) -> tuple[int, int]:
        """Start and extent of the tile at ``point``; an empty tile has extent 0."""
        start = (0 if self.launch_dim < 0 else point[self.launch_dim]) * self.multiplier + self.addend
        low, high = (min(max(bound, 0), self.extent) for bound in (start, start + self.tile))
        return low, max(high - low, 0)


def whole_dimension(extent: int, stride: int) -> TileDimension:
    """A dimension that every point sees in full."""
    return TileDimension(launch_dim=-1, multiplier=0, addend=0, tile=extent, extent=extent, stride=stride)


@dataclass(frozen=True, slots=True)
class ArgumentLayout:
    """One argument: its dimensions, and for one that has a buffer for each point the bytes from one point's buffer to the next's.

    Those are ``reduce`` arguments, whose buffers are partials, and arguments that all points write (``#dist.replicated``).

    With a non-zero ``partial_stride`` the strides of the dimensions are those of one buffer, and a tile is not
    offset within it.
    """

    dimensions: tuple[TileDimension, ...]
    partial_stride: int = 0


def argument_words(rank: int) -> int:
    """How many layout numbers an argument of ``rank`` dimensions takes: its rank, its dimensions, the partial stride."""
    return NUMBERS_PER_DIMENSION * rank + 2


def domain_extents(domain: Sequence[int]) -> tuple[int, ...]:
    """A launch domain as the layout writes it: rank 0 is rank 1 with one point."""
    return tuple(domain) or (1,)


def point_count(domain: Sequence[int]) -> int:
    """How many points a launch domain has."""
    return prod(domain)


def point_coordinates(index: int, domain: Sequence[int]) -> tuple[int, ...]:
    """The coordinates of point ``index`` of the row-major list of a domain's points."""
    coordinates: list[int] = []
    for extent in reversed(domain_extents(domain)):
        index, coordinate = divmod(index, extent)
        coordinates.append(coordinate)
    return tuple(reversed(coordinates))


def encode_layout(domain: Sequence[int], arguments: Sequence[ArgumentLayout]) -> list[int]:
    """The numbers of ``layout``, in order: the domain, then each argument. All fit 64 bits if ``dist`` verified them."""
    extents = domain_extents(domain)
    words = [len(extents), *extents]
    for argument in arguments:
        words.append(len(argument.dimensions))
        for dimension in argument.dimensions:
            if dimension.launch_dim >= len(extents):
                raise UsageError(f"launch dimension {dimension.launch_dim} of a domain of rank {len(extents)}")
            words += (
                dimension.launch_dim,
                dimension.multiplier,
                dimension.addend,
                dimension.tile,
                dimension.extent,
                dimension.stride,
            )
        words.append(argument.partial_stride)
    return words


def pack_scalar(element_type: str, value: bool | int | float) -> bytes:
    """One scalar's slot. Integers may be given signed or unsigned; they wrap to the type's width."""
    code = SCALAR_FORMATS.get(element_type)
    if code is None:
        raise DTypeError(f"no kernel scalar has type {element_type}")
    if code in "fd":
        try:
            data = struct.pack("<" + code, value)
        except OverflowError:  # an f64 beyond f32: the conversion rounds to infinity, struct refuses
            data = struct.pack("<" + code, float("inf") if value > 0 else float("-inf"))
    elif code == "?":
        data = b"\1" if value else b"\0"
    else:
        width = struct.calcsize(code)
        data = (int(value) & ((1 << (8 * width)) - 1)).to_bytes(width, "little")
    return data.ljust(SLOT_BYTES, b"\0")


def pack_scalars(scalars: Sequence[tuple[str, bool | int | float]]) -> bytes:
    """The ``scalars`` block for ``(element type, value)`` pairs, in parameter order."""
    return b"".join(pack_scalar(element_type, value) for element_type, value in scalars)


def scalars_struct(element_types: Sequence[str], places: int = 0) -> struct.Struct:
    """What packs scalars of these types, behind so many addresses. It raises for values that :func:`pack_scalars` wraps or rounds."""
    codes = (SCALAR_FORMATS[name] for name in element_types)
    return struct.Struct(f"={places}q" + "".join(f"{code}{SLOT_BYTES - struct.calcsize(code)}x" for code in codes))


def task_function_type() -> Any:
    """The ctypes prototype of a task: ``int32 task(point_begin, point_end, bases, layout, scalars)``.

    Calling through it releases the GIL. The result is ``STATUS_OK`` or ``STATUS_OUT_OF_MEMORY``.
    """
    return ctypes.CFUNCTYPE(
        ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
    )


def words_array(words: Sequence[int]) -> ctypes.Array[ctypes.c_int64]:
    """A C array of 64-bit numbers, for ``layout`` or ``bases``. The caller keeps it alive during the call."""
    return (ctypes.c_int64 * len(words))(*words)


def bytes_array(data: bytes) -> ctypes.Array[ctypes.c_char]:
    """A C array of bytes, for ``scalars``. The caller keeps it alive during the call."""
    return ctypes.create_string_buffer(data, max(len(data), 1))
