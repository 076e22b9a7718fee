"""`eliminate-temporaries`: find the stores that need no memory.

Before::

    dist.fused_task<[4]> {
      dist.launch @mul<[4]>(%x: read #t, %z: write #t) : …
      dist.launch @add<[4]>(%y: read #t, %z: read #t, %w: write #t) : …
    }
    dist.release %z : …

After::

    dist.fused_task<[4]> temporaries(%z : …) {
      …
    }
    dist.release %z : …

A store is a temporary of a fused task (Diffuse Def. 4) if

1. each read of it by a member comes after a write by an earlier member that reaches all of the store through the same pieces;
2. no launch after the fused task reads it or reduces into it, unless one that replaces all of it comes first;
3. the application holds no reference to it: it is released in this module (a store's release speaks for all its views), and it has no
   name, which would make it an output of the program.

In addition a member must write it (a store that is only read is not produced here), and none may reduce into it. Stores that are
written and never read meet 1 trivially: dead stores are temporaries. ``compose-kernels`` turns temporaries into SSA values.

Launches that nobody needs go away: a launch of a kernel, alone or in a fused task, is erased if nobody wants what it does to the stores it
changes: each is unnamed, released, and replaced as a whole before the next read if there is one. Kernels have no side effects; opaque
tasks stay. So does a swap of two stores of which nobody wants either afterwards. Across a swap, contents are followed and not
stores: what is swapped into a store that the world outside can see is wanted.

Precondition: a verified module. Complexity: linear in the number of arguments of all launches.
Source: Diffuse §5.1, Def. 4, Fig. 6; checks D40-D50.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import StoreOp, SwapOp
from fuseir.passes.analysis.labels import store_label
from fuseir.passes.analysis.liveness import Liveness, StoreUse, uses_of_stores
from fuseir.passes.fuse_tasks import kernels_of
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks


class Obstacle(NamedTuple):
    """Why a store needs memory, and what a user may do about it."""

    code: str
    reason: str
    suggestion: str
    kind: RemarkKind = RemarkKind.MISSED
    reader: LaunchOp | None = None


def needs_memory(root: SSAValue, use: StoreUse, after: Liveness) -> Obstacle | None:
    """Why a store that a group writes is no temporary of it; None if it is one.

    ``after`` stands right behind the group.
    """
    if use.reducer is not None:
        return _reduced_into(use.reducer)
    if use.exposed_to is not None:
        if use.exposed_after_write:
            reason = (
                f"'@{use.exposed_to.task_name}' reads it when only a part of it is written, or through other pieces"
            )
            return Obstacle("FIR-N116", reason, "write all of the store, through the pieces that are read later")
        reason = f"'@{use.exposed_to.task_name}' reads it before a member writes it"
        return Obstacle("FIR-N112", reason, "write the result to a new store instead of updating this one")
    # A store with a name has memory even where a swap takes away what it holds.
    if _has_name(root) or not after.private(root):
        return _visible_outside(root, after.fate(root))
    if (reader := after.reader(root)) is not None:
        return _needed_later(reader)
    return None


def _visible_outside(root: SSAValue, fate: SSAValue) -> Obstacle:
    if _has_name(root):
        reason = "it has a name, so the world outside can see it"
    elif fate is not root:
        reason = f"it is swapped into {store_label(fate)}, which the world outside can see"
    else:
        reason = "it is not released in this module"
    # What has a name is what the program is for; not a chance missed.
    kind = RemarkKind.ANALYSIS if _has_name(root) or _has_name(fate) else RemarkKind.MISSED
    return Obstacle("FIR-N113", reason, "drop the last handle before a value is read, if it is not needed", kind)


def _has_name(root: SSAValue) -> bool:
    return isinstance(root.owner, StoreOp) and root.owner.store_name is not None


def _reduced_into(reducer: LaunchOp) -> Obstacle:
    return Obstacle("FIR-N111", f"'@{reducer.task_name}' reduces into it", "a reduction's result always needs memory")


def _needed_later(reader: LaunchOp) -> Obstacle:
    reason = f"'@{reader.task_name}' needs it later"
    return Obstacle("FIR-N114", reason, "see why that launch is not in the same group", reader=reader)


def is_dead(accesses: Sequence[Access], after: Liveness) -> bool:
    """Whether nobody wants what a launch of a kernel does. ``after`` stands right behind it."""
    return not any(access.privilege.returned and after.wanted(access.root) for access in accesses)


@dataclass(frozen=True)
class EliminateTemporariesPass(RemarkingPass):
    """Mark the stores of each fused task that need no memory, and erase launches that nobody needs."""

    name = "eliminate-temporaries"

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Walk the program backwards, deciding each launch and fused task knowing all that follows it."""
        kernels = kernels_of(module).with_body
        liveness = Liveness(module)
        op = module.body.block.last_op
        while op is not None:
            before = op.prev_op
            if isinstance(op, SwapOp):
                if liveness.wanted(op.first) or liveness.wanted(op.second):
                    liveness.step_over_swap(op)
                else:
                    _erase(op)
            elif isinstance(op, FusedTaskOp):
                self._mark(op, kernels, liveness, remarks)
            elif isinstance(op, LaunchOp):
                self._remark_on_launch(op, liveness, remarks)
                self._erase_or_step_over(op, kernels, liveness, remarks)
            op = before

    def _remark_on_launch(self, launch: LaunchOp, liveness: Liveness, remarks: Remarks) -> None:
        """Say which stores need memory because what a launch makes is read by one that it was not fused with."""
        for root, use in uses_of_stores((launch,)).items():
            reader = liveness.reader(root)
            if reader is None or not liveness.private(root):
                continue
            if use.writer is not None:
                self._say(root, _needed_later(reader), launch, remarks)
            elif use.reducer is not None:
                self._say(root, _reduced_into(launch), launch, remarks)

    def _mark(self, fused: FusedTaskOp, kernels: Container[str], liveness: Liveness, remarks: Remarks) -> None:
        """Set the temporaries of one fused task and move ``liveness`` before it."""
        # Temporaries are a question about the place behind the group, so they are found before the walk goes through its members. Which
        # members are dead shows only during that walk; temporaries that only they used are dropped from the list afterwards.
        members = fused.members
        found: list[SSAValue] = []
        for root, use in uses_of_stores(members).items():
            if use.writer is None:
                if use.reducer is not None and liveness.private(root) and liveness.reader(root) is not None:
                    self._say(root, _reduced_into(use.reducer), use.reducer, remarks)
                continue
            reason = needs_memory(root, use, liveness)
            if reason is None:
                found.append(root)
                label = store_label(root)
                message = f"store {label} needs no memory"
                remarks.add(RemarkKind.PASSED, "FIR-N110", self.name, message, use.writer, store=label)
            else:
                self._say(root, reason, use.writer, remarks)
        used: set[SSAValue] = set()
        for member in reversed(members):
            used.update(self._erase_or_step_over(member, kernels, liveness, remarks))
        if used:
            fused.operands = [root for root in found if root in used]
        else:
            _erase(fused)

    def _erase_or_step_over(
        self, launch: LaunchOp, kernels: Container[str], liveness: Liveness, remarks: Remarks
    ) -> Iterable[SSAValue]:
        """Move ``liveness`` before the launch, which is erased if it is dead. Returns the stores that are still used by it."""
        accesses = launch.accesses
        if launch.task_name in kernels and is_dead(accesses, liveness):
            message = f"'@{launch.task_name}' is erased: nobody wants its results"
            remarks.add(RemarkKind.PASSED, "FIR-N115", self.name, message, launch, tasks=[(launch.task_name, launch)])
            _erase(launch)
            return ()
        liveness.step_over(launch, accesses)
        return [access.root for access in accesses]

    def _say(self, root: SSAValue, obstacle: Obstacle, writer: LaunchOp, remarks: Remarks) -> None:
        label = store_label(root)
        tasks = [(writer.task_name, writer)]
        if obstacle.reader is not None:
            tasks.append((obstacle.reader.task_name, obstacle.reader))
        message = f"store {label} needs memory: {obstacle.reason}"
        remarks.add(
            obstacle.kind,
            obstacle.code,
            self.name,
            message,
            writer,
            tasks=tasks,
            store=label,
            suggestion=obstacle.suggestion,
        )


def _erase(op: Operation) -> None:
    op.detach()
    op.erase()
