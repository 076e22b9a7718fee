"""The native part of a plan: any number of launches in one call of the driver (``codegen/plan_abi.py``).

All that does not change from run to run stands in a table, made once. A run hands over the buffers and the values of scalars.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from operator import itemgetter
from typing import Any, Protocol, TypeVar

import numpy as np

from fuseir.codegen import abi
from fuseir.codegen.plan_abi import (
    NO_PLACE,
    WORD_BYTES,
    LinkRecord,
    PhaseRecord,
    Report,
    StepRecord,
    Table,
)
from fuseir.dialects.dist.partition import Shape
from fuseir.errors import OutOfMemoryError
from fuseir.runtime.arrays import Array
from fuseir.runtime.executors.native_call import Base, NativeCall
from fuseir.runtime.executors.phases import Phase, Phases, Use
from fuseir.runtime.executors.workers import WorkerPool
from fuseir.runtime.plan import FINE, Allocate, Batch, BatchOutcome, Number, Release, Slot, Step, Swap

_CHUNKS_PER_THREAD = 4
"""Into how many chunks a thread's share of the points is cut, so that a thread that was held up does not hold up all."""

_MOST_RELEASED_BYTES = 1 << 20
"""A batch ends when it has this much memory to give back: what comes next may want it."""

_MOST_BATCH_BYTES = 1 << 28
"""A batch ends when it has gone through this much memory: an interrupt is not noticed before its end."""


@dataclass(frozen=True)
class KernelStep:
    """One launch, as ``LaunchParts`` has it: calls of compiled kernels on threads."""

    pool: WorkerPool
    plan_slots: Sequence[Slot]
    calls: tuple[NativeCall, ...]
    buffers: tuple[int, ...]
    domain: Shape
    parallel: bool
    size: int
    uses: tuple[Use, ...]
    needs: dict[int, frozenset[int]]
    reads: frozenset[int]
    launch_number: int | None = None

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Runs the launch by itself. Raises OutOfMemoryError, with everything it writes undefined."""
        outcome = NativeBatch(self.pool, (self,), self.plan_slots).run(slots, scalars, np.empty)
        failure = outcome.interrupt or outcome.failures.get(0)
        if not outcome.ran:
            failure = OutOfMemoryError("no memory for the buffers of a launch")
        if failure is not None:
            raise failure


class Batched(Protocol):
    """A step that may run with others in one call."""

    @property
    def calls(self) -> Sequence[Based]:
        """What it calls."""
        ...

    @property
    def size(self) -> int:
        """The bytes that it goes through."""
        ...


class Based(Protocol):
    """A call, and where its arguments' views start."""

    @property
    def bases(self) -> Sequence[Base]:
        """One for each argument."""
        ...


_Step = TypeVar("_Step", bound=Batched)


def in_batches(
    steps: Sequence[Step | Release | Swap],
    slots: Sequence[Slot],
    kind: type[_Step],
    make: Callable[[tuple[Step | Release | Swap, ...]], Batch],
    most_bytes: int = _MOST_BATCH_BYTES,
    most_released: int = _MOST_RELEASED_BYTES,
) -> tuple[Step | Release | Swap | Batch, ...]:
    """The steps, with those of a kind in batches as long as can be, which ``make`` makes; each starts with such a step."""
    result: list[Step | Release | Swap | Batch] = []
    batch: list[Step | Release | Swap] = []
    released: set[int] = set()
    size = 0

    def close() -> None:
        nonlocal size
        if batch:
            result.append(make(tuple(batch)))
        batch.clear()
        released.clear()
        size = 0

    for step in steps:
        if isinstance(step, kind):
            # Releases are done at the batch's end.
            too_much = size > most_bytes or sum(_bytes(slots[s]) for s in released) > most_released
            if too_much or any(base.slot in released for call in step.calls for base in call.bases):
                close()
            batch.append(step)  # pyright: ignore[reportArgumentType] (it came out of these)
            size += step.size
        elif isinstance(step, Release | Swap) and batch:
            if isinstance(step, Swap) and not released.isdisjoint((step.first, step.second)):
                close()
                result.append(step)
                continue
            batch.append(step)
            if isinstance(step, Release):
                released.add(step.slot)
        else:
            close()
            result.append(step)
    close()
    return tuple(result)


def _bytes(slot: Slot) -> int:
    return prod(slot.shape) * slot.dtype.itemsize


