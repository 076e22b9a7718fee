"""What the plans of one session run on: worker threads, and the kernels that are in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fuseir.cache import DiskCache
from fuseir.codegen.llvm.compiled import CompiledKernel, cached_kernels
from fuseir.codegen.llvm.plan_driver import plan_driver
from fuseir.runtime.executors.workers import WorkerPool

if TYPE_CHECKING:
    from fuseir.runtime.executors import Executor


class NativeMachine:
    """Threads, and kernels by the digest of their text. Loads no xDSL. Raises CompileError if there is no driver to be had."""

    def __init__(self, threads: int, cache: DiskCache | None = None) -> None:
        self.cache = cache
        self.pool = WorkerPool(plan_driver(cache), threads)
        self._kernels: dict[str, CompiledKernel] = {}
        self.kernels_compiled = 0
        """Kernels of launches that LLVM compiled."""
        self.kernels_loaded = 0
        """Kernels of launches that were found in the disk cache."""

    @property
    def kernels(self) -> Mapping[str, CompiledKernel]:
        """The kernels so far."""
        return self._kernels

    def add(self, kernels: Iterable[CompiledKernel]) -> None:
        """Keeps kernels of launches."""
        for kernel in kernels:
            self._kernels[kernel.digest] = kernel
            self.kernels_compiled += not kernel.from_cache
            self.kernels_loaded += kernel.from_cache

    def executor(self) -> Executor:
        """See ``Machine``. Loads xDSL."""
        from fuseir.runtime.executors.cpu import CpuExecutor

        return CpuExecutor(self)

    def find(self, launched: Sequence[str], others: Sequence[str]) -> bool:
        """Has the kernels with these digests, if it has them already or the disk cache does; whether that is so.

        ``others`` are not those of launches, but of what is done with what points leave.
        """
        missing = [digest for digest in dict.fromkeys((*launched, *others)) if digest not in self._kernels]
        found = None if self.cache is None else cached_kernels(missing, self.cache) if missing else []
        if found is None:
            return False
        self.add(kernel for kernel in found if kernel.digest not in others)
        self._kernels.update((kernel.digest, kernel) for kernel in found)
        return True
