"""Which native calls of a plan may run side by side: the phases between which all threads wait for each other.

A launch may start at some points while another is at work at others, if no dependence joins two different points: then they share a
phase, and each thread runs its chunk of points of all of them. Decided from views and partitions, never by looking at points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fuseir.dialects.dist.overlap import Overlap, Pieces, overlap
from fuseir.dialects.dist.partition import Shape


class Use(NamedTuple):
    """Pieces of a slot's buffer that a launch reads or writes."""

    slot: int
    pieces: Pieces
    writes: bool


@dataclass
class Phase:
    """Calls ``first`` to ``first + calls - 1`` of a batch: of one domain and on many threads, or one after another on one."""

    first: int
    domain: Shape | None
    """None for calls that one thread makes."""
    calls: int = 0
    used: dict[int, set[tuple[Pieces, bool]]] = field(default_factory=dict[int, set[tuple[Pieces, bool]]])

    def takes(self, domain: Shape, uses: Sequence[Use]) -> bool:
        """Whether a launch at many points may join."""
        return self.domain == domain and all(
            not (writes or use.writes) or overlap(pieces, use.pieces, domain) is not Overlap.CROSSING
            for use in uses
            for pieces, writes in self.used.get(use.slot, ())
        )

    def add(self, uses: Sequence[Use]) -> None:
        """One more call."""
        self.calls += 1
        for use in uses:
            self.used.setdefault(use.slot, set()).add((use.pieces, use.writes))


class Phases:
    """The phases of a batch, made call by call, in order."""

    def __init__(self) -> None:
        self.list: list[Phase] = []
        self._calls = 0

    def add_parallel(self, domain: Shape, uses: Sequence[Use]) -> None:
        """A call at many points, with what it reads and writes of slots."""
        if not (self.list and self.list[-1].takes(domain, uses)):
            self.list.append(Phase(self._calls, domain))
        self.list[-1].add(uses)
        self._calls += 1

    def add_serial(self) -> None:
        """A call that one thread makes for all points."""
        if not (self.list and self.list[-1].domain is None):
            self.list.append(Phase(self._calls, None))
        self.list[-1].add(())
        self._calls += 1
