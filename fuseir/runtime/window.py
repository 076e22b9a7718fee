"""The window: launches captured and not yet analysed, as light records (no IR), and its canonical form.

Two windows are the same program if a renaming of stores maps one onto the other (Diffuse §5.2). The canonical form numbers stores by first
occurrence: windows with equal keys may use one plan.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import chain, repeat
from operator import attrgetter, call, is_, itemgetter
from types import CodeType
from typing import Any, Generic, NamedTuple, TypeVar

from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import View
from fuseir.location import CallSite
from fuseir.runtime.forms import Form
from fuseir.runtime.plan import Number
from fuseir.runtime.signatures import Signature
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import TaskInstance

Record = tuple[Form | None, tuple[RootStore, ...], tuple[Number, ...], CodeType | None, int]
"""A launch as captured: the fields of ``Launch``; a plain tuple takes a fraction of the time to make. Without a form: a fence."""

FENCE: Record = (None, (), (), None, 0)

_form, _roots, _scalars = itemgetter(0), itemgetter(1), itemgetter(2)
_handle = attrgetter("handle")

_T = TypeVar("_T")

_MOST_LIVES = 64


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

    ``forms`` are those of the launches, None stands for a fence; ``numbers`` are of the roots of all store arguments; ``lives`` are those
    of the roots, by number. ``full``: whether the plan is to leave the last task.

    In the forms (Diffuse §5.2; D54-D59) are: the task (its text, privileges, element types, ranks and scalar types; its function if it is
    opaque), the launch domain, and for each argument its root's shape and element type, its view and its partition. What is pending
    behind a task is in the key as the launches that follow it. Fences stand where they separate launches.

    Not in the key, since no plan depends on it: values of scalars, which are arguments of kernels; names; where in the program a launch
    was; when a store was released, as ``capture_module`` does it behind the last launch that uses it; whether a store that is held had
    contents, as launches that read what was never written are not captured.
    """

    forms: tuple[Form | None, ...]
    numbers: tuple[int, ...]
    lives: tuple[Life, ...]
    full: bool

    @property
    def signatures(self) -> list[Signature]:
        """By number: one of the signatures that arguments have on the root, which tells its shape and element type."""
        arguments = chain.from_iterable(form.signatures for form in self.forms if form is not None)
        found: dict[int, Signature] = {}
        for number, signature in zip(self.numbers, arguments, strict=True):
            found.setdefault(number, signature)
        return list(found.values())


class Segment:
    """A window as it is analysed and run.

    What lives on is decided when the segment is numbered: a handle that goes later goes too late for it. That happens at once with a
    ``Numbering`` that fits, else when the key or the roots are asked for.
    """

    def __init__(self, records: list[Record], full: bool, waiting: Sequence[Record] = ()) -> None:
        """``waiting`` is what waits behind the segment."""
        self.records = records
        self.full = full
        self.waiting = waiting
        self.forms: tuple[Form | None, ...] = tuple(map(_form, records))
        self.arguments: tuple[RootStore, ...] = tuple(chain.from_iterable(map(_roots, records)))
        """The roots of all store arguments, in order."""

    @property
    def scalars(self) -> list[Number]:
        """The values of all launches' scalars, in order."""
        return list(chain.from_iterable(map(_scalars, self.records)))

    @property
    def later(self) -> list[RootStore]:
        """The roots without handles that live on, as launches which wait use them."""
        return [root for record in self.waiting for root in record[1] if root.handle() is None]

    @cached_property
    def roots(self) -> tuple[RootStore, ...]:
        """The roots by number: each once, by first occurrence."""
        return tuple(dict.fromkeys(self.arguments))

    @cached_property
    def key(self) -> Key:
        """What the segment's plan depends on. Linear in the number of arguments."""
        numbers = {root: number for number, root in enumerate(self.roots)}
        return Key(
            self.forms, tuple([numbers[root] for root in self.arguments]), lives_of(self.roots, self.later), self.full
        )

    @property
    def entries(self) -> list[Launch | None]:
        """The launches in program order, with None for each fence."""
        return entries_of(self.records)

    @property
    def launches(self) -> list[Launch]:
        """The launches in program order: what launch numbers count."""
        return [entry for entry in self.entries if entry is not None]

    def without_contents(self) -> Segment:
        """The same on stores without memory, for who looks at it later: it keeps nothing alive."""
        copies = [RootStore(root.signature, root.name, None) for root in self.roots]
        numbers = iter(self.key.numbers)
        records: list[Record] = []
        for form, roots, scalars, code, instruction in self.records:
            records.append((form, tuple([copies[next(numbers)] for _ in roots]), scalars, code, instruction))
        found = Segment(records, self.full)
        found.key = self.key
        return found

    def without(self, taken: Container[int]) -> list[Record]:
        """What is left when the launches with these numbers have run. A fence goes with the last launch before it."""
        left: list[Record] = []
        number = 0
        for record in self.records:
            if record[0] is None:
                if left:
                    left.append(record)
            else:
                if number not in taken:
                    left.append(record)
                number += 1
        return left


def entries_of(records: Iterable[Record]) -> list[Launch | None]:
    """The launches among records, with None for each fence."""
    return [
        None if form is None or code is None else Launch(form, roots, scalars, code, instruction)
        for form, roots, scalars, code, instruction in records
    ]


