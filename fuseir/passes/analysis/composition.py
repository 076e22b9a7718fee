"""What the kernel of a run of launches will be: its parameters, what each is for, and which member uses which.

One parameter for each distinct piece of a store (same view, same pieces by partition). Where pieces that are only read are broadcasts of
pieces that members change, what is read is the broadcast of the latter's value; a parameter of their own gives the shape. A reduction
that nobody else meets is a parameter of its own, never merged: its partials are combined on their own, in order. One whose pieces other
members read, write, or reduce with another operator is promoted: it becomes part of the parameter for those pieces, as a read and a
write. Everything but the text of the kernel is decided here, in O(rank) for each pair of pieces of one store.
Source: Diffuse §4.2.2; checks D37, D46.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.partition import Shape
from fuseir.dialects.dist.privilege import NO_ACCESS, READ, READ_WRITE, WRITE, Privilege
from fuseir.passes.analysis.dependence import Use
from fuseir.passes.analysis.runs import PieceRelations


@dataclass(slots=True)
class _Parameter:
    """One tensor parameter in the making."""

    access: Access
    reads: bool = False
    writes: bool = False
    reduction: Privilege | None = None

    def add(self, access: Access, privilege: Privilege) -> None:
        if privilege.reduces:
            self.reduction = privilege
        if privilege.writes and not self.writes:
            self.access = access  # the same pieces, but only one who writes may say that they are replicated
        # A read of what an earlier member wrote does not look at the contents on entry.
        self.reads = self.reads or (privilege.reads and not self.writes)
        self.writes = self.writes or privilege.writes

    @property
    def privilege(self) -> Privilege:
        if self.reduction is not None:
            return self.reduction
        if self.writes:
            return READ_WRITE if self.reads else WRITE
        return READ if self.reads else NO_ACCESS


class Broadcast(NamedTuple):
    """What an argument holds: the value of a parameter, whose dimensions are ``dims`` of the argument's, repeated along the others."""

    argument: int
    parameter: int
    dims: tuple[int, ...]


class Step(NamedTuple):
    """One member: its task, the privilege and the parameter of each argument, and the number of each scalar.

    The parameters of ``broadcasts`` arguments give shapes only.
    """

    task: str
    privileges: tuple[Privilege, ...]
    parameters: tuple[int, ...]
    scalars: tuple[int, ...]
    broadcasts: tuple[Broadcast, ...] = ()


