"""Why a window was not known: the nearest window that is, and the first thing in which the two differ.

Runs on misses only, on the keys of ``window.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from fuseir.dialects.dist.view import View
from fuseir.runtime.forms import Form
from fuseir.runtime.tasks import TaskInstance
from fuseir.runtime.window import Key, Life


class Difference(NamedTuple):
    """What is new about a window, in words, and the number of the launch where it shows; None if the window has no such launch."""

    text: str
    launch: int | None


class _Use(NamedTuple):
    """A launch of a key, with what the key says about its stores."""

    form: Form
    numbers: tuple[int, ...]
    lives: tuple[Life, ...]


_Entry = _Use | None
"""A launch or a fence."""


def nearest_difference(key: Key, known: Iterable[Key]) -> Difference | None:
    """How a window differs from the nearest of those known; None if none is.

    The nearest is the one that agrees longest from the front, then in the most places, then in the most fields, then the one that
    comes first.
    """
    entries = _entries(key)
    best: tuple[tuple[int, int, int, bool], Key, list[_Entry]] | None = None
    for other in known:
        others = _entries(other)
        equal = [a == b for a, b in zip(entries, others, strict=False)]
        fields = sum(_equal_fields(a, b) for a, b in zip(entries, others, strict=False))
        rank = next(_where_not(equal), len(equal)), sum(equal), fields, key.full == other.full
        if best is None or rank > best[0]:
            best = rank, other, others
    if best is None:
        return None
    _, other, others = best
    return _first_difference(key, entries, other, others)


def _entries(key: Key) -> list[_Entry]:
    entries: list[_Entry] = []
    arguments = iter(key.numbers)
    for form in key.forms:
        if form is None:
            entries.append(None)
        else:
            numbers = tuple(islice(arguments, len(form.views)))
            entries.append(_Use(form, numbers, tuple(key.lives[number] for number in numbers)))
    return entries


def _equal_fields(a: _Entry, b: _Entry) -> int:
    if a is None or b is None:
        return a is b
    tasks = a.form.instance, b.form.instance
    return sum(
        (
            tasks[0].task_name == tasks[1].task_name,
            tasks[0].argument_types == tasks[1].argument_types,
            a.form.domain == b.form.domain,
            a.form.partitions == b.form.partitions,
            a.form.signatures == b.form.signatures,
            a.numbers == b.numbers,
            a.lives == b.lives,
        )
    )


def _where_not(values: Sequence[bool]) -> Iterator[int]:
    return (k for k, value in enumerate(values) if not value)


def _first_difference(key: Key, entries: list[_Entry], other: Key, others: list[_Entry]) -> Difference:
    count = sum(entry is not None for entry in entries)
    launch = 0  # launches passed
    for k in range(max(len(entries), len(others))):
        mine = entries[k] if k < len(entries) else None
        theirs = others[k] if k < len(others) else None
        if k < len(entries) and k < len(others) and mine == theirs:
            launch += mine is not None
            continue
        if k >= len(entries):
            return Difference(f"it ends after launch {count}; the known one goes on{_with(theirs)}", None)
        place = f"launch {launch + 1} of {count}"
        if mine is None:
            return Difference(f"{place} stands behind a fence, not so in the known one", launch)
        place += f" ('{mine.form.instance.task_name}')"
        if k >= len(others):
            return Difference(f"{place} is new: the known window ends before it", launch)
        if theirs is None:
            return Difference(f"{place} stands behind a fence in the known one, not here", launch)
        return Difference(f"{place}: {_of_uses(mine, theirs, entries[:k], others[:k])}", launch)
    kinds = {True: "it is full, and its last task is to wait", False: "it is run to its end"}
    return Difference(f"{kinds[key.full]}; of the known one: {kinds[other.full]}", None)


def _with(entry: _Entry) -> str:
    return " with a fence" if entry is None else f" with '{entry.form.instance.task_name}'"


def _of_uses(mine: _Use, theirs: _Use, before: Sequence[_Entry], before_theirs: Sequence[_Entry]) -> str:
    """The first field in which two launches differ."""
    a, b = mine.form, theirs.form
    if a.instance is not b.instance and (difference := _of_instances(a.instance, b.instance)) is not None:
        return difference
    if a.domain != b.domain:
        return f"launch domain: {list(a.domain)} instead of {list(b.domain)}"
    for k, argument in enumerate(a.instance.argument_names):
        store, known_store = a.signatures[k], b.signatures[k]
        fields: list[tuple[str, object, object]] = [
            ("store", _origin(mine, k, before), _origin(theirs, k, before_theirs)),
            ("shape of the store", store.store_shape, known_store.store_shape),
            ("element type", store.dtype, known_store.dtype),
            ("view", _view(store.view), _view(known_store.view)),
            ("partition", a.partitions[k], b.partitions[k]),
            ("life of the store", _LIVES[mine.lives[k]], _LIVES[theirs.lives[k]]),
        ]
        for field, value, known in fields:
            if value != known:
                return f"{field} of {argument}: {value} instead of {known}"
    return "another text of the same task"


def _of_instances(a: TaskInstance, b: TaskInstance) -> str | None:
    """How two tasks differ apart from their bodies; None if they do not."""
    if a.task_name != b.task_name:
        return f"the task, instead of '{b.task_name}'"
    if a.privileges != b.privileges:
        return f"privileges: {_list(a.privileges)} instead of {_list(b.privileges)}"
    if a.argument_types != b.argument_types:
        types = [_list(f"{dtype} of rank {rank}" for dtype, rank in x.argument_types) for x in (a, b)]
        return f"arguments: {types[0]} instead of {types[1]}"
    if a.scalar_types != b.scalar_types:
        return f"types of scalars: {_list(a.scalar_types)} instead of {_list(b.scalar_types)}"
    if a.function is not b.function:
        return "another function of the same name"
    return None


_LIVES = {
    Life.HELD: "held at the end",
    Life.RELEASED: "released, with contents from before",
    Life.INTERNAL: "released, without contents from before",
}


def _list(values: Iterable[object]) -> str:
    return f"({', '.join(map(str, values))})"


def _view(view: View) -> str:
    return f"shape {list(view.shape)}" + ("" if view.index_map is None else f" through {view.index_map}")


def _origin(use: _Use, argument: int, before: Sequence[_Entry]) -> str:
    """Which store an argument has, by where it occurs first. Launches count from 1, as everywhere here."""
    number = use.numbers[argument]
    earlier = [entry for entry in before if entry is not None]
    for launch, entry in enumerate([*earlier, use]):
        at = entry.numbers.index(number) if number in entry.numbers else None
        if at is not None and (entry is not use or at < argument):
            where = "this launch" if entry is use else f"launch {launch + 1}"
            return f"that of {entry.form.instance.argument_names[at]} in {where}"
    return "a new one"
