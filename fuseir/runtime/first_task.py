"""Which launches of a full window its first tasks take.

``take-first-task`` leaves the first tasks of the module; the launches behind them stay captured. Passes reorder launches and erase dead
ones, so the stages of the pipeline are watched: launches are known by the operations that they were captured as.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xdsl.dialects.builtin import ModuleOp

from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.errors import LegalityError
from fuseir.runtime.plan import Plan
from fuseir.runtime.planning import Planned
from fuseir.runtime.program_stores import launches
from fuseir.runtime.window import Segment

Dump = Callable[[str, ModuleOp], None]


class FirstTaskWatch:
    """Watches a captured module on its way through the pipeline; called with each stage's name and outcome, as dumps are."""

    def __init__(self, module: ModuleOp, dump: Dump | None) -> None:
        self._dump = dump
        self._numbers = {launch: number for number, launch in enumerate(launches(module))}
        self._tasks: list[tuple[LaunchOp, ...]] = []
        self._taken: frozenset[int] = frozenset(self._numbers.values())

    def __call__(self, stage: str, module: ModuleOp) -> None:
        """Notes what the stage says about launches. Raises LegalityError if fuse-tasks lost one."""
        if self._dump is not None:
            self._dump(stage, module)
        if stage == "fuse-tasks":
            self._tasks = _tasks_of(module)
            if not self._numbers.keys() <= {launch for task in self._tasks for launch in task}:
                raise LegalityError("fuse-tasks replaced a launch: which launches have run would not be known")
        elif stage == "take-first-task":
            self._taken = self._taken_with(set(launches(module)))

    def _taken_with(self, kept: set[LaunchOp]) -> frozenset[int]:
        """The launches of the tasks that were kept, and of those before the last of them.

        All launches of another task before it were erased, since what they do is replaced, or not wanted, by what is kept or released: once
        that has run, they must not. A dead launch behind it is as dead in the next window.
        """
        last = max((k for k, task in enumerate(self._tasks) if not kept.isdisjoint(task)), default=len(self._tasks))
        taken = [launch for task in self._tasks[: last + 1] for launch in task]
        # What passes added has no number.
        return frozenset(self._numbers[launch] for launch in taken if launch in self._numbers)

    def planned(self, plan: Plan, segment: Segment) -> Planned:
        """The plan, with the counts of what it takes only."""
        numbers: dict[object, int] = {}
        used: set[int] = set()
        for k, launch in enumerate(segment.launches):
            slots = [numbers.setdefault(root, len(numbers)) for root in launch.roots]
            used.update(slots if k in self._taken else ())
        counted = replace(
            plan, tasks=len(self._taken), temporaries=tuple(slot for slot in plan.temporaries if slot in used)
        )
        return Planned(counted, self._taken, grows=len(self._tasks) == 1 and len(self._numbers) > 1)


def _tasks_of(module: ModuleOp) -> list[tuple[LaunchOp, ...]]:
    """The launches of each task, fused or single."""
    return [
        op.members if isinstance(op, FusedTaskOp) else (op,)
        for op in module.ops
        if isinstance(op, LaunchOp | FusedTaskOp)
    ]
