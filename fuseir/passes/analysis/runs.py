"""Which members of a fused task may share a kernel: consecutive runs of them.

Members of a legal fused task conflict at one and the same point only (Diffuse Def. 3), and run one after another there. A kernel knows no
such order between two of its parameters: its nests may be reordered, and their memory is taken not to overlap. So any two accesses of
one store in a kernel must either not depend on each other, or

* have no element in common, at any two points, or
* be the same pieces, which become one parameter whose values the members hand on; and where one of the two is a reduction, no two points
  share them, so that what a point folds is complete at that point; or
* be a read of pieces that at each point are broadcasts (or transposes) of the other's pieces there, on the same terms: what is read is
  the broadcast of the value at hand.

Where pieces overlap without being the same, a run ends. Launches keep their order, so cutting is always right.

Cost: each access is compared with the distinct pieces of its store in the run, of which a legal group has at most ``MAX_PIECES`` beside
those of its first member. A pair of pieces is compared once in a module, in O(rank). Source: Diffuse §4.2.2, §6.4; checks D21, D62.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.overlap import Overlap
from fuseir.dialects.dist.partition import Shape
from fuseir.dialects.dist.privilege import Privilege
from fuseir.passes.analysis.dependence import Comparisons, Use, dependence, uses_of


class Cut(NamedTuple):
    """Why a run ends: two members, and accesses of theirs to one store that cannot be in one kernel."""

    earlier: LaunchOp
    later: LaunchOp
    earlier_access: Access
    later_access: Access


class Run(NamedTuple):
    """Members that share a kernel; ``cut`` is what keeps them apart from the run before, None for the first."""

    members: tuple[LaunchOp, ...]
    cut: Cut | None


class PieceRelations:
    """What pieces are to each other in a kernel, each pair worked out once. One for each run of the pass."""

    def __init__(self) -> None:
        self.comparisons = Comparisons()
        self._same: dict[tuple[int, int, Shape], bool] = {}
        self._broadcasts: dict[tuple[int, int, Shape], tuple[int, ...] | None] = {}

    def same(self, a: Use, b: Use, domain: Shape) -> bool:
        """Whether accesses to one store have the same pieces."""
        key = (a.pieces, b.pieces, domain)
        known = self._same.get(key)
        if known is None:
            known = self._same[key] = a.access.same_pieces(b.access, domain)
        return known

    def broadcast(self, read: Use, base: Use, domain: Shape) -> tuple[int, ...] | None:
        """How the pieces of ``read`` are broadcasts of those of ``base``, an access to the same store (``Access.broadcast_from``)."""
        key = (read.pieces, base.pieces, domain)
        if key not in self._broadcasts:
            self._broadcasts[key] = read.access.broadcast_from(base.access, domain)
        return self._broadcasts[key]

    def _value_reaches(self, a: Use, b: Use, domain: Shape) -> bool:
        """Whether the value of the one's pieces says what the other's hold: they are the same, or the other reads broadcasts of them."""
        if self.same(a, b, domain):
            return True
        return any(
            not read.access.privilege.returned and self.broadcast(read, base, domain) is not None
            for read, base in ((a, b), (b, a))
        )

    def may_share_kernel(self, a: Use, b: Use, domain: Shape) -> bool:
        """Whether dependent accesses to one store, ``a`` before ``b``, can be in one kernel."""
        if not self._value_reaches(a, b, domain):
            return self.comparisons.overlap(a, b, domain) is Overlap.APART
        if a.access.privilege.reduces or b.access.privilege.reduces:
            fold = a.access if a.access.privilege.reduces else b.access
            return fold.partition.disjoint(fold.shape, domain)
        # Where a write is replicated, points write copies of their own; what they read is still shared.
        replicated = b.access.privilege.writes and b.access.partition.partition.replicated
        return not (replicated and a.access.privilege.reads)


@dataclass(slots=True)
class _Pieces:
    """The first use of some pieces of a store under each privilege, and whose it is."""

    uses: dict[Privilege, tuple[LaunchOp, Use]] = field(default_factory=dict[Privilege, tuple[LaunchOp, Use]])


class _Runs:
    """The runs so far, and the one in the making."""

    def __init__(self, relations: PieceRelations) -> None:
        self.relations = relations
        self.finished: list[Run] = []
        self.members: list[LaunchOp] = []
        self.cut: Cut | None = None
        self.pieces: dict[SSAValue, dict[int, _Pieces]] = {}

    def add(self, launch: LaunchOp) -> None:
        uses = uses_of(launch.accesses, self.relations.comparisons)
        if (cut := self._find_cut(launch, uses)) is not None:
            self.finish()
            self.cut = cut
        self.members.append(launch)
        for use in uses:
            pieces = self.pieces.setdefault(use.access.root, {}).setdefault(use.pieces, _Pieces())
            pieces.uses.setdefault(use.access.privilege, (launch, use))

    def finish(self) -> None:
        if self.members:
            self.finished.append(Run(tuple(self.members), self.cut))
        self.members, self.pieces = [], {}

    def _find_cut(self, launch: LaunchOp, uses: Sequence[Use]) -> Cut | None:
        for later in uses:
            for pieces in self.pieces.get(later.access.root, {}).values():
                for privilege, (member, earlier) in pieces.uses.items():
                    if dependence(privilege, later.access.privilege) is None:
                        continue
                    if not self.relations.may_share_kernel(earlier, later, launch.extents):
                        return Cut(member, launch, earlier.access, later.access)
        return None


def cut_into_runs(members: Sequence[LaunchOp], relations: PieceRelations) -> list[Run]:
    """The members in order, in the fewest consecutive runs that can do with one kernel each.

    Members have one launch domain. A run of one member is always right, as WF-1 and WF-2 hold for it.
    """
    runs = _Runs(relations)
    for member in members:
        runs.add(member)
    runs.finish()
    return runs.finished
