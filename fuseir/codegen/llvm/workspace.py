"""Memory that a kernel needs while it runs, besides its scratch tiles: the state of its reductions, and buffers of rows.

A reduction of columns keeps up to 6 MB (of which it touches little), and a kernel may hold hundreds of them, on
threads whose stack nobody asked us about. So the stack takes a small budget, for what is to live in registers; the rest
lies in one piece of memory that the task allocates once per call and hands to each point's run of the kernel.
"""

from __future__ import annotations

from fuseir.codegen.llvm.text import FunctionText

_STACK_BUDGET = 32 * 1024
"""Bytes of a kernel's stack for reductions: a hundred partials of the kind that registers hold."""

_LINE = 64
"""A cache line: where each piece starts."""


class Workspace:
    """The plan of one kernel's workspace, made while the kernel is written; ``base`` is the ``ptr`` that the kernel gets.

    ``mark`` and ``release`` go by pairs like brackets: what loops one after another keep may share its place.
    """

    def __init__(self, text: FunctionText, base: str) -> None:
        self.bytes = 0
        self._text, self._base = text, base
        self._used = 0
        self._on_stack = 0

    def mark(self) -> int:
        """Where the workspace in use ends now."""
        return self._used

    def release(self, mark: int) -> None:
        """What was reserved since ``mark`` is not needed any more."""
        self._used = mark

    def reserve(self, size: int) -> str:
        """The address of ``size`` bytes in the workspace, at a cache line's start; computed once, at the function's start."""
        offset = self._used
        self._used += -(-size // _LINE) * _LINE
        self.bytes = max(self.bytes, self._used)
        return self._text.entry_op(f"getelementptr i8, ptr {self._base}, i64 {offset}")

    def reserve_register(self, llvm: str, size: int, alignment: int) -> str:
        """The address of a variable that LLVM should keep in registers if it can, which it does for stack variables only."""
        if self._on_stack + size > _STACK_BUDGET:
            return self.reserve(size)
        self._on_stack += size
        return self._text.alloca(llvm, alignment)
