"""The CPU executor: kernels through LLVM, points on threads.

Steps without Python code run in batches, each of which is one native call (``native_plan.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from fuseir.cache import DiskCache
from fuseir.codegen import abi
from fuseir.codegen.llvm.compile import compile_kernels
from fuseir.codegen.llvm.compiled import CompiledKernel
from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.dist.partition import Shape
from fuseir.errors import UnsupportedError, UsageError
from fuseir.passes.remarks import Remarks
from fuseir.resources import available_cpus
from fuseir.runtime.arrays import Array
from fuseir.runtime.executors.fold_kernels import copy_kernel, fold_kernel
from fuseir.runtime.executors.kernel_executor import KernelExecutor
from fuseir.runtime.executors.kernel_steps import LaunchParts
from fuseir.runtime.executors.native_call import Base, NativeCall, native_call
from fuseir.runtime.executors.native_machine import NativeMachine
from fuseir.runtime.executors.native_plan import KernelStep, NativeBatch, in_batches
from fuseir.runtime.executors.opaque import OpaqueStep
from fuseir.runtime.executors.private_memory import PrivateStep
from fuseir.runtime.executors.workers import WorkerPool
from fuseir.runtime.plan import Batch, Number, Release, Slot, Step, Swap
from fuseir.runtime.program_stores import fitted_array, launches, scalar_values


class CpuExecutor(KernelExecutor[CompiledKernel]):
    """Compiles and runs plans on this machine's processors."""

    def __init__(self, machine: NativeMachine) -> None:
        super().__init__()
        self._machine = machine

    @property
    def kernels_compiled(self) -> int:
        """Distinct kernels compiled so far."""
        return self._machine.kernels_compiled

    @property
    def kernels_loaded(self) -> int:
        """Distinct kernels found in the disk cache so far."""
        return self._machine.kernels_loaded

    @property
    def _known_kernels(self) -> Mapping[str, CompiledKernel]:
        return self._machine.kernels

    def _compile(self, functions: Sequence[FuncOp], texts: Sequence[str], remarks: Remarks | None) -> None:
        self._machine.add(compile_kernels(functions, self._machine.cache, texts))

    def _backend(self, slots: Sequence[Slot]) -> NativeCalls:
        return NativeCalls(self._machine.cache, self._machine.pool, slots)

    def _opaque(self, step: OpaqueStep, slots: Sequence[Slot]) -> Step:
        return step

    def _private(self, slot: int) -> Step:
        return PrivateStep(slot)

    def _batches(
        self, steps: Sequence[Step | Release | Swap], slots: Sequence[Slot]
    ) -> Sequence[Step | Release | Swap | Batch]:
        return in_batches(steps, slots, KernelStep, lambda batch: NativeBatch(self._machine.pool, batch, slots))


@dataclass(frozen=True)
class NativeCalls:
    """How machine code is called; what folds what points leave comes from a cache on disk, if there is one."""

    disk: DiskCache | None
    pool: WorkerPool | None = None
    slots: Sequence[Slot] = ()

    @property
    def participants(self) -> int:
        """The threads."""
        return 1 if self.pool is None else self.pool.participants

    def call(
        self,
        kernel: CompiledKernel,
        domain: Shape,
        arguments: Sequence[tuple[Base, abi.ArgumentLayout]],
        scalars: Sequence[tuple[int, str]],
    ) -> NativeCall:
        """A call of a launch's kernel."""
        return native_call(kernel, domain, arguments, scalars)

    def fold_call(
        self,
        operator: str | None,
        dtype: np.dtype[Any],
        rank: int,
        domain: Shape,
        arguments: Sequence[tuple[Base, abi.ArgumentLayout]],
    ) -> NativeCall:
        """A call of a fold or a copy, made once a process and cache. Raises CompileError."""
        key = operator, dtype, rank, self.disk
        found = _fold_kernels.get(key)
        if found is None:
            function = copy_kernel(dtype, rank) if operator is None else fold_kernel(operator, dtype, rank)
            found = _fold_kernels[key] = compile_kernels([function], self.disk)[0]
        return native_call(found, domain, arguments)

    def step(self, parts: LaunchParts[NativeCall]) -> Step:
        """A launch on threads."""
        assert self.pool is not None
        return KernelStep(self.pool, self.slots, **vars(parts))


_fold_kernels: dict[tuple[str | None, np.dtype[Any], int, DiskCache | None], CompiledKernel] = {}
"""Never given up, since any plan may have them. Those of each cache, as plans in a cache need their kernels there."""


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
    plan = CpuExecutor(NativeMachine(threads or available_cpus())).prepare(module, opaque_tasks or {}, fuse=fuse)
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
