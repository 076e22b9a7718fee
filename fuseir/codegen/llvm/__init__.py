"""LLVM for the CPU, through llvmlite: lowered kernels to machine code in this process.

The way of a kernel: ``emit`` walks it and writes an LLVM function (``ops``, ``integers``, ``calls``, ``memory`` and ``reduction`` know
how each piece is written, ``text`` holds what is written, ``workspace`` says where reductions keep their state), ``task`` puts the
loop over points around it, ``compile`` has LLVM turn the text into code, by way of ``machine``, and ``compiled`` is what becomes of it.
What kernels have in common is compiled once a process: ``support``. ``object_code``, ``cache_keys`` and ``code_cache`` keep code on
disk for the next process, which loads it without xDSL; so the names below load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuseir.codegen.llvm.compile import EmittedModule, compile_kernel, compile_kernels, emit_kernels, emit_llvm_text
    from fuseir.codegen.llvm.compiled import CompiledKernel
    from fuseir.codegen.llvm.target import X86_64_V3, X86_64_V4, Target, host_target

_MODULES = {
    "CompiledKernel": "compiled",
    "X86_64_V3": "target",
    "X86_64_V4": "target",
    "Target": "target",
    "host_target": "target",
}

__all__ = [
    "X86_64_V3",
    "X86_64_V4",
    "CompiledKernel",
    "EmittedModule",
    "Target",
    "compile_kernel",
    "compile_kernels",
    "emit_kernels",
    "emit_llvm_text",
    "host_target",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'compile')}"), name)