class NativeBatch(Batch):
    """Launches that run in one call. It starts with a launch."""

    def __init__(
        self,
        pool: WorkerPool,
        steps: Sequence[Step | Release | Swap],
        plan_slots: Sequence[Slot],
        phases: Sequence[Phase] | None = None,
    ) -> None:
        """``phases`` are those of a batch of equal steps, if they are known."""
        self._pool = pool
        self.phases: tuple[Phase, ...] = tuple(_phases_of(steps) if phases is None else phases)
        writer = _TableWriter(pool.participants, self.phases)
        for number, step in enumerate(steps):
            if isinstance(step, KernelStep):
                writer.add(number, step)
            elif isinstance(step, Swap):
                writer.swap(step)
        super().__init__(steps, tuple(writer.places), writer.workspace_bytes)
        # Each slot that has to have a buffer, and what of.
        self._bound = tuple((slot, (plan_slots[slot].shape, plan_slots[slot].dtype)) for slot in self.slots)
        self._step_numbers = writer.step_numbers
        self._scalars = writer.scalars
        self.takes_scalars = bool(writer.scalars)
        self._own_slots = picker(self.slots)
        self._own_scalars = picker([number for number, _ in writer.scalars])
        places = len(self._bound) + (self.workspace_bytes > 0)
        self._pack = abi.scalars_struct([name for _, name in writer.scalars], places).pack
        # Whether more than one thread can be of use.
        self._parallel = any(phase.domain is not None for phase in self.phases)
        self._words, self._report = writer.table(places)
        self._ended = self._report + Report.ENDED
        self._address = ctypes.addressof(self._words)

    def run(
        self,
        slots: list[Array | None],
        scalars: Sequence[Number],
        allocate: Allocate,
    ) -> BatchOutcome:
        """Runs all steps. ``slots`` gets buffers for what has none, but nothing else changes in it."""
        places = list(map(id, self._own_slots(slots)))
        kept: object = None
        if _NOTHING in places or self.workspace_bytes or _DATA_OFFSET is None:
            try:
                places, kept = self._completed(places, slots, allocate)
            except Exception:
                # Not enough for all at once: it may be, launch by launch.
                return BatchOutcome(ran=False)
        values = self._own_scalars(scalars)
        try:
            block = self._pack(*places, *values)
        except (struct.error, OverflowError):
            # What wraps to the type's width, or rounds to infinity.
            named = zip((name for _, name in self._scalars), values, strict=True)
            block = struct.pack(f"={len(places)}q", *places) + abi.pack_scalars([*named])
        words, ended = self._words, self._ended
        words[ended] = 0
        interrupt: BaseException | None = None
        try:
            failed = self._pool.run(self._address, block, parallel=self._parallel)
        except BaseException as error:
            # An interrupt, before the call or after it; there is none within.
            if not words[ended]:
                raise
            interrupt, failed = error, words[self._report + Report.FAILED]
        del kept
        if not failed and interrupt is None:
            return FINE
        return BatchOutcome(True, self._failures(), interrupt)

    def _completed(
        self, places: list[int], slots: list[Array | None], allocate: Allocate
    ) -> tuple[Sequence[int], object]:
        """Where the driver finds all buffers, those included that were missing; and what must live as long as that is used.

        If one cannot be had, ``slots`` is left as it was.
        """
        new: list[int] = []
        workspace: list[Array] = []
        try:
            for place, (slot, (shape, dtype)) in enumerate(self._bound):
                if places[place] == _NOTHING:
                    buffer = slots[slot] = allocate(shape, dtype)
                    new.append(slot)
                    places[place] = id(buffer)
            if self.workspace_bytes:
                workspace.append(allocate((self.workspace_bytes,), _BYTE))
                places.append(id(workspace[0]))
        except Exception:
            for slot in new:
                slots[slot] = None
            raise
        if _DATA_OFFSET is not None:
            return places, workspace
        buffers = [*(buffer for buffer in self._own_slots(slots) if buffer is not None), *workspace]
        addresses = (ctypes.c_int64 * len(buffers))(*(buffer.ctypes.data for buffer in buffers))
        first = ctypes.addressof(addresses)
        return range(first, first + WORD_BYTES * len(buffers), WORD_BYTES), (addresses, workspace)

    def _failures(self) -> Mapping[int, BaseException]:
        failures: dict[int, BaseException] = {}
        for call, step in enumerate(self._step_numbers):
            if self._words[self._report + Report.STATUSES + call] != abi.STATUS_OK:
                failures[step] = OutOfMemoryError("no memory for a kernel's scratch tiles")
        return failures


def _phases_of(steps: Sequence[Step | Release | Swap]) -> list[Phase]:
    phases = Phases()
    bound = Bindings()
    for step in steps:
        if isinstance(step, Swap):
            bound.swap(step)
        elif isinstance(step, KernelStep):
            for k in range(len(step.calls)):
                if k == 0 and step.parallel:
                    phases.add_parallel(step.domain, [use._replace(slot=bound.of(use.slot)) for use in step.uses])
                else:
                    phases.add_serial()
    return phases.list


