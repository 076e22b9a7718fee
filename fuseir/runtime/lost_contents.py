"""Contents of stores that are lost because launches failed, and launches that bring them back."""

from __future__ import annotations

from collections.abc import Iterable

from fuseir.runtime.window import Launch


def lose_changes(launches: Iterable[Launch], error: BaseException) -> None:
    """Notes that the contents of all stores that launches change were lost: they did not run, or not to their end."""
    for launch in launches:
        for root, privilege in zip(launch.roots, launch.instance.privileges, strict=True):
            if privilege.returned:
                root.lose(error)


def note_replaced(launches: Iterable[Launch]) -> None:
    """Notes which lost stores launches that are still to run write anew."""
    for launch in launches:
        for k, privilege in enumerate(launch.instance.privileges):
            root = launch.roots[k]
            if privilege.returned and root.failure is not None:
                root.replaced |= launch.form.replaces(k, root.shape)
