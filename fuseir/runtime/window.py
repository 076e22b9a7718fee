"""The window: launches captured and not yet analysed, as light records (no IR), and its canonical form.

Two windows are the same program if a renaming of stores maps one onto the other (Diffuse §5.2). ``canonical`` numbers stores by first
occurrence and spells out everything that a plan depends on, and no more: windows with equal keys may use one plan.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable
from enum import StrEnum
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import View
from fuseir.location import CallSite
from fuseir.runtime.plan import Number
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import TaskInstance


class Form:
    """What of a launch does not depend on which stores it is given. Equal only to itself: ``Forms`` has one of each."""

    __slots__ = ("domain", "instance", "partitions", "views")

    def __init__(
        self, instance: TaskInstance, domain: Shape, partitions: tuple[Partition, ...], views: tuple[View, ...]
    ) -> None:
        self.instance = instance
        self.domain = domain
        self.partitions = partitions
        self.views = views


class Launch:
    """An index task, captured. ``partitions[k]`` divides ``views[k]`` of ``roots[k]``.

    ``form`` is looked up when a window with the launch is first analysed: a full window gives up one task at a time, so most launches
    are part of several windows.
    """

    __slots__ = ("domain", "form", "instance", "partitions", "roots", "scalars", "site", "views")

    def __init__(
        self,
        instance: TaskInstance,
        domain: Shape,
        partitions: tuple[Partition, ...],
        roots: tuple[RootStore, ...],
        views: tuple[View, ...],
        scalars: tuple[Number, ...],
        site: CallSite,
    ) -> None:
        self.instance = instance
        self.domain = domain
        self.partitions = partitions
        self.roots = roots
        self.views = views
        self.scalars = scalars
        self.site = site
        self.form: Form | None = None


class Release(NamedTuple):
    """The application's last handle of a root is gone."""

    root: RootStore


class Fence(NamedTuple):
    """Nothing moves or fuses across this."""


Record = Launch | Release | Fence


class Forms:
    """The forms of launches that were met, one of each, so that keys hold and compare them by identity."""

    _MOST = 1 << 16

    def __init__(self) -> None:
        self._known: dict[Hashable, Form] = {}

    def of(self, launch: Launch) -> Form:
        """The form of a launch. Kept in the launch."""
        if launch.form is None:
            parts = launch.instance.first_alike, launch.domain, launch.partitions, launch.views
            form = self._known.get(parts)
            if form is None:
                if len(self._known) >= self._MOST:
                    self._known.clear()
                form = self._known[parts] = Form(*parts)
            launch.form = form
        return launch.form


class Life(StrEnum):
    """What the application can still see of a store behind the window, and what the store brings into it."""

    HELD = "held"
    """It has handles: what it holds at the end must be there. A store of the program, with a name."""
    RELEASED = "released"
    """It had contents before the window, and nobody can ask for them behind it."""
    INTERNAL = "internal"
    """It had no contents, and nobody can ask for them: it comes and goes inside the window."""


class StoreKey(NamedTuple):
    """What a plan depends on of a store."""

    shape: Shape
    dtype: np.dtype[Any]
    life: Life


class Key(NamedTuple):
    """What a plan depends on.

    ``stream`` has, for each launch, its form and then the number of each argument's root; None stands for a fence. ``full``: whether the
    plan is to run the first task only.
    """

    stream: tuple[Form | int | None, ...]
    stores: tuple[StoreKey, ...]
    full: bool


class Canonical(NamedTuple):
    """A window's canonical form: the key, and the binding of its numbers to this window's stores and scalars."""

    key: Key
    roots: tuple[RootStore, ...]
    scalars: tuple[Number, ...]


def canonical(records: Iterable[Record], forms: Forms, *, full: bool = False) -> Canonical:
    """Numbers roots and scalars by first occurrence; linear in the number of arguments.

    In the key (Diffuse §5.2; D54-D59) are, for each launch: the task (its text, privileges, element types, ranks and scalar types; its
    function if it is opaque), the launch domain, and for each argument the number of its root, its view and its partition. For each root:
    shape, element type, and its life. What is pending behind a task is in the key as the launches that follow it. Fences stand where they
    separate launches.

    Not in the key, since no plan depends on it: values of scalars, which are arguments of kernels; names; where in the program a launch
    was; when a store was released, as ``capture_module`` does it behind the last launch that uses it; whether a store that is held had
    contents, as launches that read what was never written are not captured.
    """
    numbers: dict[RootStore, int] = {}
    scalars: list[Number] = []
    stream: list[Form | int | None] = []
    released: set[RootStore] = set()
    fenced = False
    for record in records:
        if type(record) is Launch:
            if fenced:
                stream.append(None)
                fenced = False
            stream.append(record.form or forms.of(record))
            stream.extend([numbers.setdefault(root, len(numbers)) for root in record.roots])
            if record.scalars:
                scalars.extend(record.scalars)
        elif type(record) is Release:
            released.add(record.root)
        else:
            fenced = bool(stream)
    stores = tuple([StoreKey(root.shape, root.dtype, life_of(root, released)) for root in numbers])
    return Canonical(Key(tuple(stream), stores, full), tuple(numbers), tuple(scalars))


def released_in(records: Iterable[Record]) -> set[RootStore]:
    """The roots that nobody outside can ask for behind the window."""
    return {record.root for record in records if type(record) is Release}


def life_of(root: RootStore, released: Container[RootStore]) -> Life:
    """The life of a root in a window that releases those."""
    if root not in released:
        return Life.HELD
    return Life.INTERNAL if root.buffer is None else Life.RELEASED


def launches_of(records: Iterable[Record]) -> list[Launch]:
    """The launches of a window, in program order: what launch numbers count."""
    return [record for record in records if type(record) is Launch]


def without(records: Iterable[Record], taken: Container[int]) -> list[Record]:
    """What is left of a window when the launches with these numbers have run.

    A release goes with the last launch that uses its store, a fence with the last launch before it.
    """
    numbers = count()
    left: list[Record] = []
    for record in records:
        if type(record) is Launch:
            keep = next(numbers) not in taken
        else:
            keep = type(record) is Release or bool(left)
        if keep:
            left.append(record)
    used = {root for launch in launches_of(left) for root in launch.roots}
    return [record for record in left if type(record) is not Release or record.root in used]
