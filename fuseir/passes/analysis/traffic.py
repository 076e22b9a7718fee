"""How many bytes groups of launches move through memory, store by store, as launches go from group to group.

In a group, a piece of a store is read from memory if its first use there needs what it held before; what a member writes is a value
for those behind it. All that is changed is written, unless the store is then a temporary: one that a member writes whole, of which
nothing is read from memory there, and which nobody wants behind the group (Diffuse Def. 4, as in ``eliminate_temporaries.py``). Views
that overlap count once at most: no group moves more of a store than there is, each way.

Cost: each question and each move looks at the distinct pieces of a store that a group uses, not at its members.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.ir import SSAValue

from fuseir.dialects.dist.ops import shaped
from fuseir.passes.analysis.dependence import IndexTask


@dataclass(slots=True)
class _PieceUses:
    """Who uses some pieces of a store in a group: places in the program, ascending. A reduction reads and changes."""

    bytes: int
    covers: bool
    """Whether the pieces are all of the store."""
    readers: list[int] = field(default_factory=list[int])
    changers: list[int] = field(default_factory=list[int])

    @property
    def read_first(self) -> bool:
        """Whether what is there before the group is needed."""
        return bool(self.readers) and (not self.changers or self.readers[0] <= self.changers[0])


@dataclass(slots=True)
class _StoreUses:
    """Which groups use a store; ``groups`` are their numbers, ascending, and may hold some that do so no more."""

    bytes: int
    groups: list[int] = field(default_factory=list[int])
    pieces: dict[int, dict[int, _PieceUses]] = field(default_factory=dict[int, dict[int, _PieceUses]])
    """By group, then by number of pieces."""


class Traffic:
    """What the groups of a segment move. ``tasks`` are its launches in program order, known here by their places.

    ``wanted_behind`` tells whether anybody wants what a store holds behind the segment.
    """

    def __init__(self, tasks: Sequence[IndexTask], wanted_behind: Callable[[SSAValue], bool]) -> None:
        self._tasks = tasks
        self._wanted_behind = wanted_behind
        self._stores: dict[SSAValue, _StoreUses] = {}

    def place(self, task: int, group: int) -> None:
        """A launch is in a group."""
        for use in self._tasks[task].uses:
            access = use.access
            store = self._stores.get(access.root)
            if store is None:
                store = self._stores[access.root] = _StoreUses(prod(access.root_shape) * _width(access.root))
            if group not in store.pieces:
                store.pieces[group] = {}
                insort(store.groups, group)
            pieces = store.pieces[group].get(use.pieces)
            if pieces is None:
                covers = access.covers_root(self._tasks[task].domain)
                pieces = _PieceUses(prod(access.shape) * _width(access.root), covers)
                store.pieces[group][use.pieces] = pieces
            if access.privilege.reads or access.privilege.reduces:
                insort(pieces.readers, task)
            if access.privilege.returned:
                insort(pieces.changers, task)

    def move(self, tasks: Iterable[int], source: int, target: int) -> None:
        """Launches go from one group to another."""
        for task in tasks:
            for use in self._tasks[task].uses:
                pieces = self._stores[use.access.root].pieces[source][use.pieces]
                for users in (pieces.readers, pieces.changers):
                    position = bisect_left(users, task)
                    if position < len(users) and users[position] == task:
                        del users[position]
            self.place(task, target)

    def bytes(self, root: SSAValue, group: int) -> int:
        """What a group reads and writes of a store."""
        store = self._stores[root]
        used = store.pieces.get(group, {}).values()
        read = sum(pieces.bytes for pieces in used if pieces.read_first)
        written = sum(pieces.bytes for pieces in used if pieces.changers)
        if written and self.temporary(root, group):
            written = 0
        return min(read, store.bytes) + min(written, store.bytes)

    def temporary(self, root: SSAValue, group: int) -> bool:
        """Whether a store needs no memory in a group."""
        return self._replaces(root, group) and not self._wanted(root, group)

    def users(self, root: SSAValue, group: int) -> set[int]:
        """The launches of a group that use a store."""
        used = self._stores[root].pieces.get(group, {}).values()
        return {task for pieces in used for users in (pieces.readers, pieces.changers) for task in users}

    def changers(self, root: SSAValue, group: int) -> set[int]:
        """The launches of a group that change a store."""
        return {task for pieces in self._stores[root].pieces.get(group, {}).values() for task in pieces.changers}

    def _reads(self, root: SSAValue, group: int) -> bool:
        return any(pieces.read_first for pieces in self._stores[root].pieces[group].values())

    def _replaces(self, root: SSAValue, group: int) -> bool:
        """Whether the group makes all of a store anew."""
        used = self._stores[root].pieces.get(group, {}).values()
        return any(pieces.covers and pieces.changers for pieces in used) and not self._reads(root, group)

    def _wanted(self, root: SSAValue, group: int) -> bool:
        groups = self._stores[root].groups
        for later in groups[bisect_right(groups, group) :]:
            if self._reads(root, later):
                return True
            if self._replaces(root, later):
                return False
        return self._wanted_behind(root)


def _width(store: SSAValue) -> int:
    element_type = shaped(store).element_type
    assert isinstance(element_type, FixedBitwidthType)  # integers and floats
    return element_type.size
