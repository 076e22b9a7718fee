"""Writing LLVM functions and modules as text.

Every name that reaches the text is made here: ``%v<n>`` and ``b<n>`` within functions, ``@fz_<kind>_<counter>_<hash>`` for
functions, and external functions from a closed table. Names and strings of users have no way in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import contextmanager

from fuseir.codegen.llvm.target import Target
from fuseir.codegen.llvm.types import I64, Value, llvm_type, mangled


class FunctionText:
    """One LLVM function being written, in order, with a current block.

    ``parameters`` are LLVM types with attributes; they are called ``%a0``, ``%a1``, … in order.
    """

    def __init__(self, parameters: Sequence[str], result: str = "void") -> None:
        self.parameters = list(parameters)
        self.result = result
        self.block = "entry"
        self._lines: list[str] = []
        self._allocas: list[str] = []
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
        name = self._fresh()
        self._allocas.append(f"  {name} = alloca {llvm}, align {alignment}")
        if initial is not None:
            self._allocas.append(f"  store {llvm} {initial}, ptr {name}, align {alignment}")
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
    def loop(self, start: str, stop: str, step: int) -> Generator[str, None, None]:
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

    def lane_numbers(self, start: str, lanes: int) -> str:
        """The ``i64`` vector ``start, start + 1, …``."""
        numbers = ", ".join(f"i64 {lane}" for lane in range(lanes))
        return self.op(f"add <{lanes} x i64> {self.splat(Value(start, I64), lanes)}, <{numbers}>")

    def body(self) -> str:
        """The function from its opening brace on, complete once the last block has ended."""
        return "\n".join(["{", "entry:", *self._allocas, *self._lines, "}"])

    def _fresh(self) -> str:
        self._names += 1
        return f"%v{self._names}"


class ModuleText:
    """An LLVM module being written for a target: functions, and declarations of what they call."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.externs: set[str] = set()
        self._declarations: dict[str, str] = {}
        self._functions: list[str] = []
        self._helpers: dict[Hashable, str] = {}

    def declare(self, name: str, result: str, parameters: Sequence[str], attributes: str = "") -> str:
        """Declare an LLVM intrinsic or a function of the closed table; returns its symbol."""
        if name not in self._declarations:
            self._declarations[name] = f"declare {result} @{name}({', '.join(parameters)}) {attributes}".rstrip()
            if not name.startswith("llvm."):
                self.externs.add(name)
        return f"@{name}"

    def intrinsic(self, name: str, result: str, parameters: Sequence[str]) -> str:
        """Declare an LLVM intrinsic overloaded on one type, its first parameter's; returns its symbol."""
        return self.declare(f"llvm.{name}.{mangled(parameters[0])}", result, parameters)

    def define(self, kind: str, function: FunctionText, attributes: str = "", linkage: str = "internal ") -> str:
        """Add a finished function; returns its symbol. Equal modules get equal symbols."""
        body = function.body()
        digest = hashlib.sha256(body.encode()).hexdigest()[:12]
        symbol = f"fz_{kind}_{len(self._functions)}_{digest}"
        parameters = ", ".join(f"{llvm} %a{position}" for position, llvm in enumerate(function.parameters))
        attributes = f"nounwind {attributes} {self.target.function_attributes}".replace("  ", " ").strip()
        self._functions.append(f"define {linkage}{function.result} @{symbol}({parameters}) {attributes} {body}")
        return symbol

    def helper(self, key: Hashable, kind: str, build: Callable[[], FunctionText], attributes: str = "noinline") -> str:
        """The symbol of a function made once a module; ``key`` says what it does and for which types."""
        if key not in self._helpers:
            self._helpers[key] = "@" + self.define(kind, build(), attributes)
        return self._helpers[key]

    def __str__(self) -> str:
        declarations = [self._declarations[name] for name in sorted(self._declarations)]
        return "\n\n".join([*self._functions, "\n".join(declarations)]) + "\n"
