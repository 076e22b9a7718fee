"""What the plans of one session run on: worker threads, and the kernels that are in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fuseir.cache import DiskCache
from fuseir.codegen.llvm.compiled import CompiledKernel, cached_kernels
from fuseir.codegen.llvm.plan_driver import plan_driver
from fuseir.runtime.executors.workers import WorkerPool


class NativeMachine:
    """Threads, and kernels by the digest of their text. Loads no xDSL. Raises CompileError if there is no driver to be had."""

    def __init__(self, threads: int, cache: DiskCache | None = None) -> None:
        self.cache = cache
        self.pool = WorkerPool(plan_driver(cache), threads)
        self._kernels: dict[str, CompiledKernel] = {}

    @property
    def kernels(self) -> Mapping[str, CompiledKernel]:
        """The kernels so far."""
        return self._kernels

    @property
    def kernels_compiled(self) -> int:
        """How many of them LLVM compiled."""
        return sum(not kernel.from_cache for kernel in self._kernels.values())

    @property
    def kernels_loaded(self) -> int:
        """How many of them were found in the disk cache."""
        return sum(kernel.from_cache for kernel in self._kernels.values())

    def add(self, kernels: Iterable[CompiledKernel]) -> None:
        """Keeps kernels."""
        self._kernels.update((kernel.digest, kernel) for kernel in kernels)

    def find(self, digests: Iterable[str]) -> bool:
        """Has the kernels with these digests, if it has them already or the disk cache does; whether that is so."""
        missing = [digest for digest in dict.fromkeys(digests) if digest not in self._kernels]
        found = None if self.cache is None else cached_kernels(missing, self.cache) if missing else []
        if found is None:
            return False
        self.add(found)
        return True
