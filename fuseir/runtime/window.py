"""The window: launches captured and not yet analysed, as light records (no IR), and its canonical form.

Two windows are the same program if a renaming of stores maps one onto the other (Diffuse §5.2). Stores are numbered by first occurrence
while launches are captured, so that little is left to do when the window is looked up: windows with equal keys may use one plan.
"""

from __future__ import annotations

from collections.abc import Container
from enum import StrEnum
from types import CodeType
from typing import NamedTuple

from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import View
from fuseir.location import CallSite
from fuseir.runtime.forms import Form
from fuseir.runtime.plan import Number
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import TaskInstance

Record = tuple[Form, tuple[RootStore, ...], tuple[Number, ...], CodeType, int]
"""A launch as captured: the fields of ``Launch``. A plain tuple takes a fraction of the time to make."""


class Launch(NamedTuple):
    """An index task, captured. ``form.partitions[k]`` divides the view ``form.views[k]`` of ``roots[k]``.

    ``code`` and ``instruction`` say where in the program it was launched.
    """

    form: Form
    roots: tuple[RootStore, ...]
    scalars: tuple[Number, ...]
    code: CodeType
    instruction: int

    @property
    def instance(self) -> TaskInstance:
        """The task, for these element types and ranks."""
        return self.form.instance

    @property
    def domain(self) -> Shape:
        """The launch domain."""
        return self.form.domain

    @property
    def partitions(self) -> tuple[Partition, ...]:
        """How each store argument's view is divided."""
        return self.form.partitions

    @property
    def views(self) -> tuple[View, ...]:
        """What each store argument shows of its root."""
        return self.form.views

    @property
    def site(self) -> CallSite:
        """Where in the program this was launched."""
        return CallSite(self.code, self.instruction)


class Life(StrEnum):
    """What the application can still see of a store behind the window, and what the store brings into it."""

    HELD = "held"
    """It has handles: what it holds at the end must be there. A store of the program, with a name."""
    RELEASED = "released"
    """It had contents before the window, and nobody can ask for them behind it."""
    INTERNAL = "internal"
    """It had no contents, and nobody can ask for them: it comes and goes inside the window."""


class Key(NamedTuple):
    """What a plan depends on.

    ``stream`` has, for each launch, its form and then the number of each argument's root; None stands for a fence. ``lives`` are those of
    the roots, by number. ``full``: whether the plan is to run the first task only.

    In the forms (Diffuse §5.2; D54-D59) are: the task (its text, privileges, element types, ranks and scalar types; its function if it is
    opaque), the launch domain, and for each argument its root's shape and element type, its view and its partition. What is pending
    behind a task is in the key as the launches that follow it. Fences stand where they separate launches.

    Not in the key, since no plan depends on it: values of scalars, which are arguments of kernels; names; where in the program a launch
    was; when a store was released, as ``capture_module`` does it behind the last launch that uses it; whether a store that is held had
    contents, as launches that read what was never written are not captured.
    """

    stream: tuple[Form | int | None, ...]
    lives: tuple[Life, ...]
    full: bool


class Segment:
    """A window as it is analysed and run: its key, and the binding of the key's numbers to stores and scalars.

    What lives on is decided when the segment is made: a handle that goes later goes too late for it.
    """

    __slots__ = ("key", "records", "roots")

    def __init__(self, key: Key, records: list[Record], roots: list[RootStore]) -> None:
        self.key = key
        self.records = records
        self.roots = roots

    @property
    def scalars(self) -> list[Number]:
        """The values of all launches' scalars, in order."""
        return [value for record in self.records for value in record[2]]

    @property
    def launches(self) -> list[Launch]:
        """The launches in program order: what launch numbers count."""
        return list(map(Launch._make, self.records))

    @property
    def entries(self) -> list[Launch | None]:
        """The launches in program order, with None for each fence."""
        launches = iter(self.launches)
        return [
            next(launches) if entry is not None else None
            for entry in self.key.stream
            if entry is None or type(entry) is Form
        ]

    def without(self, taken: Container[int]) -> Window:
        """What is left when the launches with these numbers have run. A fence goes with the last launch before it."""
        left = Window()
        number = 0
        for entry in self.key.stream:
            if entry is None:
                if left.records:
                    left.fence()
            elif type(entry) is Form:
                if number not in taken:
                    left.add(self.records[number])
                number += 1
        return left


class Window:
    """What is captured, in order. ``Session.capture`` adds launches, in place, as ``add`` does."""

    __slots__ = ("numbers", "records", "stream")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.stream: list[Form | int | None] = []
        """As in ``Key``, and maybe a fence at either end."""
        self.numbers: dict[RootStore, int] = {}

    def add(self, record: Record) -> None:
        """A launch."""
        numbers = self.numbers
        self.stream.append(record[0])
        self.stream += [numbers.setdefault(root, len(numbers)) for root in record[1]]
        self.records.append(record)

    def fence(self) -> None:
        """Nothing moves or fuses across this. One is as good as many."""
        if not self.stream or self.stream[-1] is not None:
            self.stream.append(None)

    def segment(self, *, full: bool) -> Segment:
        """All that is captured, as of now. Linear in the number of arguments."""
        stream = self.stream
        if stream[0] is None or stream[-1] is None:
            stream = stream[stream[0] is None : len(stream) - (stream[-1] is None)]
        held, released, internal = Life.HELD, Life.RELEASED, Life.INTERNAL
        roots = list(self.numbers)
        lives = [held if root.handle() is not None else internal if root.buffer is None else released for root in roots]
        return Segment(Key(tuple(stream), tuple(lives), full), self.records, roots)
