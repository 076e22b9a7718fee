"""Is a rewritten program still the program? Runs both on terms and compares what the world outside can see."""

from __future__ import annotations

from math import prod

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from fuseir.checking.explanation import differing_end, differing_start, unordered_points
from fuseir.checking.hashing import Words
from fuseir.checking.in_place import as_before
from fuseir.checking.machine import Machine, Order
from fuseir.checking.program import Group, Program, Store, read_program
from fuseir.dialects.verification import location_of
from fuseir.errors import LegalityError

_IN_PLACE = "reuse-inputs"
CHECKED_PASSES = frozenset({"forward-copies", "fuse-tasks", "eliminate-temporaries", _IN_PLACE})
"""The passes whose results can be checked: launches still name the tasks of the program that they got, or stand where those stood."""

# Any two points run both ways round in the first two, which is enough (docs/checking.md); the third is for what we did not think of.
_ORDERS: tuple[Order, ...] = ("ascending", "descending", 1)


class LegalityCheck:
    """What a program does, remembered before passes change it, to be compared with what they make of it.

    Fused tasks that the module has at that time stand for their members, one launch after the other. ``text`` is the text that the
    module was parsed from, if at hand: errors then show its lines. Raises LimitError if the program is too large to be checked,
    UnsupportedError for an unknown kind of partition.
    """

    def __init__(self, module: ModuleOp, text: str | None = None) -> None:
        self._text = text
        self._original = read_program(module).flattened()
        self._expected = Machine(self._original)
        self._expected.run_in_order("ascending")

    def check(self, module: ModuleOp, pass_name: str | None = None) -> None:
        """Raise LegalityError unless the module, which passes made of the one remembered, does the same; ``pass_name`` is the last one.

        It does if each fused task does the same in every order of its points, and if each store that the world outside can see ends
        with the contents that the program as written gives it. Stores are recognised by their ``dist.store``, or else by their names.
        """
        rewritten = read_program(module)
        if pass_name == _IN_PLACE:
            rewritten = as_before(self._original, rewritten, self._text)
        machine = Machine(rewritten)
        machine.run(lambda group: self._run_in_all_orders(machine, group))
        for number, store in enumerate(self._original.stores):
            if store.visible:
                self._check_store(number, store, rewritten, machine)
        if machine.world != self._expected.world:
            self._refuse_start(rewritten)
            raise LegalityError("opaque tasks do not run as often, or in the order, as in the program as written")

    def can_check(self, pass_name: str) -> bool:
        """Whether what that pass makes of a program can be checked."""
        return pass_name in CHECKED_PASSES

    def compares_with_input(self, pass_name: str) -> bool:
        """Whether what that pass makes of a program can be compared with what it got only: launches name other kernels than before."""
        return pass_name == _IN_PLACE

    def anew(self, module: ModuleOp) -> LegalityCheck:
        """A check that remembers what the module does now."""
        return LegalityCheck(module, self._text)

    def _run_in_all_orders(self, machine: Machine, group: Group) -> None:
        """Run a fused task; in each order of its points, tasks must see the same, and leave the same behind."""
        orders = _ORDERS[: min(prod(group.domain), len(_ORDERS))]  # one point has one order, two have two
        if len(orders) < 2:
            machine.run_group(group, "ascending")
            return
        changed = {a.store for call in group.members for a in call.arguments if a.changes} - group.temporaries
        before = {store: machine.terms_of(store).copy() for store in changed}
        machine.run_group(group, orders[0])
        seen, first = machine.seen, {store: machine.terms_of(store) for store in changed}
        for order in orders[1:]:
            for store, words in before.items():
                machine.set_terms(store, words.copy())
            machine.run_group(group, order)
            same = all(np.array_equal(words, machine.terms_of(store)) for store, words in first.items())
            if not same or machine.seen != seen:
                raise unordered_points(machine.program, group, self._text)

    def _check_store(self, number: int, store: Store, rewritten: Program, machine: Machine) -> None:
        other = rewritten.number_of(store)
        if other is not None and not rewritten.stores[other].visible:
            message = f"store {store.label} is released, although the program as written keeps it"
            raise LegalityError(message, location=location_of(store.op, self._text))
        if number not in self._original.used and (other is None or other not in rewritten.used):
            return  # and perhaps too large to be looked at
        # Not declared any more: that is right if nothing ever happened to it.
        found = Machine(self._original).terms_of(number) if other is None else machine.terms_of(other)
        if (element := _first_difference(self._expected.terms_of(number), found)) is not None:
            self._refuse_start(rewritten)
            raise differing_end(self._original, rewritten, number, other, element, self._text)

    def _refuse_start(self, rewritten: Program) -> None:
        if (error := differing_start(self._original, rewritten, self._text)) is not None:
            raise error


def _first_difference(a: Words, b: Words) -> int | None:
    if np.array_equal(a, b):
        return None
    return int(np.flatnonzero(a != b)[0])
