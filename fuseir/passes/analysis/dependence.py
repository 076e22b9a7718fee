"""May these launches run back to back at each point? The fusion constraints, checked launch by launch.

A sequence of launches may be fused if every dependence between two of them stays at one point of the launch domain (papers: Diffuse
Def. 3). ``FusionState`` decides that without looking at a point. What a later launch must respect, for pieces of one store:

==========  ==================================================================================================
launch      all members have one launch domain and one kind of processor
true        what one member writes, later members read or write
anti        what one member reads, later members write
reduction   what one member reduces into, others read, write, or reduce with another operator; and the other way round
==========  ==================================================================================================

The paper allows the first two dependences where the pieces are equal, and no reduction (Fig. 5). The exact test (``Rules.pointwise``)
asks of the two accesses' pieces whether those of two *different* points ever share an element: if not, the dependence stays at its
point. With ``Rules.reductions`` that goes for reductions too: through a disjoint partition each element is folded into by one point.

Both are sound because the verifier guarantees WF-1 (what a launch writes, its points do not share) and WF-2 (arguments of one launch do
not conflict at different points). A read may always follow a replicated write (``#dist.replicated``): each point has its own copy.

Cost: O(arguments) a launch. Each argument is compared with the distinct pieces of its store seen so far in the group, of which at most
``MAX_PIECES`` are kept; a comparison depends on ranks alone, never on the number of points or pieces (papers: Diffuse §4.2.1),
and is made once for each pair of pieces (``Comparisons``).
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from xdsl.dialects import func
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.overlap import Overlap
from fuseir.dialects.dist.partition import Partition, ReplicatedPartition, Shape
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.dist.view import View

MAX_PIECES = 32
"""Distinct pieces of one store that a group keeps apart. A group that would need more ends, so the check stays linear."""


class Constraint(Enum):
    """Why a launch cannot join the launches before it: a stable code, a short name, and what a user may do about it."""

    LAUNCH_DOMAIN = ("FIR-N101", "launch-domain", "launch both over the same domain")
    TRUE = ("FIR-N102", "partition-mismatch(true)", "use one view and one partition for the write and what follows it")
    ANTI = ("FIR-N103", "anti", "write through the pieces that were read, or write to another store")
    REDUCTION = ("FIR-N104", "reduction", "launch tasks that do not need the reduction's result before those that do")
    OPAQUE = ("FIR-N105", "opaque", "give the task a body, so that it is a kernel")
    MAX_MEMBERS = ("FIR-N106", "max-members", "raise the pass option max-members")
    MAX_PIECES = ("FIR-N107", "max-pieces", "use fewer different views and partitions of the store in a row")
    FENCE = ("FIR-N108", "fence", "do without the fence, if nothing else needs it")
    PROCESSOR = ("FIR-N109", "processor", "run both on the same kind of processor")

    def __init__(self, code: str, label: str, suggestion: str) -> None:
        self.code = code
        self.label = label
        self.suggestion = suggestion


@dataclass(frozen=True)
class Rules:
    """Which constraints apply. Without the two extensions they are those of Diffuse Fig. 5, and views apart never interact."""

    pointwise: bool = True
    """Whether the exact test decides on pieces that differ."""
    reductions: bool = True
    """Whether a reduction may meet other accesses at one point."""
    max_members: int | None = None
    """The most launches in one group; no limit unless given."""


PAPER_RULES = Rules(pointwise=False, reductions=False)
"""Diffuse Fig. 5."""


# What launches look like to the analysis


class Comparisons:
    """How pieces of stores overlap, each pair worked out once. One for each run of a pass: windows repeat few pieces often."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Shape, View, Partition], int] = {}
        self._numbered: dict[Access, int] = {}
        self._overlaps: dict[tuple[int, int, Shape], Overlap] = {}

    def number(self, access: Access) -> int:
        """A small number for what the access gives to each point, whatever the store: equal for the same view and partition."""
        number = self._numbered.get(access)
        if number is None:
            key = (access.root_shape, access.view, access.partition.partition)
            number = self._numbered[access] = self._numbers.setdefault(key, len(self._numbers))
        return number

    def overlap(self, earlier: Use, later: Use, domain: Shape) -> Overlap:
        """How the pieces of two accesses to one store meet."""
        key = (earlier.pieces, later.pieces, domain)
        known = self._overlaps.get(key)
        if known is None:
            known = self._overlaps[key] = earlier.access.overlap(later.access, domain)
        return known


