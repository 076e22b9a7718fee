"""Privileges: what a task may do with an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Operator(StrEnum):
    """The reduction operators; associative and commutative up to rounding."""

    ADD = "add"
    MUL = "mul"
    MIN = "min"
    MAX = "max"
    AND = "and"
    OR = "or"
    XOR = "xor"


class PrivilegeKind(StrEnum):
    """The kinds of access (papers: Diffuse §3.2). ``NO_ACCESS`` sees the shape of the tile only."""

    READ = "read"
    WRITE = "write"
    READ_WRITE = "read_write"
    REDUCE = "reduce"
    NO_ACCESS = "no_access"


@dataclass(frozen=True, slots=True)
class Privilege:
    """A kind of access, with its operator where it is a reduction.

    What it means is worked out once, as the capture path asks often: ``reads``, the old contents are seen (D10: read_write
    reads and writes); ``writes``, they are replaced; ``reduces``, values are folded into them; ``returned``, a kernel returns the
    argument's new tile or its partial.
    """

    kind: PrivilegeKind
    operator: Operator | None = None
    reads: bool = field(init=False, repr=False, compare=False)
    writes: bool = field(init=False, repr=False, compare=False)
    reduces: bool = field(init=False, repr=False, compare=False)
    returned: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        reads = self.kind in (PrivilegeKind.READ, PrivilegeKind.READ_WRITE)
        writes = self.kind in (PrivilegeKind.WRITE, PrivilegeKind.READ_WRITE)
        reduces = self.kind is PrivilegeKind.REDUCE
        for name, value in (
            ("reads", reads),
            ("writes", writes),
            ("reduces", reduces),
            ("returned", writes or reduces),
        ):
            object.__setattr__(self, name, value)

    @staticmethod
    def parse(text: str) -> Privilege:
        """The privilege that prints as ``text``. Raises ValueError."""
        if text.startswith("reduce<") and text.endswith(">"):
            return Privilege(PrivilegeKind.REDUCE, Operator(text[len("reduce<") : -1]))
        kind = PrivilegeKind(text)
        if kind is PrivilegeKind.REDUCE:
            raise ValueError("a reduction needs an operator: reduce<add>")
        return Privilege(kind)

    def __str__(self) -> str:
        return f"{self.kind}<{self.operator}>" if self.operator else str(self.kind)


READ = Privilege(PrivilegeKind.READ)
WRITE = Privilege(PrivilegeKind.WRITE)
READ_WRITE = Privilege(PrivilegeKind.READ_WRITE)
NO_ACCESS = Privilege(PrivilegeKind.NO_ACCESS)
