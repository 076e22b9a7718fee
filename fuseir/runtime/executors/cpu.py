"""The CPU executor: kernels through LLVM, points on threads.

``prepare`` sends a module through the pipeline and turns each launch that is left into a step. A step calls one native function
for a range of points at a time; ctypes releases the GIL, so the ranges run side by side.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from xdsl.dialects.builtin import IntegerType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from fuseir.cache import DiskCache
from fuseir.codegen import abi
from fuseir.codegen.llvm.compile import CompiledKernel, compile_kernels, kernel_text
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, ScalarOp, StoreOp, SwapOp
from fuseir.dialects.dist.partition import Interval
from fuseir.dialects.kernel import is_kernel, sources_of_results
from fuseir.errors import OutOfMemoryError, UnsupportedError, UsageError
from fuseir.options import available_cpus
from fuseir.passes.pipelines import CPU_PIPELINE, FIRST_TASK_PIPELINE, UNFUSED_PIPELINE, run_pipeline
from fuseir.passes.remarks import Remarks
from fuseir.runtime.arrays import Array, view_strides
from fuseir.runtime.executors.binding import slots_needed, slots_read
from fuseir.runtime.executors.copies import Copies
from fuseir.runtime.executors.opaque import OpaqueStep
from fuseir.runtime.executors.partials import Partials
from fuseir.runtime.plan import Number, Plan, Release, Slot, Step, Swap
from fuseir.runtime.program_stores import dtype_of_store, fitted_array, launches, scalar_values, shape_of

_INLINE_BYTES = 1 << 17
"""Below this many bytes of arguments, handing points to threads costs more than it saves."""

_MOST_COPIED_BYTES = 1 << 26
"""Where copies of what all points write would need more memory than this, points run one after another instead."""


class NativeKernel:
    """A compiled kernel as a ctypes function. Calls release the GIL; the code stays mapped as long as this lives."""

    __slots__ = ("compiled", "function")

    def __init__(self, compiled: CompiledKernel) -> None:
        self.compiled = compiled
        self.function: Any = abi.task_function_type()(compiled.address)


class CpuExecutor:
    """Compiles and runs plans on this machine's processors."""

    def __init__(self, threads: int, cache: DiskCache | None = None) -> None:
        self.threads = threads
        self.cache = cache
        self._kernels: dict[str, NativeKernel] = {}
        self._pool: tuple[int, ThreadPoolExecutor] | None = None

    @property
    def kernels_compiled(self) -> int:
        """Distinct kernels compiled so far."""
        return sum(not kernel.compiled.from_cache for kernel in self._kernels.values())

    @property
    def kernels_loaded(self) -> int:
        """Distinct kernels found in the disk cache so far."""
        return sum(kernel.compiled.from_cache for kernel in self._kernels.values())

    def pool(self) -> ThreadPoolExecutor:
        """Worker threads; the calling thread is one more. A forked child has none of its parent's, and gets its own."""
        if self._pool is None or self._pool[0] != os.getpid():
            self._pool = os.getpid(), ThreadPoolExecutor(max(1, self.threads - 1), thread_name_prefix="fuseir")
        return self._pool[1]

    def prepare(
        self,
        module: ModuleOp,
        opaque_tasks: Mapping[str, Callable[..., None]],
        *,
        fuse: bool,
        first_task: bool = False,
        dump: Callable[[str, ModuleOp], None] | None = None,
        remarks: Remarks | None = None,
    ) -> Plan:
        """The plan of a module; see ``Executor``. Identical kernels are compiled once, whatever stores they serve."""
        slots = [op.result for op in module.ops if isinstance(op, StoreOp)]
        scalars = [op.result for op in module.ops if isinstance(op, ScalarOp)]
        plan_slots = [_slot(op) for op in module.ops if isinstance(op, StoreOp)]
        before = _touched(module)
        numbers = {launch: number for number, launch in enumerate(launches(module))}
        dependences: dict[str, Sequence[Set[int]]] = {}

        def after_stage(stage: str, staged: ModuleOp) -> None:
            if stage in ("compose-kernels", "fuse-kernels"):
                # Of the last kernels that still work on tensors: they have the arguments that the launches end up with.
                for op in staged.ops:
                    if isinstance(op, FuncOp) and is_kernel(op):
                        dependences[op.sym_name.data] = [
                            {source for source in sources if isinstance(source, int)}
                            for sources in sources_of_results(op)
                        ]
            if dump is not None:
                dump(stage, staged)

        fused = FIRST_TASK_PIPELINE if first_task else CPU_PIPELINE
        run_pipeline(module, fused if fuse else UNFUSED_PIPELINE, dump=after_stage, remarks=remarks)
        made = [op for op in module.ops if isinstance(op, StoreOp) and op.result not in {*slots}]
        slots += [op.result for op in made]
        plan_slots += map(_slot, made)
        planner = _Planner(
            self,
            {store: number for number, store in enumerate(slots)},
            {scalar: number for number, scalar in enumerate(scalars)},
            dependences,
        )
        planner.kernels = self._compiled(module)
        steps: list[Step | Release | Swap] = []
        for op in module.ops:
            if isinstance(op, LaunchOp):
                steps.append(planner.step(op, opaque_tasks, numbers.get(op)))
            elif isinstance(op, SwapOp):
                steps.append(Swap(planner.slots[op.first], planner.slots[op.second]))
            elif isinstance(op, ReleaseOp) and plan_slots[planner.slots[op.store]].name is None:
                # What has a name was given from outside, or is asked for at the end.
                steps.append(Release(planner.slots[op.store]))
        removed = before - _touched(module)
        return Plan(
            tuple(plan_slots),
            tuple(steps),
            len(numbers),
            sum(not isinstance(step, Release | Swap) for step in steps),
            tuple(sorted(planner.slots[root] for root in removed)),
        )

    def _compiled(self, module: ModuleOp) -> dict[str, NativeKernel]:
        """The compiled form of each launched kernel of a lowered module, by symbol.

        Equal kernels are compiled once, whatever their names and stores; the new ones of a module are compiled together.
        """
        texts: dict[str, str] = {}
        missing: dict[str, FuncOp] = {}
        for launch in launches(module):
            callee = launch.callee()
            if callee is not None and not callee.is_declaration and launch.task_name not in texts:
                text = texts[launch.task_name] = kernel_text(callee)
                if text not in self._kernels:
                    missing[text] = callee
        if missing:
            compiled = compile_kernels(list(missing.values()), self.cache, list(missing))
            self._kernels.update({text: NativeKernel(kernel) for text, kernel in zip(missing, compiled, strict=True)})
        return {symbol: self._kernels[text] for symbol, text in texts.items()}

    def run_points(self, kernel: NativeKernel, points: int, size: int, arguments: tuple[Any, Any, Any]) -> None:
        """Runs a kernel at all points, on threads where there is enough to do.

        ``arguments`` are the addresses, the layout and the scalars. Raises OutOfMemoryError. Returns or raises only when no thread
        runs the kernel any more, interrupts included: what it writes to may be freed then.
        """
        ranges = min(self.threads, points) if size >= _INLINE_BYTES else 1
        if ranges <= 1:
            statuses = [kernel.function(0, points, *arguments)]
        else:
            cuts = [points * k // ranges for k in range(ranges + 1)]
            pool = self.pool()
            futures = [pool.submit(kernel.function, begin, end, *arguments) for begin, end in pairwise(cuts[1:])]
            try:
                statuses = [kernel.function(cuts[0], cuts[1], *arguments)]
            finally:
                _wait_for_all(futures)
            statuses += [future.result() for future in futures]
        if any(status != abi.STATUS_OK for status in statuses):
            raise OutOfMemoryError("no memory for a kernel's scratch tiles")


def _wait_for_all(futures: Sequence[Future[int]]) -> None:
    """Waits until all are done, however often the user interrupts; an interrupt is raised afterwards."""
    interrupt: KeyboardInterrupt | None = None
    while not all(future.done() for future in futures):
        try:
            wait(futures)
        except KeyboardInterrupt as caught:
            interrupt = caught
    if interrupt is not None:
        raise interrupt


def run_module(
    module: ModuleOp,
    stores: Mapping[str, Array],
    scalars: Mapping[str, Number] | None = None,
    opaque_tasks: Mapping[str, Callable[..., None]] | None = None,
    *,
    threads: int | None = None,
    fuse: bool = True,
) -> dict[str, Array]:
    """Compiles and runs a verified module, which is changed in the process: the contents of every named store at its end.

    Arguments and errors are those of ``ReferenceExecutor.run``; also CompileError. Stores given are copied first.
    """
    declared = [op for op in module.ops if isinstance(op, StoreOp)]
    names = [None if op.store_name is None else op.store_name.data for op in declared]
    if unknown := sorted(stores.keys() - {*names}):
        raise UsageError(f"the program has no store '{unknown[0]}'")
    slots: list[Array | None] = [
        None if name is None or name not in stores else np.array(fitted_array(name, stores[name], op), order="C")
        for name, op in zip(names, declared, strict=True)
    ]
    values = list(scalar_values(module, scalars or {}).values())
    check_opaque_tasks(module, opaque_tasks or {})
    plan = CpuExecutor(threads or available_cpus()).prepare(module, opaque_tasks or {}, fuse=fuse)
    outcome = plan.run(slots, [value.item() for value in values])
    if outcome.failure is not None:
        raise outcome.failure
    return {
        name: np.empty(slot.shape, slot.dtype) if buffer is None else buffer
        # Slots of stores that the passes made come last.
        for name, slot, buffer in zip(names, plan.slots[: len(names)], slots, strict=True)
        if name is not None
    }


def check_opaque_tasks(module: ModuleOp, given: Mapping[str, Callable[..., None]]) -> None:
    """Raises UnsupportedError for a launched task that has neither a body nor a callable."""
    for launch in launches(module):
        if launch.opaque and launch.task_name not in given:
            raise UnsupportedError(f"task '@{launch.task_name}' has no body, and no callable was given for it")


def _slot(op: StoreOp) -> Slot:
    return Slot(None if op.store_name is None else op.store_name.data, shape_of(op.result), dtype_of_store(op.result))


def _touched(module: ModuleOp) -> set[SSAValue]:
    """Stores whose contents some launch reads, writes or reduces, or a swap moves."""
    swapped = {store for op in module.ops if isinstance(op, SwapOp) for store in op.operands}
    return swapped | {
        access.root
        for launch in launches(module)
        for access in launch.accesses
        if access.privilege.reads or access.privilege.returned
    }


class _Planner:
    """Turns launches into steps."""

    def __init__(
        self,
        executor: CpuExecutor,
        slots: dict[SSAValue, int],
        scalars: dict[SSAValue, int],
        dependences: Mapping[str, Sequence[Set[int]]],
    ) -> None:
        self.executor = executor
        self.slots = slots
        self.scalars = scalars
        self.dependences = dependences
        self.kernels: Mapping[str, NativeKernel] = {}

    def step(self, launch: LaunchOp, opaque_tasks: Mapping[str, Callable[..., None]], number: int | None) -> Step:
        callee = launch.callee()
        assert callee is not None  # verified
        if callee.is_declaration:
            assert number is not None  # no pass replaces an opaque launch
            return OpaqueStep.of(launch, self.slots, self.scalars, opaque_tasks[launch.task_name], number)
        return self._kernel_step(launch, self.kernels[launch.task_name])

    def _kernel_step(self, launch: LaunchOp, kernel: NativeKernel) -> Step:
        domain = launch.extents
        points = abi.point_count(domain)
        arguments: list[_Argument] = []
        layouts: list[abi.ArgumentLayout] = []
        size = sum(
            int(np.prod(access.shape)) * dtype_of_store(access.root).itemsize
            for access in launch.accesses
            if not access.privilege.reduces
        )
        copies = [
            Copies.of(access, points)
            if access.privilege.writes
            and access.partition.partition.replicated
            and points > 1
            and size >= _INLINE_BYTES
            else None
            for access in launch.accesses
        ]
        if sum(points * each.bytes_each for each in copies if each is not None) > _MOST_COPIED_BYTES:
            copies, size = [None] * len(copies), 0
        for access, own in zip(launch.accesses, copies, strict=True):
            slot = self.slots[access.root]
            itemsize = dtype_of_store(access.root).itemsize
            intervals = access.partition.partition.intervals(access.shape)
            if access.privilege.reduces or own is not None:
                partials = own or Partials.of(access, domain, intervals)
                strides = partials.tile_strides
                arguments.append(_Argument(slot, 0, partials))
                partial_stride = partials.bytes_each
            else:
                offset, strides = view_strides(access.view, access.root_shape, itemsize)
                # An argument without access is looked at for its shape only, and may have no memory.
                used = access.privilege.reads or access.privilege.writes
                arguments.append(_Argument(slot if used else None, offset, None))
                partial_stride = 0
            layouts.append(abi.ArgumentLayout(tuple(map(_dimension, intervals, strides)), partial_stride))
        return KernelStep(
            executor=self.executor,
            kernel=kernel,
            points=points,
            size=size,
            arguments=tuple(arguments),
            layout=abi.words_array(abi.encode_layout(domain, layouts)),
            scalars=tuple((self.scalars[scalar], _scalar_name(scalar)) for scalar in launch.scalars),
            needs=slots_needed(launch.accesses, self.slots, domain, self.dependences.get(launch.task_name)),
            reads=slots_read(launch.accesses, self.slots),
        )


def _scalar_name(scalar: SSAValue) -> str:
    scalar_type = scalar.type
    return f"i{scalar_type.width.data}" if isinstance(scalar_type, IntegerType) else str(scalar_type)


def _dimension(interval: Interval, stride: int) -> abi.TileDimension:
    launch_dim = -1 if interval.launch_dim is None else interval.launch_dim
    return abi.TileDimension(launch_dim, interval.multiplier, interval.addend, interval.tile, interval.extent, stride)


@dataclass(frozen=True)
class _Argument:
    """Where a kernel's argument lives: a slot at a byte offset, buffers of the points (partials or copies), or nowhere."""

    slot: int | None
    offset: int
    partials: Partials | Copies | None


@dataclass(frozen=True)
class KernelStep:
    """One launch of a compiled kernel: bind addresses, run all points, fold the partials."""

    executor: CpuExecutor
    kernel: NativeKernel
    points: int
    size: int
    arguments: tuple[_Argument, ...]
    layout: ctypes.Array[ctypes.c_int64]
    scalars: tuple[tuple[int, str], ...]
    needs: dict[int, frozenset[int]]
    reads: frozenset[int]
    launch_number: int | None = None

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Runs the launch. Raises MemoryError, with everything it writes undefined."""
        partial_buffers: list[Array | None] = []
        addresses: list[int] = []
        for argument in self.arguments:
            buffer: Array | None = None
            if argument.partials is not None:
                buffer = argument.partials.allocate()
                addresses.append(buffer.ctypes.data)
            elif argument.slot is None:
                addresses.append(0)
            else:
                bound = slots[argument.slot]
                assert bound is not None  # the plan allocated what is written, the session checked what is read
                addresses.append(bound.ctypes.data + argument.offset)
            partial_buffers.append(buffer)
        packed = abi.pack_scalars([(name, scalars[number]) for number, name in self.scalars])
        bound = (abi.words_array(addresses), self.layout, abi.bytes_array(packed))
        self.executor.run_points(self.kernel, self.points, self.size, bound)
        for argument, buffer in zip(self.arguments, partial_buffers, strict=True):
            if argument.partials is not None and buffer is not None and argument.slot is not None:
                target = slots[argument.slot]
                assert target is not None
                argument.partials.fold_into(target, buffer)
