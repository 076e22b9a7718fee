"""Writing LLVM functions and modules as text.

A module holds a kernel's own functions. What kernels have in common (loads at any stride, the levels of a reduction tree, the
loop over points) are *support functions*: each is written once for a target, compiled once in a process, and called from
kernels' modules as an external function. ``support`` compiles them.

Every name that reaches the text is made here: ``%v<n>`` and ``b<n>`` within functions, ``@fz_<kind>_<counter>_<hash>`` for
functions, and external functions from a closed table. Names and strings of users have no way in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeVarTuple

from fuseir.codegen.elements import I64, ElementType
from fuseir.codegen.llvm.target import Target
from fuseir.codegen.llvm.types import Value, llvm_type, mangled

_Arguments = TypeVarTuple("_Arguments")

NON_TEMPORAL = "!0"
"""The one mark that instructions have: stores that go past the caches."""


class FunctionText:
    """One LLVM function being written, in order, with a current block.

    ``parameters`` are LLVM types with attributes; they are called ``%a0``, ``%a1``, … in order.
    """

    def __init__(self, parameters: Sequence[str], result: str = "void") -> None:
        self.parameters = list(parameters)
        self.result = result
        self.block = "entry"
        self._lines: list[str] = []
        self._entry: list[str] = []
        self._names = 0
        self._labels = 0

    def op(self, text: str) -> str:
        """Write an instruction with a result; returns the result's name."""
        name = self._fresh()
        self._lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Write an instruction without a result."""
        self._lines.append(f"  {text}")

    def alloca(self, llvm: str, alignment: int, initial: str | None = None) -> str:
        """Stack space of the whole function, made and initialised once, also if asked for inside a loop."""
        name = self.entry_op(f"alloca {llvm}, align {alignment}")
        if initial is not None:
            self._entry.append(f"  store {llvm} {initial}, ptr {name}, align {alignment}")
        return name

    def entry_op(self, text: str) -> str:
        """Write an instruction at the function's start, wherever the current block is; returns its result's name."""
        name = self._fresh()
        self._entry.append(f"  {name} = {text}")
        return name

    def label(self) -> str:
        """A new block's name, to be placed later."""
        self._labels += 1
        return f"b{self._labels}"

    def place(self, label: str) -> None:
        """Start a block. The one before must have ended in a branch."""
        self._lines.append(f"{label}:")
        self.block = label

    def branch(self, label: str) -> None:
        """End the block with a jump."""
        self.do(f"br label %{label}")

    def branch_if(self, condition: str, then: str, otherwise: str) -> None:
        """End the block with a choice."""
        self.do(f"br i1 {condition}, label %{then}, label %{otherwise}")

    @contextmanager
    def loop(self, start: str, stop: str, step: int | str) -> Generator[str, None, None]:
        """A counted loop: yields the ``i64`` that runs from ``start`` while it is below ``stop``, signed."""
        before = self.block
        header, body, after = self.label(), self.label(), self.label()
        self.branch(header)
        self.place(header)
        counter = self._fresh()
        phi = len(self._lines)
        self._lines.append("")  # the phi names the latch, known only after the body
        self.branch_if(self.op(f"icmp slt i64 {counter}, {stop}"), body, after)
        self.place(body)
        yield counter
        following = self.op(f"add nuw nsw i64 {counter}, {step}")
        self._lines[phi] = f"  {counter} = phi i64 [ {start}, %{before} ], [ {following}, %{self.block} ]"
        self.branch(header)
        self.place(after)

    @contextmanager
    def when(self, condition: str) -> Generator[None, None, None]:
        """Code that runs only if ``condition`` holds."""
        then, after = self.label(), self.label()
        self.branch_if(condition, then, after)
        self.place(then)
        yield
        self.branch(after)
        self.place(after)

    def splat(self, value: Value, lanes: int) -> str:
        """A scalar in each of ``lanes`` lanes; 0 lanes leave it a scalar, and a vector of that many stays as it is."""
        if value.lanes == lanes:
            return value.ref
        if value.is_literal:
            return f"splat ({value.element.llvm} {value.ref})"
        vector = llvm_type(value.element, lanes)
        first = self.op(f"insertelement {vector} poison, {value.element.llvm} {value.ref}, i64 0")
        return self.op(f"shufflevector {vector} {first}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def lanes_of(self, vector: str, value: str, first: int, count: int, total: int) -> str:
        """``count`` lanes of a vector of ``total`` lanes, from lane ``first`` on."""
        if count == total:
            return value
        indices = ", ".join(f"i32 {lane}" for lane in range(first, first + count))
        return self.op(f"shufflevector {vector} {value}, {vector} poison, <{count} x i32> <{indices}>")

    def join(self, element: ElementType, parts: list[str], lanes: int) -> str:
        """Concatenate vectors of ``lanes`` lanes pairwise; their number is a power of two."""
        while len(parts) > 1:
            vector = llvm_type(element, lanes)
            indices = ", ".join(f"i32 {lane}" for lane in range(2 * lanes))
            parts = [
                self.op(f"shufflevector {vector} {low}, {vector} {high}, <{2 * lanes} x i32> <{indices}>")
                for low, high in zip(parts[::2], parts[1::2], strict=True)
            ]
            lanes *= 2
        return parts[0]

    def lane_numbers(self, start: str, lanes: int) -> str:
        """The ``i64`` vector ``start, start + 1, …``."""
        numbers = ", ".join(f"i64 {lane}" for lane in range(lanes))
        return self.op(f"add <{lanes} x i64> {self.splat(Value(start, I64), lanes)}, <{numbers}>")

    def body(self) -> str:
        """The function from its opening brace on, complete once the last block has ended."""
        return "\n".join(["{", "entry:", *self._entry, *self._lines, "}"])

    def _fresh(self) -> str:
        self._names += 1
        return f"%v{self._names}"


@dataclass(frozen=True, slots=True)
class SupportFunction:
    """A function that kernels share: its symbol, which stands for its text, what it declares, and which of that is external."""

    symbol: str
    text: str
    declarations: tuple[str, ...]
    externs: tuple[str, ...]


class ModuleText:
    """An LLVM module being written for a target: functions, and declarations of what they call."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.externs: set[str] = set()
        self.functions: list[str] = []
        self.written_out = 0  # math functions whose instructions are in the module
        self._declarations: dict[str, str] = {}
        self._support: dict[str, tuple[SupportFunction, str]] = {}

    @property
    def declarations(self) -> tuple[str, ...]:
        """Declarations of intrinsics and functions of the closed table, by name."""
        return tuple(self._declarations[name] for name in sorted(self._declarations))

    @property
    def support_functions(self) -> tuple[SupportFunction, ...]:
        """The support functions that the module calls, by symbol."""
        return tuple(self._support[symbol][0] for symbol in sorted(self._support))

    def declare(self, name: str, result: str, parameters: Sequence[str], attributes: str = "") -> str:
        """Declare an LLVM intrinsic or a function of the closed table; returns its symbol."""
        if name not in self._declarations:
            self._declarations[name] = _declaration(name, result, parameters, attributes)
            if not name.startswith("llvm."):
                self.externs.add(name)
        return f"@{name}"

    def intrinsic(self, name: str, result: str, parameters: Sequence[str]) -> str:
        """Declare an LLVM intrinsic overloaded on one type, its first parameter's; returns its symbol."""
        return self.declare(f"llvm.{name}.{mangled(parameters[0])}", result, parameters)

    def define(self, kind: str, function: FunctionText, attributes: str = "", linkage: str = "internal ") -> str:
        """Add a finished function; returns its symbol. Equal modules get equal symbols."""
        parameters = ", ".join(f"{llvm} %a{position}" for position, llvm in enumerate(function.parameters))
        attributes = f"nounwind {attributes} {self.target.function_attributes}".replace("  ", " ").strip()
        rest = f"({parameters}) {attributes} {function.body()}"
        # Support functions of several targets may be in one process.
        digest = hashlib.sha256(f"{self.target.cpu} {self.target.features} {function.result} {rest}".encode())
        symbol = f"fz_{kind}_{len(self.functions)}_{digest.hexdigest()[:12]}"
        self.functions.append(f"define {linkage}{function.result} @{symbol}{rest}")
        return symbol

    def support(
        self, kind: str, build: Callable[[ModuleText, *_Arguments], FunctionText], *arguments: *_Arguments
    ) -> str:
        """The symbol of the support function that ``build(module, *arguments)`` writes: a pure function of its arguments."""
        function, declaration = _written(self.target, kind, build, *arguments)
        self._support[function.symbol] = function, declaration
        return f"@{function.symbol}"

    def __str__(self) -> str:
        """What LLVM compiles: the module's functions, everything else declared."""
        declared = [self._support[symbol][1] for symbol in sorted(self._support)]
        return module_text(self.functions, [*declared, *self.declarations])


def module_text(functions: Sequence[str], declarations: Sequence[str]) -> str:
    """A module's text."""
    marked = any(f"!nontemporal {NON_TEMPORAL}" in function for function in functions)
    marks = [f"{NON_TEMPORAL} = !{{i32 1}}"] if marked else []
    return "\n\n".join([*functions, "\n".join(declarations), *marks]) + "\n"


def _declaration(name: str, result: str, parameters: Sequence[str], attributes: str) -> str:
    return f"declare {result} @{name}({', '.join(parameters)}) {attributes}".rstrip()


@cache
def _written(
    target: Target, kind: str, build: Callable[[ModuleText, *_Arguments], FunctionText], *arguments: *_Arguments
) -> tuple[SupportFunction, str]:
    """A support function and its declaration. Kept, since writing one takes as long as writing a small kernel."""
    module = ModuleText(target)
    function = build(module, *arguments)
    symbol = module.define(kind, function, linkage="")
    assert not module.support_functions, "a support function calls no other"
    declaration = _declaration(symbol, function.result, function.parameters, "nounwind")
    return SupportFunction(symbol, module.functions[0], module.declarations, tuple(sorted(module.externs))), declaration
