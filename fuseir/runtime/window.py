"""The window: launches captured and not yet analysed, as light records (no IR), and its canonical form.

Two windows are the same program if a renaming of stores maps one onto the other (papers: Diffuse §5.2). ``canonical`` numbers stores
by first occurrence and spells out everything that the compiled plan depends on; equal keys mean interchangeable plans.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import View
from fuseir.location import CallSite
from fuseir.runtime.plan import Number
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import TaskInstance


class Launch(NamedTuple):
    """An index task, captured. ``partitions[k]`` divides ``views[k]`` of ``roots[k]``."""

    instance: TaskInstance
    domain: Shape
    partitions: tuple[Partition, ...]
    roots: tuple[RootStore, ...]
    views: tuple[View, ...]
    scalars: tuple[Number, ...]
    site: CallSite


class Release(NamedTuple):
    """The application's last handle of a root is gone."""

    root: RootStore


class Fence(NamedTuple):
    """Nothing moves or fuses across this."""


Record = Launch | Release | Fence


class Canonical(NamedTuple):
    """A window's canonical form: the key, and the binding of its numbers to this window's stores and scalars."""

    key: Hashable
    roots: tuple[RootStore, ...]
    scalars: tuple[Number, ...]


def canonical(records: list[Record]) -> Canonical:
    """Numbers roots and scalars by first occurrence; linear in the number of arguments.

    Per launch: the task instance (its text, privileges, element types, ranks and scalar types), domain, and for each argument root
    number, view and partition. Per root at its first occurrence: shape, element type, and whether it has contents. Scalars are
    arguments of kernels, so their values stay out. Releases and fences stand in the key where they stand in the stream, which makes
    liveness part of it (D57).
    """
    numbers: dict[int, int] = {}
    roots: list[RootStore] = []
    scalars: list[Number] = []
    key: list[Hashable] = []

    def number(root: RootStore) -> Hashable:
        known = numbers.get(id(root))
        if known is not None:
            return known
        numbers[id(root)] = fresh = len(roots)
        roots.append(root)
        return (fresh, root.shape, root.dtype, root.buffer is not None)

    for record in records:
        if isinstance(record, Launch):
            key.append(
                (record.instance, record.domain, record.partitions, record.views, tuple(map(number, record.roots)))
            )
            scalars.extend(record.scalars)
        elif isinstance(record, Release):
            if id(record.root) in numbers:
                key.append(numbers[id(record.root)])
        else:
            key.append(None)
    return Canonical(tuple(key), tuple(roots), tuple(scalars))