class Bindings:
    """Which slot's buffer each slot has, of those bound when the batch starts."""

    def __init__(self) -> None:
        self._bound_to: dict[int, int] = {}

    def of(self, slot: int) -> int:
        """The slot that brought the buffer that this one has."""
        return self._bound_to.get(slot, slot)

    def swap(self, swap: Swap) -> None:
        """From here on, each of two slots has the buffer of the other."""
        a, b = swap.first, swap.second
        self._bound_to[a], self._bound_to[b] = self.of(b), self.of(a)


class _TableWriter:
    """Collects the numbers of a table."""

    def __init__(self, participants: int, phases: Sequence[Phase]) -> None:
        self._participants = participants
        self._phases = phases
        self.places: dict[int, int] = {}
        """Slots that calls have, as they are bound when the batch starts, and the word of the run block for each."""
        self.workspace_bytes = 0
        self.scalars: list[tuple[int, str]] = []
        self.step_numbers: list[int] = []
        """Of each call, the number of the step that it belongs to."""
        self._calls: list[NativeCall] = []
        self._links: list[tuple[int | None, int]] = []
        self._bound = Bindings()

    def swap(self, swap: Swap) -> None:
        """From here on, each of two slots has the buffer of the other."""
        self._bound.swap(swap)

    def add(self, number: int, step: KernelStep) -> None:
        """The calls of a step."""
        # The buffers of points lie at the same place for every step: a step's are folded before the next one's are written, at the latest.
        starts = [0]
        for size in step.buffers:
            starts.append(-(-(starts[-1] + size) // 64) * 64)
        self.workspace_bytes = max(self.workspace_bytes, starts[-1])
        for call in step.calls:
            self._calls.append(call)
            self.step_numbers.append(number)
            self.scalars += call.scalars
            for base in call.bases:
                if base.buffer is not None:
                    self._links.append((None, starts[base.buffer] + base.offset))
                elif base.slot is None:
                    self._links.append((NO_PLACE, base.offset))
                else:
                    slot = self._bound.of(base.slot)
                    self._links.append((self.places.setdefault(slot, len(self.places)), base.offset))

    def table(self, places: int) -> tuple[ctypes.Array[ctypes.c_int64], int]:
        """The table, and where its report starts. ``places`` are words of the run block before the scalars; the workspace's is last."""
        steps, phases, links = len(self._calls), self._phases, self._links
        sizes = (
            int(Table.WORDS),
            steps * StepRecord.WORDS,
            len(phases) * PhaseRecord.WORDS,
            len(links) * LinkRecord.WORDS,
            len(links),
            Report.STATUSES + steps,
        )
        starts = [sum(sizes[:k]) for k in range(len(sizes) + 1)]
        layouts_start = starts[-1]
        size = layouts_start + sum(len(call.layout) for call in self._calls)
        array = (ctypes.c_int64 * size)()
        at = [ctypes.addressof(array) + WORD_BYTES * start for start in starts]
        words = [steps, len(phases), len(links), _DATA_OFFSET or 0, *at[1:6]]
        base, layout, scalar = at[4], at[6], WORD_BYTES * places
        layouts: list[int] = []
        for call in self._calls:
            words += (call.kernel.address, call.points, base, layout, scalar)
            base += WORD_BYTES * len(call.bases)
            layout += WORD_BYTES * len(call.layout)
            scalar += abi.SLOT_BYTES * len(call.scalars)
            layouts += call.layout
        for phase in phases:
            points = 1 if phase.domain is None else abi.point_count(phase.domain)
            words += (phase.first, phase.calls, min(points, _CHUNKS_PER_THREAD * self._participants))
        for place, offset in links:
            words += (places - 1 if place is None else place, offset)
        array[: len(words)] = words
        array[layouts_start:] = layouts
        return array, starts[5]


_BYTE = np.dtype(np.uint8)

_NOTHING = id(None)
"""What stands for a slot without a buffer where arrays are known by their addresses."""


def picker(numbers: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What takes these entries of a sequence, as a sequence."""
    if len(numbers) > 1:
        return itemgetter(*numbers)
    return itemgetter(slice(numbers[0], numbers[0] + 1) if numbers else slice(0))


def _data_offset() -> int | None:
    """Where in an array object the address of its elements is: the first field behind the object's head, as NumPy's C interface says.

    Asking each array for it takes longer than a small launch. None if this Python has no such objects.
    """
    if sys.implementation.name != "cpython":
        return None
    probes = [np.empty(3), np.zeros((2, 5), np.int8)[1:, ::2], np.empty(0)]
    offset = object.__basicsize__
    found = [ctypes.c_void_p.from_address(id(probe) + offset).value for probe in probes]
    return offset if found == [probe.ctypes.data for probe in probes] else None


_DATA_OFFSET = _data_offset()
