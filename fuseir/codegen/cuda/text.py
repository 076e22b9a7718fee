"""CUDA C++ text in the making: a kernel's parameters and lines, a source's kernels and the helpers they use.

All names are made here or by the emitters, of letters of their own and a number; nothing that users wrote gets into a source.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field

from fuseir.codegen.cuda.helpers import HELPERS, PROLOGUE, with_needs
from fuseir.codegen.cuda.kernels import Bound, Chunking, Extent, Parameter, Pointer, Scalar, Stride
from fuseir.codegen.cuda.types import cpp_type, memory_type

_INDENT = "    "


@dataclass
class KernelText:
    """One kernel while it is written: its parameters in order of first use, its lines, and the helpers it calls.

    ``helpers`` is the source's. Numbers for values are counted by kernel.
    """

    helpers: set[str]
    parameters: dict[Parameter, str] = field(default_factory=dict[Parameter, str])
    lines: list[str] = field(default_factory=list[str])
    _depth: int = 1
    _values: int = 0

    def parameter(self, parameter: Parameter) -> str:
        """The name of a parameter, which the kernel has from now on."""
        return self.parameters.setdefault(parameter, parameter.name)

    def line(self, text: str = "") -> None:
        """Add a line."""
        self.lines.append(_INDENT * self._depth + text if text else "")

    def comment(self, text: str) -> None:
        """Add a comment line, of the emitters' own words."""
        self.line(f"// {text}")

    def value(self, kind: str, expression: str, name: str = "v") -> str:
        """Give a value a name."""
        self._values += 1
        numbered = f"{name}{self._values}"
        self.line(f"const {kind} {numbered} = {expression};")
        return numbered

    def fresh(self, name: str) -> str:
        """A name with a number that no other has."""
        self._values += 1
        return f"{name}{self._values}"

    @contextmanager
    def block(self, head: str) -> Generator[None, None, None]:
        """The lines within belong to ``head``, a loop or an ``if``."""
        self.line(head + " {")
        self._depth += 1
        yield
        self._depth -= 1
        self.line("}")

    @property
    def ordered(self) -> tuple[Parameter, ...]:
        """The parameters in the order in which they are declared: pointers first, and extents before strides."""
        kinds = (Pointer, Bound, Extent, Stride, Scalar, Chunking)

        def place(parameter: Parameter) -> tuple[int, list[str], list[int]]:
            name = parameter.name
            return (
                kinds.index(type(parameter)),
                re.findall(r"[a-z_]+", name),
                [int(n) for n in re.findall(r"\d+", name)],
            )

        return tuple(sorted(self.parameters, key=place))

    def declared(self, *, index: str) -> list[str]:
        """The parameters as C++ declares them; indices are of the type ``index``."""
        return [declaration(parameter, parameter.name, index) for parameter in self.ordered]


def declaration(parameter: Parameter, name: str, index: str) -> str:
    """A parameter as C++ declares it."""
    if isinstance(parameter, Pointer):
        constant = "" if parameter.written else "const "
        return f"{constant}{memory_type(parameter.element)} *__restrict__ {name}"
    if isinstance(parameter, Scalar):
        return f"{cpp_type(parameter.element)} {name}"
    return f"{index} {name}"


def source_text(functions: Iterable[str], helpers: set[str]) -> str:
    """A whole source: the prologue, the helpers it needs, the functions."""
    parts = [PROLOGUE, *(HELPERS[name].text for name in with_needs(helpers)), *functions]
    return "\n".join(parts)


def wrapped(head: str, items: Iterable[str], tail: str, indent: str) -> str:
    """``head`` items ``tail``, broken into lines of at most 120 characters."""
    lines, line = list[str](), head
    for number, item in enumerate(listed := list(items)):
        piece = item + ("," if number + 1 < len(listed) else "")
        if len(line) + 1 + len(piece) > 118 and line.strip():
            lines.append(line.rstrip())
            line = indent + piece
        else:
            line += ("" if line.endswith("(") or line == indent else " ") + piece
    return "\n".join([*lines, line + tail])
