"""Steps that run Python code in plans of a GPU: on NumPy's arrays, or on those of the device's library, CuPy.

Contents go to where the code is, and no further: what it only reads stays where it was, and is copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fuseir.runtime.arrays import Array, view_strides
from fuseir.runtime.device_arrays import DeviceArray, as_contents, contents_on_host
from fuseir.runtime.executors.cuda.device import Device
from fuseir.runtime.executors.opaque import OpaqueStep
from fuseir.runtime.plan import Batch, Number, Plan, Release, Slot, Step, Swap


@dataclass(frozen=True)
class HostStep:
    """A step on NumPy's arrays, in a plan whose contents may be on a device."""

    step: Step

    @property
    def needs(self) -> Mapping[int, frozenset[int]]:
        """See ``Step``."""
        return self.step.needs

    @property
    def reads(self) -> frozenset[int]:
        """See ``Step``."""
        return self.step.reads

    @property
    def launch_number(self) -> int | None:
        """See ``Step``."""
        return self.step.launch_number

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Runs the step on copies of what is on the device; what it changes stays on the host. Whatever it raises goes through."""
        working = [None if each is None else contents_on_host(each) for each in self._used(slots)]
        self.step.run(working, scalars)
        for slot in self.step.needs:
            slots[slot] = working[slot]

    def _used(self, slots: Sequence[Array | None]) -> list[Array | None]:
        """The contents of what the step looks at or changes; of what it replaces, only the shape."""
        used: list[Array | None] = [None] * len(slots)
        for slot in {*self.step.reads, *self.step.needs, *(s for each in self.step.needs.values() for s in each)}:
            contents: Any = slots[slot]
            replaced = slot in self.step.needs and slot not in self.step.reads and slot not in self.step.needs[slot]
            if replaced and isinstance(contents, DeviceArray):
                contents = np.empty(contents.shape, contents.dtype)
            used[slot] = contents
        return used


@dataclass(frozen=True)
class DeviceOpaqueStep:
    """An opaque launch whose function takes arrays of the device's library. Its launches go to the device's stream."""

    device: Device
    step: OpaqueStep
    plan_slots: Sequence[Slot]

    @property
    def needs(self) -> Mapping[int, frozenset[int]]:
        """See ``Step``."""
        return self.step.needs

    @property
    def reads(self) -> frozenset[int]:
        """See ``Step``."""
        return self.step.reads

    @property
    def launch_number(self) -> int | None:
        """See ``Step``."""
        return self.step.launch_number

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Calls the function at every point, in row-major order. Whatever it raises goes through."""
        step, device = self.step, self.device
        device.enter()
        for slot in {*step.reads, *step.needs}:
            contents: Any = slots[slot]
            if not isinstance(contents, DeviceArray):
                replaced = slot in step.needs and slot not in step.reads and slot not in step.needs[slot]
                where = self.plan_slots[slot]
                if contents is None or replaced:
                    slots[slot] = as_contents(device.allocate(where.shape, where.dtype))
                else:
                    slots[slot] = as_contents(device.moved(contents))
        values = [scalars[number] for number in step.scalars]
        try:
            with device.library_stream():
                for point in np.ndindex(*step.domain):
                    pieces = [self._piece(number, slots, point) for number in range(len(step.arguments))]
                    step.function(*pieces, *values)
        finally:
            for slot in step.needs:
                contents = slots[slot]
                contents.note_changed()

    def _piece(self, number: int, slots: Sequence[Array | None], point: tuple[int, ...]) -> Any:
        argument = self.step.arguments[number]
        contents: Any = slots[argument.slot]
        contents.note_shown()
        access = argument.access
        offset, strides = view_strides(access.view, contents.shape, contents.dtype.itemsize)
        whole = self.device.library_array(contents, offset, access.view.shape, strides)
        box = access.partition.partition.box(access.shape, point)
        piece = whole[(*(slice(r.low, max(r.high, r.low)) for r in box), ...)]
        return piece.copy() if argument.copied else piece


@dataclass(frozen=True)
class PrivateDeviceStep:
    """Gives a slot memory of its own where others may see the one that it has, as ``PrivateStep`` does on the host."""

    device: Device
    slot: int
    needs: Mapping[int, frozenset[int]] = field(default_factory=dict[int, frozenset[int]])
    reads: frozenset[int] = frozenset()
    launch_number: int | None = None

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Copies, if need be. Raises OutOfMemoryError, with the slot as it was."""
        contents: Any = slots[self.slot]
        if isinstance(contents, DeviceArray):
            if contents.shown:
                slots[self.slot] = as_contents(self.device.copied(contents))
        elif contents is not None:
            slots[self.slot] = as_contents(self.device.moved(contents))


def plan_on_host(plan: Plan) -> Plan:
    """A plan of NumPy's arrays, for a session whose contents may be on a device."""
    return replace(
        plan, steps=tuple(step if isinstance(step, Release | Swap | Batch) else HostStep(step) for step in plan.steps)
    )
