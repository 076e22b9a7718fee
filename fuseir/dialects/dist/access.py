"""What one argument of a launch touches, and how two such accesses relate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from xdsl.ir import SSAValue

from fuseir.dialects.dist.attributes import PartitionAttr, partition_attr
from fuseir.dialects.dist.index_map import IndexMap
from fuseir.dialects.dist.ops import ViewOp, shaped
from fuseir.dialects.dist.overlap import Overlap, Pieces, overlap
from fuseir.dialects.dist.partition import Shape, Tiling, tiles_agree
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.dist.view import View, views_meet


@dataclass(frozen=True, eq=False)
class Access:
    """One argument of a launch: a partitioned view of a root store, under a privilege."""

    value: SSAValue
    root: SSAValue
    view: View
    partition: PartitionAttr
    privilege: Privilege

    @property
    def shape(self) -> Shape:
        """The index space that the partition divides."""
        return self.view.shape

    @property
    def root_shape(self) -> Shape:
        """The shape of the root store."""
        return shaped(self.root).extents

    def under(self, privilege: Privilege) -> Access:
        """The same pieces, accessed differently."""
        return replace(self, privilege=privilege)

    def same_pieces(self, other: Access, domain: Shape) -> bool:
        """Whether both give every point the same elements of the same store, at the same tile indices and extents."""
        return (
            self.root is other.root
            and self.view == other.view
            and self.partition.partition.same_tiles(other.partition.partition, self.shape, domain)
        )

    def broadcast_from(self, base: Access, domain: Shape) -> tuple[int, ...] | None:
        """Where the dimensions of ``base``'s tiles are among those of this access's, if these are broadcasts of those; None if not.

        With ``dims`` as the answer, at every point of the domain element ``i`` of this tile is the very element of the store that is
        ``base``'s element ``(i[dims[0]], i[dims[1]], …)``, and the extents agree. The tile may repeat elements and have its dimensions
        in another order; ``base`` repeats nothing. Two questions, O(rank): is this view the other one with dimensions added, and do
        both partitions give each point the same interval in the dimensions that are not?
        """
        if self.root is not base.root:
            return None
        dims: dict[int, int] = {}
        for own, theirs in zip(self.view.map().results, base.view.map().results, strict=True):
            if own[1:] != theirs[1:] or (own.dim is None) != (theirs.dim is None):
                return None
            if own.dim is not None and theirs.dim is not None:
                dims[theirs.dim] = own.dim
        rank = len(base.shape)
        if len(dims) < rank or any(self.shape[dims[d]] != base.shape[d] for d in range(rank)):
            return None
        intervals = self.partition.partition.intervals(self.shape)
        theirs = base.partition.partition.intervals(base.shape)
        agree = tiles_agree([intervals[dims[d]] for d in range(rank)], theirs, domain)
        return tuple(dims[d] for d in range(rank)) if agree else None

    def without_repeats(self) -> Access | None:
        """This access without the last dimensions of its view, if it has the same elements all along them; None if it has not.

        At every point of a launch whose tile is not empty, element ``i`` of the tile is element ``i[: rank]`` of the other's. The new
        access has the root for its value: there may be no such view in the program.
        """
        shape, results = self.view.shape, self.view.map().results
        used = [c.dim for c in results if c.dim is not None]
        rank = max(used, default=-1) + 1
        partition = self.partition.partition
        if rank == len(shape) or prod(shape[rank:]) < 2 or 0 in shape or partition.replicated:
            return None
        view = View(shape[:rank], IndexMap(rank, results))
        if view.map().is_identity and view.shape == self.root_shape:
            view = View(view.shape)
        leading = partition.of_leading(rank) if isinstance(partition, Tiling) else partition
        return Access(self.root, self.root, view, partition_attr(leading), self.privilege)

    @property
    def keeps_order(self) -> bool:
        """Whether dimensions of the view are in the order of the store's."""
        used = [c.dim for c in self.view.map().results if c.dim is not None]
        return used == sorted(used)

    def apart_from(self, other: Access) -> bool:
        """Whether the two views have no element in common, whatever the partitions."""
        return self.root is not other.root or not views_meet(self.view, other.view)

    def overlap(self, other: Access, domain: Shape) -> Overlap:
        """Which points of the domain share elements through the two accesses; different root stores are ``APART``."""
        return Overlap.APART if self.root is not other.root else overlap(self.pieces, other.pieces, domain)

    @property
    def pieces(self) -> Pieces:
        """What each point gets, as plain numbers."""
        return Pieces(self.root_shape, self.view, self.partition.partition)

    def covers_root(self, domain: Shape) -> bool:
        """Whether every element of the root store belongs to some point's piece."""
        return self.view.covers(self.root_shape) and self.partition.covers(self.shape, domain)


def meeting_pairs(accesses: Sequence[Access]) -> Iterator[tuple[int, int]]:
    """The pairs of accesses (to one root) whose views meet and of which one at least changes the root.

    Sweeps along the dimension in which the views differ most, so that many windows apart from each other cost little
    more than sorting them.
    """
    bounds = {k: access.view.bounds() for k, access in enumerate(accesses) if 0 not in access.view.shape}
    rank = len(accesses[0].root_shape) if accesses else 0
    sweep = max(range(rank), key=lambda d: len({each[d] for each in bounds.values()}), default=None)
    reading: list[int] = []
    changing: list[int] = []
    for k in sorted(bounds, key=lambda k: (0 if sweep is None else bounds[k][sweep][0], k)):
        if sweep is not None:
            low = bounds[k][sweep][0]
            reading = [other for other in reading if bounds[other][sweep][1] >= low]
            changing = [other for other in changing if bounds[other][sweep][1] >= low]
        changes = accesses[k].privilege.returned
        for other in (*reading, *changing) if changes else changing:
            if not accesses[k].apart_from(accesses[other]):
                yield min(k, other), max(k, other)
        (changing if changes else reading).append(k)


def access_of(value: SSAValue, partition: PartitionAttr, privilege: Privilege) -> Access:
    """The access of a launch argument: a view is traced to its store. An identity view is the store itself."""
    owner = value.owner
    if not isinstance(owner, ViewOp):
        return Access(value, value, View(shaped(value).extents), partition, privilege)
    view = owner.view
    root = owner.store
    if view.map().is_identity and view.shape == shaped(root).extents:
        view = View(view.shape)
    return Access(value, root, view, partition, privilege)
