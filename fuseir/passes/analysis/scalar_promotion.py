"""Scalar tasks: arithmetic on reduction results, at one point, that need not stand between two large groups.

Between a dot product and the update that needs its result there often stands a task on stores of one element. Run at every point of its
neighbours' domain it computes the same values everywhere: each point reads the whole of each store (``#dist.none``) and has a copy of
its own of what is written (``#dist.replicated``). So it joins the group of its consumers (papers: Diffuse §6; D36).
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.attributes import NoneAttr, ReplicatedAttr
from fuseir.dialects.dist.partition import Shape
from fuseir.passes.analysis.dependence import Comparisons, IndexTask, uses_of


def is_scalar_task(task: IndexTask) -> bool:
    """Whether a task may as well run at many points.

    It runs at one point, on all of stores that have one element each (a task on real arrays is not repeated), and only reads and
    writes, no store both: a point must not see what another has written.
    """
    if not task.has_body or prod(task.domain) != 1:
        return False
    read = {access.root for access in task.accesses if access.privilege.reads}
    return all(_is_whole_scalar(access, task.domain) for access in task.accesses) and not any(
        access.privilege.reduces or (access.privilege.writes and access.root in read) for access in task.accesses
    )


def _is_whole_scalar(access: Access, domain: Shape) -> bool:
    return prod(access.root_shape) == 1 and prod(access.shape) == 1 and access.covers_root(domain)


def promoted(task: IndexTask, domain: Shape, comparisons: Comparisons) -> IndexTask:
    """A scalar task, run at every point of ``domain``."""
    accesses = tuple(
        replace(access, partition=ReplicatedAttr() if access.privilege.writes and prod(domain) > 1 else NoneAttr())
        for access in task.accesses
    )
    return replace(task, domain=domain, accesses=accesses, uses=uses_of(accesses, comparisons), rewritten=True)