class Recipe(NamedTuple):
    """How a composed kernel is made of kernels. Equal recipes make equal kernels, whatever the stores and partitions are.

    ``privileges`` are those of the tensor parameters. A step's reduction whose parameter is none is promoted.
    """

    steps: tuple[Step, ...]
    privileges: tuple[Privilege, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether the result is one kernel as it is: its own parameters in their order, for the same purposes."""
        first = self.steps[0]
        return len(self.steps) == 1 and first == Step(
            first.task, self.privileges, tuple(range(len(self.privileges))), tuple(range(len(first.scalars)))
        )


@dataclass(frozen=True)
class Composition:
    """A recipe, and the arguments to launch the result with."""

    recipe: Recipe
    accesses: tuple[Access, ...]
    scalars: tuple[SSAValue, ...]


@dataclass(slots=True)
class _Pieces:
    """All accesses of a run to the same pieces of one store: who they are, and their common parameter once there is one.

    That parameter is for all but reductions that are not promoted. ``base`` are pieces that these are broadcasts of, and how.
    """

    first: Use
    privileges: set[Privilege] = field(default_factory=set[Privilege])
    parameter: int | None = None
    base: tuple[_Pieces, tuple[int, ...]] | None = None

    @property
    def changed(self) -> bool:
        """Whether a member writes them or folds into them."""
        return any(privilege.returned for privilege in self.privileges)

    def promotes_reductions(self, domain: Shape) -> bool:
        """Whether a reduction into these pieces is a value that other members meet."""
        touching = {p for p in self.privileges if p.reads or p.returned}
        # Where points share a piece, nothing else may meet it in one launch; what is left to see are views without elements.
        access = self.first.access
        return (
            len(touching) > 1 and any(p.reduces for p in touching) and access.partition.disjoint(access.shape, domain)
        )


class _PieceTable:
    """The pieces that a run uses, by store."""

    def __init__(self, relations: PieceRelations) -> None:
        self._relations = relations
        self._known: dict[tuple[SSAValue, int], _Pieces] = {}
        self._of_store: dict[SSAValue, list[_Pieces]] = {}

    def find(self, access: Access, domain: Shape) -> _Pieces:
        """The pieces of an access, known by then or not."""
        use = Use(access, self._relations.comparisons.number(access))
        key = (access.root, use.pieces)
        known = self._known.get(key)
        if known is None:
            of_store = self._of_store.setdefault(access.root, [])
            known = next((p for p in of_store if self._relations.same(p.first, use, domain)), None)
            if known is None:
                known = _Pieces(use)
                of_store.append(known)
            self._known[key] = known
        return known

    def find_bases(self, domain: Shape) -> None:
        """For pieces that are read only, find those that members change and that they are broadcasts of."""
        for of_store in self._of_store.values():
            changed = [pieces for pieces in of_store if pieces.changed]
            for pieces in of_store:
                if pieces.changed or READ not in pieces.privileges:
                    continue
                for base in changed:
                    dims = self._relations.broadcast(pieces.first, base.first, domain)
                    if dims is not None:
                        pieces.base = base, dims
                        base.privileges.add(READ)
                        break

    def find_shorter(self, pieces: _Pieces, domain: Shape) -> None:
        """For pieces that are read only, and repeat elements along their last dimensions: have them broadcast from those without.

        A loop along such a dimension then has a value that stays, and no memory to go through.
        """
        if pieces.base is not None or not pieces.privileges <= {READ, NO_ACCESS}:
            return
        shorter = pieces.first.access.without_repeats() if READ in pieces.privileges else None
        if shorter is not None:
            base = self.find(shorter.under(READ), domain)
            if base.base is None and not base.changed:
                pieces.base = base, tuple(range(len(shorter.shape)))
                base.privileges.add(READ)


def plan_composition(
    members: Sequence[LaunchOp], temporaries: Sequence[SSAValue], relations: PieceRelations, *, repeats: bool
) -> Composition:
    """Decide the parameters of the composed kernel, in order of first use by the members.

    The members may share a kernel (``cut_into_runs``); ``temporaries`` are stores that nobody else sees. ``repeats``: views that repeat
    elements along their last dimensions are parameters with these, and not broadcasts of parameters without.
    """
    domain = members[0].extents
    table = _PieceTable(relations)
    arguments = [[(access, table.find(access, domain)) for access in member.accesses] for member in members]
    for access, pieces in (argument for of_member in arguments for argument in of_member):
        pieces.privileges.add(access.privilege)
    table.find_bases(domain)
    if not repeats:
        for of_member in arguments:
            if all(access.keeps_order for access, _ in of_member):
                for _, pieces in of_member:
                    table.find_shorter(pieces, domain)

    parameters: list[_Parameter] = []
    scalars: dict[SSAValue, int] = {}
    steps: list[Step] = []
    for member, of_member in zip(members, arguments, strict=True):
        numbers: list[int] = []
        broadcasts: list[Broadcast] = []
        effects: list[tuple[int, Access, Privilege]] = []
        written: set[int] = set()
        for access, pieces in of_member:
            privilege = access.privilege
            if privilege.reduces and pieces.promotes_reductions(domain):
                privilege = READ_WRITE
            if pieces.base is not None and privilege.reads:
                base, dims = pieces.base
                if base.parameter is None:
                    base.parameter = len(parameters)
                    parameters.append(_Parameter(base.first.access))
                broadcasts.append(Broadcast(len(numbers), base.parameter, dims))
                effects.append((base.parameter, base.first.access, READ))
                privilege = NO_ACCESS
            number = None if privilege.reduces else pieces.parameter
            if access.privilege.writes and number in written:
                number = None  # both write the same pieces, which is legal where those are empty
            if number is None:
                number = len(parameters)
                parameters.append(_Parameter(access))
                if not privilege.reduces and pieces.parameter is None:
                    pieces.parameter = number
            numbers.append(number)
            effects.append((number, access, privilege))
            if privilege.writes:
                written.add(number)
        # A launch's reads see what was there before it, so its own writes count after them (in-place updates).
        for number, access, privilege in sorted(effects, key=lambda effect: effect[2].writes):
            parameters[number].add(access, privilege)
        member_scalars = tuple(scalars.setdefault(scalar, len(scalars)) for scalar in member.scalars)
        privileges = tuple(access.privilege for access in member.accesses)
        steps.append(Step(member.task_name, privileges, tuple(numbers), member_scalars, tuple(broadcasts)))
    hidden = set(temporaries)
    privileges = tuple(NO_ACCESS if p.access.root in hidden else p.privilege for p in parameters)
    return Composition(Recipe(tuple(steps), privileges), tuple(p.access for p in parameters), tuple(scalars))
