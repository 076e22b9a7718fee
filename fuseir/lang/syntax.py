"""What a task's text says, before anything is known about types.

The expressions of a task are one flat list of nodes in evaluation order: a node's operands come before it. Whoever
walks them does so in a loop, so no nesting of the text can exhaust Python's stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fuseir.errors import FuseirError, SourceLocation

KEYWORDS = frozenset({"task", "let", "and", "or", "not"})

MAX_TEXT = 1_000_000
"""Characters in one text."""

MAX_NODES = 20_000
"""Operators, calls, names and literals in one task."""

MAX_PARAMETERS = 1_000


@dataclass(frozen=True, slots=True)
class Position:
    """1-based line and column in a text."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text and the name its errors give it."""

    filename: str
    text: str

    def location(self, position: Position) -> SourceLocation:
        """The place that errors print."""
        # Cut the line out by hand: splitting the text would cost its whole length for every error location made.
        start = 0
        for _ in range(position.line - 1):
            start = self.text.index("\n", start) + 1
        end = self.text.find("\n", start)
        line = self.text[start:] if end < 0 else self.text[start:end]
        return SourceLocation(self.filename, position.line, position.column, line.rstrip("\r"))

    def error(
        self, kind: type[FuseirError], position: Position, message: str, notes: tuple[str, ...] = ()
    ) -> FuseirError:
        """An error of class ``kind`` that points at ``position``."""
        return kind(message, location=self.location(position), notes=notes)


@dataclass(frozen=True, slots=True)
class Node:
    """One step of an expression.

    ``name`` is a literal's digits, a variable's name, an operator's sign or a function's name; ``operands`` are indices of
    earlier nodes; ``axes`` is what a reduction's ``axis=`` says, None without one.
    """

    kind: Literal["number", "name", "operator", "call"]
    name: str
    position: Position
    operands: tuple[int, ...] = ()
    axes: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """``target sign value``, the sign being ``let`` for a definition; ``first`` … ``value`` are its nodes."""

    target: str
    sign: str
    first: int
    value: int
    position: Position
    sign_position: Position


@dataclass(frozen=True, slots=True)
class Parameter:
    """``name: privilege<operator>`` as written, unchecked."""

    name: str
    privilege: str
    operator: str | None
    position: Position
    privilege_position: Position


@dataclass(frozen=True, slots=True)
class TaskSyntax:
    """One task of a text; without nodes and statements where only the signature was written."""

    source: SourceText
    name: str
    position: Position
    parameters: tuple[Parameter, ...]
    nodes: tuple[Node, ...] = ()
    statements: tuple[Statement, ...] = ()
