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

Each window is cut into the longest groups that satisfy the constraints of ``analysis/dependence.py``, greedily from the front: the
constraints hold for every prefix of a group that satisfies them, so taking launches while they fit finds the longest. A window ends at
`dist.fence`, at a launch of an opaque task, at a `dist.fused_task` that is there already, and with the module. Launches are never
reordered. Groups of one stay plain launches.

What stands between two members does not end a group. Stores, scalars, views and kernels only define something: they stay, and the fused
task takes the place of the last member, after all of them. A release drops a reference to a store that earlier members may use: it
moves behind the fused task, which is always allowed, since nothing uses a store after its release.

Precondition: a verified module (WF-1, WF-2). Complexity: linear in the number of arguments of all launches.
Source: Diffuse §4.2, Fig. 5, Def. 3; checks D13-D22, D34, D39.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import FusedLoc, LocationAttr, ModuleOp, NoneAttr, UnknownLoc
from xdsl.ir import Operation

from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, ScalarOp, StoreOp, ViewOp
from fuseir.errors import UsageError
from fuseir.passes.analysis.dependence import MAX_PIECES, Constraint, FusionState, Refusal
from fuseir.passes.analysis.labels import access_label, pieces_label, store_label
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks

_INSIDE_A_GROUP = (StoreOp, ScalarOp, ViewOp, ReleaseOp, func.FuncOp)


def kernel_names(module: ModuleOp) -> frozenset[str]:
    """The functions of the module that have a body: tasks that can be fused."""
    return frozenset(op.sym_name.data for op in module.ops if isinstance(op, func.FuncOp) and not op.is_declaration)


def find_groups(module: ModuleOp, max_members: int | None, refusals: list[Refusal]) -> list[tuple[LaunchOp, ...]]:
    """The maximal runs of launches that may be fused, single ones included; each end by a constraint adds a refusal."""
    kernels = kernel_names(module)
    groups: list[tuple[LaunchOp, ...]] = []
    state = FusionState(kernels, max_members)

    def close() -> FusionState:
        if state.members:
            groups.append(state.members)
        return FusionState(kernels, max_members)

    for op in module.ops:
        if isinstance(op, LaunchOp):
            if (refusal := state.try_add(op)) is not None:
                refusals.append(refusal)
                state = close()
                # An opaque task is refused again, and leaves the new group empty.
                state.try_add(op)
        elif not isinstance(op, _INSIDE_A_GROUP):
            state = close()
    close()
    return groups


def fuse(members: Sequence[LaunchOp]) -> FusedTaskOp:
    """Replace launches of one block by a fused task in the place of the last, and move releases among them behind it."""
    first, last = members[0], members[-1]
    releases: list[ReleaseOp] = []
    between: Operation | None = first
    while between is not None and between is not last:
        if isinstance(between, ReleaseOp):
            releases.append(between)
        between = between.next_op
    block = last.parent
    assert block is not None
    fused = FusedTaskOp(first.extents)
    fused.location = fused_location(members)
    block.insert_op_after(fused, last)
    for member in members:
        member.detach()
    fused.body.block.add_ops(members)
    for release in releases:
        release.detach()
    block.insert_ops_after(releases, fused)
    return fused


def fused_location(ops: Sequence[Operation]) -> LocationAttr:
    """The location of what was made of several operations: each of theirs, once."""
    known = tuple(dict.fromkeys(op.location for op in ops if not isinstance(op.location, UnknownLoc)))
    if len(known) < 2:
        return known[0] if known else UnknownLoc()
    return FusedLoc(known, NoneAttr())


def explain(refusal: Refusal) -> str:
    """Why a launch was refused, in one sentence."""
    partner = "" if refusal.earlier is None else f" with '@{refusal.earlier.task_name}'"
    said = f"'@{refusal.later.task_name}' is not fused{partner} ({refusal.constraint.label})"
    if refusal.constraint is Constraint.LAUNCH_DOMAIN and refusal.earlier is not None:
        return f"{said}: launch domains {list(refusal.earlier.extents)} and {list(refusal.later.extents)}"
    if refusal.later_access is None:
        return said
    store = f"store {store_label(refusal.later_access.root)}"
    if refusal.earlier_access is None:
        return f"{said}: {store} is already used through {MAX_PIECES} views and partitions"
    return f"{said}: {store} is {access_label(refusal.earlier_access)}, then {access_label(refusal.later_access)}"


def remark_on(refusal: Refusal, pass_name: str, remarks: Remarks) -> None:
    """Add the remark about a refusal."""
    launches = [launch for launch in (refusal.earlier, refusal.later) if launch is not None]
    accesses = [access for access in (refusal.earlier_access, refusal.later_access) if access is not None]
    remarks.add(
        RemarkKind.MISSED,
        refusal.code,
        pass_name,
        explain(refusal),
        refusal.later,
        tasks=[(launch.task_name, launch) for launch in launches],
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

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Fuse every group of two launches or more."""
        if self.max_members is not None and self.max_members < 1:
            raise UsageError(f"max-members is at least 1, not {self.max_members}")
        refusals: list[Refusal] = []
        for members in find_groups(module, self.max_members, refusals):
            if len(members) > 1:
                fused = fuse(members)
                message = f"fused {len(members)} launches"
                tasks = [(member.task_name, member) for member in members]
                remarks.add(RemarkKind.PASSED, "FIR-N100", self.name, message, fused, tasks=tasks)
        for refusal in refusals:
            remark_on(refusal, self.name, remarks)
