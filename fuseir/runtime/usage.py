"""Where a program waits for values, and where it leaves the stream: counted by the user's lines (``fuseir.doctor()``)."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass

from fuseir.errors import FallbackError, SyncError
from fuseir.location import CallSite, users_site


@dataclass
class _Count:
    site: CallSite
    times: int = 1


class Usage:
    """What a session's program did that costs: reads that made it run what was captured, and functions that NumPy ran.

    ``sync`` and ``fallback`` are the session's options of these names.
    """

    def __init__(self, sync: str, fallback: str) -> None:
        self.sync = sync
        self.fallback = fallback
        # By the identity of the code: its hash takes longer than a small launch.
        self._syncs: dict[tuple[int, int], _Count] = {}
        self.fallbacks: Counter[tuple[str, CallSite]] = Counter()

    @property
    def syncs(self) -> Counter[CallSite]:
        """How often each of the program's lines made launches run that waited."""
        return Counter({count.site: count.times for count in self._syncs.values()})

    def note_sync(self) -> None:
        """A value is read, and launches wait. Raises SyncError where that is forbidden; what was captured stays so."""
        site = users_site()
        known = self._syncs.get((id(site.code), site.instruction))
        if known is not None:
            known.times += 1
            return
        if self.sync == "error":
            raise SyncError(
                "a value is read here, which runs what was captured: keep it an array, or read it outside of the loop (FUSEIR_SYNC=error)",
                location=site.resolve(),
            )
        self._syncs[id(site.code), site.instruction] = _Count(site)
        if self.sync == "log":
            place = site.resolve()
            print(
                f"{place}: a value is read, and what was captured runs: {(place.text or '').strip()}", file=sys.stderr
            )

    def note_fallback(self, name: str, instead: str) -> bool:
        """NumPy runs a function at once. Returns whether that is the function's first time. Raises FallbackError where it is forbidden."""
        site = users_site()
        if self.fallback == "error":
            raise FallbackError(
                f"'{name}' is not FuseIR's for arguments of these kinds: {instead} (FUSEIR_FALLBACK=error)",
                location=site.resolve(),
            )
        first = all(known != name for known, _ in self.fallbacks)
        self.fallbacks[name, site] += 1
        return first
