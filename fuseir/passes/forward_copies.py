"""`forward-copies`: who reads a copy reads what was copied, and the copy is not made.

Before::

    dist.launch @copy<[4]>(%p: read #t, %pn: write #t) : …
    %north = dist.view %pn (d0, d1) -> (d0, d1 + 1) : …
    dist.launch @add<[4]>(%north: read #u, …) : …
    dist.launch @assign<[4]>(%work: read #u, %inner: write #u) : …       // changes %p, that is why there is a copy
    dist.release %pn : …

After::

    %north = dist.view %p (d0, d1) -> (d0, d1 + 1) : …
    dist.launch @add<[4]>(%north: read #u, …) : …
    dist.launch @assign<[4]>(%work: read #u, %inner: write #u) : …
    dist.release %pn : …

That a later launch changes what was copied is no obstacle: it comes after the readers, and where it has to run beside them ``fuse-tasks``
gives it a fresh version of the store (renaming). A copy goes away as a whole, or stays as it is:

1. Its kernel copies each element of a view to the same index of another store's view (``analysis/copied_views.py``).
2. Every launch that meets those elements, until a launch replaces all of the store or the program ends, only reads them, has a body, and
   reads nothing but them through that argument.
3. None of these comes after, or is itself, a launch that changes elements that were copied.
4. If the program ends first, the store is released and has no name: nobody outside sees it.

**Profit.** A read and a write of each element. Not done where neighbours in memory would be further apart than in the copy: whoever copies
a transposed matrix may want it that way.

Readers keep their partitions; views show the same elements at the same indices, so at each point every task sees the same. The source's
release moves behind its last reader. Launches in fused tasks, and stores that are swapped, are left alone.

Precondition: a verified module. Linear in launches and arguments but for the launches looked at between a copy and the end of its life.
Source: copy propagation, as compilers do it; beyond Diffuse, which has no copies among its tasks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, StoreOp, SwapOp, ViewOp, shaped
from fuseir.dialects.dist.view import View
from fuseir.dialects.kernel import is_kernel
from fuseir.passes.analysis.copied_views import copied, copied_parameters, origin, runs_as_well
from fuseir.passes.analysis.labels import store_label
from fuseir.passes.analysis.liveness import Liveness
from fuseir.passes.fuse_tasks import kernels_of
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks


class _Use(NamedTuple):
    """An argument of a launch that reads or changes a store. ``fixed``: the launch may not be given another one."""

    position: int
    launch: LaunchOp
    argument: int
    access: Access
    fixed: bool


class _Reader(NamedTuple):
    use: _Use
    view: View
    """What it is to read of the source's root."""


class _Uses:
    """Who uses which store of a module, in program order; of one launch, reads before changes."""

    def __init__(self, module: ModuleOp) -> None:
        with_body = kernels_of(module).with_body
        self._of: dict[SSAValue, list[_Use]] = {}
        self._changes: dict[SSAValue, list[_Use]] = {}
        self.positions: dict[LaunchOp, int] = {}
        for launch, top in _launches(module):
            position = self.positions[launch] = len(self.positions)
            fixed = not top or launch.task_name not in with_body
            uses = [_Use(position, launch, k, access, fixed) for k, access in enumerate(launch.accesses)]
            for use in sorted(uses, key=lambda use: use.access.privilege.returned):
                if use.access.privilege.reads or use.access.privilege.returned:
                    self._of.setdefault(use.access.root, []).append(use)
                if use.access.privilege.returned:
                    self._changes.setdefault(use.access.root, []).append(use)

    def after(self, position: int, root: SSAValue) -> Iterator[_Use]:
        """The uses of a store behind a launch."""
        return _behind(self._of.get(root, []), position)

    def first_change(self, position: int, source: Access) -> int | None:
        """Where elements that an access shows are changed next behind a launch."""
        changes = _behind(self._changes.get(source.root, []), position)
        return next((use.position for use in changes if not use.access.apart_from(source)), None)


def _behind(uses: list[_Use], position: int) -> Iterator[_Use]:
    for k in range(bisect_right(uses, position, key=lambda use: use.position), len(uses)):
        yield uses[k]


def _launches(module: ModuleOp) -> Iterator[tuple[LaunchOp, bool]]:
    """Each launch, and whether it stands in the program by itself."""
    for op in module.ops:
        if isinstance(op, LaunchOp):
            yield op, True
        elif isinstance(op, FusedTaskOp):
            for member in op.members:
                yield member, False


