"""What the kernel of a group of launches will be: its parameters, what each is for, and which member uses which.

One parameter for each distinct piece of a store (same view, same pieces by partition); reductions are never merged. Everything but the text
of the kernel is decided here, in O(rank) for each pair of pieces of one store. Source: Diffuse §4.2.2; checks D37, D46.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.privilege import NO_ACCESS, READ, READ_WRITE, WRITE, Privilege


@dataclass(slots=True)
class _Parameter:
    """One tensor parameter in the making."""

    access: Access
    reads: bool = False
    writes: bool = False
    reduction: Privilege | None = None

    def add(self, privilege: Privilege) -> None:
        if privilege.reduces:
            self.reduction = privilege
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


class Step(NamedTuple):
    """One member: its task, the privilege and the parameter of each argument, and the number of each scalar."""

    task: str
    privileges: tuple[Privilege, ...]
    parameters: tuple[int, ...]
    scalars: tuple[int, ...]


class Recipe(NamedTuple):
    """How a composed kernel is made of kernels. Equal recipes make equal kernels, whatever the stores and partitions are.

    ``privileges`` are those of the tensor parameters.
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


def plan_composition(members: Sequence[LaunchOp], temporaries: Sequence[SSAValue]) -> Composition:
    """Decide the parameters of the composed kernel, in order of first use by the members."""
    parameters: list[_Parameter] = []
    of_store: dict[SSAValue, list[int]] = {}
    scalars: dict[SSAValue, int] = {}
    steps: list[Step] = []
    for member in members:
        numbers: list[int] = []
        written: set[int] = set()
        for access in member.accesses:
            known = of_store.setdefault(access.root, [])
            number = None if access.privilege.reduces else _find(parameters, known, access, member)
            if access.privilege.writes and number in written:
                number = None  # both write the same pieces, which is legal where those are empty
            if number is None:
                number = len(parameters)
                parameters.append(_Parameter(access))
                known.append(number)
            numbers.append(number)
            if access.privilege.writes:
                written.add(number)
        # A launch's reads see what was there before it, so its own writes count after them (in-place updates).
        for number, access in sorted(
            zip(numbers, member.accesses, strict=True), key=lambda pair: pair[1].privilege.writes
        ):
            parameters[number].add(access.privilege)
        member_scalars = tuple(scalars.setdefault(scalar, len(scalars)) for scalar in member.scalars)
        privileges = tuple(access.privilege for access in member.accesses)
        steps.append(Step(member.task_name, privileges, tuple(numbers), member_scalars))
    hidden = set(temporaries)
    privileges = tuple(NO_ACCESS if p.access.root in hidden else p.privilege for p in parameters)
    return Composition(Recipe(tuple(steps), privileges), tuple(p.access for p in parameters), tuple(scalars))


def _find(parameters: list[_Parameter], known: list[int], access: Access, member: LaunchOp) -> int | None:
    """The parameter that holds the pieces of ``access`` already."""
    for number in known:
        parameter = parameters[number]
        if parameter.reduction is None and parameter.access.same_pieces(access, member.extents):
            return number
    return None
