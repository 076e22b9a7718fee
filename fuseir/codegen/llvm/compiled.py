"""Kernels as machine code in this process, wherever the code came from. What the disk cache has is loaded without xDSL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fuseir.cache import DiskCache
from fuseir.codegen.abi import STATUS_OUT_OF_MEMORY, bytes_array, task_function_type, words_array
from fuseir.codegen.llvm.code_cache import CodeCache
from fuseir.codegen.llvm.machine import load_objects
from fuseir.codegen.llvm.object_code import ObjectCode
from fuseir.codegen.llvm.support import support_library
from fuseir.codegen.llvm.target import Target, host_target
from fuseir.errors import CompileError, OutOfMemoryError


@dataclass(frozen=True)
class CompiledKernel:
    """Machine code of one kernel, callable from any thread.

    ``address`` stays valid as long as this object (or another kernel compiled with it) lives. ``digest`` is that of the kernel's lowered
    text. ``support`` are the symbols of the support functions that it calls. ``llvm_ir`` is None for a kernel from the cache, which was
    never written as text in this process.
    """

    digest: str
    symbol: str
    address: int
    llvm_ir: str | None
    object_code: bytes
    externs: tuple[str, ...]
    support: tuple[str, ...]
    _engine: Any = field(repr=False, compare=False)
    _function: Any = field(repr=False, compare=False)

    @property
    def from_cache(self) -> bool:
        """Whether the disk cache had it, so that LLVM compiled nothing."""
        return self.llvm_ir is None

    def call(
        self, point_begin: int, point_end: int, bases: Sequence[int], layout: Sequence[int], scalars: bytes = b""
    ) -> None:
        """Run points ``point_begin`` to ``point_end - 1``. Addresses and layout must be right: nothing is checked.

        The GIL is released meanwhile. Raises :class:`OutOfMemoryError` if a scratch tile could not be had.
        """
        status = self._function(point_begin, point_end, words_array(bases), words_array(layout), bytes_array(scalars))
        if status == STATUS_OUT_OF_MEMORY:
            raise OutOfMemoryError("no memory for a kernel's scratch tile")


class KernelCode(NamedTuple):
    """The code of a kernel, by the digest of its text; ``llvm_ir`` is None if it was found in the cache."""

    digest: str
    code: ObjectCode
    llvm_ir: str | None


def found_kernel(digest: str, cache: CodeCache, target: Target) -> KernelCode | None:
    """What the cache has of a kernel, with all the support functions that it calls."""
    found = cache.kernel(digest)
    if found is None or not support_library(target).provide_cached(found[1], cache):
        return None
    return KernelCode(digest, found[0], None)


def cached_kernels(digests: Sequence[str], disk: DiskCache) -> list[CompiledKernel] | None:
    """The kernels that the cache has under these digests; None unless it has all, and LLVM takes them. Compiles nothing."""
    target = host_target()
    cache = CodeCache.of(disk, target)
    if cache is None:
        return None
    try:
        found = [found_kernel(digest, cache, target) for digest in digests]
        codes = [code for code in found if code is not None]
        return loaded_kernels(codes, target) if len(codes) == len(found) else None
    except CompileError:
        return None


def loaded_kernels(codes: Sequence[KernelCode], target: Target) -> list[CompiledKernel]:
    """The kernels of these codes in this process. Raises CompileError."""
    # Kernels whose texts differ in names only have the same code.
    engine = load_objects(list({code.symbol: code for _, code, _ in codes}.values()), target)
    kernels: list[CompiledKernel] = []
    for digest, code, llvm_ir in codes:
        address = engine.get_function_address(code.symbol)
        if not address:
            raise CompileError("object code without the kernel it should hold")
        kernels.append(
            CompiledKernel(
                digest,
                code.symbol,
                address,
                llvm_ir,
                code.code,
                code.externs,
                code.support,
                engine,
                task_function_type()(address),
            )
        )
    return kernels
