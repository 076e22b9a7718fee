"""The CUDA executor: plans whose kernels run on a GPU. What a plan is made of is what the CPU's are made of (``kernel_executor.py``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.func import FuncOp

from fuseir.cache.environment import digest_of_text
from fuseir.codegen import abi
from fuseir.codegen.cuda.compilation import CudaKernel
from fuseir.codegen.cuda.resources import MOST_SPILLED
from fuseir.codegen.kernel_text import kernel_text
from fuseir.dialects.dist.partition import Shape
from fuseir.passes.remarks import RemarkKind, Remarks
from fuseir.runtime.device_functions import DeviceFunction
from fuseir.runtime.executors.cuda.batches import CudaBatch, CudaStep
from fuseir.runtime.executors.cuda.calls import CudaCall
from fuseir.runtime.executors.cuda.machine import CudaMachine
from fuseir.runtime.executors.cuda.python_steps import DeviceOpaqueStep, HostStep, PrivateDeviceStep
from fuseir.runtime.executors.fold_kernels import copy_kernel, fold_kernel
from fuseir.runtime.executors.kernel_executor import KernelExecutor
from fuseir.runtime.executors.kernel_steps import LaunchParts
from fuseir.runtime.executors.native_call import Base
from fuseir.runtime.executors.native_plan import in_batches
from fuseir.runtime.executors.opaque import OpaqueStep
from fuseir.runtime.plan import Batch, Release, Slot, Step, Swap

_MOST_BATCH_BYTES = 1 << 62
"""Nobody waits for the end of a batch: a launch returns at once."""

_MOST_RELEASED_BYTES = 1 << 28
"""A batch ends when it has this much of the device's memory to give back: what comes next may want it."""


class CudaExecutor(KernelExecutor[CudaKernel]):
    """Compiles and runs plans on a GPU."""

    def __init__(self, machine: CudaMachine) -> None:
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
    def _known_kernels(self) -> Mapping[str, CudaKernel]:
        return self._machine.kernels

    def _compile(self, functions: Sequence[FuncOp], texts: Sequence[str], remarks: Remarks | None) -> None:
        digests = map(digest_of_text, texts)
        for kernel, function in zip(
            self._machine.compile([*zip(digests, functions, strict=True)]), functions, strict=True
        ):
            if remarks is not None and kernel.spilled:
                remarks.add(
                    RemarkKind.MISSED,
                    "FIR-N153",
                    "compile",
                    f"kernel @{function.sym_name.data} keeps {kernel.spilled} bytes of its values in memory, as a thread has not enough "
                    f"registers; beyond {MOST_SPILLED} bytes two smaller kernels may be faster",
                    suggestion="put fuseir.fence() between the launches to try it",
                )

    def _backend(self, slots: Sequence[Slot]) -> CudaCalls:
        return CudaCalls(self._machine, slots)

    def _opaque(self, step: OpaqueStep, slots: Sequence[Slot]) -> Step:
        if isinstance(step.function, DeviceFunction):
            return DeviceOpaqueStep(self._machine.device, step, slots)
        return HostStep(step)

    def _private(self, slot: int) -> Step:
        return PrivateDeviceStep(self._machine.device, slot)

    def _batches(
        self, steps: Sequence[Step | Release | Swap], slots: Sequence[Slot]
    ) -> Sequence[Step | Release | Swap | Batch]:
        device = self._machine.device
        return in_batches(
            steps,
            slots,
            CudaStep,
            lambda batch: CudaBatch(device, batch, slots),
            _MOST_BATCH_BYTES,
            _MOST_RELEASED_BYTES,
        )


@dataclass(frozen=True)
class CudaCalls:
    """How kernels are called on a GPU, in a plan with these slots. Points run one after another, each on all of the device."""

    machine: CudaMachine
    slots: Sequence[Slot]
    participants = 1

    def call(
        self,
        kernel: CudaKernel,
        domain: Shape,
        arguments: Sequence[tuple[Base, abi.ArgumentLayout]],
        scalars: Sequence[tuple[int, str]],
    ) -> CudaCall:
        """A call of a launch's kernel."""
        bases, layouts = tuple(base for base, _ in arguments), tuple(layout for _, layout in arguments)
        return CudaCall(kernel, domain, bases, layouts, tuple(scalars))

    def fold_call(
        self,
        operator: str | None,
        dtype: np.dtype[Any],
        rank: int,
        domain: Shape,
        arguments: Sequence[tuple[Base, abi.ArgumentLayout]],
    ) -> CudaCall:
        """A call of a fold or a copy, compiled once a session. Raises CompileError."""
        key = operator, dtype, rank
        found = self.machine.folds.get(key)
        if found is None:
            function = copy_kernel(dtype, rank) if operator is None else fold_kernel(operator, dtype, rank)
            digest = digest_of_text(kernel_text(function))
            (found,) = self.machine.compile([(digest, function)], launched=False)
            self.machine.folds[key] = found
        return self.call(found, domain, arguments, ())

    def step(self, parts: LaunchParts[CudaCall]) -> Step:
        """A launch on the device."""
        return CudaStep(
            self.machine.device, self.slots, parts.calls, parts.buffers, parts.size, parts.needs, parts.reads
        )