class Use(NamedTuple):
    """An access that reads, writes or reduces, with the number of its pieces."""

    access: Access
    pieces: int


@dataclass(frozen=True, eq=False)
class IndexTask:
    """A launch as it takes part in a group: its accesses and domain may be other ones than ``source`` was captured with.

    ``rewritten`` says that they are. ``name`` is the task's; a task ``added`` by a pass has the source that it was added for.
    """

    source: LaunchOp
    name: str
    domain: Shape
    accesses: tuple[Access, ...]
    uses: tuple[Use, ...]
    has_body: bool
    processor: str | None = None
    rewritten: bool = False
    added: bool = False

    @staticmethod
    def of(launch: LaunchOp, kernels: Kernels, comparisons: Comparisons) -> IndexTask:
        """A launch as it stands."""
        accesses = launch.accesses
        return IndexTask(
            launch,
            launch.task_name,
            launch.extents,
            accesses,
            uses_of(accesses, comparisons),
            launch.task_name in kernels.with_body,
            kernels.processors.get(launch.task_name),
        )


def uses_of(accesses: tuple[Access, ...], comparisons: Comparisons) -> tuple[Use, ...]:
    """The accesses that matter: ``no_access`` leaves no trace."""
    return tuple(
        Use(access, comparisons.number(access))
        for access in accesses
        if access.privilege.reads or access.privilege.returned
    )


PROCESSOR_ATTRIBUTE = "dist.processor"
"""On a function: the kind of processor that the task runs on, a string. Tasks of different kinds are not fused (D35)."""


@dataclass(frozen=True)
class Kernels:
    """What a module says about its tasks: which have a body, and which ask for a kind of processor."""

    with_body: Container[str]
    processors: dict[str, str] = field(default_factory=dict[str, str])

    @staticmethod
    def of(functions: list[func.FuncOp]) -> Kernels:
        """The tasks of a module."""
        processors: dict[str, str] = {}
        for function in functions:
            if isinstance(attribute := function.attributes.get(PROCESSOR_ATTRIBUTE), StringAttr):
                processors[function.sym_name.data] = attribute.data
        return Kernels(frozenset(f.sym_name.data for f in functions if not f.is_declaration), processors)


@dataclass(frozen=True, eq=False)
class Refusal:
    """Why ``later`` cannot join the group of ``earlier``; where the reason is a pair of accesses, both are given.

    For an opaque task there is no ``earlier``: it joins nothing.
    """

    constraint: Constraint
    later: IndexTask
    earlier: IndexTask | None = None
    earlier_access: Access | None = None
    later_access: Access | None = None

    @property
    def code(self) -> str:
        """The stable code, as in ``FIR-N101``."""
        return self.constraint.code

    @property
    def store(self) -> SSAValue | None:
        """The store that both accesses are about."""
        return None if self.later_access is None else self.later_access.root

    @property
    def suggestion(self) -> str:
        """One sentence on what would let the two fuse."""
        return self.constraint.suggestion


# The constraints


def dependence(earlier: Privilege, later: Privilege) -> Constraint | None:
    """The kind of dependence of an access on an earlier one where their elements meet (Diffuse Def. 1); None if there is none."""
    if earlier.reduces or later.reduces:
        both_fold = earlier.reduces and later.reduces
        other_accesses = (earlier.reads or earlier.returned) and (later.reads or later.returned)
        return Constraint.REDUCTION if other_accesses and not (both_fold and earlier == later) else None
    if earlier.writes and (later.reads or later.writes):
        return Constraint.TRUE
    if earlier.reads and later.writes:
        return Constraint.ANTI
    return None


@dataclass(slots=True)
class _Pieces:
    """The first task that used some pieces of a store under each privilege. There are few: three, and one an operator."""

    use: Use
    by_privilege: dict[Privilege, IndexTask] = field(default_factory=dict[Privilege, IndexTask])


