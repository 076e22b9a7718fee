"""The reference executor: runs any ``dist`` module task by task and point by point with NumPy.

Slow and obvious on purpose: it is the definition that the passes and the other executors are tested against. It uses none of the passes; a
fused task is its members, one after the other. ``ReferenceExecutor`` runs a module at once, ``ReferencePlanner`` makes plans for sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, ScalarOp, StoreOp, SwapOp
from fuseir.errors import LimitError, UsageError
from fuseir.passes.remarks import Remarks
from fuseir.runtime.executors.binding import slots_needed, slots_read
from fuseir.runtime.executors.reference_kernel import garbage
from fuseir.runtime.executors.reference_launch import OpaqueTask, run_launch
from fuseir.runtime.plan import Plan, Release, Slot, Step, Swap
from fuseir.runtime.program_stores import (
    Number,
    dtype_of_store,
    fitted_array,
    launches_and_swaps,
    scalar_values,
    shape_of,
    wrapped_scalar,
)

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class ReferenceExecutor:
    """Runs verified modules. Has no state: every run is on its own."""

    def run(
        self,
        module: ModuleOp,
        stores: Mapping[str, Array],
        scalars: Mapping[str, Number] | None = None,
        opaque_tasks: Mapping[str, OpaqueTask] | None = None,
    ) -> dict[str, Array]:
        """The contents of every named store after the program, as new arrays.

        ``stores``: contents at the start, of the declared shape and dtype; a store that is left out starts undefined (``garbage``).
        ``scalars``: values for named scalars, which otherwise have their defaults.
        ``opaque_tasks``: for each task without a body a callable, which gets one array for each argument, the point's piece, and then
        the scalars. It changes the pieces it may write in place: a ``write`` piece comes undefined, a ``reduce`` piece filled with the
        operator's identity. A ``no_access`` piece is undefined and, like a ``read`` piece, read-only.

        Raises UsageError for names that the program does not have, ShapeError and DTypeError for values that do not fit,
        UnsupportedError for an opaque task without a callable, LimitError for stores beyond the machine's memory.
        """
        memory: dict[SSAValue, Array] = {}
        named: dict[str, SSAValue] = {}
        for op in module.ops:
            if isinstance(op, StoreOp):
                name = None if op.store_name is None else op.store_name.data
                array = _allocate(op, name)
                memory[op.result] = array
                if name is not None:
                    named[name] = op.result
                    if name in stores:
                        array[...] = fitted_array(name, np.asarray(stores[name]), op)
        if unknown := sorted(stores.keys() - named.keys()):
            raise UsageError(f"the program has no store '{unknown[0]}'")
        values = scalar_values(module, scalars or {})
        for op in launches_and_swaps(module):
            if isinstance(op, SwapOp):
                memory[op.first], memory[op.second] = memory[op.second], memory[op.first]
            else:
                run_launch(op, memory, [values[scalar] for scalar in op.scalars], opaque_tasks or {})
        return {name: memory[store] for name, store in named.items()}


def _allocate(op: StoreOp, name: str | None) -> Array:
    shape, dtype = shape_of(op.result), dtype_of_store(op.result)
    try:
        return garbage(shape, dtype)
    except (MemoryError, ValueError) as error:
        what = "an unnamed store" if name is None else f"store '{name}'"
        raise LimitError(f"{what} of shape {list(shape)} and type {dtype} does not fit in memory") from error


@dataclass(frozen=True)
class ReferencePlanner:
    """An ``Executor`` that compiles nothing and fuses nothing: one step a launch, as captured."""

    @property
    def kernels_compiled(self) -> int:
        """None, ever."""
        return 0

    @property
    def kernels_loaded(self) -> int:
        """None, ever."""
        return 0

    def prepare(
        self,
        module: ModuleOp,
        opaque_tasks: Mapping[str, Callable[..., None]],
        *,
        fuse: bool,
        first_task: bool = False,
        dump: Callable[[str, ModuleOp], None] | None = None,
        remarks: Remarks | None = None,
        digests: Mapping[str, str] | None = None,
    ) -> Plan:
        """The plan of a module; see ``Executor``. The steps refer to the module, which must not change afterwards."""
        stores = [op.result for op in module.ops if isinstance(op, StoreOp)]
        slots: dict[SSAValue, int] = {store: number for number, store in enumerate(stores)}
        scalars = [op for op in module.ops if isinstance(op, ScalarOp)]
        steps: list[Step | Release | Swap] = []
        tasks = 0
        for op in module.ops:
            if isinstance(op, ReleaseOp):
                steps.append(Release(slots[op.store]))
            elif isinstance(op, SwapOp):
                steps.append(Swap(slots[op.first], slots[op.second]))
            elif isinstance(op, LaunchOp | FusedTaskOp):
                for launch in [op] if isinstance(op, LaunchOp) else op.members:
                    steps.append(_step(launch, slots, scalars, opaque_tasks, tasks))
                    tasks += 1
        plan_slots = tuple(_slot(op) for op in module.ops if isinstance(op, StoreOp))
        return Plan(plan_slots, tuple(steps), tasks, tasks, ())


def _slot(op: StoreOp) -> Slot:
    name = None if op.store_name is None else op.store_name.data
    return Slot(name, shape_of(op.result), dtype_of_store(op.result))


@dataclass(frozen=True)
class ReferenceStep:
    """One launch, and where its stores and scalars are in the plan."""

    launch: LaunchOp
    slots: Mapping[SSAValue, int]
    scalars: tuple[tuple[int, ScalarOp], ...]
    opaque_tasks: Mapping[str, Callable[..., None]]
    needs: dict[int, frozenset[int]]
    reads: frozenset[int]
    launch_number: int | None

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Runs the launch. Whatever an opaque task raises goes through."""
        memory: dict[SSAValue, Array] = {}
        for access in self.launch.accesses:
            buffer = slots[self.slots[access.root]]
            # A store that no step writes has no buffer; it can only be looked at for its shape.
            memory[access.root] = garbage(access.root_shape, dtype_of_store(access.root)) if buffer is None else buffer
        if self.launch.opaque:
            # Kernels are signless; callables get what the application gave.
            values: list[Number] = [scalars[number] for number, _ in self.scalars]
        else:
            values = [wrapped_scalar(scalars[number], op) for number, op in self.scalars]
        run_launch(self.launch, memory, values, self.opaque_tasks)


def _step(
    launch: LaunchOp,
    slots: Mapping[SSAValue, int],
    scalars: Sequence[ScalarOp],
    opaque_tasks: Mapping[str, Callable[..., None]],
    number: int,
) -> ReferenceStep:
    accesses = launch.accesses
    needs, reads = slots_needed(accesses, slots, launch.extents), slots_read(accesses, slots)
    numbers: dict[SSAValue, int] = {op.result: number for number, op in enumerate(scalars)}
    used = tuple((numbers[scalar], scalars[numbers[scalar]]) for scalar in launch.scalars)
    return ReferenceStep(launch, slots, used, opaque_tasks, needs, reads, number)
