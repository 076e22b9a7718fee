"""When what was found in a sample is used: the same for all replicas of a program.

Replicas issue the same stream and mine the same samples; only when their miners are ready differs. What they replay must not, so they
agree on positions of the stream instead of taking what there is. A sample is due ``interval`` tokens after it was taken. Then each
replica votes how many of those that are due it has ready, the least of the votes counts, and it takes effect another ``interval``
tokens later, when it has long been known: nobody waits for a miner, and for a vote only while another replica is far behind. If a vote
shows that somebody was late, the interval doubles, for all.

Source: Apophenia §5.1; checks A20 to A22. That what is ready is counted instead of waited for is how it was shipped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Agreement(Protocol):
    """Says how many results may be used. All replicas call both methods at the same positions of the stream."""

    def submitted(self, position: int) -> None:
        """A sample was submitted at this position."""
        ...

    def agreed(self, position: int, ready: int) -> int:
        """How many of the samples that are not collected are to be collected now, if ``ready`` of them are mined."""
        ...


class Alone:
    """One process: whatever is ready."""

    def submitted(self, position: int) -> None:
        """Nothing to note."""

    def agreed(self, position: int, ready: int) -> int:
        """All of them."""
        return ready


StartMinimum = Callable[[int], Callable[[], int]]
"""Starts to find the least of all replicas' numbers, without waiting for them; what it returns waits, and returns it."""


class _Vote(NamedTuple):
    effective: int
    due: int
    outcome: Callable[[], int]


class Replicas:
    """Several replicas, which are joined by a reduction over all of them: each starts the same ones in the same order."""

    def __init__(self, start_minimum: StartMinimum, interval: int = 32) -> None:
        self._start_minimum = start_minimum
        self.interval = interval
        """Tokens between a sample and the vote on it, and from there until it is used."""
        self._due: deque[int] = deque()  # positions, one for each sample that is in flight
        self._vote: _Vote | None = None

    def submitted(self, position: int) -> None:
        """The sample is due one interval from here."""
        self._due.append(position + self.interval)

    def agreed(self, position: int, ready: int) -> int:
        """As many as all replicas had ready when they last voted, once that takes effect. Waits for the slowest to have voted."""
        agreed = 0
        if self._vote is not None and position >= self._vote.effective:
            agreed = self._vote.outcome()
            for _ in range(agreed):
                self._due.popleft()
            if agreed < self._vote.due:
                self.interval *= 2
                self._due = deque(max(when, position + self.interval) for when in self._due)
            self._vote = None
        if self._vote is None:
            due = sum(position >= when for when in self._due)
            if due:
                outcome = self._start_minimum(min(due, ready - agreed))
                self._vote = _Vote(position + self.interval, due, outcome)
        return agreed