class FusionState:
    """The launches of a group so far, reduced to what the constraints need to know about them."""

    def __init__(self, rules: Rules, comparisons: Comparisons) -> None:
        self._rules = rules
        self._comparisons = comparisons
        self._members: list[IndexTask] = []
        self._pieces: dict[SSAValue, dict[int, _Pieces]] = {}

    @property
    def members(self) -> tuple[IndexTask, ...]:
        """The tasks accepted, in order."""
        return tuple(self._members)

    def copy(self) -> FusionState:
        """The same state, to be tried on."""
        other = FusionState(self._rules, self._comparisons)
        other._members = list(self._members)
        other._pieces = {
            root: {number: _Pieces(p.use, dict(p.by_privilege)) for number, p in pieces.items()}
            for root, pieces in self._pieces.items()
        }
        return other

    def try_add(self, task: IndexTask) -> Refusal | None:
        """Add the task to the group, or say why it cannot join and change nothing.

        It is tested against the members before it only: what its own arguments do to each other is WF-2's affair.
        A task with a body always joins an empty group.
        """
        if not task.has_body:
            return Refusal(Constraint.OPAQUE, task)
        if (refusal := self._refusal(task)) is not None:
            return refusal
        self.insert(task, len(self._members))
        return None

    def may_go_first(self, task: IndexTask) -> bool:
        """Whether the task can join with every member that it conflicts with behind it."""
        # Where a constraint depends on who comes first, the task must meet it both ways.
        return self._refusal(task) is None and not any(
            self._broken_by_first(use, pieces, task.domain)
            for use in task.uses
            for pieces in self._pieces.get(use.access.root, {}).values()
        )

    def insert(self, task: IndexTask, position: int) -> None:
        """Put a task that may join between two members."""
        self._members.insert(position, task)
        for use in task.uses:
            pieces = self._pieces.setdefault(use.access.root, {}).setdefault(use.pieces, _Pieces(use))
            pieces.by_privilege.setdefault(use.access.privilege, task)

    def without(self, sources: Container[LaunchOp]) -> FusionState:
        """The same group without the tasks of some launches."""
        other = FusionState(self._rules, self._comparisons)
        for member in self._members:
            if member.source not in sources:
                other.insert(member, len(other._members))
        return other

    def _refusal(self, task: IndexTask) -> Refusal | None:
        if not self._members:
            return None
        first, last = self._members[0], self._members[-1]
        if task.domain != first.domain:
            return Refusal(Constraint.LAUNCH_DOMAIN, task, first)
        if task.processor != first.processor:
            return Refusal(Constraint.PROCESSOR, task, first)
        if self._rules.max_members is not None and len(self._members) >= self._rules.max_members:
            return Refusal(Constraint.MAX_MEMBERS, task, last)
        for use in task.uses:
            seen = self._pieces.get(use.access.root)
            if seen is None:
                continue
            for pieces in seen.values():
                if (broken := self._broken(pieces, use, task.domain)) is not None:
                    constraint, earlier, privilege = broken
                    return Refusal(
                        constraint, task, earlier, pieces.use.access.under(privilege), later_access=use.access
                    )
            if len(seen) >= MAX_PIECES and use.pieces not in seen:
                return Refusal(Constraint.MAX_PIECES, task, last, later_access=use.access)
        return None

    def _broken(self, pieces: _Pieces, later: Use, domain: Shape) -> tuple[Constraint, IndexTask, Privilege] | None:
        """The constraint that an access breaks, given what was done to some pieces of the same store; by whom, and how."""
        for privilege, earlier in pieces.by_privilege.items():
            kind = dependence(privilege, later.access.privilege)
            if kind is None or self._stays_at_its_point(kind, pieces.use, privilege, later, domain):
                continue
            return kind, earlier, privilege
        return None

    def _broken_by_first(self, first: Use, pieces: _Pieces, domain: Shape) -> bool:
        """Whether something done to some pieces breaks a constraint if an access comes before it."""
        privilege = first.access.privilege
        for other in pieces.by_privilege:
            kind = dependence(privilege, other)
            later = Use(pieces.use.access.under(other), pieces.use.pieces)
            if kind is not None and not self._stays_at_its_point(kind, first, privilege, later, domain):
                return True
        return False

    def _stays_at_its_point(
        self, kind: Constraint, earlier: Use, privilege: Privilege, later: Use, domain: Shape
    ) -> bool:
        """Whether a dependence on an earlier access never joins two points."""
        partition, later_privilege = earlier.access.partition.partition, later.access.privilege
        if isinstance(partition, ReplicatedPartition) and privilege.writes and not later_privilege.returned:
            return True  # each point has its own copy
        if self._rules.pointwise and (self._rules.reductions or kind is not Constraint.REDUCTION):
            return self._comparisons.overlap(earlier, later, domain) is not Overlap.CROSSING
        if earlier.access.apart_from(later.access):
            return True
        if later.access.partition.partition.replicated and later_privilege.writes:
            return False  # equal to `none` as pieces, but what every point writes no point has to itself
        return kind is not Constraint.REDUCTION and earlier.access.same_pieces(later.access, domain)
