"""`take-first-task`: keep the first task of a window, or the first ones; what stands behind has not been asked for yet.

Before::

    dist.fused_task<[4]> { … }                       // on %x, %z, %y
    dist.release %z : …
    dist.launch @norm<[4]>(%y: read #t, %n: reduce<add> #dist.none) : …
    dist.release %y : …

After::

    dist.fused_task<[4]> { … }
    dist.release %z : …

A full window gives up one task, fused or single, and goes on filling; its other launches stay captured (Diffuse's prototype calls this
*munch*). With ``waiting=1``, which is what sessions do, it gives up all tasks but the last one, or the only one: what ended the others
is in the window, so that, looked at again with more launches behind them, they would be the same, and given up one by one.
The pass runs behind ``eliminate-temporaries``, which has then seen what the launches behind read.

What belongs to the last task that is kept stands directly behind it and stays: releases of stores that nothing behind uses, and the
exchange of a store with its fresh version. All else behind it is erased, and then the stores, views, scalars and functions that nothing
uses any more. What stands before it stays. A module without tasks stays as it is.

Not a pass that keeps what a program means: the runtime knows which launches it left out, and runs them later.

Precondition: a verified module. Linear in the number of operations.
Source: Diffuse §4, §5.1; checks D28, D29.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import FenceOp, ScalarOp, StoreOp, ViewOp
from fuseir.passes.remarks import RemarkingPass, Remarks

_DEFINITIONS = (StoreOp, ViewOp, ScalarOp)
_ENDS_WHAT_BELONGS_TO_A_TASK = (LaunchOp, FusedTaskOp, FenceOp)


def pending(task: Operation) -> list[Operation]:
    """What behind a task does not belong to it: from the next launch, fused task or fence on, all but definitions and functions."""
    found: list[Operation] = []
    op = task.next_op
    while op is not None:
        if (found or isinstance(op, _ENDS_WHAT_BELONGS_TO_A_TASK)) and not isinstance(op, (*_DEFINITIONS, func.FuncOp)):
            found.append(op)
        op = op.next_op
    return found


@dataclass(frozen=True)
class TakeFirstTaskPass(RemarkingPass):
    """Erase what stands behind the first task of a window, or the first ones, and does not belong to it.

    ``waiting``: how many tasks at the end are erased, so that at least one is kept; all but one if it is not given.
    """

    name = "take-first-task"

    waiting: int | None = None

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Keep launches and fused tasks, one or more."""
        tasks = [op for op in module.ops if isinstance(op, LaunchOp | FusedTaskOp)]
        if not tasks:
            return
        kept = tasks[: 1 if self.waiting is None else max(len(tasks) - self.waiting, 1)]
        erased = pending(kept[-1])
        launches = [launch for op in erased for launch in _launches_of(op)]
        used_before = {operand.owner for op in erased for operand in op.operands}
        used_before |= {operand.owner for launch in launches for operand in launch.operands}
        unused = {launch.task_name for launch in launches}
        unused -= {launch.task_name for task in kept for launch in _launches_of(task)}
        for op in reversed(erased):
            op.detach()
            op.erase()
        _erase_unused(module, used_before)
        for op in list(module.ops):
            if isinstance(op, func.FuncOp) and op.sym_name.data in unused:
                module.body.block.erase_op(op)


def _launches_of(op: Operation) -> tuple[LaunchOp, ...]:
    if isinstance(op, FusedTaskOp):
        return op.members
    return (op,) if isinstance(op, LaunchOp) else ()


def _erase_unused(module: ModuleOp, candidates: Iterable[object]) -> None:
    """Erase definitions among the candidates that have no uses left, last first: a view goes before its store."""
    of_views = {op.store.owner for op in candidates if isinstance(op, ViewOp)}
    wanted_less = {*candidates, *of_views}
    op = module.body.block.last_op
    while op is not None:
        before = op.prev_op
        if op in wanted_less and isinstance(op, _DEFINITIONS) and op.result.first_use is None:
            module.body.block.erase_op(op)
        op = before
