"""A CUDA source while it is written: its functions, their entry points, and the helpers that they use."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from fuseir.codegen.cuda.kernels import Kind
from fuseir.codegen.cuda.text import KernelText, source_text, wrapped

Version = tuple[str, str, str]
"""A version of a kernel: the suffix of its entry point, its index type, and the template arguments of what it calls."""


_ROW_THREADS, _COLUMN_THREADS, _FINISH_THREADS = 256, 512, 1024


@dataclass
class Source:
    """The functions of one source, in order."""

    helpers: set[str] = field(default_factory=set[str])
    functions: list[str] = field(default_factory=list[str])
    count: int = 0

    def define(
        self, kind: Kind, text: KernelText, *, comment: str, template: str, versions: Sequence[Version], threads: int
    ) -> str:
        """Add a kernel: a function template, and an entry point for each version. The symbol that theirs begin with.

        ``comment`` is in the emitters' own words. ``threads`` are those of a block, at most.
        """
        name = f"fz_{kind.value}_{self.count}"
        self.count += 1
        body = "\n".join(text.lines)
        signature = wrapped(f"__device__ __forceinline__ void {name}(", text.declared(index="Index"), ")", "    ")
        function = f"// {comment}\ntemplate <{template}>\n{signature}\n{{\n{body}\n}}\n"
        symbol = f"{name}_{hashlib.sha256(function.encode()).hexdigest()[:12]}"
        entries: list[str] = []
        for suffix, index, arguments in versions:
            head = f'extern "C" __global__ void __launch_bounds__({threads}) {symbol}{suffix}('
            entry = wrapped(head, text.declared(index=index), ")", "    ")
            call = wrapped(
                f"    {name}<{arguments}>(", [parameter.name for parameter in text.ordered], ");", "        "
            )
            entries.append(f"{entry}\n{{\n{call}\n}}\n")
        self.functions.append("\n".join([function, *entries]))
        return symbol

    def __str__(self) -> str:
        return source_text(self.functions, self.helpers)


def team_form(kind: Kind, chunked: bool) -> tuple[str, int, str, list[Version]]:
    """Of a kernel of teams: what it says of itself, the threads of its blocks at most, its template's parameters, and its versions."""
    indices = (("", "int"), ("_wide", "s64"))
    if kind is Kind.COLUMNS:
        comment = "32 threads above each other to an item, neighbours side by side."
        return comment, _COLUMN_THREADS, "typename Index", [(s, i, i) for s, i in indices]
    if kind is Kind.FINISH:
        comment = "A block to an item: folds what the kernel before left."
        return comment, _FINISH_THREADS, "typename Index", [(s, i, i) for s, i in indices]
    if chunked:
        versions = [(s, i, f"{i}, WarpTeam") for s, i in indices]
        return "A warp to a chunk of a reduction.", _ROW_THREADS, "typename Index, typename Team", versions
    versions = [(f"{b}{s}", i, f"{i}, {t}") for b, t in (("", "WarpTeam"), ("_block", "BlockTeam")) for s, i in indices]
    return "A warp or a block to an item.", _ROW_THREADS, "typename Index, typename Team", versions
