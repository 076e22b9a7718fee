"""LLVM at work: a module's text to object code, and object code into this process.

What goes in is checked here against the closed table of symbols, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import llvmlite.binding as llvm

from fuseir.codegen.llvm.math_functions import allowed_externs, extern_address
from fuseir.codegen.llvm.object_code import SYMBOL, ObjectCode
from fuseir.codegen.llvm.target import Target, create_target_machine
from fuseir.errors import CompileError


def optimized_object(text: str, support: Collection[str], target: Target) -> bytes:
    """Object code of a module, which may call functions of the closed table and the support functions named."""
    machine = create_target_machine(target)
    try:
        module = llvm.parse_assembly(text)
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        module.verify()
        check_symbols(module, support)
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
        _passes().run(module, builder)
        check_symbols(module, support)
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


def check_symbols(module: Any, support: Collection[str] = ()) -> None:
    """Refuse a parsed module that calls or defines anything but what this package emits (a :class:`CompileError`)."""
    for function in module.functions:
        name = function.name
        if function.is_declaration:
            known = name.startswith("llvm.") or name in allowed_externs() or name in support
        else:
            known = SYMBOL.fullmatch(name) is not None
        if not known:
            raise CompileError("a kernel's module names a function outside the closed table")
    if any(True for _ in module.global_variables):
        raise CompileError("a kernel's module has global variables")


def load_objects(objects: Sequence[ObjectCode], target: Target) -> Any:
    """An engine that holds the code, whose support functions LLVM knows; the code stays mapped as long as the engine lives.

    No two of the objects may define the same symbol. Raises CompileError; BackendUnavailableError for a function this system lacks.
    """
    for name in {name for each in objects for name in each.externs}:
        llvm.add_symbol(name, extern_address(name))
    try:
        # An engine wants a module; the code comes as object files, compiled or from a cache. One engine for all, as
        # making one takes longer than loading a kernel.
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), create_target_machine(target))
        for each in objects:
            engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(each.code))
        engine.finalize_object()
    except RuntimeError as error:
        raise CompileError("LLVM could not load a kernel", notes=(str(error),)) from error
    return engine
