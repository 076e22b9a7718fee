"""`split-launches`: who reads a store that was put together from copies reads what was copied, piece by piece.

Before::

    dist.launch @fused_0<[4]>(%tail: read #t, %first: write #t, %head: read #t, %rest: write #t) : …   // %rolled = %x, rolled by one
    dist.launch @fused_1<[4]>(%rolled: read #t, %z: write #t) : …                                     // element by element
    dist.release %rolled : …

After::

    dist.launch @fused_1<[4]>(%tail: read #t, %z_first: write #t) : …
    dist.launch @fused_1<[4]>(%head: read #u, %z_rest: write #u) : …

``np.roll``, ``np.concatenate`` and the like make a new store from slices of others; reading the slices instead saves a write and a read
of everything. No one view shows them all, but on each of a few boxes of the reader's index space one does: there the reader is launched
with that view, and with the same box of its other arguments, as the same kernel. In compilers: index-set splitting, after copy propagation.

**Legality.** The store is unnamed, released and never swapped. All that changes it are copies, through views that do not meet (parts of the
kernels of launches, as ``compose-kernels`` makes them); all that reads it is one launch, behind them. What was copied is not changed in
between. The reader's kernel is a single nest without positions and folds: each element is made of elements at the same index, so it does
not matter which launch makes it, and each point makes the elements it made before (tiles are shifted, not cut anew). A reader that changes
what it is now to read slices of writes a fresh version of that store, as a whole, and the two are exchanged behind it.

**Profit.** One box holds at least half of the elements, there are at most ``most-boxes``, and all the stores together have
``smallest-bytes`` at least.

Precondition: a verified module behind `fuse-kernels`: no fused tasks. Linear in the module, times the boxes of launches that are split.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from math import prod

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue

from fuseir.dialects.dist.attributes import PartitionAttr, StoreType
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, StoreOp, SwapOp, ViewOp, shaped
from fuseir.dialects.dist.privilege import READ, WRITE, Privilege
from fuseir.dialects.dist.view import View
from fuseir.passes.analysis.assembled_stores import StoreHistory, store_bytes
from fuseir.passes.analysis.copied_views import runs_as_well
from fuseir.passes.analysis.element_wise_launch import Box, ElementWiseLaunch
from fuseir.passes.analysis.kernel_arguments import out_of_place, without
from fuseir.passes.analysis.labels import store_label
from fuseir.passes.analysis.unused_arguments import erase_unused
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks

SMALLEST_BYTES = 1 << 16
"""What is smaller costs less to copy than launches do."""

MOST_BOXES = 27
"""Three a dimension, in three dimensions."""

_Plan = dict[Box, dict[int, tuple[SSAValue, View]]]
"""For each box, what the arguments are that read an assembled store."""


@dataclass(frozen=True)
class SplitLaunchesPass(RemarkingPass):
    """Launch readers of stores that were put together from copies once for each piece."""

    name = "split-launches"

    smallest_bytes: int = SMALLEST_BYTES
    """What is smaller costs less to copy than launches do."""
    most_boxes: int = MOST_BOXES
    """The most launches that one becomes."""

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Find the stores, split their readers, and make the copies no more."""
        history = StoreHistory(module)
        readers: dict[LaunchOp, ElementWiseLaunch] = {}
        for root in history.assembled():
            found = self._reader(history, root, readers)
            if isinstance(found, ElementWiseLaunch):
                found.assembled.append(root)
            else:
                self._remark_on_store(root, history, found, remarks)
        splitter = _Splitter(module, history)
        for reader in readers.values():
            if not reader.assembled:
                continue
            plan = self._plan(history, reader)
            if isinstance(plan, str):
                for root in reader.assembled:
                    self._remark_on_store(root, history, plan, remarks)
                continue
            stores = "a store is" if len(reader.assembled) == 1 else f"{len(reader.assembled)} stores are"
            name = reader.launch.task_name
            message = f"'@{name}' became {len(plan)} launches, on the pieces that {stores} put together from"
            remarks.add(RemarkKind.PASSED, "FIR-N190", self.name, message, reader.launch, tasks=[(name, reader.launch)])
            splitter.split(reader, plan)
        splitter.finish()

    def _remark_on_store(self, root: SSAValue, history: StoreHistory, reason: str, remarks: Remarks) -> None:
        label = store_label(root)
        message = f"store {label} is put together from copies: {reason}"
        remarks.add(RemarkKind.ANALYSIS, "FIR-N191", self.name, message, history.pieces[root][0].launch, store=label)

    def _reader(
        self, history: StoreHistory, root: SSAValue, readers: dict[LaunchOp, ElementWiseLaunch]
    ) -> ElementWiseLaunch | str:
        """The one launch that reads a store, if it can read what was copied; or why not."""
        pieces = history.pieces[root]
        launches = history.readers.get(root, set())
        if len(launches) != 1:
            return f"{len(launches)} launches read it"
        (launch,) = launches
        name = f"'@{launch.task_name}'"
        if launch not in readers:
            kernel = history.kernels.get(launch.task_name)
            made = None if kernel is None else ElementWiseLaunch.of(launch, kernel)
            if made is None:
                return f"{name}, which reads it, is no single nest that works element by element"
            readers[launch] = made
        reader = readers[launch]
        reads = [reader.accesses[k] for k in reader.arguments(root)]
        if any(access.privilege != READ for access in reads):
            return f"{name} looks at its shape only"
        if any(abs(coordinate.scale) > 1 for access in reads for coordinate in access.view.map().results):
            return f"{name} reads a view that skips elements"
        if launch in history.copying:
            return f"{name} copies parts of another store"
        if any(piece.position > history.positions[launch] for piece in pieces):
            return f"{name} reads it before it is complete"
        if not all(history.unchanged(piece, launch) for piece in pieces):
            return f"what was copied has changed when {name} reads it"
        if not all(runs_as_well(piece.source, piece.target) for piece in pieces):
            return "what was copied has another order in memory"
        return reader

    def _plan(self, history: StoreHistory, reader: ElementWiseLaunch) -> _Plan | str:
        """The boxes, and what the reader's arguments for its stores are in each; or why the launch is left whole."""
        name = f"'@{reader.launch.task_name}'"
        boxes = reader.boxes(history)
        if len(boxes) > self.most_boxes:
            return f"{name} would become {len(boxes)} launches"
        if 2 * max(prod(r.high - r.low for r in box) for box in boxes) < prod(reader.space):
            return f"no piece holds half of what {name} reads"
        if sum(store_bytes(root) for root in reader.assembled) < self.smallest_bytes:
            return "it is small"
        plan: _Plan = {box: {} for box in boxes}
        for box, origins in plan.items():
            for root in reader.assembled:
                for k in reader.arguments(root):
                    found = history.origin(root, reader.part(k, box))
                    if found is None:
                        return f"{name} reads elements that were not copied"
                    origins[k] = found
        if any(access.root in _sources(plan) and not reader.replaces(access) for access in reader.accesses):
            return f"{name} changes a part of what was copied"
        return plan


