"""What to say about a program that is rewritten wrongly: which store, which element, which launches, where they stand.

Runs the programs again, keeping track of who changed what, so it takes its time; nothing here decides what is legal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from xdsl.ir import Operation

from fuseir.checking.conflicts import element_at, first_conflict
from fuseir.checking.machine import Machine, Watch
from fuseir.checking.program import Call, Group, Program, Shape, Store
from fuseir.dialects.verification import location_of
from fuseir.errors import LegalityError


def unordered_points(program: Program, group: Group, text: str | None) -> LegalityError:
    """The error about a fused task that does something else if its points run in another order."""
    conflict = first_conflict(program, group)
    if conflict is None:
        message = "what the fused task does depends on the order of its points"
        return LegalityError(message, location=location_of(group.op, text))
    declared = program.stores[conflict.store]
    one = (
        "several points" if conflict.earlier_point is None else f"point {_point(conflict.earlier_point, group.domain)}"
    )
    message = (
        f"a dependence joins two points of the fused task: '@{conflict.earlier.task}' {conflict.earlier_does} "
        f"element {_index(declared, conflict.element)} of store {declared.label} at {one}, "
        f"'@{conflict.later.task}' {conflict.later_does} it at point {_point(conflict.later_point, group.domain)}"
    )
    notes = _notes(("the earlier", conflict.earlier), ("the later", conflict.later))
    return LegalityError(message, location=location_of(group.op, text), notes=notes)


def differing_end(
    original: Program, rewritten: Program, number: int, other: int | None, element: int, text: str | None
) -> LegalityError:
    """The error about a store (``number`` in one, ``other`` in the other program) that ends with another term in an element."""
    theirs, ours = Machine(original, keep_writers=True), Machine(rewritten, keep_writers=True)
    theirs.run_in_order("ascending")
    ours.run_in_order("ascending")
    store = original.stores[number]
    return _error(
        f"store {store.label} ends with other contents than in the program as written: element {_index(store, element)}",
        theirs.writer(number, element),
        None if other is None else ours.writer(other, element),
        store.op,
        text,
    )


def differing_start(original: Program, rewritten: Program, text: str | None) -> LegalityError | None:
    """The error about the first launch that finds other contents than in the program as written; None if all find the same.

    Launches are recognised by their ``dist.launch``, which passes move about.
    """
    seen: dict[_Look, int] = {}

    def note(call: Call, point: int, argument: int, contents: int) -> None:
        seen[_Look(call.op, point, argument)] = contents

    def compare(call: Call, point: int, argument: int, contents: int) -> None:
        look = _Look(call.op, point, argument)
        if seen.get(look, contents) != contents:
            raise _StopHere(call, look)

    Machine(original, watch=note).run_in_order("ascending")
    ours, mine = _run_until(rewritten, compare)
    if mine is None:
        return None

    def stop(call: Call, point: int, argument: int, _contents: int) -> None:
        if _Look(call.op, point, argument) == mine.look:
            raise _StopHere(call, mine.look)

    theirs, their = _run_until(original, stop)
    assert their is not None  # noted above
    here, there = mine.call.arguments[mine.look.argument], their.call.arguments[mine.look.argument]
    piece, their_piece = here.pieces[mine.look.point], there.pieces[mine.look.point]
    differs = piece.of(ours.terms_of(here.store)) != their_piece.of(theirs.terms_of(there.store))
    index = int(np.flatnonzero(differs)[0])
    element, their_element = element_at(piece, index), element_at(their_piece, index)
    store = original.stores[there.store]
    return _error(
        f"'@{mine.call.task}' finds other contents in store {store.label} than in the program as written: "
        f"element {_index(store, their_element)}, read at point {_point(mine.look.point, mine.call.domain)},",
        theirs.writer(there.store, their_element),
        ours.writer(here.store, element),
        mine.call.op,
        text,
    )


class _Look(NamedTuple):
    """One argument of a launch at one point."""

    op: Operation
    point: int
    argument: int


class _StopHere(Exception):  # noqa: N818 - no error: it stops a machine where it is
    """Stops a machine where it is."""

    def __init__(self, call: Call, look: _Look) -> None:
        self.call = call
        self.look = look


def _run_until(program: Program, watch: Watch) -> tuple[Machine, _StopHere | None]:
    """A machine that ran until ``watch`` stopped it, and what stopped it."""
    machine = Machine(program, watch=watch, keep_writers=True)
    try:
        machine.run_in_order("ascending")
    except _StopHere as reached:
        return machine, reached
    return machine, None


def _error(what: str, theirs: Call | None, ours: Call | None, otherwise: Operation, text: str | None) -> LegalityError:
    """``what`` was last changed by one launch in the original and by another in the rewritten program."""
    if theirs is not None and ours is not None and theirs.op is ours.op:
        message = f"{what} was last changed by '@{ours.task}' in both, which found other contents itself"
    else:
        message = f"{what} was last changed by {_name(theirs)} there, by {_name(ours)} here"
    op = otherwise if ours is None else ours.op
    return LegalityError(message, location=location_of(op, text), notes=_notes(("there", theirs), ("here", ours)))


def _name(call: Call | None) -> str:
    return "nothing" if call is None else f"'@{call.task}'"


def _notes(*calls: tuple[str, Call | None]) -> tuple[str, ...]:
    places = [(word, call, location_of(call.op)) for word, call in calls if call is not None]
    return tuple(f"{word}, '@{call.task}', is launched at {place}" for word, call, place in places if place is not None)


def _index(store: Store, element: int) -> list[int]:
    return _point(element, store.shape)


def _point(number: int, domain: Shape) -> list[int]:
    return [int(i) for i in np.unravel_index(number, domain)] if domain else []
