"""Lowered kernels to machine code in this process: through LLVM, or from the disk cache where another process left it.

What the text that LLVM gets looks like is :func:`emit_llvm_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, TensorType

from fuseir.cache import DiskCache
from fuseir.cache.environment import digest_of_text
from fuseir.codegen.kernel_text import kernel_text
from fuseir.codegen.llvm.code_cache import CodeCache
from fuseir.codegen.llvm.compiled import CompiledKernel, KernelCode, found_kernel, loaded_kernels
from fuseir.codegen.llvm.emit import emit_kernel
from fuseir.codegen.llvm.machine import optimized_object
from fuseir.codegen.llvm.object_code import ObjectCode
from fuseir.codegen.llvm.support import support_library, whole_text
from fuseir.codegen.llvm.target import X86_64_V4, Target, host_target
from fuseir.codegen.llvm.task import emit_task
from fuseir.codegen.llvm.text import ModuleText, SupportFunction
from fuseir.dialects.kernel import is_lowered
from fuseir.dialects.verification import location_of
from fuseir.errors import CompileError, UnsupportedError


@dataclass(frozen=True)
class EmittedModule:
    """LLVM text of some kernels: the task symbol of each, and the external and support functions that the text calls."""

    text: str
    symbols: tuple[str, ...]
    externs: tuple[str, ...]
    support: tuple[SupportFunction, ...]


def emit_kernels(kernels: Sequence[func.FuncOp], target: Target) -> EmittedModule:
    """LLVM text of lowered kernels: a function of the kernels and the target, nothing else."""
    module, symbols = _emitted(kernels, target)
    return EmittedModule(str(module), symbols, tuple(sorted(module.externs)), module.support_functions)


def emit_llvm_text(module: ModuleOp, target: Target = X86_64_V4) -> str:
    """The LLVM text of every lowered kernel of a module and what they call, before LLVM's passes; the same on every machine.

    Raises :class:`UnsupportedError` for a kernel that is not lowered, or holds what lowered kernels may not.
    """
    for op in module.walk():
        if not isinstance(op, func.FuncOp) or op.is_declaration:
            continue
        if any(isinstance(kind, TensorType) for kind in op.function_type.inputs.data):
            message = "a kernel on tensors is not in the form that code is generated for: run lower-kernels first"
            raise UnsupportedError(message, location=location_of(op))
    written, _ = _emitted([op for op in module.walk() if isinstance(op, func.FuncOp) and is_lowered(op)], target)
    return whole_text(written.functions, written.declarations, written.support_functions)


def _emitted(kernels: Sequence[func.FuncOp], target: Target) -> tuple[ModuleText, tuple[str, ...]]:
    module = ModuleText(target)
    return module, tuple(emit_task(module, emit_kernel(module, kernel)) for kernel in kernels)


def compile_kernel(kernel: func.FuncOp) -> CompiledKernel:
    """Compile one lowered kernel for this machine; :func:`compile_kernels` raises what this may raise."""
    return compile_kernels([kernel])[0]


def compile_kernels(
    kernels: Sequence[func.FuncOp], disk: DiskCache | None = None, texts: Sequence[str] | None = None
) -> list[CompiledKernel]:
    """Compile lowered kernels for this machine, or take from ``disk`` what it has; what it has not is added to it.

    ``texts`` are the kernels' :func:`kernel_text`, if the caller has them. Raises :class:`UnsupportedError` for what lowered kernels may
    not hold, and :class:`CompileError` if LLVM does not take a module.
    """
    target = host_target()
    cache = CodeCache.of(disk, target)
    texts = [kernel_text(kernel) for kernel in kernels] if texts is None else texts
    named = [(digest_of_text(text), kernel) for text, kernel in zip(texts, kernels, strict=True)]
    found = [None if cache is None else found_kernel(digest, cache, target) for digest, _ in named]
    try:
        codes = [code or _compiled(*each, target, cache) for code, each in zip(found, named, strict=True)]
        return loaded_kernels(codes, target)
    except CompileError:
        if not any(found):
            raise
    # Something in the cache is whole, and LLVM does not want it all the same.
    return loaded_kernels([_compiled(*each, target, cache) for each in named], target)


def _compiled(digest: str, kernel: func.FuncOp, target: Target, cache: CodeCache | None) -> KernelCode:
    """The code of a kernel that the cache has not got, which it has afterwards."""
    # A module for each: code must not depend on what it was compiled with, and nearly all of the time goes into functions.
    emitted = emit_kernels([kernel], target)
    symbols = tuple(function.symbol for function in emitted.support)
    code = ObjectCode(emitted.symbols[0], optimized_object(emitted.text, symbols, target), emitted.externs, symbols)
    support_library(target).provide(emitted.support, cache)
    if cache is not None:
        cache.keep_kernel(digest, code, emitted.support)
    return KernelCode(digest, code, emitted.text)
