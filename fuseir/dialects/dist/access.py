"""What one argument of a launch touches, and how two such accesses relate."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import SSAValue

from fuseir.dialects.dist.attributes import PartitionAttr
from fuseir.dialects.dist.ops import ViewOp, shaped
from fuseir.dialects.dist.partition import Shape
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

    def same_pieces(self, other: Access, domain: Shape) -> bool:
        """Whether both give every point the same elements of the same store, at the same tile indices."""
        return (
            self.root is other.root
            and self.view == other.view
            and self.partition.equal(other.partition, self.shape, domain)
        )

    def apart_from(self, other: Access) -> bool:
        """Whether the two views have no element in common, whatever the partitions."""
        return self.root is not other.root or not views_meet(self.view, other.view)

    def covers_root(self, domain: Shape) -> bool:
        """Whether every element of the root store belongs to some point's piece."""
        return self.view.covers(self.root_shape) and self.partition.covers(self.shape, domain)


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
