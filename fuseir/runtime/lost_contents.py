"""Contents of stores that are lost because launches failed, and launches that bring them back."""

from __future__ import annotations

from collections.abc import Iterable

from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import View
from fuseir.runtime.stores import RootStore
from fuseir.runtime.window import Launch


def replaces(root: RootStore, view: View, partition: Partition, domain: Shape) -> bool:
    """Whether a write reaches every element of the root."""
    return view.covers(root.shape) and partition.covers(view.shape, domain)


def lose_changes(launches: Iterable[Launch], error: BaseException) -> None:
    """Notes that the contents of all stores that launches change were lost: they did not run, or not to their end."""
    for launch in launches:
        for root, privilege in zip(launch.roots, launch.instance.privileges, strict=True):
            if privilege.returned:
                root.failure, root.replaced = error, False


def note_replaced(launches: Iterable[Launch]) -> None:
    """Notes which lost stores launches that are still to run write anew."""
    for launch in launches:
        for k, privilege in enumerate(launch.instance.privileges):
            root = launch.roots[k]
            if privilege.writes and root.failure is not None:
                root.replaced |= replaces(root, launch.views[k], launch.partitions[k], launch.domain)
