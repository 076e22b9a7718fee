"""`fuse-tasks`: group launches that may run back to back at each point of their launch domain.

Before::

    dist.launch @mul<[4]>(%x: read #t, %z: write #t) : …
    dist.launch @add<[4]>(%y: read #t, %z: read #t, %w: write #t) : …
    dist.release %z : …
    dist.launch @norm<[4]>(%w_half: read #t, %n: reduce<add> #dist.none) : …   // another view of %w

After::

    dist.fused_task<[4]> {
      dist.launch @mul<[4]>(%x: read #t, %z: write #t) : …
      dist.launch @add<[4]>(%y: read #t, %z: read #t, %w: write #t) : …
    }
    dist.release %z : …
    dist.launch @norm<[4]>(%w_half: read #t, %n: reduce<add> #dist.none) : …

The program is taken segment by segment. A segment ends at `dist.fence`, at a `dist.swap` or `dist.fused_task` that is there already, and
with the module. ``analysis/grouping.py`` decides which launches of a segment form groups and in which order these run, and
``analysis/sinking.py`` which of them are better off in a later one; here the segment is rewritten: what defines something (stores,
scalars, views) comes first, then the groups, each release right behind the last group that uses its store. Groups of one stay plain
launches, and a segment in which nothing is fused or moved stays as it is.

Where a group renamed a store, the fresh version and the store are exchanged behind it::

    dist.fused_task<[4]> { …  dist.launch @copy<[4]>(%work: read #t, %fresh_center: write #t) … }
    dist.swap %grid, %fresh : …
    dist.release %fresh : …

Precondition: a verified module (WF-1, WF-2). Complexity: near-linear in the number of arguments of all launches; nothing depends on how
many points or pieces there are. Source: Diffuse §4.2, Fig. 5, Def. 3; checks D13-D26, D34-D36, D39. docs/fusion.md tells the whole story.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, FusedLoc, LocationAttr, ModuleOp, NoneAttr, UnknownLoc
from xdsl.ir import Operation, SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp, domain_attr
from fuseir.dialects.dist.ops import FenceOp, ReleaseOp, ScalarOp, StoreOp, SwapOp, ViewOp, shaped
from fuseir.dialects.dist.view import View
from fuseir.errors import UsageError
from fuseir.passes.analysis.carry_tasks import CarryTasks
from fuseir.passes.analysis.dependence import MAX_PIECES, Comparisons, Constraint, IndexTask, Kernels, Refusal
from fuseir.passes.analysis.grouping import STORE, Grouping, GroupingRules, Note
from fuseir.passes.analysis.labels import access_label, pieces_label, store_label
from fuseir.passes.analysis.later_reads import LaterReads
from fuseir.passes.analysis.sinking import sink
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks

_DEFINITIONS = (StoreOp, ScalarOp, ViewOp, func.FuncOp)


def kernels_of(module: ModuleOp) -> Kernels:
    """What the module says about its tasks."""
    return Kernels.of([op for op in module.ops if isinstance(op, func.FuncOp)])


class Fuser:
    """Groups the launches of one module and rewrites it.

    ``fences`` are the pairs of launches that only a fence or a swap keeps apart.
    """

    def __init__(self, module: ModuleOp, rules: GroupingRules) -> None:
        self.fences: list[Refusal] = []
        self._module = module
        self._rules = rules
        self._kernels = kernels_of(module)
        self._comparisons = Comparisons()
        self._later_reads = LaterReads(module)
        self._carries = CarryTasks(module)

    def group(self) -> list[_Segment]:
        """Decide about every segment; changes nothing."""
        segments: list[_Segment] = []
        segment, last = _Segment(self._grouping()), None
        for op in list(self._module.ops):
            if isinstance(op, LaunchOp):
                task = IndexTask.of(op, self._kernels, self._comparisons)
                if not segment.grouping.groups and last is not None:
                    self.fences.append(Refusal(Constraint.FENCE, task, last))
                segment.grouping.place(task)
                segment.launches.append(op)
                last = task
            elif isinstance(op, ReleaseOp):
                segment.releases.append(op)
            elif not isinstance(op, _DEFINITIONS):
                self._finish(segment)
                last = last if isinstance(op, FenceOp | SwapOp) else None
                segment.end = op
                segments.append(segment)
                segment = _Segment(self._grouping())
        self._finish(segment)
        segments.append(segment)
        return segments

    def _grouping(self) -> Grouping:
        return Grouping(self._rules, self._comparisons, self._later_reads.rest_is_dead, self._carries.name)

    def _finish(self, segment: _Segment) -> None:
        if self._rules.reorder and self._rules.sink and segment.launches:
            last = segment.launches[-1]
            sink(segment.grouping, self._comparisons, lambda root: not self._later_reads.is_dead(last, root))

    def rewrite(self, segment: _Segment) -> list[FusedTaskOp]:
        """Put the groups of a segment in its place; the fused tasks made."""
        groups = segment.grouping.groups
        if all(len(group.members) == 1 for group in groups):
            return []
        block = self._module.body.block
        last_group = {
            access.root: group.number for group in groups for member in group.members for access in member.accesses
        }
        releases: dict[int, list[ReleaseOp]] = {}
        for release in segment.releases:
            releases.setdefault(last_group.get(release.store, -1), []).append(release)
        for op in (*segment.launches, *segment.releases):
            op.detach()
        made: list[FusedTaskOp] = []
        emitted: list[Operation] = list(releases.get(-1, ()))
        values = Views()
        for group in groups:
            emitted += [renaming.fresh for renaming in group.renamings]
            members = [self._launch(member, values) for member in group.members]
            emitted += values.take_new()
            if len(members) == 1:
                emitted += members
            else:
                fused = FusedTaskOp(group.domain, members)
                fused.location = fused_location([member.source for member in group.members])
                emitted.append(fused)
                made.append(fused)
            for renaming in group.renamings:
                emitted += [SwapOp(renaming.root, renaming.fresh.result), ReleaseOp(renaming.fresh.result)]
            emitted += releases.get(group.number, ())
        if segment.end is None:
            block.add_ops(emitted)
        else:
            block.insert_ops_before(emitted, segment.end)
        return made

    def _launch(self, task: IndexTask, values: Views) -> LaunchOp:
        """The launch of a task, which stays the operation that it was captured as: others know it by that."""
        if task.added:
            launch = LaunchOp(
                self._carries.declare(task.accesses[1].root),
                task.domain,
                [values.of(access) for access in task.accesses],
                [access.privilege for access in task.accesses],
                [access.partition for access in task.accesses],
            )
            launch.location = task.source.location
            return launch
        launch = task.source
        if task.rewritten:
            launch.operands = [*(values.of(access) for access in task.accesses), *launch.scalars]
            launch.properties["domain"] = domain_attr(task.domain)
            launch.partitions = ArrayAttr([access.partition for access in task.accesses])
        return launch


class _Segment:
    """The launches and releases between two barriers, and the barrier at the end (None: the module's)."""

    def __init__(self, grouping: Grouping) -> None:
        self.grouping = grouping
        self.launches: list[LaunchOp] = []
        self.releases: list[ReleaseOp] = []
        self.end: Operation | None = None


class Views:
    """The operands of launches that access what has no view in the program yet."""

    def __init__(self) -> None:
        self._views: dict[tuple[SSAValue, View], ViewOp] = {}
        self._new: list[Operation] = []

    def of(self, access: Access) -> SSAValue:
        """The store or view that an access is of."""
        if shows(access.value, access.root, access.view):
            return access.value
        key = (access.root, access.view)
        if key not in self._views:
            self._views[key] = ViewOp(access.root, access.view, shaped(access.root).element_type)
            self._new.append(self._views[key])
        return self._views[key].result

    def take_new(self) -> list[Operation]:
        """The views made since the last call, to be put before their users."""
        taken, self._new = self._new, []
        return taken


def shows(value: SSAValue, root: SSAValue, view: View) -> bool:
    """Whether a store or a view in the program is that view of that store."""
    if isinstance(value.owner, ViewOp):
        return value.owner.store is root and value.owner.view == view
    return value is root and view.index_map is None


def fused_location(ops: Sequence[Operation]) -> LocationAttr:
    """The location of what was made of several operations: each of theirs, once."""
    known = tuple(dict.fromkeys(op.location for op in ops if not isinstance(op.location, UnknownLoc)))
    if len(known) < 2:
        return known[0] if known else UnknownLoc()
    return FusedLoc(known, NoneAttr())


# Remarks


def explain(refusal: Refusal) -> str:
    """Why a launch was refused, in one sentence."""
    partner = "" if refusal.earlier is None else f" with '@{refusal.earlier.name}'"
    said = f"'@{refusal.later.name}' is not fused{partner} ({refusal.constraint.label})"
    if refusal.constraint is Constraint.LAUNCH_DOMAIN and refusal.earlier is not None:
        return f"{said}: launch domains {list(refusal.earlier.domain)} and {list(refusal.later.domain)}"
    if refusal.constraint is Constraint.PROCESSOR and refusal.earlier is not None:
        return f"{said}: {refusal.earlier.processor or 'any'} and {refusal.later.processor or 'any'}"
    if refusal.later_access is None:
        return said
    store = f"store {store_label(refusal.later_access.root)}"
    if refusal.earlier_access is None:
        return f"{said}: {store} is already used through {MAX_PIECES} views and partitions"
    return f"{said}: {store} is {access_label(refusal.earlier_access)}, then {access_label(refusal.later_access)}"


def remark_on(refusal: Refusal, pass_name: str, remarks: Remarks) -> None:
    """Add the remark about a refusal."""
    tasks = [task for task in (refusal.earlier, refusal.later) if task is not None]
    accesses = [access for access in (refusal.earlier_access, refusal.later_access) if access is not None]
    remarks.add(
        # A fence was asked for: no chance missed.
        RemarkKind.ANALYSIS if refusal.constraint is Constraint.FENCE else RemarkKind.MISSED,
        refusal.code,
        pass_name,
        explain(refusal),
        refusal.later.source,
        tasks=[(task.name, task.source) for task in tasks],
        store=None if refusal.store is None else store_label(refusal.store),
        partitions=[pieces_label(access) for access in accesses],
        suggestion=refusal.suggestion,
    )


@dataclass(frozen=True)
class FuseTasksPass(RemarkingPass):
    """Group launches that may run back to back at each point."""

    name = "fuse-tasks"

    max_members: int | None = None
    """The most launches in one group; no limit unless given."""
    pointwise: bool = True
    """Decide exactly which dependences stay at one point; without it, by equality of partitions (Diffuse Fig. 5)."""
    reductions: bool = True
    """Let reductions through a disjoint partition meet reads and writes at the same points."""
    reorder: bool = True
    """Let a launch join an earlier group if it commutes with all that stands between."""
    promote_scalars: bool = True
    """Run one-point tasks on single elements at every point of their neighbours' domain."""
    rename: bool = True
    """Let a launch write a fresh version of a store that earlier members read through other pieces."""
    sink: bool = True
    """Let a launch move to the later group that uses its result, if fewer bytes then go through memory; needs ``reorder``."""

    def rules(self) -> GroupingRules:
        """The options as rules. Raises UsageError for a limit below 1."""
        if self.max_members is not None and self.max_members < 1:
            raise UsageError(f"max-members is at least 1, not {self.max_members}")
        return GroupingRules(
            self.pointwise,
            self.reductions,
            self.max_members,
            self.reorder,
            self.promote_scalars,
            self.rename,
            self.sink,
        )

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Fuse every group of two launches or more."""
        fuser = Fuser(module, self.rules())
        segments = fuser.group()
        for segment in segments:
            for fused in fuser.rewrite(segment):
                members = fused.members
                message = f"fused {len(members)} launches"
                tasks = [(member.task_name, member) for member in members]
                remarks.add(RemarkKind.PASSED, "FIR-N100", self.name, message, fused, tasks=tasks)
        for segment in segments:
            for note in segment.grouping.notes:
                self._remark(note, remarks)
        for refusal in [*fuser.fences, *(refusal for each in segments for refusal in each.grouping.refusals)]:
            remark_on(refusal, self.name, remarks)

    def _remark(self, note: Note, remarks: Remarks) -> None:
        label = None if note.store is None else store_label(note.store)
        source = note.task.source
        message = f"'@{note.task.name}' {note.message}".replace(STORE, f"store {label}")
        kind = RemarkKind.ANALYSIS if note.code == "FIR-N162" else RemarkKind.PASSED
        remarks.add(kind, note.code, self.name, message, source, tasks=[(note.task.name, source)], store=label)
