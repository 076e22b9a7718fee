"""Which launches commute? For each store, the last groups that used its pieces.

A launch may run before everything that it does not conflict with. ``LastUses`` remembers, for each distinct piece of each store and each
way of using it, the last group of the window that did so; the latest group that a launch conflicts with is the earliest it may join.

Folds into one element do not commute, whatever the operator: the order of floating-point additions shows in the bits.

Cost: O(arguments) a launch, each compared with at most ``MAX_PIECES`` pieces of its store; what a store has more of is not kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.ir import SSAValue

from fuseir.dialects.dist.overlap import Overlap
from fuseir.dialects.dist.partition import Shape
from fuseir.passes.analysis.dependence import MAX_PIECES, Comparisons, IndexTask, Use

NOWHERE = -1
"""Before the first group."""


@dataclass(slots=True)
class _LastUse:
    """The last groups that looked at some pieces, and that changed them."""

    use: Use
    domain: Shape
    read: int = NOWHERE
    changed: int = NOWHERE

    def conflict(self, later: Use) -> int:
        """The last group here that a use conflicts with, if the pieces meet."""
        return max(self.read, self.changed) if later.access.privilege.returned else self.changed


@dataclass(slots=True)
class _OfStore:
    pieces: dict[tuple[int, Shape], _LastUse] = field(default_factory=dict[tuple[int, Shape], _LastUse])
    everything: _LastUse | None = None
    """Stands for all pieces beyond ``MAX_PIECES``."""


class LastUses:
    """The last groups of a window that used each piece of each store."""

    def __init__(self, comparisons: Comparisons) -> None:
        self._comparisons = comparisons
        self._stores: dict[SSAValue, _OfStore] = {}

    def last_conflict(self, task: IndexTask) -> int:
        """The last group that the task does not commute with; ``NOWHERE`` if there is none."""
        latest = NOWHERE
        for use in task.uses:
            store = self._stores.get(use.access.root)
            if store is None:
                continue
            if store.everything is not None:
                latest = max(latest, store.everything.conflict(use))
            for last in store.pieces.values():
                group = last.conflict(use)
                if group > latest and self._meet(last, use, task.domain):
                    latest = group
        return latest

    def record(self, task: IndexTask, group: int) -> None:
        """Note that the task is in a group. Groups fill up in any order."""
        for use in task.uses:
            store = self._stores.setdefault(use.access.root, _OfStore())
            key = (use.pieces, task.domain)
            last = store.pieces.get(key)
            if last is None and len(store.pieces) < MAX_PIECES:
                last = store.pieces[key] = _LastUse(use, task.domain)
            elif last is None:
                last = store.everything = store.everything or _LastUse(use, task.domain)
            if use.access.privilege.returned:
                last.changed = max(last.changed, group)
            else:
                last.read = max(last.read, group)

    def _meet(self, last: _LastUse, use: Use, domain: Shape) -> bool:
        if last.domain == domain:
            return self._comparisons.overlap(last.use, use, domain) is not Overlap.APART
        return not last.use.access.apart_from(use.access)
