"""Whose contents does anybody still want? A backward walk over the launches and swaps of a program.

A store's contents are *wanted* at some place of the program if the world outside can see the store (it has a name, which makes it an
output of the program, or it is never released in this module: the application holds a reference), or if a later launch reads or reduces
into it before a launch replaces all of it. A swap exchanges the fates of two stores: what is wanted of one before it is what is
wanted of the other behind it. The walk sees each launch once, and spends O(rank) on each argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, StoreOp, SwapOp


class Liveness:
    """What is wanted at one place of a program: at first its end, then before each launch or swap that it steps over, last one first."""

    def __init__(self, module: ModuleOp) -> None:
        named = {op.result for op in module.ops if isinstance(op, StoreOp) and op.store_name is not None}
        self._private = {op.store for op in module.ops if isinstance(op, ReleaseOp)} - named
        # Of these, those that a launch further down reads or reduces into; of others it does not matter.
        self._pending: dict[SSAValue, LaunchOp] = {}
        self._fates: dict[SSAValue, SSAValue] = {}

    def fate(self, root: SSAValue) -> SSAValue:
        """The store that has the contents at the end of the program that the store has here, if no launch replaces them."""
        return self._fates.get(root, root)

    def private(self, root: SSAValue) -> bool:
        """Whether the world outside cannot see, after the program, the contents that the store has here.

        The store that they end up in has no name and is released, itself or through a view.
        """
        return self.fate(root) in self._private

    def reader(self, root: SSAValue) -> LaunchOp | None:
        """The next launch further down that needs the contents that the store has here, if any."""
        return self._pending.get(root)

    def wanted(self, root: SSAValue) -> bool:
        """Whether anybody, application or launch, may look at the contents that the store has here."""
        return not self.private(root) or root in self._pending

    def step_over_swap(self, swap: SwapOp) -> None:
        """Move to the place before a swap."""
        a, b = swap.first, swap.second
        self._fates[a], self._fates[b] = self.fate(b), self.fate(a)
        readers = {a: self._pending.pop(b, None), b: self._pending.pop(a, None)}
        self._pending.update({root: reader for root, reader in readers.items() if reader is not None})

    def step_over(self, launch: LaunchOp, accesses: Sequence[Access]) -> None:
        """Move to the place before a launch, which has these accesses."""
        # A write replaces what was there only if it is complete; a partial one leaves the rest to be read (D45).
        for access in accesses:
            if access.privilege.writes and access.covers_root(launch.extents):
                self._pending.pop(access.root, None)
        for access in accesses:
            if access.privilege.reads or access.privilege.reduces:
                self._pending[access.root] = launch


@dataclass(slots=True)
class StoreUse:
    """What the members of a group do to one store: all that Diffuse's Def. 4 asks about them."""

    writer: LaunchOp | None = None
    """The first member that writes some of the store."""
    covering: Access | None = None
    """The last write so far that reaches every element of the store."""
    reducer: LaunchOp | None = None
    """The first member that reduces into the store."""
    exposed_to: LaunchOp | None = None
    """A member that reads elements not known to have been written by an earlier member: the group needs the store's old contents."""
    exposed_after_write: bool = False
    """Whether an earlier member had written some of the store by then, but not all of it through the same pieces."""


def uses_of_stores(members: Iterable[LaunchOp]) -> dict[SSAValue, StoreUse]:
    """How a group uses each store, in order of first use."""
    uses: dict[SSAValue, StoreUse] = {}
    for member in members:
        accesses = member.accesses
        for access in accesses:
            _look_at_reads(uses.setdefault(access.root, StoreUse()), access, member)
        # What a launch writes is there for later launches, not for its own reads: hence the second round.
        for access in accesses:
            if access.privilege.writes:
                use = uses[access.root]
                use.writer = use.writer or member
                if access.covers_root(member.extents):
                    use.covering = access
    return uses


def _look_at_reads(use: StoreUse, access: Access, member: LaunchOp) -> None:
    if access.privilege.reduces:
        use.reducer = use.reducer or member
    if (
        use.exposed_to is None
        and access.privilege.reads
        and (
            # The same pieces: a covering write through others was done by other points, maybe later (D46).
            use.covering is None or not use.covering.same_pieces(access, member.extents)
        )
    ):
        use.exposed_to, use.exposed_after_write = member, use.writer is not None