def lives_of(roots: tuple[RootStore, ...], later: Container[RootStore] = ()) -> tuple[Life, ...]:
    """The lives of roots, as of now; launches that wait use those in ``later``."""
    held, released, internal = Life.HELD, Life.RELEASED, Life.INTERNAL
    return tuple(
        [
            held if root.handle() is not None or root in later else internal if root.buffer is None else released
            for root in roots
        ]
    )


class Numbering(Generic[_T]):
    """How keys of some forms number roots, and what is known for each pattern of lives: found quickly for other segments of these forms."""

    __slots__ = ("_first", "_known", "_spread", "numbers")

    def __init__(self, numbers: tuple[int, ...]) -> None:
        self.numbers = numbers
        places: dict[int, int] = {}
        for place, number in enumerate(numbers):
            places.setdefault(number, place)
        self._first = _getter(list(places.values()))
        self._spread = _getter(numbers)
        self._known: dict[tuple[bool, ...], tuple[list[int], list[int], _T]] = {}
        """By which roots are dead: those that must have no buffer, those that must have one, and what is known then."""

    def add(self, key: Key, known: _T) -> None:
        """Keeps what is known for a key with these numbers; of two that differ only in what dead roots have in memory, the last."""
        numbered = list(enumerate(key.lives))
        # Whoever replaces all contents at once does not care whether there were any: released is internal for it.
        arguments = [(form, k) for form in key.forms if form is not None for k in range(len(form.views))]
        first, signatures = self._first(tuple(arguments)), key.signatures
        internal: list[int] = []
        for number, life in numbered:
            form, argument = first[number]
            if life is Life.INTERNAL and not _replaces(form, argument, signatures[number].store_shape):
                internal.append(number)
        released = [number for number, life in numbered if life is Life.RELEASED]
        if len(self._known) >= _MOST_LIVES:
            self._known.clear()
        self._known[tuple([life is not Life.HELD for life in key.lives])] = internal, released, known

    def find(self, segment: Segment) -> _T | None:
        """What is known for the segment's key, if it has this numbering. Then its roots are numbered."""
        arguments = segment.arguments
        roots = self._first(arguments)
        if self._spread(roots) != arguments or len(set(roots)) < len(roots):
            return None
        # By identity: handles compare element by element.
        dead = tuple(map(is_, map(call, map(_handle, roots)), repeat(None)))
        if segment.waiting and (later := segment.later):
            dead = tuple([is_dead and root not in later for is_dead, root in zip(dead, roots, strict=True)])
        found = self._known.get(dead)
        if found is None:
            return None
        internal, released, known = found
        for number in internal:
            if roots[number].buffer is not None:
                return None
        for number in released:
            if roots[number].buffer is None:
                return None
        segment.roots = roots
        return known


def _replaces(form: Form, argument: int, shape: Shape) -> bool:
    """Whether launches of a form write all of an argument's root, of this shape, and do not look at it."""
    return argument not in form.needed and form.replaces(argument, shape)


def _getter(positions: Sequence[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """The elements of a tuple at these positions, as a tuple."""
    if len(positions) >= 2:
        return itemgetter(*positions)
    return lambda values: tuple([values[k] for k in positions])


class Window:
    """What is captured and waits, in order.

    ``records`` is one list for ever, and a launch is added by one ``append``: threads need no lock for that. With ``limit`` of them it
    is worth
    a look; that it is full is one thing that this can find, with ``size`` launches. ``start`` is the first record's position in the stream.
    """

    __slots__ = ("limit", "records", "size", "start")

    def __init__(self, size: int) -> None:
        self.records: list[Record] = []
        self.size = self.limit = size
        self.start = 0

    @property
    def end(self) -> int:
        """The position of the next record."""
        return self.start + len(self.records)

    def fence(self) -> None:
        """Nothing moves or fuses across this. One is as good as many."""
        if not self.records or self.records[-1] is not FENCE:
            self.records.append(FENCE)

    def count(self, end: int) -> int:
        """How many launches wait before a position."""
        before = self.records[: max(end - self.start, 0)]
        return len(before) - before.count(FENCE)

    def changes(self, root: RootStore) -> bool:
        """Whether a launch that waits changes a store."""
        for form, roots, _, _, _ in self.records:
            if root in roots and form is not None and any(roots[k] is root for k in form.changed):
                return True
        return False

    def take(self, *, full: bool, end: int | None = None) -> Segment | None:
        """Takes all records out, or those before a position. None if no launch is among them."""
        records = self.records[: None if end is None else max(end - self.start, 0)]
        del self.records[: len(records)]
        self.start += len(records)
        # Fences at the ends separate nothing.
        if records and records[-1] is FENCE:
            records.pop()
        if records and records[0] is FENCE:
            records.pop(0)
        return Segment(records, full, self.records[:]) if records else None

    @property
    def launches(self) -> list[Launch]:
        """The launches that wait."""
        return [entry for entry in entries_of(self.records) if entry is not None]

    def put_back(self, records: list[Record]) -> None:
        """Puts what did not run in front of what was added meanwhile."""
        self.records[:0] = records
        self.start -= len(records)
