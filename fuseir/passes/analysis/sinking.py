"""Launches that are better off in a later group: what they make is then a value there, and needs no memory.

``grouping.py`` puts a launch into the earliest group that it may join. Where only a later group uses its result, that is written to
memory in the one and read again in the other. So, once all launches are placed, each may move to the first group behind its own that it
conflicts with: it commutes with everything in between, and in that group it comes before all that it conflicts with. It moves if
fewer bytes then go through memory (``traffic.py``): those of its result, and of its arguments where the later group reads them
anyway, against arguments that now two groups read. It moves, too, if that makes no difference but lets others save their results.

With a launch go those that share temporaries with it, if they may: the ones that make its arguments for it alone, and others that
use the same. A temporary that two groups use would need memory. A launch that nobody behind conflicts with may so go where they do.

Launches are looked at from last to first, each once, so that what feeds a launch finds it where it went. Left where they are: opaque
tasks, scalar tasks at many points, and writes to fresh versions of stores. What uses such a store does not pass the exchange of its
versions.

Cost: O(arguments) a launch, and again for each of at most ``MOST_TOGETHER`` that are tried together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cached_property

from xdsl.ir import SSAValue

from fuseir.passes.analysis.dependence import Comparisons, IndexTask
from fuseir.passes.analysis.grouping import Group, Grouping, Note
from fuseir.passes.analysis.last_uses import LastUses
from fuseir.passes.analysis.traffic import Traffic

MOST_TOGETHER = 32
"""Launches that move at once, and users of a temporary that are looked at."""


def sink(grouping: Grouping, comparisons: Comparisons, wanted_behind: Callable[[SSAValue], bool]) -> None:
    """Move launches of a segment to later groups. ``wanted_behind`` tells whose contents are wanted behind the segment."""
    if len(grouping.groups) > 1:
        _Sinking(grouping, comparisons, wanted_behind).run()


class _Sinking:
    """Launches are known by their places in the program, and are looked at as they were captured: on stores under their own names."""

    def __init__(self, grouping: Grouping, comparisons: Comparisons, wanted_behind: Callable[[SSAValue], bool]) -> None:
        self._grouping = grouping
        self._groups = grouping.groups
        self._tasks = grouping.tasks
        self._places = {task.source: k for k, task in enumerate(self._tasks)}
        self._wanted_behind = wanted_behind
        # The uses by launches behind, with groups counted from the end: the last is the first. Conflicts are mutual.
        self._behind = LastUses(comparisons)
        self._exchanged: dict[SSAValue, int] = {}
        """Stores with a fresh version, and the first group behind that writes one."""

    def run(self) -> None:
        """Decide about all groups, the last one first."""
        moved: set[int] = set()
        for group in reversed(self._groups):
            gone = self._leave(group)
            if gone:
                group.state = group.state.without({self._tasks[k].source for k in gone})
            moved |= gone
        if not moved:
            return
        sources = {self._tasks[k].source for k in moved}
        grouping = self._grouping
        grouping.notes[:] = [n for n in grouping.notes if n.code != "FIR-N163" or n.task.source not in sources]
        self._groups[:] = [group for group in self._groups if group.members]
        for number, group in enumerate(self._groups):
            group.number = number

    def _leave(self, group: Group) -> set[int]:
        """Move what is better off behind a group; returns what that was, still in its state."""
        places = {self._places[member.source]: member for member in group.members if not member.added}
        renamed: dict[int, list[SSAValue]] = {}
        for renaming in group.renamings:
            renamed.setdefault(self._places[renaming.task.source], []).append(renaming.root)
        # What stays without being asked: at other points than it was captured for, or writing another store.
        free = {k for k, member in places.items() if k not in renamed and member.domain == self._tasks[k].domain}
        gone: set[int] = set()
        for k in sorted(places, reverse=True):
            if k in gone:
                continue
            self._exchanged.update((root, group.number) for root in renamed.get(k, ()))
            together = self._move(k, group, free) if k in free and group.opaque is None else []
            gone.update(together)
            if not together:
                self._record(k, group.number)
        return gone

    def _record(self, k: int, number: int) -> None:
        self._behind.record(self._tasks[k], len(self._groups) - 1 - number)

    def _first_conflict(self, task: IndexTask) -> int:
        """The first group that holds, of the launches behind a launch that were looked at, one it conflicts with; else one too many."""
        first = len(self._groups) - 1 - self._behind.last_conflict(task)
        return min([first, *(self._exchanged.get(access.root, first) for access in task.accesses)])

    # One launch, and who goes with it

    def _move(self, k: int, group: Group, free: set[int]) -> list[int]:
        """Move a launch and those that belong to it, if that pays; who moved."""
        for target in self._targets(k, group, free):
            together = self._together(k, group, target, free)
            roots = list(dict.fromkeys(use.access.root for each in together for use in self._tasks[each].uses))
            before = self._bytes(roots, group, target)
            temporaries = [root for root in roots if self._traffic.temporary(root, group.number)]
            self._traffic.move(together, group.number, target.number)
            saved = before - self._bytes(roots, group, target)
            pays = saved > 0 or (saved == 0 and any(self._others_gain(root, group) for root in temporaries))
            if pays and self._join(together, target):
                for each in together:
                    self._record(each, target.number)
                self._note(k, len(together) - 1, saved)
                return together
            self._traffic.move(together, target.number, group.number)
        return []

    def _others_gain(self, root: SSAValue, group: Group) -> bool:
        """Whether a store that was a temporary of a group is read there by others, whose results all need memory.

        Once it is in memory, each of those may save its result by moving, too: the first of them pays for all.
        """
        traffic, number = self._traffic, group.number
        if traffic.temporary(root, number):
            return False
        readers = traffic.users(root, number) - traffic.changers(root, number)
        return any(
            not traffic.temporary(use.access.root, number)
            for each in readers
            for use in self._tasks[each].uses
            if use.access.privilege.returned
        )

    def _targets(self, k: int, group: Group, free: set[int]) -> Iterator[Group]:
        """Where a launch may go: to the first group that it conflicts with, or that those do who share temporaries with it."""
        own = self._first_conflict(self._tasks[k])
        if own == group.number:
            return
        if own < len(self._groups) and self._may_join(k, self._groups[own]):
            yield self._groups[own]
        if own == group.number + 1:
            return  # no group in between
        reached, pending = {k}, [k]
        while pending and len(reached) < MOST_TOGETHER:
            found = self._sharing(pending.pop(), group) & free - reached
            reached |= found
            pending += sorted(found)
        numbers = (self._first_conflict(self._tasks[each]) for each in reached - {k})
        others = min((number for number in numbers if number > group.number), default=own)
        if others < own and self._may_join(k, self._groups[others]):
            yield self._groups[others]

    def _together(self, k: int, group: Group, target: Group, free: set[int]) -> list[int]:
        """The launch, and those of its group before it that share temporaries with it and may move as well; last one first."""
        together, candidates = {k}, self._sharing(k, group) & free
        grown = True
        while grown:
            grown = False
            for each in sorted(candidates - together, reverse=True):
                if each < k and len(together) < MOST_TOGETHER and self._may_follow(each, k, together, group, target):
                    together.add(each)
                    candidates |= self._sharing(each, group) & free
                    grown = True
        return sorted(together, reverse=True)

    def _sharing(self, k: int, group: Group) -> set[int]:
        """Launches that use temporaries of the group that a launch uses, itself among them; none for a temporary of very many."""
        found: set[int] = set()
        for root in dict.fromkeys(use.access.root for use in self._tasks[k].uses):
            if self._traffic.temporary(root, group.number):
                users = self._traffic.users(root, group.number)
                found |= users if len(users) <= MOST_TOGETHER else set()
        return found

    def _may_follow(self, each: int, k: int, together: set[int], group: Group, target: Group) -> bool:
        """Whether a launch may leave for the target if ``together`` do: what conflicts with it has left, or leaves as well."""
        task = self._tasks[each]
        if self._first_conflict(task) < target.number or not self._may_join(each, target):
            return False
        for use in task.uses:
            users = self._traffic.users if use.access.privilege.returned else self._traffic.changers
            # Those behind k have been looked at, and count above.
            if any(each < other < k for other in users(use.access.root, group.number) - together):
                return False
        return True

    def _may_join(self, k: int, target: Group) -> bool:
        """Whether a launch can run before all members of a group that it conflicts with."""
        task = self._tasks[k]
        if target.opaque is not None or not target.state.may_go_first(task):
            return False
        # Behind a write to a fresh version it would have to use that.
        return not any(
            self._places[renaming.task.source] < k and any(access.root is renaming.root for access in task.accesses)
            for renaming in target.renamings
        )

    def _join(self, together: list[int], target: Group) -> bool:
        """Add launches to a group, each at its place in the program; False if limits allow only some."""
        state = target.state.copy()
        for k in together:
            if not state.may_go_first(self._tasks[k]):
                return False
            position = bisect_left(state.members, k, key=lambda member: self._places[member.source])
            state.insert(self._tasks[k], position)
        target.state = state
        return True

    def _note(self, k: int, others: int, saved: int) -> None:
        company = "" if others == 0 else f" with {'a launch' if others == 1 else f'{others} launches'} before it"
        message = f"moves to a later group{company}: {saved} bytes less go through memory"
        self._grouping.notes.append(Note("FIR-N164", self._tasks[k], message))

    # Bytes

    @cached_property
    def _traffic(self) -> Traffic:
        """Made when the first launch could move: most segments have none."""
        traffic = Traffic(self._tasks, self._wanted_behind)
        for group in self._groups:
            for member in group.members:
                if not member.added:
                    traffic.place(self._places[member.source], group.number)
        return traffic

    def _bytes(self, roots: list[SSAValue], group: Group, target: Group) -> int:
        return sum(self._traffic.bytes(root, each.number) for root in roots for each in (group, target))
