"""What a launch must satisfy at the caller's line: layouts given by the caller, and arguments that overlap.

The same rules as the IR's verifier has (docs/ir.md), asked of plain Python before there is any IR.
"""

from __future__ import annotations

from collections.abc import Sequence

from fuseir.dialects.dist.overlap import Overlap, Pieces, overlap
from fuseir.dialects.dist.partition import Partition, Shape, extents_agree, intervals_within_limit
from fuseir.dialects.dist.view import View
from fuseir.errors import LegalityError, ShapeError, UsageError
from fuseir.runtime.signatures import checked_shape
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import TaskInstance


def explicit_layout(
    instance: TaskInstance,
    shapes: tuple[Shape, ...],
    domain: Sequence[int] | None,
    partitions: Sequence[Partition] | None,
) -> tuple[Shape, tuple[Partition, ...]]:
    """Checks a layout given by the caller, as the IR's verifier would."""
    if domain is None or partitions is None:
        raise UsageError("domain and partitions are given together")
    launch_domain = checked_shape(domain)
    if not isinstance(partitions, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"partitions are a sequence, one for each store argument, not {type(partitions).__name__}")
    if len(partitions) != len(shapes):
        raise UsageError(f"{len(partitions)} partitions for {len(shapes)} stores")
    names = instance.argument_names
    for name, partition, shape, privilege in zip(names, partitions, shapes, instance.privileges, strict=True):
        if not isinstance(partition, Partition):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"{name}: a partition is needed, not {type(partition).__name__}")
        if partition.replicated:
            # Whether a task writes the same at each point is read off its kernel, which capture does not look at.
            raise UsageError(f"{name}: '{partition}' is what passes make of launches, not for launches themselves")
        if (error := partition.rank_error(len(shape), len(launch_domain))) is not None:
            raise ShapeError(f"{name}: {error}")
        if not intervals_within_limit(partition.intervals(shape), launch_domain):
            raise ShapeError(f"{name}: index arithmetic over the launch domain leaves the range ±2^62")
        if privilege.writes and not partition.disjoint(shape, launch_domain):
            raise LegalityError(
                f"{name}: '{privilege}' through a partition that is not disjoint over the launch domain"
            )
    intervals = [partition.intervals(shape) for partition, shape in zip(partitions, shapes, strict=True)]
    for (first, first_dim), *others in instance.extent_classes:
        for other, dim in others:
            if not extents_agree(intervals[first][first_dim], intervals[other][dim], launch_domain):
                raise ShapeError(
                    f"tiles of {names[first]} and {names[other]} differ in extent (dimensions {first_dim} and {dim}) at some point"
                )
    return launch_domain, tuple(partitions)


def check_overlaps(
    instance: TaskInstance,
    roots: tuple[RootStore, ...],
    views: tuple[View, ...],
    domain: Shape,
    partitions: tuple[Partition, ...],
) -> None:
    """WF-2: two arguments on one store must not conflict at different points, and one at most changes any element."""
    names = instance.argument_names
    for j, (root, privilege) in enumerate(zip(roots, instance.privileges, strict=True)):
        for i in range(j):
            other = instance.privileges[i]
            if roots[i] is not root or not (privilege.returned or other.returned):
                continue
            if privilege.reduces and privilege == other:
                continue  # folds with one operator do not conflict, whoever makes them
            first, second = (Pieces(root.shape, views[k], partitions[k]) for k in (i, j))
            if overlap(first, second, domain) is Overlap.APART:
                continue
            same = views[i] == views[j] and partitions[i].same_tiles(partitions[j], views[j].shape, domain)
            both = privilege.returned and other.returned
            if both or privilege.reduces or other.reduces or not same:
                raise LegalityError(
                    f"{names[i]} ('{other}') and {names[j]} ('{privilege}') of task '{instance.task_name}' overlap in one store: "
                    "make a copy first"
                )
