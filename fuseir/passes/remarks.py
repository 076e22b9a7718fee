"""What passes say about what they did and what they declined to do.

A pass that leaves something as it is names the task, the store and the reason, in MLIR's kinds of remark. Remarks go into a
collector that the caller hands to the pass; nothing is global and nothing is printed here. Remarks hold text and places, no IR, so they
may outlive the module. docs/remarks.md lists all codes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from fuseir.dialects.dist.trace import refuse_replays
from fuseir.dialects.verification import location_of
from fuseir.errors import SourceLocation

_MOST_NOTES = 4
"""Tasks whose places a remark prints; a group of a thousand would bury the message."""

LineOf = Callable[[SourceLocation], str | None]
"""The text of the line that a location names, None if it is not known."""


class RemarkKind(StrEnum):
    """MLIR's kinds: a transformation done, one not done, one that could not be done, and a fact."""

    PASSED = "passed"
    MISSED = "missed"
    FAILED = "failed"
    ANALYSIS = "analysis"


@dataclass(frozen=True)
class TaskPlace:
    """A task that a remark is about, and where it was launched."""

    task: str
    location: SourceLocation | None = None


@dataclass(frozen=True)
class Remark:
    """One statement of one pass. ``code`` is stable (``FIR-N101``); documentation and tools refer to it.

    ``tasks`` are those concerned, in program order; ``store`` is the store at fault, ``partitions`` are how its pieces differ, as text.
    """

    kind: RemarkKind
    code: str
    pass_name: str
    message: str
    location: SourceLocation | None = None
    tasks: tuple[TaskPlace, ...] = ()
    store: str | None = None
    partitions: tuple[str, ...] = ()
    suggestion: str | None = None

    def headline(self) -> str:
        """All but the places, on one line."""
        return f"[{self.kind}] {self.pass_name}: {self.message} [{self.code}]"

    def text(self) -> str:
        """As compilers print diagnostics: the line and a caret where known, the other tasks' places, the suggestion."""
        lines = [str(self), *(self.location.excerpt() if self.location else [])]
        others = [place for place in self.tasks if place.location not in (None, self.location)]
        for place in others[:_MOST_NOTES]:
            assert place.location is not None
            lines += [f"{place.location}: note: '@{place.task}' is launched here", *place.location.excerpt()]
        if len(others) > _MOST_NOTES:
            lines.append(f"note: and {len(others) - _MOST_NOTES} more launches")
        if self.suggestion is not None:
            lines.append(f"note: {self.suggestion}")
        return "\n".join(lines)

    def with_lines(self, line_of: LineOf) -> Remark:
        """The remark with the text of the lines that its locations name."""

        def filled(location: SourceLocation | None) -> SourceLocation | None:
            return None if location is None else replace(location, text=line_of(location))

        tasks = tuple(replace(place, location=filled(place.location)) for place in self.tasks)
        return replace(self, location=filled(self.location), tasks=tasks)

    def __str__(self) -> str:
        head = f"{self.location}: " if self.location else ""
        return f"{head}remark: {self.headline()}"


class Explanation(list[Remark]):
    """A list of remarks that prints as text."""

    def __str__(self) -> str:
        return "\n".join(remark.text() for remark in self)

    __repr__ = __str__


class Remarks:
    """Collects the remarks of one run of a pass or a pipeline, in the order in which they were made."""

    def __init__(self) -> None:
        self._remarks: list[Remark] = []

    def add(
        self,
        kind: RemarkKind,
        code: str,
        pass_name: str,
        message: str,
        about: Operation | None = None,
        *,
        tasks: Sequence[tuple[str, Operation]] = (),
        store: str | None = None,
        partitions: Sequence[str] = (),
        suggestion: str | None = None,
    ) -> None:
        """Add a remark, located where the operation it is about was read from; ``tasks`` are names and launches."""
        places = tuple(TaskPlace(_one_line(name), location_of(launch)) for name, launch in tasks)
        self._remarks.append(
            Remark(
                kind,
                code,
                pass_name,
                _one_line(message),
                None if about is None else location_of(about),
                places,
                None if store is None else _one_line(store),
                tuple(partitions),
                suggestion,
            )
        )

    def extend(self, remarks: Iterable[Remark]) -> None:
        """Add the remarks of another run."""
        self._remarks.extend(remarks)

    def __iter__(self) -> Iterator[Remark]:
        return iter(self._remarks)

    def __len__(self) -> int:
        return len(self._remarks)


class RemarkingPass(ModulePass):
    """A pass that can say what it did: ``run`` takes a collector, ``apply`` (xDSL's entry point) drops what was said."""

    looks_into_traces: ClassVar[bool] = False
    """Whether it knows what a replay does. Those that do not refuse programs that replay traces (``check``)."""

    @abstractmethod
    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Rewrite the module, adding to ``remarks``."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrite the module."""
        self.check(op)
        self.run(op, Remarks())

    def check(self, module: ModuleOp) -> None:
        """Raises UnsupportedError for a program that the pass does not understand; who calls ``run`` asks before."""
        if not self.looks_into_traces:
            refuse_replays(module, f"pass '{self.name}'")


def _one_line(text: str) -> str:
    """Names come from the input and may hold anything; what does not print is spelt out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
