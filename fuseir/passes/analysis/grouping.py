"""Which launches of a window form groups, and in which order the groups run.

The launches come in program order. Each joins the earliest group it may, so that what it makes is there early and what it needs
is still at hand:

* It commutes with every group behind the last one that it conflicts with (``last_uses.py``). That one it may join if the constraints
  hold (``dependence.py``): it then follows the members that it depends on.
* Else it may join a later group over its domain: nothing there conflicts with it, so only limits can refuse it.
* Else it begins a new group.

Without ``reorder`` only the last group is open: groups are then the longest runs of launches that fit (Diffuse §4.2.2; D24).
Members of a group stay in program order, and so do launches that do not commute. Opaque tasks are groups of their own, in order.

Scalar tasks (``scalar_promotion.py``) and the groups that hold nothing else take the domain of the first larger task that joins, and
an anti dependence may be crossed by writing a fresh version of the store (``renaming.py``).

``sinking.py`` then moves launches that a later group has more use for.

Cost: O(arguments) a launch; finding a group takes one look-up by domain.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.partition import Shape
from fuseir.passes.analysis.dependence import Comparisons, Constraint, FusionState, IndexTask, Refusal, Rules
from fuseir.passes.analysis.last_uses import NOWHERE, LastUses
from fuseir.passes.analysis.renaming import Renaming, plan_renaming, substituted
from fuseir.passes.analysis.scalar_promotion import is_scalar_task, promoted


@dataclass(frozen=True)
class GroupingRules(Rules):
    """What the pass may do beyond the constraints."""

    reorder: bool = True
    """Whether launches may join groups that are not the last one."""
    promote_scalars: bool = True
    """Whether scalar tasks may run at every point of their neighbours' domain."""
    rename: bool = True
    """Whether a write may go to a fresh version of its store."""
    sink: bool = True
    """Whether launches may then move to later groups (``sinking.py``), given ``reorder``."""


@dataclass(eq=False)
class Group:
    """Launches that run back to back at each point."""

    number: int
    state: FusionState
    opaque: IndexTask | None = None
    """The only member, if it has no body: nothing may join it."""
    scalar: bool = False
    """Whether all members are scalar tasks, so that the domain can still become another one."""
    renamings: list[Renaming] = field(default_factory=list[Renaming])
    versions: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    """Renamed stores, and what later members use in their place."""
    widened: dict[Shape, FusionState | None] = field(default_factory=dict[Shape, "FusionState | None"])
    """A group of scalar tasks as it would be over other domains."""

    @property
    def members(self) -> tuple[IndexTask, ...]:
        """In program order."""
        return self.state.members if self.opaque is None else (self.opaque,)

    @property
    def domain(self) -> Shape:
        """The launch domain of all members."""
        return self.members[0].domain


STORE = "{store}"


@dataclass(frozen=True)
class Note:
    """Something that was done, or left, beside grouping: for remarks. In ``message``, ``STORE`` stands for the store's name."""

    code: str
    task: IndexTask
    message: str
    store: SSAValue | None = None


