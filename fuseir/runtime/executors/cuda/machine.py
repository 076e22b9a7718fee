"""What the plans of one session run on: a device, and the kernels that are loaded there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects.func import FuncOp

from fuseir.cache import DiskCache
from fuseir.codegen.cuda.compilation import CudaKernel, compile_kernels
from fuseir.runtime.executors.cuda.device import Device

if TYPE_CHECKING:
    from fuseir.runtime.executors import Executor


class CudaMachine:
    """Kernels by the digest of their text, on a device."""

    def __init__(self, device: Device, cache: DiskCache | None = None) -> None:
        self.device = device
        self.cache = cache
        self._kernels: dict[str, CudaKernel] = {}
        self.kernels_compiled = 0
        """Kernels of launches that NVRTC compiled."""
        self.kernels_loaded = 0
        """Kernels of launches that were found in the disk cache."""
        self.folds: dict[tuple[str | None, np.dtype[Any], int], CudaKernel] = {}
        """Kernels that fold or copy what points leave (``fold_kernels.py``): by operator, element type and rank."""

    def executor(self) -> Executor:
        """See ``Machine``."""
        from fuseir.runtime.executors.cuda.executor import CudaExecutor

        return CudaExecutor(self)

    @property
    def kernels(self) -> Mapping[str, CudaKernel]:
        """The kernels so far."""
        return self._kernels

    def compile(self, kernels: Sequence[tuple[str, FuncOp]], *, launched: bool = True) -> list[CudaKernel]:
        """Compiles lowered kernels, each with the digest of its text, and keeps them; ``launched`` are those of launches.

        Raises CompileError, UnsupportedError, DeviceLostError.
        """
        made = compile_kernels(kernels, self.device.compiler, self.device.load, self.cache)
        for kernel in made:
            self._kernels[kernel.digest] = kernel
            if launched:
                self.kernels_compiled += not kernel.from_cache
                self.kernels_loaded += kernel.from_cache
        return made