@dataclass(frozen=True)
class ForwardCopiesPass(RemarkingPass):
    """Let readers of copies read what was copied."""

    name = "forward-copies"

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Look at each copy, in program order: what reads a copy of a copy is led back to the first of them."""
        kernels = {
            op.sym_name.data
            for op in module.ops
            if isinstance(op, func.FuncOp) and is_kernel(op) and copied_parameters(op) == {1: 0}
        }
        found = [op for op in module.ops if isinstance(op, LaunchOp) and op.task_name in kernels]
        if not found:
            return
        names = {launch.task_name for launch in found}
        forwarder = _Forwarder(module)
        for launch in found:
            pair = copied(launch)
            if pair is None:
                continue
            source, target = pair
            label = store_label(target.root)
            readers = forwarder.readers(launch, source, target)
            if isinstance(readers, str):
                message = f"store {label} is a copy that is made: {readers}"
                kind, code = RemarkKind.ANALYSIS, "FIR-N181"
            else:
                count = "a read is" if len(readers) == 1 else f"{len(readers)} reads are"
                message = f"store {label} is no copy any more: {count} of {store_label(source.root)}, which was copied"
                kind, code = RemarkKind.PASSED, "FIR-N180"
            tasks = [(launch.task_name, launch)]
            remarks.add(kind, code, self.name, message, launch, tasks=tasks, store=label)
            if not isinstance(readers, str):
                forwarder.forward(launch, source, readers)
        _erase_unlaunched(module, names)


def _erase_unlaunched(module: ModuleOp, names: Set[str]) -> None:
    """Erase functions among these that nothing launches any more: who lowers kernels lowers all that are there."""
    unlaunched = names - {launch.task_name for launch, _ in _launches(module)}
    for op in list(module.ops):
        if isinstance(op, func.FuncOp) and op.sym_name.data in unlaunched:
            module.body.block.erase_op(op)


class _Forwarder:
    """Rewrites one module."""

    def __init__(self, module: ModuleOp) -> None:
        self._uses = _Uses(module)
        self._outside = Liveness(module)
        self._swapped = {store for op in module.ops if isinstance(op, SwapOp) for store in op.operands}
        self._releases = {op.store: op for op in module.ops if isinstance(op, ReleaseOp)}
        self._last_reader: dict[SSAValue, int] = {}
        self._views: dict[tuple[SSAValue, View], ViewOp] = {}

    def readers(self, launch: LaunchOp, source: Access, target: Access) -> list[_Reader] | str:
        """All reads of a copy, and what they are to read instead; or why the copy has to be made."""
        if self._swapped & {source.root, target.root}:
            return "versions of a store are exchanged"
        if not runs_as_well(source, target):
            return "what was copied has another order in memory"
        start = self._uses.positions[launch]
        changed = self._uses.first_change(start, source)
        found: list[_Reader] = []
        for use in self._uses.after(start, target.root):
            access = use.access
            if access.apart_from(target):
                continue
            if access.privilege.writes and not access.privilege.reads and access.covers_root(use.launch.extents):
                return found
            name = f"'@{use.launch.task_name}'"
            if access.privilege.returned:
                return f"{name} changes it"
            if use.fixed:
                return f"{name} cannot be given another store to read"
            if changed is not None and use.position >= changed:
                return f"{name} reads it when {store_label(source.root)}, which was copied, has changed"
            view = origin(source, target, access.view)
            if view is None:
                return f"{name} reads other elements of it as well"
            found.append(_Reader(use, view))
        return found if self._outside.private(target.root) else "the world outside can see it"

    def forward(self, launch: LaunchOp, source: Access, readers: list[_Reader]) -> None:
        """Lead the readers to the source, and erase the copy."""
        for use, view in readers:
            use.launch.operands[use.argument] = self._value(source.root, view)
        self._keep(source.root, max((use.position for use, _ in readers), default=-1), readers)
        launch.detach()
        launch.erase()

    def _value(self, root: SSAValue, view: View) -> SSAValue:
        if view.index_map is None:
            return root
        if (root, view) not in self._views:
            made = self._views[root, view] = ViewOp(root, view, shaped(root).element_type)
            declared = root.owner
            assert isinstance(declared, StoreOp)  # there are no traces
            assert declared.parent is not None
            declared.parent.insert_op_after(made, declared)
        return self._views[root, view].result

    def _keep(self, root: SSAValue, last: int, readers: list[_Reader]) -> None:
        """Have a store released behind its last reader."""
        release = self._releases.get(root)
        if release is None or not readers or last <= self._last_reader.get(root, -1):
            return
        self._last_reader[root] = last
        launch = max(readers, key=lambda reader: reader.use.position).use.launch
        if not release.is_before_in_block(launch):
            return
        block = launch.parent
        assert block is not None
        release.detach()
        block.insert_op_after(release, launch)
