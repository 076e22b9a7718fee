"""Forms of launches: all that does not depend on which stores a launch is given.

A launch is checked in full when its form is met for the first time. Later ones are found by the task and its arguments' signatures, and
only what depends on the stores themselves is looked at again: whether they have contents, and whether arguments are the same store.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import count
from typing import Any

import numpy as np

from fuseir.cache import DiskCache
from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import View
from fuseir.dtypes import LargeInteger, element_dtype
from fuseir.errors import LegalityError, UsageError
from fuseir.runtime.launch_checks import check_overlaps, explicit_layout
from fuseir.runtime.signatures import Signature
from fuseir.runtime.stores import Handle, RootStore
from fuseir.runtime.tasks import Task, TaskInstance

_MOST = 1 << 16

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


class Form:
    """A task instance over a launch domain, with the signature and the partition of each store argument. Equal only to itself.

    ``token`` stands for it in the stream, where traces are looked for: a number, in the order in which forms are met.
    ``stores`` and ``scalars`` are positions among the task's parameters, ``needed`` and ``changed`` positions among the stores: which must
    have contents, and which get other ones.
    """

    __slots__ = (
        "_checked",
        "changed",
        "domain",
        "instance",
        "needed",
        "partitions",
        "scalars",
        "signatures",
        "stores",
        "token",
        "views",
    )

    def __init__(
        self,
        task: Task,
        instance: TaskInstance,
        domain: Shape,
        partitions: tuple[Partition, ...],
        signatures: tuple[Signature, ...],
        token: int,
    ) -> None:
        self.token = token
        self.instance = instance
        self.domain = domain
        self.partitions = partitions
        self.signatures = signatures
        self.views: tuple[View, ...] = tuple([signature.view for signature in signatures])
        parameters = list(enumerate(task.parameters))
        self.stores = tuple([k for k, privilege in parameters if privilege is not None])
        self.scalars = tuple([k for k, privilege in parameters if privilege is None])
        privileges = list(enumerate(instance.privileges))
        self.needed = tuple([k for k, privilege in privileges if privilege.reads or privilege.reduces])
        self.changed = tuple([k for k, privilege in privileges if privilege.returned])
        self._checked: set[tuple[int, ...]] = set()

    def replaces(self, argument: int, shape: Shape) -> bool:
        """Whether a launch writes every element of this argument's root, which has this shape."""
        view = self.views[argument]
        return (
            self.instance.privileges[argument].writes
            and view.covers(shape)
            and self.partitions[argument].covers(view.shape, self.domain)
        )

    def check_overlaps(self, roots: tuple[RootStore, ...]) -> None:
        """Raises LegalityError if arguments that are on the same store must not be (WF-2)."""
        pattern = tuple([roots.index(root) for root in roots])
        if pattern not in self._checked:
            check_overlaps(self.instance, roots, self.views, self.domain, self.partitions)
            self._checked.add(pattern)


class Forms:
    """The forms of a session, one of each.

    ``by_call`` finds those of launches that leave their layout to us: by the task, then for each argument its signature, or for a scalar
    its ``scalar_kind``.
    """

    def __init__(self, procs: int, disk: DiskCache) -> None:
        self.by_call: dict[tuple[Any, ...], Form] = {}
        self._procs = procs
        self._disk = disk
        self._known: dict[Hashable, Form] = {}
        self._tokens = count()

    def make(
        self,
        task: Task,
        arguments: Sequence[Any],
        domain: Sequence[int] | None,
        partitions: Sequence[Partition] | None,
    ) -> Form:
        """The form of a launch, checked. Raises ShapeError, DTypeError, LegalityError or UsageError."""
        stores, scalars = _sorted_arguments(task, arguments)
        signatures = tuple([store.signature for store in stores])
        scalar_types = tuple([_scalar_type(value) for value in scalars])
        instance = task.instance([(s.dtype, len(s.shape)) for s in signatures], scalar_types, self._disk)
        shapes = tuple([signature.shape for signature in signatures])
        if domain is None and partitions is None:
            launch_domain, pieces = instance.layout(shapes, self._procs)
        else:
            launch_domain, pieces = explicit_layout(instance, shapes, domain, partitions)
        for store, signature, privilege in zip(stores, signatures, instance.privileges, strict=True):
            if privilege.returned and signature.view.index_map is not None and signature.view.repeats:
                raise LegalityError(f"'{privilege}' through {store!r}, which repeats elements")
        parts = instance.first_alike, launch_domain, pieces, signatures
        # Tasks that are alike may take scalars and stores in another order.
        key = *parts, task.parameters
        form = self._known.get(key)
        if form is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            form = self._known[key] = Form(task, *parts, next(self._tokens))
        if domain is None:
            if len(self.by_call) >= _MOST:
                self.by_call.clear()
            self.by_call[call_key(task, arguments)] = form
        return form


def call_key(task: Task, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """What ``Forms.by_call`` finds a form by. Raises UsageError for an integer that needs more than 64 bits."""
    return (task, *[a.signature if isinstance(a, Handle) else scalar_kind(a) for a in arguments])


def _sorted_arguments(task: Task, arguments: Sequence[Any]) -> tuple[list[Handle], list[Any]]:
    """Tells stores from scalars by the task's parameters. Raises UsageError for a wrong number or kind of arguments."""
    if not isinstance(task, Task):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"a task made by fuseir.task or fuseir.opaque_task can be launched, not {type(task).__name__}")
    if len(arguments) != len(task.parameters):
        raise UsageError(f"task '{task.name}' takes {len(task.parameters)} arguments, {len(arguments)} were given")
    stores: list[Handle] = []
    scalars: list[Any] = []
    for privilege, argument in zip(task.parameters, arguments, strict=True):
        if privilege is None:
            scalars.append(argument)
        elif isinstance(argument, Handle):
            stores.append(argument)
        else:
            raise UsageError(
                f"task '{task.name}' needs a Store for each argument with a privilege, got {type(argument).__name__}"
            )
    return stores, scalars


def scalar_kind(value: Any) -> Any:
    """A scalar's Python type, but LargeInteger for integers beyond those of 64 bits with sign. Raises UsageError beyond 64 bits."""
    kind = type(value)
    if kind is int and not _SMALLEST <= value <= _LARGEST:
        if not 0 <= value < 2**64:
            raise UsageError("a scalar argument has 64 bits: the integer given needs more")
        return LargeInteger
    return kind


def _scalar_type(value: Any) -> Any:
    """What a scalar's type is to the task: Python's own numbers stay weak, as in NumPy's promotion."""
    kind = scalar_kind(value)
    if kind in (bool, int, float, LargeInteger):
        return kind
    if isinstance(value, np.generic):
        return element_dtype(value.dtype)
    raise UsageError(f"a scalar argument is a Python or NumPy number, not {kind.__name__}")
