"""Will anybody look at what a write leaves as it was?"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import SwapOp
from fuseir.passes.analysis.liveness import Liveness

_MOST_READS = 64
"""Later reads of a store that are looked at one by one; with more of them the rest counts as wanted."""


class LaterReads:
    """Who reads or reduces which store where in a module, in program order. Looked up when first asked: it is seldom needed."""

    def __init__(self, module: ModuleOp) -> None:
        self._module = module

    def rest_is_dead(self, launch: LaunchOp, written: Access) -> bool:
        """Whether nobody, after the launch, looks at the store outside of the view that it writes."""
        later = self._reads_after(launch, written.root) if self._private(written.root) else None
        return later is not None and len(later) <= _MOST_READS and all(written.view == a.view for _, a in later)

    def is_dead(self, launch: LaunchOp, root: SSAValue) -> bool:
        """Whether nobody, after the launch, looks at the store."""
        return self._private(root) and not self._reads_after(launch, root)

    def _private(self, root: SSAValue) -> bool:
        return self._outside.private(root) and root not in self._swapped

    def _reads_after(self, launch: LaunchOp, root: SSAValue) -> list[tuple[int, Access]]:
        positions, all_reads = self._reads
        reads = all_reads.get(root, [])
        return reads[bisect_right(reads, positions[launch], key=lambda read: read[0]) :]

    @cached_property
    def _outside(self) -> Liveness:
        return Liveness(self._module)

    @cached_property
    def _swapped(self) -> set[SSAValue]:
        return {store for op in self._module.ops if isinstance(op, SwapOp) for store in op.operands}

    @cached_property
    def _reads(self) -> tuple[dict[LaunchOp, int], dict[SSAValue, list[tuple[int, Access]]]]:
        positions: dict[LaunchOp, int] = {}
        reads: dict[SSAValue, list[tuple[int, Access]]] = {}
        launches = (op for top in self._module.ops for op in (top.members if isinstance(top, FusedTaskOp) else (top,)))
        for position, launch in enumerate(launches):
            if not isinstance(launch, LaunchOp):
                continue
            positions[launch] = position
            for access in launch.accesses:
                if access.privilege.reads or access.privilege.reduces:
                    reads.setdefault(access.root, []).append((position, access))
        return positions, reads
