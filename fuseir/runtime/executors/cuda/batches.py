"""Launches of a plan that run on a GPU, one after another at first, and as one CUDA graph when they come again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from fuseir.errors import OutOfMemoryError
from fuseir.runtime.arrays import Array
from fuseir.runtime.device_arrays import DeviceArray, as_contents
from fuseir.runtime.executors.cuda.calls import CudaCall
from fuseir.runtime.executors.cuda.device import STICKY, Device
from fuseir.runtime.executors.cuda.driver import CudaError
from fuseir.runtime.executors.cuda.graphs import ProgramGraph
from fuseir.runtime.executors.cuda.program import PACK, Program, StepCalls
from fuseir.runtime.executors.native_plan import Bindings, picker
from fuseir.runtime.plan import FINE, Allocate, Batch, BatchOutcome, Number, Release, Slot, Step, Swap

_ADDRESS = attrgetter("address")


@dataclass(frozen=True)
class CudaStep:
    """One launch, on a GPU; ``calls``, ``buffers``, ``size``, ``needs`` and ``reads`` as ``LaunchParts`` has them."""

    device: Device
    plan_slots: Sequence[Slot]
    calls: tuple[CudaCall, ...]
    buffers: tuple[int, ...]
    size: int
    needs: Mapping[int, frozenset[int]]
    reads: frozenset[int]
    launch_number: int | None = None

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Runs the launch by itself. Raises OutOfMemoryError and DeviceLostError, with everything it writes undefined."""
        CudaBatch(self.device, (self,), self.plan_slots).run_all(slots, scalars)


class _Known:
    """A program, and its graph as soon as it has one: what runs once is not worth it, nor is a single launch."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._graph: ProgramGraph | None = None
        self._wanted = len(program.launches) > 1
        self._runs = 0

    def run(self, device: Device, addresses: tuple[int, ...], scalars: Sequence[Number]) -> None:
        """Launches all. Raises CudaError."""
        program = self.program
        if self._wanted and self._runs:
            try:
                self._launch_graph(device, addresses, scalars)
                return
            except CudaError as error:
                if error.code in STICKY:
                    raise
                self._wanted, self._graph = False, None  # nothing was launched, and kernels do without
        self._runs += 1
        program.fill(addresses, scalars)
        for launch in program.launches:
            parameters = program.parameters(launch)
            device.driver.launch(launch.function, launch.grid, launch.block, parameters, device.stream)

    def _launch_graph(self, device: Device, addresses: tuple[int, ...], scalars: Sequence[Number]) -> None:
        program, graph = self.program, self._graph
        if graph is not None and not program.scalars and graph.launch_known(addresses, device.stream):
            return
        program.fill(addresses, scalars)
        if graph is None:
            graph = self._graph = ProgramGraph(device.driver, program)
        graph.launch(addresses, device.stream)


class CudaBatch(Batch):
    """Launches that run on a GPU, in the order of their dependences."""

    def __init__(self, device: Device, steps: Sequence[Step | Release | Swap], plan_slots: Sequence[Slot]) -> None:
        self._device = device
        places: dict[int, int] = {}
        bound = Bindings()
        self._steps: list[StepCalls] = []
        for step in steps:
            if isinstance(step, Swap):
                bound.swap(step)
            elif isinstance(step, CudaStep):
                of_bases = [
                    [
                        None if base.slot is None else places.setdefault(bound.of(base.slot), len(places))
                        for base in call.bases
                    ]
                    for call in step.calls
                ]
                used = {slot: places[bound.of(slot)] for slot in {*step.reads, *step.needs} if bound.of(slot) in places}
                reads = frozenset(used[slot] for slot in step.reads if slot in used)
                changes = frozenset(used[slot] for slot in step.needs if slot in used)
                self._steps.append(StepCalls(step.calls, step.buffers, of_bases, reads, changes))
        self._changed = picker(sorted({place for step in self._steps for place in step.changes}))
        # By what the addresses of the buffers leave when divided by PACK; nearly always that is 0 for all of them.
        self._programs: dict[tuple[int, ...], _Known] = {}
        first = self._program((0,) * len(places))
        super().__init__(steps, tuple(places), first.program.workspace_bytes)
        self.takes_scalars = bool(first.program.scalars)
        self._own_slots = picker(self.slots)
        # Where the buffers were in the last run, and the program for that.
        self._addresses: tuple[int, ...] = ()
        self._latest = first
        self._bound = tuple((plan_slots[slot].shape, plan_slots[slot].dtype) for slot in self.slots)

    def _program(self, residues: tuple[int, ...]) -> _Known:
        found = self._programs.get(residues)
        if found is None:
            found = self._programs[residues] = _Known(Program(self._steps, residues, self._device.processor))
        return found

    def run(self, slots: list[Array | None], scalars: Sequence[Number], allocate: Allocate) -> BatchOutcome:
        """Runs all steps; see ``Batch``. Memory is the device's."""
        try:
            self.run_all(slots, scalars)
        except OutOfMemoryError:
            # Not enough for all at once: it may be, launch by launch.
            return BatchOutcome(ran=False)
        return FINE

    def run_all(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Moves to the device what is not there, and launches. Raises OutOfMemoryError before anything is launched, and DeviceLostError."""
        device = self._device
        device.enter()
        arrays: Sequence[Any] = self._own_slots(slots)
        try:
            addresses = tuple(map(_ADDRESS, arrays))
        except AttributeError:  # of what has no buffer, or one of the host's
            arrays = self._on_device(slots)
            addresses = tuple(map(_ADDRESS, arrays))
        if addresses == self._addresses:
            known = self._latest
        else:
            known = self._latest = self._program(tuple([address % PACK for address in addresses]))
            self._addresses = addresses
        kept: object = None
        if known.program.workspace_bytes:
            address, kept = device.memory(known.program.workspace_bytes)
            addresses = (*addresses, address)
        try:
            known.run(device, addresses, scalars)
        except CudaError as error:
            device.fail(error)
        finally:
            for array in self._changed(arrays):
                array.twin = None
            del kept

    def _on_device(self, slots: list[Array | None]) -> list[DeviceArray]:
        """The buffers, on the device; ``slots`` gets those that are new. What had none has none again if memory runs out."""
        device = self._device
        found: list[DeviceArray] = []
        new: list[int] = []
        try:
            for slot, (shape, dtype) in zip(self.slots, self._bound, strict=True):
                contents: Any = slots[slot]
                if contents is None:
                    new.append(slot)
                    contents = device.allocate(shape, dtype)
                elif not isinstance(contents, DeviceArray):
                    contents = device.moved(contents)
                slots[slot] = as_contents(contents)
                found.append(contents)
        except BaseException:
            for slot in new:
                slots[slot] = None
            raise
        return found
