"""Lowered kernels to machine code in this process.

:func:`compile_kernel` is the way from IR; :func:`load_kernel` takes object code that an earlier process compiled. What
the text looks like is :func:`emit_llvm_text`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import llvmlite.binding as llvm
from xdsl.dialects import func
from xdsl.dialects.builtin import MemRefType, ModuleOp

from fuseir.codegen.abi import STATUS_OUT_OF_MEMORY, bytes_array, task_function_type, words_array
from fuseir.codegen.llvm.emit import emit_kernel
from fuseir.codegen.llvm.math_functions import allowed_externs, extern_address
from fuseir.codegen.llvm.target import X86_64_V4, Target, create_target_machine, host_target
from fuseir.codegen.llvm.task import emit_task
from fuseir.codegen.llvm.text import ModuleText
from fuseir.errors import CompileError, OutOfMemoryError

_SYMBOL = re.compile(r"fz_[a-z]+_[0-9]+_[0-9a-f]{12}")


@dataclass(frozen=True)
class EmittedModule:
    """LLVM text of some kernels: the task symbol of each, and the external functions that the text calls."""

    text: str
    symbols: tuple[str, ...]
    externs: tuple[str, ...]


@dataclass(frozen=True)
class CompiledKernel:
    """Machine code of one kernel, callable from any thread.

    ``address`` stays valid as long as this object (or another kernel of the same module) lives. ``object_code``, ``symbol``
    and ``externs`` are what :func:`load_kernel` needs; ``object_code`` is good only for the same processor and package versions.
    """

    symbol: str
    address: int
    llvm_ir: str
    object_code: bytes
    externs: tuple[str, ...]
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
    module = ModuleText(target)
    symbols = tuple(emit_task(module, emit_kernel(module, kernel)) for kernel in kernels)
    return EmittedModule(str(module), symbols, tuple(sorted(module.externs)))


def emit_llvm_text(module: ModuleOp, target: Target = X86_64_V4) -> str:
    """The LLVM text of every lowered kernel of a module, before LLVM's passes; the same on every machine."""
    return emit_kernels([op for op in module.walk() if is_lowered_kernel(op)], target).text


def is_lowered_kernel(op: object) -> TypeGuard[func.FuncOp]:
    """Whether an operation is a kernel that this code generator takes."""
    if not isinstance(op, func.FuncOp) or op.is_declaration or op.function_type.outputs.data:
        return False
    return any(isinstance(kind, MemRefType) for kind in op.function_type.inputs.data)


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
    machine = create_target_machine(target)
    return _load(_optimized_object(emitted, machine), emitted, machine)


def load_kernel(object_code: bytes, symbol: str, externs: Sequence[str], llvm_ir: str = "") -> CompiledKernel:
    """A kernel from the object code of an earlier :class:`CompiledKernel`. The caller vouches for the code's integrity."""
    if not _SYMBOL.fullmatch(symbol) or not allowed_externs().issuperset(externs):
        raise CompileError("object code that is not of this package's making")
    return _load(object_code, EmittedModule(llvm_ir, (symbol,), tuple(externs)), create_target_machine(host_target()))[
        0
    ]


def _optimized_object(emitted: EmittedModule, machine: Any) -> bytes:
    try:
        module = llvm.parse_assembly(emitted.text)
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        module.verify()
        check_symbols(module)
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
        _passes().run(module, builder)
        check_symbols(module)
        return machine.emit_object(module)
    except RuntimeError as error:
        raise CompileError("LLVM refused a kernel", notes=(str(error),)) from error


def _passes() -> Any:
    """What is left to do on the text: it is vectorised, hoisted and nearly minimal already.

    LLVM's whole -O2 pipeline takes 15 ms and more for the smallest kernel and makes none of those measured faster; these passes take 2 ms.
    """
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    return passes


def check_symbols(module: Any) -> None:
    """Refuse a parsed module that calls or defines anything but what this package emits (a :class:`CompileError`)."""
    for function in module.functions:
        name = function.name
        if function.is_declaration:
            known = name.startswith("llvm.") or name in allowed_externs()
        else:
            known = _SYMBOL.fullmatch(name) is not None
        if not known:
            raise CompileError("a kernel's module names a function outside the closed table")
    if any(True for _ in module.global_variables):
        raise CompileError("a kernel's module has global variables")


def _load(object_code: bytes, emitted: EmittedModule, machine: Any) -> list[CompiledKernel]:
    for name in emitted.externs:
        llvm.add_symbol(name, extern_address(name))
    try:
        # An engine wants a module; the code comes as an object file, compiled or from a cache.
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(object_code))
        engine.finalize_object()
    except RuntimeError as error:
        raise CompileError("LLVM could not load a kernel", notes=(str(error),)) from error
    kernels: list[CompiledKernel] = []
    for symbol in emitted.symbols:
        address = engine.get_function_address(symbol)
        if not address:
            raise CompileError("object code without the kernel it should hold")
        function = task_function_type()(address)
        kernels.append(CompiledKernel(symbol, address, emitted.text, object_code, emitted.externs, engine, function))
    return kernels
