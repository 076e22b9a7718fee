"""Whether a plan that was read from disk stays within its memory: every address that its calls can form, at every point.

Nothing here depends on what kernels compute, only on the layouts that they are called with (``codegen/abi.py``): kernels go nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from fuseir.codegen import abi
from fuseir.dtypes import ELEMENT_NAMES
from fuseir.runtime.executors.native_call import Base, NativeCall
from fuseir.runtime.executors.native_plan import KernelStep, NativeBatch
from fuseir.runtime.executors.private_memory import PrivateStep
from fuseir.runtime.plan import Plan, Release, Slot, Swap

_MOST = 1 << 62


def check_plan(plan: Plan, bound: Sequence[Slot], scalars: int) -> None:
    """Raises ValueError unless the plan can run on such slots, and on so many scalars."""
    _demand(list(plan.slots[: len(bound)]) == list(bound), "slots of other stores")
    for slot in plan.slots:
        _demand(slot.dtype in ELEMENT_NAMES and _bytes(slot) < _MOST, "a slot that cannot be")
    checks = _Checks(plan.slots, scalars)
    checks.slots_exist(plan.temporaries)
    for step in plan.steps:
        if isinstance(step, NativeBatch):
            checks.batch(step)
        elif isinstance(step, PrivateStep):
            checks.slots_exist((step.slot,))
        else:
            _demand(isinstance(step, Release | Swap), "a step that is not native")
            checks.move(step)  # pyright: ignore[reportArgumentType]


class _Checks:
    def __init__(self, slots: Sequence[Slot], scalars: int) -> None:
        self.slots = slots
        self.scalars = scalars

    def slots_exist(self, numbers: Sequence[int] | frozenset[int]) -> None:
        _demand(all(0 <= number < len(self.slots) for number in numbers), "a slot that is not there")

    def move(self, step: Release | Swap) -> None:
        if isinstance(step, Release):
            self.slots_exist((step.slot,))
            return
        self.slots_exist((step.first, step.second))
        first, second = self.slots[step.first], self.slots[step.second]
        _demand((first.shape, first.dtype) == (second.shape, second.dtype), "a swap of unequal slots")

    def batch(self, batch: NativeBatch) -> None:
        points: list[int] = []
        for step in batch.steps:
            if isinstance(step, KernelStep):
                self.kernel_step(step)
                points += [call.points for call in step.calls]
            else:
                self.move(step)  # pyright: ignore[reportArgumentType]
        phases = batch.phases
        _demand(bool(points) and bool(phases), "a batch that does nothing")
        ends = [phase.first + phase.calls for phase in phases]
        _demand(phases[0].first == 0 and ends[-1] == len(points), "phases of other calls")
        _demand(all(a.first + a.calls == b.first for a, b in pairwise(phases)), "phases that do not adjoin")
        for phase, end in zip(phases, ends, strict=True):
            if phase.domain is not None:
                count = abi.point_count(phase.domain)
                _demand(all(p == count for p in points[phase.first : end]), "a phase of launches on several domains")

    def kernel_step(self, step: KernelStep) -> None:
        self.slots_exist(step.reads)
        for changed, needed in step.needs.items():
            self.slots_exist((changed, *needed))
        _demand(bool(step.calls) and step.calls[0].points == abi.point_count(step.domain), "a launch on another domain")
        for call in step.calls:
            self.call(call, step.buffers)

    def call(self, call: NativeCall, buffers: Sequence[int]) -> None:
        _demand(all(n < self.scalars and name in abi.SCALAR_FORMATS for n, name in call.scalars), "no such scalar")
        _demand(all(-_MOST < word < _MOST for word in call.layout), "a number beyond 62 bits")
        words = _Words(call.layout)
        extents = words.take(*words.take(1))
        _demand(bool(extents) and min(extents) >= 0 and prod(extents) == call.points, "a domain of other points")
        for base in call.bases:
            (rank,) = words.take(1)
            dimensions = [abi.TileDimension(*words.take(abi.NUMBERS_PER_DIMENSION)) for _ in range(rank)]
            (partial_stride,) = words.take(1)
            self.argument(base, dimensions, partial_stride, call.points, len(extents), buffers)
        _demand(not words.left, "a layout of more arguments")

    def argument(
        self,
        base: Base,
        dimensions: Sequence[abi.TileDimension],
        partial_stride: int,
        points: int,
        launch_rank: int,
        buffers: Sequence[int],
    ) -> None:
        for d in dimensions:
            _demand(-1 <= d.launch_dim < launch_rank and d.tile >= 0 and d.extent >= 0, "a tile that cannot be")
        if base.slot is None and base.buffer is None:
            return  # looked at for its shape
        if base.slot is not None:
            self.slots_exist((base.slot,))
            slot = self.slots[base.slot]
            size, item = _bytes(slot), slot.dtype.itemsize
            _demand(base.buffer is None and not partial_stride, "a slot as a buffer of points")
            _demand(base.offset % item == 0 and all(d.stride % item == 0 for d in dimensions), "an element between two")
        else:
            _demand(base.buffer is not None and base.buffer < len(buffers), "a buffer that is not there")
            size, item = buffers[base.buffer or 0], 1
        # Where a point has a buffer, its tile starts there; else it is somewhere in the view.
        lengths = [min(d.tile, d.extent) if partial_stride else d.extent for d in dimensions]
        if 0 in lengths or not points:
            return
        steps = [(n - 1) * d.stride for n, d in zip(lengths, dimensions, strict=True)] + [(points - 1) * partial_stride]
        low = base.offset + sum(min(step, 0) for step in steps)
        high = base.offset + sum(max(step, 0) for step in steps) + item
        _demand(low >= 0 and high <= size, "an address outside of its buffer")


class _Words:
    """The numbers of a layout, from the front."""

    def __init__(self, words: Sequence[int]) -> None:
        self._words = words
        self._at = 0

    @property
    def left(self) -> int:
        """How many are left."""
        return len(self._words) - self._at

    def take(self, count: int) -> Sequence[int]:
        """The next few."""
        _demand(0 <= count <= self.left, "a layout of fewer numbers")
        self._at += count
        return self._words[self._at - count : self._at]


def _bytes(slot: Slot) -> int:
    return prod(slot.shape) * slot.dtype.itemsize


def _demand(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(fault)
