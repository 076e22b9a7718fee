"""How a launch's arguments map to slots and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.partition import Shape
from fuseir.dialects.dist.view import View


def view_strides(view: View, root_shape: Shape, itemsize: int) -> tuple[int, list[int]]:
    """Byte offset of a view's first element in its C-contiguous root, and its strides in bytes."""
    root_strides: list[int] = []
    stride = itemsize
    for extent in reversed(root_shape):
        root_strides.insert(0, stride)
        stride *= max(extent, 1)
    offset, strides = 0, [0] * len(view.shape)
    for coordinate, stride in zip(view.map().results, root_strides, strict=True):
        offset += coordinate.offset * stride
        if coordinate.dim is not None:
            strides[coordinate.dim] = coordinate.scale * stride
    return (0 if 0 in view.shape else offset), strides


def reads_and_writes(
    accesses: Sequence[Access], slots: Mapping[SSAValue, int], domain: Shape
) -> tuple[frozenset[int], frozenset[int]]:
    """Slots a launch needs the old contents of, and slots it changes. A partial write needs what it leaves alone."""
    reads: set[int] = set()
    writes: set[int] = set()
    for access in accesses:
        privilege = access.privilege
        slot = slots[access.root]
        if privilege.returned:
            writes.add(slot)
        if privilege.reads or privilege.reduces or (privilege.writes and not access.covers_root(domain)):
            reads.add(slot)
    return frozenset(reads), frozenset(writes)