class Grouping:
    """The groups of one segment: launches between two barriers.

    ``rest_is_dead`` tells whether nobody will look at a store outside of the view that an access writes, after a launch;
    ``carry_name`` names the copying task for a store.
    """

    def __init__(
        self,
        rules: GroupingRules,
        comparisons: Comparisons,
        rest_is_dead: Callable[[LaunchOp, Access], bool],
        carry_name: Callable[[SSAValue], str],
    ) -> None:
        self.groups: list[Group] = []
        self.tasks: list[IndexTask] = []
        """All launches placed, in program order, as they were captured."""
        self.refusals: list[Refusal] = []
        """Why each launch that begins a group did not join the one it was closest to; an opaque task never joins any."""
        self.notes: list[Note] = []
        self._rules = rules
        self._comparisons = comparisons
        self._rest_is_dead = rest_is_dead
        self._carry_name = carry_name
        self._last_uses = LastUses(comparisons)
        # Numbers of groups, ascending.
        self._by_domain: dict[Shape, list[int]] = {}
        self._open_groups: list[int] = []
        self._scalar_groups: list[int] = []

    def place(self, task: IndexTask) -> None:
        """Put the next launch of the program into a group."""
        self.tasks.append(task)
        if not task.has_body:
            self.refusals.append(Refusal(Constraint.OPAQUE, task))
            self._begin(task)
            return
        floor = self._last_uses.last_conflict(task) if self._rules.reorder else len(self.groups) - 1
        refusal: Refusal | None = None
        for number in self._candidates(task, floor):
            refused = self._try_join(self.groups[number], task)
            if refused is None:
                if number < len(self.groups) - 1:
                    self._note_early(task, number)
                return
            refusal = refusal or refused
        if refusal is None and self.groups:
            # Nothing to join at all: the reason is the last group's, which is in another domain or of an opaque task.
            last = self.groups[-1].members[-1]
            refusal = Refusal(Constraint.OPAQUE if not last.has_body else Constraint.LAUNCH_DOMAIN, task, last)
        if refusal is not None:
            self.refusals.append(refusal)
        self._begin(task)

    # Which groups

    def _candidates(self, task: IndexTask, floor: int) -> list[int]:
        """Groups to try, at most four: the last one it conflicts with, then the first behind it that suits."""
        found = [floor] if floor != NOWHERE else []
        if not self._rules.reorder:
            return found
        if self._rules.promote_scalars and is_scalar_task(task):
            # Its own kind first; else any group, at whose points it costs nothing.
            found += _first_behind(self._scalar_groups, floor)
            found += _first_behind(self._open_groups, floor)
        found += _first_behind(self._by_domain.get(task.domain, ()), floor)
        return list(dict.fromkeys(found))

    def _begin(self, task: IndexTask) -> None:
        number = len(self.groups)
        group = Group(number, FusionState(self._rules, self._comparisons))
        if group.state.try_add(task) is not None:
            group.opaque = task
        else:
            group.scalar = self._rules.promote_scalars and is_scalar_task(task)
            self._open_groups.append(number)
            self._by_domain.setdefault(task.domain, []).append(number)
            if group.scalar:
                self._scalar_groups.append(number)
        self.groups.append(group)
        self._last_uses.record(task, number)

    # Joining

    def _try_join(self, group: Group, task: IndexTask) -> Refusal | None:
        """Add the task to the group, or say why not and change nothing."""
        if group.opaque is not None:
            return Refusal(Constraint.OPAQUE, task, group.opaque)
        state, at_its_points = group.state, task
        if task.domain != group.domain and self._rules.promote_scalars and 0 not in (*task.domain, *group.domain):
            if is_scalar_task(task):
                at_its_points = promoted(task, group.domain, self._comparisons)
            elif group.scalar and (widened := self._widened(group, task.domain)) is not None:
                state = widened
        joining = substituted(at_its_points, group.versions, self._comparisons)
        renamings: list[Renaming] = []
        refusal = state.try_add(joining)
        if refusal is not None and refusal.constraint is Constraint.ANTI and self._rules.rename:
            renamings = self._renamings(group, state, joining, refusal)
            if renamings:
                state, refusal = state.copy(), None
                for member in (*(carry for each in renamings for carry in each.carries), renamings[-1].task):
                    refusal = refusal or state.try_add(member)
        if refusal is not None:
            if refusal.constraint is Constraint.MAX_MEMBERS:
                _remove(self._by_domain[group.domain], group.number)  # full for good
            return refusal
        self._commit(group, state, renamings)
        if at_its_points is not task:
            self._note_promoted(at_its_points)
        if group.scalar and not is_scalar_task(task):
            group.scalar = False
            _remove(self._scalar_groups, group.number)
        # Under its own stores: what renamed them is swapped behind the group.
        self._last_uses.record(at_its_points, group.number)
        return None

    def _commit(self, group: Group, state: FusionState, renamings: list[Renaming]) -> None:
        if state.members[0].domain != group.domain:
            _remove(self._by_domain[group.domain], group.number)
            insort(self._by_domain.setdefault(state.members[0].domain, []), group.number)
            for member in state.members[: len(group.members)]:
                self._note_promoted(member)
        group.state = state
        group.widened.clear()
        for renaming in renamings:
            group.renamings.append(renaming)
            group.versions[renaming.root] = renaming.fresh.result
            message = f"writes a fresh version of {STORE}: {renaming.written} elements written, {renaming.carried} carried over"
            self.notes.append(Note("FIR-N161", renaming.task, message, renaming.root))

    def _widened(self, group: Group, domain: Shape) -> FusionState | None:
        """The members of a group of scalar tasks at every point of a larger domain; None if that cannot be."""
        if domain not in group.widened:
            state = FusionState(self._rules, self._comparisons)
            legal = all(state.try_add(promoted(member, domain, self._comparisons)) is None for member in group.members)
            group.widened[domain] = state if legal else None
        return group.widened[domain]

    def _renamings(self, group: Group, state: FusionState, task: IndexTask, refusal: Refusal) -> list[Renaming]:
        """Fresh versions of stores that let the task join a group; none if it cannot.

        One for each anti dependence in its way. What it then still breaks, if anything, shows when it is added.
        """
        found: list[Renaming] = []
        trial = state.copy()
        while refusal.constraint is Constraint.ANTI:
            access = refusal.later_access
            assert access is not None  # an anti dependence has two accesses
            if access.root in group.versions.values():
                return []  # a fresh version already
            # Launches that come before this one in the program may stand in groups behind, and look at the rest there.
            last = group.number == len(self.groups) - 1
            plan = plan_renaming(
                task,
                task.accesses.index(access),
                self._carry_name(access.root),
                self._comparisons,
                rest_is_dead=last and self._rest_is_dead(task.source, access),
            )
            if isinstance(plan, Renaming) and any(trial.try_add(carry) is not None for carry in plan.carries):
                plan = "members write what would have to be carried over"
            if isinstance(plan, str):
                message = f"is given no fresh version of {STORE} to write: {plan}"
                self.notes.append(Note("FIR-N162", task, message, access.root))
                return []
            found.append(plan)
            task = plan.task
            again = trial.try_add(task)
            if again is None:
                return found
            refusal = again
        return []

    # Remarks

    def _note_promoted(self, task: IndexTask) -> None:
        self.notes.append(Note("FIR-N160", task, f"runs at every point of {list(task.domain)}, beside its neighbours"))

    def _note_early(self, task: IndexTask, number: int) -> None:
        behind = sum(len(group.members) for group in self.groups[number + 1 :])
        passed = "a launch" if behind == 1 else f"{behind} launches"
        self.notes.append(Note("FIR-N163", task, f"joins an earlier group, before {passed} it commutes with"))


def _first_behind(numbers: Sequence[int], floor: int) -> list[int]:
    position = bisect_right(numbers, floor)
    return [numbers[position]] if position < len(numbers) else []


def _remove(numbers: list[int], number: int) -> None:
    if number in numbers:
        numbers.remove(number)
