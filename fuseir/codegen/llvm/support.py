"""Machine code of support functions: compiled when first needed, once in a process, and never given up.

Kernels find them by symbol, as they find functions of the C library. A symbol stands for its function's text and
target, so that it does not matter which kernel asked first.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import llvmlite.binding as llvm

from fuseir.codegen.llvm.machine import load_object, optimized_object
from fuseir.codegen.llvm.target import Target
from fuseir.codegen.llvm.text import SupportFunction, module_text


class SupportLibrary:
    """The support functions of one target that kernels have asked for so far.

    Safe in threads without a lock, which a fork could leave locked for ever: two threads that need the same function at the
    same time compile it twice, and either code will do. So both stay: kernels may have been linked to either.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._known: set[str] = set()
        self._engines: list[Any] = []

    def provide(self, functions: Iterable[SupportFunction]) -> None:
        """Have LLVM know the addresses of these functions; raises CompileError."""
        missing = [function for function in functions if function.symbol not in self._known]
        if not missing:
            return
        declarations = sorted({line for function in missing for line in function.declarations})
        externs = sorted({name for function in missing for name in function.externs})
        text = module_text([function.text for function in missing], declarations)
        engine = load_object(optimized_object(text, (), self._target), externs, self._target)
        self._engines.append(engine)
        for function in missing:
            llvm.add_symbol(function.symbol, engine.get_function_address(function.symbol))
            self._known.add(function.symbol)


@cache
def support_library(target: Target) -> SupportLibrary:
    """The library of a target. It only grows, and by what is determined by its symbols."""
    return SupportLibrary(target)


def whole_text(functions: list[str], declarations: Iterable[str], support: Iterable[SupportFunction]) -> str:
    """A module's text with the support functions written out: what is compiled in parts, for reading."""
    support = list(support)
    declared = {*declarations, *(line for function in support for line in function.declarations)}
    return module_text([*functions, *(function.text for function in support)], sorted(declared, key=_name))


def _name(declaration: str) -> str:
    return declaration[declaration.index("@") :]
