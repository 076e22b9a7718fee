"""Machine code of support functions: compiled or found on disk when first needed, once in a process, and never given up.

Kernels find them by symbol, as they find functions of the C library. A symbol stands for its function's text and
target, so that it does not matter which kernel asked first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import llvmlite.binding as llvm

from fuseir.codegen.llvm.code_cache import CodeCache
from fuseir.codegen.llvm.machine import load_objects, optimized_object
from fuseir.codegen.llvm.object_code import ObjectCode
from fuseir.codegen.llvm.target import Target
from fuseir.codegen.llvm.text import SupportFunction, module_text
from fuseir.errors import CompileError


class SupportLibrary:
    """The support functions of one target that kernels have asked for so far.

    Safe in threads without a lock, which a fork could leave locked for ever: two threads that need the same function at the
    same time compile it twice, and either code will do. So both stay: kernels may have been linked to either.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._known: dict[str, ObjectCode] = {}
        self._engines: list[Any] = []

    def provide(self, functions: Iterable[SupportFunction], cache: CodeCache | None = None) -> None:
        """Have LLVM know the addresses of these functions, and the cache their code; raises CompileError."""
        functions = list(functions)
        missing = [function for function in functions if function.symbol not in self._known]
        self._load([self._code(function, cache) for function in missing])
        if cache is not None:
            # Those too that this process had before it used this cache.
            for function in functions:
                cache.keep_support(function, self._known[function.symbol])

    def provide_cached(self, keys: Mapping[str, str], cache: CodeCache) -> bool:
        """Have LLVM know the addresses of functions by symbol, if the cache has those that are missing; whether it has."""
        missing = [(symbol, key) for symbol, key in keys.items() if symbol not in self._known]
        found = [cache.support(symbol, key) for symbol, key in missing]
        codes = [code for code in found if code is not None]
        if len(codes) < len(missing):
            return False
        self._load(codes)
        return True

    def _code(self, function: SupportFunction, cache: CodeCache | None) -> ObjectCode:
        found = None if cache is None else cache.support(function.symbol, cache.support_key(function))
        if found is not None:
            return found
        # One module each: they go to the cache, where each is on its own.
        text = module_text([function.text], function.declarations)
        return ObjectCode(function.symbol, optimized_object(text, (), self._target), function.externs)

    def _load(self, codes: list[ObjectCode]) -> None:
        if not codes:
            return
        engine = load_objects(codes, self._target)
        self._engines.append(engine)
        for code in codes:
            address = engine.get_function_address(code.symbol)
            if not address:
                raise CompileError("object code without the function it should hold")
            llvm.add_symbol(code.symbol, address)
            self._known[code.symbol] = code


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
