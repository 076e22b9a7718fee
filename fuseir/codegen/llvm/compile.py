"""Lowered kernels to machine code in this process.

:func:`compile_kernel` is the way from IR; :func:`load_kernel` takes object code that an earlier process compiled. What
the text looks like is :func:`emit_llvm_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, TensorType

from fuseir.codegen.abi import STATUS_OUT_OF_MEMORY, bytes_array, task_function_type, words_array
from fuseir.codegen.llvm.emit import emit_kernel
from fuseir.codegen.llvm.machine import SYMBOL, load_object, optimized_object
from fuseir.codegen.llvm.math_functions import allowed_externs
from fuseir.codegen.llvm.support import support_library, whole_text
from fuseir.codegen.llvm.target import X86_64_V4, Target, host_target
from fuseir.codegen.llvm.task import emit_task
from fuseir.codegen.llvm.text import ModuleText, SupportFunction
from fuseir.dialects.kernel import is_lowered
from fuseir.dialects.verification import location_of
from fuseir.errors import CompileError, OutOfMemoryError, UnsupportedError


@dataclass(frozen=True)
class EmittedModule:
    """LLVM text of some kernels: the task symbol of each, and the external and support functions that the text calls."""

    text: str
    symbols: tuple[str, ...]
    externs: tuple[str, ...]
    support: tuple[SupportFunction, ...]


@dataclass(frozen=True)
class CompiledKernel:
    """Machine code of one kernel, callable from any thread.

    ``address`` stays valid as long as this object (or another kernel of the same module) lives. ``object_code``, ``symbol``,
    ``externs`` and ``support`` are what :func:`load_kernel` needs; they are good only for the same processor and package versions.
    """

    symbol: str
    address: int
    llvm_ir: str
    object_code: bytes
    externs: tuple[str, ...]
    support: tuple[SupportFunction, ...]
    _engine: Any = field(repr=False, compare=False)
    _function: Any = field(repr=False, compare=False)

    def call(
        self, point_begin: int, point_end: int, bases: Sequence[int], layout: Sequence[int], scalars: bytes = b""
    ) -> None:
        """Run points ``point_begin`` to ``point_end - 1``. Addresses and layout must be right: nothing is checked.

        The GIL is released meanwhile. Raises :class:`OutOfMemoryError` if a scratch tile could not be had.
        """
        status = self._function(point_begin, point_end, words_array(bases), words_array(layout), bytes_array(scalars))
        if status == STATUS_OUT_OF_MEMORY:
            raise OutOfMemoryError("no memory for a kernel's scratch tile")


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


def compile_kernels(kernels: Sequence[func.FuncOp]) -> list[CompiledKernel]:
    """Compile lowered kernels as one module for this machine.

    Raises :class:`UnsupportedError` for what lowered kernels may not hold, and :class:`CompileError` if LLVM does not take
    the module.
    """
    target = host_target()
    emitted = emit_kernels(kernels, target)
    symbols = {function.symbol for function in emitted.support}
    return _load(optimized_object(emitted.text, symbols, target), emitted, target)


def load_kernel(
    object_code: bytes,
    symbol: str,
    externs: Sequence[str],
    support: Sequence[SupportFunction] = (),
    llvm_ir: str = "",
) -> CompiledKernel:
    """A kernel from the object code of an earlier :class:`CompiledKernel`. The caller vouches for the code's integrity."""
    if not SYMBOL.fullmatch(symbol) or not allowed_externs().issuperset(externs):
        raise CompileError("object code that is not of this package's making")
    emitted = EmittedModule(llvm_ir, (symbol,), tuple(externs), tuple(support))
    return _load(object_code, emitted, host_target())[0]


def _load(object_code: bytes, emitted: EmittedModule, target: Target) -> list[CompiledKernel]:
    support_library(target).provide(emitted.support)
    engine = load_object(object_code, emitted.externs, target)
    kernels: list[CompiledKernel] = []
    for symbol in emitted.symbols:
        address = engine.get_function_address(symbol)
        if not address:
            raise CompileError("object code without the kernel it should hold")
        function = task_function_type()(address)
        kernels.append(
            CompiledKernel(
                symbol, address, emitted.text, object_code, emitted.externs, emitted.support, engine, function
            )
        )
    return kernels
