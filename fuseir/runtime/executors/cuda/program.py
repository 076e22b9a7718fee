"""The launches of a batch in order, with all their parameters in one array of words: what changes from run to run is put there by number.

A word is 8 bytes, and has one parameter, at its lower end. What each launch depends on is known, so that a graph can run at a time
what is independent.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from fuseir.codegen import abi
from fuseir.codegen.cuda.kernels import Buffer, Pointer, Scalar, Slot, Space, Tile
from fuseir.codegen.cuda.launches import Device, Launch
from fuseir.runtime.executors.cuda.calls import CudaCall, planned
from fuseir.runtime.executors.native_call import Base
from fuseir.runtime.executors.native_plan import picker
from fuseir.runtime.plan import Number

ALIGNMENT = 256
"""What the addresses of memory of the step's own are multiples of."""

PACK = 16
"""What the addresses of buffers leave when divided by this decides how kernels are launched: packs of elements have so many bytes."""

_WORD = 8


class StepCalls(NamedTuple):
    """A step: its calls, the sizes of its own buffers, and the places of the buffers that it reads and changes."""

    calls: Sequence[CudaCall]
    buffers: Sequence[int]
    places: Sequence[Sequence[int | None]]
    """For each argument of each call, the place of its slot's buffer; None for what has no slot."""
    reads: frozenset[int]
    changes: frozenset[int]


@dataclass(frozen=True)
class DeviceLaunch:
    """A launch: its function, its shape, and which words are its parameters; ``after`` are the numbers of launches that it waits for."""

    function: int
    grid: tuple[int, int]
    block: tuple[int, int]
    first: int
    words: int
    after: tuple[int, ...]


@dataclass
class _Writer:
    """Collects launches and words."""

    launches: list[DeviceLaunch] = field(default_factory=list[DeviceLaunch])
    words: list[int] = field(default_factory=list[int])
    pointers: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Words that are addresses, and the place of the buffer that each is in; the word itself has the offset."""
    scalars: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    """Words that are scalars: the number of the plan's, and the name of its type."""


class Program:
    """The launches of steps whose buffers leave these residues when their addresses are divided by ``PACK``.

    Places are those of the batch's buffers, then that of the memory that it works in.
    """

    def __init__(self, steps: Sequence[StepCalls], residues: Sequence[int], device: Device) -> None:
        writer, order = _Writer(), _Order()
        own, size = len(residues), 0
        for step in steps:
            planned_launches, end = _planned(step, residues, device)
            size = max(size, end)
            memory = (own,) if end else ()  # used by one step at a time
            changes = {*step.changes, *memory}
            after = order.before(step.reads, changes)
            for each in planned_launches:
                _write(writer, each, own, after)
                after = (len(writer.launches) - 1,)
            if planned_launches:
                order.done(after[0], step.reads, changes)
        self.workspace_bytes = size
        self.launches = tuple(writer.launches)
        self.scalars = writer.scalars
        self.words = np.array([word & (1 << 64) - 1 for word in writer.words], np.uint64)
        self._where = np.array([word for word, _ in writer.pointers], np.intp)
        self._which = np.array([place for _, place in writer.pointers], np.intp)
        self._offsets = self.words[self._where]
        self._scalar_words = np.array([word for word, _, _ in writer.scalars], np.intp)
        self._own_scalars = picker([number for _, number, _ in writer.scalars])
        self._pack = abi.scalars_struct([name for _, _, name in writer.scalars]).pack
        base = self.words.ctypes.data
        self._addresses = (ctypes.c_void_p * len(self.words))(*(base + _WORD * k for k in range(len(self.words))))
        self._parameters = ctypes.addressof(self._addresses)

    def parameters(self, launch: DeviceLaunch) -> int:
        """The address of an array with the address of each parameter of a launch."""
        return self._parameters + _WORD * launch.first

    def fill(self, addresses: Sequence[int], scalars: Sequence[Number]) -> None:
        """Puts addresses of buffers, by place, and scalars, by number, into the words."""
        words = self.words
        if len(self._where):
            words[self._where] = self._offsets + np.array(addresses, np.uint64)[self._which]
        if self.scalars:
            values = self._own_scalars(scalars)
            try:
                block = self._pack(*values)
            except (struct.error, OverflowError):
                # What wraps to the type's width, or rounds to infinity.
                block = abi.pack_scalars(
                    [(name, value) for (_, _, name), value in zip(self.scalars, values, strict=True)]
                )
            words[self._scalar_words] = np.frombuffer(block, np.uint64)


