"""Store renaming: crossing an anti dependence by writing a fresh version of a store.

A stencil reads shifted views of a store and then copies its result back into the middle. The copy may not join: other points may
not have read yet what it overwrites. If it writes a *fresh* store instead, readers keep the old version, and the two stores are
exchanged behind the group (``dist.swap``). What the write does not reach is carried over: up to two strips a dimension, copied by members
of the same group.

The cost rule: the strips hold at most one element for ``WRITTEN_FOR_ONE_CARRIED`` written. Renaming saves the copied-back result a way
through memory, two elements' traffic for each one written; each one carried costs as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.attributes import PartitionAttr, StoreType, partition_attr
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.dist.partition import Range, Shape, Tiling
from fuseir.dialects.dist.privilege import READ, WRITE, PrivilegeKind
from fuseir.dialects.dist.view import View
from fuseir.passes.analysis.dependence import Comparisons, IndexTask, uses_of

WRITTEN_FOR_ONE_CARRIED = 4
"""Elements that must be written for each one that has to be copied from the old version."""


@dataclass(frozen=True)
class Renaming:
    """The fresh version of ``root``, the tasks that carry the rest over, and the task that writes it instead."""

    root: SSAValue
    fresh: StoreOp
    carries: tuple[IndexTask, ...]
    task: IndexTask
    carried: int
    written: int


def plan_renaming(
    task: IndexTask, number: int, carry_name: str, comparisons: Comparisons, *, rest_is_dead: bool
) -> Renaming | str:
    """How the task can write a fresh version through its access ``number``, or why it cannot or should not.

    ``carry_name`` is the symbol of the copying task. With ``rest_is_dead`` nobody looks at what the write does not reach.
    """
    access = task.accesses[number]
    root = access.root
    if access.privilege.kind is not PrivilegeKind.WRITE:
        return f"'{access.privilege}' needs the old contents"
    if not access.partition.covers(access.shape, task.domain):
        return "the write does not reach all of its view"
    if any(other.root is root and other.privilege.returned for k, other in enumerate(task.accesses) if k != number):
        return "the task changes the store in two places"
    strips: list[tuple[Range, ...]] = []
    if not rest_is_dead:
        box = _box(access)
        if box is None:
            return "the view skips elements"
        strips = complement(box, access.root_shape)
    written, carried = prod(access.shape), sum(prod(r.high - r.low for r in strip) for strip in strips)
    if carried * WRITTEN_FOR_ONE_CARRIED > written:
        return f"of {carried + written} elements, {carried} would have to be carried over"
    launch_dims = _launch_dims(access, task.domain)
    if strips and launch_dims is None:
        return f"the rest of the store cannot be divided over {list(task.domain)}"
    assert isinstance(root.type, StoreType)
    fresh = StoreOp(root.type)
    fresh.result.name_hint = root.name_hint
    carries = tuple(
        _carry(task, carry_name, strip, access, fresh.result, launch_dims or (), comparisons) for strip in strips
    )
    accesses = tuple(
        replace(other, root=fresh.result, value=fresh.result) if k == number else other
        for k, other in enumerate(task.accesses)
    )
    renamed = replace(task, accesses=accesses, uses=uses_of(accesses, comparisons), rewritten=True)
    return Renaming(root, fresh, carries, renamed, carried, written)


def substituted(task: IndexTask, versions: dict[SSAValue, SSAValue], comparisons: Comparisons) -> IndexTask:
    """The task on the fresh versions of stores that its group has renamed."""
    if not any(access.root in versions for access in task.accesses):
        return task
    accesses = tuple(
        replace(access, root=versions[access.root], value=versions[access.root]) if access.root in versions else access
        for access in task.accesses
    )
    return replace(task, accesses=accesses, uses=uses_of(accesses, comparisons), rewritten=True)


# Geometry


def _box(access: Access) -> tuple[Range, ...] | None:
    """The elements of the store that the view shows, if they are a box."""
    ranges: list[Range] = []
    for coordinate in access.view.map().results:
        extent = 1 if coordinate.dim is None else access.shape[coordinate.dim]
        if extent == 0 or (extent > 1 and abs(coordinate.scale) != 1):
            return None
        low = min(coordinate.offset, coordinate.offset + (extent - 1) * coordinate.scale)
        ranges.append(Range(low, low + extent))
    return tuple(ranges)


def complement(box: Sequence[Range], shape: Shape) -> list[tuple[Range, ...]]:
    """The rest of the index space as at most two disjoint boxes a dimension."""
    strips: list[tuple[Range, ...]] = []
    whole = [Range(0, extent) for extent in shape]
    for k, inside in enumerate(box):
        for outside in (Range(0, inside.low), Range(inside.high, shape[k])):
            strip = (*box[:k], outside, *whole[k + 1 :])
            if not any(r.empty for r in strip):
                strips.append(strip)
    return strips


def _launch_dims(access: Access, domain: Shape) -> tuple[int | None, ...] | None:
    """For each dimension of the store, the launch dimension that divides it; None if a launch dimension is left without one.

    Where the write moves a dimension the strips do likewise, so that points carry what lies beside their tiles.
    """
    intervals = access.partition.partition.intervals(access.shape)
    chosen: list[int | None] = [
        None if c.dim is None else intervals[c.dim].launch_dim for c in access.view.map().results
    ]
    chosen = [None if j in chosen[:k] else j for k, j in enumerate(chosen)]
    # A dimension that the view leaves out divides what remains.
    for j, count in enumerate(domain):
        if count > 1 and j not in chosen:
            if None not in chosen:
                return None
            chosen[chosen.index(None)] = j
    return tuple(chosen)


def _carry(
    task: IndexTask,
    name: str,
    strip: Sequence[Range],
    access: Access,
    fresh: SSAValue,
    launch_dims: Sequence[int | None],
    comparisons: Comparisons,
) -> IndexTask:
    """The task that copies one strip from the old version to the fresh one."""
    shape = tuple(r.high - r.low for r in strip)
    view = View(shape, IndexMap(len(shape), tuple(Coordinate(k, 1, r.low) for k, r in enumerate(strip))))
    partition = _strip_partition(shape, launch_dims, task.domain)
    accesses = (
        Access(access.root, access.root, view, partition, READ),
        Access(fresh, fresh, view, partition, WRITE),
    )
    return replace(task, name=name, accesses=accesses, uses=uses_of(accesses, comparisons), added=True)


def _strip_partition(shape: Shape, launch_dims: Sequence[int | None], domain: Shape) -> PartitionAttr:
    """Equal tiles along the dimensions that move; the others whole."""
    moving = [(k, j) for k, j in enumerate(launch_dims) if j is not None]
    tile = list(shape)
    for k, j in moving:
        tile[k] = -(-shape[k] // max(domain[j], 1))
    coordinates = tuple(Coordinate(None, 0, 0) if j is None else Coordinate(j, 1, 0) for j in launch_dims)
    return partition_attr(Tiling.of(tile, None, IndexMap(len(domain), coordinates)))