def _sources(plan: _Plan) -> set[SSAValue]:
    return {root for origins in plan.values() for root, _ in origins.values()}


# Rewriting


class _Splitter:
    """Rewrites one module."""

    def __init__(self, module: ModuleOp, history: StoreHistory) -> None:
        self._module = module
        self._history = history
        self._symbols = {op.sym_name.data for op in module.ops if isinstance(op, func.FuncOp)}
        self._dead: dict[LaunchOp, set[int]] = {}
        """Launches of copies, and their targets that nobody reads any more."""
        self._replaced: set[str] = set()
        self._unused: list[SSAValue] = []
        self._views: dict[tuple[SSAValue, View], SSAValue] = {}

    def split(self, reader: ElementWiseLaunch, plan: _Plan) -> None:
        """Put a launch for each box in the place of one."""
        launch, accesses = reader.launch, reader.accesses
        sources = _sources(plan)
        changed = [k for k, access in enumerate(accesses) if access.privilege.returned and access.root in sources]
        fresh = {k: self._fresh(accesses[k].root, launch) for k in changed}
        updated = [k for k in changed if accesses[k].privilege.reads]
        name = launch.task_name
        if updated:
            kernel = self._history.kernels[name]
            name = self._add(out_of_place(kernel, [access.privilege for access in accesses], updated), kernel)
        for box, origins in plan.items():
            given: list[tuple[SSAValue, View, Privilege, PartitionAttr]] = []
            for k, access in enumerate(accesses):
                view, partition = reader.part(k, box), reader.partition(k, box)
                if k in updated:
                    given.append((access.root, view, READ, partition))
                if k in fresh:
                    given.append((fresh[k], view, WRITE, partition))
                else:
                    given.append((*origins.get(k, (access.root, view)), access.privilege, partition))
            part = LaunchOp(
                name,
                launch.extents,
                [self._value(root, view) for root, view, _, _ in given],
                [privilege for _, _, privilege, _ in given],
                [partition for _, _, _, partition in given],
                list(launch.scalars),
            )
            self._insert(part, launch)
        for k, store in fresh.items():
            _insert_before(SwapOp(accesses[k].root, store), launch)
            _insert_before(ReleaseOp(store), launch)
        for root in sources:
            self._keep(root, launch)
        for root in reader.assembled:
            for piece in self._history.pieces[root]:
                self._dead.setdefault(piece.launch, set()).add(piece.argument)
        self._erase(launch)

    def finish(self) -> None:
        """Make copies that nobody reads no more."""
        for launch, dead in self._dead.items():
            kept = [k for k in range(len(launch.arguments)) if k not in dead]
            accesses = launch.accesses
            if any(accesses[k].privilege.returned for k in kept):
                kernel = self._history.kernels[launch.task_name]
                smaller = LaunchOp(
                    self._add(without(kernel, [access.privilege for access in accesses], dead), kernel),
                    launch.extents,
                    [accesses[k].value for k in kept],
                    [accesses[k].privilege for k in kept],
                    [accesses[k].partition for k in kept],
                    list(launch.scalars),
                )
                self._insert(smaller, launch)
            self._erase(launch)
        erase_unused(self._unused)
        launched = {op.task_name for op in self._module.ops if isinstance(op, LaunchOp)}
        for name in sorted(self._replaced - launched):
            self._module.body.block.erase_op(self._history.kernels[name])

    def _insert(self, made: LaunchOp, launch: LaunchOp) -> None:
        made.location = launch.location
        made.attributes |= launch.attributes
        _insert_before(made, launch)

    def _erase(self, launch: LaunchOp) -> None:
        self._unused += launch.arguments
        self._replaced.add(launch.task_name)
        launch.detach()
        launch.erase()

    def _fresh(self, root: SSAValue, launch: LaunchOp) -> SSAValue:
        assert isinstance(root.type, StoreType)
        made = StoreOp(root.type)
        made.result.name_hint = root.name_hint
        _insert_before(made, launch)
        return made.result

    def _value(self, root: SSAValue, view: View) -> SSAValue:
        if view.index_map is None or (view.index_map.is_identity and view.shape == shaped(root).extents):
            return root
        if (root, view) not in self._views:
            made = ViewOp(root, view, shaped(root).element_type)
            declared = root.owner
            assert isinstance(declared, StoreOp)  # there are no traces
            assert declared.parent is not None
            declared.parent.insert_op_after(made, declared)
            self._views[root, view] = made.result
        return self._views[root, view]

    def _keep(self, root: SSAValue, launch: LaunchOp) -> None:
        """Have a store released behind a launch, where it was released before it."""
        release = self._history.releases.get(root)
        if release is not None and release.is_before_in_block(launch):
            release.detach()
            _insert_before(release, launch)

    def _add(self, kernel: func.FuncOp, original: func.FuncOp) -> str:
        """Put a kernel that was made of another one beside it; its symbol, which is new."""
        name = original.sym_name.data
        fresh = next(each for k in count() if (each := f"{name}_apart_{k}") not in self._symbols)
        self._symbols.add(fresh)
        kernel.sym_name = StringAttr(fresh)
        block = original.parent
        assert block is not None
        block.insert_op_after(kernel, original)
        return fresh


def _insert_before(op: Operation, place: Operation) -> None:
    block = place.parent
    assert block is not None  # it was found in the module
    block.insert_op_before(op, place)
