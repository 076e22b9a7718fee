"""What capture needs to know of a task's kernel, without the kernel: kept on disk, so that the next process builds none.

Known for tasks in the task language only. What a generator makes is known when it has run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fuseir.cache import DiskCache, Entry
from fuseir.cache.environment import digest_of_text, package_keys
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dtypes import ELEMENT_NAMES
from fuseir.lang.definition import TaskDefinition, TextTask

if TYPE_CHECKING:
    from xdsl.dialects.func import FuncOp


class TaskFacts(NamedTuple):
    """``digest`` stands for the kernel's text; ``extent_classes`` are the (argument, dimension) pairs whose extents the kernel takes to be
    equal; ``divisible`` says that its results do not depend on how large its tiles are along the dimension that is cut.
    """

    digest: str
    extent_classes: tuple[tuple[tuple[int, int], ...], ...]
    divisible: bool
    scalar_types: tuple[np.dtype[Any], ...]


def facts_of(kernel: FuncOp, privileges: Sequence[Privilege], scalar_types: Sequence[np.dtype[Any]]) -> TaskFacts:
    """The facts of a kernel. Loads xDSL."""
    from fuseir.dialects.kernel import extent_classes, is_divisible, result_parameters

    returned = result_parameters(privileges)
    classes = extent_classes(kernel, returned)
    return TaskFacts(
        digest_of_text(str(kernel)),
        tuple(tuple(sorted(members)) for members in classes),
        is_divisible(kernel, returned),
        tuple(scalar_types),
    )


class StoredFacts:
    """The place of one task's facts in a cache."""

    def __init__(self, disk: DiskCache, key: str, ranks: Sequence[int], scalars: int) -> None:
        self._disk = disk
        self._key = key
        self._ranks = ranks
        self._scalars = scalars

    @staticmethod
    def of(
        disk: DiskCache | None,
        definition: TaskDefinition,
        symbol: str,
        argument_types: Sequence[tuple[np.dtype[Any], int]],
        scalar_types: Sequence[Any],
    ) -> StoredFacts | None:
        """Where the facts are; None if they have no place."""
        if disk is None or not disk.active or type(definition) is not TextTask:
            return None
        keys = package_keys()
        if keys is None:
            return None
        types = " ".join(f"{dtype.str}{rank}" for dtype, rank in argument_types)
        # A Python type, for a weak scalar, or a dtype.
        scalars = " ".join(kind.str if isinstance(kind, np.dtype) else kind.__name__ for kind in scalar_types)
        text = "\n".join((symbol, types, scalars, definition.name, definition.syntax.source.text))
        return StoredFacts(disk, keys.key("task", text), [rank for _, rank in argument_types], len(scalar_types))

    def find(self) -> TaskFacts | None:
        """The facts, if they are there."""
        return self._disk.get(self._key, lambda entry: self._read(entry.header))

    def keep(self, facts: TaskFacts) -> None:
        """Keep the facts."""
        header = {**facts._asdict(), "scalar_types": [dtype.str for dtype in facts.scalar_types]}
        self._disk.put(self._key, Entry(header, b""))

    def _read(self, header: Mapping[str, Any]) -> TaskFacts | None:
        match header:
            case {
                "digest": str(digest),
                "extent_classes": list(),
                "divisible": bool(divisible),
                "scalar_types": list(),
            }:
                pass
            case _:
                return None
        try:
            classes = tuple(tuple((k, d) for k, d in members) for members in header["extent_classes"])
            scalar_types = tuple(map(np.dtype, header["scalar_types"]))
            inside = all(k >= 0 and 0 <= d < self._ranks[k] for members in classes for k, d in members)
        except (TypeError, ValueError, IndexError):
            return None
        known = len(scalar_types) == self._scalars and all(dtype in ELEMENT_NAMES for dtype in scalar_types)
        return TaskFacts(digest, classes, divisible, scalar_types) if inside and known and all(classes) else None
