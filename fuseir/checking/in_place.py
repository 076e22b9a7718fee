"""Launches that work in place, read as what they were before: `reuse-inputs` gives results the memory of inputs.

    dist.launch @f<[4]>(%x: read #t, %z: write #t) : …          // before
    dist.launch @f<[4]>(%x: read_write #t) : …                  // after
    dist.swap %x, %z : …

The kernel is another one then, but what it stands for is the task that it was, whose result is written to the input's store, at each point
when that point is done. So the launch becomes a fused task of one member, whose points run in several orders; the swaps are ordinary ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fuseir.checking.program import Argument, Call, Group, Program, Step, Swap
from fuseir.dialects.verification import location_of
from fuseir.errors import LegalityError


def as_before(original: Program, rewritten: Program, text: str | None) -> Program:
    """The rewritten program with the tasks of the original. Raises LegalityError if its launches are other ones than those, in order.

    ``original`` has no fused tasks.
    """
    numbers = [rewritten.number_of(store) for store in original.stores]
    before = iter([step for step in original.steps if isinstance(step, Call)])
    steps: list[Step] = []
    for place, step in enumerate(rewritten.steps):
        if not isinstance(step, Call):
            steps.append(step)
            for _ in step.members if isinstance(step, Group) else ():
                next(before, None)
            continue
        was = next(before, None)
        found = None if was is None else _as_it_was(was, step, _homes(rewritten.steps[place + 1 :]), numbers)
        if found is None:
            message = f"'@{step.task}' is not the launch that was here, whose results may be written to inputs"
            raise LegalityError(message, location=location_of(step.op, text))
        steps.append(found)
    if (missing := next(before, None)) is not None:
        raise LegalityError(f"the launch of '@{missing.task}' is gone", location=location_of(missing.op, text))
    return Program(rewritten.stores, tuple(steps))


def _homes(following: Sequence[Step]) -> dict[int, int]:
    """The stores that get what others hold, by swaps right behind a launch, with those."""
    homes: dict[int, int] = {}
    for step in following:
        if not isinstance(step, Swap):
            break
        homes[step.second] = step.first
    return homes


def _as_it_was(was: Call, now: Call, homes: dict[int, int], numbers: Sequence[int | None]) -> Call | Group | None:
    """The task of a launch on the stores that it has now; None if these do not fit."""
    kept = {argument.store for argument in now.arguments}
    arguments: list[Argument] = []
    left: list[Argument] = []
    moved: set[int] = set()
    for argument in was.arguments:
        store = numbers[argument.store]
        if store is None:
            return None
        if argument.writes and not argument.reads and store not in kept and store in homes:
            moved.add(homes[store])
            arguments.append(replace(argument, store=homes[store]))
        else:
            arguments.append(replace(argument, store=store))
            left.append(arguments[-1])
    expected = [replace(each, writes=True) if each.store in moved else each for each in left]
    if was.domain != now.domain or [*map(_touched, expected)] != [*map(_touched, now.arguments)]:
        return None
    call = Call(now.op, was.key, was.domain, tuple(arguments), was.copies, was.opaque)
    return Group(now.op, (call,), was.domain, frozenset()) if moved else call


def _touched(argument: Argument) -> tuple[object, ...]:
    return (argument.store, argument.reads, argument.writes, argument.operator, argument.pieces, argument.replicated)