class _Planned(NamedTuple):
    """A launch of a step: its arguments' tiles (place, bytes from there), and where its scratch tiles, buffers and slots start."""

    call: CudaCall
    launch: Launch
    tiles: Sequence[tuple[int | None, int]]
    scratch: Sequence[int]
    buffers: Sequence[int]
    slots: Sequence[int]


def _planned(step: StepCalls, residues: Sequence[int], device: Device) -> tuple[list[_Planned], int]:
    """The launches of a step, and the bytes of memory of its own that it takes."""
    own = len(residues)
    starts, start = _laid_out(step.buffers, 0)
    found: list[_Planned] = []
    most = start
    for call, places in zip(step.calls, step.places, strict=True):
        at = [_place(base, place, starts, own) for base, place in zip(call.bases, places, strict=True)]
        left = [(offset + (0 if place is None or place == own else residues[place])) % PACK for place, offset in at]
        for tiles in call.points():
            plan = planned(call, tiles, left, device)
            # Launches run one after another: the memory of one point is that of the next.
            scratch, end = _laid_out(plan.scratch, start)
            buffers, end = _laid_out(plan.buffers, end)
            slots, end = _laid_out(plan.slots, end)
            most = max(most, end)
            moved = [(place, offset + tile.address) for (place, offset), tile in zip(at, tiles, strict=True)]
            found += [_Planned(call, launch, moved, scratch, buffers, slots) for launch in plan.launches]
    return found, most


def _laid_out(sizes: Iterable[int], start: int) -> tuple[list[int], int]:
    """Where each of these sizes starts, one behind the other, and where the last ends."""
    starts: list[int] = []
    for size in sizes:
        starts.append(start)
        start += -(-size // ALIGNMENT) * ALIGNMENT
    return starts, start


def _place(base: Base, place: int | None, starts: Sequence[int], own: int) -> tuple[int | None, int]:
    """The place of the buffer that a base is in, and its offset there; None for an argument that has no memory."""
    if base.buffer is not None:
        return own, starts[base.buffer] + base.offset
    return place, base.offset


def _write(writer: _Writer, planned: _Planned, own: int, after: tuple[int, ...]) -> None:
    first, launch = len(writer.words), planned.launch
    for argument in launch.arguments:
        place: int | None = own
        word = 0
        match argument:
            case Pointer(Tile(Space.ARGUMENT, number)):
                place, word = planned.tiles[number]
            case Pointer(Tile(_, number)):
                word = planned.scratch[number]
            case Pointer(Buffer(number)):
                word = planned.buffers[number]
            case Pointer(Slot(number)):
                word = planned.slots[number]
            case Scalar(number):
                place = None
                writer.scalars.append((len(writer.words), *planned.call.scalars[number]))
            case _:
                place, word = None, _number(argument)
        if place is not None:
            writer.pointers.append((len(writer.words), place))
        writer.words.append(word)
    function = planned.call.kernel.functions[launch.symbol]
    words = len(writer.words) - first
    writer.launches.append(DeviceLaunch(function, launch.grid, launch.block, first, words, after))


def _number(argument: Any) -> int:
    assert isinstance(argument, int)
    return argument


class _Order:
    """Which launches a step has to wait for: those that changed what it uses, and those that used what it changes."""

    def __init__(self) -> None:
        self._changed: dict[int, int] = {}
        self._read: dict[int, list[int]] = {}

    def before(self, reads: Iterable[int], changes: Iterable[int]) -> tuple[int, ...]:
        """The launches that the first launch of a step waits for, which uses the buffers at these places."""
        changed = [self._changed[place] for place in (*reads, *changes) if place in self._changed]
        read = [number for place in changes for number in self._read.get(place, ())]
        return tuple(sorted({*changed, *read}))

    def done(self, last: int, reads: Iterable[int], changes: Iterable[int]) -> None:
        """Notes a step, by its last launch."""
        for place in changes:
            self._changed[place], self._read[place] = last, []
        for place in reads:
            self._read.setdefault(place, []).append(last)
