"""May these launches run back to back at each point? The fusion constraints, checked launch by launch.

A sequence of launches may be fused if every dependence between two of them stays at one point of the launch domain (papers: Diffuse
Def. 3). ``FusionState`` decides that with the four constraints of Diffuse Fig. 5, never looking at a point:

==========  ==================================================================================================
launch      all members have one launch domain
true        what one member writes, later members read or write through the same pieces only
anti        what one member reads, later members write through the same pieces only
reduction   what one member reduces into, no other reads or writes; two reductions of it use one operator
==========  ==================================================================================================

They are sound because the verifier guarantees WF-1 (what a launch writes, its points do not share) and WF-2 (arguments of one launch do
not conflict at different points). "The same pieces" is a question about a view and a partition, answered symbolically. Beyond
the paper, accesses through views that have no element in common do not interact: an update of the interior of an array and one of
its border may fuse. They are incomplete: dependences that stay at one point although the pieces differ are refused.

Cost: O(arguments) a launch. Each argument is compared with the distinct pieces of its store seen so far in the group, of which at most
``MAX_PIECES`` are kept; a comparison depends on ranks alone, never on the number of points or pieces (papers: Diffuse §4.2.1).
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.attributes import PartitionAttr
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.partition import Shape
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

    def __init__(self, code: str, label: str, suggestion: str) -> None:
        self.code = code
        self.label = label
        self.suggestion = suggestion


@dataclass(frozen=True, eq=False)
class Refusal:
    """Why ``later`` cannot join the group of ``earlier``; where the reason is a pair of accesses, both are given.

    For an opaque task there is no ``earlier``: it joins nothing.
    """

    constraint: Constraint
    later: LaunchOp
    earlier: LaunchOp | None = None
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


class _Use(NamedTuple):
    """One launch's use of some pieces."""

    launch: LaunchOp
    access: Access


@dataclass(slots=True)
class _Pieces:
    """Who first read, wrote and reduced one (view, partition) of a store. ``no_access`` leaves no trace."""

    access: Access
    read: _Use | None = None
    write: _Use | None = None
    reduction: _Use | None = None

    def record(self, use: _Use) -> None:
        privilege = use.access.privilege
        if privilege.reads:
            self.read = self.read or use
        if privilege.writes:
            self.write = self.write or use
        if privilege.reduces:
            self.reduction = self.reduction or use


def _conflict(pieces: _Pieces, later: Access, domain: Shape) -> tuple[Constraint, _Use] | None:
    """The constraint that an access breaks given what was done to some pieces of the same store, and by whom."""
    privilege = later.privilege
    touches = privilege.reads or privilege.writes
    broken: tuple[Constraint, _Use] | None = None
    if touches and pieces.reduction is not None:
        broken = (Constraint.REDUCTION, pieces.reduction)
    elif privilege.reduces and (earlier := pieces.write or pieces.read) is not None:
        broken = (Constraint.REDUCTION, earlier)
    elif privilege.reduces and pieces.reduction is not None:
        if pieces.reduction.access.privilege != privilege:
            broken = (Constraint.REDUCTION, pieces.reduction)
    elif touches and pieces.write is not None:
        broken = (Constraint.TRUE, pieces.write)
    elif privilege.writes and pieces.read is not None:
        broken = (Constraint.ANTI, pieces.read)
    if broken is None or pieces.access.apart_from(later):
        return None
    # Whether the pieces are the same matters to reads and writes only: a reduction's result is complete after all points.
    if broken[0] is not Constraint.REDUCTION and pieces.access.same_pieces(later, domain):
        return None
    return broken


class FusionState:
    """The launches of a group so far, reduced to what the constraints need to know about them.

    ``kernels`` are the names of the tasks that have bodies.
    """

    def __init__(self, kernels: Container[str], max_members: int | None = None) -> None:
        self._kernels = kernels
        self._max_members = max_members
        self._members: list[LaunchOp] = []
        self._pieces: dict[SSAValue, dict[tuple[View, PartitionAttr], _Pieces]] = {}

    @property
    def members(self) -> tuple[LaunchOp, ...]:
        """The launches accepted, in order."""
        return tuple(self._members)

    def try_add(self, launch: LaunchOp) -> Refusal | None:
        """Add the launch to the group, or say why it cannot join and change nothing.

        The launch is tested against the members before it only: what its own arguments do to each other is WF-2's affair.
        A kernel always joins an empty group.
        """
        if launch.task_name not in self._kernels:
            return Refusal(Constraint.OPAQUE, launch)
        accesses = launch.accesses
        if self._members and (refusal := self._refusal(launch, accesses)) is not None:
            return refusal
        self._members.append(launch)
        for access in accesses:
            if access.privilege.reads or access.privilege.returned:
                pieces = self._pieces.setdefault(access.root, {})
                key = (access.view, access.partition)
                pieces.setdefault(key, _Pieces(access)).record(_Use(launch, access))
        return None

    def _refusal(self, launch: LaunchOp, accesses: tuple[Access, ...]) -> Refusal | None:
        first = self._members[0]
        if launch.domain != first.domain:
            return Refusal(Constraint.LAUNCH_DOMAIN, launch, first)
        if self._max_members is not None and len(self._members) >= self._max_members:
            return Refusal(Constraint.MAX_MEMBERS, launch, self._members[-1])
        domain = launch.extents
        for access in accesses:
            if not (access.privilege.reads or access.privilege.returned):
                continue
            seen = self._pieces.get(access.root, {})
            for pieces in seen.values():
                if (broken := _conflict(pieces, access, domain)) is not None:
                    constraint, use = broken
                    return Refusal(constraint, launch, use.launch, use.access, access)
            if len(seen) >= MAX_PIECES and (access.view, access.partition) not in seen:
                return Refusal(Constraint.MAX_PIECES, launch, self._members[-1], later_access=access)
        return None
